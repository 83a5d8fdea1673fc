import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadTomlParser, TomlSyntaxError } from "../../src/toml/document.ts";

const toml = await loadTomlParser();

Deno.test("locate() gives decoded paths and exact ranges", () => {
  const text =
    "\ufefftoken = 'x' # c\r\n[ a . \"b c\" ]\r\nd.'e' = \"\\u0041\"\r\n" +
    "f = { g = [1, {h = 2}], i.j = 'k' }\r\n[[l]]\r\nm = '''\nn'''";
  const { entries, tables, inlineTables } = toml.locate(text);
  const cut = ({ start, end }: { start: number; end: number }): string =>
    text.slice(start, end);
  assertEquals(
    entries.map((
      entry,
    ) => [entry.path, cut(entry), cut(entry.value), entry.string]),
    [
      [["token"], "token = 'x'", "'x'", "x"],
      [["a", "b c", "d", "e"], "d.'e' = \"\\u0041\"", '"\\u0041"', "A"],
      [["a", "b c", "f", "g"], "g = [1, {h = 2}]", "[1, {h = 2}]", undefined],
      [["a", "b c", "f", "i", "j"], "i.j = 'k'", "'k'", "k"],
      [["l", 0, "m"], "m = '''\nn'''", "'''\nn'''", "n"],
    ],
  );
  assertEquals(
    tables.map((table) => [table.kind, table.path, cut(table.header)]),
    [
      ["root", [], ""],
      ["standard", ["a", "b c"], '[ a . "b c" ]'],
      ["array", ["l", 0], "[[l]]"],
    ],
  );
  assertEquals(
    inlineTables.map((table) => [cut(table), table.members.map(cut)]),
    [["{ g = [1, {h = 2}], i.j = 'k' }", ["g = [1, {h = 2}]", "i.j = 'k'"]]],
  );
});

Deno.test("locate() reads TOML 1.1, as cargo 1.95 does", () => {
  const { entries } = toml.locate('a = {\n  b = "\\x41\\e", # c\n}\n');
  assertEquals(entries.map(({ string }) => string), ["A\x1b"]);
});

Deno.test("values() keeps a key of any name a key", () => {
  const values = toml.values("__proto__.a = 1\n[constructor]\nb = 2\n");
  assertEquals(Object.keys(values), ["__proto__", "constructor"]);
});

Deno.test("locate() and values() tell where an error is and repeat nothing", () => {
  const bad: [text: string, line: number, column: number][] = [
    ["\ufeffa = secret", 1, 5],
    ["a = 1\ntoken = 'secret\n", 2, 16],
    ["token = secret\n", 1, 9],
    ["token = 'secret' secret\n", 1, 18],
    ["token = 'secret'\ntoken = 'secret'\n", 2, 1],
    ['token = "\\secret"\n', 1, 11],
  ];
  for (const [text, line, column] of bad) {
    for (const read of [toml.locate, toml.values]) {
      const error = assertThrows(() => read(text), TomlSyntaxError);
      assert(error.line === line, `${text}: line ${error.line}`);
      assert(
        Math.abs((error.column ?? 0) - column) <= 1,
        `${text}: column ${error.column}`,
      );
      assert(!Deno.inspect(error).includes("secret"));
      assertEquals(error.cause, undefined);
    }
  }
});

Deno.test("locate() survives a nesting that is too deep", () => {
  const text = `a = ${"[".repeat(100_000)}`;
  assertThrows(() => toml.locate(text), TomlSyntaxError);
});
