import { chooseFile } from "./choose_file.ts";
import type { Environment } from "./home.ts";
import {
  baseName,
  isAbsolutePath,
  joinPath,
  parentPath,
  resolvePath,
} from "../base/paths.ts";
import { readRegularFile, type UnreadableReason } from "../base/files.ts";
import { realPath } from "../base/real_path.ts";
import {
  loadTomlParser,
  type TomlParser,
  TomlSyntaxError,
  type TomlValue,
  type TomlValues,
} from "../toml/document.ts";
import { isTable, readSimpleToml } from "../toml/simple.ts";

/** Whose word a configuration file is. */
export type ConfigLayer =
  /** A file in cargo's home, or one that such a file includes. */
  | "user"
  /** A file in a `.cargo` of the current directory or one above it. */
  | "project";

/** One configuration file. */
export interface ConfigFile {
  /** Whose word it is. */
  readonly layer: ConfigLayer;
  /** Where it is. */
  readonly path: string;
  /** What it says. */
  readonly values: TomlValues;
}

/**
 * A configuration file that counts as empty. Where cargo reads it all the same,
 * it may say anything ({@linkcode isUnproven}).
 */
export interface ConfigProblem {
  /** Whose word it would be. */
  readonly layer: ConfigLayer;
  /** The file. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: UnreadableReason | "malformed" | "include-cycle" | "missing";
  /** `malformed` only: where, from 1. */
  readonly line?: number;
  /** `malformed` only: where, from 1. */
  readonly column?: number;
}

/**
 * Cargo's configuration, in separate layers. What `cargo --config` sets on the
 * command line is not part of it: a provider cannot see that.
 */
export interface ConfigLayers {
  /** The environment: stronger than every file. */
  readonly environment: Environment;
  /**
   * The files, the weakest first: an included file before the one that
   * includes it, a directory before those below it, the home in its place
   * among them or weakest of all, and the credentials file last (cargo merges
   * its values over all others).
   */
  readonly files: readonly ConfigFile[];
  /** What could not be read. */
  readonly problems: readonly ConfigProblem[];
}

/** Where configuration is looked for. */
export interface ConfigPlaces {
  /** The environment. */
  readonly environment: Environment;
  /** Cargo's home; `undefined` if there is none, or none that we can read. */
  readonly cargoHome: string | undefined;
  /** Whether cargo has a home that we cannot read. */
  readonly isHomeUnreadable?: boolean;
  /**
   * The current directory: cargo starts there, not at the manifest. `.` where
   * its name cannot be read: what is above it is then looked at as `..`.
   */
  readonly cwd: string;
  /**
   * What the file in cargo's home is taken to say, whether it is there or not:
   * for a change that is only planned.
   */
  readonly homeConfig?: string;
}

/** Keys of cargo's that are read here; a file without any is not parsed. */
const RELEVANT = /registr|credential-alias|include|\\/;
/**
 * How many characters are parsed. Nothing interrupts the parser, and the worst
 * of texts takes it 3 ms for each 1,000 characters, so that this is what keeps
 * a checkout from holding cargo beyond the deadline. More than that counts as
 * `too-large`.
 */
export const MOST_PARSED: Readonly<Record<ConfigLayer, number>> = {
  user: 512 * 1024,
  project: 128 * 1024,
};
/** What reading a file counts for, so that their number is bounded, too. */
const READING = 2048;

/**
 * Reads all of cargo's configuration files that hold for a directory (cargo:
 * `src/cargo/util/context/mod.rs`, `walk_tree` and `load_includes`). No file
 * can block or stop it: see {@linkcode ConfigLayers.problems}.
 */
export async function loadConfig(places: ConfigPlaces): Promise<ConfigLayers> {
  const loader = new Loader();
  if (places.isHomeUnreadable === true) {
    const path = "the configuration in cargo's home";
    loader.problems.push({ layer: "user", path, reason: "unreadable" });
  }
  for (const file of findConfigFiles(places)) {
    await loader.load(file, new Set());
  }
  if (places.cargoHome !== undefined) {
    const credentials = chooseFile(places.cargoHome, "credentials");
    if (credentials !== undefined) await loader.loadCredentials(credentials);
  }
  const { files, problems } = loader;
  return { environment: places.environment, files, problems };
}

/**
 * What a path of keys leads to in the values of a file.
 *
 * Returns the value, or `undefined` if there is none.
 */
export function valueAt(
  values: TomlValues,
  keys: readonly string[],
): TomlValue | undefined {
  let value: TomlValue = values;
  for (const key of keys) {
    if (!isTable(value) || !Object.hasOwn(value, key)) return undefined;
    const next: TomlValue | undefined = value[key];
    if (next === undefined) return undefined;
    value = next;
  }
  return value;
}

interface FoundFile {
  readonly path: string;
  readonly layer: ConfigLayer;
  /** Absent: what is in it. */
  readonly text?: string;
}

/** The files that no other includes, the weakest first. */
function findConfigFiles(places: ConfigPlaces): FoundFile[] {
  const { cargoHome, cwd, homeConfig } = places;
  const home = cargoHome === undefined
    ? undefined
    : realPath(cargoHome) ?? cargoHome;
  const found: FoundFile[] = [];
  const add = (directory: string, layer: ConfigLayer): void => {
    const path = chooseFile(directory, "config");
    if (layer === "user" && homeConfig !== undefined) {
      const planned = path ?? joinPath(directory, "config.toml");
      found.unshift({ path: planned, layer, text: homeConfig });
    } else if (path !== undefined) {
      found.unshift({ path, layer });
    }
  };
  let homeSeen = false;
  for (const directory of ancestors(cwd)) {
    const configDirectory = joinPath(directory, ".cargo");
    const isHome = home !== undefined &&
      (realPath(configDirectory) ?? configDirectory) === home;
    homeSeen ||= isHome;
    add(configDirectory, isHome ? "user" : "project");
  }
  if (cargoHome !== undefined && !homeSeen) add(cargoHome, "user");
  return found;
}

/** A directory and those above it, the nearest first. */
function ancestors(directory: string): string[] {
  if (!isAbsolutePath(directory)) return relativeAncestors(directory);
  const result = [resolvePath(directory, ".")];
  for (;;) {
    const last = result[result.length - 1] ?? "";
    const parent = parentPath(last);
    if (parent === last) return result;
    result.push(parent);
  }
}

/** More than any path has. */
const MOST_DIRECTORIES = 1000;

/** The same, up to the directory that is its own parent. */
function relativeAncestors(directory: string): string[] {
  const result = [directory];
  let last = inode(directory);
  for (let path = ".."; result.length < MOST_DIRECTORIES; path += "/..") {
    const parent = inode(path);
    if (parent === undefined || parent === last) break;
    result.push(path);
    last = parent;
  }
  return result;
}

function inode(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

interface Include {
  readonly path: string;
  readonly optional: boolean;
}

class Loader {
  readonly files: ConfigFile[] = [];
  readonly problems: ConfigProblem[] = [];
  #parser: TomlParser | undefined;
  readonly #left = { ...MOST_PARSED };

  /** Loads a file behind those that it includes. */
  async load(
    { path, layer, text: given }: FoundFile,
    seen: Set<string>,
    optional = false,
  ): Promise<void> {
    const real = realPath(path) ?? path;
    if (seen.has(real)) {
      this.problems.push({ layer, path, reason: "include-cycle" });
      return;
    }
    seen.add(real);
    const text = given ?? this.#read(path, layer, optional);
    if (text === undefined || !RELEVANT.test(text)) return;
    const values = await this.#parse(path, layer, text);
    if (values === undefined) return;
    for (const include of includesOf(values, path)) {
      await this.load({ path: include.path, layer }, seen, include.optional);
      if (this.#left[layer] < 0) break;
    }
    this.files.push({ layer, path, values });
  }

  /** Cargo merges the credentials file into its configuration, over it. */
  async loadCredentials(path: string): Promise<void> {
    const text = this.#read(path, "user", true);
    if (text === undefined || !/index|provider|alias|\\/.test(text)) return;
    const values = await this.#parse(path, "user", text);
    if (values !== undefined) this.files.push({ layer: "user", path, values });
  }

  /** Whether there is so much left to parse. */
  #take(layer: ConfigLayer, characters: number): boolean {
    this.#left[layer] -= characters;
    return this.#left[layer] >= 0;
  }

  #read(
    path: string,
    layer: ConfigLayer,
    optional: boolean,
  ): string | undefined {
    if (!this.#take(layer, READING)) {
      this.problems.push({ layer, path, reason: "too-large" });
      return undefined;
    }
    const outcome = readRegularFile(path);
    switch (outcome.kind) {
      case "text":
        return outcome.text;
      case "absent":
        if (!optional) this.problems.push({ layer, path, reason: "missing" });
        return undefined;
      case "unreadable":
        this.problems.push({ layer, path, reason: outcome.reason });
        return undefined;
    }
  }

  async #parse(
    path: string,
    layer: ConfigLayer,
    text: string,
  ): Promise<TomlValues | undefined> {
    if (!this.#take(layer, text.length)) {
      this.problems.push({ layer, path, reason: "too-large" });
      return undefined;
    }
    try {
      const simple = readSimpleToml(text);
      if (simple !== undefined) return simple;
      this.#parser ??= await loadTomlParser();
      return this.#parser.values(text);
    } catch (error) {
      if (!(error instanceof TomlSyntaxError)) {
        this.problems.push({ layer, path, reason: "unreadable" });
        return undefined;
      }
      const { line, column } = error;
      this.problems.push({
        layer,
        path,
        reason: "malformed",
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
      });
      return undefined;
    }
  }
}

/** `include = ["a.toml", { path = "b.toml", optional = true }]`. */
function includesOf(values: TomlValues, from: string): Include[] {
  const list = valueAt(values, ["include"]);
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: TomlValue): Include[] => {
    const path = isTable(item) ? valueAt(item, ["path"]) : item;
    // Cargo takes no other ending.
    if (typeof path !== "string" || !path.endsWith(".toml")) return [];
    const optional = isTable(item) && valueAt(item, ["optional"]) === true;
    return [{ path: includedPath(from, path), optional }];
  });
}

/** Cargo leaves `..` to the system, for which a link leads elsewhere. */
function includedPath(from: string, path: string): string {
  const directory = from.slice(0, from.length - baseName(from).length);
  const written = joinPath(directory, path);
  if (!isAbsolutePath(written)) return written;
  const tidy = resolvePath(written, ".");
  return realPath(tidy) === realPath(written) ? tidy : written;
}
