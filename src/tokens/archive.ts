import { checkToken } from "../cargo/token.ts";
import { requestUrl } from "../cargo/registry_index.ts";
import { Secret } from "../base/secret.ts";

/** A token on its way to another machine. */
export interface ArchivedToken {
  /** The request's `index-url`, byte for byte. */
  readonly indexUrl: string;
  /** What the registry was called where it comes from, if it had a name. */
  readonly name?: string;
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
      | "duplicate";
  };

const FORMAT = "cargo-credential-keyring";
const VERSION = 1;

/**
 * What is inside of an exported file, described in `docs/export.md`. The
 * caller wipes it; the text it is made of cannot be wiped.
 */
export function formatArchive(
  tokens: readonly ArchivedToken[],
): Uint8Array<ArrayBuffer> {
  const archive = {
    format: FORMAT,
    version: VERSION,
    tokens: tokens.map(({ indexUrl, name, token }) => ({
      index_url: indexUrl,
      registry: name ?? null,
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
  if (version !== VERSION) return { kind: "newer", version };
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
  if (before.some((other) => other.indexUrl === indexUrl)) return "duplicate";
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
  };
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
