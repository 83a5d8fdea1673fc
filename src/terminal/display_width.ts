import { eastAsianWidth } from "get-east-asian-width";

/** Marks that stand on the character before them, and the ends of Hangul syllables. */
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff\ud7b0-\ud7ff]$/u;

/**
 * How many columns a terminal needs for a text, as wcwidth(3) counts them. A
 * terminal that joins emoji needs fewer, none needs more.
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (NO_WIDTH.test(character)) continue;
    width += eastAsianWidth(character.codePointAt(0) ?? 0);
  }
  return width;
}
