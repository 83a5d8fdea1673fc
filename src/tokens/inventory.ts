import {
  CRATES_IO_NAME,
  environmentName,
  type RegistryRef,
} from "../cargo/registries.ts";
import { configuredNames } from "../cargo/registry_index.ts";
import { sameRegistry } from "../cargo/spellings.ts";
import {
  type CredentialsTable,
  tablesWithToken,
  type UnusableFile,
} from "../credentials/file.ts";
import type {
  CredentialStore,
  GetOutcome,
  ListOutcome,
  StoreFailure,
} from "../stores/credential_store.ts";
import {
  type ConfigToken,
  configTokens,
  meaningOf,
  type NameMeaning,
  ownNames,
  ownRegistries,
} from "./names.ts";
import type { Registry } from "./registry.ts";
import type { Session } from "./session.ts";

/** What leads to a registry at all. */
export interface InventorySources {
  /** What the user's own configuration binds. */
  readonly own: readonly Required<RegistryRef>[];
  /** Every other name that has a binding or a token somewhere. */
  readonly names: readonly string[];
  /** What a name means here. */
  readonly meaning: (name: string) => NameMeaning;
  /** Index URLs of items, and of what is remembered. */
  readonly urls: readonly string[];
  /** The names that a token of a URL can be filed under, the best first. */
  readonly namesOf: (indexUrl: string) => readonly string[];
}

/** A registry that something knows of. */
export interface InventoryEntry {
  /** `undefined`: no name leads there. */
  readonly name: string | undefined;
  /** `undefined`: nothing binds the name. */
  readonly indexUrl: string | undefined;
  /** Whether a project alone binds the name to the URL. */
  readonly boundByProject: boolean;
}

/**
 * Every registry that is known anywhere, each name once, crates.io first. A URL
 * that a name leads to in another spelling is no registry of its own.
 */
export function mergeInventory(sources: InventorySources): InventoryEntry[] {
  const entries: InventoryEntry[] = [];
  const add = (entry: InventoryEntry): void => {
    if (entries.some((known) => isSame(known, entry))) return;
    entries.push(entry);
  };
  for (const { name, indexUrl } of sources.own) {
    add({ name, indexUrl, boundByProject: false });
  }
  for (const name of sources.names) {
    const meaning = sources.meaning(name);
    add({
      name,
      indexUrl: meaning.kind === "none" ? undefined : meaning.indexUrl,
      boundByProject: meaning.kind === "project",
    });
  }
  for (const indexUrl of sources.urls) {
    if (entries.some((known) => leadsThere(known, indexUrl))) continue;
    const [name] = sources.namesOf(indexUrl);
    add({ name, indexUrl, boundByProject: false });
  }
  return entries;
}

function isSame(one: InventoryEntry, other: InventoryEntry): boolean {
  return one.name === other.name &&
    (one.indexUrl === other.indexUrl ||
      one.indexUrl !== undefined && other.indexUrl !== undefined &&
        sameRegistry(one.indexUrl, other.indexUrl));
}

function leadsThere({ indexUrl }: InventoryEntry, url: string): boolean {
  return indexUrl === url ||
    indexUrl !== undefined && sameRegistry(indexUrl, url);
}

/** What the environment has for a registry. */
export interface InventoryVariable {
  readonly variable: string;
  /** The file that it names, if the token is in one. */
  readonly path: string | undefined;
  /** Whether there is a token in it. */
  readonly hasToken: boolean;
}

/** What was found of one registry's token; nobody was asked for it. */
export interface TokenPlaces {
  readonly environment: InventoryVariable | undefined;
  /** Whether the store has it; `null`: not to be told without a dialog. */
  readonly store: boolean | null;
  /** Whether the credentials file has one; `null`: it cannot be read. */
  readonly file: boolean | null;
  /** Whether store and file hold different tokens. */
  readonly conflict: boolean | null;
  /** Whether the file's token is known to be out of use. */
  readonly superseded: boolean;
  /** Tokens in configuration files, which nobody here edits. */
  readonly config: readonly ConfigToken[];
}

/** Where the token is that a `get` would answer, or cargo's own provider. */
export type TokenPlace =
  | "environment"
  | "secret-file"
  | "store"
  | "file"
  | "config"
  | "none"
  | "unknown";

/** Where the token is that would be used. */
export function placeOf(places: TokenPlaces): TokenPlace {
  const { environment, store, file, superseded, config } = places;
  // A variable that is set decides, whether there is a token in it or not.
  if (environment !== undefined) {
    if (!environment.hasToken) return "none";
    return environment.path === undefined ? "environment" : "secret-file";
  }
  const inFile = file === true && !superseded;
  // The file wins where the two differ or nobody can tell, as with cargo alone.
  if (inFile && (store !== true || places.conflict !== false)) return "file";
  if (store === true) return "store";
  if (store === null || file === null) return "unknown";
  return config.length > 0 ? "config" : "none";
}

/** One registry, and where its token is. */
export interface InventoryRow extends InventoryEntry, TokenPlaces {
  readonly place: TokenPlace;
  /** The store that the settings choose; `undefined`: they are wrong. */
  readonly storeName: string | undefined;
  /** Why nothing is known of the store. */
  readonly failure: StoreFailure | undefined;
  /** Whether the user has put the file's token where it is. */
  readonly pinned: boolean;
}

/** Everything that {@linkcode takeInventory} finds. */
export interface Inventory {
  readonly rows: readonly InventoryRow[];
  /** The credentials file, whether it exists or not. */
  readonly path: string | undefined;
  /** What is wrong with it. */
  readonly unusable: UnusableFile | undefined;
  /** Tables of it that cargo never reads: `[registries.crates-io]`. */
  readonly neverRead: readonly CredentialsTable[];
}

/**
 * Looks where every registry's token is, without a dialog and without changing
 * anything. No token outlives it.
 */
export async function takeInventory(session: Session): Promise<Inventory> {
  const layers = await session.config();
  const cwd = session.cwd();
  const path = await session.path();
  const tables = path === undefined ? [] : await tablesWithToken(path);
  const unusable = "kind" in tables ? tables : undefined;
  const inFile = "kind" in tables ? [] : tables;
  const inConfig = configTokens(layers, path ?? "");
  const own = ownRegistries(layers, cwd);
  const stores = new Stores();
  for (const ref of own) await stores.list(session.registry(ref));
  const memory = await session.state();
  const entries = mergeInventory({
    own,
    names: [
      ...inFile.filter((table) => !isNeverRead(table))
        .map(([_, name]) => name ?? CRATES_IO_NAME),
      ...inConfig.map(({ name }) => name),
      ...configuredNames(layers),
      ...variableNames(session.env, [
        ...own.map(({ name }) => name),
        ...configuredNames(layers),
      ]),
    ],
    meaning: (name) => meaningOf(layers, cwd, name),
    urls: [
      ...stores.urls(),
      ...memory.pins,
      ...memory.superseded.map(({ indexUrl }) => indexUrl),
    ],
    namesOf: (url) => ownNames(layers, cwd, url),
  });
  const rows: InventoryRow[] = [];
  for (const entry of entries) {
    const config = inConfig.filter(({ name }) => name === entry.name);
    const row = entry.indexUrl === undefined
      ? withoutIndex(entry, inFile, unusable)
      : await lookAt(
        session.registry(refOf(entry.indexUrl, entry.name)),
        stores,
      );
    const places = { ...row, config };
    rows.push({ ...entry, ...places, place: placeOf(places) });
  }
  const neverRead = inFile.filter(isNeverRead);
  return { rows, path, unusable, neverRead };
}

type Found =
  & Omit<TokenPlaces, "config">
  & Pick<InventoryRow, "storeName" | "failure" | "pinned">;

/** A name that nothing binds: no item can be its own. */
function withoutIndex(
  { name }: InventoryEntry,
  inFile: readonly CredentialsTable[],
  unusable: UnusableFile | undefined,
): Found {
  return {
    environment: undefined,
    store: false,
    file: unusable !== undefined
      ? null
      : inFile.some(([_, other]) => other === name),
    conflict: false,
    superseded: false,
    storeName: undefined,
    failure: undefined,
    pinned: false,
  };
}

async function lookAt(registry: Registry, stores: Stores): Promise<Found> {
  const environment = await lookAtEnvironment(registry);
  const { token, outcome } = await registry.plaintext();
  const listed = await stores.list(registry);
  const settings = await registry.settings();
  const isListed = listed?.kind === "items" &&
    listed.items.some(({ indexUrl }) =>
      indexUrl === registry.ref.indexUrl ||
      sameRegistry(indexUrl, registry.ref.indexUrl)
    );
  // One call tells of all that is listed; only a comparison needs the token.
  const mustAsk = settings.kind === "settings" &&
    (listed?.kind !== "items" || isListed && token !== "none");
  const asked = mustAsk
    ? await (await registry.store()).get(registry.ref, {
      signal: AbortSignal.timeout(settings.timeoutMs),
    })
    : undefined;
  try {
    const store = asked === undefined
      ? settings.kind === "wrong" ? null : isListed
      : isStored(asked);
    const superseded = token !== "none" && await registry.isSuperseded(token);
    return {
      environment,
      store,
      file: outcome.kind === "unusable" ? null : token !== "none",
      conflict: token === "none" || superseded || store === false
        ? false
        : asked?.kind === "found"
        ? !asked.token.equals(token)
        : null,
      superseded,
      storeName: settings.kind === "wrong"
        ? undefined
        : (await registry.store()).name,
      failure: asked !== undefined && "cause" in asked ? asked : undefined,
      pinned: await registry.isPinned(),
    };
  } finally {
    if (token !== "none") token.wipe();
    if (asked?.kind === "found") asked.token.wipe();
    // The token that it holds is of no use any more.
    registry.refresh();
  }
}

/** Whether a store has an item, by what it answers without a dialog. */
function isStored(outcome: GetOutcome): boolean | null {
  switch (outcome.kind) {
    case "found":
      return true;
    case "absent":
      return false;
    default:
      if (!outcome.storeExists || outcome.item === "none") return false;
      return outcome.item === "visible" ? true : null;
  }
}

async function lookAtEnvironment(
  registry: Registry,
): Promise<InventoryVariable | undefined> {
  const found = await registry.environmentToken();
  switch (found.kind) {
    case "none":
      return undefined;
    case "empty":
      return { variable: found.variable, path: undefined, hasToken: false };
    case "unusable":
      return { variable: found.variable, path: found.path, hasToken: false };
    case "token":
      found.token.wipe();
      return {
        variable: found.variable,
        path: found.file?.path,
        hasToken: true,
      };
  }
}

/** The stores of all registries, each listed once. */
class Stores {
  readonly #listed = new Map<CredentialStore["name"], Promise<ListOutcome>>();
  readonly #urls: string[] = [];

  /** What the store of a registry has; `undefined` if its settings are wrong. */
  async list(registry: Registry): Promise<ListOutcome | undefined> {
    const settings = await registry.settings();
    if (settings.kind === "wrong") return undefined;
    const store = await registry.store();
    const known = this.#listed.get(store.name);
    if (known !== undefined) return await known;
    const signal = AbortSignal.timeout(settings.timeoutMs);
    const listing = store.list({ signal });
    this.#listed.set(store.name, listing);
    const listed = await listing;
    if (listed.kind === "items") {
      this.#urls.push(...listed.items.map(({ indexUrl }) => indexUrl));
    }
    return listed;
  }

  /** The index URLs of all items. */
  urls(): readonly string[] {
    return this.#urls;
  }
}

function refOf(indexUrl: string, name: string | undefined): RegistryRef {
  return name === undefined ? { indexUrl } : { indexUrl, name };
}

/** Cargo looks for the token of crates.io in `[registry]` alone. */
function isNeverRead([_, name]: CredentialsTable): boolean {
  return name === CRATES_IO_NAME;
}

/**
 * The names of token and index variables that no known name stands for, in
 * small letters: what a variable names has lost its own.
 */
function variableNames(
  env: Session["env"],
  known: readonly string[],
): readonly string[] {
  const spellings = new Set(known.map(environmentName));
  const found = Object.keys(env).flatMap((variable) => {
    const spelling = /^CARGO_REGISTRIES_(.+)_(?:TOKEN|INDEX)$/.exec(variable)
      ?.[1];
    return spelling === undefined || spellings.has(spelling)
      ? []
      : [spelling.toLowerCase()];
  });
  return [...new Set(found)];
}
