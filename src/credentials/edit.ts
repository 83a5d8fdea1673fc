import type {
  TextRange,
  TomlDocument,
  TomlEntry,
  TomlTable,
} from "../toml/document.ts";
import {
  cutsOf,
  isUnder,
  newTable,
  placesFor,
  quote,
  type TextEdit,
} from "../toml/edit.ts";
import type { CredentialsTable } from "./file.ts";

/** Two ways to take a key out of a text. */
export interface Removal {
  /** What goes for good, as {@linkcode cutsOf} says. */
  readonly cuts: readonly TextRange[];
  /** What must turn into white space if the rest of the text may not move. */
  readonly blanks: readonly TextRange[];
}

/** How to take a key out of a document. */
export function removalEdits(
  document: TomlDocument,
  entry: TomlEntry,
): Removal {
  const cuts = cutsOf(document, entry);
  const { start, end, container } = entry;
  return {
    cuts,
    blanks: container.kind === "inline" ? cuts : [{ start, end }],
  };
}

/**
 * The ways to put a token into a document whose table for it holds none, the
 * best one first. Not every one need give a valid document: that is for the
 * parser to say.
 */
export function insertionEdits(
  document: TomlDocument,
  table: CredentialsTable,
  token: string,
): TextEdit[][] {
  const value = quote(token);
  const assignment = `token = ${value}`;
  return placesFor(document, [...table, "token"], value)
    .flatMap(({ edit, header }) =>
      header === undefined ? [[edit], ...atEnd(document.text, edit)] : [
        [edit],
        ...atEnd(document.text, edit),
        ...onBlankLines(document.text, header, assignment),
        ...moveEmptyHeader(
          document,
          header,
          newTable(document, table, assignment),
        ),
      ]
    );
}

/** Behind the blank lines that a killed insertion has left. */
function atEnd(text: string, edit: TextEdit): TextEdit[][] {
  return /^[\r\n]+$/.test(text.slice(edit.start))
    ? [[{ ...edit, start: text.length, end: text.length }]]
    : [];
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
 * For a table without a key, as a removal leaves it: the header goes, or where
 * it lies on two pages becomes a comment, and the table comes again at the end.
 */
function moveEmptyHeader(
  document: TomlDocument,
  table: TomlTable,
  atEnd: TextEdit,
): TextEdit[][] {
  const { header } = table;
  const isEmpty = ![
    ...document.entries,
    ...document.inlineTables,
    ...document.tables.filter((other) => other !== table),
  ].some(({ path }) => isUnder(path, table.path));
  if (!isEmpty || header.end > atEnd.start) return [];
  const { start, end } = header;
  return [
    [{ start, end, replacement: " ".repeat(end - start) }, atEnd],
    [{ start, end: start + 1, replacement: "#" }, atEnd],
  ];
}
