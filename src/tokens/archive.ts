import { checkToken } from "../cargo/token.ts";
import { requestUrl } from "../cargo/registry_index.ts";
import { Secret } from "../base/secret.ts";
import { type Grant, isGrant, scopedUrl, SCOPES } from "./scoped.ts";

/** A token on its way to another machine. */
export interface ArchivedToken {
  /** The request's `index-url`, byte for byte. */
  readonly indexUrl: string;
  /** What the registry was called where it comes from, if it had a name. */
  readonly name?: string;
  /** What it is good for, if it is not the registry's own. */
  readonly grant?: Grant;
  /** The token; whoever has the archive wipes it. */
  readonly token: Secret;
}

/** What {@linkcode parseArchive} answers. Nothing of the text is repeated. */
export type ParsedArchive =
  | { readonly kind: "tokens"; readonly tokens: readonly ArchivedToken[] }
  /** Some other text: another program's backup. */
  | { readonly kind: "not-an-archive" }
  /** Written by a later version, in a form that is not to be guessed at. */
  | { readonly kind: "newer"; readonly version: number }
  | {
    readonly kind: "wrong-entry";
    /** Which one, from 1. */
    readonly entry: number;
    readonly reason:
      | "no-object"
      | "index-url"
      | "registry"
      | "token"
      | "scopes"
      | "duplicate";
  };

const FORMAT = "cargo-credential-keyring";

/** What is written where no token has scopes, so that every version reads it. */
const VERSION = 1;

/** Versions before would take a scoped token for the registry's own. */
const VERSION_WITH_SCOPES = 2;

/**
 * What is inside of an exported file, described in `docs/export.md`. The
 * caller wipes it; the text it is made of cannot be wiped.
 */
export function formatArchive(
  tokens: readonly ArchivedToken[],
): Uint8Array<ArrayBuffer> {
  const archive = {
    format: FORMAT,
    version: tokens.some(({ grant }) => grant !== undefined)
      ? VERSION_WITH_SCOPES
      : VERSION,
    tokens: tokens.map(({ indexUrl, name, grant, token }) => ({
      index_url: indexUrl,
      registry: name ?? null,
      ...(grant === undefined ? {} : {
        scopes: grant.scopes,
        crates: grant.crates,
        expires: grant.expires ?? null,
      }),
      token: token.reveal(),
    })),
  };
  return new TextEncoder().encode(`${JSON.stringify(archive, null, 2)}\n`);
}

/**
 * Reads what {@linkcode formatArchive} wrote. All of it or nothing: a file of
 * which one entry is wrong was not written by this program.
 */
export function parseArchive(bytes: Uint8Array): ParsedArchive {
  const archive = parseJson(bytes);
  if (!isObject(archive) || archive["format"] !== FORMAT) {
    return { kind: "not-an-archive" };
  }
  const { version, tokens } = archive;
  if (typeof version !== "number" || !Array.isArray(tokens)) {
    return { kind: "not-an-archive" };
  }
  if (version !== VERSION && version !== VERSION_WITH_SCOPES) {
    return { kind: "newer", version };
  }
  const read: ArchivedToken[] = [];
  for (const entry of tokens) {
    const parsed = parseEntry(entry, read);
    if (typeof parsed === "string") {
      for (const { token } of read) token.wipe();
      return { kind: "wrong-entry", entry: read.length + 1, reason: parsed };
    }
    read.push(parsed);
  }
  return { kind: "tokens", tokens: read };
}

type WrongEntry = Extract<ParsedArchive, { kind: "wrong-entry" }>["reason"];

function parseEntry(
  entry: unknown,
  before: readonly ArchivedToken[],
): ArchivedToken | WrongEntry {
  if (!isObject(entry)) return "no-object";
  const { index_url: indexUrl, registry, token: text } = entry;
  // Cargo asks with this spelling alone.
  if (typeof indexUrl !== "string" || requestUrl(indexUrl) !== indexUrl) {
    return "index-url";
  }
  const grant = entry["scopes"] === undefined ? undefined : parseGrant(entry);
  if (grant === "wrong") return "scopes";
  const place = filedUnder({ indexUrl, grant });
  if (before.some((other) => filedUnder(other) === place)) return "duplicate";
  if (registry !== null && registry !== undefined) {
    if (typeof registry !== "string" || registry === "") return "registry";
  }
  if (typeof text !== "string") return "token";
  const token = Secret.fromString(text);
  if (checkToken(token) !== "valid") return "token";
  return {
    indexUrl,
    token,
    ...(typeof registry === "string" ? { name: registry } : {}),
    ...(grant === undefined ? {} : { grant }),
  };
}

/** What a store files a token under. */
export function filedUnder(
  { indexUrl, grant }: {
    readonly indexUrl: string;
    readonly grant?: Grant | undefined;
  },
): string {
  return grant === undefined ? indexUrl : scopedUrl(indexUrl, grant);
}

function parseGrant(entry: Readonly<Record<string, unknown>>): Grant | "wrong" {
  const { scopes, crates, expires } = entry;
  if (!isTexts(scopes) || !isTexts(crates)) return "wrong";
  if (expires !== null && typeof expires !== "string") return "wrong";
  const known = SCOPES.filter((scope) => scopes.includes(scope));
  const grant: Grant = {
    scopes: known,
    crates,
    ...(expires === null ? {} : { expires }),
  };
  return known.length === scopes.length && isGrant(grant) ? grant : "wrong";
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) &&
    value.every((element) => typeof element === "string");
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
