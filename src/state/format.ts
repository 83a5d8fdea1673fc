/** The tokens of an index URL that are out of use. */
export interface SupersededTokens {
  readonly indexUrl: string;
  /** Salted digests, cut short, the last one last. */
  readonly digests: readonly string[];
}

/** A notice that is not given again too soon. */
export interface GivenNotice {
  readonly indexUrl: string;
  readonly topic: string;
  readonly frequency: "daily" | "once";
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/** A notice that nobody could read yet. */
export interface KeptNotice {
  readonly indexUrl: string;
  readonly topic: string;
  /** The line for people. */
  readonly text: string;
  /** When it was meant to be given, in milliseconds since 1970. */
  readonly at: number;
}

/** What the program remembers. */
export interface State {
  /** What the digests of tokens are made with; empty until there is one. */
  readonly salt: string;
  /** Tokens that a login or `--prefer` has put out of use. */
  readonly superseded: readonly SupersededTokens[];
  /** Index URLs whose token stays in the file. */
  readonly pins: readonly string[];
  /** Notices given. */
  readonly notices: readonly GivenNotice[];
  /** Notices to be given to the next person. */
  readonly kept: readonly KeptNotice[];
  /** Index URLs that have scoped tokens. */
  readonly scoped: readonly string[];
}

/** The file that the state is in. */
export function statePath(cargoHome: string): string {
  return `${cargoHome}/.credential-keyring-state.json`;
}

export const EMPTY_STATE: State = {
  salt: "",
  superseded: [],
  pins: [],
  notices: [],
  kept: [],
  scoped: [],
};

/**
 * Whether anything is remembered of an index URL. A request can name any URL
 * there is: a long one must not fill the file, on which pins depend. Its token
 * is never moved unasked, and its notices are given each time.
 */
export function isMemorable(indexUrl: string): boolean {
  return /^[\x21-\x7e]{1,500}$/.test(indexUrl);
}

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
