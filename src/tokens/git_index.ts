import { readSmallFile } from "../base/files.ts";

/** Far more than a home has; a larger index is not looked into. */
const MAX_BYTES = 32 * 1024 * 1024;

/** SHA-1 and SHA-256: the index does not say which. */
const HASH_SIZES = [20, 32] as const;

/** The times, the modes and the size in front of an entry's hash. */
const STAT_SIZE = 40;

/**
 * Whether an index file of git's (gitformat-index(5)) lists a path. Where the
 * index cannot be read it may; where there is none, nothing is tracked.
 */
export function isInIndex(index: string, path: string): boolean {
  const file = readSmallFile(index, { maxBytes: MAX_BYTES });
  if (file.kind === "absent") return false;
  if (file.kind === "refused") return true;
  const names = HASH_SIZES.map((size) => readNames(file.bytes, size))
    .find((names) => names !== undefined);
  // Some file systems take two cases of a name for one.
  const wanted = path.toLowerCase();
  return names === undefined || names.some((name) => {
    const listed = name.toLowerCase();
    // A sparse index lists whole folders.
    return listed === wanted ||
      (listed.endsWith("/") && wanted.startsWith(listed));
  });
}

/** The names in an index; `undefined` if it is not one with such hashes. */
function readNames(
  bytes: Uint8Array<ArrayBuffer>,
  hashSize: number,
): readonly string[] | undefined {
  if (bytes.length < 12 + hashSize) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - hashSize;
  const version = view.getUint32(4);
  // "DIRC"
  if (view.getUint32(0) !== 0x44495243 || version < 2 || version > 4) {
    return undefined;
  }
  const names: string[] = [];
  let previous = new Uint8Array();
  let at = 12;
  for (let left = view.getUint32(8); left > 0; left--) {
    const start = at;
    at += STAT_SIZE + hashSize;
    if (at + 2 > end) return undefined;
    const isExtended = (view.getUint16(at) & 0x4000) !== 0;
    at += isExtended ? 4 : 2;
    let kept = 0;
    if (version === 4) {
      // How much of the name before is dropped: 7 bits a byte.
      let dropped = 0;
      for (let more = true; more; at++) {
        const byte = bytes[at] ?? 0;
        more = (byte & 0x80) !== 0;
        dropped = dropped * 128 + (byte & 0x7f) + (more ? 1 : 0);
      }
      kept = previous.length - dropped;
    }
    const nul = bytes.indexOf(0, at);
    if (nul < 0 || nul >= end || kept < 0) return undefined;
    const name = new Uint8Array(kept + nul - at);
    name.set(previous.subarray(0, kept));
    name.set(bytes.subarray(at, nul), kept);
    names.push(new TextDecoder().decode(name));
    previous = name;
    at = version === 4
      ? nul + 1
      : start + Math.floor((nul - start) / 8 + 1) * 8;
  }
  while (at + 8 <= end) {
    // "link": the other part of a split index lists more.
    if (view.getUint32(at) === 0x6c696e6b) return undefined;
    at += 8 + view.getUint32(at + 4);
  }
  // Only then was the size of the hashes right.
  return at === end ? names : undefined;
}
