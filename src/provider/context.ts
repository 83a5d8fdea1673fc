import type { CargoTokenPlace } from "../cargo/provider_chain.ts";
import type { Plaintext } from "../tokens/registry.ts";
import type { EnvironmentToken } from "../cargo/environment_token.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import type { Deadline } from "../base/deadline.ts";
import type { Secret } from "../base/secret.ts";
import type { Eligibility, Occasion } from "../tokens/eligibility.ts";
import type { MoveOutcome, RemovalOutcome } from "../tokens/move.ts";
import { type StateChange } from "../state/file.ts";
import { type State } from "../state/format.ts";
import type { SettingsOutcome } from "../settings/settings.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type { CredentialStore, Keeping } from "../stores/credential_store.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { PlaintextRemoval } from "./logout_decision.ts";
import type { NoticeText } from "./notices.ts";
import type { RegistryAbout } from "./registry_about.ts";

/**
 * Everything that `get`, `login` and `logout` look at and change. Each lookup
 * costs something, so none is made before a decision asks for it.
 */
export interface ProviderContext {
  /** The time that this request has. */
  readonly deadline: Deadline;
  /** What the token is filed under. */
  readonly key: RegistryRef;

  /** The settings that hold for this registry. */
  settings(): Promise<SettingsOutcome>;
  /** The token variable of this registry, as cargo finds it. */
  environmentToken(): Promise<EnvironmentToken>;
  /** The store that the settings choose. */
  store(): Promise<CredentialStore>;
  /** The credentials file's token for this registry's name. */
  plaintext(): Promise<Plaintext>;
  /** What is remembered. */
  state(): Promise<State>;
  /** Forgets what was read of the file and the state: others have been at work. */
  refresh(): void;
  /** Whether a project binds this name to a URL that the user does not. */
  rebinding(): Promise<Rebinding | "none">;
  /** Whether `cargo:token` has or may have a token to send to this URL. */
  sendable(): Promise<boolean>;
  /** The other index URLs that the store has a token of this name under. */
  storedElsewhere(): Promise<readonly string[]>;
  /** Where this provider stands among cargo's. */
  chain(): Promise<CargoTokenPlace>;
  /** The arguments that were given to `cargo login` itself. */
  loginArguments(): Promise<readonly string[]>;
  /** Whether a dialog may open: somebody is there, or `prompt = "always"`. */
  mayPrompt(): Promise<boolean>;
  /** The terminal, for a question. */
  terminal(): Promise<Terminal>;

  /** Whether the plaintext token may leave the file for this store. */
  eligibility(token: Secret, occasion: Occasion): Promise<Eligibility>;
  /**
   * Moves the plaintext token, if it still is `token`, into a store that has
   * none, or that very token.
   */
  move(token: Secret): Promise<MoveOutcome>;
  /**
   * Removes the plaintext token, if it still is `token` and the store has the
   * same, or the one that is known to have replaced it.
   */
  removePlaintext(token: Secret, superseded: boolean): Promise<RemovalOutcome>;
  /**
   * Does something while nobody moves this token into the store or out of it:
   * under cargo's lock on the credentials file, which is waited for. Where that
   * file cannot be locked, because it is not there or not to be read, nobody
   * moves anything either.
   *
   * @returns What `use` returned; `busy`: somebody else has kept the lock.
   */
  holdFile<T>(use: () => Promise<T>): Promise<T | "busy">;
  /**
   * Removes the plaintext token that a login has superseded; only from a file
   * that is held.
   */
  supersedePlaintext(keeps: Keeping): Promise<RemovalOutcome>;
  /** Removes the plaintext token at logout; only from a file that is held. */
  logoutPlaintext(): Promise<PlaintextRemoval>;
  /** Names the variables and files with a token that nobody here touches. */
  leftovers(): Promise<readonly string[]>;
  /** Gives a person time to answer a question: nothing else is waited for. */
  waitForPerson(milliseconds: number): void;
  /** Starts the deadline again, after a person has been asked. */
  restartDeadline(): Promise<void>;
  /** Changes what is remembered; `false`: it could not be written. */
  remember(change: StateChange): Promise<boolean>;

  /** The words for this registry, its store and its file. */
  about(): Promise<RegistryAbout>;
  /**
   * Prints a notice as often as its frequency allows.
   *
   * @param isLast Whether cargo's command ends here, without a token: then it
   * is printed each time.
   */
  notice(notice: NoticeText, isLast?: boolean): Promise<void>;
  /**
   * Prints what no one must miss, and keeps it for the next run with a
   * terminal if this one has none.
   */
  announce(text: string): Promise<void>;
  /** Prints a line on standard error. */
  say(line: string): void;
}
