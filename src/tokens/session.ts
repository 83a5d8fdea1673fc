import { mayBeThere } from "../../ffi/presence.ts";
import { once } from "../base/once.ts";
import type { ConfigLayers } from "../cargo/config.ts";
import {
  cargoHome,
  currentDirectory,
  type Environment,
  unreadableHome,
} from "../cargo/home.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import { credentialsPath } from "../credentials/place.ts";
import type { StateChange } from "../state/file.ts";
import { EMPTY_STATE, type State, statePath } from "../state/state.ts";
import { openStore } from "../stores/choose.ts";
import { isCi } from "../terminal/person.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { Registry } from "./registry.ts";
import type { Surroundings } from "./surroundings.ts";

/** Something that is wrong before a command can begin; the message says it. */
export class SessionError extends Error {
  override name = "SessionError";
}

/** Where cargo's home is, if it has one and this program can read it. */
export type CargoHome =
  | { readonly kind: "home"; readonly path: string }
  /** Nothing names one. */
  | { readonly kind: "none" }
  /** Cargo may read it all the same. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** What a {@linkcode Session} is made of; absent: the system's own. */
export interface SessionSources {
  readonly env?: Environment;
  readonly cwd?: () => string;
  readonly openStore?: typeof openStore;
  readonly openTerminal?: () => Promise<Terminal>;
  readonly stderrIsTerminal?: () => boolean;
  /** How long another process may hold the state file. */
  readonly statePatienceMs?: number;
}

/** Others hold the state file for moments. */
const STATE_PATIENCE_MS = 250;

/**
 * The world that a request or a command works in. Everything is looked at when
 * it is first asked for, and then once; nothing here asks anybody.
 */
export class Session {
  readonly env: Environment;
  readonly #sources: SessionSources;
  readonly #registries = new Map<string, Registry>();

  constructor(sources: SessionSources = {}) {
    this.env = sources.env ?? Deno.env.toObject();
    this.#sources = sources;
  }

  /** The current directory. */
  readonly cwd: () => string = once(() =>
    (this.#sources.cwd ?? currentDirectory)()
  );

  readonly cargoHome: () => Promise<CargoHome> = once(
    async (): Promise<CargoHome> => {
      const cwd = this.cwd();
      const named = cargoHome(this.env, cwd);
      const reason = unreadableHome(this.env, named);
      if (reason !== undefined) return { kind: "unreadable", reason };
      const path = named ??
        cargoHome(this.env, cwd, { systemHome: await systemHome() });
      return path === undefined ? { kind: "none" } : { kind: "home", path };
    },
  );

  /** Cargo's home; `undefined` without one that can be read. */
  async home(): Promise<string | undefined> {
    const home = await this.cargoHome();
    return home.kind === "home" ? home.path : undefined;
  }

  /** Cargo's configuration. */
  readonly config: () => Promise<ConfigLayers> = once(() => this.readConfig());

  /** Cargo's configuration as it is now, whatever it was before. */
  async readConfig(): Promise<ConfigLayers> {
    const { loadConfig } = await import("../cargo/configuration.ts");
    return await loadConfig({
      environment: this.env,
      cargoHome: await this.home(),
      isHomeUnreadable: (await this.cargoHome()).kind === "unreadable",
      cwd: this.cwd(),
    });
  }

  readonly #path = once(async (): Promise<string | undefined> => {
    const home = await this.home();
    return home === undefined ? undefined : credentialsPath(home);
  });

  /**
   * The credentials file, whether it exists or not; `undefined` without a home
   * that can be read.
   */
  async path(): Promise<string | undefined> {
    return await this.#path();
  }

  /** What surrounds the credentials file. */
  readonly surroundings: () => Promise<Surroundings> = once(async () => {
    const { gatherSurroundings } = await import("./surroundings.ts");
    return await gatherSurroundings({
      credentialsPath: await this.path() ?? "",
      cargoHome: await this.home() ?? "",
      env: this.env,
      os: Deno.build.os,
    });
  });

  readonly terminal: () => Promise<Terminal> = once(async () => {
    const open = this.#sources.openTerminal ??
      (await import("../terminal/open_terminal.ts")).openTerminal;
    return await open();
  });

  /** Whether somebody could answer a question. */
  readonly isPersonPresent: () => Promise<boolean> = once(async () => {
    const { stderrIsTerminal = () => Deno.stderr.isTerminal() } = this.#sources;
    // A terminal is opened only where it matters.
    if (isCi(this.env["CI"]) || !stderrIsTerminal()) return false;
    return (await this.terminal()).canAsk;
  });

  /** What is remembered, as it is now. */
  async state(): Promise<State> {
    const home = await this.home();
    if (home === undefined || !mayBeThere(statePath(home))) return EMPTY_STATE;
    const { readState } = await import("../state/file.ts");
    return readState(home);
  }

  /** Changes what is remembered; `false`: it was not written. */
  async remember(change: StateChange): Promise<boolean> {
    const home = await this.home();
    const { statePatienceMs = STATE_PATIENCE_MS } = this.#sources;
    if (home === undefined) return false;
    const { updateState } = await import("../state/file.ts");
    return await updateState(home, change, { patienceMs: statePatienceMs });
  }

  /** Everything about one registry; the same object for the same one. */
  registry(ref: RegistryRef): Registry {
    const key = JSON.stringify([ref.indexUrl, ref.name]);
    const known = this.#registries.get(key);
    if (known !== undefined) return known;
    const registry = new Registry(
      this,
      ref,
      this.#sources.openStore ?? openStore,
    );
    this.#registries.set(key, registry);
    return registry;
  }
}

/** The home that the system knows, where no variable names one. */
async function systemHome(): Promise<string | undefined> {
  const { homeDirectory } = await import("../../ffi/home_directory.ts");
  try {
    return await homeDirectory();
  } catch {
    // No C library that opens (musl): then there is no home.
    return undefined;
  }
}
