import { type ConfigLayers, loadConfig, valueAt } from "../cargo/config.ts";
import {
  credentialsPath,
  type CredentialsTable,
  credentialsTables,
  readPlaintext,
  type UnusableFile,
} from "../credentials/file.ts";
import type { LockedCredentials } from "../credentials/lock.ts";
import {
  type EnvironmentToken,
  environmentToken,
} from "../cargo/environment_token.ts";
import { cargoHome, currentDirectory, unreadableHome } from "../cargo/home.ts";
import { cargoTokenPlace, providerChain } from "../cargo/provider_chain.ts";
import { findRebinding, type Rebinding } from "../cargo/rebinding.ts";
import { CRATES_IO_INDEX } from "../cargo/registries.ts";
import {
  registryIndex,
  registryNames,
  userNames,
} from "../cargo/registry_index.ts";
import { Deadline } from "../base/deadline.ts";
import type { Eligibility, Occasion } from "../migration/eligibility.ts";
import type { MoveOutcome, RemovalOutcome } from "../migration/move.ts";
import {
  EMPTY_STATE,
  readState,
  type State,
  type StateChange,
  updateState,
} from "../migration/state.ts";
import type { Surroundings } from "../migration/surroundings.ts";
import { printError } from "../base/print.ts";
import { printable } from "../base/printable.ts";
import type { CredentialRequest } from "../protocol/messages.ts";
import type { RecordEntry } from "../record/record.ts";
import type { Secret } from "../base/secret.ts";
import { loadSettings } from "../settings/load_settings.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
} from "../settings/settings.ts";
import { openStore } from "../stores/choose.ts";
import type {
  CredentialStore,
  ItemKey,
  Keeping,
} from "../stores/credential_store.ts";
import { isCi, personIsPresent } from "../terminal/person.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Plaintext, ProviderContext } from "./context.ts";
import type { Chain } from "./get_decision.ts";
import type { PlaintextRemoval } from "./logout_decision.ts";
import type { NoticeText } from "./notices.ts";
import { Notifier } from "./notifier.ts";
import { Patience } from "./patience.ts";
import { describeRegistry, type RegistryAbout } from "./registry_about.ts";

/** How long the state file is waited for: others hold it for moments. */
const STATE_PATIENCE_MS = 250;

/** How long a move may take of what is left of the deadline. */
const MOVE_MS = 5_000;

/** A hint is not worth more: a store with a thousand items takes a second. */
const ELSEWHERE_MS = 250;

/**
 * How long cargo's lock on the credentials file is waited for, at most: a move
 * has it for less.
 */
const LOCK_MS = 10_000;

/** Gives the same result again, so that nothing is looked at twice. */
function once<T>(look: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => result ??= look();
}

/** Cargo may read it all the same, and use a token in it. */
async function describeUnusable(
  path: string,
  file: UnusableFile,
): Promise<string> {
  const { describeLockFailure } = await import("../migration/move.ts");
  return `${printable(path)} cannot be read: ${describeLockFailure(file)}; a ` +
    "token in it stays there";
}

/**
 * The edges of the provider on a real system, for one request. What an
 * ordinary `get` does not need is loaded when it is called for.
 */
export class SystemContext implements ProviderContext, Disposable {
  readonly deadline: Deadline = new Deadline(DEFAULT_SETTINGS.timeoutMs);
  readonly key: ItemKey;
  /** Why cargo's home cannot be read, if cargo has one that cannot. */
  readonly homeTrouble: string | undefined;
  readonly #request: CredentialRequest;
  readonly #env = Deno.env.toObject();
  readonly #cwd = currentDirectory();
  readonly #home: string | undefined;
  readonly #notifier: Notifier;
  readonly #openStore: typeof openStore;
  #patience: Patience | undefined;
  #plaintext: Promise<Plaintext> | undefined;
  /** What is wrong with the credentials file, if it cannot be read. */
  #unusable: string | undefined;
  #state: State | undefined;
  /** The credentials file while it is held, or why it is not. */
  #held: LockedCredentials | string = "it is not locked";

  private constructor(
    request: CredentialRequest,
    open: typeof openStore,
    systemHome?: string,
  ) {
    const { indexUrl, name } = request.registry;
    this.#request = request;
    this.#openStore = open;
    const home = cargoHome(this.#env, this.#cwd, { systemHome });
    this.homeTrouble = unreadableHome(this.#env, home);
    this.#home = this.homeTrouble === undefined ? home : undefined;
    this.key = {
      indexUrl,
      ...(name === undefined ? {} : { registryName: name }),
    };
    this.#notifier = new Notifier({
      indexUrl,
      ci: isCi(this.#env["CI"]),
      state: () => this.state(),
      remember: (change) => this.remember(change),
    });
  }

  /**
   * The edges for one request; its time begins.
   *
   * @param open What opens the store of a setting.
   * @returns The context; dispose of it.
   */
  static async open(
    request: CredentialRequest,
    open: typeof openStore = openStore,
  ): Promise<SystemContext> {
    const context = new SystemContext(request, open);
    if (context.#home !== undefined || context.homeTrouble !== undefined) {
      return context;
    }
    const { homeDirectory } = await import("../../ffi/home_directory.ts");
    try {
      return new SystemContext(request, open, await homeDirectory());
    } catch {
      // No C library that opens (musl): then there is no home.
      return context;
    }
  }

  readonly settings = once(async (): Promise<SettingsOutcome> => {
    const outcome = await loadSettings({
      env: this.#env,
      cargoHome: this.#home,
      os: Deno.build.os,
      indexUrl: this.key.indexUrl,
    });
    if (outcome.kind === "settings") {
      this.#wait(outcome.timeoutMs, outcome.promptTimeoutMs);
    }
    return outcome;
  });

  /** Starts the time again. */
  #wait(timeoutMs: number, promptTimeoutMs: number): void {
    this.#patience?.[Symbol.dispose]();
    this.#patience = new Patience(this.deadline, {
      timeoutMs,
      promptTimeoutMs,
      isPersonPresent: this.#person,
      tell: async (seconds) => {
        const { title } = await this.store();
        this.say(
          `note: waiting for ${title}; a prompt may be open on another ` +
            `screen (giving up in ${seconds} s)`,
        );
      },
    });
  }

  readonly store = once(async (): Promise<CredentialStore> => {
    const settings = await this.settings();
    return await this.#openStore(
      settings.kind === "wrong" ? "off" : settings.store,
      this.#home,
    );
  });

  readonly terminal = once(async (): Promise<Terminal> => {
    const { openTerminal } = await import("../terminal/open_terminal.ts");
    return await openTerminal();
  });

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

  waitForPerson(milliseconds: number): void {
    this.#patience?.[Symbol.dispose]();
    this.deadline.restart(milliseconds);
  }

  async restartDeadline(): Promise<void> {
    const settings = await this.settings();
    if (settings.kind === "wrong") return;
    this.#wait(settings.promptTimeoutMs, settings.promptTimeoutMs);
  }

  readonly #config = once((): Promise<ConfigLayers> =>
    loadConfig({
      environment: this.#env,
      cargoHome: this.#home,
      isHomeUnreadable: this.homeTrouble !== undefined,
      cwd: this.#cwd,
    })
  );

  environmentToken(): Promise<EnvironmentToken> {
    const { registry } = this.#request;
    return environmentToken(this.#env, registry, this.#config);
  }

  plaintext(): Promise<Plaintext> {
    return this.#plaintext ??= this.#readPlaintext();
  }

  async #readPlaintext(): Promise<Plaintext> {
    if (this.#home === undefined) {
      return { path: "", table: undefined, token: "none" };
    }
    const path = credentialsPath(this.#home);
    const { registry } = this.#request;
    const tables = await credentialsTables(this.#env, registry, this.#config);
    const outcome = await readPlaintext(path, tables);
    if (outcome.kind === "found") {
      return { path, table: outcome.table, token: outcome.token };
    }
    if (outcome.kind === "unusable") {
      this.#unusable = await describeUnusable(path, outcome);
    }
    return { path, table: tables[0], token: "none" };
  }

  state(): State {
    return this.#state ??= this.#home === undefined
      ? EMPTY_STATE
      : readState(this.#home);
  }

  refresh(): void {
    this.#state = undefined;
    this.#plaintext = undefined;
  }

  async remember(change: StateChange): Promise<boolean> {
    return this.#home !== undefined &&
      await updateState(this.#home, change, { patienceMs: STATE_PATIENCE_MS });
  }

  async chain(): Promise<Chain> {
    const { registry } = this.#request;
    return cargoTokenPlace(providerChain(await this.#config(), registry));
  }

  readonly rebinding = once(async (): Promise<Rebinding | "none"> =>
    findRebinding(await this.#config(), this.#cwd, this.#request.registry)
  );

  async sendable(): Promise<boolean> {
    const { sendableToken } = await import("../cargo/sendable_token.ts");
    const rebinding = await this.rebinding();
    const token = await sendableToken(
      await this.#config(),
      this.#home === undefined ? undefined : credentialsPath(this.#home),
      rebinding === "none" ? this.key.registryName : rebinding.name,
    );
    return token.kind !== "none";
  }

  async storedElsewhere(): Promise<readonly string[]> {
    const { indexUrl, registryName } = this.key;
    if (registryName === undefined || indexUrl === CRATES_IO_INDEX) return [];
    const store = await this.store();
    const signal = AbortSignal.any([
      this.deadline.signal,
      AbortSignal.timeout(ELSEWHERE_MS),
    ]);
    const outcome = await store.list({ signal });
    if (outcome.kind !== "items") return [];
    const layers = await this.#config();
    const urls = outcome.items.filter((item) =>
      item.registryName === registryName &&
      userNames(layers, this.#cwd, item.indexUrl).length === 0
    ).map((item) => item.indexUrl);
    return [...new Set(urls)];
  }

  readonly #surroundings = once(async (): Promise<Surroundings> => {
    const { gatherSurroundings } = await import(
      "../migration/surroundings.ts"
    );
    return await gatherSurroundings({
      credentialsPath: (await this.plaintext()).path,
      cargoHome: this.#home ?? "",
      env: this.#env,
      os: Deno.build.os,
    });
  });

  async eligibility(
    token: Secret,
    occasion: Occasion,
  ): Promise<Eligibility> {
    const { checkEligibility } = await import(
      "../migration/check_eligibility.ts"
    );
    return await checkEligibility({
      occasion,
      token,
      registry: this.#request.registry,
      store: await this.store(),
      layers: await this.#config(),
      cwd: this.#cwd,
      surroundings: await this.#surroundings(),
      signal: this.deadline.signal,
    });
  }

  readonly about = once(async (): Promise<RegistryAbout> => {
    const store = await this.store();
    const { path } = await this.plaintext();
    return describeRegistry(this.#request.registry, store.title, path);
  });

  async move(token: Secret): Promise<MoveOutcome> {
    const { path, table } = await this.plaintext();
    if (table === undefined) return { kind: "file-changed" };
    const { moveToken } = await import("../migration/move.ts");
    const signal = AbortSignal.any([
      this.deadline.signal,
      AbortSignal.timeout(MOVE_MS),
    ]);
    const from = { path, table, token };
    return await moveToken(from, await this.store(), this.key, { signal });
  }

  async removePlaintext(
    token: Secret,
    superseded: boolean,
  ): Promise<RemovalOutcome> {
    const { path, table } = await this.plaintext();
    if (table === undefined) return { kind: "none" };
    const { removeStored } = await import("../migration/move.ts");
    return await removeStored(
      { path, table, token },
      await this.store(),
      this.key,
      { signal: this.deadline.signal, superseded },
    );
  }

  async holdFile<T>(use: () => Promise<T>): Promise<T | "busy"> {
    const { path } = await this.plaintext();
    if (path === "") return await use();
    const [{ withCredentialsLock }, { describeLockFailure }] = await Promise
      .all([
        import("../credentials/lock.ts"),
        import("../migration/move.ts"),
      ]);
    const patience = Math.min(this.deadline.remaining / 2, LOCK_MS);
    const outcome = await withCredentialsLock(path, async (file) => {
      this.#held = file;
      // What was read before may have changed while the lock was waited for.
      this.refresh();
      return await use();
    }, { signal: AbortSignal.timeout(patience) });
    switch (outcome.kind) {
      case "done":
        return outcome.value;
      case "busy":
        return "busy";
      case "absent":
        return await use();
      default:
        this.#held = describeLockFailure(outcome);
        return await use();
    }
  }

  async #removeHeld(table: CredentialsTable): Promise<RemovalOutcome> {
    if (typeof this.#held === "string") {
      return { kind: "left", reason: this.#held };
    }
    const { removeLocked } = await import("../migration/move.ts");
    return await removeLocked(this.#held, table);
  }

  async supersedePlaintext(keeps: Keeping): Promise<RemovalOutcome> {
    this.refresh();
    const { table, token } = await this.plaintext();
    if (token === "none" || table === undefined) return { kind: "none" };
    // The token of that name is another registry's.
    if (await this.rebinding() !== "none") return { kind: "none" };
    if (keeps === "not-yet-on-disk") {
      return { kind: "left", reason: "the store has yet to write the new one" };
    }
    const verdict = await this.eligibility(token, "login");
    if (verdict.kind === "not") {
      return { kind: "left", reason: verdict.sentence };
    }
    return await this.#removeHeld(table);
  }

  async logoutPlaintext(): Promise<PlaintextRemoval> {
    const { table, token } = await this.plaintext();
    if (token === "none" || table === undefined) return { kind: "none" };
    const { logoutRemoval } = await import("../migration/eligibility.ts");
    const verdict = logoutRemoval({
      isMapped: await this.#isMapped(),
      isBoundElsewhere: await this.rebinding() !== "none",
      file: (await this.#surroundings()).file,
    });
    if (verdict.kind === "left") {
      const { sentence, foreign } = verdict;
      return { kind: "left", reason: sentence, foreign };
    }
    const removal = await this.#removeHeld(table);
    return removal.kind === "left" ? { ...removal, foreign: false } : removal;
  }

  async #isMapped(): Promise<boolean> {
    const { indexUrl, registryName } = this.key;
    if (indexUrl === CRATES_IO_INDEX) return true;
    const layers = await this.#config();
    return registryName === undefined
      ? registryNames(layers, indexUrl).length > 0
      : registryIndex(layers, this.#cwd, registryName)?.url === indexUrl;
  }

  async leftovers(): Promise<readonly string[]> {
    const environment = await this.environmentToken();
    const { table, path } = await this.plaintext();
    const layers = await this.#config();
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

  async loginArguments(): Promise<readonly string[]> {
    return this.#request.args.slice(await this.#configuredArguments());
  }

  /** How many of the arguments cargo has from its configuration: the first. */
  async #configuredArguments(): Promise<number> {
    const { args, registry } = this.#request;
    if (args.length === 0) return 0;
    const { entries } = providerChain(await this.#config(), registry);
    const lengths = entries.filter((entry) =>
      entry.args.every((arg, i) => arg === args[i])
    ).map((entry) => entry.args.length);
    return Math.max(0, ...lengths);
  }

  notice(notice: NoticeText, isLast = false): Promise<void> {
    return this.#notifier.notice(notice, isLast);
  }

  announce(text: string): Promise<void> {
    return this.#notifier.announce(text);
  }

  /** Prints what is worth saying besides the answer. */
  async conclude(): Promise<void> {
    const settings = await this.settings();
    const notices = settings.kind === "wrong" ? [] : settings.notices;
    if (this.#unusable !== undefined) {
      await this.notice({
        level: "warning",
        text: this.#unusable,
        frequency: "daily",
        topic: "credentials-unusable",
      });
    }
    for (const { topic, text } of notices) {
      await this.notice({ level: "warning", text, frequency: "daily", topic });
    }
    if (await this.#configuredArguments() > 0) {
      const { describeArguments } = await import("./notices.ts");
      await this.notice(describeArguments(this.#home ?? ""));
    }
    await this.#notifier.deliver();
  }

  async record(entry: Pick<RecordEntry, "source" | "outcome">): Promise<void> {
    if (this.#home === undefined) return;
    const [{ appendRecord }, { describeRequest }] = await Promise.all([
      import("../record/record.ts"),
      import("../record/describe_request.ts"),
    ]);
    await appendRecord(this.#home, {
      ...describeRequest(this.#request, new Date()),
      ...entry,
      directory: this.#cwd,
    });
  }

  say(line: string): void {
    printError(line);
  }

  [Symbol.dispose](): void {
    this.#patience?.[Symbol.dispose]();
    this.deadline[Symbol.dispose]();
  }
}
