import { armor, Decrypter, Encrypter } from "age-encryption";
import type { Secret } from "../base/secret.ts";

/** Who can read what {@linkcode encrypt} writes. */
export type AgeRecipients =
  | { readonly passphrase: Secret }
  /** Public keys, `age1…`; at least one. */
  | { readonly recipients: readonly string[] };

/** What opens a file: a passphrase, or private keys (`AGE-SECRET-KEY-1…`). */
export type AgeKeys =
  | { readonly passphrase: Secret }
  | { readonly identities: readonly string[] };

/** How a file is encrypted. */
export interface EncryptOptions {
  /**
   * The work of one guess at the passphrase, as a power of two. A test takes
   * less.
   *
   * @default {18}
   */
  readonly workFactor?: number;
}

/** What {@linkcode decrypt} answers. */
export type DecryptOutcome =
  | {
    readonly kind: "decrypted";
    /** The caller wipes it. */
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  /** Neither the passphrase nor any of the identities opens it. */
  | { readonly kind: "wrong-key" }
  /** It was cut off or changed, or it is another kind of file. */
  | { readonly kind: "damaged" };

/** Encrypts in the age format (https://age-encryption.org/v1), not armored. */
export async function encrypt(
  bytes: Uint8Array<ArrayBuffer>,
  to: AgeRecipients,
  options: EncryptOptions = {},
): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  if ("passphrase" in to) {
    encrypter.setScryptWorkFactor(options.workFactor ?? 18);
    encrypter.setPassphrase(to.passphrase.reveal());
  } else {
    // Without one the file would be open to nobody.
    if (to.recipients.length === 0) throw new TypeError("no recipients");
    for (const recipient of to.recipients) encrypter.addRecipient(recipient);
  }
  return await encrypter.encrypt(bytes);
}

/** Decrypts an age file, armored or not. */
export async function decrypt(
  file: Uint8Array<ArrayBuffer>,
  keys: AgeKeys,
): Promise<DecryptOutcome> {
  const binary = withoutArmor(file);
  if (binary === undefined) return { kind: "damaged" };
  const decrypter = new Decrypter();
  if ("passphrase" in keys) {
    decrypter.addPassphrase(keys.passphrase.reveal());
  } else {
    for (const identity of keys.identities) decrypter.addIdentity(identity);
  }
  try {
    const bytes = new Uint8Array(await decrypter.decrypt(binary));
    return { kind: "decrypted", bytes };
  } catch (error) {
    return { kind: isNoMatch(error) ? "wrong-key" : "damaged" };
  }
}

/** The library tells a key that does not fit by its message alone. */
function isNoMatch(error: unknown): boolean {
  return error instanceof Error &&
    error.message === "no identity matched any of the file's recipients";
}

/** What an age file asks for; `undefined` if it is no age file. */
export function keysOf(
  file: Uint8Array<ArrayBuffer>,
): "passphrase" | "identity" | undefined {
  const binary = withoutArmor(file);
  if (binary === undefined) return undefined;
  const start = new TextDecoder().decode(binary.subarray(0, 64));
  if (!start.startsWith("age-encryption.org/v1\n-> ")) return undefined;
  return start.startsWith("age-encryption.org/v1\n-> scrypt ")
    ? "passphrase"
    : "identity";
}

/** The same file without the text form around it; `undefined` if that is broken. */
function withoutArmor(file: Uint8Array<ArrayBuffer>): Uint8Array | undefined {
  const begin = "-----BEGIN AGE ENCRYPTED FILE-----";
  // White space may stand before it.
  const start = new TextDecoder().decode(file.subarray(0, 1024)).trimStart();
  if (!start.startsWith(begin)) return file;
  try {
    return armor.decode(new TextDecoder().decode(file));
  } catch {
    return undefined;
  }
}

/** A line of a keys file that is no key of the kind that is wanted. */
export interface WrongKeyLine {
  /** From 1. */
  readonly line: number;
  /** Whether it is an SSH key, which `age` itself would take. */
  readonly ssh: boolean;
}

/**
 * The keys of a recipients or identities file: one a line; empty lines and
 * lines that begin with `#` do not count. No line is repeated in the outcome of
 * a failure: it may be a private key.
 */
export function readKeys(
  text: string,
  kind: "recipient" | "identity",
): readonly string[] | WrongKeyLine {
  const keys: string[] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (!isKey(line, kind)) {
      const ssh = /^ssh-|^-----BEGIN .*PRIVATE KEY-----/.test(line);
      return { line: i + 1, ssh };
    }
    keys.push(line);
  }
  return keys;
}

/** Whether the library takes it: the check sum of its spelling included. */
export function isKey(key: string, kind: "recipient" | "identity"): boolean {
  try {
    if (kind === "recipient") new Encrypter().addRecipient(key);
    else new Decrypter().addIdentity(key);
    return true;
  } catch {
    return false;
  }
}
