import type { Secret } from "../base/secret.ts";

/** What came of a question on the terminal. */
export type PromptOutcome =
  | {
    readonly kind: "line";
    /** What was typed, without its line ending; the caller wipes it. */
    readonly line: Secret;
  }
  /** There is no terminal to ask on. */
  | { readonly kind: "no-terminal" }
  /** End of input before a line ending (Ctrl-D on an empty line). */
  | { readonly kind: "end-of-input" }
  /** Ctrl-C. */
  | { readonly kind: "interrupted" }
  /** The signal was aborted first. */
  | { readonly kind: "timeout" };

/** How a question is asked. */
export interface PromptOptions {
  /** Ends the question. */
  readonly signal: AbortSignal;
  /**
   * Whether what is typed appears on the screen.
   *
   * @default {false}
   */
  readonly echo?: boolean;
}

/**
 * The terminal that the program was started from: `/dev/tty`, or the console
 * on Windows. Standard input and output belong to cargo, so neither is used.
 */
export interface Terminal {
  /** Whether standard error is a terminal: whether a person reads it now. */
  readonly stderrIsTerminal: boolean;

  /**
   * Whether somebody could answer a question: standard error is a terminal,
   * the controlling terminal opens, and our process group is its foreground
   * group (a background job that reads a terminal is stopped).
   */
  readonly canAsk: boolean;

  /**
   * Asks for one line. The terminal's settings are put back whatever happens,
   * signals that end the process included.
   *
   * `options`: the deadline, and whether to echo.
   */
  prompt(question: string, options: PromptOptions): Promise<PromptOutcome>;
}
