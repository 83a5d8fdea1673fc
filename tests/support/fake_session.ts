import { join } from "node:path";
import { printable } from "../../src/base/printable.ts";
import { printableOutput } from "../../src/cli/output.ts";
import { CommandSession } from "../../src/cli/session.ts";
import { Secret } from "../../src/base/secret.ts";
import type { CredentialStore } from "../../src/stores/credential_store.ts";
import type { PromptOutcome, Terminal } from "../../src/terminal/terminal.ts";
import { FakeStore } from "./fake_store.ts";

/** What is special about a {@linkcode FakeScene}. */
export interface FakeSceneOptions {
  /** More of `$CARGO_HOME/config.toml`; it begins in its table `[registry]`. */
  readonly config?: string;
  /** `registry.global-credential-providers`. */
  readonly providers?: readonly string[];
  /** `$CARGO_HOME/credentials.toml`. */
  readonly credentials?: string;
  readonly store?: CredentialStore;
  readonly env?: Readonly<Record<string, string>>;
  /** What a person answers to questions; absent: nobody is there. */
  readonly answers?: readonly string[];
}

/** A terminal with a person who answers, or without one. */
class FakeTerminal implements Terminal {
  readonly questions: string[] = [];
  readonly #answers: string[];
  readonly stderrIsTerminal: boolean;
  readonly canAsk: boolean;

  constructor(answers: readonly string[] | undefined) {
    this.#answers = [...answers ?? []];
    this.stderrIsTerminal = this.canAsk = answers !== undefined;
  }

  prompt(question: string): Promise<PromptOutcome> {
    // As a terminal shows it.
    this.questions.push(printable(question));
    const answer = this.#answers.shift();
    return Promise.resolve(
      answer === undefined
        ? { kind: "end-of-input" }
        : { kind: "line", line: Secret.fromString(answer) },
    );
  }
}

/**
 * A cargo home in a temporary folder, a store in memory and a terminal without
 * one: for commands that run without a process.
 */
export class FakeScene implements AsyncDisposable {
  readonly root: string;
  readonly home: string;
  /** The current directory, outside of the home. */
  readonly cwd: string;
  readonly store: CredentialStore;
  readonly #options: FakeSceneOptions;
  /** The lines on standard output and standard error of the last session. */
  out: string[] = [];
  err: string[] = [];
  /** The questions that the last session has asked. */
  questions: string[] = [];
  /** Whether the last session has looked for a terminal. */
  openedTerminal = false;

  private constructor(root: string, options: FakeSceneOptions) {
    this.root = root;
    this.home = join(root, "home", ".cargo");
    this.cwd = join(root, "work", "checkout");
    this.store = options.store ?? new FakeStore();
    this.#options = options;
  }

  static async create(options: FakeSceneOptions = {}): Promise<FakeScene> {
    const scene = new FakeScene(
      await Deno.makeTempDir({ prefix: "session-" }),
      options,
    );
    const { providers = ["cargo:token", "cargo-credential-keyring"] } = options;
    await Deno.mkdir(scene.home, { recursive: true });
    await Deno.mkdir(`${scene.cwd}/.cargo`, { recursive: true });
    await Deno.writeTextFile(
      `${scene.home}/config.toml`,
      `[registry]\nglobal-credential-providers = ${
        JSON.stringify(providers)
      }\n${options.config ?? ""}`,
    );
    if (options.credentials !== undefined) {
      await scene.write(options.credentials);
    }
    return scene;
  }

  get path(): string {
    return join(this.home, "credentials.toml");
  }

  /** Where the program lies if somebody has installed it. */
  get program(): string {
    const name = "cargo-credential-keyring";
    const file = Deno.build.os === "windows" ? `${name}.exe` : name;
    return join(this.home, "bin", file);
  }

  async write(credentials: string): Promise<void> {
    await Deno.writeTextFile(this.path, credentials, { mode: 0o600 });
  }

  /** The configuration of a checkout that one stands in. */
  async writeProject(config: string): Promise<void> {
    await Deno.writeTextFile(`${this.cwd}/.cargo/config.toml`, config);
  }

  /** What the credentials file holds; empty if there is none. */
  async credentials(): Promise<string> {
    try {
      return await Deno.readTextFile(this.path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  /** A session as a new process would have it. */
  session(): CommandSession {
    this.out = [];
    this.err = [];
    this.openedTerminal = false;
    const terminal = new FakeTerminal(this.#options.answers);
    this.questions = terminal.questions;
    return new CommandSession({
      env: {
        HOME: join(this.root, "home"),
        CARGO_HOME: this.home,
        ...this.#options.env,
      },
      cwd: () => this.cwd,
      output: printableOutput(
        (line) => this.out.push(line),
        (line) => this.err.push(line),
      ),
      openStore: () => Promise.resolve(this.store),
      stderrIsTerminal: () => true,
      openTerminal: () => {
        this.openedTerminal = true;
        return Promise.resolve(terminal);
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}
