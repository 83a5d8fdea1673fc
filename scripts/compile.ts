/**
 * Makes the executable that people download:
 *
 * ```sh
 * deno task compile [--target TARGET]…
 * ```
 *
 * It lies in `dist/TARGET/` afterwards. The base that Deno adds the program to
 * (`denort`) comes from `DENORT_BIN`, from Deno's cache, or from Deno's release
 * server, where its published SHA-256 is checked before it is used. The same
 * sources and the same base give the same bytes.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fileURLToPath } from "node:url";
import { type Base, BaseError, provideBase } from "./denort.ts";
import { print, printError } from "./print.ts";
import { regroup } from "./regroup.ts";
import { PERMISSIONS, type Target, TARGETS } from "./program.ts";

/** What stands in the sources for the commit. */
const COMMIT_PLACE = "@commit@";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** What {@linkcode compile} makes, and where. */
export interface CompileOptions {
  /** The system that it is for. */
  readonly target: Target;
  /** The folder that the executable is written to. */
  readonly directory: string;
  /** The base; absent: where {@linkcode provideBase} finds one. */
  readonly denortBin?: string;
}

/**
 * Compiles the program for one system.
 *
 * @param options What to make.
 * @returns The executable's path.
 * @throws {BaseError} If there is no base to add the program to.
 */
export async function compile(options: CompileOptions): Promise<string> {
  const { target, directory, denortBin } = options;
  const base = await provideBase(
    target,
    denortBin === undefined ? {} : { denortBin },
  );
  const work = await Deno.makeTempDir({ prefix: "compile-" });
  try {
    // In chunks, so that a `get` parses its own part alone. Never minified: the
    // minifier of Deno 2.9 drops `using` declarations.
    await deno(ROOT, [
      "bundle",
      "--quiet",
      "--code-splitting",
      `--outdir=${work}/bundle`,
      "mod.ts",
    ]);
    await regroup(`${work}/bundle`, `${work}/chunks`);
    await writeCommit(`${work}/chunks`);
    await setTimes(`${work}/chunks`);
    await Deno.mkdir(directory, { recursive: true });
    const windows = target.includes("windows");
    const output = `${directory}/cargo-credential-keyring${
      windows ? ".exe" : ""
    }`;
    await compileFolder(`${work}/chunks`, target, output, base);
    return output;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Puts the commit where `src/cli/program.ts` has a place for it. */
async function writeCommit(folder: string): Promise<void> {
  const commit = await commitOf(ROOT);
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const text = await Deno.readTextFile(path);
    if (text.includes(COMMIT_PLACE)) {
      await Deno.writeTextFile(path, text.replace(COMMIT_PLACE, commit));
    }
  }
}

/** The commit of a checkout; `unknown` without git, as in an archive. */
async function commitOf(checkout: string): Promise<string> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["describe", "--always", "--abbrev=9", "--dirty", "--exclude=*"],
      cwd: checkout,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

/**
 * Compiles a program that does nothing: what Deno itself takes.
 *
 * @param directory The folder that the executable is written to.
 * @returns The executable's path.
 * @throws {BaseError} If there is no base to add the program to.
 */
export async function compileEmpty(directory: string): Promise<string> {
  const target = TARGETS.find((each) => each === Deno.build.target);
  if (target === undefined) throw new BaseError("no such target");
  const base = await provideBase(target);
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${directory}/mod.js`, "");
  await compileFolder(directory, target, `${directory}/empty`, base);
  return `${directory}/empty`;
}

async function compileFolder(
  folder: string,
  target: Target,
  output: string,
  base: Base,
): Promise<void> {
  await deno(folder, [
    "compile",
    "--quiet",
    "--no-check",
    "--no-code-cache",
    // A process of 30 ms has nothing for a compiler of its own to do.
    "--v8-flags=--single-threaded",
    "--no-prompt",
    "--no-npm",
    "--no-remote",
    "--no-config",
    "--no-lock",
    ...PERMISSIONS,
    `--target=${target}`,
    `--output=${output}`,
    "mod.js",
  ], base.env);
}

/** Deno writes the files' times into the executable. */
async function setTimes(folder: string): Promise<void> {
  const seconds = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? 0);
  for await (const { name } of Deno.readDir(folder)) {
    await Deno.utime(`${folder}/${name}`, seconds, seconds);
  }
}

async function deno(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new BaseError(
      `deno ${args[0]} failed:\n${new TextDecoder().decode(stderr).trim()}`,
    );
  }
}

async function main(): Promise<number> {
  let known = true;
  const { target: given, _: rest } = parseArgs(Deno.args, {
    string: ["target"],
    collect: ["target"],
    unknown: () => known = false,
  });
  const named = given.length === 0 ? [Deno.build.target] : given;
  const targets = TARGETS.filter((target) => named.includes(target));
  if (!known || targets.length < new Set(named).size || rest.length > 0) {
    printError(
      "usage: deno task compile [--target TARGET]…\n" +
        `targets: ${TARGETS.join(", ")}`,
    );
    return 2;
  }
  for (const target of targets) {
    try {
      const directory = `${ROOT}dist/${target}`;
      print(await compile({ target, directory }));
    } catch (error) {
      if (!(error instanceof BaseError)) throw error;
      printError(`error: ${error.message}`);
      return 1;
    }
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());
