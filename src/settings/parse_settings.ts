import type {
  FallbackSetting,
  MigrateSetting,
  PromptSetting,
  SettingsNotice,
  SettingValues,
  StoreSetting,
  WrongSetting,
} from "./settings.ts";

/** What one source sets; what it leaves out is up to weaker ones. */
export type PartialSettings = Partial<SettingValues>;

/** What the user's settings file sets. */
export interface FileSettings {
  /** For every registry. */
  readonly general: PartialSettings;
  /** `[[registry]]`, by index URL: stronger than `general`. */
  readonly registries: ReadonlyMap<string, PartialSettings>;
}

/** What the system file sets. */
export interface SystemFileSettings extends FileSettings {
  /** `[enforce]`: what nobody can override. */
  readonly enforce: PartialSettings;
}

/** A file that sets nothing, or none at all. */
export const NO_FILE_SETTINGS: SystemFileSettings = {
  general: {},
  registries: new Map(),
  enforce: {},
};

const STORES = [
  "auto",
  "secret-service",
  "keychain",
  "wincred",
  "systemd",
  "keyutils",
  "off",
] as const satisfies readonly StoreSetting[];
const MIGRATES = [
  "auto",
  "notify",
  "never",
] as const satisfies readonly MigrateSetting[];
const FALLBACKS = [
  "file",
  "deny",
  "strict",
] as const satisfies readonly FallbackSetting[];
const PROMPTS = [
  "auto",
  "never",
  "always",
] as const satisfies readonly PromptSetting[];

/** Nobody waits longer than this for a credential: cargo itself has no limit. */
const MAX_SECONDS = 600;

/** The keys, as they are written in files and arguments. */
export const SETTING_KEYS = [
  "store",
  "migrate",
  "fallback",
  "prompt",
  "timeout",
  "prompt-timeout",
] as const;

type SettingKey = typeof SETTING_KEYS[number];

const VARIABLE_PREFIX = "CARGO_CREDENTIAL_KEYRING_";

/** The words that name the arguments as a place. */
const ARGUMENTS = "the provider's arguments";

function isSettingKey(key: string): key is SettingKey {
  return SETTING_KEYS.some((known) => known === key);
}

/** How people write `key` in this place, and which values it takes. */
interface Place {
  readonly where: string;
  readonly key: string;
  readonly system: boolean;
}

function wrong(place: Place, problem: string): WrongSetting {
  return {
    kind: "wrong",
    ...place,
    message: `${problem} (${place.where})`,
  };
}

function expected(key: SettingKey): string {
  const choices = (values: readonly string[]): string =>
    `one of ${values.map((value) => `\`${value}\``).join(", ")}`;
  switch (key) {
    case "store":
      return choices(STORES);
    case "migrate":
      return choices(MIGRATES);
    case "fallback":
      return choices(FALLBACKS);
    case "prompt":
      return choices(PROMPTS);
    case "timeout":
    case "prompt-timeout":
      return `a number of seconds above 0 and up to ${MAX_SECONDS}`;
  }
}

/** The one value in a form that can be merged; `undefined` if it is wrong. */
function parseValue(
  key: SettingKey,
  value: unknown,
): PartialSettings | undefined {
  switch (key) {
    case "store": {
      const store = STORES.find((choice) => choice === value);
      return store && { store };
    }
    case "migrate": {
      const migrate = MIGRATES.find((choice) => choice === value);
      return migrate && { migrate };
    }
    case "fallback": {
      const fallback = FALLBACKS.find((choice) => choice === value);
      return fallback && { fallback };
    }
    case "prompt": {
      const prompt = PROMPTS.find((choice) => choice === value);
      return prompt && { prompt };
    }
    case "timeout": {
      const timeoutMs = toMilliseconds(value);
      return timeoutMs === undefined ? undefined : { timeoutMs };
    }
    case "prompt-timeout": {
      const promptTimeoutMs = toMilliseconds(value);
      return promptTimeoutMs === undefined ? undefined : { promptTimeoutMs };
    }
  }
}

function toMilliseconds(seconds: unknown): number | undefined {
  return typeof seconds === "number" && seconds > 0 && seconds <= MAX_SECONDS
    ? Math.ceil(seconds * 1000)
    : undefined;
}

/** A variable or argument is text; the timeouts are numbers in it. */
function fromText(key: SettingKey, text: string): unknown {
  return (key === "timeout" || key === "prompt-timeout") &&
      /^\d{1,6}(\.\d{1,6})?$/.test(text)
    ? Number(text)
    : text;
}

/** A name that was not made to be a secret: letters and hyphens, and few. */
function isShowable(name: string): boolean {
  return /^[A-Za-z_-]{1,24}$/.test(name);
}

function knownKeys(prefix: string): string {
  return SETTING_KEYS.map((key) => `\`${prefix}${key}\``).join(", ");
}

/**
 * The settings in the environment.
 *
 * @param env The environment; names in capitals on Windows.
 * @returns The settings, or the variable that is wrong.
 */
export function parseEnvironment(
  env: Readonly<Record<string, string>>,
): PartialSettings | WrongSetting {
  let settings: PartialSettings = {};
  for (const key of SETTING_KEYS) {
    const variable = variableOf(key);
    if (!Object.hasOwn(env, variable)) continue;
    const parsed = parseValue(key, fromText(key, env[variable] ?? ""));
    if (parsed === undefined) {
      return wrong(
        { where: "the environment", key: variable, system: false },
        `\`${variable}\` must be ${expected(key)}`,
      );
    }
    settings = { ...settings, ...parsed };
  }
  return settings;
}

function variableOf(key: SettingKey): string {
  return VARIABLE_PREFIX + key.toUpperCase().replace("-", "_");
}

/**
 * Names the variables that look like settings and are none.
 *
 * @param env The environment; names in capitals on Windows.
 * @returns A notice for each.
 */
export function findUnknownVariables(
  env: Readonly<Record<string, string>>,
): readonly SettingsNotice[] {
  const known = SETTING_KEYS.map(variableOf);
  return Object.keys(env)
    .filter((name) =>
      name.toUpperCase().startsWith(VARIABLE_PREFIX) && !known.includes(name)
    )
    .map((name) => ({
      topic: "unknown-variable",
      text: `${
        isShowable(name.slice(VARIABLE_PREFIX.length))
          ? `the environment variable \`${name}\``
          : `an environment variable beginning with \`${VARIABLE_PREFIX}\``
      } sets nothing; those that do are ${
        known.map((variable) => `\`${variable}\``).join(", ")
      }`,
    }));
}

/**
 * The settings in the provider's arguments. They come from cargo's
 * configuration, perhaps a project's, and from `cargo login --`: no value and
 * nothing that is no option is repeated, since people pass tokens there.
 *
 * @param args The arguments of the request.
 * @returns The settings, or the argument that is wrong.
 */
export async function parseArguments(
  args: readonly string[],
): Promise<PartialSettings | WrongSetting> {
  const { parseArgs } = await import("@std/cli/parse-args");
  // An object, as an assignment in the callback is not seen by the checker.
  const unknown: { argument?: string } = {};
  const parsed = parseArgs(args, {
    string: SETTING_KEYS,
    unknown: (argument) => {
      unknown.argument ??= argument;
      return false;
    },
  });
  // What follows `--` never reaches the callback.
  const stray = unknown.argument ?? (parsed._.length > 0 ? "" : undefined);
  if (stray !== undefined) return describeUnknownArgument(stray);
  let settings: PartialSettings = {};
  for (const key of SETTING_KEYS) {
    if (!Object.hasOwn(parsed, key)) continue;
    const text = parsed[key];
    const value = parseValue(
      key,
      typeof text === "string" ? fromText(key, text) : text,
    );
    if (value === undefined) {
      return wrong(
        { where: ARGUMENTS, key: `--${key}`, system: false },
        `\`--${key}\` must be ${expected(key)}`,
      );
    }
    settings = { ...settings, ...value };
  }
  return settings;
}

function describeUnknownArgument(argument: string): WrongSetting {
  const option = argument.startsWith("--")
    ? argument.slice(2).replace(/=.*$/s, "")
    : "";
  const key = isShowable(option) ? `--${option}` : "an argument";
  return wrong(
    { where: ARGUMENTS, key, system: false },
    isShowable(option)
      ? `\`${key}\` is no option; there are ${knownKeys("--")}`
      : "an argument that is no option is not shown, since it may be a " +
        "token, and not used: `cargo login` asks for the token. The options " +
        `are ${knownKeys("--")}`,
  );
}

/** Which file {@linkcode parseSettingsFile} reads. */
export interface ParseSettingsFileOptions {
  /** Its path, for people. */
  readonly path: string;
  /** Whether it is the system file, which may have `[enforce]`. */
  readonly system: boolean;
}

/**
 * The settings in a file. Every value in it is checked, whichever registry
 * the request is about: a mistake must not wait for its day.
 *
 * @param document The file, parsed.
 * @param options Which file it is.
 * @returns The settings, or the first one that is wrong.
 */
export function parseSettingsFile(
  document: Readonly<Record<string, unknown>>,
  options: ParseSettingsFileOptions,
): SystemFileSettings | WrongSetting {
  const { path: where, system } = options;
  const general: Record<string, unknown> = { ...document };
  delete general["registry"];
  if (system) delete general["enforce"];

  const parsed = parseTable(general, { where, system, table: "" });
  if (isWrong(parsed)) return parsed;
  const registries = parseRegistries(
    Object.hasOwn(document, "registry") ? document["registry"] : [],
    { where, system },
  );
  if (isWrong(registries)) return registries;
  if (!system || !Object.hasOwn(document, "enforce")) {
    return { general: parsed, registries, enforce: {} };
  }
  const table = document["enforce"];
  if (!isTable(table)) {
    return wrong(
      { where, key: "enforce", system },
      "`enforce` must be a table `[enforce]`",
    );
  }
  const enforce = parseTable(table, { where, system, table: "[enforce] " });
  if (isWrong(enforce)) return enforce;
  return { general: parsed, registries, enforce };
}

/** A table of a settings file. */
interface TablePlace {
  readonly where: string;
  readonly system: boolean;
  /** Its header with a space behind it, or nothing. */
  readonly table: string;
}

function parseTable(
  table: Readonly<Record<string, unknown>>,
  place: TablePlace,
): PartialSettings | WrongSetting {
  const { where, system } = place;
  let settings: PartialSettings = {};
  for (const [name, value] of Object.entries(table)) {
    const shown = isShowable(name) ? name : "a key";
    const key = place.table + shown;
    if (!isSettingKey(name)) {
      return wrong(
        { where, key, system },
        name === "enforce"
          ? "`[enforce]` is for the system-wide file alone"
          : `\`${key}\` is no setting; there are ${knownKeys("")}`,
      );
    }
    const parsed = parseValue(name, value);
    if (parsed === undefined) {
      return wrong(
        { where, key, system },
        `\`${key}\` must be ${expected(name)}`,
      );
    }
    settings = { ...settings, ...parsed };
  }
  return settings;
}

/** Ways to write crates.io's index that cargo never sends. */
const CRATES_IO_ALIASES =
  /^(crates-io|crates\.io|sparse\+https:\/\/index\.crates\.io\/?|https:\/\/index\.crates\.io\/?|https:\/\/crates\.io\/?|https:\/\/github\.com\/rust-lang\/crates\.io-index(\.git|\/))$/;

function parseRegistries(
  value: unknown,
  place: Omit<TablePlace, "table">,
): ReadonlyMap<string, PartialSettings> | WrongSetting {
  const at = (key: string): Place => ({ ...place, key });
  if (!Array.isArray(value)) {
    return wrong(at("registry"), "`registry` must be written `[[registry]]`");
  }
  const registries = new Map<string, PartialSettings>();
  for (const entry of value) {
    const index = isTable(entry) && Object.hasOwn(entry, "index")
      ? entry["index"]
      : undefined;
    if (!isTable(entry) || typeof index !== "string" || index === "") {
      return wrong(
        at("[[registry]] index"),
        "each `[[registry]]` needs `index`, the registry's index URL",
      );
    }
    if (CRATES_IO_ALIASES.test(index)) {
      return wrong(
        at("[[registry]] index"),
        "the `index` of crates.io is written " +
          "`https://github.com/rust-lang/crates.io-index`, which is how " +
          "cargo asks for it",
      );
    }
    if (registries.has(index)) {
      return wrong(
        at("[[registry]] index"),
        "two `[[registry]]` have the same `index`",
      );
    }
    const { index: _, ...rest } = entry;
    const parsed = parseTable(rest, { ...place, table: "[[registry]] " });
    if (isWrong(parsed)) return parsed;
    registries.set(index, parsed);
  }
  return registries;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date);
}

/**
 * Tells a wrong setting from settings.
 *
 * @param value What a parser gave back.
 * @returns Whether it is a mistake.
 */
export function isWrong(value: object): value is WrongSetting {
  return "kind" in value && value.kind === "wrong";
}
