import type { Operation } from "../protocol/messages.ts";
import { joinScoped, splitScoped } from "../stores/item_name.ts";

/** What a token may be made for, in crates.io's words. */
export const SCOPES = [
  "publish-new",
  "publish-update",
  "yank",
  "change-owners",
] as const;

/** One of {@linkcode SCOPES}. */
export type Scope = typeof SCOPES[number];

/** What a token is good for, as the registry was told when it was made. */
export interface Grant {
  /** In the order of {@linkcode SCOPES}; never empty. */
  readonly scopes: readonly Scope[];
  /** Names of crates, `*` behind the beginning of one; empty: all. */
  readonly crates: readonly string[];
  /** The last day on which it is used: `2027-02-01`. */
  readonly expires?: string;
}

/** A crate's name, or how one begins. */
export const CRATE_PATTERN = /^[A-Za-z][A-Za-z0-9_-]{0,63}\*?$|^\*$/;

/** What the token of a grant is filed under, in place of the index URL. */
export function scopedUrl(indexUrl: string, grant: Grant): string {
  return joinScoped(
    indexUrl,
    [
      grant.scopes.join(","),
      ...(grant.crates.length === 0
        ? []
        : [`crates=${grant.crates.join(",")}`]),
      ...(grant.expires === undefined ? [] : [`expires=${grant.expires}`]),
    ].join(";"),
  );
}

/** The reverse; `undefined` for what {@linkcode scopedUrl} has not made. */
export function parseScopedUrl(
  url: string,
): { readonly indexUrl: string; readonly grant: Grant } | undefined {
  const split = splitScoped(url);
  if (split === undefined) return undefined;
  const [scopes = "", ...more] = split.words.split(";");
  const value = (key: string): string | undefined =>
    more.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const crates = value("crates")?.split(",") ?? [];
  const expires = value("expires");
  const grant: Grant = {
    scopes: SCOPES.filter((scope) => scopes.split(",").includes(scope)),
    crates,
    ...(expires === undefined ? {} : { expires }),
  };
  // Nothing is guessed about what another version has written.
  return scopedUrl(split.indexUrl, grant) === url && isGrant(grant)
    ? { indexUrl: split.indexUrl, grant }
    : undefined;
}

/** Whether there is such a grant. */
export function isGrant({ scopes, crates, expires }: Grant): boolean {
  return scopes.length > 0 &&
    crates.every((pattern) => CRATE_PATTERN.test(pattern)) &&
    (expires === undefined || isDate(expires));
}

/** Whether a text is a day of the calendar, as `2027-02-01`. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) &&
    !Number.isNaN(Date.parse(text)) &&
    new Date(text).toISOString().startsWith(text);
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The day that is so many days away, as `2027-02-01`. */
export function dayAfter(now: number, days: number): string {
  return new Date(now + days * DAY_MS).toISOString().slice(0, 10);
}

/** How long before its end a token is spoken of. */
const SOON_DAYS = 14;

/** Whether a token is still used; dates are those of UTC. */
export function expiryOf(
  { expires }: Grant,
  now: number,
): "valid" | "soon" | "expired" {
  if (expires === undefined) return "valid";
  if (expires < dayAfter(now, 0)) return "expired";
  return expires <= dayAfter(now, SOON_DAYS) ? "soon" : "valid";
}

/** Whether a token may do something. Nobody knows what an unknown one takes. */
export function serves(grant: Grant, operation: Operation): boolean {
  const { scopes } = grant;
  switch (operation.kind) {
    // An index that wants a token takes any.
    case "read":
      return true;
    case "publish":
      return publishRank(grant) > 0 && hasCrate(grant, operation.name);
    case "yank":
    case "unyank":
      return scopes.includes("yank") && hasCrate(grant, operation.name);
    case "owners":
      return scopes.includes("change-owners") &&
        hasCrate(grant, operation.name);
    case "unknown":
      return false;
  }
}

function hasCrate({ crates }: Grant, name: string): boolean {
  return crates.length === 0 ||
    crates.some((pattern) => matches(pattern, name));
}

/** As crates.io does: `-` and `_` are one. */
function matches(pattern: string, name: string): boolean {
  const [wanted, given] = [pattern, name].map((text) =>
    text.toLowerCase().replaceAll("_", "-")
  );
  if (wanted === undefined || given === undefined) return false;
  return wanted.endsWith("*")
    ? given.startsWith(wanted.slice(0, -1))
    : given === wanted;
}

/**
 * A request does not say whether a crate is new. A token for both will do; of
 * the others the one for updates is likelier to.
 */
function publishRank({ scopes }: Grant): 0 | 1 | 2 | 3 {
  const isForNew = scopes.includes("publish-new");
  if (!scopes.includes("publish-update")) return isForNew ? 1 : 0;
  return isForNew ? 3 : 2;
}

/** How narrow the pattern is that a crate matches: longer ones are. */
function crateRank({ crates }: Grant, operation: Operation): number {
  if (!("name" in operation)) return 0;
  return Math.max(
    0,
    ...crates.filter((pattern) => matches(pattern, operation.name))
      .map((pattern) => pattern.endsWith("*") ? pattern.length : 1_000),
  );
}

/**
 * Puts the narrowest token that may do something first, and leaves out those
 * that may not: by crate, then, of tokens that publish, what they surely can,
 * then by how much else they may, then by which one ends first.
 */
export function narrowest<T extends { readonly grant: Grant }>(
  tokens: readonly T[],
  operation: Operation,
): readonly T[] {
  return tokens.filter(({ grant }) => serves(grant, operation))
    .toSorted(({ grant: one }, { grant: other }) =>
      crateRank(other, operation) - crateRank(one, operation) ||
      (operation.kind === "publish"
        ? publishRank(other) - publishRank(one)
        : 0) ||
      one.scopes.length - other.scopes.length ||
      compare(one.expires ?? "9", other.expires ?? "9")
    );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A grant in words: `publish-update of foo-*, until 2027-02-01`. */
export function describeGrant({ scopes, crates, expires }: Grant): string {
  const of = crates.length === 0 ? "" : ` of ${crates.join(" and ")}`;
  const until = expires === undefined ? "" : `, until ${expires}`;
  return `${scopes.join(" and ")}${of}${until}`;
}
