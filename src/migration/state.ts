import type {
  GivenNotice,
  IntentKind,
  KeptNotice,
  State,
} from "./_state_format.ts";

export { EMPTY_STATE } from "./_state_format.ts";
export type {
  AllowedRebinding,
  GivenNotice,
  Intent,
  IntentKind,
  KeptNotice,
  State,
  StateList,
  SupersededTokens,
} from "./_state_format.ts";
export {
  readState,
  updateState,
  type UpdateStateOptions,
} from "./_state_file.ts";

export { isSuperseded, supersede, unsupersede } from "./_superseded.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** As many as a person reads; older ones go. */
const MAX_KEPT = 20;

/**
 * What a file is like, to see later whether anybody has written to it.
 *
 * @param info The file; `undefined` if there is none.
 * @returns A stamp that changes with the file.
 */
export function fileStamp(
  info: Pick<Deno.FileInfo, "size" | "mtime"> | undefined,
): string {
  return info === undefined
    ? "none"
    : `${info.size}@${info.mtime?.getTime() ?? 0}`;
}

/**
 * What is still meant to happen to an index URL.
 *
 * An intent that says which of two tokens is the newer one holds only on
 * evidence, since the other one is lost by it:
 *
 * - `login-went-to-file`: the file has been written since. If the login was
 *   given up at the next provider's question, it has not.
 * - `login-stored`: the file has not been written since. If it has, the token
 *   there may be a newer one yet.
 *
 * @param state What is remembered.
 * @param indexUrl The registry.
 * @param stamp What the credentials file is like now.
 * @returns The intent; `none` if there is none that holds.
 */
export function intentOf(
  state: State,
  indexUrl: string,
  stamp: string,
): IntentKind | "none" {
  const intent = state.intents.find((intent) => intent.indexUrl === indexUrl);
  switch (intent?.kind) {
    case "login-went-to-file":
      return stamp !== intent.fileStamp ? intent.kind : "none";
    case "login-stored":
      return stamp === intent.fileStamp ? intent.kind : "none";
    case "logged-out":
      return intent.kind;
    case undefined:
      return "none";
  }
}

/**
 * Writes an intent down, in place of an earlier one for the same index URL.
 *
 * When:
 *
 * - `login-went-to-file`: before `url-not-supported` is answered
 * - `login-stored`: after the new token was read back from the store, and
 *   before the file's is removed. Earlier, a crash would leave the word of a
 *   login that stored nothing. The intents that speak for the file or against
 *   the store ({@linkcode forgetIntent}) go before the new token is stored, or
 *   a crash would leave it to be erased.
 * - `logged-out`: before anything is erased or removed. It goes before anything
 *   is stored under that URL, by login or by migration, and when the store
 *   turns out to hold nothing: it would have the new token erased.
 *
 * It is forgotten when what it says has been done.
 *
 * @param state What is remembered.
 * @param indexUrl The registry.
 * @param kind What is meant.
 * @param stamp What the credentials file is like now.
 * @returns The new state.
 */
export function intend(
  state: State,
  indexUrl: string,
  kind: IntentKind,
  stamp: string,
): State {
  const others = forgetIntent(state, indexUrl).intents;
  return {
    ...state,
    intents: [...others, { indexUrl, kind, fileStamp: stamp }],
  };
}

/**
 * Forgets the intent of an index URL.
 *
 * @param state What is remembered.
 * @param indexUrl The registry.
 * @returns The new state.
 */
export function forgetIntent(state: State, indexUrl: string): State {
  const intents = state.intents.filter((intent) =>
    intent.indexUrl !== indexUrl
  );
  return intents.length === state.intents.length
    ? state
    : { ...state, intents };
}

/**
 * Whether the user has put the token of an index URL into the file, where it
 * is to stay.
 *
 * @param state What is remembered.
 * @param indexUrl The registry.
 * @returns Whether it is pinned.
 */
export function isPinned(state: State, indexUrl: string): boolean {
  return state.pins.includes(indexUrl);
}

/**
 * Pins an index URL: before the file is written, so that no read in between
 * undoes it. An earlier intent is forgotten: the user has decided anew.
 *
 * @param state What is remembered.
 * @param indexUrl The registry.
 * @returns The new state.
 */
export function pin(state: State, indexUrl: string): State {
  const forgotten = forgetIntent(state, indexUrl);
  return isPinned(state, indexUrl)
    ? forgotten
    : { ...forgotten, pins: [...state.pins, indexUrl] };
}

/**
 * Takes the pin away: the user has logged in again, or moves the token by
 * hand.
 *
 * @param state What is remembered.
 * @param indexUrl The registry.
 * @returns The new state.
 */
export function unpin(state: State, indexUrl: string): State {
  return isPinned(state, indexUrl)
    ? { ...state, pins: state.pins.filter((pinned) => pinned !== indexUrl) }
    : state;
}

/**
 * Whether the user allows a project to bind a name to a URL that the user's
 * own configuration does not give it.
 *
 * @param state What is remembered.
 * @param name The registry's name.
 * @param indexUrl The project's URL.
 * @returns Whether it is allowed.
 */
export function isRebindingAllowed(
  state: State,
  name: string,
  indexUrl: string,
): boolean {
  return state.rebindings.some((allowed) =>
    allowed.name === name && allowed.indexUrl === indexUrl
  );
}

/**
 * Allows a rebinding.
 *
 * @param state What is remembered.
 * @param name The registry's name.
 * @param indexUrl The project's URL.
 * @returns The new state.
 */
export function allowRebinding(
  state: State,
  name: string,
  indexUrl: string,
): State {
  return isRebindingAllowed(state, name, indexUrl) ? state : {
    ...state,
    rebindings: [...state.rebindings, { name, indexUrl }],
  };
}

/**
 * Notes that the store may still have a token in memory alone, so that the
 * file's copy is needed.
 *
 * @param state What is remembered.
 * @param indexUrl The registry.
 * @param now The time, in milliseconds since 1970.
 * @param settlesInMs How long it takes.
 * @returns The new state.
 */
export function settle(
  state: State,
  indexUrl: string,
  now: number,
  settlesInMs: number,
): State {
  const others = state.settling.filter((entry) =>
    entry.indexUrl !== indexUrl && isAhead(entry.until, now)
  );
  return {
    ...state,
    settling: [...others, { indexUrl, until: now + settlesInMs }],
  };
}

/**
 * Whether the store may still have a token in memory alone.
 *
 * @param state What is remembered.
 * @param indexUrl The registry.
 * @param now The time, in milliseconds since 1970.
 * @returns Whether the file's copy is still needed.
 */
export function isSettling(
  state: State,
  indexUrl: string,
  now: number,
): boolean {
  return state.settling.some((entry) =>
    entry.indexUrl === indexUrl && isAhead(entry.until, now)
  );
}

/** A clock that was set back makes no one wait for long. */
function isAhead(time: number, now: number): boolean {
  return time > now && time - now < DAY_MS;
}

/** A notice, as far as it matters whether it is given. */
export interface NoticeOccasion {
  /** The registry. */
  readonly indexUrl: string;
  /** What it is about: the same thing has the same topic. */
  readonly topic: string;
  /** How often the same thing is said about one registry. */
  readonly frequency: "each" | "daily" | "once" | "never";
  /** The time, in milliseconds since 1970. */
  readonly now: number;
}

/** Where a notice would be given. */
export interface ShouldTellOptions {
  /**
   * Whether `CI` is set. There only failures that change the answer are told.
   *
   * @default {false}
   */
  readonly ci?: boolean;
  /**
   * Whether the notice is of a failure that changes the answer.
   *
   * @default {false}
   */
  readonly changesAnswer?: boolean;
}

/**
 * Whether a notice is due.
 *
 * @param state What is remembered.
 * @param occasion The notice.
 * @param options Where it would be given.
 * @returns Whether to give it.
 *
 * @example Usage
 * ```ts no-eval
 * import { readState, shouldTell, told, updateState } from "./state.ts";
 *
 * const occasion = {
 *   indexUrl: "sparse+https://example.com/index/",
 *   topic: "locked",
 *   frequency: "daily",
 *   now: Date.now(),
 * } as const;
 * if (shouldTell(readState("/users/me/.cargo"), occasion)) {
 *   await updateState("/users/me/.cargo", (state) => told(state, occasion));
 * }
 * ```
 */
export function shouldTell(
  state: State,
  occasion: NoticeOccasion,
  options: ShouldTellOptions = {},
): boolean {
  if (options.ci === true && options.changesAnswer !== true) return false;
  const { frequency, now } = occasion;
  switch (frequency) {
    case "each":
      return true;
    case "never":
      return false;
    case "once":
      return !state.notices.some((notice) => isSame(notice, occasion));
    case "daily":
      return !state.notices.some((notice) =>
        isSame(notice, occasion) && isOfToday(notice, now)
      );
  }
}

/**
 * Notes that a notice was given. Those that do not matter any more go.
 *
 * @param state What is remembered.
 * @param occasion The notice.
 * @returns The new state.
 */
export function told(state: State, occasion: NoticeOccasion): State {
  const { indexUrl, topic, frequency, now } = occasion;
  if (frequency !== "daily" && frequency !== "once") return state;
  const others = state.notices.filter((notice) =>
    !isSame(notice, occasion) &&
    (notice.frequency === "once" || isOfToday(notice, now))
  );
  return {
    ...state,
    notices: [...others, { indexUrl, topic, frequency, at: now }],
  };
}

/** A clock that was set back makes no notice wait. */
function isOfToday(notice: GivenNotice, now: number): boolean {
  return notice.at <= now && now - notice.at < DAY_MS;
}

function isSame(
  a: Pick<NoticeOccasion, "indexUrl" | "topic">,
  b: Pick<NoticeOccasion, "indexUrl" | "topic">,
): boolean {
  return a.indexUrl === b.indexUrl && a.topic === b.topic;
}

/**
 * Keeps a notice for the next run whose standard error a person reads, in
 * place of an earlier one of the same topic.
 *
 * @param state What is remembered.
 * @param notice The notice.
 * @returns The new state.
 */
export function keepNotice(state: State, notice: KeptNotice): State {
  const others = state.kept.filter((kept) => !isSame(kept, notice));
  return { ...state, kept: [...others, notice].slice(-MAX_KEPT) };
}

/**
 * Forgets kept notices that were given. Another process may have kept more
 * meanwhile: those stay.
 *
 * @param state What is remembered.
 * @param given The notices that were given.
 * @returns The new state.
 */
export function forgetKept(
  state: State,
  given: readonly KeptNotice[],
): State {
  const kept = state.kept.filter((notice) =>
    !given.some((done) => isSame(done, notice) && done.at === notice.at)
  );
  return kept.length === state.kept.length ? state : { ...state, kept };
}
