import { mayBeThere } from "../../ffi/presence.ts";
import { once } from "../base/once.ts";
import type { Secret } from "../base/secret.ts";
import {
  type EnvironmentToken,
  environmentToken,
} from "../cargo/environment_token.ts";
import type { CargoTokenPlace, Reach } from "../cargo/provider_chain.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import { CRATES_IO_INDEX, type RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialsTable,
  PlaintextOutcome,
  UnusableFile,
} from "../credentials/file.ts";
import { credentialsTables } from "../credentials/place.ts";
import type { StateChange } from "../state/file.ts";
import type { State } from "../state/state.ts";
import { isPinned } from "../state/pins.ts";
import { anySettings } from "../settings/any_settings.ts";
import type { SettingsSources } from "../settings/load_settings.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
} from "../settings/settings.ts";
import type { openStore } from "../stores/choose.ts";
import type { CredentialStore } from "../stores/credential_store.ts";
import type { Eligibility, Occasion } from "./eligibility.ts";
import type { Session } from "./session.ts";

/** What the credentials file has for a registry's name. */
export interface Plaintext {
  /** The credentials file, whether it exists or not; empty without a home. */
  readonly path: string;
  /** The table that holds the token, or would. */
  readonly table: CredentialsTable | undefined;
  /** The token; `none` if the file has none for this name, or is not readable. */
  readonly token: Secret | "none";
  readonly outcome: PlaintextOutcome;
}

/**
 * Everything that is known of one registry. Each lookup costs something, so
 * none is made before it is asked for; what is remembered and what the
 * credentials file has can be read again ({@linkcode refresh}).
 */
export class Registry {
  readonly ref: RegistryRef;
  readonly session: Session;
  readonly #openStore: typeof openStore;
  #plaintext: Promise<Plaintext> | undefined;
  #unusable: UnusableFile | undefined;
  #memory: Promise<State> | undefined;

  constructor(session: Session, ref: RegistryRef, open: typeof openStore) {
    const { indexUrl, name } = ref;
    this.ref = name === undefined ? { indexUrl } : { indexUrl, name };
    this.session = session;
    this.#openStore = open;
  }

  /** The settings that hold for this registry. */
  readonly settings: () => Promise<SettingsOutcome> = once(
    async (): Promise<SettingsOutcome> => {
      const sources: SettingsSources = {
        env: this.session.env,
        cargoHome: await this.session.home(),
        os: Deno.build.os,
        indexUrl: this.ref.indexUrl,
      };
      if (!anySettings(sources)) {
        return { kind: "settings", ...DEFAULT_SETTINGS, notices: [] };
      }
      const { loadSettings } = await import("../settings/load_settings.ts");
      return await loadSettings(sources);
    },
  );

  /** The store that the settings choose; none where they are wrong. */
  readonly store: () => Promise<CredentialStore> = once(async () => {
    const settings = await this.settings();
    return await this.#openStore(
      settings.kind === "wrong" ? "off" : settings.store,
      await this.session.home(),
    );
  });

  /** Whether a dialog may open: somebody is there, or `prompt = "always"`. */
  async mayPrompt(): Promise<boolean> {
    const settings = await this.settings();
    if (settings.kind === "wrong" || settings.prompt === "never") return false;
    return settings.prompt === "always" || await this.session.isPersonPresent();
  }

  /** The token variable of this registry, as cargo finds it. */
  async environmentToken(): Promise<EnvironmentToken> {
    return await environmentToken(
      this.session.env,
      this.ref,
      () => this.session.config(),
    );
  }

  /** What the credentials file has for this registry's name. */
  plaintext(): Promise<Plaintext> {
    return this.#plaintext ??= this.#readPlaintext();
  }

  async #readPlaintext(): Promise<Plaintext> {
    const path = await this.session.path();
    if (path === undefined) {
      const outcome: PlaintextOutcome = { kind: "none" };
      return { path: "", table: undefined, token: "none", outcome };
    }
    const tables = await this.#tables(() => this.session.config());
    const outcome = await readIfThere(path, tables);
    if (outcome.kind === "unusable") this.#unusable = outcome;
    return outcome.kind === "found"
      ? { path, table: outcome.table, token: outcome.token, outcome }
      : { path, table: tables[0], token: "none", outcome };
  }

  /** What is wrong with the credentials file, as far as it was looked at. */
  get unusable(): UnusableFile | undefined {
    return this.#unusable;
  }

  async #tables(
    config: Session["config"],
  ): Promise<readonly CredentialsTable[]> {
    return await credentialsTables(this.session.env, this.ref, config);
  }

  /**
   * What the file has now, by a configuration that is read again, too: for what
   * has just been written.
   */
  async readBack(): Promise<PlaintextOutcome> {
    const path = await this.session.path();
    return path === undefined ? { kind: "none" } : await readIfThere(
      path,
      await this.#tables(() => this.session.readConfig()),
    );
  }

  /** What is remembered. */
  memory(): Promise<State> {
    return this.#memory ??= this.session.state();
  }

  /** Changes what is remembered; `false`: it was not written. */
  async remember(change: StateChange): Promise<boolean> {
    return await this.session.remember(change);
  }

  /** Whether the user has put the file's token where it is. */
  async isPinned(): Promise<boolean> {
    return isPinned(await this.memory(), this.ref.indexUrl);
  }

  /** Whether a login or `--prefer` has put a token out of use. */
  async isSuperseded(token: Secret): Promise<boolean> {
    const { isSuperseded } = await import("../state/superseded.ts");
    return await isSuperseded(await this.memory(), this.ref.indexUrl, token);
  }

  /** Forgets what was read of the file and the state: others have been at work. */
  refresh(): void {
    this.#memory = undefined;
    this.#plaintext = undefined;
  }

  /** Where this provider stands among cargo's. */
  async chain(): Promise<CargoTokenPlace> {
    const { cargoTokenPlace, providerChain } = await configuration();
    return cargoTokenPlace(
      providerChain(await this.session.config(), this.ref),
    );
  }

  /** Whether cargo asks this program, by the user's own files. */
  async reach(): Promise<Reach> {
    const { reachesUs } = await configuration();
    return reachesUs(await this.session.config(), this.ref);
  }

  /** Whether a project binds this name to a URL that the user does not. */
  readonly rebinding: () => Promise<Rebinding | "none"> = once(async () => {
    const { findRebinding } = await configuration();
    const layers = await this.session.config();
    return findRebinding(layers, this.session.cwd(), this.ref);
  });

  /** Whether `cargo:token` has or may have a token to send to this URL. */
  async sendable(): Promise<boolean> {
    const { sendableToken } = await import("../cargo/sendable_token.ts");
    const rebinding = await this.rebinding();
    const token = await sendableToken(
      await this.session.config(),
      await this.session.path(),
      rebinding === "none" ? this.ref.name : rebinding.name,
    );
    return token.kind !== "none";
  }

  /** The other index URLs that the store has a token of this name under. */
  async storedElsewhere(signal: AbortSignal): Promise<readonly string[]> {
    const { indexUrl, name } = this.ref;
    if (name === undefined || indexUrl === CRATES_IO_INDEX) return [];
    const store = await this.store();
    const outcome = await store.list({ signal });
    if (outcome.kind !== "items") return [];
    const layers = await this.session.config();
    const cwd = this.session.cwd();
    const { userNames } = await configuration();
    const urls = outcome.items.filter((item) =>
      item.name === name && userNames(layers, cwd, item.indexUrl).length === 0
    ).map((item) => item.indexUrl);
    return [...new Set(urls)];
  }

  /**
   * Whether a token of the file may leave it for this store, which is asked
   * without a dialog.
   */
  async eligibility(
    token: Secret,
    occasion: Occasion,
    signal: AbortSignal,
  ): Promise<Eligibility> {
    const { checkEligibility } = await import("./check_eligibility.ts");
    return await checkEligibility({
      occasion,
      token,
      registry: this.ref,
      store: await this.store(),
      layers: await this.session.config(),
      cwd: this.session.cwd(),
      surroundings: await this.session.surroundings(),
      signal,
    });
  }

  /** Whether some configuration binds this URL to this name, or to one at all. */
  async isMapped(): Promise<boolean> {
    const { indexUrl, name } = this.ref;
    if (indexUrl === CRATES_IO_INDEX) return true;
    const { registryIndex, registryNames } = await configuration();
    const layers = await this.session.config();
    return name === undefined
      ? registryNames(layers, indexUrl).length > 0
      : registryIndex(layers, this.session.cwd(), name)?.url === indexUrl;
  }

  /** Names the variables and files with a token that nobody here touches. */
  async leftovers(): Promise<readonly string[]> {
    const environment = await this.environmentToken();
    const { table, path } = await this.plaintext();
    const layers = await this.session.config();
    const { valueAt } = await configuration();
    const files = table === undefined ? [] : layers.files
      .filter((file) =>
        file.path !== path &&
        typeof valueAt(file.values, [...table, "token"]) === "string"
      )
      .map((file) => file.path);
    if (environment.kind !== "token") return files;
    const { variable, file } = environment;
    return [file?.path ?? `the environment variable \`${variable}\``, ...files];
  }
}

/** Loaded where cargo's configuration matters. */
function configuration(): Promise<typeof import("../cargo/configuration.ts")> {
  return import("../cargo/configuration.ts");
}

/** What reads credentials files is loaded where there may be one. */
async function readIfThere(
  path: string,
  tables: readonly CredentialsTable[],
): Promise<PlaintextOutcome> {
  if (!mayBeThere(path)) return { kind: "none" };
  const { readPlaintext } = await import("../credentials/file.ts");
  return await readPlaintext(path, tables);
}
