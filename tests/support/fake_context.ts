import type { EnvironmentToken } from "../../src/cargo/environment_token.ts";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import { Deadline } from "../../src/base/deadline.ts";
import type { Eligibility } from "../../src/tokens/eligibility.ts";
import type { MoveOutcome, RemovalOutcome } from "../../src/tokens/move.ts";
import { type StateChange } from "../../src/state/file.ts";
import { EMPTY_STATE, type State } from "../../src/state/format.ts";
import type { CargoTokenPlace } from "../../src/cargo/provider_chain.ts";
import type { ProviderContext } from "../../src/provider/context.ts";
import type { Plaintext } from "../../src/tokens/registry.ts";
import type { PlaintextRemoval } from "../../src/provider/logout_decision.ts";
import type { NoticeText } from "../../src/provider/notices.ts";
import {
  describeRegistry,
  type RegistryAbout,
} from "../../src/provider/registry_about.ts";
import { Secret } from "../../src/base/secret.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
} from "../../src/settings/settings.ts";
import type { RegistryRef } from "../../src/cargo/registries.ts";
import type { Keeping } from "../../src/stores/credential_store.ts";
import type { PromptOutcome, Terminal } from "../../src/terminal/terminal.ts";
import { FakeStore } from "./fake_store.ts";

/** The registry that a {@linkcode FakeContext} is asked about. */
export const URL = "sparse+https://alt.example/index/";

/** The credentials file of a {@linkcode FakeContext}. */
export const FILE = "/home/ada/.cargo/credentials.toml";

/** A world for one request. What is left out is as in an ordinary home. */
export interface World {
  /** What the store holds, and what it does wrong. */
  readonly store?: FakeStore;
  /** The file's token. */
  readonly file?: string;
  readonly settings?: SettingsOutcome;
  readonly environment?: EnvironmentToken;
  readonly state?: State;
  /** Whether what is remembered cannot be changed. */
  readonly stateIsReadOnly?: boolean;
  readonly rebinding?: Rebinding;
  readonly chain?: CargoTokenPlace;
  readonly mayPrompt?: boolean;
  readonly eligibility?: Eligibility;
  /** Whether somebody else has cargo's lock on the file. */
  readonly busy?: boolean;
  /** Why the file cannot be edited. */
  readonly notEditable?: string;
  /** Whether the file's token is another registry's. */
  readonly foreign?: boolean;
  readonly leftovers?: readonly string[];
  /** Other URLs that the store has a token of this name under. */
  readonly elsewhere?: readonly string[];
  /** Whether `cargo:token` would have a token to send. */
  readonly sendable?: boolean;
  readonly loginArguments?: readonly string[];
  /** What somebody types; absent: there is no terminal. */
  readonly typed?: PromptOutcome;
  /** How long the request has, in milliseconds. */
  readonly deadlineMs?: number;
  readonly name?: string;
}

/**
 * The edges of the provider as plain data, with a {@linkcode FakeStore}. Every
 * effect and every call of the store is recorded in order. The file holds one
 * token.
 */
export class FakeContext implements ProviderContext, Disposable {
  readonly deadline: Deadline;
  readonly key: RegistryRef;
  readonly fakeStore: FakeStore;
  /** Effects and store calls, in their order. */
  readonly calls: string[] = [];
  /** Every line for people: what was said, and every notice and announcement. */
  readonly lines: string[] = [];
  /** The notices as they were given, and whether the command ends there. */
  readonly notices: { notice: NoticeText; isLast: boolean }[] = [];
  /** Questions that were asked on the terminal. */
  readonly questions: string[] = [];
  /** Called before an effect is recorded: to let others step in. */
  before: (call: string) => void | Promise<void> = () => {};
  /** The file's token. */
  file: string | undefined;
  #state: State;

  readonly #world: World;
  #held = false;

  constructor(world: World = {}) {
    this.#world = world;
    this.deadline = new Deadline(world.deadlineMs ?? 60_000);
    this.key = { indexUrl: URL, name: world.name ?? "alt" };
    this.file = world.file;
    this.#state = world.state ?? EMPTY_STATE;
    this.fakeStore = world.store ?? new FakeStore();
    const { before } = this.fakeStore;
    this.fakeStore.before = async (call) => {
      this.calls.push(`store ${this.fakeStore.calls.at(-1)}`);
      await before(call);
    };
  }

  async #record(call: string): Promise<void> {
    await this.before(call);
    this.calls.push(call);
  }

  settings(): Promise<SettingsOutcome> {
    return Promise.resolve(
      this.#world.settings ??
        { kind: "settings", ...DEFAULT_SETTINGS, notices: [] },
    );
  }

  environmentToken(): Promise<EnvironmentToken> {
    return Promise.resolve(this.#world.environment ?? { kind: "none" });
  }

  store(): Promise<FakeStore> {
    return Promise.resolve(this.fakeStore);
  }

  plaintext(): Promise<Plaintext> {
    const table = ["registries", "alt"] as const;
    if (this.file === undefined) {
      const outcome = { kind: "none" } as const;
      return Promise.resolve({ path: FILE, table, token: "none", outcome });
    }
    const token = Secret.fromString(this.file);
    const outcome = { kind: "found", table, token } as const;
    return Promise.resolve({ path: FILE, table, token, outcome });
  }

  state(): Promise<State> {
    return Promise.resolve(this.#state);
  }

  refresh(): void {}

  sendable(): Promise<boolean> {
    const { sendable } = this.#world;
    return Promise.resolve(sendable ?? this.file !== undefined);
  }

  async storedElsewhere(): Promise<readonly string[]> {
    if (this.#world.elsewhere !== undefined) await this.#record("list");
    return this.#world.elsewhere ?? [];
  }

  loginArguments(): Promise<readonly string[]> {
    return Promise.resolve(this.#world.loginArguments ?? []);
  }

  rebinding(): Promise<Rebinding | "none"> {
    return Promise.resolve(this.#world.rebinding ?? "none");
  }

  chain(): Promise<CargoTokenPlace> {
    return Promise.resolve(
      this.#world.chain ?? { cargoTokenFollows: true, cargoTokenListed: true },
    );
  }

  mayPrompt(): Promise<boolean> {
    return Promise.resolve(this.#world.mayPrompt ?? false);
  }

  terminal(): Promise<Terminal> {
    const { typed } = this.#world;
    return Promise.resolve({
      stderrIsTerminal: typed !== undefined,
      canAsk: typed !== undefined,
      prompt: async (question: string): Promise<PromptOutcome> => {
        this.questions.push(question);
        await this.#record("ask");
        return typed ?? { kind: "no-terminal" };
      },
    });
  }

  eligibility(): Promise<Eligibility> {
    return Promise.resolve(this.#world.eligibility ?? { kind: "eligible" });
  }

  /** In the order of `moveToken()`. */
  async move(token: Secret): Promise<MoveOutcome> {
    const { deadline: { signal }, fakeStore: store, key } = this;
    await this.#record("move");
    if (this.#world.busy) return { kind: "busy" };
    if (this.file !== token.reveal()) return { kind: "file-changed" };
    const found = await store.get(key, { signal });
    if (found.kind === "found") {
      const mayWrite = token.equals(found.token);
      found.token.wipe();
      if (!mayWrite) return { kind: "store-changed" };
    } else if (found.kind !== "absent") {
      return { kind: "not-stored", failure: found };
    }
    const stored = await store.set(key, token, { signal });
    if (stored.kind !== "stored") {
      return { kind: "not-stored", failure: stored };
    }
    const kept = await store.verify(key, token, { signal });
    if (kept.kind !== "stored") return { kind: "not-stored", failure: kept };
    if (kept.keeps !== "on-disk") {
      return { kind: "stored", why: "not-yet-on-disk", reason: "it is slow" };
    }
    const removed = await this.#remove();
    return removed.kind === "left"
      ? { kind: "stored", why: "not-edited", reason: removed.reason }
      : { kind: "moved" };
  }

  async removePlaintext(
    token: Secret,
    superseded: boolean,
  ): Promise<RemovalOutcome> {
    if (this.#world.busy) return { kind: "left", reason: "it is busy" };
    await this.before(superseded ? "remove superseded" : "remove");
    if (this.file !== token.reveal()) {
      return { kind: "left", reason: "another program has just changed it" };
    }
    return await this.#remove();
  }

  async holdFile<T>(use: () => Promise<T>): Promise<T | "busy"> {
    await this.#record("hold");
    if (this.#world.busy) return "busy";
    this.#held = true;
    try {
      return await use();
    } finally {
      this.#held = false;
      this.calls.push("release");
    }
  }

  async supersedePlaintext(keeps: Keeping): Promise<RemovalOutcome> {
    if (keeps === "not-yet-on-disk") return { kind: "left", reason: "not yet" };
    return this.file === undefined || this.#world.rebinding !== undefined
      ? { kind: "none" }
      : await this.#removeHeld();
  }

  async logoutPlaintext(): Promise<PlaintextRemoval> {
    if (this.file === undefined) return { kind: "none" };
    const foreign = this.#world.foreign === true;
    const removal: RemovalOutcome = foreign
      ? { kind: "left", reason: "it is another registry's" }
      : await this.#removeHeld();
    return removal.kind === "left" ? { ...removal, foreign } : removal;
  }

  #removeHeld(): Promise<RemovalOutcome> {
    if (!this.#held) throw new Error("the file is not held");
    return this.#remove();
  }

  async #remove(): Promise<RemovalOutcome> {
    const { notEditable } = this.#world;
    if (notEditable !== undefined) {
      return { kind: "left", reason: notEditable };
    }
    await this.#record("remove");
    this.file = undefined;
    return { kind: "removed" };
  }

  leftovers(): Promise<readonly string[]> {
    return Promise.resolve(this.#world.leftovers ?? []);
  }

  waitForPerson(milliseconds: number): void {
    this.calls.push("wait for a person");
    this.deadline.restart(milliseconds);
  }

  async restartDeadline(): Promise<void> {
    await this.#record("restart");
    this.deadline.restart(60_000);
  }

  async remember(change: StateChange): Promise<boolean> {
    await this.#record("remember");
    if (this.#world.stateIsReadOnly) return false;
    this.#state = await change(this.#state);
    return true;
  }

  about(): Promise<RegistryAbout> {
    return Promise.resolve(
      describeRegistry(
        { indexUrl: URL, name: this.key.name ?? "alt" },
        this.fakeStore.title,
        FILE,
      ),
    );
  }

  async notice(notice: NoticeText, isLast = false): Promise<void> {
    await this.#record(`notice ${notice.topic}`);
    this.notices.push({ notice, isLast });
    this.lines.push(`${notice.level}: ${notice.text}`);
  }

  async announce(text: string): Promise<void> {
    await this.#record("announce");
    this.lines.push(text);
  }

  say(line: string): void {
    this.calls.push("say");
    this.lines.push(line);
  }

  [Symbol.dispose](): void {
    this.deadline[Symbol.dispose]();
  }
}
