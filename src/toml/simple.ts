import type { TomlValue, TomlValues } from "./document.ts";

/** Bounded: two in a row would otherwise take the square of their length. */
const SPACE = "[ \\t]{0,40}";

/** A string in quotes of one kind, without escapes. */
const STRING = String.raw`"[^"\\\x00-\x08\x0a-\x1f\x7f]*"(?!")|` +
  String.raw`'[^'\x00-\x08\x0a-\x1f\x7f]*'(?!')`;

/** An empty line, a header, or a key and its value; each with a comment. */
const LINE = new RegExp(
  `${SPACE}(?:` +
    String.raw`\[([\w-]+(?:\.[\w-]+)*)\]|` +
    `([\\w-]+)${SPACE}=${SPACE}(?:` +
    String.raw`(true|false)|(0|[1-9]\d{0,14})|` +
    `(${STRING})|` +
    `\\[${SPACE}((?:(?:${STRING})${SPACE},${SPACE})*(?:${STRING})?)${SPACE}\\]` +
    `))?${SPACE}` +
    String.raw`(?:#[^\x00-\x08\x0a-\x1f\x7f]*)?(?:\r?\n|$)`,
  "y",
);

const STRINGS = new RegExp(STRING, "g");

/**
 * Reads the TOML that people and programs mostly write: headers, keys without
 * dots and quotes, each value on one line. The parser takes five milliseconds
 * to load.
 * Returns what the parser makes of it; `undefined` if that is not certain.
 */
export function readSimpleToml(text: string): TomlValues | undefined {
  const root: Record<string, TomlValue> = {};
  const headers = new Set<string>();
  let table = root;
  LINE.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
  while (LINE.lastIndex < text.length) {
    const match = LINE.exec(text);
    if (match === null) return undefined;
    const [, header, key] = match;
    if (header !== undefined) {
      if (headers.has(header)) return undefined;
      headers.add(header);
      const found = tableAt(root, header.split("."));
      if (found === undefined) return undefined;
      table = found;
    } else if (key !== undefined) {
      // Twice, or `__proto__`, which is no ordinary key.
      if (key in table) return undefined;
      table[key] = valueOf(match);
    }
  }
  return root;
}

/** Tells a table from every other value. */
export function isTable(value: TomlValue | undefined): value is TomlValues {
  return typeof value === "object" && !Array.isArray(value) &&
    !(value instanceof Date);
}

/** The table of a header, made where it is missing. */
function tableAt(
  root: Record<string, TomlValue>,
  path: readonly string[],
): Record<string, TomlValue> | undefined {
  let table = root;
  for (const name of path) {
    if (!Object.hasOwn(table, name)) {
      if (name in table) return undefined;
      table[name] = {};
    }
    const next = table[name];
    if (!isTable(next)) return undefined;
    table = next as Record<string, TomlValue>;
  }
  return table;
}

function valueOf(match: readonly (string | undefined)[]): TomlValue {
  const [, , , boolean, integer, string, strings] = match;
  if (boolean !== undefined) return boolean === "true";
  if (integer !== undefined) return Number(integer);
  if (string !== undefined) return string.slice(1, -1);
  return [...(strings ?? "").matchAll(STRINGS)].map(([text]) =>
    text.slice(1, -1)
  );
}
