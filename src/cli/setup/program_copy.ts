import { executablePath } from "../../base/executable.ts";
import { readSmallFile } from "../../base/files.ts";
import { joinPath } from "../../base/paths.ts";
import { realPath } from "../../base/real_path.ts";
import { installedProgram } from "./own_program.ts";
import { replaceFile } from "./write_file.ts";

/**
 * Says what setup has copied into cargo's folder for programs, as `sha256sum`
 * would: a program that was there before, or came there later by other means,
 * is not setup's to remove.
 */
const RECORD = ".credential-keyring-copy";
const MAX_RECORD_BYTES = 1024;

/** The file in cargo's folder for programs. */
export interface ProgramCopy {
  readonly path: string;
  readonly origin:
    | "setup"
    /** Somebody else put it there. */
    | "other"
    | "absent";
}

/** Finds out whether the program that is installed is what setup has copied. */
export async function findCopy(cargoHome: string): Promise<ProgramCopy> {
  const path = installedProgram(cargoHome);
  try {
    if (!(await Deno.lstat(path)).isFile) return { path, origin: "other" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { path, origin: "absent" };
    }
    throw error;
  }
  const record = readSmallFile(recordPath(cargoHome), {
    maxBytes: MAX_RECORD_BYTES,
  });
  if (record.kind !== "read") return { path, origin: "other" };
  const [digest] = new TextDecoder().decode(record.bytes).split(" ", 1);
  const isIt = digest === await digestOf(path);
  return { path, origin: isIt ? "setup" : "other" };
}

/**
 * Remembers that a program is about to be copied, unless it takes the place of
 * one that setup has not put there.
 */
export async function rememberCopy(
  cargoHome: string,
  from: string,
): Promise<void> {
  const { path, origin } = await findCopy(cargoHome);
  const record = recordPath(cargoHome);
  if (origin === "other") return await removeIfThere(record);
  await replaceFile(record, `${await digestOf(from)}  ${path}\n`, {
    mode: 0o644,
  });
}

/** What decides whether the copy goes. */
export interface CopyFacts {
  readonly origin: ProgramCopy["origin"];
  /** Whether cargo still asks the program for something. */
  readonly isAsked: boolean;
  /** Whether the store may hold tokens that nothing else finds. */
  readonly isNeeded: boolean;
  /** Whether it is the program that runs, on a system that keeps such. */
  readonly isHeld: boolean;
}

/** Why a program stays. */
export type KeptBecause =
  | "not-from-setup"
  | "still-asked"
  | "needed"
  | "running"
  /** It was tried. */
  | "cannot-be-removed";

/** Decides whether the program stays; `undefined`: it goes. */
export function decideCopy(facts: CopyFacts): KeptBecause | undefined {
  if (facts.origin !== "setup") return "not-from-setup";
  if (facts.isAsked) return "still-asked";
  if (facts.isNeeded) return "needed";
  return facts.isHeld ? "running" : undefined;
}

/** Whether a file is the program that runs, and Windows keeps it for that. */
export function isHeld(path: string): boolean {
  const executable = executablePath();
  return Deno.build.os === "windows" && executable !== undefined &&
    realPath(path) === realPath(executable);
}

/** Removes what setup has copied; whether it is gone. */
export async function removeCopy(cargoHome: string): Promise<boolean> {
  try {
    await Deno.remove(installedProgram(cargoHome));
    await removeIfThere(recordPath(cargoHome));
    return true;
  } catch {
    return false;
  }
}

function recordPath(cargoHome: string): string {
  return joinPath(cargoHome, RECORD);
}

async function digestOf(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
