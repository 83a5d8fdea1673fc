import {
  describeRefusal,
  permissionsOf,
  readSmallFile,
} from "../base/files.ts";
import { Secret } from "../base/secret.ts";
import { checkToken } from "./token.ts";

/** What {@linkcode readTokenFile} found. */
export type TokenFile =
  | {
    readonly kind: "token";
    readonly token: Secret;
    /** Whether every user of the machine may read it. */
    readonly readableByOthers: boolean;
  }
  | { readonly kind: "absent" }
  | {
    readonly kind: "unusable";
    /** A clause without its subject: `is empty`. */
    readonly reason: string;
  };

/** No token is that long. */
const MAX_BYTES = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads a file that holds a token and nothing else, as secrets are mounted into
 * containers and services. One line ending at its end does not count. Nothing
 * that could block is opened, and what is no token is never taken for one.
 *
 * Returns the token, or why there is none; never both.
 */
export function readTokenFile(path: string): TokenFile {
  // Deno reads nothing there for a program without all permissions.
  if (/^\/(dev|proc|sys)\//.test(path)) {
    return unusable("is in /dev, /proc or /sys, where no token is read");
  }
  const file = readSmallFile(path, { maxBytes: MAX_BYTES });
  switch (file.kind) {
    case "absent":
      return file;
    case "refused":
      return unusable(describeRefusal(file, MAX_BYTES));
    case "read":
      return takeToken(file.bytes, permissionsOf(file.info));
  }
}

function takeToken(
  bytes: Uint8Array<ArrayBuffer>,
  permissions: number | undefined,
): TokenFile {
  const token = new Secret(withoutLineEnding(bytes));
  bytes.fill(0);
  const validity = checkToken(token);
  if (validity === "valid") {
    const readableByOthers = ((permissions ?? 0) & 0o004) !== 0;
    return { kind: "token", token, readableByOthers };
  }
  const severalLines = token.bytes.includes(LF) || token.bytes.includes(CR);
  token.wipe();
  if (validity === "empty") return unusable("is empty");
  return unusable(
    severalLines
      ? "has more than one line"
      : "holds something that cargo takes for no token (printable ASCII)",
  );
}

function withoutLineEnding(
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const ending = bytes.at(-1) !== LF ? 0 : bytes.at(-2) === CR ? 2 : 1;
  return bytes.slice(0, bytes.length - ending);
}

function unusable(reason: string): TokenFile {
  return { kind: "unusable", reason };
}
