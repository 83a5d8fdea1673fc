import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parse } from "smol-toml";
import { loadTomlParser } from "../../src/toml/document.ts";
import {
  type EditRefusal,
  editToml,
  type TomlEdit,
} from "../../src/toml/edit.ts";

const toml = await loadTomlParser();

const LIST = ["registry", "global-credential-providers"];

function edited(text: string, edit: TomlEdit): string {
  const outcome = editToml(toml, text, edit);
  assert("text" in outcome, JSON.stringify([text, edit, outcome]));
  return outcome.text;
}

function add(text: string): string {
  return edited(text, { kind: "add-item", path: LIST, item: "T" });
}

function removeItem(text: string, item = "T"): string {
  return edited(text, { kind: "remove-item", path: LIST, item });
}

const SET: [name: string, path: string[], before: string, after: string][] = [
  ["an empty file", ["a", "b"], "", '[a]\nb = "v"\n'],
  ["a byte order mark", ["a", "b"], "\ufeff", '\ufeff[a]\nb = "v"\n'],
  [
    "a file without the table",
    ["a", "b"],
    "# mine\r\n[net]\r\nx = 1\r\n",
    '# mine\r\n[net]\r\nx = 1\r\n\r\n[a]\r\nb = "v"\r\n',
  ],
  [
    "a file without a last line end",
    ["a", "b c"],
    "[net]",
    '[net]\n\n[a]\n"b c" = "v"',
  ],
  [
    "its table, below the last key",
    ["a", "b"],
    "[a]\nx = '''\n1''' # one\n# two\n[net]\n",
    "[a]\nx = '''\n1''' # one\nb = \"v\"\n# two\n[net]\n",
  ],
  ["a quoted header", ["a", "b"], "[ 'a' ]", "[ 'a' ]\nb = \"v\""],
  [
    "an empty table that a removal would take too",
    ["a", "b"],
    "[a]\n",
    '[a]\n b = "v"\n',
  ],
  [
    "dotted keys",
    ["a", "b"],
    "a.x = 1\n[net]\n",
    'a.x = 1\na.b = "v"\n[net]\n',
  ],
  [
    "dotted keys above a table below theirs",
    ["a", "b"],
    "a.x = 1\n[a.y]\nz = 1\n",
    'a.x = 1\na.b = "v"\n[a.y]\nz = 1\n',
  ],
  [
    "dotted keys with a table in braces",
    ["a", "b"],
    "'a' . x = { y = 1 } # c\n",
    "'a' . x = { y = 1 } # c\n'a'.b = \"v\"\n",
  ],
  [
    "a table in braces",
    ["a", "b"],
    "a = { x = 1 } # c\n",
    'a = { x = 1, b = "v" } # c\n',
  ],
  ["empty braces", ["a", "b"], "a = {}\n", 'a = {b = "v"}\n'],
  ["braces around a space", ["a", "b"], "a = { }\n", 'a = { b = "v" }\n'],
  [
    "braces of a table above",
    ["a", "b", "c"],
    "a = { x = {} }\n",
    'a = { x = {}, b.c = "v" }\n',
  ],
  [
    "a table below which another is",
    ["a", "b"],
    "[a.x]\ny = 1\n",
    '[a.x]\ny = 1\n\n[a]\nb = "v"\n',
  ],
  [
    "a file with an array of tables",
    ["a", "b"],
    "[[x]]\nb = 1\n[[x]]\n",
    '[[x]]\nb = 1\n[[x]]\n\n[a]\nb = "v"\n',
  ],
  ["the top", ["b"], "# c\n[a]\n", 'b = "v"\n# c\n[a]\n'],
  ["the top's keys", ["b"], "x = 1 # c\n[a]\n", 'x = 1 # c\nb = "v"\n[a]\n'],
  ["a value", ["a", "b"], "a.b = 'x' # c\n", 'a.b = "v" # c\n'],
  [
    "a value over several lines",
    ["a", "b"],
    "[a]\nb = [ # c\n  1,\n]\nx = 1\n",
    '[a]\nb = "v"\nx = 1\n',
  ],
];

for (const [name, path, before, after] of SET) {
  Deno.test(`editToml() sets a key in ${name}`, () => {
    assertEquals(edited(before, { kind: "set", path, value: "v" }), after);
  });
}

Deno.test("editToml() writes a list, and escapes what needs it", () => {
  const value = ["cargo:token", 'C:\\a "b"\\é\x7f'];
  const text = edited("", { kind: "set", path: LIST, value });
  assertEquals(
    text,
    '[registry]\nglobal-credential-providers = ["cargo:token", "C:\\\\a \\"b\\"\\\\é\\u007f"]\n',
  );
});

const ADDED: [name: string, before: string, after: string][] = [
  ["an empty list", "[]", '["T"]'],
  ["a list", "['a', \"b\"]", '[\'a\', "b", "T"]'],
  ["a list with a last comma", "['a' , ]", "['a', \"T\" , ]"],
  ["a list of lines", "[\n  'a',\n  'b'\n]", "[\n  'a',\n  'b',\n  \"T\"\n]"],
  [
    "a list of lines with commas and comments",
    "[\n\t'a', # one\n\t# two\n\t'b', # three\n\t# four\n]",
    "[\n\t'a', # one\n\t# two\n\t'b', # three\n\t\"T\",\n\t# four\n]",
  ],
  [
    "a list whose last line has a comment and no comma",
    "[\n  'a', 'b' # [x, y]\n]",
    "[\n  'a', 'b', # [x, y]\n  \"T\"\n]",
  ],
  [
    "a list that ends on its last item's line",
    "['a',\n 'b']",
    "['a',\n 'b', \"T\"]",
  ],
];

for (const newline of ["\n", "\r\n"]) {
  for (const [name, before, after] of ADDED) {
    const label = newline === "\n" ? "LF" : "CRLF";
    Deno.test(`editToml() adds to ${name}, ${label}, and takes it out`, () => {
      for (const behind of [" # c\nx = 1\n", "\n", ""]) {
        const around = (list: string): string =>
          `[registry]\nglobal-credential-providers = ${list}${behind}`
            .replaceAll("\n", newline);
        assertEquals(add(around(before)), around(after));
        assertEquals(removeItem(around(after)), around(before));
      }
    });
  }
}

const TAKEN: [name: string, before: string, after: string][] = [
  ["the first", "['T', 'b']", "['b']"],
  ["one in the middle", "['a', 'T', 'b']", "['a', 'b']"],
  ["the only one with its comma", "['T', ]", "[ ]"],
  ["the last of two equal ones", "['T', 'a', 'T']", "['T', 'a']"],
  [
    "one on a line of its own",
    "[\n  'a',\n  'T',\n  'b',\n]",
    "[\n  'a',\n  'b',\n]",
  ],
  [
    "one with the comment behind it",
    "[\n  'a', # one\n  'T' # tool, mine\n]",
    "[\n  'a' # one\n]",
  ],
  ["one in three quotes", "['a', '''T''']", "['a']"],
];

for (const [name, before, after] of TAKEN) {
  Deno.test(`editToml() takes ${name} out of a list`, () => {
    const around = (list: string): string =>
      `registry.global-credential-providers = ${list}\n`;
    const outcome = removeItem(around(before));
    if (name.startsWith("the only")) {
      assertEquals(parse(outcome), parse(around("[]")));
    } else assertEquals(outcome, around(after));
  });
}

Deno.test("editToml() takes a key out with its lines", () => {
  const remove = (text: string, ...path: string[]): string =>
    edited(text, { kind: "remove", path });
  assertEquals(
    remove("# k\n[a]\nb = 1 # c\nx = 2\n", "a", "b"),
    "# k\n[a]\nx = 2\n",
  );
  assertEquals(remove("[a] # k\nb = 1\n", "a", "b"), "[a] # k\n");
  assertEquals(remove("[a]\n\nb = 1\n", "a", "b"), "[a]\n\n");
  assertEquals(remove("a.b = { x = 1 }\n", "a", "b"), "");
  assertEquals(remove("a = { b = 1, c = 2 }\n", "a", "b"), "a = { c = 2 }\n");
  assertEquals(remove("x = 1\nb = 1", "b"), "x = 1");
});

Deno.test("editToml() says why it does nothing", () => {
  const rows: [text: string, edit: TomlEdit, refused: EditRefusal][] = [
    ["a = ", { kind: "set", path: ["b"], value: "" }, "malformed"],
    ["a = 1", { kind: "set", path: ["a", "b"], value: "" }, "no-place"],
    ["[[a]]", { kind: "set", path: ["a", "b"], value: "" }, "no-place"],
    ["a.b = {}", { kind: "set", path: ["a", "b"], value: "" }, "no-place"],
    ["[a]", { kind: "remove", path: ["a", "b"] }, "absent"],
    ["[a]", { kind: "remove", path: ["a"] }, "absent"],
    ["", { kind: "add-item", path: LIST, item: "" }, "absent"],
    ["a = 'x'", { kind: "add-item", path: ["a"], item: "" }, "not-a-list"],
    ["a = 'x'", { kind: "remove-item", path: ["a"], item: "x" }, "not-a-list"],
    ["a = ['x']", { kind: "remove-item", path: ["a"], item: "y" }, "absent"],
  ];
  for (const [text, edit, refused] of rows) {
    assertEquals(editToml(toml, text, edit), { refused }, text);
  }
});

/** White space, comments and line ends as people leave them. */
const gap = fc.constantFrom("", " ", "\t", "  ");
const comment = fc.constantFrom("", "# c", '# "T", [x] = {', "#");
const item = fc.constantFrom('"a"', "'b'", '"cargo:token"', "'''c'''", "[1]");

/** A list in any form. */
const list: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.array(item, { maxLength: 3 }), gap, gap, fc.boolean()).map(
    ([items, one, two, last]) =>
      `[${one}${items.join(`${two},${one}`)}${
        last && items.length > 0 ? `${two},` : ""
      }${two}]`,
  ),
  fc.tuple(
    fc.array(fc.tuple(item, comment, gap), { maxLength: 3 }),
    gap,
    fc.boolean(),
    comment,
  ).map(([items, indent, last, above]) => {
    const lines = items.map(([text, behind, space], i) =>
      `${indent}${text}${space}${
        last || i < items.length - 1 ? "," : ""
      }${space}${behind}`
    );
    return `[${above}\n${lines.map((line) => `${line}\n`).join("")}]`;
  }),
);

const value = fc.oneof(list, fc.constantFrom("1", "'x'", "'''\nm\n'''"));

interface Made {
  readonly text: string;
}

/** A file of cargo's configuration in any form. */
const configFile: fc.Arbitrary<Made> = fc.record({
  form: fc.constantFrom("header", "dotted", "braces", "empty", "none", "sub"),
  key: fc.constantFrom(
    "global-credential-providers",
    '"global-credential-providers"',
    "'default'",
  ),
  value,
  braced: fc.constantFrom("1", "'x'", "['a' , 'b']", "[ ]", "['a',]"),
  top: fc.constantFrom("", "# top\n", "paths = ['x']\n", "\n", "net.git = 1\n"),
  between: fc.constantFrom("", "\n", "# between\n", "\n\n"),
  after: fc.constantFrom("", "[net]\nx = 1\n", "[[x]]\ny = 1\n\n[[x]]\n", "\n"),
  behind: comment,
  spaces: gap,
  newline: fc.constantFrom("\n", "\r\n"),
  bom: fc.boolean(),
  cut: fc.boolean(),
}).map((made) => {
  const { form, key, spaces: s, behind } = made;
  const line = `${key}${s}=${s}${made.value}${s}${behind}\n`;
  const dotted = `registry${s}.${s}${line}`;
  const top = made.top + (form === "dotted" ? dotted : "") +
    (form === "braces"
      ? `registry = {${s}${key} = ${made.braced}${s}}${s}${behind}\n`
      : form === "empty"
      ? `registry = {${s}}\n`
      : "");
  const body = form === "header"
    ? `${s}[${s}registry${s}]${behind}\n${made.between}${line}`
    : form === "sub"
    ? `[registry]\n${made.between}[registry.sub]\n`
    : "";
  const whole = `${top}${made.between}${body}${made.between}${made.after}`;
  const text = (made.cut ? whole.replace(/\n$/, "") : whole)
    .replaceAll("\n", made.newline);
  return { text: (made.bom ? "\ufeff" : "") + text };
});

/** Something to put in, and how it is taken out. */
const roundTrip: fc.Arbitrary<readonly [TomlEdit, TomlEdit]> = fc.oneof(
  fc.constantFrom(
    [
      { kind: "add-item", path: LIST, item: "T" },
      { kind: "remove-item", path: LIST, item: "T" },
    ] as const,
  ),
  fc.tuple(
    fc.constantFrom(
      LIST,
      ["registry", "credential-provider"],
      ["registry", "sub", "x y"],
      ["registry", "new", "x"],
      ["credential-alias", "kr"],
      ["top"],
    ),
    fc.constantFrom("v", ["cargo:token", "/a b/T"], []),
  ).map(([path, value]): readonly [TomlEdit, TomlEdit] => [
    { kind: "set", path, value },
    { kind: "remove", path },
  ]),
);

function hasKey(text: string, path: readonly string[]): boolean {
  const { entries } = toml.locate(text);
  return entries.some((entry) => entry.path.join("\n") === path.join("\n"));
}

function isToml(text: string): boolean {
  try {
    toml.locate(text);
    return true;
  } catch {
    return false;
  }
}

Deno.test("editToml() takes out what it put in, to the byte", () => {
  const done = new Map<string, number>();
  fc.assert(
    fc.property(
      configFile.filter(({ text }) => isToml(text)),
      fc.array(roundTrip, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      ({ text }, trips, inOrder) => {
        const texts = [text];
        const undo: TomlEdit[] = [];
        for (const [put, take] of trips) {
          const now = texts.at(-1) ?? "";
          if (put.kind === "set" && hasKey(now, put.path)) continue;
          if (inOrder && undo.some(({ path }) => path === put.path)) continue;
          const outcome = editToml(toml, now, put);
          if ("refused" in outcome) {
            assert(outcome.refused !== "malformed");
            const kind = `${put.kind} ${outcome.refused}`;
            done.set(kind, (done.get(kind) ?? 0) + 1);
            continue;
          }
          done.set(put.kind, (done.get(put.kind) ?? 0) + 1);
          texts.push(outcome.text);
          undo.push(take);
        }
        if (!inOrder) undo.reverse();
        let now = texts.at(-1) ?? "";
        for (const [i, take] of undo.entries()) {
          now = edited(now, take);
          if (!inOrder) assertEquals(now, texts.at(-2 - i));
        }
        if (!inOrder) assertEquals(now, text);
        else assertEquals(flat(toml.values(now)), flat(toml.values(text)));
      },
    ),
    { seed: 3981, numRuns: 3000 },
  );
  assert((done.get("set") ?? 0) > 1000, "hardly a key was set");
  assert((done.get("add-item") ?? 0) > 200, "hardly an item was added");
  // Every form of the corpus has a place.
  assertEquals(done.get("set no-place"), undefined);
  assertEquals(done.get("add-item no-place"), undefined);
});

Deno.test("editToml() changes what it says and nothing else, by another parser", () => {
  fc.assert(
    fc.property(
      configFile.filter(({ text }) => isToml(text)),
      roundTrip,
      ({ text }, [put]) => {
        const outcome = editToml(toml, text, put);
        if ("refused" in outcome) return;
        const before = flat(parse(text.replace(/^\ufeff/, "")));
        const after = flat(parse(outcome.text.replace(/^\ufeff/, "")));
        const key = JSON.stringify(put.path);
        assert(after.has(key));
        before.delete(key);
        after.delete(key);
        assertEquals([...after].sort(), [...before].sort());
        // Comments and line ends: what was there is still there, in order.
        assert(
          put.kind === "set" && hasKey(text, put.path) ||
            isSubsequence(text, outcome.text),
        );
      },
    ),
    { seed: 14, numRuns: 2000 },
  );
});

/** Every value by its path. */
function flat(value: unknown, path: string[] = []): Map<string, string> {
  if (
    typeof value !== "object" || value === null || Array.isArray(value) ||
    value instanceof Date
  ) return new Map([[JSON.stringify(path), JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [
      ...flat(inner, [...path, key]),
    ]),
  );
}

function isSubsequence(short: string, long: string): boolean {
  let at = 0;
  for (const character of long) {
    if (character === short[at]) at += 1;
  }
  return at === short.length;
}
