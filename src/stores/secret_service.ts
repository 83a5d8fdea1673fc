import {
  type SecretCollection,
  type SecretItem,
  SecretSchema,
  SecretService,
} from "../../ffi/libsecret.ts";
import { Secret } from "../base/secret.ts";
import {
  describeTrouble,
  readSurroundings,
  type Trouble,
  troubleOf,
} from "./_secret_service_failures.ts";
import type {
  CredentialStore,
  EraseOutcome,
  GetOutcome,
  ItemKey,
  Keeping,
  ListOutcome,
  PrepareOutcome,
  SetOutcome,
  StoredItem,
  StoreFailure,
  StoreOptions,
  VerifyOutcome,
} from "./credential_store.ts";
import { findSessionBus, type SocketInfo } from "./session_bus.ts";

/** gnome-keyring's collection that lives in memory. */
const SESSION_COLLECTION = "/org/freedesktop/secrets/collection/session";

/** A name that KeePassXC has on the bus beside that of the Secret Service. */
const KEEPASSXC = "org.keepassxc.KeePassXC.MainWindow";

/** What a default collection is called if one has to be made, as in libsecret. */
const DEFAULT_COLLECTION_LABEL = "Default keyring";

/** The first session of this process, which stays open: see `runInSession`. */
let firstService: SecretService | undefined;

let cargoSchema: SecretSchema | undefined;

/** The schema of `cargo:libsecret` (cargo-credential-libsecret/src/lib.rs). */
function schema(): SecretSchema {
  return cargoSchema ??= new SecretSchema("org.rust-lang.cargo.registry", [
    "url",
  ]);
}

/** What a method answers, or what is wrong. */
type Answer<T> = T | { readonly kind: "trouble"; readonly trouble: Trouble };

function trouble(what: Trouble): Answer<never> {
  return { kind: "trouble", trouble: what };
}

/**
 * The Secret Service (GNOME Keyring, KWallet, KeePassXC, …), with the items of
 * `cargo:libsecret`: each finds, replaces and erases what the other stored.
 *
 * Each method opens a session of its own with the service, so what `verify`
 * reads is not what `set` remembers.
 *
 * @example
 * ```ts ignore
 * const store = new SecretServiceStore();
 * const signal = AbortSignal.timeout(3000);
 * const outcome = await store.get({ indexUrl }, { signal });
 * ```
 */
export class SecretServiceStore implements CredentialStore {
  /** `secret-service` */
  readonly name = "secret-service";
  /** Its name in sentences. */
  readonly title: string = "the Secret Service";

  /** Searches all collections; of different secrets the default one's wins. */
  get(key: ItemKey, options: StoreOptions): Promise<GetOutcome> {
    return ask(options, (service) => look(service, key, options.prompt));
  }

  /** Makes sure that there is a default collection, and that it is open. */
  prepare(options: StoreOptions): Promise<PrepareOutcome> {
    return ask(options, (service) => prepare(service, options.prompt));
  }

  /** Writes into the default collection, in place of the item of that URL. */
  set(
    key: ItemKey,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    return ask<SetOutcome>(options, async (service) => {
      const collection = await service.defaultCollection();
      if (collection === undefined) {
        return trouble({ cause: "no-default-collection" });
      }
      if (collection.locked) return trouble({ cause: "locked" });
      await collection.store(schema(), { url: key.indexUrl }, token.bytes, {
        label: `cargo-registry:${key.registryName ?? key.indexUrl}`,
      });
      return { kind: "stored" };
    });
  }

  /** Looks the item up in a new session and compares what it holds. */
  verify(
    key: ItemKey,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return ask<VerifyOutcome>(options, async (service) => {
      const outcome = await look(service, key);
      if (outcome.kind === "absent") return trouble({ cause: "not-kept" });
      if (outcome.kind !== "found") return outcome;
      const same = outcome.token.equals(token);
      outcome.token.wipe();
      if (!same) return trouble({ cause: "not-kept" });
      if (outcome.keeps === "in-memory") {
        return { kind: "stored", keeps: "in-memory" };
      }
      return await service.alsoOwns("org.gnome.keyring")
        ? { kind: "stored", keeps: "on-disk" }
        : { kind: "stored", keeps: "not-yet-on-disk" };
    });
  }

  /** Erases the items of that URL from all collections. */
  erase(key: ItemKey, options: StoreOptions): Promise<EraseOutcome> {
    return ask(options, (service) => erase(service, key, options.prompt));
  }

  /** Lists the items of cargo's schema in all collections. */
  list(options: StoreOptions): Promise<ListOutcome> {
    return ask(options, list);
  }
}

/**
 * Runs calls against a new session, and words what goes wrong. It answers when
 * the signal is aborted, even if a call does not come back.
 */
async function ask<T extends { readonly kind: string }>(
  options: StoreOptions,
  calls: (service: SecretService) => Promise<Answer<T>>,
): Promise<T | StoreFailure> {
  const { signal } = options;
  const aborted = Promise.withResolvers<Answer<never>>();
  const abort = (): void => aborted.resolve(trouble({ cause: "deadline" }));
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  const running = run(signal, calls);
  try {
    const answer = await Promise.race([aborted.promise, running]);
    if (!isTrouble(answer)) return answer;
    if (signal.aborted) running.then(forget, () => {});
    return describeTrouble(answer.trouble, await readSurroundings());
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function isTrouble<T extends { readonly kind: string }>(
  answer: Answer<T>,
): answer is { readonly kind: "trouble"; readonly trouble: Trouble } {
  return answer.kind === "trouble";
}

/** Wipes a token that came too late for anyone to take it. */
function forget(
  answer: { readonly kind: string; readonly token?: Secret },
): void {
  answer.token?.wipe();
}

/** How many sessions are tried: see `KWALLET_SESSION_ERROR`. */
const SESSIONS = 4;

async function run<T extends { readonly kind: string }>(
  signal: AbortSignal,
  calls: (service: SecretService) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const bus = await findSessionBus(
    (name) => Deno.env.get(name),
    Deno.uid(),
    statSocket,
  );
  if (bus.kind === "none") return trouble({ cause: "no-bus", why: bus.why });
  if (bus.kind === "foreign") return trouble({ cause: "foreign-bus" });
  for (let tries = 1;; tries++) {
    const answer = await runInSession(signal, calls);
    const bad = isTrouble(answer) &&
      answer.trouble.cause === "service-failed" && answer.trouble.badSession;
    if (!bad || tries === SESSIONS) return answer;
  }
}

async function runInSession<T extends { readonly kind: string }>(
  signal: AbortSignal,
  calls: (service: SecretService) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  if (signal.aborted) return trouble({ cause: "deadline" });
  try {
    const service = await SecretService.open({ signal });
    // libsecret drops its connection to the bus with the last session, and
    // KeePassXC with the connection what a person has just allowed this
    // process to see: then `verify` could not read what `set` has replaced.
    firstService ??= service;
    try {
      return await calls(service);
    } finally {
      if (service !== firstService) await service[Symbol.asyncDispose]();
    }
  } catch (error) {
    const what = troubleOf(error);
    if (what === undefined) throw error;
    return trouble(what);
  }
}

async function statSocket(path: string): Promise<SocketInfo | undefined> {
  try {
    const { isSocket, uid } = await Deno.stat(path);
    return { isSocket: isSocket === true, uid };
  } catch {
    // Missing, or in a folder that we may not look into: either way there is
    // no bus here that we could talk to.
    return undefined;
  }
}

async function look(
  service: SecretService,
  key: ItemKey,
  prompt = false,
): Promise<Answer<GetOutcome>> {
  const closed = await openKeePassXC(service, prompt);
  if (closed !== undefined) return trouble(closed);
  const attributes = { url: key.indexUrl };
  const found = await service.find(schema(), attributes);
  const secrets = await readSecrets(found.unlocked);
  if (secrets.length > 0) return await choose(service, secrets);
  if (found.unlocked.length > 0) {
    // What was locked just now is found to be so in the next session.
    const message = "it withholds an item that is not locked";
    return trouble({ cause: "service-failed", message, badSession: true });
  }

  // A daemon that was started and never unlocked finds nothing by schema: its
  // file holds hashed attributes. By the URL alone it finds them.
  const locked = found.locked.length > 0
    ? found.locked
    : (await service.find(undefined, attributes)).locked;
  const collection = await service.defaultCollection();
  if (locked.length === 0) {
    if (collection === undefined) {
      return trouble({ cause: "no-default-collection" });
    }
    if (!collection.locked) return { kind: "absent" };
    // gnome-keyring shows what it has while it is locked; others may not.
    if (await service.alsoOwns("org.gnome.keyring")) {
      return trouble({ cause: "locked", item: "none" });
    }
    if (!prompt) return trouble({ cause: "locked", item: "unknown" });
    return await unlock(service, collection, key);
  }
  const preferred = locked.find((item) => isIn(item, collection)) ?? locked[0];
  if (!prompt) {
    // KeePassXC asks for each item, once for each process.
    const asks = preferred !== undefined && isIn(preferred, collection) &&
      collection?.locked === false;
    return trouble({
      cause: "locked",
      item: "visible",
      ...(asks ? { asks } : {}),
    });
  }
  if (preferred === undefined) return { kind: "absent" };
  return await unlock(service, preferred, key);
}

/**
 * KeePassXC opens its password dialog when it is searched while locked (unless
 * it is set otherwise), and libsecret waits 25 s for a search. So it is opened
 * first, or else not searched.
 *
 * @returns Why it must not be searched.
 */
async function openKeePassXC(
  service: SecretService,
  prompt: boolean,
): Promise<Trouble | undefined> {
  if (!await service.alsoOwns(KEEPASSXC)) return undefined;
  const collection = await service.defaultCollection();
  if (collection === undefined) return { cause: "no-default-collection" };
  if (!collection.locked) return undefined;
  if (!prompt) return { cause: "locked", item: "unknown" };
  return await service.unlock(collection)
    ? undefined
    : { cause: "prompt-dismissed" };
}

/** Lets the service ask for its password, then looks again. */
async function unlock(
  service: SecretService,
  target: SecretItem | SecretCollection,
  key: ItemKey,
): Promise<Answer<GetOutcome>> {
  return await service.unlock(target)
    ? await look(service, key)
    : trouble({ cause: "prompt-dismissed" });
}

interface ReadItem {
  readonly item: SecretItem;
  readonly token: Secret;
}

/** The secrets of the items that give them. */
async function readSecrets(items: readonly SecretItem[]): Promise<ReadItem[]> {
  const secrets: ReadItem[] = [];
  try {
    for (const item of items) {
      const bytes = await item.secret();
      if (bytes !== undefined) secrets.push({ item, token: new Secret(bytes) });
    }
  } catch (error) {
    for (const { token } of secrets) token.wipe();
    throw error;
  }
  return secrets;
}

async function choose(
  service: SecretService,
  secrets: readonly ReadItem[],
): Promise<Answer<GetOutcome>> {
  const [first, ...more] = secrets;
  if (first === undefined) return { kind: "absent" };
  if (more.every(({ token }) => token.equals(first.token))) {
    for (const { token } of more) token.wipe();
    const keeps = keepingOf(first.item);
    return { kind: "found", token: first.token, others: [], keeps };
  }
  const collection = await service.defaultCollection();
  const winner = secrets.find(({ item }) => isIn(item, collection)) ?? first;
  const others: string[] = [];
  for (const { item, token } of secrets) {
    if (token === winner.token) continue;
    if (!token.equals(winner.token)) others.push(await describeItem(item));
    token.wipe();
  }
  const keeps = keepingOf(winner.item);
  return { kind: "found", token: winner.token, others, keeps };
}

function keepingOf(item: SecretItem): Keeping {
  return item.path.startsWith(`${SESSION_COLLECTION}/`)
    ? "in-memory"
    : "on-disk";
}

async function prepare(
  service: SecretService,
  prompt = false,
): Promise<Answer<PrepareOutcome>> {
  let collection = await service.defaultCollection();
  if (collection === undefined) {
    if (!prompt) return trouble({ cause: "no-default-collection" });
    collection = await service.createDefaultCollection(
      DEFAULT_COLLECTION_LABEL,
    );
    if (collection === undefined) return trouble({ cause: "prompt-dismissed" });
  }
  if (collection.locked) {
    if (!prompt) return trouble({ cause: "locked" });
    if (!await service.unlock(collection)) {
      return trouble({ cause: "prompt-dismissed" });
    }
  }
  const durable = collection.path !== SESSION_COLLECTION;
  return { kind: "ready", durable, plaintext: false };
}

async function erase(
  service: SecretService,
  key: ItemKey,
  prompt = false,
): Promise<Answer<EraseOutcome>> {
  const closed = await openKeePassXC(service, prompt);
  if (closed !== undefined) return trouble(closed);
  const attributes = { url: key.indexUrl };
  let dismissed = false;
  if (prompt) {
    for (const item of await findLocked(service, attributes)) {
      if (!await service.unlock(item)) {
        dismissed = true;
        break;
      }
    }
  }
  const { unlocked } = await service.find(schema(), attributes);
  const stayed: SecretItem[] = [];
  for (const item of unlocked) {
    if (!await item.erase({ prompt })) stayed.push(item);
  }
  const remaining = [...stayed, ...await findLocked(service, attributes)];
  if (stayed.length < unlocked.length) {
    return {
      kind: "erased",
      remaining: await Promise.all(remaining.map(describeItem)),
    };
  }
  if (remaining.length > 0) {
    if (dismissed || (prompt && stayed.length > 0)) {
      return trouble({ cause: "prompt-dismissed" });
    }
    return trouble({
      cause: "locked",
      item: "visible",
      ...(stayed.length > 0 ? { asks: true } : {}),
    });
  }
  const outcome = await look(service, key, prompt);
  if (outcome.kind !== "found") return outcome;
  // It came to light only when the prompt had been answered.
  outcome.token.wipe();
  return await erase(service, key, prompt);
}

/** The locked items of a URL, those that hide their schema included. */
async function findLocked(
  service: SecretService,
  attributes: { readonly url: string },
): Promise<readonly SecretItem[]> {
  const { locked } = await service.find(schema(), attributes);
  const paths = new Set(locked.map(({ path }) => path));
  const byUrl = await service.find(undefined, attributes);
  return [...locked, ...byUrl.locked.filter(({ path }) => !paths.has(path))];
}

async function list(service: SecretService): Promise<Answer<ListOutcome>> {
  const closed = await openKeePassXC(service, false);
  if (closed !== undefined) return trouble(closed);
  const { unlocked, locked } = await service.find(schema(), {});
  const collection = await service.defaultCollection();
  // A locked collection may hold items that it does not show.
  if (collection?.locked) return trouble({ cause: "locked" });
  if (unlocked.length + locked.length === 0 && collection === undefined) {
    return trouble({ cause: "no-default-collection" });
  }
  const items = await Promise.all(
    [...unlocked, ...locked].map(async (item): Promise<StoredItem[]> => {
      const indexUrl = await item.attribute("url");
      if (indexUrl === undefined) return [];
      const name = /^cargo-registry:(.*)/.exec(await item.label())?.[1];
      return [{
        indexUrl,
        ...(name === undefined ? {} : { registryName: name }),
      }];
    }),
  );
  return { kind: "items", items: items.flat() };
}

/** Whether an item lies in a collection: paths of items are below it. */
function isIn(
  item: SecretItem,
  collection: SecretCollection | undefined,
): boolean {
  return collection !== undefined &&
    item.path.startsWith(`${collection.path}/`);
}

/** An item's label and its collection, for people. */
async function describeItem(item: SecretItem): Promise<string> {
  // /org/freedesktop/secrets/collection/NAME/ITEM, where a character that a
  // path cannot have is `_` and its code.
  const name = (item.path.split("/").at(-2) ?? "").replace(
    /_([0-9a-f]{2})/g,
    (_, code: string) => String.fromCharCode(parseInt(code, 16)),
  );
  const label = await item.label();
  return label === ""
    ? `an item in the keyring "${name}"`
    : `"${label}" in the keyring "${name}"`;
}
