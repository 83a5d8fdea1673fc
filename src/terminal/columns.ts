import { displayWidth } from "./display_width.ts";
import { printable } from "../base/printable.ts";
import type { Screen } from "./screen.ts";

/** A cell: its text, and how the text looks where there are colours. */
export type Cell = string | {
  readonly text: string;
  /** One of `@std/fmt/colors`. */
  readonly style: (text: string) => string;
};

const GAP = 2;
/** A column is not made narrower than this; a narrower screen gets no columns. */
const NARROWEST = 12;
/** How far the other cells of a row stand in where there are no columns. */
const INDENT = 2;

/**
 * Lays rows out in aligned columns. What is too long for the screen is wrapped
 * inside of its column, and where even that has no room, each cell gets a line
 * of its own; nothing is cut. Control characters are taken out of every text.
 */
export function renderColumns(
  rows: readonly (readonly Cell[])[],
  screen: Screen,
): string[] {
  const table = rows.map((row) => row.map(prepare));
  const widths = fit(naturalWidths(table), screen.width);
  return widths === undefined
    ? table.flatMap((row) => stack(row, screen))
    : table.flatMap((row) => align(row, widths, screen));
}

/**
 * Breaks a text into lines at its spaces, and inside of a word only where that
 * alone is wider than a line.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/ +/).filter((word) => word !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    const pieces = breakWord(word, width);
    line = pieces.pop() ?? "";
    lines.push(...pieces);
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function breakWord(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const { segment } of graphemes.segment(word)) {
    // Some scripts join any number of characters to one.
    const parts = displayWidth(segment) > width ? [...segment] : [segment];
    for (const part of parts) {
      if (displayWidth(piece + part) > width) {
        pieces.push(piece);
        piece = "";
      }
      piece += part;
    }
  }
  return [...pieces, piece];
}

interface Prepared {
  readonly text: string;
  readonly style?: (text: string) => string;
}

function prepare(cell: Cell): Prepared {
  return typeof cell === "string"
    ? { text: printable(cell).trim() }
    : { text: printable(cell.text).trim(), style: cell.style };
}

function naturalWidths(table: readonly (readonly Prepared[])[]): number[] {
  const count = Math.max(0, ...table.map((row) => row.length));
  return Array.from(
    { length: count },
    (_, i) =>
      Math.max(0, ...table.map((row) => displayWidth(row[i]?.text ?? ""))),
  );
}

/** The columns' widths on a screen; `undefined` if it is too narrow for any. */
function fit(
  natural: readonly number[],
  width: number | undefined,
): readonly number[] | undefined {
  if (width === undefined) return natural;
  const available = width - GAP * Math.max(0, natural.length - 1);
  // The widest columns give way first, all to the same width.
  for (let most = Math.max(0, ...natural); most >= NARROWEST; most--) {
    const narrower = natural.map((wanted) => Math.min(wanted, most));
    const spare = available - sum(narrower);
    if (spare < 0) continue;
    // What is left of the division goes to the first that can use it.
    let rest = spare;
    return narrower.map((given, i) => {
      const more = Math.min(rest, (natural[i] ?? 0) - given);
      rest -= more;
      return given + more;
    });
  }
  return sum(natural) <= available ? natural : undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function align(
  row: readonly Prepared[],
  widths: readonly number[],
  { color }: Screen,
): string[] {
  const cells = row.map(({ text }, i) => {
    const width = widths[i] ?? 0;
    return displayWidth(text) <= width ? [text] : wrap(text, width);
  });
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) => {
    let pending = 0; // blanks that are written only if something follows
    return row.map((cell, i) => {
      const text = cells[i]?.[line] ?? "";
      const before = text === "" ? "" : " ".repeat(pending);
      pending = (text === "" ? pending : 0) + (widths[i] ?? 0) -
        displayWidth(text) + GAP;
      return before + paint(text, cell, color);
    }).join("");
  });
}

function stack(row: readonly Prepared[], { color, width }: Screen): string[] {
  return row.flatMap((cell, i) => {
    if (cell.text === "") return [];
    const indent = i === 0 ? 0 : INDENT;
    const lines = width === undefined
      ? [cell.text]
      : wrap(cell.text, width - indent);
    return lines.map((line) => " ".repeat(indent) + paint(line, cell, color));
  });
}

function paint(text: string, { style }: Prepared, color: boolean): string {
  return color && style !== undefined && text !== "" ? style(text) : text;
}
