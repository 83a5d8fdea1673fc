import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { loadTomlParser } from "../../src/toml/document.ts";
import { readSimpleToml } from "../../src/toml/simple.ts";

const parser = await loadTomlParser();

/** What lines are made of: names and values that meet, and what is not simple. */
const NAME = fc.constantFrom(
  ...["a", "b", "registry", "registries", "my-reg", "1", "__proto__"],
  ...["toString", '"q"', "a.b", "é", ""],
);
const VALUE = fc.oneof(
  { arbitrary: fc.constantFrom('"x"', "'x'", "[]", "true", "12"), weight: 3 },
  fc.constantFrom(
    ...['"a\\tb"', '"""x"""', "'''x'''", '""', "''", "{ a = 1 }", "0x10"],
    ...[
      "1.5",
      "-1",
      "+1",
      "007",
      "1_000",
      "nan",
      "1979-05-27",
      "999999999999999",
    ],
    ...[
      '["a", "b"]',
      "['a',]",
      "[ 'a' , \"#\" ]",
      "['a' 'b']",
      "[1]",
      "[['a']]",
    ],
    ...[
      '"#"',
      '"é\u{1f980}"',
      '"\t"',
      '"\x01"',
      '"x" y',
      "",
      "tru",
      "9007199254740993",
    ],
  ),
);
const SPACE = fc.constantFrom("", " ", "\t", " ".repeat(50), "\u00a0");
const END = fc.constantFrom("\n", "\r\n", "\r", "", " # comment\n", "#\x01\n");
const LINE = fc.oneof(
  fc.tuple(SPACE, NAME, SPACE, VALUE, SPACE, END).map(
    ([before, name, space, value, after, end]) =>
      `${before}${name}${space}=${space}${value}${after}${end}`,
  ),
  fc.tuple(SPACE, fc.array(NAME, { minLength: 1, maxLength: 3 }), SPACE, END)
    .map(
      ([before, names, after, end]) =>
        `${before}[${names.join(".")}]${after}${end}`,
    ),
  fc.constantFrom("\n", "# comment\n", "[[a]]\n", "\ufeff", "[ a ]\n", "x\n"),
);
const SIMPLE = fc.tuple(
  fc.constantFrom("a", "b", "c", "registry"),
  fc.constantFrom('"x"', "'y'", "[]", "['a', 'b']", "false", "0"),
).map(([name, value]) => `${name} = ${value}\n`);
const HEADER = fc.constantFrom("[a]\n", "[b]\n", "[a.b]\n", "[registry]\n");
const DOCUMENT = fc.tuple(
  fc.constantFrom("", "", "\ufeff"),
  fc.oneof(
    fc.array(LINE, { maxLength: 6 }),
    fc.array(fc.oneof(SIMPLE, HEADER), { maxLength: 8 }),
  ),
).map(([mark, lines]) => mark + lines.join(""));

Deno.test("readSimpleToml() reads what the parser reads, or nothing", () => {
  let read = 0;
  fc.assert(
    fc.property(DOCUMENT, (text) => {
      const values = readSimpleToml(text);
      if (values === undefined) return;
      read++;
      assertEquals(values, parser.values(text));
    }),
    { numRuns: 20_000, seed: 14 },
  );
  assert(read > 4_000, `only ${read} were read`);
});

Deno.test("readSimpleToml() reads ordinary configuration", () => {
  const text = `# mine
[registry]
default = "alt" # the company's
global-credential-providers = ["cargo:token", 'keyring']

[registries.alt]
index = "sparse+https://alt.example/index/"

[net]
git-fetch-with-cli = true
retry = 3
`;
  assertEquals(readSimpleToml(text), parser.values(text));
  assert(readSimpleToml(text) !== undefined);
});

Deno.test("readSimpleToml() takes no long time for any text", () => {
  const long = 100_000;
  for (
    const text of [
      " ".repeat(long),
      `a = ["b",${" ".repeat(long)}`,
      `a = [${'"b",'.repeat(long)}`,
      `a${" ".repeat(long)}`,
      `a = "${"b".repeat(long)}`,
      `a = ${"'b' ".repeat(long)}`,
      `[${"a.".repeat(long)}`,
      `#${"#".repeat(long)}\x01`,
    ]
  ) assertEquals(readSimpleToml(text), undefined);
});
