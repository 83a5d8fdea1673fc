import { Secret } from "../base/secret.ts";
import type { ConfigLayers } from "./config.ts";
import type { Environment } from "./home.ts";
import {
  CRATES_IO_INDEX,
  environmentName,
  type RegistryRequest,
} from "./registries.ts";
import { environmentNames, registryNames } from "./registry_index.ts";

/** The token variable of a registry. */
export type EnvironmentToken =
  | { readonly kind: "none" }
  /** Set to nothing: cargo takes that for a token, and refuses it. */
  | { readonly kind: "empty"; readonly variable: string }
  | {
    readonly kind: "token";
    readonly variable: string;
    readonly token: Secret;
  };

const NONE: EnvironmentToken = { kind: "none" };

/**
 * Finds a registry's token in the environment as `cargo:token` does:
 * `CARGO_REGISTRY_TOKEN` for crates.io and for nothing else; for another
 * registry `CARGO_REGISTRIES_NAME_TOKEN`, where the name is the one that the
 * index URL is bound to, by a `CARGO_REGISTRIES_NAME_INDEX` or else by the
 * configuration. The name of the request counts only if that finds none.
 *
 * @param environment The environment.
 * @param request The registry of a request.
 * @param loadConfig Loads the configuration. It is called only if there is a
 * token variable, and no index variable has the URL.
 * @returns The token, or that there is none.
 */
export async function environmentToken(
  environment: Environment,
  request: RegistryRequest,
  loadConfig: () => Promise<ConfigLayers>,
): Promise<EnvironmentToken> {
  if (request.indexUrl === CRATES_IO_INDEX) {
    return read(environment, "CARGO_REGISTRY_TOKEN");
  }
  const isTokenVariable = /^CARGO_REGISTRIES_.*_TOKEN$/;
  if (!Object.keys(environment).some((name) => isTokenVariable.test(name))) {
    return NONE;
  }
  let [name] = environmentNames(environment, request.indexUrl);
  if (name === undefined) {
    [name] = registryNames(await loadConfig(), request.indexUrl);
  }
  name ??= request.name;
  if (name === undefined) return NONE;
  return read(environment, `CARGO_REGISTRIES_${environmentName(name)}_TOKEN`);
}

function read(environment: Environment, variable: string): EnvironmentToken {
  const value = environment[variable];
  if (value === undefined) return NONE;
  return value === ""
    ? { kind: "empty", variable }
    : { kind: "token", variable, token: Secret.fromString(value) };
}
