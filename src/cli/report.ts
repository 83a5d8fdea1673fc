import { cyan, green, red, yellow } from "@std/fmt/colors";
import { printable } from "../base/printable.ts";
import type { Reason, ReasonCode } from "../tokens/reason.ts";
import type { Output } from "./output.ts";
import { type About, describeReason } from "./words.ts";

/** What `migrate`, `restore` and `import` say of one registry. */
export interface RegistryResult {
  /** Its name; its URL if nothing has a name for it. */
  readonly registry: string;
  /** Its index URL; `null` if it is not known. */
  readonly indexUrl: string | null;
  readonly outcome:
    | "migrated"
    | "would-migrate"
    | "restored"
    | "would-restore"
    | "imported"
    | "would-import"
    | "already"
    | "conflict"
    | "skipped"
    | "failed";
  readonly reason: Reason;
  /** The reason in words: a clause without a final stop. */
  readonly message: string;
}

/** What came of one registry, and why. */
export type Verdict = readonly [RegistryResult["outcome"], Reason];

/** A {@linkcode Verdict} with the words for it. */
export function resultOf(
  registry: string,
  indexUrl: string | null,
  [outcome, reason]: Verdict,
  about: Omit<About, "name">,
): RegistryResult {
  const message = describeReason(reason, { name: registry, ...about });
  return { registry, indexUrl, outcome, reason, message };
}

/** What the outcomes are called in a report for people, and their colours. */
const TITLES: Readonly<
  Record<RegistryResult["outcome"], readonly [string, (text: string) => string]>
> = {
  migrated: ["Moved", green],
  "would-migrate": ["Would move", cyan],
  restored: ["Restored", green],
  "would-restore": ["Would restore", cyan],
  imported: ["Imported", green],
  "would-import": ["Would import", cyan],
  already: ["In place", green],
  conflict: ["Conflict", yellow],
  skipped: ["Skipped", yellow],
  failed: ["Failed", red],
};

/** What was skipped because the user has said so earlier. */
const AS_DECIDED: ReadonlySet<ReasonCode> = new Set(["pinned"]);

/** Prints what was done, for people or as one JSON object. */
export function report(
  results: readonly RegistryResult[],
  json: boolean,
  output: Output,
): void {
  if (json) {
    output.print(jsonLine({ results: resultsJson(results) }));
    return;
  }
  output.printRows(
    results.map(({ registry, indexUrl, outcome, message }) => {
      const [title, style] = TITLES[outcome];
      const url = indexUrl === null || indexUrl === registry
        ? ""
        : ` (${indexUrl})`;
      return [{ text: title, style }, `${registry}${url}: ${message}`];
    }),
  );
  if (results.length === 0) output.print("There is nothing to do.");
}

/** The results as docs/json.md describes them. */
export function resultsJson(
  results: readonly RegistryResult[],
): readonly Readonly<Record<string, string | null>>[] {
  return results.map(({ indexUrl, reason, message, ...rest }) => ({
    registry: rest.registry,
    index_url: indexUrl,
    outcome: rest.outcome,
    reason: reason.code,
    message: printable(message),
  }));
}

/** One line of JSON without a character that a terminal could act upon. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) =>
      Array.from(
        { length: character.length },
        (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}

/** The exit status of a report: 1 if something could not be done. */
export function exitStatus(results: readonly RegistryResult[]): number {
  return results.some(({ outcome, reason }) =>
      outcome === "failed" || outcome === "conflict" ||
      (outcome === "skipped" && !AS_DECIDED.has(reason.code))
    )
    ? 1
    : 0;
}
