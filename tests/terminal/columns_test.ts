import { assert, assertEquals } from "@std/assert";
import { bold, red, stripAnsiCode } from "@std/fmt/colors";
import fc from "fast-check";
import { type Cell, renderColumns, wrap } from "../../src/terminal/columns.ts";
import { displayWidth } from "../../src/terminal/display_width.ts";
import { printable } from "../../src/base/printable.ts";

const PIPE = { color: false, width: undefined };

/** Everything that is printed, in order, white space apart. */
function ink(text: string): string {
  return text.replaceAll(/\s+/gu, "");
}

const text = fc.oneof(
  fc.string({ maxLength: 90 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.webUrl(),
  fc.lorem({ maxCount: 30 }),
  // Joined to one character, as wide as it is long.
  fc.nat(60).map((n) => "क्".repeat(n)),
  fc.constantFrom("", "天地玄黃宇宙洪荒".repeat(9), "\x1b[31mred", "a\nb\tc"),
);
const style = fc.constantFrom(bold, red);
const cell: fc.Arbitrary<Cell> = fc.oneof(
  text,
  fc.record({ text, style }),
);

function textOf(cell: Cell): string {
  return printable(typeof cell === "string" ? cell : cell.text);
}

Deno.test("renderColumns() fits every width and loses nothing", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { maxLength: 5 }), { maxLength: 6 }),
      fc.integer({ min: 40, max: 200 }),
      fc.boolean(),
      (rows, width, color) => {
        const lines = renderColumns(rows, { color, width });
        for (const line of lines) {
          const plain = stripAnsiCode(line);
          assert(displayWidth(plain) <= width, JSON.stringify(line));
          assert(!plain.endsWith(" "), JSON.stringify(line));
          if (!color) assert(!/\p{Cc}/u.test(line), JSON.stringify(line));
        }
        const count = (text: string): string => [...ink(text)].sort().join("");
        assertEquals(
          count(stripAnsiCode(lines.join("\n"))),
          count(rows.flat().map(textOf).join("\n")),
        );
      },
    ),
    { seed: 11, numRuns: 400 },
  );
});

Deno.test("renderColumns() keeps each cell's text in order, in one column", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 60, max: 200 }),
      (rows, width) => {
        for (const row of rows) {
          // Alone in its column, a text can be read off line by line.
          for (const one of row) {
            const lines = renderColumns([[one]], { color: false, width });
            assertEquals(ink(lines.join("\n")), ink(printable(one)));
          }
        }
      },
    ),
    { seed: 11 },
  );
});

Deno.test("wrap() breaks at spaces, and in a word only where it must", () => {
  assertEquals(wrap("", 10), [""]);
  assertEquals(wrap("one two three", 7), ["one two", "three"]);
  assertEquals(wrap("  one   two  ", 20), ["one two"]);
  assertEquals(wrap("abcdefghijklm no", 5), ["abcde", "fghij", "klm", "no"]);
  assertEquals(wrap("ab cdefghi", 4), ["ab", "cdef", "ghi"]);
  assertEquals(wrap("天地玄黃", 5), ["天地", "玄黃"]);
  assertEquals(wrap("e\u0301e\u0301e\u0301", 2), ["e\u0301e\u0301", "e\u0301"]);
});

Deno.test("renderColumns() aligns", () => {
  assertEquals(
    renderColumns([
      ["crates-io", "stored", "in the keyring"],
      ["天地", "no token", ""],
      ["alt"],
    ], PIPE),
    [
      "crates-io  stored    in the keyring",
      "天地       no token",
      "alt",
    ],
  );
});

Deno.test("renderColumns() wraps inside of a column", () => {
  assertEquals(
    renderColumns([
      ["alt", "sparse+https://registry.example/index/", "locked"],
      ["crates-io", "", "to unlock it, run the command that is named there"],
    ], { color: false, width: 50 }),
    [
      "alt        sparse+https://regi  locked",
      "           stry.example/index/",
      "crates-io                       to unlock it, run",
      "                                the command that",
      "                                is named there",
    ],
  );
});

Deno.test("renderColumns() gives up columns where there is no room", () => {
  const row = ["a registry", "with a long URL", "and a reason", "or another"];
  assertEquals(renderColumns([row, ["b"]], { color: false, width: 40 }), [
    "a registry",
    "  with a long URL",
    "  and a reason",
    "  or another",
    "b",
  ]);
});

Deno.test("renderColumns() colours the text and not the space around it", () => {
  const rows = [[{ text: "alt", style: red }, "x"], ["crates-io", "y"]];
  assertEquals(renderColumns(rows, { color: true, width: undefined }), [
    `${red("alt")}        x`,
    "crates-io  y",
  ]);
  assertEquals(renderColumns(rows, PIPE)[0], "alt        x");
});
