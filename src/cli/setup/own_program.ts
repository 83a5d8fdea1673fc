import { executablePath } from "../../base/executable.ts";
import { foldersAbove, joinPath } from "../../base/paths.ts";
import { permissionsOf } from "../../base/files.ts";
import { realPath } from "../../base/real_path.ts";
import type { Environment } from "../../cargo/home.ts";
import { replaceFile } from "./write_file.ts";

/** The program that cargo is to start. */
export type OwnProgram =
  | {
    readonly kind: "program";
    /** Its whole path. */
    readonly path: string;
    /** Where it is copied from; `undefined`: it is there already. */
    readonly copyFrom: string | undefined;
  }
  /** It cannot be named in cargo's configuration. */
  | { readonly kind: "refused"; readonly reason: string };

/** What {@linkcode findOwnProgram} looks at. */
export interface OwnProgramOptions {
  readonly cargoHome: string;
  /** Whether it is to stay where it is. */
  readonly here: boolean;
  /** The file that runs; absent: this process's. */
  readonly executable?: string;
  /** Whether that file is the compiled program; absent: whether this one is. */
  readonly isCompiled?: boolean;
}

const FILE_NAME = Deno.build.os === "windows"
  ? "cargo-credential-keyring.exe"
  : "cargo-credential-keyring";

/** The program's place in cargo's folder for programs. */
export function installedProgram(cargoHome: string): string {
  return joinPath(joinPath(cargoHome, "bin"), FILE_NAME);
}

/** Finds the file that cargo is to start, and whether it has to be put there. */
export function findOwnProgram(options: OwnProgramOptions): OwnProgram {
  const { cargoHome, here } = options;
  const executable = options.executable ?? executablePath();
  if (executable === undefined) {
    return {
      kind: "refused",
      reason: "the system does not tell where the program is (no `/proc`)",
    };
  }
  const isCompiled = options.isCompiled ?? Deno.build.standalone;
  const installed = installedProgram(cargoHome);
  if (!isCompiled) {
    // A launcher that `deno task install` has put there runs a checkout.
    return realPath(installed) === undefined
      ? {
        kind: "refused",
        reason: "this is a checkout, which cargo cannot start; " +
          "`deno task install` puts a program into cargo's folder",
      }
      : { kind: "program", path: installed, copyFrom: undefined };
  }
  if (!here) {
    const isThere = isSameContent(installed, executable);
    return {
      kind: "program",
      path: installed,
      copyFrom: isThere ? undefined : executable,
    };
  }
  const path = realPath(executable) ?? executable;
  const open = whoeverCanWrite(path);
  return open === undefined ? { kind: "program", path, copyFrom: undefined } : {
    kind: "refused",
    reason: `other users can write ${open}, and so what cargo would start`,
  };
}

/** Whether a file is another one, or can be run in its place. */
function isSameContent(one: string, other: string): boolean {
  const [path, otherPath] = [realPath(one), realPath(other)];
  if (path === undefined || otherPath === undefined) return false;
  if (path === otherPath) return true;
  const info = Deno.statSync(path);
  if (((permissionsOf(info) ?? 0o111) & 0o111) === 0) return false;
  if (info.size !== Deno.statSync(otherPath).size) return false;
  const bytes = Deno.readFileSync(path);
  return Deno.readFileSync(otherPath).every((byte, i) => byte === bytes[i]);
}

/** Copies the program; one that runs is replaced, not written to. */
export async function copyProgram(from: string, to: string): Promise<void> {
  using file = await Deno.open(from);
  await replaceFile(to, file.readable, { mode: 0o755, anyway: true });
}

/**
 * The file, or the folder above it, that somebody else can change. On Windows
 * nobody looks: programs lie below the user's own folder there.
 */
function whoeverCanWrite(path: string): string | undefined {
  if (Deno.build.os === "windows") return undefined;
  return [path, ...foldersAbove(path)].find((each) => {
    const { mode, uid } = Deno.statSync(each);
    const sticky = ((mode ?? 0) & 0o1000) !== 0 && each !== path;
    return ((mode ?? 0) & 0o022) !== 0 && !sticky ||
      uid !== 0 && uid !== Deno.uid();
  });
}

/**
 * The program on the Windows side of WSL: with it both sides have one store.
 * Windows' drives are where WSL mounts them by default.
 */
export function findWindowsProgram(
  env: Environment,
  users = "/mnt/c/Users",
): string | undefined {
  if (Deno.build.os !== "linux" || !env["WSL_DISTRO_NAME"]) return undefined;
  try {
    for (const { name } of Deno.readDirSync(users)) {
      const path = `${users}/${name}/.cargo/bin/cargo-credential-keyring.exe`;
      if (realPath(path) !== undefined) return path;
    }
  } catch {
    // No such drive.
  }
  return undefined;
}
