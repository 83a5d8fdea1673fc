import { homeDirectory } from "../../ffi/home_directory.ts";
import { printable } from "../base/printable.ts";
import { type ConfigLayers, loadConfig } from "../cargo/config.ts";
import {
  cargoHome,
  currentDirectory,
  type Environment,
  unreadableHome,
} from "../cargo/home.ts";
import { credentialsPath } from "../credentials/file.ts";
import { readState, updateState } from "../state/file.ts";
import { type State } from "../state/format.ts";
import {
  gatherSurroundings,
  type Surroundings,
} from "../tokens/surroundings.ts";
import { loadSettings } from "../settings/load_settings.ts";
import type { Settings } from "../settings/settings.ts";
import { openStore } from "../stores/choose.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  GetOutcome,
  PrepareOutcome,
  StoreFailure,
  StoreName,
  StoreOptions,
} from "../stores/credential_store.ts";
import { openTerminal } from "../terminal/open_terminal.ts";
import { personIsPresent } from "../terminal/person.ts";
import type { PromptOutcome, Terminal } from "../terminal/terminal.ts";
import { type Output, SYSTEM_OUTPUT } from "./output.ts";

/** How long another process may hold the state file. */
const STATE_PATIENCE_MS = 1_000;

/** How long a person may think about a question. */
const QUESTION_MS = 5 * 60_000;

/** Something that is wrong before a command can begin; the message says it. */
export class SessionError extends Error {
  override name = "SessionError";
}

/** What a {@linkcode Session} is made of; absent: the system's own. */
export interface SessionSources {
  readonly env?: Environment;
  readonly cwd?: () => string;
  readonly output?: Output;
  readonly openStore?: typeof openStore;
  readonly openTerminal?: () => Promise<Terminal>;
}

/** The store of one registry, and how it may be asked. */
export interface StorePlace {
  readonly settings: Settings;
  readonly store: CredentialStore;
  /** Whether a dialog may open. */
  readonly mayPrompt: boolean;
  /** A deadline that begins when this is called. */
  readonly deadline: () => AbortSignal;
}

/**
 * What a command for people works with. Everything is looked at when it is
 * first asked for, and then once.
 */
export class Session {
  readonly env: Environment;
  readonly output: Output;
  readonly #sources: SessionSources;
  /** The stores whose dialog was dismissed or not answered. */
  readonly #refused = new Map<StoreName, StoreFailure>();

  constructor(sources: SessionSources = {}) {
    this.env = sources.env ?? Deno.env.toObject();
    this.output = sources.output ?? SYSTEM_OUTPUT;
    this.#sources = sources;
  }

  /** The current directory. */
  readonly cwd: () => string = once(() =>
    (this.#sources.cwd ?? currentDirectory)()
  );

  /** Cargo's home. */
  readonly home: () => Promise<string> = once(async () => {
    const cwd = this.cwd();
    const named = cargoHome(this.env, cwd);
    const trouble = unreadableHome(this.env, named);
    if (trouble !== undefined) throw new SessionError(trouble);
    const home = named ??
      cargoHome(this.env, cwd, { systemHome: await homeDirectory() });
    if (home === undefined) {
      throw new SessionError(
        "cargo's home is not known: set `CARGO_HOME` or `HOME`",
      );
    }
    return home;
  });

  /** Cargo's configuration. */
  readonly config: () => Promise<ConfigLayers> = once(() => this.readConfig());

  /** Cargo's configuration as it is now, whatever it was before. */
  async readConfig(): Promise<ConfigLayers> {
    return await loadConfig({
      environment: this.env,
      cargoHome: await this.home(),
      cwd: this.cwd(),
    });
  }

  /** The credentials file, whether it exists or not. */
  readonly path: () => Promise<string> = once(async () =>
    credentialsPath(await this.home())
  );

  /** What surrounds the credentials file. */
  readonly surroundings: () => Promise<Surroundings> = once(async () =>
    await gatherSurroundings({
      credentialsPath: await this.path(),
      cargoHome: await this.home(),
      env: this.env,
      os: Deno.build.os,
    })
  );

  readonly #terminal: () => Promise<Terminal> = once(() =>
    (this.#sources.openTerminal ?? openTerminal)()
  );

  /** Whether somebody could answer a question. */
  readonly isPersonPresent: () => Promise<boolean> = once(async () => {
    const terminal = await this.#terminal();
    return personIsPresent({
      stderrIsTerminal: terminal.stderrIsTerminal,
      get canAsk() {
        return terminal.canAsk;
      },
      ci: this.env["CI"],
    });
  });

  /** Asks for something that is not shown while it is typed. */
  async ask(question: string): Promise<PromptOutcome> {
    const terminal = await this.#terminal();
    return await terminal.prompt(question, {
      signal: AbortSignal.timeout(QUESTION_MS),
    });
  }

  /** Asks a question on the terminal; whatever is no clear yes is a no. */
  async confirm(question: string): Promise<boolean> {
    const terminal = await this.#terminal();
    const answer = await terminal.prompt(`${printable(question)} [y/N] `, {
      signal: AbortSignal.timeout(QUESTION_MS),
      echo: true,
    });
    return answer.kind === "line" &&
      /^y(es)?$/i.test(answer.line.reveal().trim());
  }

  /** What is remembered. */
  async state(): Promise<State> {
    return readState(await this.home());
  }

  /** Changes what is remembered; `false`: it was not written. */
  async remember(
    change: (state: State) => State | Promise<State>,
  ): Promise<boolean> {
    return await updateState(await this.home(), change, {
      patienceMs: STATE_PATIENCE_MS,
    });
  }

  /**
   * The store of a registry. With `prompt` a dialog may open if somebody is
   * present; without it nobody is looked for.
   */
  async storeOf(indexUrl: string, prompt: boolean): Promise<StorePlace> {
    const home = await this.home();
    const settings = await loadSettings({
      env: this.env,
      cargoHome: home,
      os: Deno.build.os,
      indexUrl,
    });
    if (settings.kind === "wrong") throw new SessionError(settings.message);
    const mayPrompt = prompt && settings.prompt !== "never" &&
      (settings.prompt === "always" || await this.isPersonPresent());
    const limit = mayPrompt ? settings.promptTimeoutMs : settings.timeoutMs;
    return {
      settings,
      store: await (this.#sources.openStore ?? openStore)(settings.store, home),
      mayPrompt,
      deadline: () => AbortSignal.timeout(limit),
    };
  }

  /**
   * Opens a store for writing, with its own dialog if one may open. Once a
   * person has dismissed a dialog, the same command opens no other.
   */
  async prepare(place: StorePlace): Promise<PrepareOutcome> {
    return await this.#ask(place, (options) => place.store.prepare(options));
  }

  /** Asks a store for a token, with its own dialog like {@linkcode prepare}. */
  async get(place: StorePlace, key: RegistryRef): Promise<GetOutcome> {
    return await this.#ask(place, (options) => place.store.get(key, options));
  }

  async #ask<T extends { readonly kind: string }>(
    { store, mayPrompt, deadline }: StorePlace,
    ask: (options: StoreOptions) => Promise<T | StoreFailure>,
  ): Promise<T | StoreFailure> {
    const refused = this.#refused.get(store.name);
    if (refused !== undefined) return refused;
    const answer = await ask({ signal: deadline(), prompt: mayPrompt });
    if (mayPrompt && isRefusal(answer)) this.#refused.set(store.name, answer);
    return answer;
  }
}

/** Whether a person has not opened a store. */
function isRefusal(
  answer: { readonly kind: string } | StoreFailure,
): answer is StoreFailure {
  return "cause" in answer &&
    (answer.cause === "prompt-dismissed" || answer.cause === "deadline");
}

function once<T>(look: () => T): () => T {
  let looked: { readonly value: T } | undefined;
  return () => (looked ??= { value: look() }).value;
}
