import { printable } from "./printable.ts";
import {
  type OwnStdout,
  SHARED_STDOUT,
  takeStdout,
} from "../../ffi/own_stdout.ts";

const encoder = new TextEncoder();

let stdout: OwnStdout = SHARED_STDOUT;

/**
 * Keeps standard output for this program: what a library writes there goes to
 * standard error. Comes before the first library is opened. Without a C
 * library that opens (musl) no other library opens either.
 */
export function ownStdout(): OwnStdout {
  try {
    stdout = takeStdout();
  } catch {
    // It stays as it is.
  }
  return stdout;
}

/** Whether standard output is a terminal, even when it has been taken. */
export function stdoutIsTerminal(): boolean {
  return stdout.isTerminal;
}

/** Leaves standard output to the program that takes this process over. */
export function giveStdoutBack(): void {
  stdout.giveBack();
  stdout = SHARED_STDOUT;
}

function write(stream: Pick<OwnStdout, "writeSync">, text: string): void {
  const bytes = encoder.encode(`${text}\n`);
  for (let sent = 0; sent < bytes.length;) {
    sent += stream.writeSync(bytes.subarray(sent));
  }
}

/**
 * Prints a line on standard output.
 */
export function print(text: string): void {
  try {
    write(stdout, text);
  } catch (error) {
    // `… | head` has read enough.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/**
 * Prints lines on standard error, made fit for a terminal here and nowhere
 * before: names, URLs and what stores say may hold anything. What is passed as
 * one line stays one. If nobody can read it, that is no failure of what it
 * tells about.
 */
export function printError(...lines: readonly string[]): void {
  const text = lines.map(printable).join("\n");
  try {
    write(Deno.stderr, text);
  } catch {
    // Closed, or a full disk behind it.
  }
}
