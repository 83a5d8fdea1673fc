import {
  DEFAULT_SETTINGS,
  type Settings,
  type SettingsNotice,
  type SettingValues,
} from "./settings.ts";
import type {
  FileSettings,
  PartialSettings,
  SystemFileSettings,
} from "./parse_settings.ts";

/** What each source sets. */
export interface SettingLayers {
  /** The environment. */
  readonly environment: PartialSettings;
  /** The provider's arguments, which a project may have written. */
  readonly args: PartialSettings;
  /** `credential-keyring.toml` in cargo's home. */
  readonly user: FileSettings;
  /** The system file. */
  readonly system: SystemFileSettings;
}

/** What {@linkcode mergeSettings} answers. */
export interface MergedSettings {
  /** What holds. */
  readonly settings: Settings;
  /** What was not obeyed. */
  readonly notices: readonly SettingsNotice[];
}

const FALLBACK_STRICTNESS = { file: 0, deny: 1, strict: 2 } as const;
const MIGRATE_STRICTNESS = { auto: 0, notify: 1, never: 2 } as const;

/**
 * Works out the settings of one registry, from strongest to weakest:
 * `[enforce]`, the environment, the arguments, the user's file, the system
 * file, the defaults. Within a file, `[[registry]]` is stronger than the rest.
 *
 * Two settings can only be tightened from some places: `fallback` from the
 * environment and the arguments, `migrate` from the arguments. The arguments
 * may come from a checkout, which is not to decide what becomes of the user's
 * tokens. What the files say is the loosest that such a place can set.
 *
 * @param layers What each source sets.
 * @param indexUrl The registry's index URL.
 * @returns The settings, and what was not obeyed.
 *
 * @example Usage
 * ```ts
 * import { mergeSettings } from "./merge_settings.ts";
 * import { NO_FILE_SETTINGS } from "./parse_settings.ts";
 *
 * const { settings } = mergeSettings({
 *   environment: { fallback: "file" },
 *   args: {},
 *   user: { general: { fallback: "deny" }, registries: new Map() },
 *   system: NO_FILE_SETTINGS,
 * }, "sparse+https://example.com/");
 * if (settings.fallback !== "deny") throw new Error("it was loosened");
 * ```
 */
export function mergeSettings(
  layers: SettingLayers,
  indexUrl: string,
): MergedSettings {
  const { environment, args, system } = layers;
  const files: SettingValues = {
    ...DEFAULT_SETTINGS,
    ...system.general,
    ...system.registries.get(indexUrl),
    ...layers.user.general,
    ...layers.user.registries.get(indexUrl),
  };
  const asked: SettingValues = { ...files, ...args, ...environment };
  const loosensFallback = FALLBACK_STRICTNESS[asked.fallback] <
    FALLBACK_STRICTNESS[files.fallback];
  const loosensMigrate = environment.migrate === undefined &&
    MIGRATE_STRICTNESS[asked.migrate] < MIGRATE_STRICTNESS[files.migrate];

  const notices: SettingsNotice[] = [];
  if (loosensFallback && system.enforce.fallback === undefined) {
    notices.push(notLoosened("fallback", files.fallback, asked.fallback));
  }
  if (loosensMigrate && system.enforce.migrate === undefined) {
    notices.push(notLoosened("migrate", files.migrate, asked.migrate));
  }
  return {
    settings: {
      kind: "settings",
      ...asked,
      fallback: loosensFallback ? files.fallback : asked.fallback,
      migrate: loosensMigrate ? files.migrate : asked.migrate,
      ...system.enforce,
    },
    notices,
  };
}

function notLoosened(
  key: "fallback" | "migrate",
  kept: string,
  asked: string,
): SettingsNotice {
  const places = key === "fallback"
    ? "the environment and the provider's arguments"
    : "the provider's arguments";
  return {
    topic: "not-loosened",
    text: `\`${key} = "${kept}"\` of the settings file holds: ${places} can ` +
      `only tighten it, so "${asked}" is ignored`,
  };
}
