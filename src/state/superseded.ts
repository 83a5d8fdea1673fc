import type { Secret } from "../base/secret.ts";
import { isMemorable, type State, type SupersededTokens } from "./state.ts";

/** Registries that are remembered, and tokens of each: the last ones. */
const MAX_REGISTRIES = 100;
const MAX_DIGESTS = 8;

/** Enough to tell a user's tokens apart, too little to guess one from. */
const DIGEST_BYTES = 5;
const SALT_BYTES = 16;

/**
 * Notes that tokens of an index URL are out of use: a login or `--prefer` has
 * put another one in their place. It is the only evidence on which a plaintext
 * token that the store does not hold is removed or passed over, so it is
 * written before that.
 */
export async function supersede(
  state: State,
  indexUrl: string,
  tokens: readonly Secret[],
): Promise<State> {
  if (tokens.length === 0 || !isMemorable(indexUrl)) return state;
  const salt = state.salt === "" ? newSalt() : state.salt;
  const earlier = digestsOf(state, indexUrl);
  const added = await Promise.all(
    tokens.map((token) => digest(salt, indexUrl, token)),
  );
  return replace({ ...state, salt }, indexUrl, [
    ...earlier.filter((known) => !added.includes(known)),
    ...new Set(added),
  ]);
}

/** Takes that back for a token which has been put into use again. */
export async function unsupersede(
  state: State,
  indexUrl: string,
  token: Secret,
): Promise<State> {
  const earlier = digestsOf(state, indexUrl);
  if (earlier.length === 0) return state;
  const current = await digest(state.salt, indexUrl, token);
  return earlier.includes(current)
    ? replace(state, indexUrl, earlier.filter((known) => known !== current))
    : state;
}

/** Whether a token of an index URL is known to be out of use. */
export async function isSuperseded(
  state: State,
  indexUrl: string,
  token: Secret,
): Promise<boolean> {
  const known = digestsOf(state, indexUrl);
  return known.length > 0 &&
    known.includes(await digest(state.salt, indexUrl, token));
}

function digestsOf(state: State, indexUrl: string): readonly string[] {
  return state.superseded.find((entry) => entry.indexUrl === indexUrl)
    ?.digests ?? [];
}

function replace(
  state: State,
  indexUrl: string,
  digests: readonly string[],
): State {
  const others = state.superseded.filter((entry) =>
    entry.indexUrl !== indexUrl
  );
  const own: readonly SupersededTokens[] = digests.length === 0
    ? []
    : [{ indexUrl, digests: digests.slice(-MAX_DIGESTS) }];
  return { ...state, superseded: [...others, ...own].slice(-MAX_REGISTRIES) };
}

function newSalt(): string {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES)).toHex();
}

async function digest(
  salt: string,
  indexUrl: string,
  token: Secret,
): Promise<string> {
  const prefix = new TextEncoder().encode(`${salt}\0${indexUrl}\0`);
  const bytes = new Uint8Array(prefix.length + token.length);
  bytes.set(prefix);
  bytes.set(token.bytes, prefix.length);
  const whole = await crypto.subtle.digest("SHA-256", bytes);
  bytes.fill(0);
  return new Uint8Array(whole, 0, DIGEST_BYTES).toHex();
}
