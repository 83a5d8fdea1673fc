import { splitScoped } from "../../src/stores/item_name.ts";
import { Secret } from "../../src/base/secret.ts";
import type { RegistryRef } from "../../src/cargo/registries.ts";
import type {
  CredentialStore,
  EraseOutcome,
  GetOutcome,
  Keeping,
  ListOptions,
  ListOutcome,
  PrepareOutcome,
  SetOutcome,
  StoreFailure,
  StoreOptions,
  VerifyOutcome,
} from "../../src/stores/credential_store.ts";

/** What a {@linkcode FakeStore} can be made to do wrong. */
export interface FakeStoreFaults {
  /** Every call answers this. */
  failure?: StoreFailure;
  /** Only a call of this name does. */
  failureOf?: Partial<
    Record<"get" | "prepare" | "set" | "verify" | "erase", StoreFailure>
  >;
  /** How `get` says that it keeps the item; absent: on disk if `durable`. */
  keeps?: Keeping;
  /** How `verify` says that it keeps what was written. */
  verified?: Keeping;
  /** The default collection is an unencrypted file. */
  plaintext?: boolean;
  /** `set` says `stored` and keeps nothing. */
  forgets?: boolean;
  /** A dialog ends like this; without it a `prompt` changes nothing. */
  promptFailure?: StoreFailure;
  /** A dialog opens the store: `failure` holds only until then. */
  promptOpens?: boolean;
  /** Calls come back only when the signal is aborted, and answer `timeout`. */
  hangs?: boolean;
  /** `get` names these other items. */
  others?: readonly string[];
  /** `erase` leaves these, and names them. */
  remaining?: readonly string[];
}

/** A store in memory that does as it is told: for what real stores cannot be made to do on demand. */
export class FakeStore implements CredentialStore {
  readonly name = "secret-service";
  readonly title = "the fake store";
  readonly durable: boolean;
  /** What it holds, by index URL. */
  readonly items: Map<string, string> = new Map();
  /** The calls so far, such as `get prompt`. */
  readonly calls: string[] = [];
  /** The tokens that `get` has handed out: whoever has them wipes them. */
  readonly handedOut: Secret[] = [];
  readonly faults: FakeStoreFaults;
  /** Called at the start of every call: to let something happen in between. */
  before: (call: string) => void | Promise<void> = () => {};

  constructor(
    items: Readonly<Record<string, string>> = {},
    faults: FakeStoreFaults = {},
    durable = true,
  ) {
    for (const [url, token] of Object.entries(items)) {
      this.items.set(url, token);
    }
    this.faults = faults;
    this.durable = durable;
  }

  async #enter(
    call: keyof NonNullable<FakeStoreFaults["failureOf"]>,
    options: StoreOptions,
  ): Promise<StoreFailure | undefined> {
    this.calls.push(options.prompt ? `${call} prompt` : call);
    await this.before(call);
    if (this.faults.hangs) return await untilAborted(options.signal);
    if (options.prompt && this.faults.promptFailure !== undefined) {
      return this.faults.promptFailure;
    }
    if (options.prompt && this.faults.promptOpens) delete this.faults.failure;
    return this.faults.failureOf?.[call] ?? this.faults.failure;
  }

  async get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    const failure = await this.#enter("get", options);
    if (failure !== undefined) return failure;
    const text = this.items.get(key.indexUrl);
    if (text === undefined) return { kind: "absent" };
    const token = Secret.fromString(text);
    this.handedOut.push(token);
    return {
      kind: "found",
      token,
      others: this.faults.others ?? [],
      keeps: this.faults.keeps ?? (this.durable ? "on-disk" : "in-memory"),
    };
  }

  async prepare(options: StoreOptions): Promise<PrepareOutcome> {
    return await this.#enter("prepare", options) ??
      {
        kind: "ready",
        durable: this.durable,
        plaintext: this.faults.plaintext ?? false,
      };
  }

  async set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    const failure = await this.#enter("set", options);
    if (failure !== undefined) return failure;
    if (!this.faults.forgets) this.items.set(key.indexUrl, token.reveal());
    return { kind: "stored" };
  }

  async verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    const failure = await this.#enter("verify", options);
    if (failure !== undefined) return failure;
    return this.items.get(key.indexUrl) === token.reveal()
      ? {
        kind: "stored",
        keeps: this.faults.verified ??
          (this.durable ? "on-disk" : "in-memory"),
      }
      : {
        kind: "denied",
        cause: "not-kept",
        reason: "the fake store has not kept the token",
        remedy: "Use another store.",
        storeExists: true,
      };
  }

  async erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    const failure = await this.#enter("erase", options);
    if (failure !== undefined) return failure;
    return this.items.delete(key.indexUrl)
      ? { kind: "erased", remaining: this.faults.remaining ?? [] }
      : { kind: "absent" };
  }

  list({ signal, scoped = false }: ListOptions): Promise<ListOutcome> {
    if (scoped) this.calls.push("list scoped");
    if (this.faults.hangs) return untilAborted(signal);
    if (this.faults.failure !== undefined) {
      return Promise.resolve(this.faults.failure);
    }
    const items = [...this.items.keys()]
      .filter((url) => (splitScoped(url) !== undefined) === scoped)
      .map((indexUrl) => ({ indexUrl }));
    return Promise.resolve({ kind: "items", items });
  }
}

function untilAborted(signal: AbortSignal): Promise<StoreFailure> {
  const { promise, resolve } = Promise.withResolvers<StoreFailure>();
  const abort = (): void =>
    resolve({
      kind: "timeout",
      cause: "deadline",
      reason: "the fake store did not answer in time",
      remedy: "Wait longer.",
      storeExists: true,
    });
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort);
  return promise;
}
