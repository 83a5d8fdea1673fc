// They are made when they are first needed: Deno loads tables of Unicode for
// `\p{…}`, which takes a millisecond as soon as a file with one is parsed.
let patterns: readonly (readonly [RegExp, string])[] | undefined;

function makePatterns(): readonly (readonly [RegExp, string])[] {
  return [
    // A control sequence that is complete: parameters and one letter. What
    // other sequences begin with (OSC, DCS, ...) goes with the control
    // characters and their text stays: cut out up to its end, a sequence that
    // opens in a name and never ends would take our own words with it.
    [
      new RegExp(
        String.raw`(?:(?!\s)\p{Cc}\[|\u009b)[0-9:;<=>?]*[A-Za-z~]`,
        "gu",
      ),
      "",
    ],
    // Everything that ends a line or moves to a column.
    [new RegExp(String.raw`[\t\n\v\f\r\u0085\p{Zl}\p{Zp}]+`, "gu"), " "],
    // C0 and C1 controls; the invisible characters that turn the writing
    // direction around or hide text; halves of a character.
    [
      new RegExp(String.raw`[\p{Cc}\p{Cf}\p{Cs}\u{E0000}-\u{E0FFF}]`, "gu"),
      "",
    ],
  ];
}

/**
 * Text that can be shown on a terminal as a part of one line. Names, URLs and
 * messages that come from a registry or a project may hold anything.
 *
 * Returns the text without control sequences, control characters and invisible
 * ones; line breaks and tabs are a space.
 */
export function printable(text: string): string {
  patterns ??= makePatterns();
  return patterns.reduce(
    (rest, [pattern, instead]) => rest.replace(pattern, instead),
    text,
  );
}
