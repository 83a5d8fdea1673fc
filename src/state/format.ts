import type {
  GivenNotice,
  KeptNotice,
  State,
  SupersededTokens,
} from "./state.ts";

/**
 * The version that is written. Version 1 had more lists; those that are left
 * mean the same. Any other version has another meaning.
 */
const VERSION = 2;

/** What the text of a state file is. */
export type ParsedState =
  | { readonly kind: "state"; readonly state: State }
  /** Torn, or never ours: nothing in it is worth keeping. */
  | { readonly kind: "corrupt" }
  /** Not ours to write over: another version has another format. */
  | { readonly kind: "untouchable" };

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function hasTexts(value: Json, ...fields: readonly string[]): boolean {
  return fields.every((field) => isText(value[field]));
}

function isSuperseded(value: unknown): value is SupersededTokens {
  return isObject(value) && hasTexts(value, "indexUrl") &&
    Array.isArray(value["digests"]) && value["digests"].every(isText);
}

function isNotice(value: unknown): value is GivenNotice {
  return isObject(value) && hasTexts(value, "indexUrl", "topic") &&
    typeof value["at"] === "number" &&
    (value["frequency"] === "daily" || value["frequency"] === "once");
}

function isKept(value: unknown): value is KeptNotice {
  return isObject(value) && hasTexts(value, "indexUrl", "topic", "text") &&
    typeof value["at"] === "number";
}

/** The entries of a list that are understood. */
function entries<T>(
  list: unknown,
  isEntry: (entry: unknown) => entry is T,
): readonly T[] {
  if (list === undefined) return [];
  // Caught by `parseState()`.
  if (!Array.isArray(list)) throw new TypeError("not a list");
  return list.filter(isEntry);
}

/** Reads the text of a state file. */
export function parseState(text: string): ParsedState {
  try {
    const file: unknown = JSON.parse(text);
    if (!isObject(file) || typeof file["version"] !== "number") {
      return { kind: "corrupt" };
    }
    if (file["version"] !== 1 && file["version"] !== VERSION) {
      return { kind: "untouchable" };
    }
    const { salt } = file;
    const state = {
      salt: isText(salt) ? salt : "",
      superseded: entries(file["superseded"], isSuperseded),
      pins: entries(file["pins"], isText),
      notices: entries(file["notices"], isNotice),
      kept: entries(file["kept"], isKept),
      scoped: entries(file["scoped"], isText),
    };
    return { kind: "state", state };
  } catch {
    return { kind: "corrupt" };
  }
}

/** Writes a state as text. */
export function formatState(state: State): string {
  return JSON.stringify({ version: VERSION, ...state }, null, 2) + "\n";
}
