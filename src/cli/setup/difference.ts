import type { TomlParser } from "../../toml/document.ts";
import { TomlSyntaxError } from "../../toml/document.ts";

/** Keys whose values nobody shows. */
const SECRET_KEYS: ReadonlySet<string> = new Set(["token", "secret-key"]);

/** A line that goes, or one that comes. */
export interface ChangedLine {
  readonly sign: "-" | "+";
  readonly text: string;
}

/**
 * The lines by which two versions of a TOML file differ, one block: an edit
 * touches few of them. Tokens that stand in them are not shown.
 */
export function difference(
  toml: TomlParser,
  before: string,
  after: string,
): ChangedLine[] {
  const old = linesOf(withoutSecrets(toml, before));
  const now = linesOf(withoutSecrets(toml, after));
  let start = 0;
  while (
    start < old.length && start < now.length && old[start] === now[start]
  ) {
    start++;
  }
  let end = 0;
  while (
    end < old.length - start && end < now.length - start &&
    old.at(-1 - end) === now.at(-1 - end)
  ) end++;
  const changed = (sign: "-" | "+", lines: readonly string[]): ChangedLine[] =>
    lines.slice(start, lines.length - end).map((text) => ({ sign, text }));
  return [...changed("-", old), ...changed("+", now)];
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function withoutSecrets(toml: TomlParser, text: string): string {
  try {
    let result = text;
    for (const { path, value } of toml.locate(text).entries.toReversed()) {
      if (!SECRET_KEYS.has(String(path.at(-1)))) continue;
      result = result.slice(0, value.start) + '"[redacted]"' +
        result.slice(value.end);
    }
    return result;
  } catch (error) {
    if (error instanceof TomlSyntaxError) return "";
    throw error;
  }
}
