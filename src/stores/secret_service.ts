import type { SecretItem } from "../../ffi/libsecret/item.ts";
import type {
  SecretCollection,
  SecretService,
} from "../../ffi/libsecret/service.ts";
import { Secret } from "../base/secret.ts";
import type { Trouble } from "./_secret_service_failures.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  EraseOutcome,
  GetOutcome,
  Keeping,
  ListOutcome,
  PrepareOutcome,
  SetOutcome,
  StoreOptions,
  VerifyOutcome,
} from "./credential_store.ts";
import { itemLabel, labelledItem } from "./item_name.ts";
import { isPlaintextKeyring, keyringName } from "./keyring_file.ts";
import { type Answer, inSession, trouble } from "./secret_service_session.ts";
import { readVariable } from "./session_bus.ts";

/** A name that gnome-keyring has on the bus beside that of the Secret Service. */
export const GNOME_KEYRING = "org.gnome.keyring";
/** KeePassXC's. */
const KEEPASSXC = "org.keepassxc.KeePassXC.MainWindow";

/** gnome-keyring's collection that lives in memory. */
export const SESSION_COLLECTION = "/org/freedesktop/secrets/collection/session";

/** What a default collection is called if one has to be made, as in libsecret. */
const DEFAULT_COLLECTION_LABEL = "Default keyring";

/** The schema of `cargo:libsecret` (cargo-credential-libsecret/src/lib.rs). */
const CARGO = { "xdg:schema": "org.rust-lang.cargo.registry" };

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
    return inSession(options, (service) => prepare(service, options.prompt));
  }

  /** Writes into the default collection, in place of the item of that URL. */
  set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome> {
    return inSession(options, (service) => set(service, key, token));
  }

  /** Looks the item in the default collection up, in a new session. */
  verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome> {
    return inSession(options, (service) => verify(service, key, token));
  }

  /** Erases the items of that URL from all collections. */
  erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome> {
    return inSession(options, (service) => erase(service, key, options.prompt));
  }

  /** Lists the items of cargo's schema in all collections. */
  list(options: StoreOptions): Promise<ListOutcome> {
    return inSession(options, list);
  }
}

async function look(
  service: SecretService,
  key: RegistryRef,
  prompt = false,
  opened = false,
): Promise<Answer<GetOutcome>> {
  const { indexUrl } = key;
  const closed = await openKeePassXC(service, prompt);
  if (closed !== undefined) return trouble(closed);
  const found = await service.find({ ...CARGO, url: indexUrl });
  const secrets = await readSecrets(found.unlocked);
  if (secrets.length > 0) return await choose(service, secrets);
  if (found.unlocked.length > 0) {
    // What was locked just now is found to be so in the next session.
    const message = "it withholds an item that is not locked";
    return trouble({ cause: "service-failed", message, again: true });
  }

  // A daemon that was started and never unlocked finds nothing by schema: its
  // file holds hashed attributes. By the URL alone it finds them.
  const locked = found.locked.length > 0
    ? found.locked
    : (await service.find({ url: indexUrl })).locked;
  const collection = await service.defaultCollection();
  const item = locked.find((item) => isIn(item, collection)) ?? locked[0];
  if (item === undefined) {
    if (collection === undefined) {
      return trouble({ cause: "no-default-collection" });
    }
    if (!collection.locked) return { kind: "absent" };
  }
  const target = item ?? collection;
  if (target === undefined) return { kind: "absent" };
  // gnome-keyring shows what it has while it is locked; others may not.
  const shown = item !== undefined
    ? "visible"
    : await service.alsoOwns(GNOME_KEYRING)
    ? "none"
    : "unknown";
  const mayAsk = prompt && shown !== "none";
  if (!opened && await service.unlock(target.path, { prompt: mayAsk })) {
    return await look(service, key, false, true);
  }
  if (mayAsk) return trouble({ cause: "prompt-dismissed" });
  return trouble({
    cause: "locked",
    item: shown,
    ...(item === undefined ? {} : howLocked(item, collection)),
  });
}

/** What is known of a locked item, for the words. */
function howLocked(
  item: SecretItem,
  collection: SecretCollection | undefined,
): { readonly asks?: true; readonly keyring?: string } {
  if (!isIn(item, collection)) return { keyring: keyringOf(item) };
  // KeePassXC asks for each item, once for each process.
  return collection?.locked === false ? { asks: true } : {};
}

/**
 * KeePassXC opens its password dialog when it is searched while locked (unless
 * it is set otherwise), and a search waits 25 s for it. So it is opened first,
 * or else not searched.
 *
 * Returns why it must not be searched.
 */
async function openKeePassXC(
  service: SecretService,
  prompt: boolean,
): Promise<Trouble | undefined> {
  if (await service.alsoOwns(GNOME_KEYRING)) return undefined;
  if (!await service.alsoOwns(KEEPASSXC)) return undefined;
  const collection = await service.defaultCollection();
  if (collection === undefined) return { cause: "no-default-collection" };
  if (!collection.locked) return undefined;
  if (await service.unlock(collection.path, { prompt })) return undefined;
  return prompt
    ? { cause: "prompt-dismissed" }
    : { cause: "locked", item: "unknown" };
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
  const agree = more.every(({ token }) => token.equals(first.token));
  const collection = agree ? undefined : await service.defaultCollection();
  const winner = secrets.find(({ item }) => isIn(item, collection)) ?? first;
  const holders: SecretItem[] = [];
  const others: string[] = [];
  for (const { item, token } of secrets) {
    if (token.equals(winner.token)) holders.push(item);
    else others.push(await describeItem(item));
    if (token !== winner.token) token.wipe();
  }
  const keeps = await keepingOf(service, holders);
  return { kind: "found", token: winner.token, others, keeps };
}

/** How well a token is kept: as the best of the items that hold it. */
async function keepingOf(
  service: SecretService,
  items: readonly SecretItem[],
): Promise<Keeping> {
  let best: Keeping = "in-memory";
  const isGnomeKeyring = await service.alsoOwns(GNOME_KEYRING);
  for (const item of items) {
    if (!isGnomeKeyring) {
      best = keepingSince(await item.modified(), Date.now() / 1000);
    } else if (!item.path.startsWith(`${SESSION_COLLECTION}/`)) {
      best = "on-disk";
    }
    if (best === "on-disk") break;
  }
  return best;
}

/**
 * How long a service other than gnome-keyring may take to write what it was
 * given: KWallet takes 5 s, KeePassXC one, and both tell whole seconds.
 */
const WRITTEN_AFTER_S = 10;

/**
 * How far in the future an item may lie for its time to be taken for that of a
 * clock which was set back a little since. Further, and the time says nothing:
 * then the computer was started since, and the item read from the disk.
 */
const SET_BACK_S = 24 * 60 * 60;

/**
 * How well a service that writes later keeps an item.
 *
 * `modified`: when it was stored; `undefined` if the service does not say.
 */
export function keepingSince(
  modified: number | undefined,
  now: number,
): Keeping {
  if (modified === undefined) return "not-yet-on-disk";
  const age = now - modified;
  return age < WRITTEN_AFTER_S && age > -SET_BACK_S
    ? "not-yet-on-disk"
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
  const { path, locked } = collection;
  if (locked && !await service.unlock(path, { prompt })) {
    return trouble({ cause: prompt ? "prompt-dismissed" : "locked" });
  }
  const isGnomeKeyring = await service.alsoOwns(GNOME_KEYRING);
  return {
    kind: "ready",
    durable: !(isGnomeKeyring && path === SESSION_COLLECTION),
    plaintext: isGnomeKeyring && await isPlaintextKeyring(path, readVariable),
    ...(!isGnomeKeyring && await service.alsoOwns(KEEPASSXC)
      ? { asksEachProcess: true }
      : {}),
  };
}

async function set(
  service: SecretService,
  key: RegistryRef,
  token: Secret,
): Promise<Answer<SetOutcome>> {
  const collection = await service.defaultCollection();
  if (collection === undefined) {
    return trouble({ cause: "no-default-collection" });
  }
  if (collection.locked && !await service.unlock(collection.path)) {
    return trouble({ cause: "locked" });
  }
  const attributes = { url: key.indexUrl, ...CARGO };
  await service.store(collection.path, attributes, token.bytes, {
    label: itemLabel(key),
  });
  return { kind: "stored" };
}

async function verify(
  service: SecretService,
  key: RegistryRef,
  token: Secret,
): Promise<Answer<VerifyOutcome>> {
  const closed = await openKeePassXC(service, false);
  if (closed !== undefined) return trouble(closed);
  const collection = await service.defaultCollection();
  if (collection === undefined) {
    return trouble({ cause: "no-default-collection" });
  }
  if (collection.locked && !await service.unlock(collection.path)) {
    const outcome = await look(service, key);
    if (outcome.kind === "found") outcome.token.wipe();
    return outcome.kind === "trouble" ? outcome : trouble({ cause: "locked" });
  }
  const { unlocked, locked } = await service.find({
    ...CARGO,
    url: key.indexUrl,
  });
  const items = unlocked.filter((item) => isIn(item, collection));
  const secrets = await readSecrets(items);
  const same = secrets.filter((read) => read.token.equals(token));
  for (const read of secrets) read.token.wipe();
  if (same.length > 0) {
    const holders = same.map(({ item }) => item);
    return { kind: "stored", keeps: await keepingOf(service, holders) };
  }
  const hidden = locked.find((item) => isIn(item, collection));
  if (hidden !== undefined) {
    return trouble({
      cause: "locked",
      item: "visible",
      ...howLocked(hidden, collection),
    });
  }
  return trouble(
    items.length > secrets.length
      ? {
        cause: "service-failed",
        message: "it withholds an item that is not locked",
        again: true,
      }
      : { cause: "not-kept" },
  );
}

async function erase(
  service: SecretService,
  key: RegistryRef,
  prompt = false,
): Promise<Answer<EraseOutcome>> {
  const closed = await openKeePassXC(service, prompt);
  if (closed !== undefined) return trouble(closed);
  const attributes = { url: key.indexUrl };
  const stayed = new Map<string, SecretItem>();
  const tried = new Set<string>();
  let erased = 0;
  let locked: readonly SecretItem[];
  for (;;) {
    const { unlocked } = await service.find({ ...CARGO, ...attributes });
    for (const item of unlocked) {
      if (stayed.has(item.path)) continue;
      if (await item.erase({ prompt })) erased++;
      else stayed.set(item.path, item);
    }
    locked = (await findLocked(service, attributes))
      .filter(({ path }) => !stayed.has(path));
    const next = locked.find(({ path }) => !tried.has(path));
    if (next === undefined) break;
    tried.add(next.path);
    // A person who dismisses one dialog is not asked again.
    if (!await service.unlock(next.path, { prompt }) && prompt) break;
  }
  const remaining = [...stayed.values(), ...locked];
  if (erased > 0) {
    return {
      kind: "erased",
      remaining: await Promise.all(remaining.map(describeItem)),
    };
  }
  const [first] = remaining;
  if (first !== undefined) {
    if (prompt) return trouble({ cause: "prompt-dismissed" });
    const collection = await service.defaultCollection();
    return trouble({
      cause: "locked",
      item: "visible",
      ...(stayed.size > 0 ? { asks: true } : howLocked(first, collection)),
    });
  }
  const outcome = await look(service, key, prompt);
  if (outcome.kind !== "found") return outcome;
  // It came to light only when the collection had been opened.
  outcome.token.wipe();
  return await erase(service, key, prompt);
}

/** The locked items of a URL, those that hide their schema included. */
async function findLocked(
  service: SecretService,
  attributes: { readonly url: string },
): Promise<readonly SecretItem[]> {
  const { locked } = await service.find({ ...CARGO, ...attributes });
  const paths = new Set(locked.map(({ path }) => path));
  const byUrl = await service.find(attributes);
  return [...locked, ...byUrl.locked.filter(({ path }) => !paths.has(path))];
}

async function list(service: SecretService): Promise<Answer<ListOutcome>> {
  const closed = await openKeePassXC(service, false);
  if (closed !== undefined) return trouble(closed);
  const collection = await service.defaultCollection();
  // A locked collection may hold items that it does not show.
  if (collection?.locked && !await service.unlock(collection.path)) {
    return trouble({ cause: "locked" });
  }
  const { unlocked, locked } = await service.find(CARGO);
  if (unlocked.length + locked.length === 0 && collection === undefined) {
    return trouble({ cause: "no-default-collection" });
  }
  const items = await Promise.all(
    [...unlocked, ...locked].map(async (item): Promise<RegistryRef[]> => {
      const indexUrl = await item.attribute("url");
      if (indexUrl === undefined) return [];
      return [labelledItem(indexUrl, await item.label())];
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

/** The name of the keyring that an item lies in, for people. */
function keyringOf(item: SecretItem): string {
  return keyringName(item.path.slice(0, item.path.lastIndexOf("/")));
}

/** An item's label and its collection, for people. */
async function describeItem(item: SecretItem): Promise<string> {
  const label = await item.label();
  return label === ""
    ? `an item in the keyring "${keyringOf(item)}"`
    : `"${label}" in the keyring "${keyringOf(item)}"`;
}
