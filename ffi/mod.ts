/**
 * The Secret Service (GNOME Keyring, KWallet, KeePassXC, …) for Deno programs,
 * through libsecret. Nothing is installed or started but what the desktop has,
 * and importing this opens no library.
 *
 * Needs `--allow-ffi`. A call waits on a thread of its own, so a program stays
 * responsive, and an `AbortSignal` ends it.
 *
 * @example
 * ```ts
 * import { SecretService } from "./mod.ts";
 *
 * const ada = { user: "ada", "xdg:schema": "org.example.Password" };
 * await using service = await SecretService.open({
 *   signal: AbortSignal.timeout(3000),
 * });
 * const { unlocked, locked } = await service.find(ada);
 * console.assert(unlocked.length + locked.length === 0);
 * ```
 *
 * @module
 */

export { LibraryError } from "./_library.ts";
export { Cancellable, type MethodCall } from "./gio.ts";
export { GLibError } from "./glib.ts";
export { SecretItem } from "./libsecret/item.ts";
export {
  type Attributes,
  type FoundItems,
  type PromptOptions,
  type SecretCollection,
  SecretService,
  type SecretServiceOptions,
} from "./libsecret/service.ts";
export { Variant } from "./variant.ts";
