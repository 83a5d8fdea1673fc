import { joinPath } from "../base/paths.ts";
import { chooseFile } from "../cargo/choose_file.ts";
import type { ConfigLayers } from "../cargo/config.ts";
import type { Environment } from "../cargo/home.ts";
import {
  CRATES_IO_INDEX,
  environmentName,
  type RegistryRef,
} from "../cargo/registries.ts";
import type { CredentialsTable } from "./file.ts";

/**
 * The credentials file that cargo reads and writes: `credentials` if it
 * exists, else `credentials.toml`, whether that exists or not (cargo:
 * `src/cargo/util/context/mod.rs`, `save_credentials`).
 */
export function credentialsPath(cargoHome: string): string {
  return chooseFile(cargoHome, "credentials") ??
    joinPath(cargoHome, "credentials.toml");
}

/**
 * The tables where a registry's token may be, the one that cargo reads first.
 * There is more than one only where the environment binds the name:
 * `cargo:token` then writes the name as it was typed, and reads it in lower
 * case with underscores. The configuration is loaded only for a registry
 * without a name.
 */
export async function credentialsTables(
  environment: Environment,
  request: RegistryRef,
  loadConfig: () => Promise<ConfigLayers>,
): Promise<CredentialsTable[]> {
  const { indexUrl, name } = request;
  if (indexUrl === CRATES_IO_INDEX) return [["registry"]];
  if (name === undefined) {
    const { registryNames } = await import("../cargo/registry_index.ts");
    const names = registryNames(await loadConfig(), indexUrl);
    return names.map((found) => ["registries", found]);
  }
  const spelling = environmentName(name);
  const names = `CARGO_REGISTRIES_${spelling}_INDEX` in environment
    ? new Set([spelling.toLowerCase(), name])
    : [name];
  return [...names].map((found) => ["registries", found]);
}
