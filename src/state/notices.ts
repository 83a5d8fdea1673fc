import {
  type GivenNotice,
  isMemorable,
  type KeptNotice,
  type State,
} from "./state.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** As many as a person reads; older ones go. */
const MAX_KEPT = 20;
const MAX_KEPT_LENGTH = 1_000;

/** A notice for each of many registries; older ones go. */
const MAX_NOTICES = 500;

/** A notice, as far as it matters whether it is given. */
export interface NoticeOccasion {
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
   */
  readonly ci?: boolean;
  /**
   * Whether the notice is of a failure that changes the answer.
   */
  readonly changesAnswer?: boolean;
}

/** Whether a notice is due. */
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

/** Notes that a notice was given. Those that do not matter any more go. */
export function told(state: State, occasion: NoticeOccasion): State {
  const { indexUrl, topic, frequency, now } = occasion;
  if (frequency !== "daily" && frequency !== "once") return state;
  if (!isMemorable(indexUrl)) return state;
  const others = state.notices.filter((notice) =>
    !isSame(notice, occasion) &&
    (notice.frequency === "once" || isOfToday(notice, now))
  );
  const given = { indexUrl, topic, frequency, at: now };
  return { ...state, notices: [...others, given].slice(-MAX_NOTICES) };
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
 */
export function keepNotice(state: State, notice: KeptNotice): State {
  if (!isMemorable(notice.indexUrl)) return state;
  const text = notice.text.slice(0, MAX_KEPT_LENGTH);
  const others = state.kept.filter((kept) => !isSame(kept, notice));
  return { ...state, kept: [...others, { ...notice, text }].slice(-MAX_KEPT) };
}

/**
 * Forgets kept notices that were given. Another process may have kept more
 * meanwhile: those stay.
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
