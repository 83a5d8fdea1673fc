import type { Secret } from "../base/secret.ts";

/** A token that does not look like one of a registry's own, lasting ones. */
export type TokenOrigin =
  /** Another site's. */
  | { readonly kind: "foreign"; readonly site: string }
  /** crates.io's for trusted publishing, which holds for half an hour. */
  | { readonly kind: "short-lived" }
  /** crates.io's by its prefix, and too long or too short. */
  | { readonly kind: "incomplete" };

/** The prefixes that sites have given their tokens to be found by. */
const SITES: readonly (readonly [prefix: string, site: string])[] = [
  ["ghp_", "GitHub"],
  ["gho_", "GitHub"],
  ["ghs_", "GitHub"],
  ["github_pat_", "GitHub"],
  ["glpat-", "GitLab"],
  ["npm_", "npm"],
  ["pypi-", "PyPI"],
];

/** Of crates.io's own, and how long they are with it. */
const CRATES_IO = "cio";
const CRATES_IO_LENGTH = 35;

/** Of crates.io's trusted publishing. */
const SHORT_LIVED = "cio_tp_";

/**
 * What a token for crates.io or another registry looks like by its prefix;
 * `undefined` if nothing speaks against it. Other registries may well take
 * another site's token (a scheme in front says so), crates.io does not.
 */
export function tokenOrigin(
  token: Secret,
  isCratesIo: boolean,
): TokenOrigin | undefined {
  if (beginsWith(token, SHORT_LIVED)) return { kind: "short-lived" };
  if (!isCratesIo) return undefined;
  if (beginsWith(token, CRATES_IO) && token.length !== CRATES_IO_LENGTH) {
    return { kind: "incomplete" };
  }
  const known = SITES.find(([prefix]) => beginsWith(token, prefix));
  return known === undefined ? undefined : { kind: "foreign", site: known[1] };
}

/** What it looks like, as a clause that does not repeat it. */
export function describeOrigin(origin: TokenOrigin): string {
  switch (origin.kind) {
    case "foreign":
      return `looks like a token of ${origin.site}, which crates.io does not take`;
    case "short-lived":
      return "looks like one of crates.io's for trusted publishing, which end " +
        "after 30 minutes";
    case "incomplete":
      return "has not the length of crates.io's tokens: a part of it may be " +
        "missing";
  }
}

function beginsWith(token: Secret, prefix: string): boolean {
  const bytes = new TextEncoder().encode(prefix);
  return bytes.every((byte, i) => token.bytes[i] === byte);
}
