import type { StoreName } from "../stores/credential_store.ts";

/** Which store is used; `auto` is the platform's durable one. */
export type StoreSetting = "auto" | StoreName | "off";

/**
 * Whether plaintext tokens are moved into the store when they are read.
 *
 * - `auto`: they are, where that is safe
 * - `notify`: a notice names the command that does it
 * - `never`: the file is touched by logout and by command alone
 */
export type MigrateSetting = "auto" | "notify" | "never";

/**
 * What happens where the store cannot be used, from loose to strict.
 *
 * - `file`: the next provider may keep the token in a file
 * - `deny`: login never ends in a file
 * - `strict`: nor is a token read from one
 */
export type FallbackSetting = "file" | "deny" | "strict";

/** Whether a dialog may open: if somebody is present, never, or always. */
export type PromptSetting = "auto" | "never" | "always";

/** The value of every setting. */
export interface SettingValues {
  /** `store`. */
  readonly store: StoreSetting;
  /** `migrate`. */
  readonly migrate: MigrateSetting;
  /** `fallback`. */
  readonly fallback: FallbackSetting;
  /** `prompt`. */
  readonly prompt: PromptSetting;
  /** `timeout`: how long a request may take with nobody present. */
  readonly timeoutMs: number;
  /** `prompt-timeout`: how long a request may take with a person present. */
  readonly promptTimeoutMs: number;
}

/** The settings that hold for one registry. */
export interface Settings extends SettingValues {
  /** What tells it from a {@linkcode WrongSetting}. */
  readonly kind: "settings";
}

/** A setting that cannot be understood, and is never taken for another. */
export interface WrongSetting {
  /** What tells it from {@linkcode Settings}. */
  readonly kind: "wrong";
  /** Where it is set: a file's path, or words such as `the environment`. */
  readonly where: string;
  /** The key as it is written there, or the variable, or the argument. */
  readonly key: string;
  /**
   * A clause without a final stop that names both, says what would be right,
   * and does not show what is set: it might be a token.
   */
  readonly message: string;
  /** Whether the system file is wrong, which no request outlives. */
  readonly system: boolean;
}

/** Something about the settings that people should read. */
export interface SettingsNotice {
  /** What it is about. */
  readonly topic:
    /** The system file is not one that only the system can write. */
    | "system-file-ignored"
    /** Somebody who may only tighten a setting tried to loosen it. */
    | "not-loosened"
    /** A variable whose name begins like ours, and that nobody reads. */
    | "unknown-variable";
  /** A clause without a final stop. */
  readonly text: string;
}

/** What `loadSettings()` answers. */
export type SettingsOutcome =
  | Settings & { readonly notices: readonly SettingsNotice[] }
  | WrongSetting;

/** What holds where nobody sets anything. */
export const DEFAULT_SETTINGS: SettingValues = {
  store: "auto",
  migrate: "auto",
  fallback: "file",
  prompt: "auto",
  timeoutMs: 3_000,
  promptTimeoutMs: 60_000,
};
