import { type ConfigLayers, loadConfig } from "../cargo/config.ts";
import {
  credentialsPath,
  credentialsTables,
  readPlaintext,
} from "../cargo/credentials_file.ts";
import {
  type EnvironmentToken,
  environmentToken,
} from "../cargo/environment_token.ts";
import { cargoHome } from "../cargo/home.ts";
import { CRATES_IO_INDEX } from "../cargo/registries.ts";
import { isBoundByUser, registryNames } from "../cargo/registry_index.ts";
import { checkToken } from "../cargo/token.ts";
import {
  type Eligibility,
  eligibility,
  type EligibilityFacts,
  type Occasion,
} from "../migration/eligibility.ts";
import {
  gatherSurroundings,
  type Surroundings,
} from "../migration/surroundings.ts";
import type { Secret } from "../secret.ts";
import { cargoTokenPlace, providerChain } from "../cargo/provider_chain.ts";
import { findRebinding, type Rebinding } from "../cargo/rebinding.ts";
import { Deadline } from "../deadline.ts";
import {
  EMPTY_STATE,
  fileStamp,
  forgetIntent,
  intend,
  type IntentKind,
  intentOf,
  isPinned,
  readState,
  type State,
  unpin,
  updateState,
} from "../migration/state.ts";
import type { CredentialRequest } from "../protocol/messages.ts";
import { loadSettings } from "../settings/load_settings.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
} from "../settings/settings.ts";
import { openStore } from "../stores/choose.ts";
import type { CredentialStore, ItemKey } from "../stores/credential_store.ts";
import { openTerminal } from "../terminal/open_terminal.ts";
import { isCi, personIsPresent } from "../terminal/person.ts";
import { printable } from "../terminal/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Memory, Plaintext, ProviderContext } from "./context.ts";
import type { MoveOutcome, RemovalOutcome } from "../migration/move.ts";
import type { PlaintextRemoval } from "./logout_decision.ts";
import type { Chain } from "./get_decision.ts";
import type { NoticeText } from "./notices.ts";
import { describeRegistry, type RegistryAbout } from "./registry_about.ts";

/** When a person is told what is being waited for. */
const SILENCE_MILLISECONDS = 2_000;

/** How long the state file is waited for: others hold it for moments. */
const STATE_PATIENCE = 250;

const encoder = new TextEncoder();

/** Gives the same result again, so that nothing is looked at twice. */
function once<T>(look: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => result ??= look();
}

/** The edges of the provider on a real system, for one request. */
export class SystemContext implements ProviderContext, Disposable {
  readonly deadline: Deadline = new Deadline(DEFAULT_SETTINGS.timeoutMs);
  readonly key: ItemKey;
  readonly #request: CredentialRequest;
  readonly #env = Deno.env.toObject();
  readonly #cwd = Deno.cwd();
  readonly #home: string | undefined = cargoHome(this.#env, this.#cwd);
  #intended = false;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(request: CredentialRequest) {
    const { indexUrl, name } = request.registry;
    this.#request = request;
    this.key = {
      indexUrl,
      ...(name === undefined ? {} : { registryName: name }),
    };
  }

  readonly settings = once(async (): Promise<SettingsOutcome> => {
    const outcome = await loadSettings({
      env: this.#env,
      args: this.#request.args,
      cargoHome: this.#home ?? "",
      os: Deno.build.os,
      indexUrl: this.key.indexUrl,
    });
    if (outcome.kind === "settings") {
      this.#startWaiting(outcome.timeoutMs, outcome.promptTimeoutMs);
    }
    return outcome;
  });

  readonly store = once(async (): Promise<CredentialStore> => {
    const settings = await this.settings();
    return await openStore(settings.kind === "wrong" ? "off" : settings.store);
  });

  readonly terminal = once((): Promise<Terminal> => openTerminal());

  readonly #person = once(async (): Promise<boolean> => {
    const stderrIsTerminal = Deno.stderr.isTerminal();
    const ci = this.#env["CI"];
    if (!stderrIsTerminal || isCi(ci)) return false;
    const terminal = await this.terminal();
    return personIsPresent({
      stderrIsTerminal,
      get canAsk() {
        return terminal.canAsk;
      },
      ci,
    });
  });

  async mayPrompt(): Promise<boolean> {
    const settings = await this.settings();
    if (settings.kind === "wrong" || settings.prompt === "never") return false;
    const may = settings.prompt === "always" || await this.#person();
    if (may) this.deadline.restart(settings.promptTimeoutMs);
    return may;
  }

  async restartDeadline(): Promise<void> {
    const settings = await this.settings();
    if (settings.kind === "settings") {
      this.deadline.restart(settings.promptTimeoutMs);
    }
  }

  /**
   * The time runs as if nobody were present; only when something takes long is
   * it looked whether somebody is, and then there is more of it.
   */
  #startWaiting(timeoutMs: number, promptTimeoutMs: number): void {
    this.deadline.restart(timeoutMs);
    const patience = Math.min(SILENCE_MILLISECONDS, timeoutMs * 2 / 3);
    this.#patience = setTimeout(async () => {
      if (!await this.#person()) return;
      this.deadline.restart(promptTimeoutMs - patience);
      const store = await this.store();
      const seconds = Math.round(this.deadline.remaining / 1000);
      this.say(
        `waiting for ${store.title}: a prompt may be open on another screen ` +
          `(giving up in ${seconds} s)`,
      );
    }, patience);
  }

  readonly #config = once((): Promise<ConfigLayers> =>
    loadConfig({
      environment: this.#env,
      cargoHome: this.#home,
      cwd: this.#cwd,
    })
  );

  environmentToken(): Promise<EnvironmentToken> {
    const { registry } = this.#request;
    return environmentToken(this.#env, registry, this.#config);
  }

  readonly plaintext = once(async (): Promise<Plaintext> => {
    if (this.#home === undefined) {
      return { path: "", token: "none", stamp: fileStamp(undefined) };
    }
    const path = await credentialsPath(this.#home);
    const stamp = fileStamp(await Deno.stat(path).catch(() => undefined));
    const { registry } = this.#request;
    const tables = await credentialsTables(this.#env, registry, this.#config);
    const outcome = await readPlaintext(path, tables);
    const token = outcome.kind === "found" ? outcome.token : "none";
    return { path, token, stamp };
  });

  async chain(): Promise<Chain> {
    const { registry } = this.#request;
    return cargoTokenPlace(providerChain(await this.#config(), registry));
  }

  async rebinding(): Promise<Rebinding | "none"> {
    const { registry } = this.#request;
    return findRebinding(await this.#config(), this.#cwd, registry);
  }

  readonly #state = once((): Promise<State> =>
    this.#home === undefined
      ? Promise.resolve(EMPTY_STATE)
      : readState(this.#home)
  );

  async memory(): Promise<Memory> {
    const [state, { stamp }] = await Promise.all([
      this.#state(),
      this.plaintext(),
    ]);
    const { indexUrl } = this.key;
    return {
      intent: intentOf(state, indexUrl, stamp),
      pinned: isPinned(state, indexUrl),
    };
  }

  async #remember(change: (state: State) => State): Promise<void> {
    if (this.#home === undefined) return;
    await updateState(this.#home, change, { patienceMs: STATE_PATIENCE });
  }

  async intend(intent: IntentKind | "none"): Promise<void> {
    const { indexUrl } = this.key;
    if (intent === "none") {
      const state = await this.#state();
      // Nothing to forget, nothing to write.
      if (!state.intents.some((known) => known.indexUrl === indexUrl)) {
        if (!this.#intended) return;
      }
      await this.#remember((state) => forgetIntent(state, indexUrl));
      return;
    }
    this.#intended = true;
    const { stamp } = await this.plaintext();
    await this.#remember((state) => intend(state, indexUrl, intent, stamp));
  }

  async unpin(): Promise<void> {
    const { indexUrl } = this.key;
    if (!isPinned(await this.#state(), indexUrl)) return;
    await this.#remember((state) => unpin(state, indexUrl));
  }

  readonly #surroundings = once(async (): Promise<Surroundings> =>
    gatherSurroundings({
      credentialsPath: (await this.plaintext()).path,
      cargoHome: this.#home ?? "",
      env: this.#env,
      os: Deno.build.os,
    })
  );

  async eligibility(
    token: Secret,
    occasion: Occasion = "read",
  ): Promise<Eligibility> {
    const store = await this.store();
    const { signal } = this.deadline;
    const [surroundings, binding, prepared] = await Promise.all([
      this.#surroundings(),
      this.#binding(),
      store.prepare({ signal }),
    ]);
    return eligibility({
      ...surroundings,
      occasion,
      binding,
      isToken: checkToken(token) === "valid",
      store: {
        name: store.name,
        title: store.title,
        keeps: prepared.kind !== "ready"
          ? "without-default-collection"
          : prepared.durable
          ? "durably"
          : "for-the-session",
      },
    });
  }

  async #binding(): Promise<EligibilityFacts["binding"]> {
    const { indexUrl, registryName } = this.key;
    if (indexUrl === CRATES_IO_INDEX) return "crates-io";
    const layers = await this.#config();
    const names = registryName === undefined
      ? registryNames(layers, indexUrl)
      : [registryName];
    return names.some((name) =>
        isBoundByUser(layers, this.#cwd, name, indexUrl)
      )
      ? "user"
      : "project";
  }

  readonly about = once(async (): Promise<RegistryAbout> => {
    const store = await this.store();
    const { path } = await this.plaintext();
    return describeRegistry(this.#request.registry, store.title, path);
  });

  move(_token: Secret, _over: boolean): Promise<MoveOutcome> {
    return Promise.resolve({ kind: "busy" });
  }

  removePlaintext(_token: Secret): Promise<RemovalOutcome> {
    return Promise.resolve({ kind: "left", reason: "not yet" });
  }

  async supersedePlaintext(): Promise<RemovalOutcome> {
    const { token } = await this.plaintext();
    return token === "none" ? { kind: "none" } : { kind: "left", reason: "x" };
  }

  async logoutPlaintext(): Promise<PlaintextRemoval> {
    const { token } = await this.plaintext();
    return token === "none"
      ? { kind: "none" }
      : { kind: "left", reason: "x", foreign: false };
  }

  leftovers(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  say(line: string): void {
    const bytes = encoder.encode(`${line}\n`);
    try {
      for (let sent = 0; sent < bytes.length;) {
        sent += Deno.stderr.writeSync(bytes.subarray(sent));
      }
    } catch {
      // Nobody reads it; the answer counts.
    }
  }

  async notice(notice: NoticeText): Promise<void> {
    this.say(`${notice.level}: ${notice.text}`);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#patience);
    this.deadline[Symbol.dispose]();
  }
}
