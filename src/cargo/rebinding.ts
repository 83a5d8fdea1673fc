import type { ConfigLayers } from "./config.ts";
import { environmentName, type RegistryRequest } from "./registries.ts";
import {
  configuredNames,
  registryIndex,
  registryNames,
  sameRegistry,
  userIndexes,
} from "./registry_index.ts";

/** A name of the user's that somebody else has bound to another URL. */
export interface Rebinding {
  /** The registry's name: the user's token is filed under it. */
  readonly name: string;
  /** The URL that the user's own configuration binds it to. */
  readonly userUrl: string;
  /** The URL of the request. */
  readonly projectUrl: string;
  /** Who binds it to that: a configuration file, or the command line. */
  readonly where: string;
}

/**
 * Finds out whether a request would send the user's token to a URL that the
 * user never bound it to. Cargo files tokens by name, and a checkout's
 * `.cargo/config.toml` may bind a name of the user's to a URL of its own.
 *
 * `my-reg` and `my_reg` are one name here: the environment has one variable for
 * both.
 *
 * A name that only a project binds is no such case: no token of the user's is
 * filed under it for another URL. Neither is a URL that cargo takes for the
 * same registry.
 *
 * @param layers The configuration.
 * @param cwd The current directory.
 * @param request The registry of a request.
 * @returns The rebinding, or `none`.
 */
export function findRebinding(
  layers: ConfigLayers,
  cwd: string,
  request: RegistryRequest,
): Rebinding | "none" {
  const { indexUrl } = request;
  const names = new Set(registryNames(layers, indexUrl));
  if (request.name !== undefined) names.add(request.name);
  for (const name of names) {
    const spellings = [name, ...sameVariable(layers, name)];
    const own = spellings.flatMap((spelling) =>
      userIndexes(layers, cwd, spelling)
    );
    const [strongest] = own;
    if (
      strongest === undefined ||
      own.some((binding) => isSame(binding.url, indexUrl))
    ) continue;
    const binding = registryIndex(layers, cwd, name);
    return {
      name,
      userUrl: strongest.url,
      projectUrl: indexUrl,
      where: binding !== undefined && isSame(binding.url, indexUrl)
        ? binding.where
        : "the command line",
    };
  }
  return "none";
}

/** Other configured names whose token is in the same environment variable. */
function sameVariable(layers: ConfigLayers, name: string): string[] {
  return configuredNames(layers).filter((other) =>
    other !== name && environmentName(other) === environmentName(name)
  );
}

/** As cargo compares, but `http` is not as good as `https`. */
function isSame(one: string, other: string): boolean {
  return sameRegistry(one, other) &&
    URL.parse(one)?.protocol === URL.parse(other)?.protocol;
}
