import type { SecretItem } from "../../ffi/libsecret/item.ts";
import type { SecretService } from "../../ffi/libsecret/service.ts";
import type { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import {
  CARGO,
  describeItem,
  howLocked,
  isIn,
  KEEPASSXC,
  keepingOf,
  look,
  openKeePassXC,
  readSecrets,
  SESSION_COLLECTION,
} from "./_secret_service_look.ts";
import type {
  EraseOutcome,
  ListOutcome,
  PrepareOutcome,
  SetOutcome,
  VerifyOutcome,
} from "./credential_store.ts";
import { itemLabel, labelledItem } from "./item_name.ts";
import { isPlaintextKeyring } from "./keyring_file.ts";
import {
  type Answer,
  GNOME_KEYRING,
  trouble,
} from "./secret_service_session.ts";
import { readVariable } from "./session_bus.ts";

/** What a default collection is called if one has to be made, as in libsecret. */
const DEFAULT_COLLECTION_LABEL = "Default keyring";

export async function prepare(
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

export async function set(
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

export async function verify(
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

export async function erase(
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

export async function list(
  service: SecretService,
): Promise<Answer<ListOutcome>> {
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
