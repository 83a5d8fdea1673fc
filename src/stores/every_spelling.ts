import type { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import { splitScoped } from "./item_name.ts";
import type {
  CredentialStore,
  EraseOutcome,
  GetOutcome,
  ListOptions,
  ListOutcome,
  PrepareOutcome,
  SetOutcome,
  StoreName,
  StoreOptions,
  VerifyOutcome,
} from "./credential_store.ts";

/**
 * A store in which a registry has one token, whatever spelling of its index
 * URL a request has: an item under another one counts where the exact one is
 * absent, is written in place, and is erased with the others. Most registries
 * have one spelling and cost nothing more.
 */
export class EverySpelling implements CredentialStore {
  readonly name: StoreName;
  readonly title: string;
  readonly #store: CredentialStore;

  constructor(store: CredentialStore) {
    this.name = store.name;
    this.title = store.title;
    this.#store = store;
  }

  async get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    return (await this.#find(key, options)).outcome;
  }

  /** The item, and what it is filed under: the exact key if there is none. */
  async #find(
    key: RegistryRef,
    options: StoreOptions,
  ): Promise<{ readonly key: RegistryRef; readonly outcome: GetOutcome }> {
    const exact = await this.#store.get(key, options);
    if (exact.kind !== "absent") return { key, outcome: exact };
    for (const other of await otherKeys(key)) {
      const outcome = await this.#store.get(other, options);
      if (outcome.kind !== "absent") return { key: other, outcome };
    }
    return { key, outcome: exact };
  }

  prepare(options: StoreOptions): Promise<PrepareOutcome> {
    return this.#store.prepare(options);
  }

  async set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    return await this.#store.set(
      await this.#place(key, options),
      token,
      options,
    );
  }

  async verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return await this.#store.verify(
      await this.#place(key, options),
      token,
      options,
    );
  }

  async #place(key: RegistryRef, options: StoreOptions): Promise<RegistryRef> {
    if ((await otherKeys(key)).length === 0) return key;
    const found = await this.#find(key, options);
    if (found.outcome.kind === "found") found.outcome.token.wipe();
    return found.key;
  }

  async erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    let erased: EraseOutcome = { kind: "absent" };
    for (const each of [key, ...await otherKeys(key)]) {
      const outcome = await this.#store.erase(each, options);
      if (outcome.kind === "absent") continue;
      if (outcome.kind !== "erased") return outcome;
      const before: readonly string[] = erased.kind === "erased"
        ? erased.remaining
        : [];
      erased = {
        kind: "erased",
        remaining: [...before, ...outcome.remaining],
      };
    }
    return erased;
  }

  async list(options: ListOptions): Promise<ListOutcome> {
    const listed = await this.#store.list(options);
    if (listed.kind !== "items") return listed;
    const { scoped = false } = options;
    const items = listed.items.filter(({ indexUrl }) =>
      (splitScoped(indexUrl) !== undefined) === scoped
    );
    return { kind: "items", items };
  }
}

async function otherKeys(key: RegistryRef): Promise<readonly RegistryRef[]> {
  // What is listed is exact.
  if (splitScoped(key.indexUrl) !== undefined) return [];
  const { spellings } = await import("../cargo/spellings.ts");
  return spellings(key.indexUrl).map((indexUrl) => ({ ...key, indexUrl }));
}
