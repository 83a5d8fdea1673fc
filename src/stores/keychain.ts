import {
  hasStatus,
  type Keychain,
  type KeychainItem,
  openSecurity,
  OSStatusError,
  type Security,
} from "../../ffi/security.ts";
import { Secret } from "../base/secret.ts";
import { inTime } from "./_in_time.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  EraseOutcome,
  GetOutcome,
  ListOutcome,
  PrepareOutcome,
  SetOutcome,
  StoreFailure,
  StoreOptions,
  VerifyOutcome,
} from "./credential_store.ts";
import { indexUrlIn, itemName } from "./item_name.ts";
import { ANOTHER_STORE, storeFailure } from "./store_failure.ts";

const TITLE = "the macOS Keychain";

/** How often a write is begun again because someone else wrote in between. */
const ATTEMPTS = 3;

/** Under which circumstances a call failed. */
export interface KeychainCircumstances {
  /** Whether dialogs were allowed. */
  readonly prompt: boolean;
  /** What is known of the item. */
  readonly item: "visible" | "none" | "unknown";
}

/**
 * What a refusal of Security.framework means, in words.
 *
 * Where dialogs are forbidden, a refusal that a dialog could have turned into
 * a permission is `locked`: securityd then answers errSecInteractionNotAllowed
 * or, for an item whose access list does not name this program,
 * errSecAuthFailed or errAuthorizationDenied, and nobody has been asked.
 *
 * `circumstances`: whether it could ask, and what for.
 */
export function keychainFailure(
  error: OSStatusError,
  circumstances: KeychainCircumstances,
): StoreFailure {
  const { prompt, item } = circumstances;
  const code = error.status;
  switch (error.statusName) {
    case "errSecInteractionNotAllowed":
    case "errSecInteractionRequired":
    case "errSecInDarkWake":
      return notAllowed(code, item);
    case "errSecUserCanceled":
      if (!prompt) return notAllowed(code, item);
      return storeFailure(
        "prompt-dismissed",
        `the dialog of ${TITLE} was dismissed`,
        "Run the command again and allow access.",
      );
    case "errSecAuthFailed":
    case "errAuthorizationDenied":
      if (!prompt) return notAllowed(code, item);
      return storeFailure(
        "access-denied",
        `${TITLE} refused access (${code})`,
        "Run the command again with the keychain's password, or " +
          "allow access to the item in Keychain Access.",
      );
    case "errSecReadOnly":
    case "errSecWrPerm":
      return storeFailure(
        "access-denied",
        `the default keychain may not be changed (${code})`,
        "`security default-keychain` shows its file: look at the " +
          "file's owner and permissions.",
      );
    case "errSecMissingEntitlement":
      return storeFailure(
        "missing-entitlement",
        `${TITLE} wants an entitlement that this program has not ` +
          `(${code})`,
        "Make the login keychain the default one: " +
          "`security default-keychain -s login.keychain-db`.",
      );
    case "errSecDataTooLarge":
      return storeFailure(
        "too-large",
        `the token is too large for ${TITLE}`,
        ANOTHER_STORE,
      );
    case "errSecDiskFull":
      return storeFailure(
        "store-full",
        `the disk that holds the keychain is full`,
        "Free some space, then run the command again.",
      );
    case "errSecNoDefaultKeychain":
      return storeFailure(
        "no-keychain",
        "this user has no default keychain",
        "Create one in Keychain Access, or name one with " +
          "`security default-keychain -s login.keychain-db`.",
        { storeExists: false },
      );
    case "errSecNoSuchKeychain":
      return storeFailure(
        "no-keychain",
        "the file of the default keychain is missing",
        "`security default-keychain` shows its path; name another " +
          "with `security default-keychain -s login.keychain-db`.",
      );
    case "errSecNotAvailable":
      return storeFailure(
        "no-keychain",
        `no keychain is available here (${code})`,
        "Log in to the Mac as this user, or restart it.",
      );
    case "errSecInvalidKeychain":
      return storeFailure(
        "service-failed",
        "the file of the default keychain is damaged",
        "`security default-keychain` shows its path; restore it from " +
          "a backup.",
      );
    case "errSecDuplicateItem":
    case "errSecInvalidItemRef":
    case "errSecItemNotFound":
      return storeFailure(
        "service-failed",
        `another program kept changing the item in ${TITLE} (${code})`,
        "Run the command again.",
      );
    case undefined:
      return storeFailure(
        "service-failed",
        `${TITLE} failed (${code})`,
        `\`security error ${code}\` says what that means.`,
      );
  }
}

function notAllowed(
  code: number,
  item: KeychainCircumstances["item"],
): StoreFailure {
  return storeFailure(
    "interaction-not-allowed",
    `${TITLE} may be locked, or has to ask for permission and cannot ` +
      `do so here (${code})`,
    "Run `security unlock-keychain`; if that does not help, run the " +
      "command once in a terminal on the Mac's own screen and choose " +
      "Always Allow.",
    { item },
  );
}

function lockedFailure(item: KeychainCircumstances["item"]): StoreFailure {
  return storeFailure(
    "locked",
    "the default keychain is locked",
    "Unlock it with `security unlock-keychain` (over ssh too), or in " +
      "Keychain Access.",
    { item },
  );
}

const LIBRARY_MISSING: StoreFailure = storeFailure(
  "library-missing",
  "the Security framework of macOS cannot be loaded",
  "The Keychain exists only on macOS: choose another store.",
  { storeExists: false },
);

const LATE: StoreFailure = storeFailure(
  "deadline",
  `${TITLE} did not answer in time`,
  "If a dialog is open on the Mac's own screen, answer it and run " +
    "the command again; `prompt-timeout` sets how long it is waited for.",
);

const NOT_KEPT: StoreFailure = storeFailure(
  "not-kept",
  `${TITLE} did not give back what was written to it`,
  "Run `security verify-keychain`, then the command again.",
);

/** What one request needs to know while it is carried out. */
class Request {
  readonly security: Security;
  readonly prompt: boolean;
  readonly #signal: AbortSignal;
  /** What is known of the item so far. */
  item: KeychainCircumstances["item"] = "unknown";

  constructor(security: Security, prompt: boolean, signal: AbortSignal) {
    this.security = security;
    this.prompt = prompt;
    this.#signal = signal;
  }

  /**
   * To be called before each step that changes something or opens a dialog: a
   * request whose deadline has passed does nothing any more, though a call
   * that blocked may return later.
   *
   * @throws {Expired} If it has passed.
   */
  stillWanted(): void {
    if (this.#signal.aborted) throw new Expired();
  }
}

/** Ends a request that nobody waits for any more. */
class Expired extends Error {}

/** The default keychain, and whether it is open. */
interface Opened extends Disposable {
  readonly keychain: Keychain;
  readonly unlocked: boolean;
}

/**
 * The keychain of macOS: a generic password with the service
 * `cargo-registry:<index-url>` and an empty account in the user's default
 * (login) keychain, as `cargo:macos-keychain` keeps it. Never synchronized.
 *
 * The framework is loaded by the first request. Why the `SecKeychain`
 * functions: see `ffi/security.ts`.
 */
export class KeychainStore implements CredentialStore {
  /** `keychain` */
  readonly name = "keychain";
  /** Its name in sentences. */
  readonly title: string = TITLE;
  readonly #open: () => Security;
  #security: Security | undefined;
  /**
   * One request at a time: whether dialogs are allowed is a setting of the
   * whole process, and a call that blocks holds the framework's locks.
   */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Opens nothing yet.
   *
   * `open`: what opens the framework, absent: the system's.
   */
  constructor(open: () => Security = openSecurity) {
    this.#open = open;
  }

  /** Looks an item up. One that a dialog would not help to find opens none. */
  get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    return this.#run<GetOutcome>(options, async (request) => {
      using opened = await this.#default(request);
      using item = await find(request, opened.keychain, key);
      if (!opened.unlocked) {
        // Opening it would bring nothing where there is no item.
        if (!request.prompt || item === undefined) {
          return lockedFailure(request.item);
        }
        await unlock(request, opened.keychain);
      }
      if (item === undefined) return { kind: "absent" };
      request.stillWanted();
      const token = new Secret(await request.security.readSecret(item));
      return { kind: "found", token, others: [], keeps: "on-disk" };
    });
  }

  /** Makes sure that the default keychain is open. */
  prepare(options: StoreOptions): Promise<PrepareOutcome> {
    return this.#run<PrepareOutcome>(options, async (request) => {
      using opened = await this.#default(request);
      if (!opened.unlocked) {
        if (!request.prompt) return lockedFailure("unknown");
        await unlock(request, opened.keychain);
      }
      return { kind: "ready", durable: true, plaintext: false };
    });
  }

  /** Updates the item in place, or adds it. */
  set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    return this.#run<SetOutcome>(silent(options), async (request) => {
      using opened = await this.#default(request);
      if (!opened.unlocked) return lockedFailure("unknown");
      const service = serviceOf(key);
      for (let attempt = 1;; attempt++) {
        using item = await find(request, opened.keychain, key);
        request.stillWanted();
        try {
          if (item === undefined) {
            await request.security.addGenericPassword(
              opened.keychain,
              service,
              token.bytes,
            );
          } else {
            await replace(request, opened.keychain, item, service, token);
          }
          return { kind: "stored" };
        } catch (error) {
          if (attempt < ATTEMPTS && changedMeanwhile(error)) continue;
          throw error;
        }
      }
    });
  }

  /** Looks the item up again and compares what it holds. */
  verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return this.#run<VerifyOutcome>(silent(options), async (request) => {
      using opened = await this.#default(request);
      if (!opened.unlocked) return lockedFailure("unknown");
      using item = await find(request, opened.keychain, key);
      if (item === undefined) return NOT_KEPT;
      const stored = new Secret(await request.security.readSecret(item));
      const equal = stored.equals(token);
      stored.wipe();
      return equal ? { kind: "stored", keeps: "on-disk" } : NOT_KEPT;
    });
  }

  /** Deletes the item. */
  erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    return this.#run<EraseOutcome>(options, async (request) => {
      using opened = await this.#default(request);
      using item = await find(request, opened.keychain, key);
      if (!opened.unlocked) {
        if (!request.prompt || item === undefined) {
          return lockedFailure(request.item);
        }
        await unlock(request, opened.keychain);
      }
      if (item === undefined) return { kind: "absent" };
      request.stillWanted();
      try {
        await request.security.deleteItem(item);
      } catch (error) {
        // Somebody else has deleted it: then it is gone as well.
        if (!changedMeanwhile(error)) throw error;
      }
      return { kind: "erased", remaining: [] };
    });
  }

  /** Lists the items, locked or not: attributes are not encrypted. */
  list(options: StoreOptions): Promise<ListOutcome> {
    return this.#run<ListOutcome>(silent(options), async (request) => {
      using opened = await this.#default(request);
      const items: RegistryRef[] = [];
      using search = await request.security.searchGenericPasswords(
        opened.keychain,
      );
      for (;;) {
        request.stillWanted();
        using item = await request.security.nextItem(search);
        if (item === undefined) break;
        const { service, account } = await request.security.readKey(item);
        const indexUrl = indexUrlIn(new TextDecoder().decode(service));
        if (account.length > 0 || indexUrl === undefined) continue;
        items.push({ indexUrl });
      }
      return { kind: "items", items };
    });
  }

  /**
   * Carries a request out after the ones before it, and answers when the
   * deadline passes even if a call is blocked. What is still held is released
   * when that call returns.
   */
  async #run<T extends { readonly kind: string }>(
    options: StoreOptions,
    work: (request: Request) => Promise<T | StoreFailure>,
  ): Promise<T | StoreFailure> {
    const { signal, prompt = false } = options;
    const done = this.#last.then(async (): Promise<T | StoreFailure> => {
      if (signal.aborted) return LATE;
      const security = this.#bindings();
      if (security === undefined) return LIBRARY_MISSING;
      const request = new Request(security, prompt, signal);
      try {
        return await work(request);
      } catch (error) {
        if (error instanceof Expired) return LATE;
        if (error instanceof OSStatusError) {
          return keychainFailure(error, { prompt, item: request.item });
        }
        throw error;
      }
    });
    this.#last = done.catch(() => {});
    return await inTime(signal, done) ?? LATE;
  }

  #bindings(): Security | undefined {
    if (this.#security !== undefined) return this.#security;
    try {
      this.#security = this.#open();
    } catch {
      // Deno gives every failure of dlopen the same class and no code.
    }
    return this.#security;
  }

  /**
   * Opens the default keychain, and only then forbids dialogs if they are to
   * be forbidden: securityd keeps the credentials that a keychain was opened
   * with, and the framework keeps it open for some seconds
   * (StorageManager::tickleKeychain). One that was opened with dialogs
   * forbidden would therefore refuse to be unlocked by a later request of this
   * process (KeychainDatabase::makeUnlocked, AclFactory::cancelCred). Neither
   * of the two calls opens a dialog.
   */
  async #default(request: Request): Promise<Opened> {
    const { security } = request;
    await security.setUserInteractionAllowed(true);
    using scope = new DisposableStack();
    const keychain = scope.use(await security.copyDefaultKeychain());
    const unlocked = await security.isUnlocked(keychain);
    await security.setUserInteractionAllowed(request.prompt);
    const kept = scope.move();
    return {
      keychain,
      unlocked,
      [Symbol.dispose]: () => kept.dispose(),
    };
  }
}

function silent(options: StoreOptions): StoreOptions {
  return { ...options, prompt: false };
}

function serviceOf(key: RegistryRef): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(itemName(key));
}

/** Whether an item came or went between the look and the call. */
function changedMeanwhile(error: unknown): boolean {
  return hasStatus(
    error,
    "errSecDuplicateItem",
    "errSecItemNotFound",
    "errSecInvalidItemRef",
  );
}

async function unlock(request: Request, keychain: Keychain): Promise<void> {
  request.stillWanted();
  await request.security.unlock(keychain);
}

/**
 * The item of a key. Service and account are an item's primary key, so there
 * is at most one with an empty account; one with an account is not cargo's.
 */
async function find(
  request: Request,
  keychain: Keychain,
  key: RegistryRef,
): Promise<KeychainItem | undefined> {
  const { security } = request;
  request.item = "unknown";
  using search = await security.searchGenericPasswords(
    keychain,
    serviceOf(key),
  );
  for (;;) {
    request.stillWanted();
    using scope = new DisposableStack();
    const item = await security.nextItem(search);
    if (item === undefined) {
      request.item = "none";
      return undefined;
    }
    scope.use(item);
    if ((await security.readKey(item)).account.length > 0) continue;
    request.item = "visible";
    scope.move();
    return item;
  }
}

/**
 * Replaces an item's secret in place, which keeps the list of programs that
 * may read it. If that list does not name this program (another one has made
 * the item, or a build of this one with another signature), what was written
 * could not be read back without a dialog: then the item is made again.
 */
async function replace(
  request: Request,
  keychain: Keychain,
  item: KeychainItem,
  service: Uint8Array<ArrayBuffer>,
  token: Secret,
): Promise<void> {
  const { security } = request;
  await security.modifySecret(item, token.bytes);
  try {
    (await security.readSecret(item)).fill(0);
    return;
  } catch (error) {
    if (
      !hasStatus(
        error,
        "errSecInteractionNotAllowed",
        "errSecAuthFailed",
        "errAuthorizationDenied",
      )
    ) throw error;
  }
  request.stillWanted();
  await security.deleteItem(item);
  await security.addGenericPassword(keychain, service, token.bytes);
}
