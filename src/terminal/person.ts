/** What tells whether somebody could answer a question now. */
export interface PersonSigns {
  /** Whether standard error is a terminal. */
  readonly stderrIsTerminal: boolean;
  /** Whether a question could be asked on the terminal. Looked at last. */
  readonly canAsk: boolean;
  /** The environment variable `CI`. */
  readonly ci: string | undefined;
}

/**
 * Whether a person is there: standard error is a terminal, a question could be
 * asked, and `CI` is unset, empty, `0` or `false`.
 *
 * Returns `true` if somebody could answer.
 */
export function personIsPresent(signs: PersonSigns): boolean {
  return !isCi(signs.ci) && signs.stderrIsTerminal && signs.canAsk;
}

/**
 * Whether the variable `CI` says that this is an automatic build.
 *
 * Returns `false` if it is unset, empty, `0` or `false`.
 */
export function isCi(ci: string | undefined): boolean {
  return ci !== undefined && ci !== "" && ci !== "0" &&
    ci.toLowerCase() !== "false";
}
