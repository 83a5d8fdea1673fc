import { foldersAbove, type PathStyle, resolvePath } from "../base/paths.ts";
import { isAbsence, readSmallFile } from "../base/files.ts";
import { type FileSystem, fileSystemKind } from "../../ffi/statfs.ts";
import { findSandbox } from "../base/sandbox.ts";
import { isCi } from "../terminal/person.ts";
import type { EligibilityFacts, FileFacts } from "./eligibility.ts";
import { isInIndex } from "./git_index.ts";

/** One line, and a path is no longer than that. */
const MAX_GIT_FILE_BYTES = 8 * 1024;

/** What {@linkcode gatherSurroundings} finds out. */
export type Surroundings = Pick<
  EligibilityFacts,
  "file" | "sudo" | "sandbox" | "container" | "ci"
>;

/** Where to look. */
export interface SurroundingsOptions {
  /** The credentials file that cargo reads. */
  readonly credentialsPath: string;
  /** Cargo's home. */
  readonly cargoHome: string;
  /** The environment, whole. */
  readonly env: Readonly<Record<string, string>>;
  /** The operating system. */
  readonly os: typeof Deno.build.os;
  /**
   * Where `/.dockerenv` and its like are looked for.
   *
   * @default {""}
   */
  readonly root?: string;
  /**
   * Tells on what kind of file system a path is (on Windows: whether its drive
   * is a fixed one).
   *
   * @default {fileSystemKind}
   */
  readonly fileSystemOf?: (path: string) => Promise<FileSystem>;
}

/**
 * Gathers the facts that decide whether a token may leave the credentials
 * file, as far as they lie in the system. It opens nothing that could block,
 * asks nobody, and takes what it cannot find out for the worse.
 */
export async function gatherSurroundings(
  options: SurroundingsOptions,
): Promise<Surroundings> {
  const { env } = options;
  // Both are Linux's alone.
  const isLinux = options.os === "linux";
  const [file, sandbox, container] = await Promise.all([
    gatherFile(options),
    isLinux ? findSandbox((name) => env[name], options.root) : undefined,
    isLinux ? findContainer(options) : "none" as const,
  ]);
  return {
    file,
    sandbox: sandbox?.kind ?? "none",
    container,
    sudo: isSudo(env),
    ci: isCi(env["CI"]),
  };
}

async function gatherFile(options: SurroundingsOptions): Promise<FileFacts> {
  const { credentialsPath: path, os } = options;
  const fileSystemOf = options.fileSystemOf ?? fileSystemKind;
  const [info, trackedIn, fileSystem] = await Promise.all([
    statOrNone(path),
    findTracking(path, os === "windows" ? "windows" : "unix"),
    fileSystemOf(path),
  ]);
  const isRegular = info?.isFile ?? false;
  return {
    path,
    isRegular,
    // Windows has no owner of this kind, and counts no links here.
    isOurs: info !== undefined &&
      (info.uid === null || info.uid === Deno.uid()),
    isWritable: isRegular && await opensForWriting(path),
    links: info?.nlink ?? 1,
    fileSystem,
    trackedIn,
  };
}

/** Asks the system: mode bits know nothing of read-only mounts and ACLs. */
async function opensForWriting(path: string): Promise<boolean> {
  try {
    using _ = await Deno.open(path, { write: true });
    return true;
  } catch {
    return false;
  }
}

/** The nearest work tree whose index lists the file, or a link to it. */
async function findTracking(
  path: string,
  style: PathStyle,
): Promise<string | "none"> {
  const real = await Deno.realPath(path).catch(() => path);
  for (const start of new Set([path, real])) {
    for (const folder of foldersAbove(start, style)) {
      const index = await findIndex(folder, style);
      if (index === "none") continue;
      const inside = start.slice(folder.length).replaceAll("\\", "/")
        .replace(/^\//, "");
      if (isInIndex(index, inside)) return folder;
    }
  }
  return "none";
}

/** The index of the work tree that has this folder on top. */
async function findIndex(
  folder: string,
  style: PathStyle,
): Promise<string | "none"> {
  const git = resolvePath(folder, ".git", style);
  if (!await exists(git)) return "none";
  // A worktree or submodule has a file there that says where its folder is.
  const file = readSmallFile(git, { maxBytes: MAX_GIT_FILE_BYTES });
  const link = file.kind === "read"
    ? /^gitdir: (.+)/.exec(new TextDecoder().decode(file.bytes))?.[1]
    : undefined;
  const place = link === undefined ? git : resolvePath(folder, link, style);
  return resolvePath(place, "index", style);
}

/**
 * Whether the program was started with another user's rights: what that user's
 * session holds, the keyring above all, is not the session's of this one.
 */
function isSudo(env: Readonly<Record<string, string>>): boolean {
  const uid = Deno.uid();
  if (uid === null) return false;
  return ["SUDO_UID", "PKEXEC_UID"].some((name) =>
    env[name] !== undefined && env[name] !== String(uid)
  ) || env["DOAS_USER"] !== undefined;
}

/**
 * The container, by the marker of Docker, of Podman, or of systemd's container
 * interface (`container`), and whose home it has: a toolbox shares the user's
 * whole home, keyrings included, where a build container has one folder mounted
 * in.
 */
async function findContainer(
  { env, cargoHome, credentialsPath, root = "" }: SurroundingsOptions,
): Promise<EligibilityFacts["container"]> {
  const [docker, podman] = await Promise.all([
    exists(`${root}/.dockerenv`),
    exists(`${root}/run/.containerenv`),
  ]);
  if (!docker && !podman && (env["container"] ?? "") === "") return "none";
  const keyrings = keyringsFolder(env);
  const [folder, home, file] = await Promise.all([
    keyrings === undefined ? undefined : statOrNone(keyrings),
    statOrNone(cargoHome),
    // A single file can be mounted too.
    statOrNone(credentialsPath),
  ]);
  return folder !== undefined && folder.dev === home?.dev &&
      folder.dev === file?.dev
    ? "own-home"
    : "foreign-home";
}

/** Where gnome-keyring keeps its files (XDG Base Directory Specification). */
function keyringsFolder(
  env: Readonly<Record<string, string>>,
): string | undefined {
  const data = env["XDG_DATA_HOME"] ?? "";
  // A relative path is invalid there, and is ignored.
  if (data.startsWith("/")) return `${data}/keyrings`;
  const home = env["HOME"] ?? "";
  return home === "" ? undefined : `${home}/.local/share/keyrings`;
}

async function statOrNone(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch {
    return undefined;
  }
}

/** Whatever cannot be looked at may be there. */
async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    return !isAbsence(error);
  }
}
