import { Deadline } from "../base/deadline.ts";
import { once } from "../base/once.ts";
import { printError } from "../base/print.ts";
import { printable } from "../base/printable.ts";
import type { Secret } from "../base/secret.ts";
import type { EnvironmentToken } from "../cargo/environment_token.ts";
import type { CargoTokenPlace } from "../cargo/provider_chain.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type { CredentialsTable, UnusableFile } from "../credentials/file.ts";
import type { LockedCredentials } from "../credentials/lock.ts";
import type { CredentialRequest } from "../protocol/messages.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
} from "../settings/settings.ts";
import type { StateChange } from "../state/file.ts";
import type { State } from "../state/format.ts";
import type { CredentialStore, Keeping } from "../stores/credential_store.ts";
import { isCi } from "../terminal/person.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Eligibility, Occasion } from "../tokens/eligibility.ts";
import type { MoveOutcome, RemovalOutcome } from "../tokens/move.ts";
import type { Plaintext, Registry } from "../tokens/registry.ts";
import { Session } from "../tokens/session.ts";
import type { ProviderContext } from "./context.ts";
import type { PlaintextRemoval } from "./logout_decision.ts";
import type { NoticeText } from "./notices.ts";
import { Notifier } from "./notifier.ts";
import { Patience } from "./patience.ts";
import { describeRegistry, type RegistryAbout } from "./registry_about.ts";

/** How long a move may take of what is left of the deadline. */
const MOVE_MS = 5_000;

/** A hint is not worth more: a store with a thousand items takes a second. */
const ELSEWHERE_MS = 250;

/**
 * How long cargo's lock on the credentials file is waited for, at most: a move
 * has it for less.
 */
const LOCK_MS = 10_000;

/** Cargo may read it all the same, and use a token in it. */
async function describeUnusable(
  path: string,
  file: UnusableFile,
): Promise<string> {
  const { describeLockFailure } = await import("../tokens/move.ts");
  return `${printable(path)} cannot be read: ${describeLockFailure(file)}; a ` +
    "token in it stays there";
}

/**
 * The edges of the provider on a real system, for one request. What an
 * ordinary `get` does not need is loaded when it is called for.
 */
export class SystemContext implements ProviderContext, Disposable {
  readonly deadline: Deadline;
  readonly registry: Registry;
  readonly #request: CredentialRequest;
  readonly #notifier: Notifier;
  #patience: Patience | undefined;
  /** The credentials file while it is held, or why it is not. */
  #held: LockedCredentials | string = "it is not locked";

  /** The edges for one request; its time begins. */
  constructor(
    request: CredentialRequest,
    session: Session = new Session(),
    deadline: Deadline = new Deadline(),
  ) {
    deadline.restart(DEFAULT_SETTINGS.timeoutMs);
    this.deadline = deadline;
    this.#request = request;
    this.registry = session.registry(request.registry);
    this.#notifier = new Notifier({
      indexUrl: this.key.indexUrl,
      ci: isCi(session.env["CI"]),
      state: () => this.state(),
      remember: (change) => this.remember(change),
    });
  }

  get #session(): Session {
    return this.registry.session;
  }

  get key(): RegistryRef {
    return this.registry.ref;
  }

  /** Why cargo's home cannot be read, if cargo has one that cannot. */
  async homeTrouble(): Promise<string | undefined> {
    const home = await this.#session.cargoHome();
    return home.kind === "unreadable" ? home.reason : undefined;
  }

  readonly settings = once(async (): Promise<SettingsOutcome> => {
    const outcome = await this.registry.settings();
    if (outcome.kind === "settings") {
      this.#wait(outcome.timeoutMs, outcome.promptTimeoutMs);
    }
    return outcome;
  });

  /** Starts the time again. */
  #wait(timeoutMs: number, promptTimeoutMs: number): void {
    this.#patience?.[Symbol.dispose]();
    this.#patience = new Patience(this.deadline, {
      timeoutMs,
      promptTimeoutMs,
      isPersonPresent: () => this.#session.isPersonPresent(),
      tell: async (seconds) => {
        const { title } = await this.store();
        this.say(
          `note: waiting for ${title}; a prompt may be open on another ` +
            `screen (giving up in ${seconds} s)`,
        );
      },
    });
  }

  store(): Promise<CredentialStore> {
    return this.registry.store();
  }

  terminal(): Promise<Terminal> {
    return this.#session.terminal();
  }

  async mayPrompt(): Promise<boolean> {
    const settings = await this.settings();
    const may = await this.registry.mayPrompt();
    if (may && settings.kind === "settings") {
      this.deadline.restart(settings.promptTimeoutMs);
    }
    return may;
  }

  waitForPerson(milliseconds: number): void {
    this.#patience?.[Symbol.dispose]();
    this.deadline.restart(milliseconds);
  }

  async restartDeadline(): Promise<void> {
    const settings = await this.settings();
    if (settings.kind === "wrong") return;
    this.#wait(settings.promptTimeoutMs, settings.promptTimeoutMs);
  }

  environmentToken(): Promise<EnvironmentToken> {
    return this.registry.environmentToken();
  }

  plaintext(): Promise<Plaintext> {
    return this.registry.plaintext();
  }

  state(): Promise<State> {
    return this.registry.memory();
  }

  refresh(): void {
    this.registry.refresh();
  }

  remember(change: StateChange): Promise<boolean> {
    return this.registry.remember(change);
  }

  chain(): Promise<CargoTokenPlace> {
    return this.registry.chain();
  }

  rebinding(): Promise<Rebinding | "none"> {
    return this.registry.rebinding();
  }

  sendable(): Promise<boolean> {
    return this.registry.sendable();
  }

  storedElsewhere(): Promise<readonly string[]> {
    const signal = AbortSignal.any([
      this.deadline.signal,
      AbortSignal.timeout(ELSEWHERE_MS),
    ]);
    return this.registry.storedElsewhere(signal);
  }

  eligibility(token: Secret, occasion: Occasion): Promise<Eligibility> {
    return this.registry.eligibility(token, occasion, this.deadline.signal);
  }

  readonly about = once(async (): Promise<RegistryAbout> => {
    const store = await this.store();
    const { path } = await this.plaintext();
    return describeRegistry(this.#request.registry, store.title, path);
  });

  async move(token: Secret): Promise<MoveOutcome> {
    const { path, table } = await this.plaintext();
    if (table === undefined) return { kind: "file-changed" };
    const { moveToken } = await import("../tokens/move.ts");
    const signal = AbortSignal.any([
      this.deadline.signal,
      AbortSignal.timeout(MOVE_MS),
    ]);
    const from = { path, table, token };
    return await moveToken(from, await this.store(), this.key, { signal });
  }

  async removePlaintext(
    token: Secret,
    superseded: boolean,
  ): Promise<RemovalOutcome> {
    const { path, table } = await this.plaintext();
    if (table === undefined) return { kind: "none" };
    const { removeStored } = await import("../tokens/move.ts");
    return await removeStored(
      { path, table, token },
      await this.store(),
      this.key,
      { signal: this.deadline.signal, superseded },
    );
  }

  async holdFile<T>(use: () => Promise<T>): Promise<T | "busy"> {
    const { path } = await this.plaintext();
    if (path === "") return await use();
    const [{ withCredentialsLock }, { describeLockFailure }] = await Promise
      .all([
        import("../credentials/lock.ts"),
        import("../tokens/move.ts"),
      ]);
    const patience = Math.min(this.deadline.remaining / 2, LOCK_MS);
    const outcome = await withCredentialsLock(path, async (file) => {
      this.#held = file;
      // What was read before may have changed while the lock was waited for.
      this.refresh();
      return await use();
    }, { signal: AbortSignal.timeout(patience) });
    switch (outcome.kind) {
      case "done":
        return outcome.value;
      case "busy":
        return "busy";
      case "absent":
        return await use();
      default:
        this.#held = describeLockFailure(outcome);
        return await use();
    }
  }

  async #removeHeld(table: CredentialsTable): Promise<RemovalOutcome> {
    if (typeof this.#held === "string") {
      return { kind: "left", reason: this.#held };
    }
    const { removeLocked } = await import("../tokens/move.ts");
    return await removeLocked(this.#held, table);
  }

  async supersedePlaintext(keeps: Keeping): Promise<RemovalOutcome> {
    this.refresh();
    const { table, token } = await this.plaintext();
    if (token === "none" || table === undefined) return { kind: "none" };
    // The token of that name is another registry's.
    if (await this.rebinding() !== "none") return { kind: "none" };
    if (keeps === "not-yet-on-disk") {
      return { kind: "left", reason: "the store has yet to write the new one" };
    }
    const verdict = await this.eligibility(token, "login");
    if (verdict.kind === "not") {
      return { kind: "left", reason: verdict.sentence };
    }
    return await this.#removeHeld(table);
  }

  async logoutPlaintext(): Promise<PlaintextRemoval> {
    const { table, token } = await this.plaintext();
    if (token === "none" || table === undefined) return { kind: "none" };
    const { logoutRemoval } = await import("../tokens/eligibility.ts");
    const verdict = logoutRemoval({
      isMapped: await this.registry.isMapped(),
      isBoundElsewhere: await this.rebinding() !== "none",
      file: (await this.#session.surroundings()).file,
    });
    if (verdict.kind === "left") {
      const { sentence, foreign } = verdict;
      return { kind: "left", reason: sentence, foreign };
    }
    const removal = await this.#removeHeld(table);
    return removal.kind === "left" ? { ...removal, foreign: false } : removal;
  }

  leftovers(): Promise<readonly string[]> {
    return this.registry.leftovers();
  }

  async loginArguments(): Promise<readonly string[]> {
    return this.#request.args.slice(await this.#configuredArguments());
  }

  /** How many of the arguments cargo has from its configuration: the first. */
  async #configuredArguments(): Promise<number> {
    const { args, registry } = this.#request;
    if (args.length === 0) return 0;
    const { providerChain } = await import("../cargo/configuration.ts");
    const { entries } = providerChain(await this.#session.config(), registry);
    const lengths = entries.filter((entry) =>
      entry.args.every((arg, i) => arg === args[i])
    ).map((entry) => entry.args.length);
    return Math.max(0, ...lengths);
  }

  notice(notice: NoticeText, isLast = false): Promise<void> {
    return this.#notifier.notice(notice, isLast);
  }

  announce(text: string): Promise<void> {
    return this.#notifier.announce(text);
  }

  /** Prints what is worth saying besides the answer. */
  async conclude(): Promise<void> {
    const settings = await this.settings();
    const notices = settings.kind === "wrong" ? [] : settings.notices;
    const { unusable } = this.registry;
    if (unusable !== undefined) {
      const { path } = await this.plaintext();
      await this.notice({
        level: "warning",
        text: await describeUnusable(path, unusable),
        frequency: "daily",
        topic: "credentials-unusable",
      });
    }
    for (const { topic, text } of notices) {
      await this.notice({ level: "warning", text, frequency: "daily", topic });
    }
    if (await this.#configuredArguments() > 0) {
      const { describeArguments } = await import("./notices.ts");
      await this.notice(describeArguments(await this.#session.home() ?? ""));
    }
    await this.#notifier.deliver();
  }

  say(line: string): void {
    printError(line);
  }

  [Symbol.dispose](): void {
    this.#patience?.[Symbol.dispose]();
    this.deadline[Symbol.dispose]();
  }
}
