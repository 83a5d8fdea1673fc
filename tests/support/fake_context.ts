import { printable } from "../../src/base/printable.ts";
import { Deadline } from "../../src/base/deadline.ts";
import type { EnvironmentToken } from "../../src/cargo/environment_token.ts";
import type { CargoTokenPlace } from "../../src/cargo/provider_chain.ts";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import type { ProviderContext } from "../../src/provider/context.ts";
import type { NoticeText } from "../../src/provider/notices.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
} from "../../src/settings/settings.ts";
import type { StateChange } from "../../src/state/file.ts";
import { EMPTY_STATE, type State } from "../../src/state/state.ts";
import type { PromptOutcome } from "../../src/terminal/terminal.ts";
import {
  describeRegistry,
  type RegistryAbout,
} from "../../src/tokens/about.ts";
import type { Eligibility } from "../../src/tokens/eligibility.ts";
import { Registry } from "../../src/tokens/registry.ts";
import { Session } from "../../src/tokens/session.ts";
import { FakeStore } from "./fake_store.ts";

/** The registry that a {@linkcode FakeContext} is asked about. */
export const URL = "sparse+https://alt.example/index/";

/** What a {@linkcode FakeContext} calls its credentials file. */
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
  /** Whether the file is written such that it cannot be edited safely. */
  readonly notEditable?: boolean;
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

/** What is looked up is plain data; the file is a real one. */
class FakeRegistry extends Registry {
  readonly #world: World;
  readonly #record: (call: string) => Promise<void>;
  readonly #before: (call: string) => void | Promise<void>;
  readonly #hasFile: () => boolean;
  #state: State;

  constructor(
    session: Session,
    world: World,
    store: FakeStore,
    record: (call: string) => Promise<void>,
    before: (call: string) => void | Promise<void>,
    hasFile: () => boolean,
  ) {
    const ref = { indexUrl: URL, name: world.name ?? "alt" };
    super(session, ref, () => Promise.resolve(store));
    this.#world = world;
    this.#record = record;
    this.#before = before;
    this.#hasFile = hasFile;
    this.#state = world.state ?? EMPTY_STATE;
  }

  override readonly settings = (): Promise<SettingsOutcome> =>
    Promise.resolve(
      this.#world.settings ??
        { kind: "settings", ...DEFAULT_SETTINGS, notices: [] },
    );

  override environmentToken(): Promise<EnvironmentToken> {
    return Promise.resolve(this.#world.environment ?? { kind: "none" });
  }

  override memory(): Promise<State> {
    return Promise.resolve(this.#state);
  }

  override async remember(change: StateChange): Promise<boolean> {
    await this.#record("remember");
    if (this.#world.stateIsReadOnly) return false;
    this.#state = await change(this.#state);
    return true;
  }

  override sendable(): Promise<boolean> {
    return Promise.resolve(this.#world.sendable ?? this.#hasFile());
  }

  override async storedElsewhere(): Promise<readonly string[]> {
    if (this.#world.elsewhere !== undefined) await this.#record("list");
    return this.#world.elsewhere ?? [];
  }

  override rebinding = (): Promise<Rebinding | "none"> =>
    Promise.resolve(this.#world.rebinding ?? "none");

  override chain(): Promise<CargoTokenPlace> {
    return Promise.resolve(
      this.#world.chain ?? { cargoTokenFollows: true, cargoTokenListed: true },
    );
  }

  override async eligibility(): Promise<Eligibility> {
    await this.#before("eligibility");
    return this.#world.eligibility ?? { kind: "eligible" };
  }

  override isMapped(): Promise<boolean> {
    return Promise.resolve(this.#world.foreign !== true);
  }

  override leftovers(): Promise<readonly string[]> {
    return Promise.resolve(this.#world.leftovers ?? []);
  }
}

/**
 * The edges of the provider as plain data, with a {@linkcode FakeStore} and a
 * credentials file in a temporary folder, which the operations themselves lock
 * and edit. Every effect and every call of the store is recorded in order.
 */
export class FakeContext implements ProviderContext, Disposable {
  readonly deadline: Deadline;
  readonly registry: Registry;
  readonly fakeStore: FakeStore;
  /** Every line for people: what was said, and every notice and announcement. */
  readonly lines: string[] = [];
  /** The notices as they were given, and whether the command ends there. */
  readonly notices: { notice: NoticeText; isLast: boolean }[] = [];
  /** Questions that were asked on the terminal. */
  readonly questions: string[] = [];
  /** The calls of the store while cargo's lock was held. */
  readonly underLock: string[] = [];
  /** Called before an effect is recorded: to let others step in. */
  before: (call: string) => void | Promise<void> = () => {};
  readonly #world: World;
  readonly #home: string;
  readonly #calls: string[] = [];
  readonly #lock: Deno.FsFile | undefined;
  /** What the file was when it was last looked at. */
  #seen: string | undefined;

  constructor(world: World = {}) {
    this.#world = world;
    const short = world.busy ? 500 : 60_000;
    this.deadline = new Deadline(world.deadlineMs ?? short);
    this.#home = Deno.makeTempDirSync({ prefix: "context-" });
    this.file = world.file;
    this.fakeStore = world.store ?? new FakeStore();
    const { before } = this.fakeStore;
    this.fakeStore.before = async (call) => {
      const name = `store ${this.fakeStore.calls.at(-1)}`;
      this.#look();
      this.#calls.push(name);
      if (await this.#isHeld()) this.underLock.push(name);
      await before(call);
    };
    const { typed } = world;
    this.registry = new FakeRegistry(
      new Session({
        env: { CARGO_HOME: this.#home },
        cwd: () => this.#home,
        openTerminal: () =>
          Promise.resolve({
            stderrIsTerminal: typed !== undefined,
            canAsk: typed !== undefined,
            prompt: async (question: string): Promise<PromptOutcome> => {
              // As a terminal shows it.
              this.questions.push(printable(question));
              await this.#record("ask");
              return typed ?? { kind: "no-terminal" };
            },
          }),
      }),
      world,
      this.fakeStore,
      (call) => this.#record(call),
      (call) => this.before(call),
      () => this.file !== undefined,
    );
    if (world.busy) {
      this.#lock = Deno.openSync(this.#path, { read: true, write: true });
      this.#lock.lockSync(true);
    }
  }

  get #path(): string {
    return `${this.#home}/credentials.toml`;
  }

  /** The file's token. */
  get file(): string | undefined {
    try {
      const text = Deno.readTextFileSync(this.#path);
      return /^token = "(.*)"$/m.exec(text)?.[1];
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  set file(token: string | undefined) {
    this.#seen = token;
    if (token === undefined) {
      Deno.writeTextFileSync(this.#path, "");
      if (this.#world.file === undefined) Deno.removeSync(this.#path);
      return;
    }
    const table = "[registries.alt]\n";
    // A string that begins in one page and ends in another cannot be changed
    // without a moment in which a crash would tear it.
    const filling = this.#world.notEditable
      ? `# ${"x".repeat(4096 - table.length - 'token = "'.length - 8)}\n`
      : "";
    Deno.writeTextFileSync(
      this.#path,
      `${filling}${table}token = "${token}"\nindex = "${URL}"\n`,
      { mode: 0o600 },
    );
  }

  /** Effects and store calls, in their order. */
  get calls(): readonly string[] {
    this.#look();
    return this.#calls;
  }

  /** Notes if the token has left the file. */
  #look(): void {
    const { file } = this;
    if (file === undefined && this.#seen !== undefined) {
      this.#calls.push("remove");
    }
    this.#seen = file;
  }

  async #isHeld(): Promise<boolean> {
    if (this.#lock !== undefined) return false;
    try {
      using file = Deno.openSync(this.#path, { read: true, write: true });
      return !await file.tryLock(true);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  async #record(call: string): Promise<void> {
    await this.before(call);
    this.#look();
    this.#calls.push(call);
  }

  settings(): Promise<SettingsOutcome> {
    return this.registry.settings();
  }

  state(): Promise<State> {
    return this.registry.memory();
  }

  loginArguments(): Promise<readonly string[]> {
    return Promise.resolve(this.#world.loginArguments ?? []);
  }

  mayPrompt(): Promise<boolean> {
    return Promise.resolve(this.#world.mayPrompt ?? false);
  }

  waitForPerson(milliseconds: number): void {
    this.#calls.push("wait for a person");
    this.deadline.restart(milliseconds);
  }

  async restartDeadline(): Promise<void> {
    await this.#record("restart");
    this.deadline.restart(60_000);
  }

  about(): Promise<RegistryAbout> {
    const { ref } = this.registry;
    return Promise.resolve(describeRegistry(ref, this.fakeStore.title, FILE));
  }

  async notice(notice: NoticeText, isLast = false): Promise<void> {
    await this.#record(`notice ${notice.topic}`);
    this.notices.push({ notice, isLast });
    this.lines.push(`${notice.level}: ${notice.text}`);
  }

  async announce(lines: readonly string[]): Promise<void> {
    await this.#record("announce");
    this.lines.push(...lines);
  }

  say(...lines: readonly string[]): void {
    this.#look();
    this.#calls.push(...lines.map(() => "say"));
    this.lines.push(...lines);
  }

  [Symbol.dispose](): void {
    this.#lock?.close();
    this.deadline[Symbol.dispose]();
    Deno.removeSync(this.#home, { recursive: true });
  }
}
