import type { SecretItem } from "../../ffi/libsecret/item.ts";
import type {
  SecretCollection,
  SecretService,
} from "../../ffi/libsecret/service.ts";
import { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type { Trouble } from "./_secret_service_failures.ts";
import type { GetOutcome, Keeping } from "./credential_store.ts";
import { keyringName } from "./keyring_name.ts";
import {
  type Answer,
  GNOME_KEYRING,
  trouble,
} from "./secret_service_session.ts";

/** KeePassXC's. */
export const KEEPASSXC = "org.keepassxc.KeePassXC.MainWindow";

/** gnome-keyring's collection that lives in memory. */
export const SESSION_COLLECTION = "/org/freedesktop/secrets/collection/session";

/** The schema of `cargo:libsecret` (cargo-credential-libsecret/src/lib.rs). */
export const CARGO = { "xdg:schema": "org.rust-lang.cargo.registry" };

/**
 * Searches all collections for a URL's token; of different secrets that of the
 * default collection wins.
 *
 * `opened`: something was opened just now, and is not opened again.
 */
export async function look(
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
export function howLocked(
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
export async function openKeePassXC(
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
export async function readSecrets(
  items: readonly SecretItem[],
): Promise<ReadItem[]> {
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
export async function keepingOf(
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

/** Whether an item lies in a collection: paths of items are below it. */
export function isIn(
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
export async function describeItem(item: SecretItem): Promise<string> {
  const label = await item.label();
  return label === ""
    ? `an item in the keyring "${keyringOf(item)}"`
    : `"${label}" in the keyring "${keyringOf(item)}"`;
}
