import {
  describeRefusal,
  permissionsOf,
  readSmallFile,
  type SmallFile,
} from "../base/files.ts";
import { Secret } from "../base/secret.ts";
import { checkToken } from "./token.ts";

/** Why a file gives no token. */
export type TokenFileFault =
  | Exclude<SmallFile, { readonly kind: "read" }>
  | {
    readonly kind:
      /** It is where Deno reads nothing for a program without all permissions. */
      | "out-of-reach"
      | "empty"
      | "several-lines"
      | "no-token";
  };

/** What {@linkcode readTokenFile} found. */
export type TokenFile =
  | {
    readonly kind: "token";
    readonly token: Secret;
    /** Whether every user of the machine may read it. */
    readonly readableByOthers: boolean;
  }
  | TokenFileFault;

/** No token is that long. */
const MAX_BYTES = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads a file that holds a token and nothing else, as secrets are mounted into
 * containers and services. One line ending at its end does not count. Nothing
 * that could block is opened, and what is no token is never taken for one.
 */
export function readTokenFile(path: string): TokenFile {
  if (/^\/(dev|proc|sys)\//.test(path)) return { kind: "out-of-reach" };
  const file = readSmallFile(path, { maxBytes: MAX_BYTES });
  return file.kind === "read"
    ? takeToken(file.bytes, permissionsOf(file.info))
    : file;
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
  if (validity === "empty") return { kind: "empty" };
  return { kind: severalLines ? "several-lines" : "no-token" };
}

function withoutLineEnding(
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const ending = bytes.at(-1) !== LF ? 0 : bytes.at(-2) === CR ? 2 : 1;
  return bytes.slice(0, bytes.length - ending);
}

/** A clause without its subject: `is empty`. */
export function describeTokenFileFault(fault: TokenFileFault): string {
  switch (fault.kind) {
    case "absent":
      return "is not there";
    case "refused":
      return describeRefusal(fault, MAX_BYTES);
    case "out-of-reach":
      return "is in /dev, /proc or /sys, where no token is read";
    case "empty":
      return "is empty";
    case "several-lines":
      return "has more than one line";
    case "no-token":
      return "holds something that cargo takes for no token (printable ASCII)";
  }
}
