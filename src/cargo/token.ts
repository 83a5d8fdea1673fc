import type { Secret } from "../base/secret.ts";

/** Whether cargo would send a token. */
export type TokenValidity = "valid" | "empty" | "invalid";

/**
 * Checks a token by cargo's rule: not empty, and only printable ASCII, space
 * and tab (cargo: `crates/crates-io/lib.rs`, `check_token`).
 */
export function checkToken(token: Secret): TokenValidity {
  if (token.length === 0) return "empty";
  const acceptable = token.bytes.every((byte) =>
    byte === 0x09 || (byte >= 0x20 && byte < 0x7f)
  );
  return acceptable ? "valid" : "invalid";
}
