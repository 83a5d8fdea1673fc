import type { Secret } from "../base/secret.ts";
import type { EnvironmentToken } from "../cargo/environment_token.ts";
import {
  providerChain,
  type ProviderEntry,
  type Reach,
} from "../cargo/provider_chain.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import {
  CRATES_IO_INDEX,
  CRATES_IO_NAME,
  environmentName,
  type RegistryRef,
} from "../cargo/registries.ts";
import {
  configuredNames,
  isBoundByUser,
  registryIndex,
} from "../cargo/registry_index.ts";
import { sameRegistry, spellings } from "../cargo/spellings.ts";
import { type TokenOrigin, tokenOrigin } from "../cargo/token_origin.ts";
import { tablesWithToken } from "../credentials/file.ts";
import type {
  CredentialStore,
  GetOutcome,
  ListOutcome,
  PrepareOutcome,
  StoreFailure,
} from "../stores/credential_store.ts";
import { showProgress } from "../terminal/progress.ts";
import { addScoped, hasScoped } from "../state/scoped.ts";
import { expiryOf, type Grant } from "./scoped.ts";
import { listScoped, type ScopedItem } from "./scoped_items.ts";
import { decideToken, type TokenAnswer } from "./token_decision.ts";
import {
  type ConfigToken,
  configTokens,
  meaningOf,
  nameInUse,
} from "./names.ts";
import type { Settings } from "../settings/settings.ts";
import type { Registry } from "./registry.ts";
import { type Session, SessionError } from "./session.ts";

/** What a store can do now, in one word. */
export type StoreState =
  | "available"
  | "locked"
  | "unreachable"
  | "denied"
  | "timeout"
  | "off";

/** A store as it answers without a dialog: reading and writing are two things. */
export interface StoreView {
  readonly name: string;
  readonly title: string;
  readonly state: StoreState;
  /** Why it does not give what it holds. */
  readonly unreadable?: StoreFailure;
  /** Whether it would take a token, and how it would keep it. */
  readonly prepared: PrepareOutcome;
}

/** What the environment has for a registry; no token. */
export type EnvironmentView =
  | Exclude<EnvironmentToken, { kind: "token" }>
  | Omit<Extract<EnvironmentToken, { kind: "token" }>, "token">;

/** One registry, and everything that is known of its token but the token. */
export interface RegistryView {
  readonly name: string;
  /** `undefined`: nothing binds the name to one. */
  readonly indexUrl: string | undefined;
  readonly environment: EnvironmentView;
  /** Whether the store has a token; `undefined` if that is not known. */
  readonly store: boolean | undefined;
  /** Why it is not known. */
  readonly failure?: StoreFailure;
  /** Whether cargo's credentials file has one; `undefined`: it cannot be read. */
  readonly file: boolean | undefined;
  /** Those in configuration files. */
  readonly configs: readonly ConfigToken[];
  /** Whether store and file hold different tokens, and either may be meant. */
  readonly conflict: boolean;
  /** Whether the file keeps its token because the user said so. */
  readonly pinned: boolean;
  /** The providers that cargo asks, in order. */
  readonly providers: readonly ProviderEntry[];
  /** Whether one provider was named for this registry alone. */
  readonly hasOwnProvider: boolean;
  readonly reach: Reach;
  readonly rebinding: Rebinding | "none";
  /** Whether cargo would get a token here; `unknown` without a dialog. */
  readonly answer: "token" | "none" | "unknown";
  /** What its tokens with scopes are good for, beside its own. */
  readonly scoped: readonly Grant[];
  /** What stored or written tokens look like that are none of a registry's. */
  readonly odd: readonly TokenOrigin[];
}

/** Where every token is. */
export interface Inventory {
  readonly store: StoreView;
  /** crates.io first, the others by name. */
  readonly registries: readonly RegistryView[];
  /** What the store holds for URLs that no name leads to. */
  readonly orphans: readonly RegistryRef[];
  /** The credentials file, whether it exists or not. */
  readonly path: string;
}

/**
 * Looks for the tokens of all registries that are known anywhere, or of one.
 * No dialog opens, nothing is unlocked that asks, and the deadline of the
 * store holds for everything together.
 */
export async function takeInventory(
  session: Session,
  only?: string,
): Promise<Inventory> {
  const stores = new Stores(session);
  const main = await stores.placeOf({ indexUrl: "" });
  const { store, signal } = main;
  using _ = showProgress(`Looking through ${store.title}`);
  const listed = await store.list({ signal });
  const prepared = await store.prepare({ signal });
  const known = await knownRegistries(session, only);
  const items = listed.kind === "items" ? urlsOf(listed.items) : undefined;
  const registries: RegistryView[] = [];
  for (const registry of known) {
    registries.push(await view(registry, session, stores, items));
  }
  return {
    store: storeView(store, listed, prepared),
    registries,
    orphans: only === undefined && listed.kind === "items"
      ? await orphansOf(listed.items, session, known)
      : [],
    path: await session.path() ?? "",
  };
}

function urlsOf(items: readonly RegistryRef[]): ReadonlySet<string> {
  return new Set(items.map(({ indexUrl }) => indexUrl));
}

/** A store with the one deadline that holds for all questions to it. */
interface Place {
  readonly registry: Registry;
  readonly settings: Settings;
  readonly store: CredentialStore;
  readonly signal: AbortSignal;
}

/** Every store that the settings name, with one deadline each. */
class Stores {
  readonly #session: Session;
  readonly #signals = new Map<string, AbortSignal>();
  readonly #scoped = new Map<string, readonly ScopedItem[]>();

  constructor(session: Session) {
    this.#session = session;
  }

  async placeOf(ref: RegistryRef): Promise<Place> {
    const registry = this.#session.registry(ref);
    const settings = await registry.settings();
    if (settings.kind === "wrong") throw new SessionError(settings.message);
    const { store, timeoutMs } = settings;
    const signal = this.#signals.get(store) ?? AbortSignal.timeout(timeoutMs);
    this.#signals.set(store, signal);
    return { registry, settings, store: await registry.store(), signal };
  }

  /**
   * What a registry's tokens with scopes are good for, as far as the store
   * says. It is remembered that there are some, if it was not.
   */
  async scopedOf(
    { registry, store, signal }: Place,
  ): Promise<readonly Grant[]> {
    let all = this.#scoped.get(store.name);
    if (all === undefined) {
      const listed = await listScoped(store, "all", { signal });
      all = listed.kind === "items" ? listed.items : [];
      this.#scoped.set(store.name, all);
    }
    const { indexUrl } = registry.ref;
    const own = all.filter((item) => sameRegistry(item.indexUrl, indexUrl));
    if (own.length > 0 && !hasScoped(await registry.memory(), indexUrl)) {
      await registry.remember((state) => addScoped(state, indexUrl));
    }
    return own.map(({ grant }) => grant);
  }
}

function storeView(
  { name, title }: CredentialStore,
  listed: ListOutcome,
  prepared: PrepareOutcome,
): StoreView {
  return {
    name,
    title,
    prepared,
    ...(listed.kind === "items"
      ? { state: "available" }
      : { state: storeState(listed), unreadable: listed }),
  };
}

/** A failure in one word. */
function storeState(failure: StoreFailure): StoreState {
  return failure.cause === "switched-off" ? "off" : failure.kind;
}

interface Known {
  readonly name: string;
  readonly indexUrl: string | undefined;
}

/** Every name that anything mentions, and what it means here. */
async function knownRegistries(
  session: Session,
  only: string | undefined,
): Promise<Known[]> {
  const names = only === undefined ? await allNames(session) : [only];
  const layers = await session.config();
  const cwd = session.cwd();
  return names.flatMap((name): Known[] => {
    if (name === CRATES_IO_NAME) return [{ name, indexUrl: CRATES_IO_INDEX }];
    const here = registryIndex(layers, cwd, name)?.url;
    const meaning = meaningOf(layers, cwd, name);
    const own = meaning.kind === "own" && meaning.reboundTo !== undefined
      ? [{ name, indexUrl: meaning.indexUrl }]
      : [];
    return [{ name, indexUrl: here }, ...only === undefined ? own : []];
  });
}

/** A variable has lost a name's hyphens and capitals: a file's spelling counts. */
async function allNames(session: Session): Promise<string[]> {
  const layers = await session.config();
  const path = await session.path() ?? "";
  const written = [
    ...configuredNames(layers),
    ...await namesInFile(path),
    ...configTokens(layers, path).map(({ name }) => name),
  ].filter((name) => name !== CRATES_IO_NAME);
  const spelled = new Set(written.map(environmentName));
  const inVariables = Object.keys(session.env).flatMap((variable) => {
    const name = /^CARGO_REGISTRIES_(.+)_(?:INDEX|TOKEN)$/.exec(variable)?.[1];
    return name === undefined || spelled.has(name) || name === "CRATES_IO"
      ? []
      : [name.toLowerCase()];
  });
  const names = [...new Set([...written, ...inVariables])].sort();
  return [CRATES_IO_NAME, ...names];
}

/** The names that the credentials file has tokens for; none if it is unusable. */
async function namesInFile(path: string): Promise<string[]> {
  const tables = await tablesWithToken(path);
  return "kind" in tables ? [] : tables.flatMap(([, name]) => name ?? []);
}

async function view(
  { name, indexUrl }: Known,
  session: Session,
  stores: Stores,
  items: ReadonlySet<string> | undefined,
): Promise<RegistryView> {
  const layers = await session.config();
  const path = await session.path() ?? "";
  const configs = configTokens(layers, path)
    .filter((token) => token.name === name);
  if (indexUrl === undefined) {
    const inFile = (await namesInFile(path)).includes(name);
    return {
      name,
      indexUrl,
      environment: { kind: "none" },
      store: false,
      file: inFile,
      configs,
      conflict: false,
      pinned: false,
      providers: [],
      hasOwnProvider: false,
      reach: { kind: "not-listed", where: undefined, instead: [] },
      rebinding: "none",
      answer: "none",
      scoped: [],
      odd: [],
    };
  }
  const ref = { name, indexUrl };
  const place = await stores.placeOf(ref);
  const { registry, store, signal } = place;
  const environment = await registry.environmentToken();
  const plaintext = (await registry.plaintext()).outcome;
  const asked = await store.get(ref, { signal });
  const isListed = items?.has(indexUrl) ||
    spellings(indexUrl).some((other) => items?.has(other));
  // Where time has run out, the list tells of the rest.
  const isBeyond = asked.kind === "timeout" && items !== undefined;
  const stored: GetOutcome = isBeyond && !isListed ? { kind: "absent" } : asked;
  const superseded = plaintext.kind === "found" &&
    await registry.isSuperseded(plaintext.token);
  const rebinding = await registry.rebinding();
  const answer = decideToken({
    environment,
    store: stored,
    plaintext,
    superseded,
    rebinding,
    boundByUser: isBoundByUser(layers, session.cwd(), name, indexUrl),
    strict: place.settings.fallback === "strict",
  });
  const chain = providerChain(layers, ref);
  const tokens = [
    ...(stored.kind === "found" ? [stored.token] : []),
    ...(plaintext.kind === "found" ? [plaintext.token] : []),
  ];
  const known = isBeyond ? isListed : presence(stored);
  const scoped = await stores.scopedOf(place);
  const result: RegistryView = {
    name,
    indexUrl,
    environment: withoutToken(environment),
    store: known,
    ...(known === undefined && "cause" in stored ? { failure: stored } : {}),
    file: plaintext.kind === "unusable"
      ? undefined
      : plaintext.kind === "found",
    configs,
    conflict: stored.kind === "found" && plaintext.kind === "found" &&
      !superseded && !plaintext.token.equals(stored.token),
    pinned: await registry.isPinned(),
    providers: chain.entries,
    hasOwnProvider: chain.source === "registry",
    reach: await registry.reach(),
    rebinding,
    answer: scoped.some((grant) => expiryOf(grant, Date.now()) !== "expired") &&
        environment.kind === "none"
      ? "token"
      : answerOf(answer),
    scoped,
    odd: oddOnes(tokens, indexUrl),
  };
  for (const token of tokens) token.wipe();
  // The one that it holds is of no use any more.
  registry.refresh();
  if (environment.kind === "token") environment.token.wipe();
  return result;
}

/** What is locked is not known, even if the store shows that there is an item. */
function presence(stored: GetOutcome): boolean | undefined {
  switch (stored.kind) {
    case "found":
      return true;
    case "absent":
      return false;
    default:
      return !stored.storeExists || stored.item === "none" ? false : undefined;
  }
}

function answerOf(answer: TokenAnswer): RegistryView["answer"] {
  switch (answer.kind) {
    case "token":
      return "token";
    case "store-failed":
      return presence(answer.failure) === false ? "none" : "unknown";
    case "file-unusable":
      return "unknown";
    default:
      return "none";
  }
}

function oddOnes(tokens: readonly Secret[], indexUrl: string): TokenOrigin[] {
  const [first, second] = tokens.flatMap((token) =>
    tokenOrigin(token, indexUrl === CRATES_IO_INDEX) ?? []
  );
  if (first === undefined) return [];
  return second === undefined || second.kind === first.kind
    ? [first]
    : [first, second];
}

function withoutToken(environment: EnvironmentToken): EnvironmentView {
  if (environment.kind !== "token") return environment;
  const { token: _, ...view } = environment;
  return view;
}

async function orphansOf(
  items: readonly RegistryRef[],
  session: Session,
  known: readonly Known[],
): Promise<RegistryRef[]> {
  const layers = await session.config();
  const urls = new Set(known.map(({ indexUrl }) => indexUrl));
  return items.filter(({ indexUrl }, i) =>
    !urls.has(indexUrl) &&
    nameInUse(layers, session.cwd(), indexUrl) === undefined &&
    items.findIndex((item) => item.indexUrl === indexUrl) === i
  );
}
