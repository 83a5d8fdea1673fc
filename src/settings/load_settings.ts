import { resolvePath } from "../base/paths.ts";
import {
  describeRefusal,
  readSmallFile,
  type SmallFile,
} from "../base/files.ts";
import { mergeSettings } from "./merge_settings.ts";
import {
  findUnknownVariables,
  isWrong,
  NO_FILE_SETTINGS,
  parseEnvironment,
  parseSettingsFile,
  type ParseSettingsFileOptions,
  type SystemFileSettings,
} from "./parse_settings.ts";
import type {
  SettingsNotice,
  SettingsOutcome,
  WrongSetting,
} from "./settings.ts";
import { systemFilePath, USER_FILE_NAME } from "./places.ts";
import { isRootsFile, type SystemFile } from "./system_file.ts";

/** Where settings come from. */
export interface SettingsSources {
  /** The environment, whole. */
  readonly env: Readonly<Record<string, string>>;
  /** Cargo's home; `undefined` if nothing names one. */
  readonly cargoHome: string | undefined;
  /** The operating system. */
  readonly os: typeof Deno.build.os;
  /** The registry's index URL, byte for byte. */
  readonly indexUrl: string;
  /**
   * The system file.
   *
   * @default {/etc/cargo-credential-keyring.toml, owned by root; on Windows
   * the one in the known folder ProgramData}
   */
  readonly systemFile?: SystemFile;
}

/** Far more than six settings for every registry need. */
const MAX_BYTES = 64 * 1024;

/** What the system file gave, and what is to be said of it. */
interface LoadedFile {
  readonly settings: SystemFileSettings;
  readonly notices: readonly SettingsNotice[];
}

const NO_FILE: LoadedFile = { settings: NO_FILE_SETTINGS, notices: [] };

/**
 * Works out the settings that hold for one registry, or which one is wrong:
 * the system file's before any other. Where no file exists, it costs two
 * `lstat` and loads nothing.
 */
export async function loadSettings(
  sources: SettingsSources,
): Promise<SettingsOutcome> {
  const env = sources.os === "windows" ? inCapitals(sources.env) : sources.env;
  const environment = parseEnvironment(env);
  const [system, user] = await Promise.all([
    loadSystemFile(sources),
    loadUserFile(sources),
  ]);
  if (isWrong(system)) return system;
  if (isWrong(environment)) return environment;
  if (isWrong(user)) return user;
  const merged = mergeSettings({
    environment,
    user,
    system: system.settings,
  }, sources.indexUrl);
  return {
    ...merged.settings,
    notices: [
      ...system.notices,
      ...merged.notices,
      ...findUnknownVariables(env),
    ],
  };
}

/** Windows does not tell `Path` from `PATH`. */
function inCapitals(
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name.toUpperCase(), value]),
  );
}

async function loadUserFile(
  { cargoHome, os }: SettingsSources,
): Promise<SystemFileSettings | WrongSetting> {
  if (cargoHome === undefined) return NO_FILE_SETTINGS;
  const style = os === "windows" ? "windows" : "unix";
  const path = resolvePath(cargoHome, USER_FILE_NAME, style);
  const file = readSmallFile(path, { maxBytes: MAX_BYTES });
  return file.kind === "absent"
    ? NO_FILE_SETTINGS
    : await parseFile(file, { path, system: false });
}

/** Only Windows loads what it takes to find and trust the file there. */
async function onWindows(): Promise<SystemFile | undefined> {
  const { windowsSystemFile } = await import("./windows_system_file.ts");
  return windowsSystemFile();
}

async function loadSystemFile(
  { os, systemFile: given }: SettingsSources,
): Promise<LoadedFile | WrongSetting> {
  const systemFile = given ??
    (os === "windows" ? await onWindows() : undefined);
  const path = systemFile?.path ?? systemFilePath(os);
  if (path === undefined) return NO_FILE;
  const file = readSmallFile(path, { maxBytes: MAX_BYTES });
  if (file.kind === "absent") return NO_FILE;
  // A file that cannot be read is not known to be another's: it may be policy.
  const isTrusted = file.kind === "refused" ||
    await (systemFile?.isTrusted() ?? isRootsFile(path, file));
  if (!isTrusted) {
    const text = `${path} is ignored: it counts only if the system's ` +
      "administrator owns it and nobody else can write it or a folder above it";
    const notice: SettingsNotice = { topic: "system-file-ignored", text };
    return { ...NO_FILE, notices: [notice] };
  }
  const settings = await parseFile(file, { path, system: true });
  return isWrong(settings) ? settings : { settings, notices: [] };
}

async function parseFile(
  file: Exclude<SmallFile, { kind: "absent" }>,
  options: ParseSettingsFileOptions,
): Promise<SystemFileSettings | WrongSetting> {
  const { path, system } = options;
  const unreadable = (reason: string): WrongSetting => ({
    kind: "wrong",
    where: path,
    key: "",
    message: `the settings file ${path} ${reason}`,
    system,
  });
  if (file.kind === "refused") {
    return unreadable(describeRefusal(file, MAX_BYTES));
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(file.bytes);
  } catch {
    return unreadable("is not UTF-8 text");
  }
  const { parse } = await import("@std/toml");
  let document: Record<string, unknown>;
  try {
    document = parse(text);
  } catch (error) {
    // The rest of the parser's message shows the line.
    const place = error instanceof Error
      ? /on line (\d+)/.exec(error.message)?.[1]
      : undefined;
    return unreadable(
      `is not valid TOML${place === undefined ? "" : ` (line ${place})`}`,
    );
  }
  return parseSettingsFile(document, options);
}
