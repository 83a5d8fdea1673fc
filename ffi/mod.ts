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
 * import { SecretSchema, SecretService } from "./mod.ts";
 *
 * const schema = new SecretSchema("org.example.Password", ["user", "host"]);
 * const ada = { user: "ada", host: "example.org" };
 * const secret = new TextEncoder().encode("correct horse");
 *
 * await using service = await SecretService.open({
 *   signal: AbortSignal.timeout(3000),
 * });
 * await service.store(schema, ada, secret, { label: "Ada at example.org" });
 * const found = await service.lookup(schema, ada);
 * console.assert(new TextDecoder().decode(found) === "correct horse");
 * console.assert(await service.clear(schema, ada) === 1);
 * ```
 *
 * @module
 */

export { LibraryError } from "./_library.ts";
export { GLibError } from "./glib.ts";
export {
  type Attributes,
  type FoundItems,
  SecretCollection,
  SecretItem,
  SecretSchema,
  SecretService,
  SecretServiceError,
  type SecretServiceOptions,
} from "./libsecret.ts";
