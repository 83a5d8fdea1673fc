import {
  describeKey,
  invalidateKey,
  KeyError,
  type KeyErrorCode,
  listKeys,
  putKey,
  readKey,
  searchKey,
} from "../../ffi/keyutils.ts";
import { Secret } from "../base/secret.ts";
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
import { ANOTHER_STORE, askedTooLate, storeFailure } from "./store_failure.ts";
import { verifyByGet } from "./verify_by_get.ts";

/** Every line that mentions this store says so. */
const TITLE = "the kernel keyring (in memory, gone at the next boot)";

/**
 * What a refusal of the kernel means for this store.
 *
 * - `ENOKEY`, `EKEYEXPIRED`, `EKEYREVOKED`: there is no such item, or no
 *   longer (an invalidated key answers `EKEYREVOKED` until it is collected)
 * - `EPERM`, `ENOSYS`: the calls are forbidden by a seccomp filter, as in most
 *   containers, or the kernel was built without keys
 *
 * Returns `absent`, or the failure with its words.
 */
export function keyFailure(
  code: KeyErrorCode,
): { readonly kind: "absent" } | StoreFailure {
  switch (code) {
    case "ENOKEY":
    case "EKEYEXPIRED":
    case "EKEYREVOKED":
      return { kind: "absent" };
    case "EPERM":
    case "ENOSYS":
      return storeFailure(
        "forbidden-by-kernel",
        `${TITLE} is forbidden here, as it is in most containers`,
        ANOTHER_STORE,
        { storeExists: false },
      );
    case "EDQUOT":
    case "ENOMEM":
      return storeFailure(
        "store-full",
        `${TITLE} is full: the kernel's limit on the keys of one user is reached`,
        "`keyctl show @u` lists the keys and /proc/key-users the limits; " +
          "containers that run as this user count too.",
      );
    case "EINVAL":
      return storeFailure(
        "too-large",
        `${TITLE} takes tokens of up to 32,767 bytes and index URLs of up to about 4,000`,
        ANOTHER_STORE,
      );
    case "EACCES":
    case "EKEYREJECTED":
      return storeFailure(
        "access-denied",
        `${TITLE} denies access to its entry for this registry`,
        "Another program has made that key: `keyctl show @u` lists the keys.",
      );
    case "other":
      return FAILED;
  }
}

const FAILED: StoreFailure = storeFailure(
  "service-failed",
  `${TITLE} failed`,
  ANOTHER_STORE,
);

const NO_KERNEL_KEYS: StoreFailure = storeFailure(
  "forbidden-by-kernel",
  "kernel keyrings exist only on Linux (x86-64 and arm64)",
  ANOTHER_STORE,
  { storeExists: false },
);

const TIMEOUT: StoreFailure = askedTooLate(TITLE);

const NOT_KEPT: StoreFailure = storeFailure(
  "not-kept",
  `${TITLE} did not keep what was stored in it`,
  ANOTHER_STORE,
);

/**
 * The Linux kernel's user keyring: a `user` key `cargo-registry:<index-url>`
 * for each token, which only its owner can read.
 *
 * What it holds lives in memory: it outlasts the session and is gone at the
 * next boot, so it is never `durable`, and every sentence about it says so. It
 * needs no daemon and no bus, and nothing in it can be locked or can wait: the
 * calls are synchronous.
 */
export class Keyutils implements CredentialStore {
  /** `keyutils` */
  readonly name = "keyutils";
  /** Its name in sentences, which says how long it keeps anything. */
  readonly title: string = TITLE;

  /** Looks a key up in the user keyring and reads it. */
  get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    return Promise.resolve(ask(options, () => ({
      kind: "found",
      token: new Secret(readKey(searchKey(itemName(key)))),
      others: [],
      keeps: "in-memory",
    })));
  }

  /** Asks for the user keyring, which a seccomp filter may forbid. */
  prepare(options: StoreOptions): Promise<PrepareOutcome> {
    const outcome = ask(options, () => {
      listKeys();
      return { kind: "ready", durable: false, plaintext: false } as const;
    });
    return Promise.resolve(outcome.kind === "absent" ? FAILED : outcome);
  }

  /** Files the token in place of the key that is there. */
  set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    const outcome = ask(options, () => {
      putKey(itemName(key), token.bytes);
      return { kind: "stored" } as const;
    });
    return Promise.resolve(outcome.kind === "absent" ? NOT_KEPT : outcome);
  }

  /** Looks the key up again and compares what it holds. */
  verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return verifyByGet(this, key, token, options, NOT_KEPT);
  }

  /** Invalidates the key, wherever it is linked. */
  erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    return Promise.resolve(ask(options, () => {
      invalidateKey(searchKey(itemName(key)));
      return { kind: "erased", remaining: [] };
    }));
  }

  /** Lists the keys of ours in the user keyring. */
  list(options: StoreOptions): Promise<ListOutcome> {
    const outcome = ask(options, () => {
      const items: RegistryRef[] = [];
      for (const serial of listKeys()) {
        const indexUrl = indexUrlOf(serial);
        if (indexUrl !== undefined) items.push({ indexUrl });
      }
      return { kind: "items", items } as const;
    });
    return Promise.resolve(
      outcome.kind === "absent" ? { kind: "items", items: [] } : outcome,
    );
  }
}

/** The index URL of a key of ours; `undefined` for any other key. */
function indexUrlOf(serial: number): string | undefined {
  try {
    const { type, description } = describeKey(serial);
    return type === "user" ? indexUrlIn(description) : undefined;
  } catch (error) {
    // Gone since the list was read, or someone else's.
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}

/** Runs calls of the kernel, which cannot wait, and words their failures. */
function ask<T>(
  options: StoreOptions,
  calls: () => T,
): T | { readonly kind: "absent" } | StoreFailure {
  if (options.signal.aborted) return TIMEOUT;
  try {
    return calls();
  } catch (error) {
    if (error instanceof KeyError) return keyFailure(error.code);
    if (error instanceof Deno.errors.NotSupported) return NO_KERNEL_KEYS;
    throw error;
  }
}
