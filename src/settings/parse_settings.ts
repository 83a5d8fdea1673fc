import { VARIABLE_PREFIX } from "./places.ts";
import { TOKEN_FILE_VARIABLE } from "../cargo/environment_token.ts";
import { sameRegistry } from "../cargo/spellings.ts";
import {
  type PartialSettings,
  SETTINGS,
  type SettingsNotice,
  type WrongSetting,
} from "./settings.ts";

/** What the user's settings file sets. */
export interface FileSettings {
  /** For every registry. */
  readonly general: PartialSettings;
  /** `[[registry]]`: stronger than `general`. */
  readonly registries: readonly RegistrySettings[];
}

/** What a file sets for one registry. */
export interface RegistrySettings {
  /** The registry's index URL, in whatever spelling. */
  readonly index: string;
  readonly settings: PartialSettings;
}

/** What the system file sets. */
export interface SystemFileSettings extends FileSettings {
  /** `[enforce]`: what nobody can override. */
  readonly enforce: PartialSettings;
}

/** A file that sets nothing, or none at all. */
export const NO_FILE_SETTINGS: SystemFileSettings = {
  general: {},
  registries: [],
  enforce: {},
};

const ROWS = Object.entries(SETTINGS).map(([name, row]) => ({
  ...row,
  name,
  variable: VARIABLE_PREFIX + row.key.toUpperCase().replaceAll("-", "_"),
}));

/** Where a setting stands. */
interface Place {
  readonly where: string;
  readonly system: boolean;
}

function wrong(place: Place, key: string, problem: string): WrongSetting {
  const message = `${problem} (${place.where})`;
  return { kind: "wrong", ...place, key, message };
}

/** Tells a wrong setting from settings. */
export function isWrong(value: object): value is WrongSetting {
  return "kind" in value && value.kind === "wrong";
}

/** A name that was not made to be a secret: letters and hyphens, and few. */
function isShowable(name: string): boolean {
  return /^[A-Za-z_-]{1,24}$/.test(name);
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

/**
 * The settings in the environment, or the variable that is wrong. On Windows
 * its names are in capitals.
 */
export function parseEnvironment(
  env: Readonly<Record<string, string>>,
): PartialSettings | WrongSetting {
  let settings: PartialSettings = {};
  for (const { name, variable, expected, parse, fromText } of ROWS) {
    if (!Object.hasOwn(env, variable)) continue;
    const value = parse(fromText(env[variable] ?? ""));
    if (value === undefined) {
      return wrong(
        { where: "the environment", system: false },
        variable,
        `\`${variable}\` must be ${expected}`,
      );
    }
    settings = { ...settings, [name]: value };
  }
  return settings;
}

/** A notice for each variable that looks like a setting and is none. */
export function findUnknownVariables(
  env: Readonly<Record<string, string>>,
): readonly SettingsNotice[] {
  const known = [...ROWS.map(({ variable }) => variable), TOKEN_FILE_VARIABLE];
  return Object.keys(env)
    .filter((name) =>
      name.toUpperCase().startsWith(VARIABLE_PREFIX) &&
      !known.includes(name) && !name.startsWith(`${TOKEN_FILE_VARIABLE}_`)
    )
    .map((name) => ({
      topic: "unknown-variable",
      text: `${
        isShowable(name.slice(VARIABLE_PREFIX.length))
          ? `the environment variable \`${name}\``
          : `an environment variable beginning with \`${VARIABLE_PREFIX}\``
      } sets nothing; those that do are ${listOf(known)}`,
    }));
}

/** Which file {@linkcode parseSettingsFile} reads. */
export interface ParseSettingsFileOptions {
  /** Its path, for people. */
  readonly path: string;
  /** Whether it is the system file, which may have `[enforce]`. */
  readonly system: boolean;
}

/**
 * The settings in a parsed file, or the first one that is wrong. Every value
 * in it is checked, whichever registry the request is about: a mistake must
 * not wait for its day.
 */
export function parseSettingsFile(
  document: Readonly<Record<string, unknown>>,
  { path: where, system }: ParseSettingsFileOptions,
): SystemFileSettings | WrongSetting {
  const place = { where, system };
  const { registry = [], ...others } = document;
  const { enforce, ...general } = system
    ? { enforce: {}, ...others }
    : { ...others, enforce: {} };
  if (!system && Object.hasOwn(document, "enforce")) {
    return wrong(
      place,
      "enforce",
      "`[enforce]` is for the system-wide file alone",
    );
  }
  const forAll = parseTable(general, place, "");
  if (isWrong(forAll)) return forAll;
  const registries = parseRegistries(registry, place);
  if (isWrong(registries)) return registries;
  if (!isTable(enforce)) {
    return wrong(place, "enforce", "`enforce` must be a table `[enforce]`");
  }
  const enforced = parseTable(enforce, place, "[enforce] ");
  return isWrong(enforced)
    ? enforced
    : { general: forAll, registries, enforce: enforced };
}

/** `header` is the table's, with a space behind it, or nothing. */
function parseTable(
  table: Readonly<Record<string, unknown>>,
  place: Place,
  header: string,
): PartialSettings | WrongSetting {
  let settings: PartialSettings = {};
  for (const [written, value] of Object.entries(table)) {
    const key = header + (isShowable(written) ? written : "a key");
    const row = ROWS.find((candidate) => candidate.key === written);
    if (row === undefined) {
      const keys = listOf(ROWS.map((known) => known.key));
      return wrong(
        place,
        key,
        `unknown setting \`${key}\`; valid settings are ${keys}`,
      );
    }
    const parsed = row.parse(value);
    if (parsed === undefined) {
      return wrong(place, key, `\`${key}\` must be ${row.expected}`);
    }
    settings = { ...settings, [row.name]: parsed };
  }
  return settings;
}

/** Ways to write crates.io's index that cargo never sends. */
const CRATES_IO_ALIASES =
  /^(crates-io|crates\.io|(sparse\+)?https:\/\/index\.crates\.io\/?|https:\/\/crates\.io\/?)$/;

function parseRegistries(
  value: unknown,
  place: Place,
): readonly RegistrySettings[] | WrongSetting {
  if (!Array.isArray(value)) {
    return wrong(
      place,
      "registry",
      "`registry` must be written `[[registry]]`",
    );
  }
  const wrongIndex = (problem: string): WrongSetting =>
    wrong(place, "[[registry]] index", problem);
  const registries: RegistrySettings[] = [];
  for (const entry of value) {
    const { index, ...others } = isTable(entry) ? entry : {};
    if (typeof index !== "string" || index === "") {
      return wrongIndex(
        "each `[[registry]]` needs `index`, the registry's index URL",
      );
    }
    if (CRATES_IO_ALIASES.test(index)) {
      return wrongIndex(
        "the `index` of crates.io is written " +
          "`https://github.com/rust-lang/crates.io-index`, which is how " +
          "cargo asks for it",
      );
    }
    if (settingsOf(registries, index) !== undefined) {
      return wrongIndex("two `[[registry]]` have the same `index`");
    }
    const settings = parseTable(others, place, "[[registry]] ");
    if (isWrong(settings)) return settings;
    registries.push({ index, settings });
  }
  return registries;
}

/** What is set for a registry, by any spelling of its URL. */
export function settingsOf(
  registries: readonly RegistrySettings[],
  indexUrl: string,
): PartialSettings | undefined {
  return registries.find(({ index }) => sameRegistry(index, indexUrl))
    ?.settings;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date);
}
