import { styleText } from "node:util";
import process from "node:process";

/** How a line may look; nothing but the words themselves under `NO_COLOR`. */
export type Style = Parameters<typeof styleText>[0];

/**
 * Prints a line on standard output.
 *
 * @param line The line, without its ending.
 */
export function print(line = ""): void {
  write(Deno.stdout, line);
}

/**
 * Prints a line on standard error.
 *
 * @param line The line, without its ending.
 */
export function printError(line: string): void {
  write(Deno.stderr, line);
}

function write(
  stream: typeof Deno.stderr | typeof Deno.stdout,
  line: string,
): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}

/**
 * Styles a text if standard output is a terminal that shows styles.
 *
 * @param style What it is to look like.
 * @param text The text.
 * @returns The text, with escape sequences or without.
 */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
