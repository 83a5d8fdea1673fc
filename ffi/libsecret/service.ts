import { cString, OutPointer } from "../_memory.ts";
import {
  callMethod,
  Cancellable,
  type MethodCall,
  ownerOf,
  peerUid,
  sessionBus,
} from "../gio.ts";
import { GLibError, takeError } from "../glib.ts";
import { unref } from "../gobject.ts";
import { dictionary, parseVariant, quote, tuple, Variant } from "../variant.ts";
import { SecretItem } from "./item.ts";
import { libsecret } from "./symbols.ts";

const SECRET_SERVICE_OPEN_SESSION = 1 << 1;

const NAME = "org.freedesktop.secrets";
const ROOT = "/org/freedesktop/secrets";
const SERVICE = "org.freedesktop.Secret.Service";
const COLLECTION = "org.freedesktop.Secret.Collection";
const PROMPT = "org.freedesktop.Secret.Prompt";
const LABEL = "org.freedesktop.Secret.Item.Label";
const ATTRIBUTES = "org.freedesktop.Secret.Item.Attributes";

/** Attributes of an item, by their names; `xdg:schema` is its schema. */
export type Attributes = Readonly<Record<string, string>>;

/** How {@linkcode SecretService.open} opens. */
export interface SecretServiceOptions {
  /**
   * Ends every call of this instance when it is aborted: they then fail with
   * a {@linkcode GLibError} of `g-io-error-quark`, code 19.
   */
  readonly signal?: AbortSignal;
  /**
   * Whether to agree on a key at once, for whoever will read a secret and has
   * something else to do meanwhile; else the first call that needs it does.
   *
   * @default {false}
   */
  readonly session?: boolean;
}

/** What {@linkcode SecretService.find} has found. */
export interface FoundItems {
  /** Those whose secret can be read. */
  readonly unlocked: readonly SecretItem[];
  /** Those that are locked. */
  readonly locked: readonly SecretItem[];
}

/** A collection of secrets: a keyring. */
export interface SecretCollection {
  /** Its object path. */
  readonly path: string;
  /** Whether it was locked when it was asked for. */
  readonly locked: boolean;
}

/** What may open a dialog only if it is told to. */
export interface PromptOptions {
  /**
   * Whether the service may ask the person, in a dialog of its own.
   *
   * @default {false}
   */
  readonly prompt?: boolean;
}

/**
 * The Secret Service (GNOME Keyring, KWallet, KeePassXC, …): the calls of the
 * Secret Service API, with the encrypted session and the dialogs of libsecret,
 * on the connection that it has, too.
 *
 * Nothing opens a dialog but what says so. Libraries are opened with the first
 * instance, not before. Each instance has a session of its own with the
 * service.
 *
 * @example Store a secret, find it, and erase it
 * ```ts
 * import { SecretService } from "./service.ts";
 *
 * const ada = { user: "ada", "xdg:schema": "org.example.Password" };
 * const secret = new TextEncoder().encode("correct horse");
 *
 * await using service = await SecretService.open();
 * const collection = await service.defaultCollection();
 * console.assert(collection?.locked === false);
 * if (collection !== undefined) {
 *   await service.store(collection.path, ada, secret, { label: "Ada" });
 *   const { unlocked: [item] } = await service.find(ada);
 *   const found = await item?.secret();
 *   console.assert(new TextDecoder().decode(found) === "correct horse");
 *   console.assert(await item?.erase() === true);
 * }
 * ```
 */
export class SecretService implements AsyncDisposable {
  /** What ends the calls. */
  readonly cancellable: Cancellable;
  readonly #connection: Deno.PointerObject;
  #session: Promise<Deno.PointerObject> | undefined;
  #answering: Promise<string | undefined> | undefined;
  readonly #owned = new Map<string, Promise<boolean>>();
  readonly #calls = new Set<Promise<unknown>>();

  private constructor(
    connection: Deno.PointerObject,
    cancellable: Cancellable,
    session: Promise<Deno.PointerObject> | undefined,
  ) {
    this.#connection = connection;
    this.cancellable = cancellable;
    this.#session = session;
  }

  /**
   * Connects to the session bus. The first call may start the service.
   *
   * @param options What ends its calls.
   * @returns The instance; dispose of it when it is done with.
   * @throws {LibraryError} If libsecret cannot be opened.
   * @throws {GLibError} If the bus refuses, or is not there.
   */
  static async open(
    options: SecretServiceOptions = {},
  ): Promise<SecretService> {
    libsecret();
    const cancellable = Cancellable.from(options.signal);
    const session = options.session === true
      ? openSession(cancellable)
      : undefined;
    let connection: Deno.PointerObject;
    try {
      connection = await sessionBus(cancellable);
    } catch (error) {
      await session?.catch(() => {});
      await cancellable[Symbol.asyncDispose]();
      throw error;
    }
    return new SecretService(connection, cancellable, session);
  }

  /**
   * Who the service is: its unique name on the bus. Its first answer is waited
   * for, since gnome-keyring 42 may end at a search or a session that is the
   * first thing it hears of somebody.
   */
  #owner(): Promise<string | undefined> {
    return this.#answering ??= this.#greet();
  }

  async #greet(): Promise<string | undefined> {
    const [owner, answers] = await Promise.all([
      this.#ownerOf(NAME),
      this.#hello().then(() => true, notAnswered),
    ]);
    if (owner !== undefined && answers) return owner;
    // libsecret has it started, and greets it.
    await this.session();
    return await this.#ownerOf(NAME);
  }

  /** What libsecret begins with, and is allowed wherever that is. */
  async #hello(): Promise<void> {
    using _ = await this.#call({
      path: ROOT,
      interface: "org.freedesktop.DBus.Properties",
      method: "GetAll",
      parameters: `('${SERVICE}',)`,
    });
  }

  #ownerOf(name: string): Promise<string | undefined> {
    return this.#running(ownerOf(this.#connection, name, this.cancellable));
  }

  /** Remembers a call until it is over: it holds no reference to what it uses. */
  #running<T>(call: Promise<T>): Promise<T> {
    const over = (): void => {
      this.#calls.delete(call);
    };
    this.#calls.add(call);
    call.then(over, over);
    return call;
  }

  /**
   * libsecret's own instance, with a session in which the service and it have
   * agreed on a key.
   *
   * @returns The `SecretService *`.
   * @throws {GLibError} If the service gave no session.
   */
  session(): Promise<Deno.PointerObject> {
    return this.#session ??= openSession(this.cancellable);
  }

  /**
   * Which user runs the bus that this is connected to.
   *
   * @returns The user id.
   * @throws {GLibError} If the system does not say.
   */
  async busOwner(): Promise<number> {
    return await peerUid(this.#connection);
  }

  /**
   * Whether whoever answers as the Secret Service also owns another name on
   * the bus. It starts nobody, and asks once for each name.
   *
   * @param name The other name, such as `org.gnome.keyring`.
   * @returns Whether the owner is the same.
   * @throws {GLibError} If the bus did not answer.
   */
  alsoOwns(name: string): Promise<boolean> {
    const known = this.#owned.get(name);
    if (known !== undefined) return known;
    const asked = (async () => {
      const [owner, other] = await Promise.all([
        this.#owner(),
        this.#ownerOf(name),
      ]);
      // It may have been started in between.
      return owner !== undefined &&
        (owner === other || owner === await this.#ownerOf(name));
    })();
    this.#owned.set(name, asked);
    return asked;
  }

  /**
   * Calls a method of the service.
   *
   * @param call What is called.
   * @returns The answer, a tuple.
   * @throws {GLibError} What came instead of an answer.
   */
  async call(call: Omit<MethodCall, "name">): Promise<Variant> {
    await this.#owner();
    return await this.#call(call);
  }

  #call(call: Omit<MethodCall, "name">): Promise<Variant> {
    return this.#running(
      callMethod(
        this.#connection,
        { name: NAME, ...call },
        this.cancellable,
      ),
    );
  }

  /**
   * A property of one of the service's objects.
   *
   * @param path The object.
   * @param iface The property's interface.
   * @param name The property.
   * @returns Its value.
   * @throws {GLibError} If the service did not answer, or has none.
   */
  async property(path: string, iface: string, name: string): Promise<Variant> {
    using reply = await this.call({
      path,
      interface: "org.freedesktop.DBus.Properties",
      method: "Get",
      parameters: `('${iface}', '${name}')`,
    });
    using value = reply.child(0);
    return value.boxed();
  }

  /**
   * Finds items in all collections. It unlocks nothing.
   *
   * @param attributes What they have.
   * @returns The items.
   * @throws {GLibError} If the service did not answer.
   */
  async find(attributes: Attributes): Promise<FoundItems> {
    using reply = await this.call({
      path: ROOT,
      interface: SERVICE,
      method: "SearchItems",
      parameters: `(${dictionary(attributes)},)`,
    });
    const items = (index: number): SecretItem[] => {
      using paths = reply.child(index);
      return paths.paths().map((path) => new SecretItem(this, path));
    };
    return { unlocked: items(0), locked: items(1) };
  }

  /**
   * The collection that new secrets belong in.
   *
   * @returns It, `undefined` if there is none.
   * @throws {GLibError} If the service did not answer.
   */
  async defaultCollection(): Promise<SecretCollection | undefined> {
    using reply = await this.call({
      path: ROOT,
      interface: SERVICE,
      method: "ReadAlias",
      parameters: "('default',)",
    });
    using child = reply.child(0);
    const path = child.text();
    if (path === "/") return undefined;
    return { path, locked: await this.#isLocked(path) };
  }

  async #isLocked(collection: string): Promise<boolean> {
    using locked = await this.property(collection, COLLECTION, "Locked");
    return locked.boolean();
  }

  /**
   * All collections.
   *
   * @returns They.
   * @throws {GLibError} If the service did not answer.
   */
  async collections(): Promise<SecretCollection[]> {
    using value = await this.property(ROOT, SERVICE, "Collections");
    const collections: SecretCollection[] = [];
    for (const path of value.paths()) {
      collections.push({ path, locked: await this.#isLocked(path) });
    }
    return collections;
  }

  /**
   * The name that people see of a collection.
   *
   * @param collection Its object path.
   * @returns The name.
   * @throws {GLibError} If the service did not answer.
   */
  async collectionLabel(collection: string): Promise<string> {
    using label = await this.property(collection, COLLECTION, "Label");
    return label.text();
  }

  /**
   * Creates the default collection. The service asks the person for a
   * password, in a dialog of its own.
   *
   * @param label The collection's name.
   * @returns It, `undefined` if the dialog was dismissed.
   * @throws {GLibError} If the service refused, or did not answer.
   */
  async createDefaultCollection(
    label: string,
  ): Promise<SecretCollection | undefined> {
    using reply = await this.call({
      path: ROOT,
      interface: SERVICE,
      method: "CreateCollection",
      parameters: `({'${COLLECTION}.Label': <${quote(label)}>}, 'default')`,
    });
    using created = reply.child(0);
    let path = created.text();
    if (path === "/") {
      using prompt = reply.child(1);
      using result = await this.settle(prompt.text(), true);
      // gnome-keyring's answer to a dismissed dialog is the path `/`.
      path = result?.text() ?? "/";
    }
    if (path === "/") return undefined;
    return { path, locked: await this.#isLocked(path) };
  }

  /**
   * Unlocks a collection, or an item, which usually unlocks its collection.
   * What takes no password is unlocked at once.
   *
   * @param path The object path of either.
   * @param options Whether a dialog may open if it takes one.
   * @returns Whether it is unlocked now; `false` if that takes a dialog, which
   * was not allowed, was dismissed, or could not be shown.
   * @throws {GLibError} If the service did not answer.
   */
  async unlock(path: string, options: PromptOptions = {}): Promise<boolean> {
    using reply = await this.call({
      path: ROOT,
      interface: SERVICE,
      method: "Unlock",
      parameters: `([objectpath '${path}'],)`,
    });
    using prompt = reply.child(1);
    const promptPath = prompt.text();
    if (promptPath === "/") {
      using unlocked = reply.child(0);
      return unlocked.paths().length > 0;
    }
    using result = await this.settle(promptPath, options.prompt);
    return result !== undefined && result.paths().length > 0;
  }

  /**
   * Performs a prompt that a method has answered with, or dismisses it unseen:
   * only a prompt that is performed shows anything.
   *
   * @param path The prompt's object path.
   * @param perform Whether the service may open its dialog.
   * @returns What came of it; `undefined` if it was dismissed.
   * @throws {GLibError} If the service did not answer.
   */
  async settle(path: string, perform = false): Promise<Variant | undefined> {
    if (!perform) {
      await this.#dismiss(path);
      return undefined;
    }
    const error = new OutPointer();
    const result = await libsecret().secret_service_prompt_at_dbus_path_sync(
      await this.session(),
      cString(path),
      this.cancellable.pointer,
      null,
      error.cell,
    );
    if (error.value !== null) throw takeError(error, "Prompt");
    return result === null ? undefined : new Variant(result);
  }

  async #dismiss(prompt: string): Promise<void> {
    try {
      using _ = await this.call({
        path: prompt,
        interface: PROMPT,
        method: "Dismiss",
      });
    } catch (error) {
      // It is only tidied up: nothing has been shown.
      if (!(error instanceof GLibError)) throw error;
    }
  }

  /**
   * Stores a secret in a collection, in place of the one with the same
   * attributes. A locked collection is not unlocked; a service that confirms
   * what is replaced (KeePassXC) opens its dialog.
   *
   * @param collection The collection's object path.
   * @param attributes What to file it under.
   * @param secret The secret; it stays the caller's.
   * @param options How it is called.
   * @throws {GLibError} If the service refused, or did not answer.
   */
  async store(
    collection: string,
    attributes: Attributes,
    secret: Uint8Array<ArrayBuffer>,
    options: {
      /** The name that people see. */
      readonly label: string;
    },
  ): Promise<void> {
    const properties = parseVariant(
      `{'${LABEL}': <${quote(options.label)}>, ` +
        `'${ATTRIBUTES}': <${dictionary(attributes)}>}`,
    );
    const replace = parseVariant("true");
    using reply = await this.call({
      path: collection,
      interface: COLLECTION,
      method: "CreateItem",
      parameters: tuple(properties, await this.encode(secret), replace),
    });
    using prompt = reply.child(1);
    const path = prompt.text();
    if (path === "/") return;
    using _ = await this.settle(path, true);
  }

  /**
   * Encrypts a secret for this session, as methods take it.
   *
   * @param secret The secret; it stays the caller's.
   * @returns The `GVariant *`, floating.
   * @throws {GLibError} If the service gave no session.
   */
  async encode(secret: Uint8Array<ArrayBuffer>): Promise<Deno.PointerObject> {
    const session = await this.session();
    const library = libsecret();
    // Its copy lies in memory that is not swapped, and is wiped when freed.
    const value = library.secret_value_new(
      secret,
      BigInt(secret.length),
      cString("text/plain"),
    );
    const encoded = library.secret_service_encode_dbus_secret(
      session,
      value,
    );
    library.secret_value_unref(value);
    if (encoded === null) {
      throw new GLibError("", 0, "secret_service_encode_dbus_secret failed");
    }
    return encoded;
  }

  /** Ends the session, and frees what it held. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#calls);
    await unref(await this.#session?.catch(() => null) ?? null);
    await unref(this.#connection);
    await this.cancellable[Symbol.asyncDispose]();
  }
}

/** `false` for an error of the bus or the service; any other is thrown. */
function notAnswered(error: unknown): false {
  if (error instanceof GLibError) return false;
  throw error;
}

async function openSession(
  cancellable: Cancellable,
): Promise<Deno.PointerObject> {
  const library = libsecret();
  const error = new OutPointer();
  const service = await library.secret_service_open_sync(
    library.secret_service_get_type(),
    null,
    SECRET_SERVICE_OPEN_SESSION,
    cancellable.pointer,
    error.cell,
  );
  if (service === null) throw takeError(error, "secret_service_open_sync");
  return service;
}
