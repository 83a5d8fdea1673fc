import fc from "fast-check";
import { applyStep, type WriteStep } from "../../src/credentials/write_plan.ts";

/** One key of a generated file. */
interface GeneratedKey {
  readonly table: readonly [string] | readonly [string, string];
  readonly key: string;
  /** How the value is written. */
  readonly value: string;
}

/** How the keys of one table are written. */
type Form = "header" | "dotted" | "inline";

interface GeneratedTable {
  readonly table: readonly [string] | readonly [string, string];
  readonly form: Form;
  readonly quoted: "bare" | "basic" | "literal";
  readonly keys: readonly GeneratedKey[];
  readonly comment: string;
  readonly spaces: string;
}

/** A generated credentials file. */
export interface GeneratedFile {
  readonly text: string;
}

const NAMES = [
  "alt",
  "my-reg",
  "my_reg",
  "a b",
  "registry",
  "t\u00e9st",
  "x.y",
];
const COMMENTS = [
  "",
  "# plain",
  '# token = "not-a-token"',
  "# \u00e9\u00e8 and \ud83e\udd80",
  "#",
];

/** Characters that a token may hold, some of which need an escape. */
const tokenText: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(..."abcXYZ019-_ .#=\"'\\[]{},\t"),
  minLength: 1,
  maxLength: 60,
});

const valueText: fc.Arbitrary<string> = fc.oneof(
  tokenText.map((text) => JSON.stringify(text)),
  tokenText.filter((text) => !text.includes("'")).map((text) => `'${text}'`),
  tokenText.filter((text) => !text.includes("'"))
    .map((text) => `'''\n${text}\n${text}'''`),
  tokenText.map((text) =>
    `"""\n${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')} \\\n  end"""`
  ),
  fc.constant('"\\u0041bc\\t"'),
);

const singleLine: fc.Arbitrary<string> = valueText.filter((text) =>
  !text.includes("\n")
);

function tableArbitrary(
  table: readonly [string] | readonly [string, string],
): fc.Arbitrary<GeneratedTable> {
  return fc.record({
    form: fc.constantFrom<Form>("header", "dotted", "inline"),
    quoted: fc.constantFrom(
      "bare" as const,
      "basic" as const,
      "literal" as const,
    ),
    comment: fc.constantFrom(...COMMENTS),
    spaces: fc.constantFrom("", " ", "  ", "\t"),
    keys: fc.subarray(["token", "secret-key", "secret-key-subject", "note"])
      .chain((keys) =>
        fc.tuple(
          ...keys.map((key) =>
            fc.oneof(singleLine, valueText).map((value) => ({
              table,
              key,
              value,
            }))
          ),
        )
      ),
  }).map((made) => ({ ...made, table }));
}

function quote(key: string, how: GeneratedTable["quoted"]): string {
  if (how === "literal") return `'${key}'`;
  return how === "bare" && /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}

/** Dotted keys must stand above the first header. */
function write(
  tables: readonly GeneratedTable[],
  legacy: string | undefined,
  newline: string,
  bom: boolean,
  finalNewline: boolean,
): string {
  const top: string[] = [];
  const below: string[] = [];
  if (legacy !== undefined) top.push(`token = ${legacy}`);
  for (const { table, form, quoted, keys, comment, spaces } of tables) {
    const path = table.map((part) => quote(part, quoted)).join(`${spaces}.`);
    const members = keys.map(({ key, value }) =>
      [quote(key, quoted), value] as const
    );
    switch (form) {
      case "header":
        below.push(comment, `${spaces}[${path}]${spaces}${comment}`);
        for (const [key, value] of members) {
          below.push(
            `${spaces}${key}${spaces}=${spaces}${value}${spaces}${comment}`,
          );
        }
        below.push("");
        break;
      case "dotted":
        for (const [key, value] of members) {
          top.push(comment, `${path}.${key} = ${value} ${comment}`);
        }
        break;
      case "inline": {
        const inside = members
          .filter(([, value]) => !value.includes("\n"))
          .map(([key, value]) => `${key}${spaces}=${spaces}${value}`)
          .join(`${spaces},${spaces}`);
        top.push(`${path} = {${spaces}${inside}${spaces}} ${comment}`);
        break;
      }
    }
  }
  const text = [...top, ...below].join("\n") + (finalNewline ? "\n" : "");
  return (bom ? "\ufeff" : "") + text.replaceAll("\n", newline);
}

/** Credentials files in all the forms that TOML has. */
export const credentialsFile: fc.Arbitrary<GeneratedFile> = fc.record({
  tables: fc.shuffledSubarray([
    ["registry"] as const,
    ...NAMES.map((name) => ["registries", name] as const),
  ]).chain((tables) => fc.tuple(...tables.map(tableArbitrary))),
  legacy: fc.option(singleLine, { nil: undefined }),
  newline: fc.constantFrom("\n", "\r\n"),
  bom: fc.boolean(),
  finalNewline: fc.boolean(),
  padding: fc.nat(4200),
  padded: fc.boolean(),
}).map((made) => {
  const text = write(
    made.tables,
    made.legacy,
    made.newline,
    made.bom,
    made.finalNewline,
  );
  // A long comment moves everything towards a page's end.
  if (!made.padded) return { text };
  const at = text.startsWith("\ufeff") ? 1 : 0;
  const padding = `#${"x".repeat(made.padding)}${made.newline}`;
  return { text: text.slice(0, at) + padding + text.slice(at) };
});

/** A token as cargo takes one. */
export const validToken: fc.Arbitrary<string> = tokenText;

/**
 * Every content that a file may be left with if a kill comes at the worst
 * time: after each system call, and after each page of one.
 */
export function statesOf(
  text: string,
  steps: readonly WriteStep[],
  pageBytes = 4096,
): string[] {
  let bytes: Uint8Array = new TextEncoder().encode(text);
  const states = [text];
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (const step of steps) {
    if (step.kind === "write") {
      for (
        let cut = pageBytes - step.offset % pageBytes;
        cut < step.bytes.length;
        cut += pageBytes
      ) {
        const part = { ...step, bytes: step.bytes.slice(0, cut) };
        states.push(decoder.decode(applyStep(bytes, part)));
      }
    }
    bytes = applyStep(bytes, step);
    states.push(decoder.decode(bytes));
  }
  return states;
}

/** What the last of the states holds. */
export function resultOf(text: string, steps: readonly WriteStep[]): string {
  return statesOf(text, steps).at(-1) ?? text;
}
