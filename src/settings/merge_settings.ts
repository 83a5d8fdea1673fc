import {
  type FileSettings,
  settingsOf,
  type SystemFileSettings,
} from "./parse_settings.ts";
import {
  DEFAULT_SETTINGS,
  type PartialSettings,
  SETTINGS,
  type Settings,
  type SettingsNotice,
  type SettingValues,
} from "./settings.ts";

/** What each source sets. */
export interface SettingLayers {
  /** The environment. */
  readonly environment: PartialSettings;
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

/**
 * Works out the settings of one registry, from strongest to weakest:
 * `[enforce]`, the environment, the user's file, the system file, the
 * defaults. Within a file, `[[registry]]` is stronger than the rest. A setting
 * that can be tightened is never looser than the files say by the environment.
 */
export function mergeSettings(
  { environment, user, system }: SettingLayers,
  indexUrl: string,
): MergedSettings {
  const files: SettingValues = {
    ...DEFAULT_SETTINGS,
    ...system.general,
    ...settingsOf(system.registries, indexUrl),
    ...user.general,
    ...settingsOf(user.registries, indexUrl),
  };
  let kept: PartialSettings = {};
  const notices: SettingsNotice[] = [];
  const before: Readonly<Record<string, unknown>> = files;
  for (const [name, asked] of Object.entries(environment)) {
    const row = Object.entries(SETTINGS).find(([each]) => each === name)?.[1];
    const value = before[name];
    if (row?.isLooser?.(asked, value) !== true) continue;
    kept = { ...kept, [name]: value };
    if (Object.hasOwn(system.enforce, name)) continue;
    notices.push({
      topic: "not-loosened",
      text: `\`${row.key} = "${value}"\` of the settings file holds: the ` +
        `environment can only tighten it, so "${asked}" is ignored`,
    });
  }
  return {
    settings: {
      kind: "settings",
      ...files,
      ...environment,
      ...kept,
      ...system.enforce,
    },
    notices,
  };
}
