import { copyBytes, cString, OutPointer } from "../_memory.ts";
import { GLibError, takeError } from "../glib.ts";
import type { SecretService } from "./service.ts";
import { libsecret } from "./symbols.ts";

const ITEM = "org.freedesktop.Secret.Item";
const SECRET_ERROR_IS_LOCKED = 2;

/** An item: a secret and what it is filed under. Good as long as its service. */
export class SecretItem {
  /** Its object path, below that of its collection. */
  readonly path: string;
  readonly #service: SecretService;

  /** @ignore */
  constructor(service: SecretService, path: string) {
    this.#service = service;
    this.path = path;
  }

  /**
   * The secret.
   *
   * @returns It, `undefined` if the item is locked. The bytes are the caller's
   * to overwrite.
   * @throws {GLibError} If the service did not answer.
   */
  async secret(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { cancellable } = this.#service;
    const session = await this.#service.session();
    const library = libsecret();
    const error = new OutPointer();
    const value = await library.secret_service_get_secret_for_dbus_path_sync(
      session,
      cString(this.path),
      cancellable.pointer,
      error.cell,
    );
    if (error.value !== null) {
      const failure = takeError(error, "GetSecrets");
      if (isLocked(failure)) return undefined;
      throw failure;
    }
    // No error and no value: it is locked.
    if (value === null) return undefined;
    const length = new BigUint64Array(1);
    const text = library.secret_value_get(value, length);
    const secret = copyBytes(text, Number(length[0] ?? 0n));
    library.secret_value_unref(value);
    return secret;
  }

  /**
   * The name that people see.
   *
   * @returns It; a locked item's may be empty.
   * @throws {GLibError} If the service did not answer.
   */
  async label(): Promise<string> {
    using label = await this.#service.property(this.path, ITEM, "Label");
    return label.text();
  }

  /**
   * One of its attributes.
   *
   * @param name The attribute's name.
   * @returns Its value, `undefined` if it has none.
   * @throws {GLibError} If the service did not answer.
   */
  async attribute(name: string): Promise<string | undefined> {
    using attributes = await this.#service.property(
      this.path,
      ITEM,
      "Attributes",
    );
    using value = attributes.value(name);
    return value?.text();
  }

  /**
   * When it was last stored, in seconds of Unix time.
   *
   * @returns The time; `undefined` if the service does not say.
   * @throws {GLibError} If the service did not answer.
   */
  async modified(): Promise<number | undefined> {
    using time = await this.#service.property(
      this.path,
      ITEM,
      "Modified",
    );
    return time.uint64();
  }

  /**
   * Erases the item.
   *
   * @param options Whether the service may ask the person about it, in a
   * dialog of its own.
   * @returns Whether it is erased; `false` if that takes a dialog, which was
   * not allowed or was dismissed.
   * @throws {GLibError} If the service refused, or did not answer.
   */
  async erase(
    options: {
      /** @default {false} */
      readonly prompt?: boolean;
    } = {},
  ): Promise<boolean> {
    using reply = await this.#service.call({
      path: this.path,
      interface: ITEM,
      method: "Delete",
    });
    using prompt = reply.child(0);
    const path = prompt.text();
    if (path === "/") return true;
    using result = await this.#service.settle(path, options.prompt);
    return result !== undefined;
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof GLibError && error.domain === "secret-error" &&
    error.code === SECRET_ERROR_IS_LOCKED;
}
