import { type ConfigFile, type ConfigLayers, valueAt } from "./config.ts";
import {
  isAbsolutePath,
  joinPath,
  parentPath,
  resolvePath,
} from "../base/paths.ts";
import {
  CRATES_IO_INDEX,
  CRATES_IO_NAME,
  environmentName,
} from "./registries.ts";
import { canonicalUrl, sameRegistry } from "./spellings.ts";
import { isTable } from "../toml/simple.ts";

/** A name's index URL, and whose word it is. */
export interface IndexBinding {
  /** The URL as cargo puts it into a request. */
  readonly url: string;
  /** Who says so: the user (with the environment), or a project. */
  readonly layer: "user" | "project";
  /** The configuration file or the environment variable, for people. */
  readonly where: string;
}

/**
 * Writes an index URL as cargo does in a request: parsed and written again by
 * the WHATWG rules. So `.` and `..` go, and the host of an `https:` URL is put
 * into lower case, but not that of a `sparse+https:` one; nothing else changes,
 * and two URLs are the same only if the results are, byte for byte.
 *
 * Returns the URL, or `undefined` if cargo would refuse it.
 */
export function requestUrl(url: string, root?: string): string | undefined {
  const base = root !== undefined && isAbsolutePath(root)
    ? fileUrl(root)
    : undefined;
  if (base === undefined && /^file:(?!\/)/i.test(url)) return undefined;
  const parsed = URL.parse(url) === null ? null : URL.parse(url, base);
  return parsed === null || parsed.password !== "" ? undefined : parsed.href;
}

/**
 * Everything that binds a name, the strongest first: the environment, then the
 * nearest file (cargo: `get_registry_index`). In the environment `-`, `_` and
 * `.` are one; in a file they are not.
 */
export function indexBindings(
  layers: ConfigLayers,
  cwd: string,
  name: string,
): IndexBinding[] {
  const files = fileIndexes(layers, name).reverse();
  const variable = environmentIndex(layers, cwd, name);
  return variable === undefined ? files : [variable, ...files];
}

/** What all the layers together bind a name to; `undefined`: nothing does. */
export function registryIndex(
  layers: ConfigLayers,
  cwd: string,
  name: string,
): IndexBinding | undefined {
  return indexBindings(layers, cwd, name)[0];
}

/**
 * What the user's own configuration binds a name to, the strongest first: the
 * environment, and the files of cargo's home.
 */
export function userIndexes(
  layers: ConfigLayers,
  cwd: string,
  name: string,
): IndexBinding[] {
  return indexBindings(layers, cwd, name)
    .filter(({ layer }) => layer === "user");
}

/**
 * Whether the user's own configuration, the environment with it, leads from a
 * name to this very URL. crates.io needs no configuration.
 */
export function isBoundByUser(
  layers: ConfigLayers,
  cwd: string,
  name: string,
  indexUrl: string,
): boolean {
  if (indexUrl === CRATES_IO_INDEX) return name === CRATES_IO_NAME;
  return userIndexes(layers, cwd, name)[0]?.url === indexUrl;
}

/**
 * The names under which the user's own configuration leads to a registry,
 * whatever a project says, sorted: where a token of that URL may be put back
 * into the credentials file.
 */
export function userNames(
  layers: ConfigLayers,
  cwd: string,
  indexUrl: string,
): string[] {
  if (indexUrl === CRATES_IO_INDEX) return [CRATES_IO_NAME];
  const candidates = new Map<string, string>();
  for (
    const name of [
      ...environmentNames(layers.environment, indexUrl),
      ...configuredNames(layers),
    ]
  ) {
    const [strongest] = userIndexes(layers, cwd, name);
    if (strongest !== undefined && sameRegistry(strongest.url, indexUrl)) {
      // A file has the name as it is typed, a variable has not.
      candidates.set(environmentName(name), name);
    }
  }
  return [...candidates.values()].sort();
}

/**
 * The names that the environment binds to a URL, as cargo finds them: in lower
 * case, with underscores (cargo: `src/cargo/util/auth/mod.rs`,
 * `registry_credential_config_raw_uncached`).
 */
export function environmentNames(
  environment: ConfigLayers["environment"],
  indexUrl: string,
): string[] {
  const wanted = canonicalUrl(indexUrl);
  return Object.entries(environment).flatMap(([variable, value]) => {
    const name = /^CARGO_REGISTRIES_(.*)_INDEX$/.exec(variable)?.[1];
    return name !== undefined && canonicalUrl(value) === wanted
      ? [name.toLowerCase()]
      : [];
  }).sort();
}

/**
 * The names that are bound to a URL, as cargo finds them: by the environment,
 * and only if it has none, by the files.
 */
export function registryNames(
  layers: ConfigLayers,
  indexUrl: string,
): string[] {
  const fromEnvironment = environmentNames(layers.environment, indexUrl);
  if (fromEnvironment.length > 0) return fromEnvironment;
  const wanted = canonicalUrl(indexUrl);
  return configuredNames(layers).filter((name) => {
    const written = writtenIndexes(layers, name).at(-1)?.value;
    return written !== undefined && canonicalUrl(written) === wanted;
  });
}

/**
 * Every name that anything at all binds to a registry, whether something
 * stronger binds it elsewhere or not.
 */
export function boundNames(layers: ConfigLayers, indexUrl: string): string[] {
  const wanted = canonicalUrl(indexUrl);
  const inFiles = configuredNames(layers).filter((name) =>
    writtenIndexes(layers, name)
      .some(({ value }) => canonicalUrl(value) === wanted)
  );
  return [...environmentNames(layers.environment, indexUrl), ...inFiles];
}

/** Every registry name that a file binds to something. */
export function configuredNames(layers: ConfigLayers): string[] {
  const names = layers.files.flatMap(({ values }) => {
    const registries = valueAt(values, ["registries"]);
    return isTable(registries) ? Object.keys(registries) : [];
  });
  return [...new Set(names)].sort();
}

function environmentIndex(
  layers: ConfigLayers,
  cwd: string,
  name: string,
): IndexBinding | undefined {
  const variable = `CARGO_REGISTRIES_${environmentName(name)}_INDEX`;
  const value = layers.environment[variable];
  const url = value === undefined ? undefined : requestUrl(value, cwd);
  return url === undefined
    ? undefined
    : { url, layer: "user", where: variable };
}

/** What the files bind a name to, the weakest first. */
function fileIndexes(layers: ConfigLayers, name: string): IndexBinding[] {
  return writtenIndexes(layers, name).flatMap(({ file, value }) => {
    const url = requestUrl(value, configRoot(file));
    const { layer, path } = file;
    return url === undefined ? [] : [{ url, layer, where: path }];
  });
}

/**
 * What is written in the files as a name's index, the weakest first. That is
 * what cargo compares with a URL: a relative path is none.
 */
function writtenIndexes(
  { files }: ConfigLayers,
  name: string,
): { readonly file: ConfigFile; readonly value: string }[] {
  return files.flatMap((file) => {
    const value = valueAt(file.values, ["registries", name, "index"]);
    return typeof value === "string" ? [{ file, value }] : [];
  });
}

/** What relative values of a file start from (cargo: `Definition::root`). */
function configRoot(file: ConfigFile): string | undefined {
  if (!isAbsolutePath(file.path)) return undefined;
  return parentPath(parentPath(resolvePath(file.path, ".")));
}

/** The URL of a directory's content: with a slash at its end. */
function fileUrl(directory: string): string {
  const url = new URL("file:///");
  url.pathname = joinPath(directory, "").replaceAll("\\", "/")
    .replaceAll("%", "%25");
  return url.href;
}
