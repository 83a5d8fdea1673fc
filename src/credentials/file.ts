import { Secret } from "../base/secret.ts";
import { readRegularFile, type UnreadableReason } from "../base/files.ts";
import {
  loadTomlParser,
  type TomlDocument,
  type TomlEntry,
  TomlSyntaxError,
} from "../toml/document.ts";

/**
 * The table that holds a registry's token: `registry` for crates.io,
 * `registries.NAME` for every other.
 */
export type CredentialsTable =
  | readonly ["registry"]
  | readonly ["registries", string];

/** Why nothing is known about the tokens of a credentials file. */
export type UnusableReason = UnreadableReason | "malformed";

/** A credentials file that cannot be read. None of it is repeated. */
export interface UnusableFile {
  /** Tells it from the other outcomes. */
  readonly kind: "unusable";
  /** Why it cannot be read. */
  readonly reason: UnusableReason;
  /** `malformed` only: where, from 1. */
  readonly line?: number;
}

/** What {@linkcode readPlaintext} answers. */
export type PlaintextOutcome =
  | { readonly kind: "none" }
  | {
    readonly kind: "found";
    /** The table that it is in, or belongs in. */
    readonly table: CredentialsTable;
    readonly token: Secret;
  }
  | UnusableFile;

/** A token of a credentials file. */
export interface PlaintextToken {
  /** The table that it is in, or that it stands for. */
  readonly table: CredentialsTable;
  /** The key with its value. */
  readonly entry: TomlEntry & { readonly string: string };
}

/** Nothing interrupts the parser: see `src/cargo/config.ts`. */
const MOST_PARSED = 512 * 1024;

/**
 * Looks for a registry's token in a credentials file. The file cannot block
 * this, and the TOML parser is loaded only for a file that mentions a token
 * and is not written as cargo writes it.
 */
export async function readPlaintext(
  path: string,
  tables: readonly CredentialsTable[],
): Promise<PlaintextOutcome> {
  const outcome = readRegularFile(path);
  switch (outcome.kind) {
    case "absent":
      return { kind: "none" };
    case "unreadable":
      return { kind: "unusable", reason: outcome.reason };
    case "text":
      return await findPlaintext(outcome.text, tables);
  }
}

/** Looks for a registry's token in the text of a credentials file. */
export async function findPlaintext(
  text: string,
  tables: readonly CredentialsTable[],
): Promise<PlaintextOutcome> {
  const none = { kind: "none" } as const;
  // An escape can spell any key.
  if (!text.includes("token") && !text.includes("\\")) return none;
  const values = scanSimpleFile(text);
  if (values !== undefined) return findValue(values, tables) ?? none;
  if (text.length > MOST_PARSED) {
    return { kind: "unusable", reason: "too-large" };
  }
  const { locate } = await loadTomlParser();
  try {
    const document = locate(text);
    for (const table of tables) {
      const found = findToken(document, table);
      if (found === undefined) continue;
      const token = Secret.fromString(found.entry.string);
      return { kind: "found", table, token };
    }
    return none;
  } catch (error) {
    return malformed(error);
  }
}

/**
 * The token that cargo reads for a registry; `undefined` if its table has no
 * string of that name. A `token` above all tables is that of crates.io, but
 * only if there is no `registry` at all.
 */
export function findToken(
  document: TomlDocument,
  table: CredentialsTable,
): PlaintextToken | undefined {
  const [top, name] = table;
  const path = top === "registry" && !hasTable(document, "registry")
    ? ["token"]
    : name === undefined
    ? [top, "token"]
    : [top, name, "token"];
  return tokenAt(document, table, path);
}

/** All tokens that cargo reads from a credentials file, crates.io's first. */
export function findAllTokens(document: TomlDocument): PlaintextToken[] {
  const cratesIo = findToken(document, ["registry"]);
  const found = cratesIo === undefined ? [] : [cratesIo];
  for (const entry of document.entries) {
    const { path: [top, name, key, ...rest], string } = entry;
    if (
      top === "registries" && typeof name === "string" && key === "token" &&
      rest.length === 0 && string !== undefined
    ) {
      found.push({ table: [top, name], entry: { ...entry, string } });
    }
  }
  return found;
}

/** The tables of all tokens in a credentials file; none if there is no file. */
export async function tablesWithToken(
  path: string,
): Promise<readonly CredentialsTable[] | UnusableFile> {
  const outcome = readRegularFile(path);
  if (outcome.kind === "absent") return [];
  if (outcome.kind === "unreadable") {
    return { kind: "unusable", reason: outcome.reason };
  }
  const { locate } = await loadTomlParser();
  try {
    return findAllTokens(locate(outcome.text)).map(({ table }) => table);
  } catch (error) {
    return malformed(error);
  }
}

/**
 * What goes when a registry's token is removed, in the order in which it must:
 * the dead one first. With crates.io's goes a `token` above all tables, which
 * cargo has overridden: it would come back to life where no `registry` is left,
 * and in any case at cargo's next write (`save_credentials` makes `registry`
 * from it).
 */
export function tokensToRemove(
  document: TomlDocument,
  table: CredentialsTable,
): PlaintextToken[] {
  const live = findToken(document, table);
  if (live === undefined) return [];
  const dead = table[0] === "registry" && live.entry.path.length > 1
    ? tokenAt(document, table, ["token"])
    : undefined;
  return dead === undefined ? [live] : [dead, live];
}

/** Makes an outcome of a {@linkcode TomlSyntaxError}, and throws any other. */
export function malformed(error: unknown): UnusableFile {
  if (!(error instanceof TomlSyntaxError)) throw error;
  const { line } = error;
  return {
    kind: "unusable",
    reason: "malformed",
    ...(line === undefined ? {} : { line }),
  };
}

function tokenAt(
  document: TomlDocument,
  table: CredentialsTable,
  path: readonly string[],
): PlaintextToken | undefined {
  const entry = document.entries.find((candidate) =>
    candidate.path.length === path.length &&
    candidate.path.every((part, i) => part === path[i])
  );
  if (entry?.string === undefined) return undefined;
  return { table, entry: { ...entry, string: entry.string } };
}

function hasTable(document: TomlDocument, name: string): boolean {
  const { entries, tables, inlineTables } = document;
  return [entries, tables, inlineTables].some((things) =>
    things.some(({ path }) => path[0] === name)
  );
}

/** A table's name as cargo writes it, and the strings under it. */
type SimpleFile = Map<string, Map<string, string>>;

/**
 * Reads a file whose every line is a comment, a header without quotes or a
 * string without escapes under a key without dots: what cargo itself writes.
 * That is a hundred times faster than the parser and loads nothing; the
 * parser has the last word before anything is changed.
 */
function scanSimpleFile(text: string): SimpleFile | undefined {
  const line =
    /[ \t]*(?:\[([\w.-]+)\]|([\w-]+)[ \t]*=[ \t]*"([^"\\\r\n]*)"(?!"))?[ \t]*(?:#[^\r\n]*)?(?:\r?\n|$)/y;
  line.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
  const tables: SimpleFile = new Map();
  let current = new Map<string, string>();
  tables.set("", current);
  while (line.lastIndex < text.length) {
    const match = line.exec(text);
    if (match === null) return undefined;
    const [, header, key, value] = match;
    if (header !== undefined) {
      current = new Map();
      tables.set(header, current);
    } else if (key !== undefined && value !== undefined) {
      current.set(key, value);
    }
  }
  return tables;
}

/** As {@linkcode findToken}. */
function findValue(
  file: SimpleFile,
  tables: readonly CredentialsTable[],
): PlaintextOutcome | undefined {
  const names = [...file.keys()];
  const hasRegistry = file.get("")?.has("registry") === true ||
    names.some((name) => name === "registry" || name.startsWith("registry."));
  const root = hasRegistry ? "registry" : "";
  for (const table of tables) {
    const [top, name] = table;
    // A dot in a header without quotes separates two names.
    if (name?.includes(".") === true) continue;
    const header = name === undefined ? root : `${top}.${name}`;
    const value = file.get(header)?.get("token");
    if (value !== undefined) {
      return { kind: "found", table, token: Secret.fromString(value) };
    }
  }
  return undefined;
}
