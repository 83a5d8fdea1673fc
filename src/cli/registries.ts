import { type ConfigLayers, isTable, valueAt } from "../cargo/config.ts";
import { CRATES_IO_INDEX, CRATES_IO_NAME } from "../cargo/registries.ts";
import {
  configuredNames,
  environmentNames,
  registryIndex,
  sameRegistry,
  userIndexes,
} from "../cargo/registry_index.ts";

/** A registry's name, and where it leads. */
export interface NamedRegistry {
  readonly name: string;
  readonly indexUrl: string;
}

/** What a name means, by whose word. */
export type NameMeaning =
  /** The user's own configuration says so. */
  | {
    readonly kind: "own";
    readonly indexUrl: string;
    /** Another URL that a project binds the name to here. */
    readonly reboundTo?: string;
  }
  /** A project alone says so. */
  | { readonly kind: "project"; readonly indexUrl: string }
  | { readonly kind: "none" };

/** What a name means here. */
export function meaningOf(
  layers: ConfigLayers,
  cwd: string,
  name: string,
): NameMeaning {
  if (name === CRATES_IO_NAME) {
    return { kind: "own", indexUrl: CRATES_IO_INDEX };
  }
  const merged = registryIndex(layers, cwd, name);
  const [own] = userIndexes(layers, cwd, name);
  if (own === undefined) {
    return merged === undefined
      ? { kind: "none" }
      : { kind: "project", indexUrl: merged.url };
  }
  return merged === undefined || sameRegistry(merged.url, own.url)
    ? { kind: "own", indexUrl: own.url }
    : { kind: "own", indexUrl: own.url, reboundTo: merged.url };
}

/**
 * Whether the user's own configuration leads from a name to a URL, or to another
 * spelling of it that cargo takes for the same registry.
 */
export function leadsTo(
  layers: ConfigLayers,
  cwd: string,
  name: string,
  indexUrl: string,
): boolean {
  const meaning = meaningOf(layers, cwd, name);
  return meaning.kind === "own" &&
    (meaning.indexUrl === indexUrl || sameRegistry(meaning.indexUrl, indexUrl));
}

/**
 * The names that the user's own configuration has for a URL: those of the files
 * first, and those that a project does not rebind here. A project's names do
 * not count.
 */
export function ownNames(
  layers: ConfigLayers,
  cwd: string,
  indexUrl: string,
): string[] {
  if (indexUrl === CRATES_IO_INDEX) return [CRATES_IO_NAME];
  const candidates = new Set([
    ...configuredNames(layers),
    ...environmentNames(layers.environment, indexUrl),
  ]);
  const names = [...candidates].filter((name) =>
    leadsTo(layers, cwd, name, indexUrl)
  );
  const isRebound = (name: string): boolean => {
    const meaning = meaningOf(layers, cwd, name);
    return meaning.kind === "own" && meaning.reboundTo !== undefined;
  };
  return [
    ...names.filter((name) => !isRebound(name)),
    ...names.filter(isRebound),
  ];
}

/** Every registry of the user's own configuration, crates.io first. */
export function ownRegistries(
  layers: ConfigLayers,
  cwd: string,
): NamedRegistry[] {
  const bound = configuredNames(layers).flatMap((name) =>
    userIndexes(layers, cwd, name).map(({ url }) => ({ name, indexUrl: url }))
  );
  return [{ name: CRATES_IO_NAME, indexUrl: CRATES_IO_INDEX }, ...bound];
}

/** A token in a configuration file, which no command of ours edits. */
export interface ConfigToken {
  readonly name: string;
  /** The file. */
  readonly path: string;
  /** Its table there, as it is written in TOML. */
  readonly table: string;
}

/** The tokens that stand in cargo's configuration files, the nearest last. */
export function configTokens(
  layers: ConfigLayers,
  credentialsPath: string,
): ConfigToken[] {
  return layers.files.flatMap(({ path, values }) => {
    if (path === credentialsPath) return [];
    const found: ConfigToken[] = [];
    if (typeof valueAt(values, ["registry", "token"]) === "string") {
      found.push({ name: CRATES_IO_NAME, path, table: "[registry]" });
    }
    const registries = valueAt(values, ["registries"]);
    for (const name of isTable(registries) ? Object.keys(registries) : []) {
      if (typeof valueAt(values, ["registries", name, "token"]) !== "string") {
        continue;
      }
      found.push({ name, path, table: tableOf(name) });
    }
    return found;
  });
}

/** A registry's table, as it is written in TOML. */
export function tableOf(name: string): string {
  return `[registries.${/^[\w-]+$/.test(name) ? name : JSON.stringify(name)}]`;
}
