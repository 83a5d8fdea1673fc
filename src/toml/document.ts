import type { AST } from "toml-eslint-parser";

/** A place in a text: UTF-16 offsets, the end not included. */
export interface TextRange {
  /** The first character. */
  readonly start: number;
  /** Behind the last one. */
  readonly end: number;
}

/** A decoded key path from the document's root; a number is an array's index. */
export type TomlPath = readonly (string | number)[];

/** A key with a value that is not an inline table; arrays are values too. */
export interface TomlEntry extends TextRange {
  /** The key path from the root. */
  readonly path: TomlPath;
  /** The key as it is written, with its dots and quotes. */
  readonly key: TextRange;
  /** How many parts the key has: more than one if it is dotted. */
  readonly keyParts: readonly TextRange[];
  /** The value as it is written. */
  readonly value: TextRange;
  /** What the value decodes to, if it is a string. */
  readonly string: string | undefined;
  /** The elements of the value, if it is an array. */
  readonly items: readonly TomlItem[] | undefined;
  /** The inline table that holds it, or the header's table. */
  readonly container: TomlInlineTable | TomlTable;
}

/** An element of an array. */
export interface TomlItem extends TextRange {
  /** What it decodes to, if it is a string. */
  readonly string: string | undefined;
}

/** A table in braces. Its own range is that of the braces. */
export interface TomlInlineTable extends TextRange {
  /** Tells it from a header's table. */
  readonly kind: "inline";
  /** The key path from the root. */
  readonly path: TomlPath;
  /** The key as it is written, with its dots and quotes. */
  readonly key: TextRange;
  /** How many parts the key has: more than one if it is dotted. */
  readonly keyParts: readonly TextRange[];
  /** The table that holds it. */
  readonly container: TomlInlineTable | TomlTable;
  /** Its keys with their values, in order: what stands between the commas. */
  readonly members: readonly TextRange[];
}

/** What stands under a header, or above all of them (the root, path `[]`). */
export interface TomlTable extends TextRange {
  /** `array` for `[[…]]`. */
  readonly kind: "root" | "standard" | "array";
  /** The key path from the root. */
  readonly path: TomlPath;
  /** The header in its brackets; empty for the root. */
  readonly header: TextRange;
}

/** Where everything stands in a TOML document. */
export interface TomlDocument {
  /** The text itself, with its byte order mark if it has one. */
  readonly text: string;
  /** All keys with a value, in order. */
  readonly entries: readonly TomlEntry[];
  /** The root first, then the headers in order. */
  readonly tables: readonly TomlTable[];
  /** Those that are not in an array, in order. */
  readonly inlineTables: readonly TomlInlineTable[];
}

/** A value of a TOML document. */
export type TomlValue =
  | string
  | number
  | bigint
  | boolean
  | Date
  | readonly TomlValue[]
  | TomlValues;

/** The values of a TOML table. */
export interface TomlValues {
  /** A key's value. */
  readonly [key: string]: TomlValue;
}

/** A text is no TOML. Nothing of it is repeated: it may hold a token. */
export class TomlSyntaxError extends Error {
  /** The name of the class. */
  override readonly name = "TomlSyntaxError";
  /** The line, from 1; `undefined` if it is not known. */
  readonly line: number | undefined;
  /** The column, from 1; `undefined` if it is not known. */
  readonly column: number | undefined;

  /** An error at a place. */
  constructor(line?: number, column?: number) {
    super(
      line === undefined
        ? "invalid TOML"
        : `invalid TOML at line ${line}, column ${column}`,
    );
    this.line = line;
    this.column = column;
  }
}

/** What a parser gives; `undefined` where the text is no TOML. */
export function ifToml<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TomlSyntaxError) return undefined;
    throw error;
  }
}

/** The two ways to read TOML. Both throw {@linkcode TomlSyntaxError}. */
export interface TomlParser {
  /** Where every key and value stands. */
  locate(text: string): TomlDocument;
  /** What they come to. */
  values(text: string): TomlValues;
}

/** Cargo 1.95 reads TOML 1.1, of which 1.0 is a part. */
const VERSION = { tomlVersion: "1.1" } as const;
const BYTE_ORDER_MARK = "\ufeff";

/**
 * Loads the TOML parser. It takes some milliseconds, so this is for when there
 * is a text to parse.
 */
export async function loadTomlParser(): Promise<TomlParser> {
  const { parseTOML, getStaticTOMLValue } = await import("toml-eslint-parser");

  /** The parser takes no byte order mark; positions are told with it. */
  function parse<T>(
    text: string,
    use: (program: AST.TOMLProgram, offset: number) => T,
  ): T {
    const offset = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
    try {
      return use(parseTOML(text.slice(offset), VERSION), offset);
    } catch (error) {
      throw syntaxError(error);
    }
  }

  return {
    locate: (text) =>
      parse(
        text,
        (program, offset) => new Locator(text, offset).locate(program),
      ),
    values: (text) => parse(text, (program) => getStaticTOMLValue(program)),
  };
}

/** The parser's own error holds pieces of the text, and is dropped. */
function syntaxError(error: unknown): TomlSyntaxError {
  if (
    error instanceof SyntaxError &&
    "lineNumber" in error && typeof error.lineNumber === "number" &&
    "column" in error && typeof error.column === "number"
  ) {
    return new TomlSyntaxError(error.lineNumber, error.column + 1);
  }
  // Nesting so deep that the stack is used up.
  return new TomlSyntaxError();
}

function stringOf(node: AST.TOMLContentNode): string | undefined {
  return node.type === "TOMLValue" && node.kind === "string"
    ? node.value
    : undefined;
}

class Locator {
  readonly #text: string;
  readonly #offset: number;
  readonly #entries: TomlEntry[] = [];
  readonly #tables: TomlTable[] = [];
  readonly #inlineTables: TomlInlineTable[] = [];

  constructor(text: string, offset: number) {
    this.#text = text;
    this.#offset = offset;
  }

  locate(program: AST.TOMLProgram): TomlDocument {
    const { body } = program.body[0];
    const firstHeader = body.find((node) => node.type === "TOMLTable");
    const root: TomlTable = {
      kind: "root",
      path: [],
      header: { start: this.#offset, end: this.#offset },
      start: this.#offset,
      end: firstHeader === undefined
        ? this.#text.length
        : this.#range(firstHeader).start,
    };
    this.#tables.push(root);
    for (const [i, node] of body.entries()) {
      if (node.type === "TOMLKeyValue") this.#addKeyValue(node, root);
      else this.#addTable(node, body[i + 1]);
    }
    return {
      text: this.#text,
      entries: this.#entries,
      tables: this.#tables,
      inlineTables: this.#inlineTables,
    };
  }

  #addTable(node: AST.TOMLTable, next: AST.TOMLNode | undefined): void {
    const { start } = this.#range(node);
    const brackets = node.kind === "array" ? 2 : 1;
    const keyEnd = this.#range(node.key).end;
    const close = this.#text.indexOf("]", keyEnd);
    const table: TomlTable = {
      kind: node.kind,
      path: node.resolvedKey,
      header: { start, end: close + brackets },
      start,
      end: next === undefined ? this.#text.length : this.#range(next).start,
    };
    this.#tables.push(table);
    for (const member of node.body) this.#addKeyValue(member, table);
  }

  #addKeyValue(
    node: AST.TOMLKeyValue,
    container: TomlInlineTable | TomlTable,
  ): void {
    const path = [
      ...container.path,
      ...node.key.keys.map((key) =>
        key.type === "TOMLBare" ? key.name : key.value
      ),
    ];
    const { value } = node;
    const key = this.#range(node.key);
    const keyParts = node.key.keys.map((part) => this.#range(part));
    if (value.type === "TOMLInlineTable") {
      const table: TomlInlineTable = {
        kind: "inline",
        path,
        ...this.#range(value),
        key,
        keyParts,
        container,
        members: value.body.map((member) => this.#range(member)),
      };
      this.#inlineTables.push(table);
      for (const member of value.body) this.#addKeyValue(member, table);
      return;
    }
    this.#entries.push({
      ...this.#range(node),
      path,
      key,
      keyParts,
      value: this.#range(value),
      string: stringOf(value),
      items: value.type === "TOMLArray"
        ? value.elements.map((item) => ({
          ...this.#range(item),
          string: stringOf(item),
        }))
        : undefined,
      container,
    });
  }

  #range(node: AST.TOMLNode): TextRange {
    const [start, end] = node.range;
    return { start: start + this.#offset, end: end + this.#offset };
  }
}
