import { executablePath } from "../base/executable.ts";
import { type ConfigLayers, valueAt } from "./config.ts";
import {
  baseName,
  isAbsolutePath,
  parentPath,
  resolvePath,
} from "../base/paths.ts";
import {
  CRATES_IO_INDEX,
  environmentName,
  type RegistryRef,
} from "./registries.ts";
import { registryNames } from "./registry_index.ts";
import type { TomlValue } from "../toml/document.ts";

/** One provider that cargo asks. */
export interface ProviderEntry {
  /** The program or the built-in provider, its alias resolved. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** The configuration file or the environment variable that lists it. */
  readonly where: string;
}

/** The providers that cargo asks for one registry. */
export interface ProviderChain {
  /** In the order in which cargo asks them. */
  readonly entries: readonly ProviderEntry[];
  /** Who decides: one provider for this registry, the list, or nobody. */
  readonly source: "registry" | "global" | "default";
}

/** Where `cargo:token` stands as seen from one provider. */
export interface CargoTokenPlace {
  /** Whether it is asked after that provider. */
  readonly cargoTokenFollows: boolean;
  /** Whether it is asked at all. */
  readonly cargoTokenListed: boolean;
}

/** Whether a promise holds that cargo asks this program for a registry. */
export type Reach =
  /** The user's files list this program, and nothing here overrules them. */
  | {
    readonly kind: "listed";
    /** The file. */
    readonly where: string;
    /** The entry's arguments: they are no source of settings. */
    readonly args: readonly string[];
  }
  | {
    readonly kind: "not-listed";
    /**
     * What keeps cargo from asking: a file or a variable; `undefined` where
     * nothing is configured.
     */
    readonly where: string | undefined;
    /**
     * What cargo asks in place of this program, in order; empty where the file
     * cannot be read, so that nobody knows.
     */
    readonly instead: readonly string[];
  };

/** The name of this program's file, without an extension. */
const PROGRAM_NAME = "cargo-credential-keyring";

/** Where an entry stands that nobody has configured. */
const DEFAULT = "default";

/** An alias cannot take one of these names (cargo: `BUILT_IN_PROVIDERS`). */
const BUILT_IN = new Set([
  "cargo:token",
  "cargo:paseto",
  "cargo:token-from-stdout",
  "cargo:libsecret",
  "cargo:macos-keychain",
  "cargo:wincred",
]);

/**
 * Works out which providers cargo asks for a registry (cargo:
 * `src/cargo/util/auth/mod.rs`, `credential_provider`): the registry's own one
 * alone, else the entries of `registry.global-credential-providers` from all
 * layers, the last one first, else `cargo:token`. What `--config` adds on the
 * command line cannot be seen from here.
 */
export function providerChain(
  layers: ConfigLayers,
  request: RegistryRef,
): ProviderChain {
  return chainOf(layers, request, registryNames(layers, request.indexUrl));
}

function chainOf(
  layers: ConfigLayers,
  request: RegistryRef,
  names: readonly string[],
): ProviderChain {
  const own = registryProvider(layers, request, names);
  if (own !== undefined) {
    return { entries: [resolveAlias(layers, own)], source: "registry" };
  }
  const list = globalProviders(layers);
  if (list.length === 0) {
    const entry = { program: "cargo:token", args: [], where: DEFAULT };
    return { entries: [entry], source: "default" };
  }
  const entries = list.reverse().map((entry) => resolveAlias(layers, entry));
  return { entries, source: "global" };
}

/**
 * Finds `cargo:token` in a chain, as seen from this program. If the chain does
 * not show which entry started this program (a wrapper did), `cargo:token` is
 * taken to follow wherever it is listed.
 *
 * `programName`: the name of this program's file, without an extension;
 * `cargo-credential-keyring` by default.
 * Returns whether `cargo:token` follows, and whether it is listed.
 */
export function cargoTokenPlace(
  chain: ProviderChain,
  programName: string = PROGRAM_NAME,
): CargoTokenPlace {
  const { entries } = chain;
  const us = entries.findIndex(({ program }) =>
    isProgram(program, programName)
  );
  const isCargoToken = ({ program }: ProviderEntry): boolean =>
    program === "cargo:token";
  return {
    cargoTokenFollows: entries.slice(us + 1).some(isCargoToken),
    cargoTokenListed: entries.some(isCargoToken),
  };
}

/**
 * Whether a token may leave the credentials file: whether cargo will ask this
 * program for it the next time. The user's files alone have to say so, since a
 * variable or a project holds for some commands only; and what holds here must
 * not say otherwise.
 */
export function reachesUs(
  layers: ConfigLayers,
  request: RegistryRef,
  executable: string | undefined = executablePath(),
): Reach {
  const unread = layers.problems.find(({ layer }) => layer === "user");
  if (unread !== undefined) {
    return { kind: "not-listed", where: unread.path, instead: [] };
  }
  const lasting: ConfigLayers = {
    environment: {},
    files: layers.files.filter(({ layer }) => layer === "user"),
    problems: [],
  };
  const names = registryNames(layers, request.indexUrl);
  const find = (layers: ConfigLayers): Reach => {
    const { entries } = chainOf(layers, request, names);
    const us = entries.find((entry) => isThisProgram(entry, executable));
    if (us !== undefined) {
      return { kind: "listed", where: us.where, args: us.args };
    }
    const where = entries[0]?.where;
    return {
      kind: "not-listed",
      where: where === DEFAULT ? undefined : where,
      instead: entries.map(({ program }) => program),
    };
  };
  const here = find(layers);
  return here.kind === "listed" ? find(lasting) : here;
}

/**
 * Wherever the program lies; `name` has no extension. From Linux the Windows
 * program is another one, with another store (WSL).
 */
function isProgram(program: string, name: string): boolean {
  const base = baseName(program);
  return base === name ||
    Deno.build.os === "windows" &&
      base.replace(/\.(?:exe|cmd)$/i, "") === name;
}

/** By its name, or because it is the very file that runs. */
export function isThisProgram(
  entry: ProviderEntry,
  executable: string | undefined = executablePath(),
): boolean {
  const { program, where } = entry;
  if (isProgram(program, PROGRAM_NAME)) return true;
  if (!/[\\/]/.test(program) || !isAbsolutePath(where)) return false;
  // Relative to the directory above the file's (cargo: `Definition::root`).
  const root = parentPath(parentPath(where));
  return executable !== undefined &&
    isSameFile(resolvePath(root, program), executable);
}

/** Whether an entry is the program of the Windows side of WSL. */
export function isWindowsProgram({ program }: ProviderEntry): boolean {
  return Deno.build.os === "linux" &&
    baseName(program) === `${PROGRAM_NAME}.exe`;
}

function isSameFile(one: string, other: string): boolean {
  try {
    return Deno.realPathSync(one) === Deno.realPathSync(other);
  } catch {
    // One that is not there is not the one that runs.
    return false;
  }
}

/** `registries.NAME.credential-provider`, `registry.credential-provider`. */
function registryProvider(
  layers: ConfigLayers,
  request: RegistryRef,
  [name]: readonly string[],
): ProviderEntry | undefined {
  if (request.indexUrl === CRATES_IO_INDEX) {
    return strongest(
      layers,
      ["registry", "credential-provider"],
      "CARGO_REGISTRY_CREDENTIAL_PROVIDER",
    );
  }
  return name === undefined ? undefined : strongest(
    layers,
    ["registries", name, "credential-provider"],
    `CARGO_REGISTRIES_${environmentName(name)}_CREDENTIAL_PROVIDER`,
  );
}

/** All layers' lists, one behind the other. */
function globalProviders(layers: ConfigLayers): ProviderEntry[] {
  const key = ["registry", "global-credential-providers"];
  const listed = layers.files.flatMap(({ values, path }) => {
    const list = valueAt(values, key);
    return Array.isArray(list)
      ? list.flatMap((item: TomlValue) => entryOf(item, path) ?? [])
      : [];
  });
  const variable = "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS";
  const added = words(layers.environment[variable] ?? "")
    .map((program) => ({ program, args: [], where: variable }));
  return [...listed, ...added];
}

/** Only an entry without arguments can be an alias, and only once. */
function resolveAlias(
  layers: ConfigLayers,
  entry: ProviderEntry,
): ProviderEntry {
  const { program, args } = entry;
  // Cargo splits the key at its dots and finds nothing.
  if (args.length > 0 || BUILT_IN.has(program) || program.includes(".")) {
    return entry;
  }
  return strongest(
    layers,
    ["credential-alias", program],
    `CARGO_CREDENTIAL_ALIAS_${environmentName(program)}`,
  ) ?? entry;
}

/** A provider that is not merged: the environment's, else the nearest file's. */
function strongest(
  layers: ConfigLayers,
  key: readonly string[],
  variable: string,
): ProviderEntry | undefined {
  const fromEnvironment = layers.environment[variable];
  if (fromEnvironment !== undefined) {
    const entry = entryOf(fromEnvironment, variable);
    if (entry !== undefined) return entry;
  }
  return layers.files.flatMap(({ values, path }) =>
    entryOf(valueAt(values, key), path) ?? []
  ).at(-1);
}

/** A string is split at white space, an array is taken as it is. */
function entryOf(
  value: TomlValue | undefined,
  where: string,
): ProviderEntry | undefined {
  const parts = typeof value === "string"
    ? words(value)
    : Array.isArray(value)
    ? value.filter((part: TomlValue) => typeof part === "string")
    : [];
  const [program, ...args] = parts;
  return program === undefined ? undefined : { program, args, where };
}

function words(text: string): string[] {
  return text.split(/[ \t\n\f\r]+/).filter((word) => word !== "");
}
