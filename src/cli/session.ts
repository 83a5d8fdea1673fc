import type { ConfigLayers } from "../cargo/config.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type { Settings } from "../settings/settings.ts";
import type {
  CredentialStore,
  GetOutcome,
  PrepareOutcome,
  StoreFailure,
  StoreName,
  StoreOptions,
} from "../stores/credential_store.ts";
import { confirm } from "../terminal/confirm.ts";
import type { PromptOutcome } from "../terminal/terminal.ts";
import type { Registry } from "../tokens/registry.ts";
import {
  Session,
  SessionError,
  type SessionSources,
} from "../tokens/session.ts";

export { SessionError } from "../tokens/session.ts";
import { type Output, SYSTEM_OUTPUT } from "./output.ts";

/** How long another process may hold the state file. */
const STATE_PATIENCE_MS = 1_000;

/** How long a person may think about a question. */
const QUESTION_MS = 5 * 60_000;

/** What a {@linkcode CommandSession} is made of; absent: the system's own. */
export interface CommandSources extends SessionSources {
  readonly output?: Output;
  /** See {@linkcode CommandSession.planned}. */
  readonly homeConfig?: string;
}

/** The store of one registry, and how it may be asked. */
export interface StorePlace {
  readonly registry: Registry;
  readonly settings: Settings;
  readonly store: CredentialStore;
  /** Whether a dialog may open. */
  readonly mayPrompt: boolean;
  /** A deadline that begins when this is called. */
  readonly deadline: () => AbortSignal;
}

/**
 * What a command for people works with. What a request can do without ends a
 * command with a {@linkcode SessionError}.
 */
export class CommandSession extends Session {
  readonly output: Output;
  /** The stores whose dialog was dismissed or not answered. */
  readonly #refused = new Map<StoreName, StoreFailure>();
  readonly #sources: CommandSources;

  constructor(sources: CommandSources = {}) {
    super({ statePatienceMs: STATE_PATIENCE_MS, ...sources });
    this.#sources = sources;
    this.output = sources.output ?? SYSTEM_OUTPUT;
  }

  /** The same world looked at again, after a command has changed it. */
  fresh(): CommandSession {
    return new CommandSession(this.#sources);
  }

  /**
   * The same world as it would be if the configuration file in cargo's home
   * said this: for a change that is only planned.
   */
  planned(homeConfig: string): CommandSession {
    return new CommandSession({ ...this.#sources, homeConfig });
  }

  override async readConfig(): Promise<ConfigLayers> {
    const { homeConfig } = this.#sources;
    if (homeConfig === undefined) return await super.readConfig();
    const { loadConfig } = await import("../cargo/configuration.ts");
    return await loadConfig({
      environment: this.env,
      cargoHome: await this.home(),
      cwd: this.cwd(),
      homeConfig,
    });
  }

  override async home(): Promise<string> {
    const home = await this.cargoHome();
    switch (home.kind) {
      case "home":
        return home.path;
      case "none":
        throw new SessionError(
          "cargo's home is not known: set `CARGO_HOME` or `HOME`",
        );
      case "unreadable":
        throw new SessionError(home.reason);
    }
  }

  override async path(): Promise<string> {
    await this.home();
    return await super.path() ?? "";
  }

  /** Asks for something that is not shown while it is typed. */
  async ask(question: string): Promise<PromptOutcome> {
    const terminal = await this.terminal();
    return await terminal.prompt(question, {
      signal: AbortSignal.timeout(QUESTION_MS),
    });
  }

  /** Asks whether something is to be done. */
  async confirm(question: string): Promise<boolean> {
    const signal = AbortSignal.timeout(QUESTION_MS);
    return await confirm(await this.terminal(), question, signal);
  }

  /**
   * The store of a registry. With `prompt` a dialog may open if somebody is
   * present; without it nobody is looked for.
   */
  async storeOf(ref: RegistryRef, prompt: boolean): Promise<StorePlace> {
    const registry = this.registry(ref);
    const settings = await registry.settings();
    if (settings.kind === "wrong") throw new SessionError(settings.message);
    const mayPrompt = prompt && await registry.mayPrompt();
    const limit = mayPrompt ? settings.promptTimeoutMs : settings.timeoutMs;
    return {
      registry,
      settings,
      store: await registry.store(),
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

  /**
   * Opens a store for reading if a dialog may open; what is in its other
   * collections can be read without a default one. Returns why it stays shut.
   */
  async open(place: StorePlace): Promise<StoreFailure | undefined> {
    if (!place.mayPrompt) return undefined;
    const prepared = await this.prepare(place);
    return prepared.kind === "ready" ||
        prepared.cause === "no-default-collection"
      ? undefined
      : prepared;
  }

  /** Asks a store for a token, with its own dialog like {@linkcode prepare}. */
  async get(place: StorePlace): Promise<GetOutcome> {
    return await this.#ask(
      place,
      (options) => place.store.get(place.registry.ref, options),
    );
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
