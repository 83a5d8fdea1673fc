import type { TextRange } from "../toml/document.ts";

/**
 * A key of cargo's whose first character has become `#`. Nobody writes such a
 * comment by hand.
 */
const MARK =
  /^[ \t]*(#(?:oken|egistr(?:y|ies)|(?:token|registr(?:y|ies))["'])[^\r\n]*)/gm;

/**
 * Whether a key can be made a comment such that
 * {@linkcode hasUnfinishedRemoval} knows it again.
 *
 * @param key The text of the key and its value.
 * @returns `true` if it can.
 */
export function canBeMarked(key: string): boolean {
  return hasUnfinishedRemoval("#" + key.slice(1));
}

/**
 * Whether a text has a key that a removal has made a comment, and then was
 * killed before it had blanked it.
 *
 * @param text The text of a credentials file.
 * @returns `true` if there is such a comment.
 */
export function hasUnfinishedRemoval(text: string): boolean {
  return unfinishedRemovals(text).length > 0;
}

/**
 * Finds the comments that {@linkcode hasUnfinishedRemoval} tells of.
 *
 * @param text The text of a credentials file.
 * @returns Where they stand, each to the end of its line.
 */
export function unfinishedRemovals(text: string): TextRange[] {
  return [...text.matchAll(MARK)].map((match) => {
    const end = match.index + match[0].length;
    return { start: end - (match[1]?.length ?? 0), end };
  });
}
