import { GLibError } from "./glib.ts";
import type { SecretService } from "./libsecret/service.ts";
import { parseVariant, quote, tuple } from "./variant.ts";

const ROOT = "/org/freedesktop/secrets";
// The name is its authors': <https://gitlab.gnome.org/GNOME/gnome-keyring>,
// daemon/dbus/org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.xml
const INTERFACE = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
const DENIED = "org.gnome.keyring.Error.Denied";

/**
 * Unlocks one of gnome-keyring's collections without a prompt of its own. No
 * other service has this.
 *
 * The password travels encrypted, so that it is not to be seen in what passes
 * over the bus. Of the copies that are made on the way only the caller's bytes
 * can be wiped; none is a string.
 *
 * @param service The service, which must be gnome-keyring.
 * @param collection The collection's object path.
 * @param password The password, UTF-8; it stays the caller's.
 * @returns Whether it is open now; `false` if the password is wrong.
 * @throws {GLibError} If the bus or the service fails.
 */
export async function unlockWithPassword(
  service: SecretService,
  collection: string,
  password: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  try {
    using _ = await service.call({
      path: ROOT,
      interface: INTERFACE,
      method: "UnlockWithMasterPassword",
      parameters: tuple(
        parseVariant(`objectpath '${collection}'`),
        await service.encode(password),
      ),
    });
    return true;
  } catch (error) {
    // An error that GLib has no code for is told by the message's beginning.
    if (error instanceof GLibError && error.message.includes(DENIED)) {
      return false;
    }
    throw error;
  }
}

/**
 * Makes a collection of gnome-keyring's, and makes it the default one, without
 * a prompt. The password is treated as by {@linkcode unlockWithPassword}.
 *
 * @param service The service, which must be gnome-keyring.
 * @param label The collection's name.
 * @param password Its password, UTF-8; it stays the caller's.
 * @returns The collection's object path.
 * @throws {GLibError} If the bus or the service fails.
 */
export async function createDefaultWithPassword(
  service: SecretService,
  label: string,
  password: Uint8Array<ArrayBuffer>,
): Promise<string> {
  using reply = await service.call({
    path: ROOT,
    interface: INTERFACE,
    method: "CreateWithMasterPassword",
    parameters: tuple(
      parseVariant(
        `{'org.freedesktop.Secret.Collection.Label': <${quote(label)}>}`,
      ),
      await service.encode(password),
    ),
  });
  using created = reply.child(0);
  const path = created.text();
  using _ = await service.call({
    path: ROOT,
    interface: "org.freedesktop.Secret.Service",
    method: "SetAlias",
    parameters: `('default', objectpath '${path}')`,
  });
  return path;
}
