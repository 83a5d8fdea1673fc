import { homeDirectory } from "../../ffi/home_directory.ts";
import { type ConfigLayers, loadConfig } from "../cargo/config.ts";
import { credentialsPath } from "../credentials/file.ts";
import { cargoHome, type Environment } from "../cargo/home.ts";
import { CRATES_IO_INDEX, CRATES_IO_NAME } from "../cargo/registries.ts";
import { registryIndex } from "../cargo/registry_index.ts";
import { readState, type State, updateState } from "../migration/state.ts";
import {
  gatherSurroundings,
  type Surroundings,
} from "../migration/surroundings.ts";
import { loadSettings } from "../settings/load_settings.ts";
import type { Settings } from "../settings/settings.ts";
import { openStore } from "../stores/choose.ts";
import type { CredentialStore } from "../stores/credential_store.ts";
import { openTerminal } from "../terminal/open_terminal.ts";
import { personIsPresent } from "../terminal/person.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Between two tries for the state file. */
const STATE_PATIENCE_MS = 1_000;

/** Something that is wrong before a command can begin; the message says it. */
export class WorkplaceError extends Error {
  override name = "WorkplaceError";
}

/** A registry that a command is about. */
export interface NamedRegistry {
  /** Its name, as it is typed. */
  readonly name: string;
  /** Its index URL. */
  readonly indexUrl: string;
}

/** A registry's settings, its store, and the time that it has. */
export interface StorePlace {
  readonly settings: Settings;
  readonly store: CredentialStore;
  /** Whether a dialog may open. */
  readonly mayPrompt: boolean;
  /** The deadline of one registry, started anew for each. */
  readonly signal: AbortSignal;
}

/** What commands for people work with: cargo's home, its files, the stores. */
export class Workplace {
  readonly env: Environment;
  readonly cwd: string;
  /** Cargo's home. */
  readonly home: string;
  readonly layers: ConfigLayers;
  /** The credentials file, whether it exists or not. */
  readonly path: string;
  readonly surroundings: Surroundings;
  readonly terminal: Terminal;

  private constructor(
    fields: Pick<
      Workplace,
      "env" | "cwd" | "home" | "layers" | "path" | "surroundings" | "terminal"
    >,
  ) {
    this.env = fields.env;
    this.cwd = fields.cwd;
    this.home = fields.home;
    this.layers = fields.layers;
    this.path = fields.path;
    this.surroundings = fields.surroundings;
    this.terminal = fields.terminal;
  }

  /**
   * Looks around.
   *
   * @returns The workplace.
   * @throws {WorkplaceError} If nothing names cargo's home.
   */
  static async open(): Promise<Workplace> {
    const env = Deno.env.toObject();
    const cwd = Deno.cwd();
    const home = cargoHome(env, cwd) ??
      cargoHome(env, cwd, { systemHome: await homeDirectory() });
    if (home === undefined) {
      throw new WorkplaceError(
        "cargo's home is not known: set `CARGO_HOME` or `HOME`",
      );
    }
    const path = credentialsPath(home);
    return new Workplace({
      env,
      cwd,
      home,
      layers: await loadConfig({ environment: env, cargoHome: home, cwd }),
      path,
      surroundings: await gatherSurroundings({
        credentialsPath: path,
        cargoHome: home,
        env,
        os: Deno.build.os,
      }),
      terminal: await openTerminal(),
    });
  }

  /** Whether somebody could answer a question. */
  get isPersonPresent(): boolean {
    const { terminal, env } = this;
    return personIsPresent({
      stderrIsTerminal: terminal.stderrIsTerminal,
      get canAsk() {
        return terminal.canAsk;
      },
      ci: env["CI"],
    });
  }

  /** What is remembered. */
  state(): State {
    return readState(this.home);
  }

  /**
   * Changes what is remembered.
   *
   * @param change The change.
   * @returns Whether it was written.
   */
  remember(change: (state: State) => State): Promise<boolean> {
    return updateState(this.home, change, { patienceMs: STATE_PATIENCE_MS });
  }

  /**
   * What all the configuration binds a name to.
   *
   * @param name The registry's name.
   * @returns The index URL, or `undefined`.
   */
  indexOf(name: string): string | undefined {
    return name === CRATES_IO_NAME
      ? CRATES_IO_INDEX
      : registryIndex(this.layers, this.cwd, name)?.url;
  }

  /**
   * The store of a registry.
   *
   * @param indexUrl The registry.
   * @param prompt Whether a dialog may open if somebody is present.
   * @returns The store, and how it may be asked.
   * @throws {WorkplaceError} If a setting is wrong.
   */
  async storeOf(indexUrl: string, prompt: boolean): Promise<StorePlace> {
    const settings = await loadSettings({
      env: this.env,
      cargoHome: this.home,
      os: Deno.build.os,
      indexUrl,
    });
    if (settings.kind === "wrong") throw new WorkplaceError(settings.message);
    const mayPrompt = prompt && settings.prompt !== "never" &&
      (settings.prompt === "always" || this.isPersonPresent);
    return {
      settings,
      store: await openStore(settings.store, this.home),
      mayPrompt,
      signal: AbortSignal.timeout(
        mayPrompt ? settings.promptTimeoutMs : settings.timeoutMs,
      ),
    };
  }
}
