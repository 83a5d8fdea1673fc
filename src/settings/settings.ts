import { STORE_NAMES } from "../stores/credential_store.ts";

/** A row of {@linkcode SETTINGS}. */
export interface SettingRow<T> {
  /** How it is written in files; the variable's name is made of it. */
  readonly key: string;
  readonly default: T;
  /** The words for what it takes, after "must be". */
  readonly expected: string;
  /** The value of what a file says; `undefined`: it is wrong. */
  parse(value: unknown): T | undefined;
  /** What a variable's text comes to in a file. */
  fromText(text: string): unknown;
  /**
   * Whether a value is looser than another, where the environment can only
   * tighten what the files say.
   */
  isLooser?(asked: unknown, held: unknown): boolean;
}

function choice<const T extends string>(
  key: string,
  values: readonly [T, ...T[]],
  { tightenOnly = false } = {},
): SettingRow<T> {
  return {
    key,
    default: values[0],
    expected: `one of ${values.map((value) => `\`${value}\``).join(", ")}`,
    parse: (value) => values.find((known) => known === value),
    fromText: (text) => text,
    ...(tightenOnly ? { isLooser: earlierIn(values) } : {}),
  };
}

/** Compares values that are listed from loose to strict. */
function earlierIn(
  values: readonly unknown[],
): (asked: unknown, held: unknown) => boolean {
  return (asked, held) => values.indexOf(asked) < values.indexOf(held);
}

/** What a person can be asked about before a token is handed over. */
const CONFIRMABLE = ["publish", "yank", "owners"] as const;

/** One of {@linkcode CONFIRMABLE}; `yank` includes its opposite. */
export type Confirmable = typeof CONFIRMABLE[number];

function isConfirmable(value: unknown): value is Confirmable {
  return CONFIRMABLE.some((known) => known === value);
}

const CONFIRM: SettingRow<readonly Confirmable[]> = {
  key: "confirm",
  default: [],
  expected: "`never`, or a list of `publish`, `yank`, `owners`",
  parse: (value) => {
    if (value === "never") return [];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.every(isConfirmable) ? list : undefined;
  },
  fromText: (text) =>
    text === "never" ? text : text.split(/[\s,]+/).filter((word) => word),
  isLooser: (asked, held) =>
    CONFIRMABLE.some((each) => includes(held, each) && !includes(asked, each)),
};

function includes(list: unknown, value: Confirmable): boolean {
  return Array.isArray(list) && list.includes(value);
}

/** Nobody waits longer than this for a credential: cargo itself has no limit. */
const MAX_SECONDS = 600;

/** Seconds in files and variables, milliseconds in the program. */
function seconds(key: string, byDefault: number): SettingRow<number> {
  return {
    key,
    default: byDefault * 1000,
    expected: `a number of seconds above 0 and up to ${MAX_SECONDS}`,
    parse: (value) =>
      typeof value === "number" && value > 0 && value <= MAX_SECONDS
        ? Math.ceil(value * 1000)
        : undefined,
    fromText: (text) =>
      /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : undefined,
  };
}

const ROWS = {
  /** Which store is used; `auto` is the platform's durable one. */
  store: choice("store", ["auto", ...STORE_NAMES, "off"]),
  /**
   * Whether plaintext tokens are moved into the store when they are read:
   * where that is safe; a notice names the command that does it; the file is
   * touched by logout and by command alone.
   */
  migrate: choice("migrate", ["auto", "notify", "never"]),
  /**
   * What happens where the store cannot be used: the next provider may keep
   * the token in a file; login never ends in a file; nor is a token read from
   * one.
   */
  fallback: choice("fallback", ["file", "deny", "strict"], {
    tightenOnly: true,
  }),
  /** Whether a dialog may open: if somebody is present, never, or always. */
  prompt: choice("prompt", ["auto", "never", "always"]),
  /**
   * When cargo gets the token: once it is about to send it, or as soon as it
   * asks whether there is one. Late by itself where that is known to do: an
   * index that needs no token.
   */
  handOver: choice("hand-over", ["auto", "late", "early"]),
  /** What somebody at the terminal is asked about before it is done. */
  confirm: CONFIRM,
  /** Whether what is handed over is written down. */
  record: choice("record", ["off", "on"], { tightenOnly: true }),
  /** How long a request may take with nobody present. */
  timeoutMs: seconds("timeout", 3),
  /** How long a request may take with a person present. */
  promptTimeoutMs: seconds("prompt-timeout", 60),
};

/** The names of the settings in the program. */
export type SettingName = keyof typeof ROWS;

/** The value of every setting. */
export type SettingValues = {
  readonly [K in SettingName]: typeof ROWS[K]["default"];
};

/** What one source sets; what it leaves out is up to weaker ones. */
export type PartialSettings = Partial<SettingValues>;

/** All there is to know of each setting. */
export const SETTINGS: {
  readonly [K in SettingName]: SettingRow<SettingValues[K]>;
} = ROWS;

/** What holds where nobody sets anything. `fromEntries` forgets the names. */
export const DEFAULT_SETTINGS = Object.fromEntries(
  Object.entries(ROWS).map(([name, row]) => [name, row.default]),
) as SettingValues;

/** The settings that hold for one registry. */
export interface Settings extends SettingValues {
  /** What tells it from a {@linkcode WrongSetting}. */
  readonly kind: "settings";
}

/** A setting that cannot be understood, and is never taken for another. */
export interface WrongSetting {
  /** What tells it from {@linkcode Settings}. */
  readonly kind: "wrong";
  /** Where it is set: a file's path, or words such as `the environment`. */
  readonly where: string;
  /** The key as it is written there, or the variable. */
  readonly key: string;
  /**
   * A clause without a final stop that names both, says what would be right,
   * and does not show what is set: it might be a token.
   */
  readonly message: string;
  /** Whether the system file is wrong, which no request outlives. */
  readonly system: boolean;
}

/** Something about the settings that people should read. */
export interface SettingsNotice {
  /** What it is about. */
  readonly topic:
    /** The system file is not one that only the system can write. */
    | "system-file-ignored"
    /** Somebody who may only tighten a setting tried to loosen it. */
    | "not-loosened"
    /** A variable whose name begins like ours, and that nobody reads. */
    | "unknown-variable";
  /** A clause without a final stop. */
  readonly text: string;
}

/** What `loadSettings()` answers. */
export type SettingsOutcome =
  | Settings & { readonly notices: readonly SettingsNotice[] }
  | WrongSetting;
