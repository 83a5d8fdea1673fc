import { print } from "../base/print.ts";
import { printable } from "../base/printable.ts";

/** What `migrate` and `restore` say of one registry. */
export interface RegistryResult {
  /** Its name. */
  readonly registry: string;
  /** Its index URL; `null` if no configuration names one. */
  readonly indexUrl: string | null;
  readonly outcome:
    | "migrated"
    | "would-migrate"
    | "restored"
    | "would-restore"
    | "already"
    | "conflict"
    | "skipped"
    | "failed";
  /** Why, or what else there is to know; a clause without a final stop. */
  readonly reason?: string;
}

/** What the outcomes are called in a report for people. */
const WORDS: Readonly<Record<RegistryResult["outcome"], string>> = {
  migrated: "Moved",
  "would-migrate": "Would move",
  restored: "Restored",
  "would-restore": "Would restore",
  already: "In place",
  conflict: "Conflict",
  skipped: "Skipped",
  failed: "Failed",
};

/**
 * Prints what was done, for people or as one JSON object.
 *
 * @param results A result for each registry.
 * @param json Whether it is for programs.
 */
export function report(
  results: readonly RegistryResult[],
  json: boolean,
): void {
  if (json) {
    const rows = results.map(({ registry, indexUrl, outcome, reason }) => ({
      registry,
      index_url: indexUrl,
      outcome,
      reason: reason ?? null,
    }));
    print(JSON.stringify({ results: rows }));
    return;
  }
  for (const { registry, indexUrl, outcome, reason } of results) {
    const url = indexUrl === null ? "" : ` (${printable(indexUrl)})`;
    const why = reason === undefined ? "" : `: ${reason}`;
    print(
      `${WORDS[outcome].padStart(13)} ${printable(registry)}${url}${why}`,
    );
  }
  if (results.length === 0) print("There is nothing to do.");
}

/**
 * The exit status of a report.
 *
 * @param results A result for each registry.
 * @param named Whether they were asked for by name: then one that was skipped
 * was not done.
 * @returns 0 if all is done, else 1.
 */
export function exitStatus(
  results: readonly RegistryResult[],
  named: boolean,
): number {
  return results.some(({ outcome }) =>
      outcome === "failed" || outcome === "conflict" ||
      (named && outcome === "skipped")
    )
    ? 1
    : 0;
}
