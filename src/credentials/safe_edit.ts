import { insertionEdits, removalEdits } from "./edit.ts";
import {
  type CredentialsTable,
  findAllTokens,
  findToken,
  tokensToRemove,
} from "./file.ts";
import { decodeText } from "../base/files.ts";
import {
  ifToml,
  type TomlDocument,
  type TomlParser,
  type TomlPath,
} from "../toml/document.ts";
import {
  applyStep,
  PAGE_BYTES,
  planInsertion,
  planRemoval,
  unfinishedInsertion,
  type WriteStep,
} from "./write_plan.ts";

/** How to edit a credentials file, if there is a safe way. */
export type SafeEdit =
  | {
    readonly kind: "steps";
    /** After each of them the file is whole; none can be cut off. */
    readonly steps: readonly WriteStep[];
    /** What the file is after the last one. */
    readonly result: TomlDocument;
  }
  /** There is nothing to do. */
  | { readonly kind: "unchanged" }
  | {
    readonly kind: "refused";
    readonly reason:
      /** The table has a token already. */
      | "token-exists"
      /** The file is written such that the key has no place in it. */
      | "no-place"
      /** A write would have to cross a page, and could be cut off there. */
      | "page-boundary"
      /** The same, for a token that no page holds. */
      | "longer-than-a-page";
  };

/** Works out how to remove a registry's token from a credentials file. */
export function removeToken(
  toml: TomlParser,
  document: TomlDocument,
  table: CredentialsTable,
): SafeEdit {
  const { first, rest } = beginEdit(toml, document);
  const removed = tokensToRemove(rest, table);
  if (removed.length === 0) return { kind: "unchanged" };
  const removals = removed.map(({ entry }) => removalEdits(rest, entry));
  const paths = removed.map(({ entry }) => entry.path);
  const wanted = tokensBut(document, table);
  const plans = planRemoval(rest.text, removals)
    .map((plan) => [...first, ...plan]);
  const reason = pageReason(removed.map(({ entry }) => entry.string));
  return firstSafe(toml, document, plans, paths, wanted) ??
    { kind: "refused", reason };
}

/** Works out how to insert a registry's token into a credentials file. */
export function insertToken(
  toml: TomlParser,
  document: TomlDocument,
  table: CredentialsTable,
  token: string,
): SafeEdit {
  if (findToken(document, table) !== undefined) {
    return { kind: "refused", reason: "token-exists" };
  }
  const wanted = tokensBut(document, table)
    .set(JSON.stringify(table), token);
  const { first, rest } = beginEdit(toml, document);
  const plans = insertionEdits(rest, table, token)
    .map((edits) => planInsertion(rest.text, edits));
  const safe = firstSafe(
    toml,
    document,
    plans.filter((plan) => plan !== undefined)
      .map((plan) => [...first, ...plan]),
    [[...table, "token"]],
    wanted,
  );
  if (safe !== undefined) return safe;
  const reason = plans.includes(undefined) ? pageReason([token]) : "no-place";
  return { kind: "refused", reason };
}

/** What an insertion that was killed has left in comments goes first. */
function beginEdit(
  toml: TomlParser,
  document: TomlDocument,
): { readonly first: readonly WriteStep[]; readonly rest: TomlDocument } {
  const left = unfinishedInsertion(document.text);
  if (left === undefined) return { first: [], rest: document };
  const rest = toml.locate(document.text.slice(0, left.start));
  const { length } = new TextEncoder().encode(rest.text);
  return { first: [{ kind: "truncate", length }], rest };
}

function pageReason(
  tokens: readonly string[],
): "page-boundary" | "longer-than-a-page" {
  return tokens.some((token) => token.length > PAGE_BYTES)
    ? "longer-than-a-page"
    : "page-boundary";
}

/** What cargo reads from a file: tokens by table. */
type Tokens = Map<string, string>;

function allTokens(document: TomlDocument): Tokens {
  return new Map(
    findAllTokens(document)
      .map(({ table, entry }) => [JSON.stringify(table), entry.string]),
  );
}

function tokensBut(document: TomlDocument, table: CredentialsTable): Tokens {
  const tokens = allTokens(document);
  tokens.delete(JSON.stringify(table));
  return tokens;
}

/**
 * The first plan of which every state can be read, and has every key but the
 * edited ones as it was and these only as they were or as they will be; and
 * from whose last state cargo reads the wanted tokens.
 */
function firstSafe(
  toml: TomlParser,
  document: TomlDocument,
  plans: readonly (readonly WriteStep[])[],
  edited: readonly TomlPath[],
  wanted: Tokens,
): Extract<SafeEdit, { kind: "steps" }> | undefined {
  const keys = new Set(edited.map((path) => JSON.stringify(path)));
  const before = entriesOf(document);
  const others = without(before, keys);
  const tokens = allTokens(document);
  for (const steps of plans) {
    const states = statesOf(toml, document.text, steps);
    const result = states?.at(-1);
    if (states === undefined || result === undefined) continue;
    const after = entriesOf(result);
    const isSafe = states.every((state) => {
      const entries = state === result ? after : entriesOf(state);
      const read = [...allTokens(state)];
      return sameMap(others, without(entries, keys)) &&
        [...keys].every((key) => {
          const value = entries.get(key);
          return value === undefined || value === before.get(key) ||
            value === after.get(key);
        }) &&
        // A dead token must not live in between.
        read.every(([table, token]) =>
          token === tokens.get(table) || token === wanted.get(table)
        );
    });
    if (isSafe && sameMap(allTokens(result), wanted)) {
      return { kind: "steps", steps, result };
    }
  }
  return undefined;
}

/** The document after each step; `undefined` if one of them is none. */
function statesOf(
  toml: TomlParser,
  text: string,
  steps: readonly WriteStep[],
): TomlDocument[] | undefined {
  const states: TomlDocument[] = [];
  let bytes: Uint8Array = new TextEncoder().encode(text);
  for (const step of steps) {
    bytes = applyStep(bytes, step);
    const content = decodeText(bytes);
    if (content.kind !== "text") return undefined;
    const state = ifToml(() => toml.locate(content.text));
    if (state === undefined) return undefined;
    states.push(state);
  }
  return states;
}

/** Every key, and its value as it is written. */
function entriesOf(document: TomlDocument): Map<string, string> {
  return new Map(document.entries.map(({ path, value }) => [
    JSON.stringify(path),
    document.text.slice(value.start, value.end),
  ]));
}

function without(
  entries: Map<string, string>,
  keys: ReadonlySet<string>,
): Map<string, string> {
  return new Map([...entries].filter(([key]) => !keys.has(key)));
}

function sameMap(
  one: Map<string, string>,
  other: Map<string, string>,
): boolean {
  return one.size === other.size &&
    [...one].every(([key, value]) => other.get(key) === value);
}
