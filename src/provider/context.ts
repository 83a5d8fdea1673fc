import type { Deadline } from "../base/deadline.ts";
import type { SettingsOutcome } from "../settings/settings.ts";
import type { Registry } from "../tokens/registry.ts";
import type { RegistryAbout } from "../tokens/about.ts";
import type { NoticeText } from "./notices.ts";

/**
 * What `get`, `login` and `logout` work with: a registry, the time of one
 * request, and what is said besides the answer.
 */
export interface ProviderContext {
  /** What the request is about. */
  readonly registry: Registry;
  /** The time that this request has. */
  readonly deadline: Deadline;

  /** The settings that hold for the registry: they say how long that is. */
  settings(): Promise<SettingsOutcome>;
  /** Whether a dialog may open; then there is time for one. */
  mayPrompt(): Promise<boolean>;
  /** Gives a person time to answer a question: nothing else is waited for. */
  waitForPerson(milliseconds: number): void;
  /** Starts the deadline again, after a person has been asked. */
  restartDeadline(): Promise<void>;
  /** The arguments that were given to `cargo login` itself. */
  loginArguments(): Promise<readonly string[]>;

  /** The words for this registry, its store and its file. */
  about(): Promise<RegistryAbout>;
  /**
   * Prints a notice as often as its frequency allows; each time if it is the
   * last thing before cargo's command ends without a token.
   */
  notice(notice: NoticeText, isLast?: boolean): Promise<void>;
  /**
   * Prints what no one must miss, and keeps it for the next run with a
   * terminal if this one has none.
   */
  announce(lines: readonly string[]): Promise<void>;
  /** Prints lines on standard error. */
  say(...lines: readonly string[]): void;
}
