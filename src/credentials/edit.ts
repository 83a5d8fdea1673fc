import type { CredentialsTable } from "./file.ts";
import type {
  TextRange,
  TomlDocument,
  TomlEntry,
  TomlInlineTable,
  TomlTable,
} from "../toml/document.ts";

/** A piece of a text, and what comes in its place. */
export interface TextEdit extends TextRange {
  /** What comes there. */
  readonly replacement: string;
}

/** Two ways to take a key out of a text. */
export interface Removal {
  /**
   * What goes for good: the lines of the key with the comment behind it, or in
   * an inline table the key with one comma. In order, not overlapping.
   */
  readonly cuts: readonly TextRange[];
  /** What must turn into white space if the rest of the text may not move. */
  readonly blanks: readonly TextRange[];
}

/**
 * Works out how to take a key out of a document. Every byte that is not the
 * key's stays: comments above it, blank lines, an emptied header.
 *
 * @param document The document.
 * @param entry One of its entries, not in an array.
 * @returns What goes.
 */
export function removalEdits(
  document: TomlDocument,
  entry: TomlEntry,
): Removal {
  const { text } = document;
  const { container, start, end } = entry;
  if (container.kind === "inline") {
    const cuts = inlineCuts(text, container, entry);
    return { cuts, blanks: cuts };
  }
  const lineStart = Math.max(
    text.lastIndexOf("\n", start - 1) + 1,
    text.startsWith("\ufeff") ? 1 : 0,
  );
  const newline = text.indexOf("\n", end);
  const lineEnd = newline === -1 ? text.length : newline + 1;
  return {
    cuts: [{ start: lineStart, end: lineEnd }],
    blanks: [{ start, end }],
  };
}

/**
 * Applies edits to a text.
 *
 * @param text The text.
 * @param edits The edits, in order, not overlapping.
 * @returns The new text.
 */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = "";
  let at = 0;
  for (const { start, end, replacement } of edits) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}

/**
 * Works out the places where a token can be put into a document, the best one
 * first: into the registry's table where there is one, else in a new table at
 * the end. Not every one need give a valid document: that is for the parser to
 * say.
 *
 * @param document The credentials file.
 * @param table The registry's table; it holds no token.
 * @param token The token.
 * @returns Lists of edits, each a way of its own.
 */
export function insertionEdits(
  document: TomlDocument,
  table: CredentialsTable,
  token: string,
): TextEdit[][] {
  const assignment = `token = ${quote(token)}`;
  const atEnd = appendTable(document, table, assignment);
  const inline = document.inlineTables.find(({ path }) =>
    samePath(path, table)
  );
  if (inline !== undefined) {
    return [[intoInlineTable(document.text, inline, assignment)]];
  }
  const header = document.tables.find((candidate) =>
    candidate.kind === "standard" && samePath(candidate.path, table)
  );
  if (header !== undefined) {
    return [
      [underHeader(document, header, assignment)],
      ...onBlankLines(document.text, header, assignment),
      ...moveEmptyHeader(document, header, atEnd),
    ];
  }
  const outer = document.inlineTables.find(({ path }) =>
    samePath(path, table.slice(0, 1))
  );
  const [, name] = table;
  if (outer !== undefined && name !== undefined) {
    const member = `${quoteKey(name)} = { ${assignment} }`;
    return [[intoInlineTable(document.text, outer, member)]];
  }
  const sibling = document.entries.findLast(({ path, container }) =>
    container.kind !== "inline" && path.length > table.length &&
    samePath(path.slice(0, table.length), table)
  );
  const besides = sibling === undefined
    ? []
    : [[afterDottedSibling(document.text, sibling, table, assignment)]];
  return [...besides, [atEnd]];
}

/** The cuts for a key in braces: the key, one comma, and no comment. */
function inlineCuts(
  text: string,
  table: TomlInlineTable,
  entry: TextRange,
): TextRange[] {
  const { members } = table;
  // A dotted key's entry is its member; nested tables have their own.
  const index = members.findIndex(({ start }) => start === entry.start);
  const previous = members[index - 1];
  const next = members[index + 1];
  if (next !== undefined) {
    const gap = text.slice(entry.end, next.start);
    if (/^[ \t]*,[ \t]*$/.test(gap)) {
      return [{ start: entry.start, end: next.start }];
    }
    return [entry, commaIn(text, entry.end, next.start)].map(plainRange);
  }
  if (previous !== undefined) {
    const gap = text.slice(previous.end, entry.start);
    if (/^[ \t]*,[ \t]*$/.test(gap)) {
      return [{ start: previous.end, end: entry.end }];
    }
    return [commaIn(text, previous.end, entry.start), entry].map(plainRange);
  }
  const trailing = commaIn(text, entry.end, table.end - 1);
  const space = /^[ \t]*/.exec(text.slice(entry.end))?.[0].length ?? 0;
  const own = { start: entry.start, end: entry.end + space };
  if (trailing.start === trailing.end) return [own];
  return trailing.start === own.end
    ? [{ start: own.start, end: trailing.end }]
    : [own, trailing];
}

function plainRange({ start, end }: TextRange): TextRange {
  return { start, end };
}

/** The comma between two places that hold only space and comments besides. */
function commaIn(text: string, from: number, to: number): TextRange {
  for (let at = from; at < to; at++) {
    if (text[at] === ",") return { start: at, end: at + 1 };
    if (text[at] === "#") at = text.indexOf("\n", at);
  }
  return { start: to, end: to };
}

/** `token = …` as the last key under a header. */
function underHeader(
  document: TomlDocument,
  table: TomlTable,
  assignment: string,
): TextEdit {
  const { text } = document;
  const last = document.entries.findLast(({ start, container }) =>
    container.kind === "inline"
      ? start > table.header.end && start < table.end
      : container === table
  );
  const lastEnd = Math.max(
    table.header.end,
    last?.end ?? 0,
    ...document.inlineTables
      .filter(({ start }) => start > table.header.end && start < table.end)
      .map(({ end }) => end),
  );
  return newLineAfter(text, lastEnd, assignment);
}

/** A line below the one that a place is on. */
function newLineAfter(text: string, place: number, line: string): TextEdit {
  const newline = newlineOf(text);
  const lineEnd = text.indexOf("\n", place);
  if (lineEnd === -1) {
    const at = text.length;
    return { start: at, end: at, replacement: newline + line + newline };
  }
  const at = lineEnd + 1;
  return { start: at, end: at, replacement: line + newline };
}

/** In place of the spaces that an earlier removal has left. */
function onBlankLines(
  text: string,
  table: TomlTable,
  assignment: string,
): TextEdit[][] {
  const body = text.slice(table.header.end, table.end);
  return [...body.matchAll(/^ +(?=\r?$)/gm)].flatMap(({ 0: blank, index }) => {
    if (blank.length < assignment.length) return [];
    const start = table.header.end + index;
    const end = start + blank.length;
    // The first line of the body is the rest of the header's.
    if (index === 0) return [];
    const replacement = assignment.padEnd(blank.length);
    return [[{ start, end, replacement }]];
  });
}

/**
 * For a table without a key, as a removal leaves it: the header goes, and the
 * table comes again at the end. Its first byte makes a comment of it, so each
 * step can be made alone.
 */
function moveEmptyHeader(
  document: TomlDocument,
  table: TomlTable,
  atEnd: TextEdit,
): TextEdit[][] {
  const { header } = table;
  const path = JSON.stringify(table.path.slice(0, table.path.length));
  const isEmpty = ![
    ...document.entries,
    ...document.inlineTables,
    ...document.tables.filter((other) => other !== table),
  ].some((thing) =>
    JSON.stringify(thing.path.slice(0, table.path.length)) === path
  );
  if (!isEmpty || header.end > atEnd.start) return [];
  const length = header.end - header.start;
  return [[{ ...header, replacement: " ".repeat(length) }, atEnd]];
}

/** `registries.NAME.token` below another dotted key of the same table. */
function afterDottedSibling(
  text: string,
  sibling: TomlEntry,
  table: CredentialsTable,
  assignment: string,
): TextEdit {
  // Of the table's own path, what the header above has not said already.
  const inHeader = sibling.path.length - sibling.keyParts.length;
  const last = sibling.keyParts[table.length - inHeader - 1];
  const prefix = text.slice(sibling.key.start, last?.end ?? sibling.key.start);
  return newLineAfter(text, sibling.end, `${prefix}.${assignment}`);
}

function intoInlineTable(
  text: string,
  table: TomlInlineTable,
  member: string,
): TextEdit {
  const last = table.members.at(-1);
  if (last === undefined) {
    const { start, end } = table;
    const inside = text.slice(start + 1, end - 1);
    return /^[ \t]*$/.test(inside)
      ? { start, end, replacement: `{ ${member} }` }
      : { start: start + 1, end: start + 1, replacement: ` ${member} ` };
  }
  const at = last.end;
  return { start: at, end: at, replacement: `, ${member}` };
}

function appendTable(
  document: TomlDocument,
  table: CredentialsTable,
  assignment: string,
): TextEdit {
  const { text } = document;
  const newline = newlineOf(text);
  const at = text.length;
  const isEmpty = text === "" || text === "\ufeff";
  const gap = isEmpty ? "" : text.endsWith("\n") ? newline : newline + newline;
  const header = `[${table.map(quoteKey).join(".")}]`;
  const replacement = gap + header + newline + assignment + newline;
  return { start: at, end: at, replacement };
}

function newlineOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quote(key);
}

/** A basic string: every escape of JSON is one of TOML's. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}

function samePath(
  one: readonly (string | number)[],
  other: readonly (string | number)[],
): boolean {
  return one.length === other.length &&
    one.every((part, i) => part === other[i]);
}
