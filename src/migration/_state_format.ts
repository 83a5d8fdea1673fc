/** What a command meant to happen to the token of an index URL. */
export type IntentKind =
  /** The file's token is the newer one: it replaces the stored one. */
  | "login-went-to-file"
  /** The stored token is the newer one: the file's is removed. */
  | "login-stored"
  /** The stored token counts as absent, and is erased. */
  | "logged-out";

/** An unfinished command, written down before it begins. */
export interface Intent {
  /** The registry. */
  readonly indexUrl: string;
  /** What was meant. */
  readonly kind: IntentKind;
  /** What the credentials file was when it was written down. */
  readonly fileStamp: string;
}

/** A rebinding of a registry's name that the user allows. */
export interface AllowedRebinding {
  /** The registry's name. */
  readonly name: string;
  /** The URL that a project may bind it to. */
  readonly indexUrl: string;
}

/** A stored token that the store may not have written to disk yet. */
export interface Settling {
  /** The registry. */
  readonly indexUrl: string;
  /** When it has, in milliseconds since 1970. */
  readonly until: number;
}

/** The tokens of an index URL that are out of use. */
export interface SupersededTokens {
  /** The registry. */
  readonly indexUrl: string;
  /** Salted digests, cut short, the last one last. */
  readonly digests: readonly string[];
}

/** A notice that is not given again too soon. */
export interface GivenNotice {
  /** The registry. */
  readonly indexUrl: string;
  /** What it was about. */
  readonly topic: string;
  /** How often it is given. */
  readonly frequency: "daily" | "once";
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/** A notice that nobody could read yet. */
export interface KeptNotice {
  /** The registry. */
  readonly indexUrl: string;
  /** What it is about. */
  readonly topic: string;
  /** The line for people. */
  readonly text: string;
  /** When it was meant to be given, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * What the program remembers. Entries and fields that this version does not
 * know are kept for the one that wrote them.
 */
export interface State {
  /** What the digests of tokens are made with; empty until there is one. */
  readonly salt: string;
  /** Tokens that a login or `--prefer` has put out of use. */
  readonly superseded: readonly SupersededTokens[];
  /** Unfinished commands, at most one for each index URL. */
  readonly intents: readonly Intent[];
  /** Index URLs whose token stays in the file. */
  readonly pins: readonly string[];
  /** Rebindings that the user allows. */
  readonly rebindings: readonly AllowedRebinding[];
  /** Stored tokens whose copy in the file is still needed. */
  readonly settling: readonly Settling[];
  /** Notices given. */
  readonly notices: readonly GivenNotice[];
  /** Notices to be given to the next person. */
  readonly kept: readonly KeptNotice[];
  /** Entries of the lists above that this version cannot read. */
  readonly unknownEntries: Readonly<Record<StateList, readonly unknown[]>>;
  /** Fields of the file that this version does not know. */
  readonly unknownFields: Readonly<Record<string, unknown>>;
}

/** The lists of a state. */
export type StateList =
  | "intents"
  | "pins"
  | "rebindings"
  | "settling"
  | "notices"
  | "kept";

/** No memory. */
export const EMPTY_STATE: State = {
  salt: "",
  superseded: [],
  intents: [],
  pins: [],
  rebindings: [],
  settling: [],
  notices: [],
  kept: [],
  unknownEntries: {
    intents: [],
    pins: [],
    rebindings: [],
    settling: [],
    notices: [],
    kept: [],
  },
  unknownFields: {},
};

/** The version that is written. Another one has another meaning. */
const VERSION = 1;

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

function hasTexts(value: Json, ...fields: readonly string[]): boolean {
  return fields.every((field) => typeof value[field] === "string");
}

function isPin(value: unknown): value is string {
  return typeof value === "string";
}

function isIntent(value: unknown): value is Intent {
  return isObject(value) && hasTexts(value, "indexUrl", "fileStamp") &&
    (value["kind"] === "login-went-to-file" ||
      value["kind"] === "login-stored" || value["kind"] === "logged-out");
}

function isRebinding(value: unknown): value is AllowedRebinding {
  return isObject(value) && hasTexts(value, "name", "indexUrl");
}

function isSettlingEntry(value: unknown): value is Settling {
  return isObject(value) && hasTexts(value, "indexUrl") &&
    typeof value["until"] === "number";
}

function isSupersededEntry(value: unknown): value is SupersededTokens {
  return isObject(value) && hasTexts(value, "indexUrl") &&
    Array.isArray(value["digests"]) &&
    value["digests"].every((digest) => typeof digest === "string");
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

/** Sorts the entries that are understood from those that are not. */
function sort<T>(
  list: unknown,
  isKnown: (entry: unknown) => entry is T,
): readonly [known: readonly T[], unknown: readonly unknown[]] {
  if (list === undefined) return [[], []];
  // Caught by `parseState()`.
  if (!Array.isArray(list)) throw new TypeError("not a list");
  const entries: readonly unknown[] = list;
  return [
    entries.filter(isKnown),
    entries.filter((entry) => !isKnown(entry)),
  ];
}

/**
 * Reads the text of a state file.
 *
 * @param text The text.
 * @returns The state, or why there is none.
 */
export function parseState(text: string): ParsedState {
  try {
    const file: unknown = JSON.parse(text);
    if (!isObject(file) || typeof file["version"] !== "number") {
      return { kind: "corrupt" };
    }
    if (file["version"] !== VERSION) return { kind: "untouchable" };
    const {
      version: _,
      salt,
      superseded,
      intents,
      pins,
      rebindings,
      settling,
      notices,
      kept,
      ...unknownFields
    } = file;
    const [knownSuperseded] = sort(superseded, isSupersededEntry);
    const [knownIntents, unknownIntents] = sort(intents, isIntent);
    const [knownPins, unknownPins] = sort(pins, isPin);
    const [knownRebindings, unknownRebindings] = sort(rebindings, isRebinding);
    const [knownSettling, unknownSettling] = sort(settling, isSettlingEntry);
    const [knownNotices, unknownNotices] = sort(notices, isNotice);
    const [knownKept, unknownKept] = sort(kept, isKept);
    return {
      kind: "state",
      state: {
        salt: typeof salt === "string" ? salt : "",
        superseded: knownSuperseded,
        intents: knownIntents,
        pins: knownPins,
        rebindings: knownRebindings,
        settling: knownSettling,
        notices: knownNotices,
        kept: knownKept,
        unknownEntries: {
          intents: unknownIntents,
          pins: unknownPins,
          rebindings: unknownRebindings,
          settling: unknownSettling,
          notices: unknownNotices,
          kept: unknownKept,
        },
        unknownFields,
      },
    };
  } catch {
    return { kind: "corrupt" };
  }
}

/**
 * Writes a state as text.
 *
 * @param state The state.
 * @returns The text of the file.
 */
export function formatState(state: State): string {
  const { unknownEntries, unknownFields } = state;
  const file = {
    ...unknownFields,
    version: VERSION,
    salt: state.salt,
    superseded: state.superseded,
    intents: [...state.intents, ...unknownEntries.intents],
    pins: [...state.pins, ...unknownEntries.pins],
    rebindings: [...state.rebindings, ...unknownEntries.rebindings],
    settling: [...state.settling, ...unknownEntries.settling],
    notices: [...state.notices, ...unknownEntries.notices],
    kept: [...state.kept, ...unknownEntries.kept],
  };
  return JSON.stringify(file, null, 2) + "\n";
}
