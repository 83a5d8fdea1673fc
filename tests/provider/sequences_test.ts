// Random sequences of ordinary commands, with the real code over a store in
// memory and cargo homes of their own: no token that no command has discarded
// is nowhere, and no answer differs from cargo alone without a word.

import { assert } from "@std/assert";
import fc from "fast-check";
import { Secret } from "../../src/base/secret.ts";
import { readState } from "../../src/state/file.ts";
import { isSuperseded } from "../../src/state/superseded.ts";
import type { Answer, CredentialRequest } from "../../src/protocol/messages.ts";
import {
  type MigrateArguments,
  run as migrate,
} from "../../src/cli/commands/migrate.ts";
import { run as restore } from "../../src/cli/commands/restore.ts";
import { printableOutput } from "../../src/cli/output.ts";
import { CommandSession, SessionError } from "../../src/cli/session.ts";
import { get } from "../../src/provider/get.ts";
import { login } from "../../src/provider/login.ts";
import { logout } from "../../src/provider/logout.ts";
import { Session } from "../../src/tokens/session.ts";
import { SystemContext } from "../../src/provider/system_context.ts";
import type { RegistryRef } from "../../src/cargo/registries.ts";
import type {
  CredentialStore,
  EraseOutcome,
  GetOutcome,
  ListOutcome,
  PrepareOutcome,
  SetOutcome,
  StoreFailure,
  VerifyOutcome,
} from "../../src/stores/credential_store.ts";
import type { Terminal } from "../../src/terminal/terminal.ts";

const URL = "sparse+https://corp.example/index/";
const HOMES = 2;

/** What people and programs do, each in one of the homes. */
type Command =
  | { readonly do: "get" | "logout" | "login --migrate-to-keyring" }
  | { readonly do: "migrate" | "restore" | "restore --keep-store" }
  | { readonly do: "migrate --prefer file" | "migrate --prefer store" }
  /** With this program; at `cargo:token`'s question it may be given up. */
  | {
    readonly do: "login";
    readonly token: "fresh" | "stored" | "of the file";
    readonly givenUp: boolean;
  }
  | { readonly do: "cargo:token login" | "cargo:token logout" }
  | { readonly do: "cargo:libsecret login" | "cargo:libsecret logout" }
  /** Copies the file, or puts the copy back. */
  | { readonly do: "back up" | "put the backup back" }
  | { readonly do: "make the file read-only" | "make the file writable" }
  | { readonly do: "lock" | "unlock" | "lose the bus" | "find the bus" }
  | {
    readonly do: "default in memory" | "default on disk" | "end the session";
  };

interface Step {
  readonly home: number;
  readonly command: Command;
  /** At which call of the store it is killed; 0: at none. */
  readonly kill: number;
}

const KINDS = [
  "logout",
  "login --migrate-to-keyring",
  "migrate",
  "migrate --prefer file",
  "migrate --prefer store",
  "restore",
  "restore --keep-store",
  "cargo:token login",
  "cargo:token logout",
  "cargo:libsecret login",
  "cargo:libsecret logout",
  "back up",
  "put the backup back",
  "make the file read-only",
  "make the file writable",
  "lock",
  "unlock",
  "lose the bus",
  "find the bus",
  "default in memory",
  "default on disk",
  "end the session",
] as const;

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    home: fc.integer({ min: 0, max: HOMES - 1 }),
    command: fc.oneof(
      { weight: 5, arbitrary: fc.constant<Command>({ do: "get" }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant("login" as const),
          token: fc.constantFrom("fresh", "stored", "of the file"),
          givenUp: fc.boolean(),
        }),
      },
      {
        weight: 9,
        arbitrary: fc.constantFrom(...KINDS).map((kind): Command => ({
          do: kind,
        })),
      },
    ),
    kill: fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
    ),
  }),
  { minLength: 2, maxLength: 20 },
);

const SSH: Command = { do: "login", token: "fresh", givenUp: true };

/** Sequences that have lost a token, or sent the wrong one. */
const EXAMPLES: readonly (readonly (Command | readonly [1, Command])[])[] = [
  // A copy in memory is taken for one that lasts.
  [
    { do: "cargo:token login" },
    { do: "default in memory" },
    { do: "login", token: "of the file", givenUp: false },
    { do: "default on disk" },
    { do: "get" },
    { do: "end the session" },
    { do: "get" },
  ],
  // A login that is given up lets an old token win over the newer one.
  [
    { do: "cargo:token login" },
    { do: "cargo:libsecret login" },
    { do: "lose the bus" },
    SSH,
    { do: "find the bus" },
    { do: "get" },
  ],
  [
    { do: "cargo:token login" },
    { do: "back up" },
    { do: "login", token: "fresh", givenUp: false },
    { do: "lose the bus" },
    SSH,
    { do: "find the bus" },
    { do: "put the backup back" },
    { do: "get" },
  ],
  // A logout at a locked keyring erases what is stored later.
  [
    { do: "login", token: "fresh", givenUp: false },
    { do: "lock" },
    { do: "logout" },
    { do: "unlock" },
    { do: "cargo:libsecret login" },
    { do: "get" },
    { do: "get" },
  ],
  // Two homes with an account each.
  [
    { do: "cargo:token login" },
    [1, { do: "cargo:token login" }],
    { do: "get" },
    [1, { do: "get" }],
    { do: "get" },
  ],
  // A program writes each new token into the file.
  [
    { do: "cargo:token login" },
    { do: "get" },
    { do: "cargo:token login" },
    { do: "get" },
    { do: "get" },
  ],
];

const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "the fake store is locked",
  remedy: "Open it.",
  storeExists: true,
  item: "visible",
};
const NO_BUS: StoreFailure = {
  kind: "unreachable",
  cause: "no-bus",
  reason: "there is no bus",
  remedy: "Start one.",
  storeExists: false,
};

const MIGRATE: MigrateArguments = {
  registry: [],
  index: undefined,
  from: undefined,
  dryRun: false,
  keepFile: false,
  prefer: undefined,
  yes: true,
  json: true,
};

const NOBODY: Terminal = {
  stderrIsTerminal: false,
  canAsk: false,
  prompt: () => Promise.resolve({ kind: "no-terminal" }),
};

class Killed extends Error {
  override name = "Killed";
}

/** What {@linkcode World.check} says is wrong; fast-check prints the steps. */
class Wrong extends Error {
  override name = "Wrong";
}

/** One token at most in each collection, and one of them is the default. */
class Store implements CredentialStore {
  readonly name = "secret-service";
  readonly title = "the fake store";
  /** The collection that lasts, and the one that a session has in memory. */
  disk: string | undefined;
  memory: string | undefined;
  /** Whether the default collection lasts. */
  lasts = true;
  failure: StoreFailure | undefined;
  /** Which call is not survived; 0: none. */
  kill = 0;

  #enter(): StoreFailure | undefined {
    if (this.kill > 0 && --this.kill === 0) throw new Killed();
    return this.failure;
  }

  /** The token that is found, the default collection's before the other's. */
  get token(): string | undefined {
    return this.lasts ? this.disk ?? this.memory : this.memory ?? this.disk;
  }

  get(): Promise<GetOutcome> {
    const failure = this.#enter();
    if (failure !== undefined) return Promise.resolve(failure);
    const { token } = this;
    if (token === undefined) return Promise.resolve({ kind: "absent" });
    return Promise.resolve({
      kind: "found",
      token: Secret.fromString(token),
      others: [this.disk, this.memory].some((other) =>
          other !== undefined && other !== token
        )
        ? ["the other collection"]
        : [],
      keeps: token === this.disk ? "on-disk" : "in-memory",
    });
  }

  prepare(): Promise<PrepareOutcome> {
    const { lasts: durable } = this;
    return Promise.resolve(
      this.#enter() ?? { kind: "ready", durable, plaintext: false },
    );
  }

  set(_: RegistryRef, token: Secret): Promise<SetOutcome> {
    const failure = this.#enter();
    if (failure !== undefined) return Promise.resolve(failure);
    this.put(token.reveal());
    return Promise.resolve({ kind: "stored" });
  }

  /** As another program does it. */
  put(token: string): void {
    if (this.lasts) this.disk = token;
    else this.memory = token;
  }

  verify(): Promise<VerifyOutcome> {
    const keeps = this.lasts ? "on-disk" : "in-memory";
    return Promise.resolve(this.#enter() ?? { kind: "stored", keeps });
  }

  erase(): Promise<EraseOutcome> {
    const failure = this.#enter();
    if (failure !== undefined) return Promise.resolve(failure);
    if (this.token === undefined) return Promise.resolve({ kind: "absent" });
    this.disk = this.memory = undefined;
    return Promise.resolve({ kind: "erased", remaining: [] });
  }

  list(): Promise<ListOutcome> {
    return Promise.resolve({ kind: "items", items: [] });
  }
}

/** Two cargo homes, one store, and what must not get lost. */
class World implements Disposable {
  readonly store = new Store();
  readonly #root = Deno.makeTempDirSync({ prefix: "sequences-" });
  readonly #backups: (string | undefined)[] = Array(HOMES).fill(undefined);
  /** Every token that there was, and those that a command has discarded. */
  readonly #known = new Set<string>();
  readonly #discarded = new Set<string>();
  /** Those that have been where they outlive a session. */
  readonly #lasting = new Set<string>();
  #printed = "";

  constructor() {
    for (let i = 0; i < HOMES; i++) {
      Deno.mkdirSync(this.#home(i));
      Deno.writeTextFileSync(
        `${this.#home(i)}/config.toml`,
        `[registry]
global-credential-providers = ["cargo:token", "/bin/cargo-credential-keyring"]
[registries.corp]
index = "${URL}"
`,
      );
    }
  }

  #home(i: number): string {
    return `${this.#root}/home-${i}`;
  }

  #path(i: number): string {
    return `${this.#home(i)}/credentials.toml`;
  }

  /** What cargo alone would send. */
  #file(i: number): string | undefined {
    try {
      const text = Deno.readTextFileSync(this.#path(i));
      return /^token = "(.*)"$/m.exec(text)?.[1];
    } catch {
      return undefined;
    }
  }

  /** As `cargo:token` writes it. */
  #write(i: number, token: string | undefined): void {
    const line = token === undefined ? "" : `token = "${token}"\n`;
    const text = `[registries.corp]\n${line}`;
    Deno.writeTextFileSync(this.#path(i), text, { mode: 0o600 });
  }

  #fresh(): string {
    const token = `token-${this.#known.size}`;
    this.#known.add(token);
    return token;
  }

  #discard(...tokens: readonly (string | undefined)[]): void {
    for (const token of tokens) {
      if (token !== undefined) this.#discarded.add(token);
    }
  }

  #keep(token: string | undefined): void {
    if (token !== undefined) this.#discarded.delete(token);
  }

  get #stored(): string | undefined {
    return this.store.token;
  }

  async #ask(
    i: number,
    request: CredentialRequest,
  ): Promise<Answer | "killed"> {
    Deno.env.set("CARGO_HOME", this.#home(i));
    this.#printed = "";
    const { writeSync } = Deno.stderr;
    Deno.stderr.writeSync = (bytes) => {
      this.#printed += new TextDecoder().decode(bytes);
      return bytes.length;
    };
    try {
      using context = new SystemContext(
        request,
        new Session({ openStore: () => Promise.resolve(this.store) }),
      );
      switch (request.kind) {
        case "get":
          return await get(context);
        case "login":
          return await login(request, context);
        case "logout":
          return await logout(context);
      }
    } catch (error) {
      if (error instanceof Killed) return "killed";
      throw error;
    } finally {
      Deno.stderr.writeSync = writeSync;
      this.store.kill = 0;
    }
  }

  async run({ home, command, kill }: Step): Promise<void> {
    const registry = { indexUrl: URL, name: "corp", headers: [] };
    const { store } = this;
    store.kill = kill;
    switch (command.do) {
      case "get":
        await this.#get(home, kill);
        break;
      case "login": {
        const known = command.token === "stored"
          ? this.#stored
          : command.token === "of the file"
          ? this.#file(home)
          : undefined;
        const token = known ?? this.#fresh();
        const before = [this.#stored, this.#file(home)];
        const answer = await this.#ask(home, {
          kind: "login",
          registry,
          args: [],
          token: Secret.fromString(token),
        });
        if (answer === "killed" || answer.kind === "logged-in") {
          this.#discard(...before);
        }
        if (answer === "killed" && this.#stored !== token) this.#discard(token);
        else if (answer !== "killed" && answer.kind === "url-not-supported") {
          if (command.givenUp) this.#discardUnlessThere(token);
          else this.#cargoTokenLogin(home, token);
        } else if (answer !== "killed" && answer.kind !== "logged-in") {
          this.#discardUnlessThere(token);
        } else this.#discarded.delete(token);
        break;
      }
      case "logout": {
        this.#discard(store.disk, store.memory, this.#file(home));
        const answer = await this.#ask(home, {
          kind: "logout",
          registry,
          args: [],
        });
        if (answer === "killed") break;
        const isGone = this.#stored === undefined &&
          this.#file(home) === undefined;
        // Where cargo asks on, `cargo:token` removes what it can.
        const asksOn = answer.kind === "not-found";
        if (answer.kind === "logged-out" && !isGone && this.#printed === "") {
          throw new Wrong("a logout is done, and a token is left unnamed");
        }
        if (asksOn && this.#stored !== undefined && this.#printed === "") {
          throw new Wrong("nobody was logged in, and a token is stored");
        }
        break;
      }
      case "migrate":
        await this.#command(
          home,
          (session) => migrate({ ...MIGRATE, registry: ["corp"] }, session),
        );
        break;
      case "migrate --prefer file":
        this.#discard(this.#stored);
        await this.#command(
          home,
          (session) => migrate({ ...MIGRATE, prefer: "file" }, session),
        );
        // Where nothing was discarded, there is nothing to discard.
        if (this.#file(home) !== undefined) this.#keep(this.#stored);
        break;
      case "migrate --prefer store":
        this.#discard(this.#file(home));
        await this.#command(
          home,
          (session) => migrate({ ...MIGRATE, prefer: "store" }, session),
        );
        this.#keep(this.#file(home));
        break;
      case "restore":
      case "restore --keep-store": {
        const keepStore = command.do !== "restore";
        await this.#command(home, (session) =>
          restore(
            { registry: [], keepStore, dryRun: false, json: true },
            session,
          ));
        break;
      }
      case "login --migrate-to-keyring":
        await this.#ask(home, {
          kind: "login",
          registry,
          args: ["--migrate-to-keyring"],
        });
        break;
      case "cargo:token login":
        this.#cargoTokenLogin(home, this.#fresh());
        break;
      case "cargo:token logout":
        this.#discard(this.#file(home));
        if (this.#file(home) !== undefined) this.#write(home, undefined);
        break;
      case "cargo:libsecret login":
        this.#discard(store.lasts ? store.disk : store.memory);
        store.put(this.#fresh());
        break;
      case "cargo:libsecret logout":
        this.#discard(store.disk, store.memory);
        store.disk = store.memory = undefined;
        break;
      case "back up":
        this.#backups[home] = this.#file(home);
        break;
      case "put the backup back":
        if (this.#backups[home] === undefined) break;
        if (this.#file(home) !== this.#backups[home]) {
          this.#discard(this.#file(home));
        }
        await this.#putBack(home, this.#backups[home]);
        break;
      case "make the file read-only":
        this.#link(home, true);
        break;
      case "make the file writable":
        this.#link(home, false);
        break;
      case "lock":
        store.failure = LOCKED;
        break;
      case "lose the bus":
        store.failure = NO_BUS;
        break;
      case "unlock":
      case "find the bus":
        store.failure = undefined;
        break;
      case "default in memory":
        store.lasts = false;
        break;
      case "default on disk":
        store.lasts = true;
        break;
      case "end the session":
        // What was never elsewhere was said to be gone then.
        if (!this.#lasting.has(store.memory ?? "")) {
          this.#discard(store.memory);
        }
        store.memory = undefined;
        break;
    }
    store.kill = 0;
    this.#check();
  }

  /** A command for people, with nobody there. */
  async #command(
    home: number,
    run: (session: CommandSession) => Promise<number>,
  ): Promise<void> {
    try {
      await run(
        new CommandSession({
          env: { CARGO_HOME: this.#home(home) },
          cwd: () => this.#root,
          output: printableOutput(() => {}, () => {}),
          openStore: () => Promise.resolve(this.store),
          openTerminal: () => Promise.resolve(NOBODY),
          stderrIsTerminal: () => false,
        }),
      );
    } catch (error) {
      if (!(error instanceof Killed || error instanceof SessionError)) {
        throw error;
      }
    }
  }

  /** A second name keeps this program from editing the file, and not cargo. */
  #link(home: number, there: boolean): void {
    const other = `${this.#path(home)}.backup`;
    try {
      if (there) Deno.linkSync(this.#path(home), other);
      else Deno.removeSync(other);
    } catch (error) {
      if (
        !(error instanceof Deno.errors.NotFound) &&
        !(error instanceof Deno.errors.AlreadyExists)
      ) throw error;
    }
  }

  #cargoTokenLogin(home: number, token: string): void {
    if (this.#file(home) !== token) this.#discard(this.#file(home));
    this.#discarded.delete(token);
    this.#write(home, token);
  }

  /** A token that a login did not take is the user's to keep. */
  #discardUnlessThere(token: string): void {
    if (!this.#isThere(token)) this.#discard(token);
  }

  /** What is known to be replaced may be removed again. */
  async #putBack(home: number, token: string): Promise<void> {
    this.#write(home, token);
    const state = readState(this.#home(home));
    if (!await isSuperseded(state, URL, Secret.fromString(token))) {
      this.#discarded.delete(token);
    }
  }

  async #get(home: number, kill: number): Promise<void> {
    const alone = this.#file(home);
    const answer = await this.#ask(home, {
      kind: "get",
      registry: { indexUrl: URL, name: "corp", headers: [] },
      operation: { kind: "read" },
      args: [],
    });
    if (answer === "killed") return;
    assert(kill > 0 || answer.kind !== "other", JSON.stringify(answer));
    const sent = answer.kind === "token"
      ? answer.token.reveal()
      : this.#file(home);
    if (alone !== undefined && sent !== alone && this.#printed === "") {
      throw new Wrong(`${sent} is sent, cargo alone sends ${alone}`);
    }
  }

  #isThere(token: string): boolean {
    const { disk, memory } = this.store;
    return [disk, memory].includes(token) || this.#isInFile(token);
  }

  #isInFile(token: string): boolean {
    return Array.from({ length: HOMES }, (_, i) => this.#file(i))
      .includes(token);
  }

  #check(): void {
    for (const token of this.#known) {
      if (this.#discarded.has(token)) {
        this.#lasting.delete(token);
        continue;
      }
      const lasts = this.#isInFile(token) || this.store.disk === token;
      if (lasts) this.#lasting.add(token);
      else if (this.#lasting.has(token)) {
        throw new Wrong(`${token} is lost, or will be with the session`);
      } else if (!this.#isThere(token)) throw new Wrong(`${token} is lost`);
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#root, { recursive: true });
  }
}

/** Runs with nothing in the environment that belongs to whoever runs it. */
async function withPlainEnvironment(use: () => Promise<void>): Promise<void> {
  const before = Deno.env.toObject();
  for (const name of Object.keys(before)) {
    if (/^(CARGO_|XDG_|CI$|SUDO_|PKEXEC_|DOAS_)/.test(name)) {
      Deno.env.delete(name);
    }
  }
  // In a container the folder of the keyrings tells whose home it is.
  const home = await Deno.makeTempDir({ prefix: "sequences-" });
  await Deno.mkdir(`${home}/.local/share/keyrings`, { recursive: true });
  Deno.env.set("HOME", home);
  try {
    await use();
  } finally {
    await Deno.remove(home, { recursive: true });
    Deno.env.delete("CARGO_HOME");
    if (before["HOME"] === undefined) Deno.env.delete("HOME");
    for (const [name, value] of Object.entries(before)) {
      Deno.env.set(name, value);
    }
  }
}

Deno.test("no sequence of commands loses a token, or sends another one in silence", async () => {
  await withPlainEnvironment(() =>
    fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        using world = new World();
        for (const step of steps) await world.run(step);
      }),
      {
        seed: 3981,
        numRuns: 150,
        examples: EXAMPLES.map((commands): [readonly Step[]] => [
          commands.map((command): Step =>
            "do" in command
              ? { home: 0, command, kill: 0 }
              : { home: command[0], command: command[1], kill: 0 }
          ),
        ]),
      },
    )
  );
});
