import { PasswordStore } from "../../ffi/libsecret/password.ts";
import { GLibError } from "../../ffi/glib.ts";
import { Secret } from "../base/secret.ts";
import {
  describeTrouble,
  readSurroundings,
  troubleOf,
} from "./_secret_service_failures.ts";
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
import { itemLabel, labelledItem } from "./item_name.ts";
import { findSessionBus, readVariable, statSocket } from "./session_bus.ts";
import { storeFailure } from "./store_failure.ts";

const TITLE = "libsecret's keyring file";

/** The schema of `cargo:libsecret` (cargo-credential-libsecret/src/lib.rs). */
const CARGO = { name: "org.rust-lang.cargo.registry", attributes: ["url"] };

const NOT_KEPT: StoreFailure = storeFailure(
  "not-kept",
  `${TITLE} did not keep what was stored in it`,
  "Try again.",
);

/**
 * The file that libsecret keeps itself, encrypted with a password that the
 * portal of a sandbox gives, and where `cargo:libsecret` then keeps its tokens.
 *
 * What lies in it is no longer found once the password is another one, and
 * libsecret calls that "nothing found": the file counts as searched only if
 * all of it can be read.
 */
export class LibsecretFileStore implements CredentialStore {
  /** `secret-service`, as the setting calls all that libsecret does. */
  readonly name = "secret-service";
  /** Its name in sentences. */
  readonly title: string;
  readonly #service: CredentialStore | undefined;

  /**
   * `service`: what is used where there is no portal; absent if the environment
   * names the file (`SECRET_BACKEND`).
   */
  constructor(service?: CredentialStore) {
    this.#service = service;
    this.title = service?.title ?? TITLE;
  }

  /** Looks the token up. */
  get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    return this.#ask<GetOutcome>(
      options,
      (service) => service.get(key, options),
      async (file) => {
        const token = await read(file, key);
        return token === undefined ? { kind: "absent" } : {
          kind: "found",
          token,
          others: [],
          keeps: "on-disk",
        };
      },
    );
  }

  /** Makes sure that the file can be read with the password there is. */
  prepare(options: StoreOptions): Promise<PrepareOutcome> {
    return this.#ask<PrepareOutcome>(
      options,
      (service) => service.prepare(options),
      async (file) => {
        await file.list("url");
        return { kind: "ready", durable: true, plaintext: false };
      },
    );
  }

  /** Writes the token as `cargo:libsecret` does. */
  set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    return this.#ask<SetOutcome>(
      options,
      (service) => service.set(key, token, options),
      async (file) => {
        // Nothing is mixed with what another password has encrypted.
        await file.list("url");
        await file.store(
          { url: key.indexUrl },
          token.bytes,
          itemLabel(key),
        );
        return { kind: "stored" };
      },
    );
  }

  /** Reads the file again and compares. */
  verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return this.#ask<VerifyOutcome>(
      options,
      (service) => service.verify(key, token, options),
      async (file) => {
        const kept = await read(file, key);
        const same = kept?.equals(token) ?? false;
        kept?.wipe();
        return same ? { kind: "stored", keeps: "on-disk" } : NOT_KEPT;
      },
    );
  }

  /** Erases the token; libsecret leaves the file before it as a backup. */
  erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    return this.#ask<EraseOutcome>(
      options,
      (service) => service.erase(key, options),
      async (file) => {
        await file.list("url");
        return await file.clear({ url: key.indexUrl })
          ? { kind: "erased", remaining: [] }
          : { kind: "absent" };
      },
    );
  }

  /** Lists what is filed under a URL: the file has no schemas. */
  list(options: StoreOptions): Promise<ListOutcome> {
    return this.#ask<ListOutcome>(
      options,
      (service) => service.list(options),
      async (file) => {
        const items = (await file.list("url")).map(({ value, label }) =>
          value === undefined ? [] : [labelledItem(value, label)]
        );
        return { kind: "items", items: items.flat() };
      },
    );
  }

  /** Asks the file, or the Secret Service where there is no portal. */
  async #ask<T extends { readonly kind: string }>(
    options: StoreOptions,
    service: (service: CredentialStore) => Promise<T | StoreFailure>,
    calls: (file: PasswordStore) => Promise<T | StoreFailure>,
  ): Promise<T | StoreFailure> {
    const running = this.#run(options.signal, service, calls);
    return await inTime(options.signal, running) ??
      await describe({ cause: "deadline" });
  }

  async #run<T extends { readonly kind: string }>(
    signal: AbortSignal,
    service: (service: CredentialStore) => Promise<T | StoreFailure>,
    calls: (file: PasswordStore) => Promise<T | StoreFailure>,
  ): Promise<T | StoreFailure> {
    try {
      if (this.#service !== undefined) {
        const bus = findSessionBus(readVariable, Deno.uid(), statSocket);
        if (bus.kind !== "ours" || !await PasswordStore.hasPortal()) {
          return await service(this.#service);
        }
      }
      await using file = await PasswordStore.open(CARGO, signal);
      return await calls(file);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === undefined) throw error;
      if (trouble.cause === "library-missing" || trouble.cause === "deadline") {
        return await describe(trouble);
      }
      return unusable(error, this.#service === undefined);
    }
  }
}

async function read(
  file: PasswordStore,
  { indexUrl }: RegistryRef,
): Promise<Secret | undefined> {
  const bytes = await file.lookup({ url: indexUrl });
  if (bytes !== undefined) return new Secret(bytes);
  await file.list("url");
  return undefined;
}

async function describe(
  trouble: Parameters<typeof describeTrouble>[0],
): Promise<StoreFailure> {
  return describeTrouble(trouble, await readSurroundings());
}

function unusable(error: unknown, isNamed: boolean): StoreFailure {
  const words = error instanceof GLibError ? error.message : "";
  return storeFailure(
    "service-failed",
    `${TITLE} cannot be used: ${words || "it did not say why"}`,
    isNamed
      ? "It is used because SECRET_BACKEND is `file`; without that variable the Secret Service is. Its password comes from the portal of a sandbox."
      : "Its password comes from the portal of the sandbox: see whether xdg-desktop-portal runs, and a keyring behind it.",
  );
}
