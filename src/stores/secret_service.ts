import type { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import { look } from "./_secret_service_look.ts";
import type {
  CredentialStore,
  EraseOutcome,
  GetOutcome,
  ListOutcome,
  PrepareOutcome,
  SetOutcome,
  StoreOptions,
  VerifyOutcome,
} from "./credential_store.ts";
import { inSession } from "./secret_service_session.ts";

/**
 * The Secret Service (GNOME Keyring, KWallet, KeePassXC, …), with the items of
 * `cargo:libsecret`: each finds, replaces and erases what the other stored.
 *
 * Each method opens a session of its own with the service, so what `verify`
 * reads is not what `set` remembers.
 *
 * Locked is what takes a dialog to open: a keyring without a password, or one
 * that something else has opened meanwhile, opens on the way.
 */
export class SecretServiceStore implements CredentialStore {
  /** `secret-service` */
  readonly name = "secret-service";
  /** Its name in sentences. */
  readonly title: string = "the Secret Service";

  /** Searches all collections; of different secrets the default one's wins. */
  get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    return inSession(options, (service) => look(service, key, options.prompt));
  }

  /** Makes sure that there is a default collection, and that it is open. */
  prepare(options: StoreOptions): Promise<PrepareOutcome> {
    return inSession(options, async (service) => {
      const { prepare } = await changes();
      return await prepare(service, options.prompt);
    });
  }

  /** Writes into the default collection, in place of the item of that URL. */
  set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    return inSession(options, async (service) => {
      const { set } = await changes();
      return await set(service, key, token);
    });
  }

  /** Looks the item in the default collection up, in a new session. */
  verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return inSession(options, async (service) => {
      const { verify } = await changes();
      return await verify(service, key, token);
    });
  }

  /** Erases the items of that URL from all collections. */
  erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    return inSession(options, async (service) => {
      const { erase } = await changes();
      return await erase(service, key, options.prompt);
    });
  }

  /** Lists the items of cargo's schema in all collections. */
  list(options: StoreOptions): Promise<ListOutcome> {
    return inSession(options, async (service) => {
      const { list } = await changes();
      return await list(service);
    });
  }
}

/** Loaded for what an ordinary `get` does not do. */
function changes(): Promise<typeof import("./_secret_service_changes.ts")> {
  return import("./_secret_service_changes.ts");
}
