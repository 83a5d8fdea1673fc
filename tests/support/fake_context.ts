import type { EnvironmentToken } from "../../src/cargo/environment_token.ts";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import { Deadline } from "../../src/base/deadline.ts";
import type { Eligibility } from "../../src/migration/eligibility.ts";
import type { MoveOutcome, RemovalOutcome } from "../../src/migration/move.ts";
import {
  EMPTY_STATE,
  forgetIntent,
  intend,
  type IntentKind,
  intentOf,
  isPinned,
  isSettling,
  type State,
  unpin,
} from "../../src/migration/state.ts";
import type {
  Memory,
  Plaintext,
  ProviderContext,
} from "../../src/provider/context.ts";
import type { Chain } from "../../src/provider/get_decision.ts";
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
import type { ItemKey } from "../../src/stores/credential_store.ts";
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
  readonly chain?: Chain;
  readonly mayPrompt?: boolean;
  readonly eligibility?: Eligibility;
  /** Whether somebody else has cargo's lock on the file. */
  readonly busy?: boolean;
  /** Why the file cannot be edited. */
  readonly notEditable?: string;
  /** Whether the file's token is another registry's. */
  readonly foreign?: boolean;
  readonly leftovers?: readonly string[];
  /** What somebody types; absent: there is no terminal. */
  readonly typed?: PromptOutcome;
  /** How long the request has, in milliseconds. */
  readonly deadlineMs?: number;
  readonly registryName?: string;
}

/**
 * The edges of the provider as plain data, with a {@linkcode FakeStore}. Every
 * effect and every call of the store is recorded in order. The file holds one
 * token, and its stamp changes whenever that does.
 */
export class FakeContext implements ProviderContext, Disposable {
  readonly deadline: Deadline;
  readonly key: ItemKey;
  readonly fakeStore: FakeStore;
  /** Effects and store calls, in their order. */
  readonly calls: string[] = [];
  /** Every line for people: what was said, and every notice and announcement. */
  readonly lines: string[] = [];
  /** The notices as they were given, and whether they changed the answer. */
  readonly notices: { notice: NoticeText; changesAnswer: boolean }[] = [];
  /** Questions that were asked on the terminal. */
  readonly questions: string[] = [];
  /** Called before an effect is recorded: to let others step in. */
  before: (call: string) => void | Promise<void> = () => {};
  /** The file's token. */
  file: string | undefined;
  state: State;

  readonly #world: World;
  #stamp = 1;
  #held = false;

  constructor(world: World = {}) {
    this.#world = world;
    this.deadline = new Deadline(world.deadlineMs ?? 60_000);
    this.key = { indexUrl: URL, registryName: world.registryName ?? "alt" };
    this.file = world.file;
    this.state = world.state ?? EMPTY_STATE;
    this.fakeStore = world.store ?? new FakeStore();
    const { before } = this.fakeStore;
    this.fakeStore.before = async (call) => {
      this.calls.push(`store ${this.fakeStore.calls.at(-1)}`);
      await before(call);
    };
  }

  /** What the file is like now: it changes with every write. */
  get stamp(): string {
    return `stamp ${this.#stamp}`;
  }

  /** Somebody writes the file. */
  writeFile(token: string | undefined): void {
    this.file = token;
    this.#stamp += 1;
  }

  /** What the state says now. */
  get intent(): IntentKind | "none" {
    return intentOf(this.state, URL, this.stamp);
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
    return Promise.resolve({
      path: FILE,
      table: ["registries", "alt"],
      token: this.file === undefined ? "none" : Secret.fromString(this.file),
      stamp: this.stamp,
    });
  }

  memory(): Promise<Memory> {
    return Promise.resolve({
      intent: this.intent,
      pinned: isPinned(this.state, URL),
      settling: isSettling(this.state, URL, Date.now()),
    });
  }

  rebinding(): Promise<Rebinding | "none"> {
    return Promise.resolve(this.#world.rebinding ?? "none");
  }

  chain(): Promise<Chain> {
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
  async move(token: Secret, over?: Secret): Promise<MoveOutcome> {
    const { deadline: { signal }, fakeStore: store, key } = this;
    await this.#record("move");
    if (this.#world.busy) return { kind: "busy" };
    if (this.file !== token.reveal()) return { kind: "file-changed" };
    const found = await store.get(key, { signal });
    if (found.kind === "found") {
      const mayWrite = over?.equals(found.token) === true;
      found.token.wipe();
      if (!mayWrite) return { kind: "store-changed" };
    } else if (found.kind !== "absent") {
      return { kind: "not-stored", failure: found };
    }
    if (this.intent === "logged-out" && !await this.intend("none")) {
      return { kind: "no-file", reason: "the state file cannot be written" };
    }
    const stored = await store.set(key, token, { signal });
    if (stored.kind !== "stored") {
      return { kind: "not-stored", failure: stored };
    }
    const kept = await store.verify(key, token, { signal });
    if (kept.kind !== "stored") return { kind: "not-stored", failure: kept };
    const removed = await this.#remove();
    return removed.kind === "left"
      ? { kind: "stored", reason: removed.reason }
      : { kind: "moved" };
  }

  async removePlaintext(token: Secret): Promise<RemovalOutcome> {
    if (this.#world.busy) return { kind: "left", reason: "it is busy" };
    await this.before("remove");
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

  async supersedePlaintext(): Promise<RemovalOutcome> {
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
    this.writeFile(undefined);
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

  async intend(intent: IntentKind | "none"): Promise<boolean> {
    const earlier = this.state.intents.length > 0;
    if (intent === "none" && !earlier) return true;
    await this.#record(`intend ${intent}`);
    if (this.#world.stateIsReadOnly) return !earlier;
    this.state = intent === "none"
      ? forgetIntent(this.state, URL)
      : intend(this.state, URL, intent, this.stamp);
    return true;
  }

  async unpin(): Promise<void> {
    if (!isPinned(this.state, URL)) return;
    await this.#record("unpin");
    this.state = unpin(this.state, URL);
  }

  about(): Promise<RegistryAbout> {
    return Promise.resolve(
      describeRegistry(
        { indexUrl: URL, name: this.key.registryName ?? "alt" },
        this.fakeStore.title,
        FILE,
      ),
    );
  }

  async notice(notice: NoticeText, changesAnswer = false): Promise<void> {
    await this.#record(`notice ${notice.topic}`);
    this.notices.push({ notice, changesAnswer });
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
