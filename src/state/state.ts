/** The tokens of an index URL that are out of use. */
export interface SupersededTokens {
  readonly indexUrl: string;
  /** Salted digests, cut short, the last one last. */
  readonly digests: readonly string[];
}

/** A notice that is not given again too soon. */
export interface GivenNotice {
  readonly indexUrl: string;
  readonly topic: string;
  readonly frequency: "daily" | "once";
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/** A notice that nobody could read yet. */
export interface KeptNotice {
  readonly indexUrl: string;
  readonly topic: string;
  /** The line for people. */
  readonly text: string;
  /** When it was meant to be given, in milliseconds since 1970. */
  readonly at: number;
}

/** What the program remembers. */
export interface State {
  /** What the digests of tokens are made with; empty until there is one. */
  readonly salt: string;
  /** Tokens that a login or `--prefer` has put out of use. */
  readonly superseded: readonly SupersededTokens[];
  /** Index URLs whose token stays in the file. */
  readonly pins: readonly string[];
  /** Notices given. */
  readonly notices: readonly GivenNotice[];
  /** Notices to be given to the next person. */
  readonly kept: readonly KeptNotice[];
  /** Index URLs that have scoped tokens. */
  readonly scoped: readonly string[];
}

/** The file that the state is in. */
export function statePath(cargoHome: string): string {
  return `${cargoHome}/.credential-keyring-state.json`;
}

export const EMPTY_STATE: State = {
  salt: "",
  superseded: [],
  pins: [],
  notices: [],
  kept: [],
  scoped: [],
};

/**
 * Whether anything is remembered of an index URL. A request can name any URL
 * there is: a long one must not fill the file, on which pins depend. Its token
 * is never moved unasked, and its notices are given each time.
 */
export function isMemorable(indexUrl: string): boolean {
  return /^[\x21-\x7e]{1,500}$/.test(indexUrl);
}
