import { Secret } from "../base/secret.ts";

const PASTED_COMMAND = new TextEncoder().encode("cargo login");

/** What Rust's `str::trim` takes off: the Unicode property White_Space. */
const WHITE_SPACE = [
  ..."\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000",
  ..."\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a",
].map((character) => new TextEncoder().encode(character));

/**
 * Takes a pasted `cargo login` and the white space around the token away, as
 * `cargo:token` does (cargo: `src/cargo/util/credential/token.rs`).
 *
 * Returns the token: `token` itself if there was nothing to take away.
 */
export function cleanPastedToken(token: Secret): Secret {
  const kept = new Uint8Array(token.length);
  let length = 0;
  for (let i = 0; i < token.length;) {
    if (holdsAt(token.bytes, i, PASTED_COMMAND)) {
      i += PASTED_COMMAND.length;
    } else {
      kept[length++] = token.bytes[i++] ?? 0;
    }
  }
  const start = trimStart(kept, 0, length);
  const end = trimEnd(kept, start, length);
  const clean = kept.slice(start, end);
  kept.fill(0);
  if (clean.length === token.length) {
    clean.fill(0);
    return token;
  }
  return new Secret(clean);
}

function trimStart(bytes: Uint8Array, start: number, end: number): number {
  for (;;) {
    const found = WHITE_SPACE.find((space) =>
      start + space.length <= end && holdsAt(bytes, start, space)
    );
    if (found === undefined) return start;
    start += found.length;
  }
}

function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  for (;;) {
    const found = WHITE_SPACE.find((space) =>
      end - space.length >= start && holdsAt(bytes, end - space.length, space)
    );
    if (found === undefined) return end;
    end -= found.length;
  }
}

function holdsAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  return part.every((byte, i) => bytes[at + i] === byte);
}
