import { printable } from "../base/printable.ts";
import { Secret } from "../base/secret.ts";
import type { Answer, ErrorAnswer } from "./messages.ts";
import { PROTOCOL_VERSION } from "./parse_request.ts";

const encoder = new TextEncoder();

/** The first line of the conversation, sent before anything is read. */
export const HELLO: Uint8Array<ArrayBuffer> = encoder.encode(
  `${JSON.stringify({ v: [PROTOCOL_VERSION] })}\n`,
);

const TOKEN_BEFORE = encoder.encode(`{"Ok":{"kind":"get","token":"`);
const TOKEN_AFTER = encoder.encode(
  `","cache":"session","operation_independent":true}}\n`,
);
const TOKEN_AFTER_DEPENDENT = encoder.encode(
  `","cache":"session","operation_independent":false}}\n`,
);

/**
 * What cargo gets in place of a token that it does not need yet: it checks
 * that there is one before it builds anything. Should it ever be sent, it says
 * where it comes from.
 */
export const PLACEHOLDER =
  "cargo-credential-keyring:the-token-is-given-at-upload";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The line with the token, made of bytes alone: a string could not be wiped.
 * Bytes below 0x20 are escaped, since an environment token may hold a TAB.
 */
function encodeToken(
  token: Secret,
  operationIndependent: boolean,
): Uint8Array<ArrayBuffer> {
  const after = operationIndependent ? TOKEN_AFTER : TOKEN_AFTER_DEPENDENT;
  const line = new Uint8Array(
    TOKEN_BEFORE.length + token.length * 6 + after.length,
  );
  line.set(TOKEN_BEFORE);
  let end = TOKEN_BEFORE.length;
  for (const byte of token.bytes) {
    if (byte === QUOTE || byte === BACKSLASH) {
      line[end++] = BACKSLASH;
      line[end++] = byte;
    } else if (byte < 0x20) {
      const escape = `\\u${byte.toString(16).padStart(4, "0")}`;
      end += encoder.encodeInto(escape, line.subarray(end)).written;
    } else {
      line[end++] = byte;
    }
  }
  line.set(after, end);
  return line.subarray(0, end + after.length);
}

function encodeError(answer: ErrorAnswer): Uint8Array<ArrayBuffer> {
  const body = answer.kind === "other"
    ? {
      kind: answer.kind,
      message: printable(answer.message),
    }
    : { kind: answer.kind };
  return encoder.encode(`${JSON.stringify({ Err: body })}\n`);
}

/**
 * Writes an answer as the line that cargo reads (cargo: `CredentialResponse`
 * and `Error` in `credential/cargo-credential`).
 */
export function encodeAnswer(answer: Answer): Uint8Array<ArrayBuffer> {
  switch (answer.kind) {
    case "token":
      return encodeToken(answer.token, answer.operationIndependent ?? true);
    case "placeholder":
      return encodeToken(Secret.fromString(PLACEHOLDER), false);
    case "logged-in":
      return encoder.encode(`{"Ok":{"kind":"login"}}\n`);
    case "logged-out":
      return encoder.encode(`{"Ok":{"kind":"logout"}}\n`);
    default:
      return encodeError(answer);
  }
}
