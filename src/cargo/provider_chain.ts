import { type ConfigLayers, valueAt } from "./config.ts";
import { baseName } from "../base/paths.ts";
import {
  CRATES_IO_INDEX,
  environmentName,
  type RegistryRequest,
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

/** The name of this program's file, without an extension. */
const PROGRAM_NAME = "cargo-credential-keyring";

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
 *
 * @param layers The configuration.
 * @param request The registry of a request.
 * @returns The chain.
 */
export function providerChain(
  layers: ConfigLayers,
  request: RegistryRequest,
): ProviderChain {
  const own = registryProvider(layers, request);
  if (own !== undefined) {
    return { entries: [resolveAlias(layers, own)], source: "registry" };
  }
  const list = globalProviders(layers);
  if (list.length === 0) {
    const entry = { program: "cargo:token", args: [], where: "default" };
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
 * @param chain The chain.
 * @param programName The name of this program's file, without an extension;
 * `cargo-credential-keyring` by default.
 * @returns Whether `cargo:token` follows, and whether it is listed.
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

/** Wherever the program lies; `name` has no extension. */
function isProgram(program: string, name: string): boolean {
  return baseName(program).replace(/\.exe$/i, "") === name;
}

/** `registries.NAME.credential-provider`, `registry.credential-provider`. */
function registryProvider(
  layers: ConfigLayers,
  request: RegistryRequest,
): ProviderEntry | undefined {
  if (request.indexUrl === CRATES_IO_INDEX) {
    return strongest(
      layers,
      ["registry", "credential-provider"],
      "CARGO_REGISTRY_CREDENTIAL_PROVIDER",
    );
  }
  const [name] = registryNames(layers, request.indexUrl);
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
