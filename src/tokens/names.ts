import { type ConfigLayers, valueAt } from "../cargo/config.ts";
import { isTable } from "../toml/simple.ts";
import {
  CRATES_IO_INDEX,
  CRATES_IO_NAME,
  type RegistryRef,
} from "../cargo/registries.ts";
import {
  boundNames,
  configuredNames,
  type IndexBinding,
  registryIndex,
  userIndexes,
  userNames,
} from "../cargo/registry_index.ts";
import { sameRegistry } from "../cargo/spellings.ts";

/** What a name means, by whose word. */
export type NameMeaning =
  /** The user's own configuration says so. */
  | {
    readonly kind: "own";
    readonly indexUrl: string;
    /** What binds the name to another registry as well, of the user's own. */
    readonly otherwise?: IndexBinding;
    /** What a project binds the name to here. */
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
  const [own, ...weaker] = userIndexes(layers, cwd, name);
  if (own === undefined) {
    return merged === undefined
      ? { kind: "none" }
      : { kind: "project", indexUrl: merged.url };
  }
  const otherwise = weaker.find(({ url }) => !sameRegistry(url, own.url));
  return {
    kind: "own",
    indexUrl: own.url,
    ...(otherwise === undefined ? {} : { otherwise }),
    ...(merged === undefined || sameRegistry(merged.url, own.url)
      ? {}
      : { reboundTo: merged.url }),
  };
}

/**
 * Whether a token of a registry can be filed under a name: the user's own
 * configuration leads from there to it, and nowhere else.
 */
export function leadsTo(
  layers: ConfigLayers,
  cwd: string,
  name: string,
  indexUrl: string,
): boolean {
  const meaning = meaningOf(layers, cwd, name);
  return meaning.kind === "own" && meaning.otherwise === undefined &&
    sameRegistry(meaning.indexUrl, indexUrl);
}

/**
 * The names that a token of a registry can be filed under, those first that no
 * project has taken for another one here.
 */
export function ownNames(
  layers: ConfigLayers,
  cwd: string,
  indexUrl: string,
): string[] {
  const names = userNames(layers, cwd, indexUrl)
    .filter((name) => leadsTo(layers, cwd, name, indexUrl));
  const isFree = (name: string): boolean => {
    const meaning = meaningOf(layers, cwd, name);
    return meaning.kind === "own" && meaning.reboundTo === undefined;
  };
  return [
    ...names.filter(isFree),
    ...names.filter((name) => !isFree(name)),
  ];
}

/**
 * A name that anything of the user's own binds to a registry, whether something
 * stronger binds it elsewhere or not.
 */
export function nameInUse(
  layers: ConfigLayers,
  cwd: string,
  indexUrl: string,
): string | undefined {
  if (indexUrl === CRATES_IO_INDEX) return CRATES_IO_NAME;
  return boundNames(layers, indexUrl).find((name) =>
    userIndexes(layers, cwd, name).some(({ url }) =>
      sameRegistry(url, indexUrl)
    )
  );
}

/** Every registry of the user's own configuration, crates.io first. */
export function ownRegistries(
  layers: ConfigLayers,
  cwd: string,
): Required<RegistryRef>[] {
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
