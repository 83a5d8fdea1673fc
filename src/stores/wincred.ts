import {
  type Credential,
  deleteCredential,
  ERROR,
  listCredentials,
  MAX_BLOB_BYTES,
  PERSIST,
  readCredential,
  writeCredential,
} from "../../ffi/advapi32.ts";
import { Win32Error } from "../../ffi/kernel32.ts";
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
import { indexUrlIn, ITEM_NAMES, itemName } from "./item_name.ts";
import { askedTooLate, storeFailure } from "./store_failure.ts";
import { verifyByGet } from "./verify_by_get.ts";

const COMMENT = "Cargo registry token";

const TITLE = "the Windows Credential Manager";

const REMOVE_SOME =
  "Remove entries that are no longer needed: `control /name " +
  "Microsoft.CredentialManager`.";

const ANOTHER_STORE = "Keep the token in an environment variable instead.";

type Absent = { readonly kind: "absent" };

/**
 * What an error code of Windows means for this store. Only 1168
 * (`ERROR_NOT_FOUND`) is `absent`: 0, which a lost code looks like, is not.
 *
 * Returns `absent`, or the failure with its words.
 */
export function wincredFailure(code: number): Absent | StoreFailure {
  switch (code) {
    case ERROR.NOT_FOUND:
      return { kind: "absent" };
    case ERROR.NO_SUCH_LOGON_SESSION:
      return storeFailure(
        "no-logon-session",
        `${TITLE} has nothing for this logon session, as over ssh ` +
          "and WinRM, in some scheduled tasks, and where a policy forbids " +
          "storing credentials",
        "Log on at the machine or through remote desktop. " +
          ANOTHER_STORE,
      );
    case ERROR.NOT_ENOUGH_MEMORY:
    case ERROR.OUTOFMEMORY:
      return storeFailure("store-full", `${TITLE} is full`, REMOVE_SOME);
    case ERROR.ACCESS_DENIED:
      return storeFailure(
        "access-denied",
        `${TITLE} denied access`,
        ANOTHER_STORE,
      );
    case ERROR.ACCESS_DISABLED_BY_POLICY:
      return storeFailure(
        "forbidden-by-policy",
        `a policy of this machine forbids the use of ${TITLE}`,
        `Ask its administrator. ${ANOTHER_STORE}`,
      );
    case ERROR.INVALID_PARAMETER:
    case ERROR.RPC_X_BAD_STUB_DATA:
      return storeFailure(
        "too-large",
        `${TITLE} does not take this token or index URL ` +
          `(error ${code}): one of them is too long`,
        ANOTHER_STORE,
      );
    default:
      return failed(code);
  }
}

function failed(code: number): StoreFailure {
  return storeFailure(
    "service-failed",
    code === 0
      ? `${TITLE} failed without saying why`
      : `${TITLE} failed with error ${code}`,
    "Try again; if it stays, see whether the service " +
      "`Credential Manager` is running.",
  );
}

const TOO_LARGE: StoreFailure = storeFailure(
  "too-large",
  `the token is longer than the ${MAX_BLOB_BYTES} bytes that ` +
    `${TITLE} takes`,
  ANOTHER_STORE,
);

const NOT_KEPT: StoreFailure = storeFailure(
  "not-kept",
  `${TITLE} did not keep what was stored in it`,
  ANOTHER_STORE,
);

const TIMEOUT: StoreFailure = askedTooLate(TITLE);

const NOT_WINDOWS: StoreFailure = storeFailure(
  "library-missing",
  `${TITLE} exists only on Windows`,
  ANOTHER_STORE,
  { storeExists: false },
);

/** Another registry's entry is where this one's would go. */
function taken(targetName: string): StoreFailure {
  return storeFailure(
    "access-denied",
    `${TITLE} does not tell upper from lower case and holds an entry ` +
      `for another registry, ${targetName}`,
    "Log out of that registry first.",
  );
}

/**
 * The token in a blob. Tools that write text store it as UTF-16 (Python's
 * keyring, the Control Panel); cargo, and this program, as UTF-8. A token that
 * cargo accepts is printable ASCII, so it is UTF-16 if every second byte is 0.
 */
export function tokenFromBlob(blob: Uint8Array<ArrayBuffer>): Secret {
  if (!looksLikeUtf16(blob)) return new Secret(blob);
  const token = new Uint8Array(blob.length / 2);
  for (let i = 0; i < token.length; i++) token[i] = blob[2 * i] ?? 0;
  blob.fill(0);
  return new Secret(token);
}

function looksLikeUtf16(blob: Uint8Array): boolean {
  return blob.length > 0 && blob.length % 2 === 0 &&
    blob.every((byte, i) => (byte === 0) === (i % 2 === 1));
}

/**
 * The Windows Credential Manager: a generic credential
 * `cargo-registry:<index-url>` for each token, as `cargo:wincred` writes and
 * finds it.
 *
 * Windows does not tell upper from lower case in the names of credentials,
 * where index URLs are compared byte for byte. An entry whose stored name is
 * not the very one that was asked for belongs to another registry: it is never
 * handed out, replaced or erased.
 *
 * The calls are synchronous. They go to the system's own security service,
 * which asks nobody; and only so can the error code be had.
 */
export class WincredStore implements CredentialStore {
  /** `wincred` */
  readonly name = "wincred";
  /** Its name in sentences. */
  readonly title: string = TITLE;

  /** Reads the credential of this very name. */
  get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    return Promise.resolve(ask(options, () => {
      const { token, isOurs } = read(key);
      if (isOurs) return { kind: "found", token, others: [], keeps: "on-disk" };
      token.wipe();
      return { kind: "absent" };
    }));
  }

  /** Lists credentials, which needs all that writing needs. */
  prepare(options: StoreOptions): Promise<PrepareOutcome> {
    const outcome = ask(options, () => {
      listCredentials(`${ITEM_NAMES}*`);
      return { kind: "ready", durable: true, plaintext: false } as const;
    });
    return Promise.resolve(
      outcome.kind === "absent" ? failed(ERROR.NOT_FOUND) : outcome,
    );
  }

  /** Writes the credential as `cargo:wincred` does. */
  set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    // Windows answers 1783, "the stub received bad data", if anything.
    if (token.length > MAX_BLOB_BYTES) return Promise.resolve(TOO_LARGE);
    const outcome = ask(options, () => {
      const other = otherOwner(key);
      if (other !== undefined) return taken(other);
      writeCredential({
        targetName: itemName(key),
        comment: COMMENT,
        blob: token.bytes,
        persist: PERSIST.LOCAL_MACHINE,
      });
      return { kind: "stored" } as const;
    });
    return Promise.resolve(outcome.kind === "absent" ? NOT_KEPT : outcome);
  }

  /** Reads the credential again and compares what it holds. */
  verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return verifyByGet(this, key, token, options, NOT_KEPT);
  }

  /** Deletes the credential of this very name. */
  erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    return Promise.resolve(ask(options, () => {
      if (otherOwner(key) !== undefined) return { kind: "absent" };
      deleteCredential(itemName(key));
      return { kind: "erased", remaining: [] };
    }));
  }

  /** Lists the credentials of ours. */
  list(options: StoreOptions): Promise<ListOutcome> {
    const outcome = ask(options, () => ({
      kind: "items",
      items: listCredentials(`${ITEM_NAMES}*`)
        // The filter knows no case either.
        .map(indexUrlIn)
        .filter((indexUrl) => indexUrl !== undefined)
        .map((indexUrl) => ({ indexUrl })),
    } as const));
    return Promise.resolve(
      outcome.kind === "absent" ? { kind: "items", items: [] } : outcome,
    );
  }
}

function read(
  key: RegistryRef,
): { readonly token: Secret; readonly isOurs: boolean; readonly name: string } {
  const { targetName, blob }: Credential = readCredential(itemName(key));
  return {
    token: tokenFromBlob(blob),
    isOurs: targetName === itemName(key),
    name: targetName,
  };
}

/** The name of another registry's entry that answers to this one's name. */
function otherOwner(key: RegistryRef): string | undefined {
  try {
    const { token, isOurs, name } = read(key);
    token.wipe();
    return isOurs ? undefined : name;
  } catch (error) {
    if (error instanceof Win32Error && error.code === ERROR.NOT_FOUND) {
      return undefined;
    }
    throw error;
  }
}

/** Runs calls of Windows and words their failures. */
function ask<T>(
  options: StoreOptions,
  calls: () => T,
): T | Absent | StoreFailure {
  if (options.signal.aborted) return TIMEOUT;
  if (Deno.build.os !== "windows") return NOT_WINDOWS;
  try {
    return calls();
  } catch (error) {
    if (error instanceof Win32Error) return wincredFailure(error.code);
    throw error;
  }
}
