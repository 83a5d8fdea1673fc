import { applyEdits, type TextEdit } from "../toml/edit.ts";
import type { Removal } from "./edit.ts";
import type { TextRange } from "../toml/document.ts";

/**
 * The unit in which a write may be cut off: the kernel looks for a fatal
 * signal between two pages (Linux: `mm/filemap.c`, `generic_perform_write`),
 * and no system's pages are smaller.
 */
export const PAGE_BYTES = 4096;

/** One system call that changes a file. */
export type WriteStep =
  | {
    readonly kind: "write";
    readonly offset: number;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  | { readonly kind: "truncate"; readonly length: number };

/**
 * Plans a removal, so that no write crosses a page: at best one write of the
 * rest of the file, padded with newlines to its old length, and a truncation.
 * Where that would cross a page, the key's own bytes become white space. The
 * best plan is the first; every state of each is for the parser to judge. There
 * is none if the layout allows none.
 */
export function planRemoval(
  text: string,
  removals: readonly Removal[],
): WriteStep[][] {
  const bytes = encode(text);
  const cuts = removals.flatMap((removal) => removal.cuts)
    .sort((one, other) => one.start - other.start);
  const plans = [
    planRest(bytes, text, cuts.map((cut) => ({ ...cut, replacement: "" }))),
    planBlanks(text, removals),
  ];
  return plans.filter((plan) => plan !== undefined);
}

/**
 * Plans edits that insert, so that no write crosses a page. An insertion at the
 * end that would cross one is put behind newlines, on the next page; one that
 * no page holds is written as comments first, which the last write makes lines
 * of the file. `undefined` if the layout allows none. The edits are one, or such
 * that change no length and then one at the end.
 */
export function planInsertion(
  text: string,
  edits: readonly TextEdit[],
): WriteStep[] | undefined {
  const bytes = encode(text);
  const [first, ...others] = edits;
  if (first === undefined) return undefined;
  if (others.length === 0) {
    const rest = planRest(bytes, text, [first]);
    if (rest !== undefined) return rest;
  }
  const steps: WriteStep[] = [];
  for (const edit of edits) {
    const more = edit.start === text.length
      ? planAppend(bytes.length, edit.replacement)
      : planInPlace(text, edit);
    if (more === undefined) return undefined;
    steps.push(...more);
  }
  return steps;
}

/** What a file holds after a step. */
export function applyStep(
  bytes: Uint8Array,
  step: WriteStep,
): Uint8Array<ArrayBuffer> {
  if (step.kind === "truncate") return bytes.slice(0, step.length);
  const end = step.offset + step.bytes.length;
  const result = new Uint8Array(Math.max(bytes.length, end));
  result.set(bytes);
  result.set(step.bytes, step.offset);
  return result;
}

/** One write from the first change to the end, then a truncation. */
function planRest(
  bytes: Uint8Array,
  text: string,
  edits: readonly TextEdit[],
): WriteStep[] | undefined {
  const [first] = edits;
  if (first === undefined) return undefined;
  const offset = byteLength(text.slice(0, first.start));
  const after = encode(applyEdits(text, edits).slice(first.start));
  const length = offset + after.length;
  const padded = new Uint8Array(Math.max(after.length, bytes.length - offset))
    .fill(0x0a);
  padded.set(after);
  after.fill(0);
  const steps: WriteStep[] = [];
  // Where nothing follows, the truncation alone does it.
  if (length > offset) steps.push({ kind: "write", offset, bytes: padded });
  if (length < bytes.length) steps.push({ kind: "truncate", length });
  return steps.every(staysOnPage) ? steps : undefined;
}

function planBlanks(
  text: string,
  removals: readonly Removal[],
): WriteStep[] | undefined {
  const plan: WriteStep[] = [];
  for (const { blanks } of removals) {
    const whole = blankTogether(text, blanks);
    if (whole === undefined || !staysOnPage(whole)) return undefined;
    plan.push(whole);
  }
  return plan;
}

/** One write over several ranges and what stands between them. */
function blankTogether(
  text: string,
  blanks: readonly TextRange[],
): WriteStep | undefined {
  const start = blanks[0]?.start;
  const end = blanks.at(-1)?.end;
  if (start === undefined || end === undefined) return undefined;
  let replacement = "";
  let at = start;
  for (const blank of blanks) {
    replacement += text.slice(at, blank.start);
    replacement += whiteOut(text.slice(blank.start, blank.end));
    at = blank.end;
  }
  return {
    kind: "write",
    offset: byteLength(text.slice(0, start)),
    bytes: encode(replacement),
  };
}

function planInPlace(text: string, edit: TextEdit): WriteStep[] | undefined {
  const { start, end, replacement } = edit;
  const bytes = encode(replacement);
  if (bytes.length !== byteLength(text.slice(start, end))) return undefined;
  const offset = byteLength(text.slice(0, start));
  const step: WriteStep = { kind: "write", offset, bytes };
  return staysOnPage(step) ? [step] : undefined;
}

function planAppend(
  length: number,
  replacement: string,
): WriteStep[] | undefined {
  const bytes = encode(replacement);
  const direct: WriteStep = { kind: "write", offset: length, bytes };
  if (staysOnPage(direct)) return [direct];
  const offset = Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
  const next: WriteStep = { kind: "write", offset, bytes };
  if (!staysOnPage(next)) return planComments(length, replacement);
  return [...newlines(length, offset), next];
}

/** The first character of each line is `#` until the last write. */
function planComments(
  length: number,
  replacement: string,
): WriteStep[] | undefined {
  // All that comes before the token, so that what a kill leaves is known by it.
  const lastLine = replacement.trimEnd().lastIndexOf("\n") + 1;
  const value = replacement.indexOf('= "', lastLine) + '= "'.length;
  const head = encode(replacement.slice(0, value));
  const page = Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
  const offset = [length, page].find((each) =>
    staysOnPage({ kind: "write", offset: each, bytes: head })
  );
  if (offset === undefined) return undefined;
  const bytes = encode(replacement.replace(/^[^\r\n]/gmu, "#"));
  const steps = newlines(length, offset);
  for (let at = 0; at < bytes.length;) {
    const end = at + PAGE_BYTES - (offset + at) % PAGE_BYTES;
    steps.push({
      kind: "write",
      offset: offset + at,
      bytes: bytes.slice(at, end),
    });
    at = end;
  }
  return [...steps, { kind: "write", offset, bytes: head }];
}

/**
 * What an insertion as comments that was killed has left at the end of a text,
 * from where it begins; `undefined` if there is none. Nobody writes `#oken`.
 */
export function unfinishedInsertion(text: string): TextRange | undefined {
  const left =
    /(?:^#registr(?:y|ies\.[^\r\n]*)\]\r?\n)?^#(?:egistr(?:y|ies)\.(?:[^\r\n]*\.)?t)?oken = "[^\r\n]*(?:\r?\n)?$(?![^])/mu
      .exec(text);
  return left === null ? undefined : { start: left.index, end: text.length };
}

/** Blank lines up to a page. */
function newlines(from: number, to: number): WriteStep[] {
  const bytes = new Uint8Array(to - from).fill(0x0a);
  return from === to ? [] : [{ kind: "write", offset: from, bytes }];
}

function staysOnPage(step: WriteStep): boolean {
  if (step.kind === "truncate") return true;
  const last = step.offset + step.bytes.length - 1;
  return Math.floor(step.offset / PAGE_BYTES) === Math.floor(last / PAGE_BYTES);
}

/** Spaces for everything but line ends; as many bytes as the text has. */
function whiteOut(text: string): string {
  return text.replace(
    /[^\r\n]/gu,
    (character) => " ".repeat(byteLength(character)),
  );
}

function byteLength(text: string): number {
  return encode(text).length;
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
