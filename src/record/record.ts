import { readSmallFile } from "../base/files.ts";
import { systemErrorCode } from "../base/system_error.ts";

/** One token that was handed over, or was not. Nothing in it is secret. */
export interface RecordEntry {
  /** When, as `2026-11-25T17:00:00.000Z`. */
  readonly time: string;
  /** The registry's name in the request. */
  readonly registry: string | null;
  readonly index_url: string;
  /** Such as `publish`; `unknown` for one that this version does not know. */
  readonly operation: string;
  readonly crate: string | null;
  readonly version: string | null;
  /** The first digits of the checksum of what is published. */
  readonly cksum: string | null;
  /** Where the token lies: `store`, `file`, `environment`, `scoped`. */
  readonly source: string;
  /** Whether cargo got it; `refused`: nobody has confirmed it. */
  readonly outcome: "handed-over" | "refused";
  /** The working directory. */
  readonly directory: string;
}

const NAME = ".credential-keyring-record.jsonl";

/** What {@linkcode NAME} was before it was full. */
const OLDER_NAME = ".credential-keyring-record.older.jsonl";

/** Some thousand lines. */
const MAX_BYTES = 512 * 1024;

/** A request can name anything. */
const MAX_LENGTH = 500;

/**
 * Adds a line to the record in cargo's home, and tells whether it was written.
 * It is best effort: nothing is thrown, and no answer waits for it or depends
 * on it.
 */
export async function appendRecord(
  cargoHome: string,
  entry: RecordEntry,
): Promise<boolean> {
  try {
    const { uid } = await Deno.stat(cargoHome);
    // Under `sudo` the owner could not read it afterwards.
    if (uid !== null && uid !== Deno.uid()) return false;
    const path = `${cargoHome}/${NAME}`;
    if (!await isOurs(path)) return false;
    using file = await Deno.open(path, {
      append: true,
      create: true,
      mode: 0o600,
    });
    const line = JSON.stringify(
      entry,
      (_, value: unknown) =>
        typeof value === "string" ? value.slice(0, MAX_LENGTH) : value,
    );
    // One call, so that lines of other processes come before or behind it.
    await file.write(new TextEncoder().encode(`${line}\n`));
    await rotate(file, path, `${cargoHome}/${OLDER_NAME}`);
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

/** Whether there is nothing, or a file: a FIFO would wait for a reader. */
async function isOurs(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

/** Begins a file; the lock keeps two processes from doing it in turn. */
async function rotate(
  file: Deno.FsFile,
  path: string,
  older: string,
): Promise<void> {
  if ((await file.stat()).size < MAX_BYTES || !await file.tryLock(true)) return;
  if ((await Deno.stat(path)).size >= MAX_BYTES) await Deno.rename(path, older);
}

/** Reads the record, the oldest entry first. A line that is none is left out. */
export function readRecord(cargoHome: string): readonly RecordEntry[] {
  return [OLDER_NAME, NAME].flatMap((name) => {
    const file = readSmallFile(`${cargoHome}/${name}`, {
      maxBytes: 2 * MAX_BYTES,
      followLink: false,
    });
    return file.kind === "read"
      ? new TextDecoder().decode(file.bytes).split("\n").flatMap(parseLine)
      : [];
  });
}

function parseLine(line: string): readonly RecordEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  if (typeof value !== "object" || value === null) return [];
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const text = (name: string): string => {
    const field = fields[name];
    return typeof field === "string" ? field : "";
  };
  const textOrNull = (name: string): string | null => text(name) || null;
  return [{
    time: text("time"),
    registry: textOrNull("registry"),
    index_url: text("index_url"),
    operation: text("operation"),
    crate: textOrNull("crate"),
    version: textOrNull("version"),
    cksum: textOrNull("cksum"),
    source: text("source"),
    outcome: fields["outcome"] === "refused" ? "refused" : "handed-over",
    directory: text("directory"),
  }];
}
