import { stdoutIsTerminal } from "../base/print.ts";
import type { Environment } from "../cargo/home.ts";

/** What a stream of output can show. */
export interface Screen {
  /** Whether colours are written. */
  readonly color: boolean;
  /** How many columns a line may have; `undefined`: nothing is wrapped. */
  readonly width: number | undefined;
}

/** What {@linkcode screenOf} looks at. */
export interface ScreenSigns {
  readonly env: Environment;
  /** Whether the stream is a terminal. */
  readonly isTerminal: boolean;
  /** The terminal's width; `undefined` if it does not tell. */
  readonly columns: number | undefined;
}

const NARROWEST = 40;
const WIDEST = 200;
const USUAL = 80;

/**
 * What a stream can show. The strongest word on colours is `NO_COLOR`'s
 * (https://no-color.org), then `CLICOLOR_FORCE`'s, cargo's own
 * `CARGO_TERM_COLOR`'s, and what the stream is. In a pipe nothing is wrapped:
 * a line stays a line for the program that reads it.
 */
export function screenOf({ env, isTerminal, columns }: ScreenSigns): Screen {
  return {
    color: wantsColor(env) ?? (isTerminal && env["TERM"] !== "dumb"),
    width: isTerminal
      ? Math.min(WIDEST, Math.max(NARROWEST, columns || USUAL))
      : undefined,
  };
}

function wantsColor(env: Environment): boolean | undefined {
  const isSet = (value: string | undefined): boolean =>
    value !== undefined && value !== "";
  if (isSet(env["NO_COLOR"])) return false;
  const force = env["CLICOLOR_FORCE"];
  if (isSet(force) && force !== "0") return true;
  switch (env["CARGO_TERM_COLOR"]) {
    case "always":
      return true;
    case "never":
      return false;
    default:
      return undefined;
  }
}

/** What this program's standard output can show. */
export function screen(env: Environment): Screen {
  return screenOf({
    env,
    isTerminal: stdoutIsTerminal(),
    columns: columns(),
  });
}

function columns(): number | undefined {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return undefined; // no terminal
  }
}
