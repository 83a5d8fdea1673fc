import type {
  CredentialStore,
  StoreFailure,
  StoreName,
} from "./credential_store.ts";

/**
 * A store that answers everything with one failure: it is switched off, or
 * does not exist on this system. Nothing is asked and nothing loaded.
 *
 * @example
 * ```ts ignore
 * const store = new UnavailableStore("keychain", "the macOS Keychain", failure);
 * ```
 */
export class UnavailableStore implements CredentialStore {
  /** The store that would be asked otherwise. */
  readonly name: StoreName;
  /** Its name in sentences. */
  readonly title: string;
  readonly #failure: StoreFailure;

  /**
   * Makes the store.
   *
   * @param name The store that would be asked otherwise.
   * @param title Its name in sentences.
   * @param failure What every method answers.
   */
  constructor(name: StoreName, title: string, failure: StoreFailure) {
    this.name = name;
    this.title = title;
    this.#failure = failure;
  }

  /** Answers the failure. */
  get(): Promise<StoreFailure> {
    return Promise.resolve(this.#failure);
  }

  /** Answers the failure. */
  prepare(): Promise<StoreFailure> {
    return Promise.resolve(this.#failure);
  }

  /** Answers the failure. */
  set(): Promise<StoreFailure> {
    return Promise.resolve(this.#failure);
  }

  /** Answers the failure. */
  verify(): Promise<StoreFailure> {
    return Promise.resolve(this.#failure);
  }

  /** Answers the failure. */
  erase(): Promise<StoreFailure> {
    return Promise.resolve(this.#failure);
  }

  /** Answers the failure. */
  list(): Promise<StoreFailure> {
    return Promise.resolve(this.#failure);
  }
}
