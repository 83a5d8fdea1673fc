import {
  ifToml,
  type TextRange,
  type TomlDocument,
  type TomlEntry,
  type TomlInlineTable,
  type TomlParser,
  type TomlTable,
  type TomlValue,
} from "./document.ts";
import { isTable } from "./simple.ts";

/** A piece of a text, and what comes in its place. */
export interface TextEdit extends TextRange {
  /** What comes there. */
  readonly replacement: string;
}

/** What {@linkcode editToml} can do. A path is that of a key, from the root. */
export type TomlEdit =
  | {
    /** Gives a key a value, whether it has one or not. */
    readonly kind: "set";
    readonly path: readonly string[];
    readonly value: string | readonly string[];
  }
  | {
    /** Takes a key out, and a header that {@linkcode editToml} wrote for it. */
    readonly kind: "remove";
    readonly path: readonly string[];
  }
  | {
    /** Puts a string last into a list that is there. */
    readonly kind: "add-item";
    readonly path: readonly string[];
    readonly item: string;
  }
  | {
    /** Takes a string out of a list: the last one, if it is there twice. */
    readonly kind: "remove-item";
    readonly path: readonly string[];
    readonly item: string;
  };

/** Why {@linkcode editToml} changes nothing. */
export type EditRefusal =
  /** The text is no TOML. */
  | "malformed"
  /** There is no such key, or no such item in its list. */
  | "absent"
  /** The key's value is not a list: a string is not made one. */
  | "not-a-list"
  /** What is written there already leaves the key no place. */
  | "no-place";

/** What {@linkcode editToml} answers. */
export type EditedToml =
  | { readonly text: string }
  | { readonly refused: EditRefusal };

/**
 * Edits a TOML document: one key or one item, and every other byte stays. The
 * parser has the last word: in the result exactly the wanted value differs.
 *
 * What `set` put in where there was no key, and `add-item`, goes without a
 * trace by `remove` and `remove-item`: the bytes are the ones from before.
 * Several edits go so from the last one to the first.
 */
export function editToml(
  toml: TomlParser,
  text: string,
  edit: TomlEdit,
): EditedToml {
  const before = ifToml(() => toml.values(text));
  if (before === undefined) return { refused: "malformed" };
  const document = toml.locate(text);
  const edits = textEdits(document, edit);
  if (typeof edits === "string") return { refused: edits };
  const wanted = withEdit(before, edit);
  for (const candidate of edits) {
    const result = applyEdits(text, candidate);
    const values = ifToml(() => toml.values(result));
    if (values === undefined || !sameValue(values, wanted)) continue;
    const isInverse = edit.kind !== "set" ||
      !wouldTakeHeader(toml.locate(result), edit.path, document);
    if (isInverse) return { text: result };
  }
  return { refused: "no-place" };
}

/** Ways to do an edit, the best one first. */
function textEdits(
  document: TomlDocument,
  edit: TomlEdit,
): readonly (readonly TextEdit[])[] | EditRefusal {
  const entry = document.entries.find(({ path }) => samePath(path, edit.path));
  if (edit.kind === "set") {
    const value = formatValue(edit.value);
    return entry === undefined
      ? placesFor(document, edit.path, value).flatMap(({ edit, indented }) =>
        indented === undefined ? [[edit]] : [[edit], [indented]]
      )
      : [[{ ...entry.value, replacement: value }]];
  }
  if (edit.kind === "remove") {
    const found = entry ?? inlineValue(document, edit.path);
    if (found === undefined) return "absent";
    const header = ownHeader(document, found);
    return [cutOut(header === undefined ? cutsOf(document, found) : [header])];
  }
  if (entry === undefined) return "absent";
  const { items } = entry;
  if (items === undefined) return "not-a-list";
  if (edit.kind === "add-item") {
    return [itemAdded(document.text, entry.value, items, quote(edit.item))];
  }
  const index = items.findLastIndex(({ string }) => string === edit.item);
  return index === -1
    ? "absent"
    : [cutOut(itemCuts(document.text, entry.value, items, index))];
}

/** A key with its value. */
type Member = Pick<TomlEntry, "start" | "end" | "container">;

/** A key whose value is a table in braces. */
function inlineValue(
  { inlineTables }: TomlDocument,
  path: readonly string[],
): Member | undefined {
  const table = inlineTables.find((each) => samePath(each.path, path));
  return table && { ...table, start: table.key.start };
}

/** A place where a key can be put that a document does not have. */
export interface KeyPlace {
  readonly edit: TextEdit;
  /** The header that it comes under. */
  readonly header?: TomlTable;
  /** The same, but not like a table that {@linkcode newTable} has written. */
  readonly indented?: TextEdit;
}

/**
 * The places for a key that a document does not have, the best one first: in
 * its table where there is one, else in a new table at the end. Not every one
 * need give a valid document: that is for the parser to say.
 */
export function placesFor(
  document: TomlDocument,
  path: readonly string[],
  value: string,
): KeyPlace[] {
  const { text, entries, inlineTables, tables } = document;
  const table = path.slice(0, -1);
  const key = (depth: number): string =>
    `${path.slice(depth).map(quoteKey).join(".")} = ${value}`;
  const braces = inlineTables.findLast((each) =>
    isUnder(table, each.path) &&
    !inlineTables.some((other) =>
      other.path.length > each.path.length && isUnder(table, other.path)
    )
  );
  if (braces !== undefined) {
    return [{ edit: intoBraces(text, braces, key(braces.path.length)) }];
  }
  if (table.length === 0) return [{ edit: intoRoot(document, key(0)) }];
  const header = tables.find((each) =>
    each.kind === "standard" && samePath(each.path, table)
  );
  const line = key(table.length);
  if (header !== undefined) {
    const place = lastOf(document, header);
    return [{
      header,
      edit: newLineAfter(text, place, line),
      indented: newLineAfter(text, place, ` ${line}`),
    }];
  }
  const sibling = [...entries, ...inlineTables]
    .filter((each) =>
      each.container.kind !== "inline" &&
      each.container.path.length < table.length &&
      each.path.length > table.length && isUnder(each.path, table)
    )
    .reduce<TomlEntry | TomlInlineTable | undefined>(
      (last, each) => last && last.end > each.end ? last : each,
      undefined,
    );
  const atEnd = { edit: newTable(document, table, line) };
  if (sibling === undefined) return [atEnd];
  // Of the table's own path, what the header above has not said already.
  const said = sibling.path.length - sibling.keyParts.length;
  const { start } = sibling.key;
  const prefixEnd = sibling.keyParts[table.length - said - 1]?.end ?? start;
  const dotted = `${text.slice(start, prefixEnd)}.${line}`;
  return [{ edit: newLineAfter(text, sibling.end, dotted) }, atEnd];
}

/** A table with one key, behind everything else and a blank line. */
export function newTable(
  { text }: TomlDocument,
  table: readonly string[],
  line: string,
): TextEdit {
  const newline = newlineOf(text);
  const header = `[${table.map(quoteKey).join(".")}]${newline}`;
  const [before, after] = text === "" || text === "\ufeff"
    ? ["", newline]
    : text.endsWith("\n")
    ? [newline, newline]
    // The last line keeps its end: none.
    : [newline + newline, ""];
  const replacement = before + header + line + after;
  return { start: text.length, end: text.length, replacement };
}

/** The end of what stands under a header: its last key, or itself. */
function lastOf(
  { entries, inlineTables }: TomlDocument,
  table: TomlTable,
): number {
  const ends = [...entries, ...inlineTables]
    .filter(({ start }) => start >= table.header.end && start < table.end)
    .map(({ end }) => end);
  return Math.max(table.header.end, ...ends);
}

/** Below the last key without a header, or above everything. */
function intoRoot(document: TomlDocument, line: string): TextEdit {
  const { text, tables: [root] } = document;
  const top = root?.start ?? 0;
  const last = root === undefined ? top : lastOf(document, root);
  if (last > top) return newLineAfter(text, last, line);
  const replacement = line + (text.length === top ? "" : newlineOf(text));
  return { start: top, end: top, replacement };
}

/** A line below the one that a place is on. */
function newLineAfter(text: string, place: number, line: string): TextEdit {
  const newline = newlineOf(text);
  const lineEnd = text.indexOf("\n", place);
  const at = lineEnd === -1 ? text.length : lineEnd + 1;
  const replacement = lineEnd === -1 ? newline + line : line + newline;
  return { start: at, end: at, replacement };
}

function intoBraces(
  text: string,
  { start, end, members }: TomlInlineTable,
  member: string,
): TextEdit {
  const last = members.at(-1);
  const at = last?.end ?? end - 1;
  if (last !== undefined) {
    return { start: at, end: at, replacement: `, ${member}` };
  }
  const replacement = text.slice(start + 1, at) === " " ? `${member} ` : member;
  return { start: at, end: at, replacement };
}

/**
 * What goes with a key: its lines with the comment behind it, or in braces the
 * key with one comma. Every byte that is not the key's stays: comments above
 * it, blank lines, an emptied header. In order, not overlapping.
 */
export function cutsOf(
  { text }: TomlDocument,
  { start, end, container }: Member,
): TextRange[] {
  if (container.kind === "inline") {
    const { members } = container;
    // A dotted key's entry is its member; nested tables have their own.
    const index = members.findIndex((member) => member.start === start);
    const edge = container.end - 1;
    return listCuts(text, members, index, edge);
  }
  const top = text.startsWith("\ufeff") ? 1 : 0;
  const lineStart = Math.max(text.lastIndexOf("\n", start - 1) + 1, top);
  const newline = text.indexOf("\n", end);
  if (newline !== -1) return [{ start: lineStart, end: newline + 1 }];
  // The line above becomes the last one, without an end as this one.
  const above = text.slice(0, lineStart).replace(/\r?\n$/, "").length;
  return [{ start: Math.max(above, top), end: text.length }];
}

/** One member of what commas part, with one comma and no comment. */
function listCuts(
  text: string,
  members: readonly TextRange[],
  index: number,
  close: number,
): TextRange[] {
  const own = members[index];
  if (own === undefined) return [];
  const { start, end } = own;
  const previous = members[index - 1];
  const next = members[index + 1];
  if (next !== undefined) {
    return /^[ \t]*,[ \t]*$/.test(text.slice(end, next.start))
      ? [{ start, end: next.start }]
      : [{ start, end }, commaIn(text, end, next.start)];
  }
  if (previous !== undefined) {
    return /^[ \t]*,[ \t]*$/.test(text.slice(previous.end, start))
      ? [{ start: previous.end, end }]
      : [commaIn(text, previous.end, start), { start, end }];
  }
  const comma = commaIn(text, end, close);
  const space = /^[ \t]*/.exec(text.slice(end, close))?.[0].length ?? 0;
  const spaced = { start, end: end + space };
  if (comma.start === comma.end) return [spaced];
  return comma.start === spaced.end
    ? [{ start, end: comma.end }]
    : [spaced, comma];
}

/** The comma between two places that hold only space and comments besides. */
function commaIn(text: string, from: number, to: number): TextRange {
  for (let at = from; at < to; at++) {
    if (text[at] === ",") return { start: at, end: at + 1 };
    if (text[at] === "#") at = text.indexOf("\n", at);
  }
  return { start: to, end: to };
}

/** Behind the last item of a list; on a line of its own where that has one. */
function itemAdded(
  text: string,
  { end }: TextRange,
  items: readonly TextRange[],
  item: string,
): TextEdit[] {
  const last = items.at(-1);
  if (last === undefined) {
    return [{ start: end - 1, end: end - 1, replacement: item }];
  }
  const lineEnd = text.indexOf("\n", last.end);
  if (lineEnd === -1 || lineEnd >= end) {
    return [{ start: last.end, end: last.end, replacement: `, ${item}` }];
  }
  const indent = indentOf(text, last.start);
  const comma = commaIn(text, last.end, lineEnd);
  const hasComma = comma.start < comma.end;
  const at = lineEnd + 1;
  const own = {
    start: at,
    end: at,
    replacement: `${indent}${item}${hasComma ? "," : ""}${newlineOf(text)}`,
  };
  const before = { start: last.end, end: last.end, replacement: "," };
  return hasComma ? [own] : [before, own];
}

/** The same the other way round, and any other item as a key in braces. */
function itemCuts(
  text: string,
  { end: close }: TextRange,
  items: readonly TextRange[],
  index: number,
): TextRange[] {
  const own = items[index];
  const previous = items[index - 1];
  const cuts = listCuts(text, items, index, close - 1);
  if (own === undefined || previous === undefined) return cuts;
  const lineStart = text.lastIndexOf("\n", own.start) + 1;
  const lineEnd = text.indexOf("\n", own.end) + 1;
  const isAlone = lineStart > previous.end && lineEnd > 0 && lineEnd < close &&
    text.slice(lineStart, own.start).trim() === "" &&
    /^[ \t]*,?[ \t]*(#.*)?\r?\n$/.test(text.slice(own.end, lineEnd));
  if (!isAlone) return cuts;
  const whole = { start: lineStart, end: lineEnd };
  const isLast = index === items.length - 1;
  const comma = commaIn(text, own.end, lineEnd);
  return isLast && comma.start === comma.end
    ? [commaIn(text, previous.end, own.start), whole]
    : [whole];
}

function indentOf(text: string, place: number): string {
  const lineStart = text.lastIndexOf("\n", place) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart, place))?.[0] ?? "";
}

/**
 * What goes with the only key of a table that looks as {@linkcode newTable}
 * writes it: the table, and what it put in front.
 */
function ownHeader(
  { text }: TomlDocument,
  { start, end, container }: Member,
): TextRange | undefined {
  if (container.kind !== "standard") return undefined;
  const header = `[${container.path.map(String).map(quoteKey).join(".")}]`;
  if (!/^\r?\n$/.test(text.slice(container.start + header.length, start))) {
    return undefined;
  }
  if (text.slice(container.start, container.header.end) !== header) {
    return undefined;
  }
  const rest = text.slice(end, container.end);
  if (rest.trim() !== "") return undefined;
  const before = text.slice(0, container.start);
  const lineEnd = /^\r?\n/.exec(rest)?.[0].length;
  if (before === "" || before === "\ufeff") {
    return { start: container.start, end: end + (lineEnd ?? 0) };
  }
  const above = before.replace(/\r?\n$/, "");
  if (!above.endsWith("\n")) return undefined;
  return lineEnd === undefined
    ? { start: above.replace(/\r?\n$/, "").length, end }
    : { start: above.length, end: end + lineEnd };
}

/** Whether a removal would take a header that was there before. */
function wouldTakeHeader(
  result: TomlDocument,
  path: readonly string[],
  before: TomlDocument,
): boolean {
  const entry = result.entries.find((each) => samePath(each.path, path));
  const table = path.slice(0, -1);
  return entry !== undefined && ownHeader(result, entry) !== undefined &&
    before.tables.some((each) => samePath(each.path, table)) &&
    !before.entries.some((each) => samePath(each.path, path));
}

/** Applies edits to a text: in order, not overlapping. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = "";
  let at = 0;
  for (const { start, end, replacement } of edits) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}

function cutOut(cuts: readonly TextRange[]): TextEdit[] {
  return cuts.map(({ start, end }) => ({ start, end, replacement: "" }));
}

/** What a document must come to. */
function withEdit(value: TomlValue, edit: TomlEdit): TomlValue {
  const [key, ...path] = edit.path;
  if (key === undefined) return editedValue(value, edit);
  const table = isTable(value) ? value : {};
  const inner = at(value, key);
  const changed = new Map(Object.entries(table));
  if (edit.kind === "remove" && path.length === 0) changed.delete(key);
  else changed.set(key, withEdit(inner, { ...edit, path }));
  return Object.fromEntries(changed);
}

function editedValue(value: TomlValue, edit: TomlEdit): TomlValue {
  const list = Array.isArray(value) ? value : [];
  switch (edit.kind) {
    case "set":
      return edit.value;
    case "remove":
      return {};
    case "add-item":
      return [...list, edit.item];
    case "remove-item":
      return list.toSpliced(list.lastIndexOf(edit.item), 1);
  }
}

/** Whether two values are the same but for empty tables. */
export function sameValue(one: TomlValue, other: TomlValue): boolean {
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length &&
      one.every((item, i) => sameValue(item, other[i]));
  }
  if (!isTable(one) || !isTable(other)) {
    return one instanceof Date && other instanceof Date
      ? one.getTime() === other.getTime()
      : Object.is(one, other);
  }
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => sameValue(at(one, key), at(other, key)));
}

function at(table: TomlValue, key: string): TomlValue {
  return isTable(table) && Object.hasOwn(table, key) ? table[key] ?? {} : {};
}

function formatValue(value: string | readonly string[]): string {
  return typeof value === "string"
    ? quote(value)
    : `[${value.map(quote).join(", ")}]`;
}

function newlineOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quote(key);
}

/** A basic string: every escape of JSON is one of TOML's. */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}

/** Whether a path leads to another, or below it. */
export function isUnder(
  path: readonly (string | number)[],
  above: readonly (string | number)[],
): boolean {
  return above.every((part, i) => part === path[i]);
}

function samePath(
  one: readonly (string | number)[],
  other: readonly (string | number)[],
): boolean {
  return one.length === other.length && isUnder(one, other);
}
