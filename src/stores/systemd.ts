import { SocketError, type SocketErrorCode } from "../../ffi/unix_socket.ts";
import { Secret } from "../base/secret.ts";
import {
  type ChangeOutcome,
  credentialFilePath,
  listCredentialFiles,
  probeFolder,
  readCredentialFile,
  removeCredentialFile,
  writeCredentialFile,
} from "./_credential_files.ts";
import {
  callVarlink,
  type VarlinkParameters,
  type VarlinkReply,
} from "./_varlink.ts";
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
import { ANOTHER_STORE, storeFailure } from "./store_failure.ts";
import { verifyByGet } from "./verify_by_get.ts";

/** Where systemd listens (`systemd-creds.socket`). */
const SOCKET = "/run/systemd/io.systemd.Credentials";

const INTERFACE = "io.systemd.Credentials";

/** Every line that mentions this store says so. */
const TITLE = "systemd's credential store (for this machine alone)";

/** The service takes much more; no token is that long. */
const MAX_TOKEN_BYTES = 512 * 1024;

/** How often a connection that was closed at once is tried again, and when. */
const TRIES = 5;
const RETRY_MS = 20;

const LOG_IN_AGAIN =
  "`cargo login` replaces it. Tokens are taken to another machine with " +
  "`cargo-credential-keyring export`.";

const TIMEOUT: StoreFailure = storeFailure(
  "deadline",
  "systemd's credential service did not answer in time",
  "`systemctl status systemd-creds.socket` may say why; the " +
    "`timeout` setting allows more time.",
);

const NOT_KEPT: StoreFailure = storeFailure(
  "not-kept",
  "what was stored as a systemd credential did not come back",
  ANOTHER_STORE,
);

const TOO_OLD: StoreFailure = storeFailure(
  "no-service",
  "this systemd encrypts no credentials for users: that takes " +
    "systemd 256 or later",
  ANOTHER_STORE,
  { storeExists: false },
);

const FOREIGN: StoreFailure = storeFailure(
  "access-denied",
  "cargo's home belongs to another user, who could not decrypt what " +
    "is stored there now",
  "Run cargo as that user.",
);

/** What the errors of the interface and of Varlink itself mean here. */
const ERRORS: Readonly<Partial<Record<string, StoreFailure>>> = {
  // Another user's, another machine's, or a changed byte: it cannot be told.
  [`${INTERFACE}.BadFormat`]: denied(
    "systemd cannot decrypt this token: another user or another machine has " +
      "stored it, or its file is damaged",
    LOG_IN_AGAIN,
  ),
  [`${INTERFACE}.NameMismatch`]: denied(
    "the file of this token holds the token of another registry",
    LOG_IN_AGAIN,
  ),
  [`${INTERFACE}.BadScope`]: denied(
    "the file of this token holds a credential of the system, not of a user",
    LOG_IN_AGAIN,
  ),
  [`${INTERFACE}.TimeMismatch`]: denied(
    "systemd says that this token is not valid at this time",
    "Is the clock right? " + LOG_IN_AGAIN,
  ),
  [`${INTERFACE}.NullKeyNotAllowed`]: denied(
    "the file of this token is not encrypted, and systemd refuses it",
    LOG_IN_AGAIN,
  ),
  [`${INTERFACE}.KeyBelongsToOtherTPM`]: denied(
    "this token is encrypted with the key of another TPM",
    LOG_IN_AGAIN,
  ),
  [`${INTERFACE}.CantFindPCRSignature`]: denied(
    "systemd lacks the TPM signature that decrypting this token takes",
    LOG_IN_AGAIN,
  ),
  [`${INTERFACE}.UnexpectedPCRState`]: denied(
    "the TPM refuses to decrypt: the machine was started in another way than " +
      "when the token was stored",
    LOG_IN_AGAIN,
  ),
  [`${INTERFACE}.TPMInDictionaryLockout`]: denied(
    "the TPM refuses every key for now, after too many wrong ones",
    "Try again later.",
  ),
  [`${INTERFACE}.NoSuchUser`]: storeFailure(
    "access-denied",
    "systemd encrypts for users of its user database alone, and this " +
      "user is not in it",
    ANOTHER_STORE,
    {
      // Nobody without a name can have stored anything.
      storeExists: false,
    },
  ),
  "io.systemd.InteractiveAuthenticationRequired": denied(
    "systemd wants an administrator's password to encrypt for this user",
    ANOTHER_STORE,
  ),
  "org.varlink.service.PermissionDenied": denied(
    "systemd does not encrypt for this user",
    ANOTHER_STORE,
  ),
  "org.varlink.service.InterfaceNotFound": TOO_OLD,
  "org.varlink.service.MethodNotFound": TOO_OLD,
};

function denied(reason: string, remedy: string): StoreFailure {
  return storeFailure("access-denied", reason, remedy);
}

function serviceFailed(detail: string): StoreFailure {
  return storeFailure(
    "service-failed",
    `systemd's credential service failed: ${detail}`,
    "`journalctl -t systemd-creds` may say why. " + ANOTHER_STORE,
  );
}

/**
 * What an error of the service means for this store.
 *
 * Returns the failure with its words; never `absent`.
 */
export function varlinkFailure(
  error: string,
  parameters: VarlinkParameters,
): StoreFailure {
  const { parameter, errno } = parameters;
  // 255 has no scopes.
  if (parameter === "scope") return TOO_OLD;
  // What is not Base64 is refused before it is looked into.
  const name = parameter === "blob" ? `${INTERFACE}.BadFormat` : error;
  return ERRORS[name] ?? serviceFailed(
    typeof errno === "number" ? `${error}, errno ${errno}` : error,
  );
}

/**
 * What it means that the service cannot be reached.
 *
 * `holdsToken`: whether there is a file that only the service can decrypt.
 */
export function socketFailure(
  code: SocketErrorCode,
  holdsToken: boolean,
): StoreFailure {
  switch (code) {
    case "ECANCELED":
      return TIMEOUT;
    case "ENOENT":
    case "ENOTDIR":
    case "ECONNREFUSED":
      return storeFailure(
        "no-service",
        "systemd's credential service is not here: nobody listens on " +
          SOCKET,
        "It comes with systemd 256 or later, and `systemctl enable " +
          "--now systemd-creds.socket` starts it; most containers have none. " +
          ANOTHER_STORE,
        { storeExists: holdsToken },
      );
    case "EACCES":
    case "EPERM":
      // The socket of 255 is root's alone.
      return { ...TOO_OLD, storeExists: holdsToken };
    default:
      return serviceFailed(`the connection broke (${code})`);
  }
}

/** What {@linkcode SystemdStore} may know besides cargo's home. */
export interface SystemdStoreOptions {
  /**
   * Where the service listens.
   *
   * @default {"/run/systemd/io.systemd.Credentials"}
   */
  readonly socket?: string;
}

/**
 * systemd's credentials for users (systemd-creds(1), `--user`): systemd
 * encrypts a token for this user on this machine, with the machine's key and
 * its TPM if it has one, and the result lies in cargo's home. There is nothing
 * to unlock, and no desktop or D-Bus takes part.
 *
 * Each token has a file of its own with the index URL in clear. The name that
 * systemd authenticates is a hash of that URL, so that a file that is put in
 * the place of another is not taken for it.
 */
export class SystemdStore implements CredentialStore {
  /** `systemd` */
  readonly name = "systemd";
  /** Its name in sentences, which says where it can be decrypted. */
  readonly title: string = TITLE;
  readonly #home: string;
  readonly #socket: string;

  /**
   * The store of a cargo home. Nothing is touched yet.
   *
   * `cargoHome`: where the files are.
   * `options`: where the service is.
   */
  constructor(cargoHome: string, options: SystemdStoreOptions = {}) {
    this.#home = cargoHome;
    this.#socket = options.socket ?? SOCKET;
  }

  /** Reads the file and has it decrypted. `absent`: there is no file. */
  async get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    if (options.signal.aborted) return TIMEOUT;
    const hash = await hashOf(key.indexUrl);
    const path = this.#path(hash);
    const file = readCredentialFile(path);
    if (file.kind === "absent") return file;
    if (file.kind === "refused") return unreadable(path, file.reason);
    const { blob } = file.credential;
    const reply = await this.#call("Decrypt", hash, { blob }, true, options);
    if (reply.kind !== "reply") return reply;
    const { data } = reply.parameters;
    const bytes = typeof data === "string" ? fromBase64(data) : undefined;
    if (bytes === undefined) return serviceFailed("its answer is not valid");
    return {
      kind: "found",
      token: new Secret(bytes),
      others: [],
      keeps: "on-disk",
    };
  }

  /** Whether cargo's home can be written, and the service would encrypt. */
  async prepare(options: StoreOptions): Promise<PrepareOutcome> {
    if (options.signal.aborted) return TIMEOUT;
    const writable = await probeFolder(this.#home, options.signal);
    if (writable.kind !== "done") return changeFailure(writable, this.#home);
    const hash = await hashOf("");
    const reply = await this.#call(
      "Encrypt",
      hash,
      { data: "" },
      false,
      options,
    );
    return reply.kind === "reply"
      ? { kind: "ready", durable: true, plaintext: false }
      : reply;
  }

  /** Has the token encrypted, and writes the file in place of the old one. */
  async set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    const { signal } = options;
    if (signal.aborted) return TIMEOUT;
    if (token.length > MAX_TOKEN_BYTES) return TOO_LARGE;
    const { indexUrl } = key;
    const hash = await hashOf(indexUrl);
    const data = token.bytes.toBase64();
    const reply = await this.#call("Encrypt", hash, { data }, false, options);
    if (reply.kind !== "reply") return reply;
    const { blob } = reply.parameters;
    if (typeof blob !== "string") {
      return serviceFailed("its answer is not valid");
    }
    const path = this.#path(hash);
    const outcome = await writeCredentialFile(
      this.#home,
      path,
      { indexUrl, blob },
      signal,
    );
    return outcome.kind === "done"
      ? { kind: "stored" }
      : changeFailure(outcome, path);
  }

  /** Reads the file again, has it decrypted, and compares. */
  verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return verifyByGet(this, key, token, options, NOT_KEPT);
  }

  /** Removes the file, which takes no service. */
  async erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    if (options.signal.aborted) return TIMEOUT;
    const path = this.#path(await hashOf(key.indexUrl));
    const outcome = await removeCredentialFile(this.#home, path);
    if (outcome.kind === "absent") return outcome;
    return outcome.kind === "done"
      ? { kind: "erased", remaining: [] }
      : changeFailure(outcome, path);
  }

  /** Lists the files by the URLs in them; nothing is decrypted. */
  async list(options: StoreOptions): Promise<ListOutcome> {
    if (options.signal.aborted) return TIMEOUT;
    let hashes: readonly string[];
    try {
      hashes = listCredentialFiles(this.#home);
    } catch {
      return unreadable(this.#home, "cannot be read");
    }
    const items: RegistryRef[] = [];
    for (const hash of hashes) {
      const file = readCredentialFile(this.#path(hash));
      if (file.kind !== "read") continue;
      const { indexUrl } = file.credential;
      // A URL that the file's name does not stand for is nobody's.
      if (await hashOf(indexUrl) === hash) items.push({ indexUrl });
    }
    return { kind: "items", items };
  }

  #path(hash: string): string {
    return credentialFilePath(this.#home, hash);
  }

  /** `holdsToken`: whether there is a file that waits for the service. */
  async #call(
    method: "Encrypt" | "Decrypt",
    hash: string,
    parameters: VarlinkParameters,
    holdsToken: boolean,
    { signal }: StoreOptions,
  ): Promise<Extract<VarlinkReply, { kind: "reply" }> | StoreFailure> {
    try {
      const reply = await callPatiently(
        this.#socket,
        `${INTERFACE}.${method}`,
        // The user is the one at the other end of the socket.
        { ...parameters, name: `cargo-registry-${hash}`, scope: "user" },
        signal,
      );
      switch (reply.kind) {
        case "reply":
          return reply;
        case "error":
          return varlinkFailure(reply.error, reply.parameters);
        case "closed":
          return serviceFailed("it gave no answer");
        case "garbled":
          return serviceFailed("its answer is not valid");
      }
    } catch (error) {
      if (error instanceof SocketError) {
        return socketFailure(error.code, holdsToken);
      }
      throw error;
    }
  }
}

/**
 * systemd closes at once what exceeds its number of connections per user
 * (`MaxConnectionsPerSource=`, 16): each lasts some milliseconds.
 */
async function callPatiently(
  ...call: Parameters<typeof callVarlink>
): Promise<VarlinkReply> {
  for (let tries = 1;; tries++) {
    const reply = await callVarlink(...call);
    if (reply.kind !== "closed" || tries === TRIES) return reply;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function hashOf(indexUrl: string): Promise<string> {
  const bytes = new TextEncoder().encode(indexUrl);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

const TOO_LARGE: StoreFailure = storeFailure(
  "too-large",
  `${TITLE} takes tokens of up to ${MAX_TOKEN_BYTES} bytes`,
  ANOTHER_STORE,
);

function unreadable(path: string, reason: string): StoreFailure {
  return denied(`${path} ${reason}`, LOG_IN_AGAIN);
}

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "122"]);

function changeFailure(
  outcome: Exclude<ChangeOutcome, { kind: "done" }>,
  path: string,
): StoreFailure {
  switch (outcome.kind) {
    case "aborted":
      return TIMEOUT;
    case "foreign":
      return FOREIGN;
    case "failed":
      return FULL.has(outcome.code)
        ? storeFailure(
          "store-full",
          `the disk of ${path} is full`,
          "Make room, and try again.",
        )
        : denied(
          `${path} cannot be changed (${outcome.code})`,
          "Make cargo's home writable for its owner, or choose another store.",
        );
  }
}
