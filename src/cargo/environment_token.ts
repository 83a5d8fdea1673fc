import { Secret } from "../base/secret.ts";
import type { ConfigLayers } from "./config.ts";
import type { Environment } from "./home.ts";
import {
  CRATES_IO_INDEX,
  CRATES_IO_NAME,
  environmentName,
  type RegistryRef,
} from "./registries.ts";
import type { TokenFileFault } from "./token_file.ts";

/** A file that the environment names for a registry's token. */
export interface NamedFile {
  readonly path: string;
  /** Whether every user of the machine may read it. */
  readonly readableByOthers: boolean;
}

/** What the environment has for a registry's token. */
export type EnvironmentToken =
  | { readonly kind: "none" }
  /** Set to nothing: cargo takes that for a token, and refuses it. */
  | { readonly kind: "empty"; readonly variable: string }
  | {
    readonly kind: "token";
    readonly variable: string;
    readonly token: Secret;
    /** Where the token is, if the variable only names a file. */
    readonly file?: NamedFile;
  }
  /** The variable names a file that holds no token. */
  | {
    readonly kind: "unusable";
    readonly variable: string;
    readonly path: string;
    readonly fault: TokenFileFault;
  };

const NONE: EnvironmentToken = { kind: "none" };

/**
 * Names the file of crates.io's token; with `_` and a registry's name behind it
 * the file of that one's.
 *
 * Cargo fails where a variable begins like one of its own, followed by `_`:
 * with `CARGO_REGISTRY_TOKEN_FILE` "missing config key `registry.token`".
 */
export const TOKEN_FILE_VARIABLE = "CARGO_CREDENTIAL_KEYRING_TOKEN_FILE";

/** systemd.exec(5), `LoadCredential=`. */
const CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY";

/**
 * Finds a registry's token in the environment. The first of these that is set
 * decides, and none of the others is looked at:
 *
 * 1. the variable that `cargo:token` reads: `CARGO_REGISTRY_TOKEN` for
 *    crates.io and for nothing else; for another registry
 *    `CARGO_REGISTRIES_NAME_TOKEN`
 * 2. `CARGO_CREDENTIAL_KEYRING_TOKEN_FILE`, for another registry with `_NAME`
 *    behind it, which names a file; empty, it is not set
 * 3. a file `cargo-registry-NAME` in systemd's `CREDENTIALS_DIRECTORY`
 *
 * The name is the one that the index URL is bound to, by a
 * `CARGO_REGISTRIES_NAME_INDEX` or else by the configuration. The name of the
 * request counts only if that finds none.
 *
 * `loadConfig`: loads the configuration. It is called only if something is set
 * that may be for this registry, and no index variable has the URL.
 */
export async function environmentToken(
  environment: Environment,
  request: RegistryRef,
  loadConfig: () => Promise<ConfigLayers>,
): Promise<EnvironmentToken> {
  if (request.indexUrl === CRATES_IO_INDEX) {
    const names = [CRATES_IO_NAME];
    return await look(
      environment,
      "CARGO_REGISTRY_TOKEN",
      TOKEN_FILE_VARIABLE,
      names,
    );
  }
  if (!Object.keys(environment).some(isOfRegistries)) return NONE;
  const { environmentNames, registryNames } = await import(
    "./registry_index.ts"
  );
  let [name] = environmentNames(environment, request.indexUrl);
  if (name === undefined) {
    [name] = registryNames(await loadConfig(), request.indexUrl);
  }
  name ??= request.name;
  if (name === undefined) return NONE;
  const own = environmentName(name);
  // What a variable binds has lost its hyphens and its capitals.
  const spellings = request.name !== undefined && request.name !== name &&
      environmentName(request.name) === own
    ? [request.name, name]
    : [name];
  return await look(
    environment,
    `CARGO_REGISTRIES_${own}_TOKEN`,
    `${TOKEN_FILE_VARIABLE}_${own}`,
    spellings,
  );
}

function isOfRegistries(variable: string): boolean {
  return variable === CREDENTIALS_DIRECTORY ||
    variable.startsWith(`${TOKEN_FILE_VARIABLE}_`) ||
    /^CARGO_REGISTRIES_.*_TOKEN$/.test(variable);
}

async function look(
  environment: Environment,
  variable: string,
  fileVariable: string,
  names: readonly string[],
): Promise<EnvironmentToken> {
  const value = environment[variable];
  if (value === "") return { kind: "empty", variable };
  if (value !== undefined) {
    return { kind: "token", variable, token: Secret.fromString(value) };
  }
  const path = environment[fileVariable] ?? "";
  if (path !== "") return await readNamed(fileVariable, path);
  const folder = environment[CREDENTIALS_DIRECTORY] ?? "";
  if (folder === "") return NONE;
  // A name comes from a checkout's configuration: none leads out of there.
  for (const name of names.filter((name) => /^[\w-]+$/.test(name))) {
    const found = await readNamed(
      CREDENTIALS_DIRECTORY,
      `${folder}/cargo-registry-${name}`,
      true,
    );
    if (found.kind !== "none") return found;
  }
  return NONE;
}

/** `optional`: whether nobody has said that the file is there. */
async function readNamed(
  variable: string,
  path: string,
  optional = false,
): Promise<EnvironmentToken> {
  const { readTokenFile } = await import("./token_file.ts");
  const file = readTokenFile(path);
  if (file.kind === "token") {
    const { token, readableByOthers } = file;
    const named = { path, readableByOthers };
    return { kind: "token", variable, token, file: named };
  }
  if (optional && file.kind === "absent") return NONE;
  return { kind: "unusable", variable, path, fault: file };
}
