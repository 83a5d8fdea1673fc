import { homeDirectory } from "../../ffi/home_directory.ts";
import {
  isAbsolutePath,
  joinPath,
  parentPath,
  PATH_STYLE,
} from "../base/paths.ts";
import { permissionsOf, readRegularFile } from "../base/files.ts";
import { realPath } from "../base/real_path.ts";
import type { ConfigLayers } from "../cargo/config.ts";
import {
  isThisProgram,
  isWindowsProgram,
  type ProviderEntry,
} from "../cargo/provider_chain.ts";
import { CRATES_IO_NAME } from "../cargo/registries.ts";
import { registryNames } from "../cargo/registry_index.ts";
import { type Inventory, takeInventory } from "../tokens/inventory.ts";
import { configTokens } from "../tokens/names.ts";
import { type CommandSession, SessionError } from "../cli/session.ts";
import { findAllTokens, malformed } from "../credentials/file.ts";
import { describeFileObstacle } from "../tokens/words.ts";
import { loadSettings } from "../settings/load_settings.ts";
import type { SettingsNotice } from "../settings/settings.ts";
import { loadTomlParser } from "../toml/document.ts";
import type { DoctorFacts, MissingProgram } from "./findings.ts";
import { findToolchains } from "./toolchains.ts";

/**
 * Looks at everything that can be wrong. It opens no dialog, starts no process
 * and leaves nothing behind: writing to the store is tried as far as it can be
 * without an item ({@linkcode CredentialStore.prepare}), since some services
 * put what is erased into a bin of theirs.
 */
export async function gatherFacts(
  session: CommandSession,
): Promise<DoctorFacts> {
  const home = await session.home();
  const layers = await session.config();
  const path = await session.path();
  const looked = await lookOver(session);
  const file = await fileFacts(session);
  const twin = path.endsWith(".toml") ? undefined : `${path}.toml`;
  return {
    ...looked,
    home,
    isHomeShared: ((modeOf(home) ?? 0) & 0o022) !== 0,
    ...(file === undefined ? {} : { file }),
    ...(twin === undefined || realPath(twin) === undefined ||
        realPath(twin) === realPath(path)
      ? {}
      : { unreadTwin: twin }),
    deadTokens: await deadTokens(layers, path),
    configProblems: layers.problems,
    missingPrograms: missingPrograms(looked.overview, session, home),
    twoNames: twoNames(looked.overview, layers),
    variables: Object.keys(session.env),
    toolchains: findToolchains(session.env, await userHome(session)),
    systemdIsReady: await isSystemdReady(looked.overview, home),
    isUs: isThisProgram,
    isWindowsProgram,
  };
}

/** Where the tokens are; absent where the settings are wrong. */
async function lookOver(
  session: CommandSession,
): Promise<
  Pick<DoctorFacts, "overview" | "wrongSetting" | "settingsNotices">
> {
  const settings = await loadSettings({
    env: session.env,
    cargoHome: await session.home(),
    os: Deno.build.os,
    indexUrl: "",
  });
  if (settings.kind === "wrong") {
    return { wrongSetting: settings.message, settingsNotices: [] };
  }
  const settingsNotices: readonly SettingsNotice[] = settings.notices;
  try {
    return { overview: await takeInventory(session), settingsNotices };
  } catch (error) {
    // One that holds for a single registry is found on the way.
    if (!(error instanceof SessionError)) throw error;
    return { wrongSetting: error.message, settingsNotices };
  }
}

/** Permissions; `undefined`: nothing is there, or the system has none. */
function modeOf(path: string): number | undefined {
  try {
    return permissionsOf(Deno.statSync(path));
  } catch {
    return undefined;
  }
}

async function fileFacts(
  session: CommandSession,
): Promise<DoctorFacts["file"]> {
  const path = await session.path();
  const outcome = readRegularFile(path);
  if (outcome.kind === "absent") return undefined;
  const { file } = await session.surroundings();
  const mode = modeOf(path) ?? null;
  const unusable = outcome.kind === "unreadable"
    ? describeFileObstacle({ kind: "unusable", reason: outcome.reason })
    : await whyMalformed(outcome.text);
  return { ...file, mode, ...(unusable === undefined ? {} : { unusable }) };
}

async function whyMalformed(text: string): Promise<string | undefined> {
  const { locate } = await loadTomlParser();
  try {
    locate(text);
    return undefined;
  } catch (error) {
    return describeFileObstacle(malformed(error));
  }
}

/** The files with a `[registries.crates-io] token`, which cargo never reads. */
async function deadTokens(
  layers: ConfigLayers,
  path: string,
): Promise<string[]> {
  const inConfigs = configTokens(layers, path)
    .filter(({ table }) => table === `[registries.${CRATES_IO_NAME}]`)
    .map((token) => token.path);
  const outcome = readRegularFile(path);
  if (outcome.kind !== "text") return inConfigs;
  const { locate } = await loadTomlParser();
  try {
    const isDead = findAllTokens(locate(outcome.text))
      .some(({ table: [, name] }) => name === CRATES_IO_NAME);
    return isDead ? [...inConfigs, path] : inConfigs;
  } catch (error) {
    malformed(error);
    return inConfigs;
  }
}

/** The entries of all chains that cargo could not start. */
function missingPrograms(
  overview: Inventory | undefined,
  session: CommandSession,
  home: string,
): MissingProgram[] {
  const entries = new Map(
    (overview?.registries ?? []).flatMap(({ providers }) => providers)
      .map((entry) => [JSON.stringify([entry.program, entry.where]), entry]),
  );
  return [...entries.values()].flatMap((entry): MissingProgram[] => {
    const { program, where } = entry;
    if (program.startsWith("cargo:") || where === "default") return [];
    const found = candidates(entry, session, home).map(howExecutable);
    if (found.includes("executable")) return [];
    const why = found.includes("not-executable") ? "not-executable" : "absent";
    return [{ program, where, why }];
  });
}

/** Where cargo looks for a provider (cargo: `Definition::root`). */
function candidates(
  { program, where }: ProviderEntry,
  session: CommandSession,
  home: string,
): string[] {
  if (/[\\/]/.test(program)) {
    const root = isAbsolutePath(where)
      ? parentPath(parentPath(where))
      : session.cwd();
    return [joinPath(root, program)];
  }
  const separator = PATH_STYLE === "windows" ? ";" : ":";
  const folders = (session.env["PATH"] ?? "").split(separator);
  // rustup puts that one in front.
  return [...folders, joinPath(home, "bin")]
    .filter((folder) => folder !== "")
    .map((folder) => joinPath(folder, program));
}

function howExecutable(
  path: string,
): "executable" | "not-executable" | "absent" {
  const names = PATH_STYLE === "windows" ? [path, `${path}.exe`] : [path];
  for (const name of names) {
    try {
      const info = Deno.statSync(name);
      return info.isFile && ((permissionsOf(info) ?? 0o111) & 0o111) !== 0
        ? "executable"
        : "not-executable";
    } catch (error) {
      // What we may not look at, cargo may still be able to start.
      if (error instanceof Deno.errors.NotCapable) return "executable";
    }
  }
  return "absent";
}

/** Names that lead to one URL, for which cargo ends with an error. */
function twoNames(
  overview: Inventory | undefined,
  layers: ConfigLayers,
): (readonly string[])[] {
  const found = new Map<string, readonly string[]>();
  for (const { indexUrl } of overview?.registries ?? []) {
    if (indexUrl === undefined) continue;
    const names = registryNames(layers, indexUrl);
    if (names.length > 1) found.set(names.join("\n"), names);
  }
  return [...found.values()];
}

async function userHome(session: CommandSession): Promise<string | undefined> {
  const named = session.env[PATH_STYLE === "windows" ? "USERPROFILE" : "HOME"];
  return named !== undefined && named !== "" ? named : await homeDirectory();
}

/** Whether systemd would keep tokens where there is no Secret Service. */
async function isSystemdReady(
  overview: Inventory | undefined,
  home: string,
): Promise<boolean> {
  if (
    Deno.build.os !== "linux" || overview?.store.name !== "secret-service" ||
    overview.store.state !== "unreachable"
  ) return false;
  const { SystemdStore } = await import("../stores/systemd.ts");
  const prepared = await new SystemdStore(home).prepare({
    signal: AbortSignal.timeout(SYSTEMD_MS),
  });
  return prepared.kind === "ready";
}

/** It answers in milliseconds, or is not there. */
const SYSTEMD_MS = 1_000;
