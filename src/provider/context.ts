import type { CredentialsTable } from "../credentials/file.ts";
import type { EnvironmentToken } from "../cargo/environment_token.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import type { Deadline } from "../base/deadline.ts";
import type { Eligibility } from "../migration/eligibility.ts";
import type { IntentKind } from "../migration/state.ts";
import type { MoveOutcome, RemovalOutcome } from "../migration/move.ts";
import type { Secret } from "../base/secret.ts";
import type { SettingsOutcome } from "../settings/settings.ts";
import type { CredentialStore, ItemKey } from "../stores/credential_store.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Chain } from "./get_decision.ts";
import type { PlaintextRemoval } from "./logout_decision.ts";
import type { NoticeText } from "./notices.ts";
import type { RegistryAbout } from "./registry_about.ts";

/** The plaintext token of a registry's name, and the file it is looked for in. */
export interface Plaintext {
  /** The credentials file, whether it exists or not. */
  readonly path: string;
  /** The table that holds it, or would. */
  readonly table: CredentialsTable | undefined;
  /** The token; `none` if the file has none for this name. */
  readonly token: Secret | "none";
  /** What the file is like, to see whether anybody has written to it. */
  readonly stamp: string;
}

/** What is remembered of an index URL. */
export interface Memory {
  /** What an earlier command meant to happen to it. */
  readonly intent: IntentKind | "none";
  /** Whether its token is to stay in the file. */
  readonly pinned: boolean;
  /** Whether the store may still have it in memory alone. */
  readonly settling: boolean;
}

/**
 * Everything that `get`, `login` and `logout` look at and change: the edges of
 * the provider. Each lookup costs something, so none is made before a decision
 * asks for it.
 */
export interface ProviderContext {
  /** The time that this request has. */
  readonly deadline: Deadline;
  /** What the token is filed under. */
  readonly key: ItemKey;

  /** The settings that hold for this registry. */
  settings(): Promise<SettingsOutcome>;
  /** The token variable of this registry, as cargo finds it. */
  environmentToken(): Promise<EnvironmentToken>;
  /** The store that the settings choose. */
  store(): Promise<CredentialStore>;
  /**
   * The credentials file's token for this registry's name.
   *
   * @param anew Whether the file is read again if it was before.
   */
  plaintext(anew?: boolean): Promise<Plaintext>;
  /**
   * What an earlier command meant to happen to this index URL, and its pin.
   *
   * @param anew Whether state and file are read again if they were before.
   */
  memory(anew?: boolean): Promise<Memory>;
  /** Whether a project binds this name to a URL that the user does not. */
  rebinding(): Promise<Rebinding | "none">;
  /** Where this provider stands among cargo's. */
  chain(): Promise<Chain>;
  /** Whether a dialog may open: somebody is there, or `prompt = "always"`. */
  mayPrompt(): Promise<boolean>;
  /** The terminal, for a question. */
  terminal(): Promise<Terminal>;

  /** Whether the plaintext token may be moved to this store. */
  eligibility(token: Secret): Promise<Eligibility>;
  /**
   * Moves the plaintext token, if it still is `token`, into a store that has
   * none, or has `over`.
   */
  move(token: Secret, over?: Secret): Promise<MoveOutcome>;
  /** Removes the plaintext token, if it still is `token` and one is stored. */
  removePlaintext(token: Secret): Promise<RemovalOutcome>;
  /**
   * Does something while nobody moves this token into the store or out of it:
   * under cargo's lock on the credentials file, which is waited for. Where that
   * file cannot be locked, because it is not there or not to be read, nobody
   * moves anything either.
   *
   * @param use What is done.
   * @returns What it returned; `busy`: somebody else has kept the lock.
   */
  holdFile<T>(use: () => Promise<T>): Promise<T | "busy">;
  /**
   * Removes the plaintext token that a login has superseded; only from a file
   * that is held.
   */
  supersedePlaintext(): Promise<RemovalOutcome>;
  /** Removes the plaintext token at logout; only from a file that is held. */
  logoutPlaintext(): Promise<PlaintextRemoval>;
  /** Names the variables and files with a token that logout does not touch. */
  leftovers(): Promise<readonly string[]>;
  /**
   * Gives a person time to answer a question: nothing else is waited for.
   *
   * @param milliseconds How long.
   */
  waitForPerson(milliseconds: number): void;
  /** Starts the deadline again, after a person has been asked. */
  restartDeadline(): Promise<void>;
  /**
   * Remembers what is meant to happen to this index URL, in place of an earlier
   * intent; `none` forgets that. `false`: an earlier one could not be replaced.
   */
  intend(intent: IntentKind | "none"): Promise<boolean>;
  /** Forgets the pin of this index URL. */
  unpin(): Promise<void>;

  /** The words for this registry, its store and its file. */
  about(): Promise<RegistryAbout>;
  /**
   * Prints a notice as often as its frequency allows.
   *
   * @param changesAnswer Whether it is of a failure that changes the answer.
   */
  notice(notice: NoticeText, changesAnswer?: boolean): Promise<void>;
  /**
   * Prints what no one must miss, and keeps it for the next run with a
   * terminal if this one has none.
   */
  announce(text: string): Promise<void>;
  /** Prints a line on standard error. */
  say(line: string): void;
}
