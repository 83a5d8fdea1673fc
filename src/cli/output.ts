import { print, printError } from "../base/print.ts";
import { printable } from "../base/printable.ts";
import { type Cell, renderColumns } from "../terminal/columns.ts";
import { type Screen, screen } from "../terminal/screen.ts";

/**
 * Where a command's words go. What registries, projects and stores call things
 * may hold anything, so that every line is made fit for a terminal here, and
 * nowhere before. A line that is passed stays one line.
 */
export interface Output {
  /** Prints lines on standard output. */
  print(...lines: readonly string[]): void;
  /** Prints rows in aligned columns on standard output, fit for its screen. */
  printRows(rows: readonly (readonly Cell[])[]): void;
  /** Prints lines on standard error. */
  printError(...lines: readonly string[]): void;
}

const PLAIN: Screen = { color: false, width: undefined };

/**
 * An output that ends in two functions, which get whole lines that hold no
 * control character but those of colours, where the screen has colours.
 */
export function printableOutput(
  stdout: (line: string) => void,
  stderr: (line: string) => void,
  screen: () => Screen = () => PLAIN,
): Output {
  return {
    print: (...lines) => lines.map(printable).forEach((line) => stdout(line)),
    printRows: (rows) =>
      renderColumns(rows, screen()).forEach((line) => stdout(line)),
    printError: (...lines) =>
      lines.map(printable).forEach((line) => stderr(line)),
  };
}

/** Standard output and standard error. */
export const SYSTEM_OUTPUT: Output = printableOutput(
  print,
  printError,
  () => screen(Deno.env.toObject()),
);
