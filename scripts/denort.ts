import type { Target } from "./program.ts";

/** Where Deno publishes its releases, each with its checksum beside it. */
const RELEASES = "https://dl.deno.land/release";

/** 100 MB over a slow line; without a network it fails at once. */
const DOWNLOAD_MS = 5 * 60_000;

/** There is no base, or Deno cannot add the program to it. */
export class BaseError extends Error {
  override name = "BaseError";
}

/** A base for `deno compile`. */
export interface Base {
  /** What tells Deno where it is. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where {@linkcode provideBase} looks. */
export interface BaseOptions {
  /** The variable `DENORT_BIN`. */
  readonly denortBin?: string | undefined;
  /** Deno's own cache. */
  readonly denoDir?: string;
  /** The server, for tests. */
  readonly releases?: string;
}

/**
 * Makes sure that Deno has a base for a system: the file that `DENORT_BIN`
 * names, else the archive in Deno's cache, else the one that Deno has released,
 * which is checked here: Deno itself does not.
 *
 * @param target The system.
 * @param options Where to look.
 * @returns What to run Deno with.
 * @throws {BaseError} If there is none, or its checksum is wrong.
 */
export async function provideBase(
  target: Target,
  options: BaseOptions = {},
): Promise<Base> {
  const denortBin = options.denortBin ?? Deno.env.get("DENORT_BIN");
  if (denortBin) {
    if (!await exists(denortBin)) {
      throw new BaseError(`DENORT_BIN names ${denortBin}, which is not there`);
    }
    return { env: { DENORT_BIN: denortBin } };
  }
  const denoDir = options.denoDir ?? await ownDenoDir();
  const folder = `${denoDir}/dl/release/v${Deno.version.deno}`;
  const archive = `denort-${target}.zip`;
  const path = `${folder}/${archive}`;
  if (!await exists(path)) {
    const releases = options.releases ?? RELEASES;
    const url = `${releases}/v${Deno.version.deno}/${archive}`;
    const [bytes, sum] = await Promise.all([
      download(url, archive),
      download(`${url}.sha256sum`, archive),
    ]);
    await check(bytes, new TextDecoder().decode(sum), archive);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(`${path}.new`, bytes);
    await Deno.rename(`${path}.new`, path);
  }
  return { env: { DENO_DIR: denoDir } };
}

/**
 * Whether there is a base without asking the network.
 *
 * @param target The system.
 */
export async function hasBase(target: Target): Promise<boolean> {
  const denortBin = Deno.env.get("DENORT_BIN");
  if (denortBin) return await exists(denortBin);
  const folder = `${await ownDenoDir()}/dl/release/v${Deno.version.deno}`;
  return await exists(`${folder}/denort-${target}.zip`);
}

async function download(
  url: string,
  archive: string,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(DOWNLOAD_MS),
    });
    if (!response.ok) throw new Error(`${response.status}`);
    return await response.bytes();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BaseError(
      `there is no base to compile with: ${url} cannot be read (${why}).\n` +
        `Without a network, put ${archive} of Deno ${Deno.version.deno} into ` +
        `DENO_DIR/dl/release/v${Deno.version.deno}/, or unpack it and set ` +
        "DENORT_BIN to the file `denort` (docs/building.md)",
    );
  }
}

async function check(
  bytes: Uint8Array<ArrayBuffer>,
  published: string,
  archive: string,
): Promise<void> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const found = new Uint8Array(digest).toHex();
  // `sha256sum` writes the sum first; PowerShell's `Get-FileHash` a table.
  const expected = /\b[0-9a-f]{64}\b/i.exec(published)?.[0]?.toLowerCase();
  if (found !== expected) {
    throw new BaseError(
      `${archive} is not what Deno has published: its SHA-256 is ${found}, ` +
        `and ${expected ?? "none"} was expected`,
    );
  }
}

async function ownDenoDir(): Promise<string> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!success) throw new BaseError("deno info failed");
  const { denoDir }: { denoDir: string } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  return denoDir;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
