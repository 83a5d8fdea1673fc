/**
 * The Windows build of Deno under Wine, on Debian: how the Windows parts are
 * tested where there is no Windows.
 *
 * ```sh
 * deno run -A tests/harness/wine.ts set-up          # downloads about 160 MB, once
 * deno run -A tests/harness/wine.ts test [FILE]...  # the tests that make sense there
 * deno run -A tests/harness/wine.ts run ARGUMENT... # deno.exe ARGUMENT...
 * ```
 *
 * Wine 10 is unpacked side by side, from Debian 13's packages on the mirror
 * that this machine already uses: nothing is installed, no root is needed, and
 * the C library of the machine is not touched. (Wine 8, Debian 12's own, cannot
 * run Deno.) It lies in `$CARGO_CREDENTIAL_KEYRING_WINE`, else in
 * `cargo-credential-keyring/wine` in the cache folder of the user.
 *
 * What passes here is no proof for Windows: `tests/windows/differences_test.ts`
 * lists what is known to be different.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { print } from "../../scripts/print.ts";
import {
  cacheFolder,
  DebianError,
  debianMirror,
  output,
  remove,
  unpackDebian,
} from "./debian.ts";

/** Raised with every change of what set-up does: what is there is made again. */
const RECIPE = 1;

const SUITE = "trixie";

/** Debian packages, and what each is for. */
const PACKAGES = [
  "libwine", // Wine's libraries, Unix and Windows side
  "wine64", // its loader and server
  "libz-mingw-w64", // zlib1.dll, which some of Wine's DLLs import
  "libc6", // Debian 13's C library, for Wine alone
  "libgcc-s1",
  "liblzma5",
  "libunwind8",
  "patchelf", // points Wine's programs at that C library
  "libstdc++6", // for patchelf
] as const;

/** What is tested there: there is no cargo. */
const ALL_TESTS = ["--ignore=tests/e2e", "tests"] as const;

/** What is tested from this side: what happens at the console of a program. */
const OUTSIDE_TESTS = ["tests/windows/console_under_wine.ts"] as const;

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A Windows that is ready to run Deno. */
export interface Wine {
  /** The folder that everything is in. */
  readonly folder: string;
  /** `deno.exe`, as Linux names it. */
  readonly deno: string;
  /** Wine's loader. */
  readonly loader: string;
  /** What Wine needs of the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a command is run under Wine. */
export interface RunInWineOptions {
  /** More environment variables; of this process's none is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads; empty if absent. */
  readonly stdin?: string;
  /** Its working directory, as Linux names it. */
  readonly cwd?: string;
  /**
   * After how many milliseconds it is ended.
   *
   * @default {120000}
   */
  readonly limit?: number;
}

/** What a command under Wine did. */
export interface WineResult {
  /** Its exit status. */
  readonly code: number;
  /** What it printed. */
  readonly stdout: string;
  /** What it printed on standard error. */
  readonly stderr: string;
}

/**
 * A path of this machine as a program under Wine has it.
 *
 * @param path An absolute path.
 * @returns The path on drive Z, which is `/`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { windowsPath } from "./wine.ts";
 *
 * assertEquals(windowsPath("/tmp/a.ts"), "Z:\\tmp\\a.ts");
 * ```
 */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

/**
 * Why there can be no Wine on this machine. It downloads nothing.
 *
 * @returns What is missing, in one sentence; `undefined` if nothing is.
 */
export async function whyNoWine(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    return "Windows programs run under Wine only on Linux on x86-64.";
  }
  for (const tool of ["apt-get", "dpkg-deb", "npm", "tar"]) {
    if (
      await output([tool, "--version"]).catch(() => undefined) !== undefined
    ) {
      continue;
    }
    return `The program ${tool} is missing: ${
      tool === "npm"
        ? "install npm; it fetches the Windows build of Deno."
        : "Wine is set up from Debian's packages."
    }`;
  }
  return await debianMirror() === undefined
    ? "No Debian mirror is among this machine's package sources (or " +
      "`apt-get update` has not been run yet): Wine is set up from Debian's " +
      "packages."
    : undefined;
}

/**
 * Gets Wine and the Windows build of Deno ready, if they are not.
 *
 * @returns What it takes to run programs there.
 * @throws {DebianError} If something is missing on this machine.
 */
export async function setUpWine(): Promise<Wine> {
  const folder = cacheFolder("wine");
  const wine = describeWine(folder);
  const recipe = `${RECIPE} ${SUITE} ${Deno.version.deno}\n`;
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  const ready = `${folder}/ready`;
  if (await Deno.readTextFile(ready).catch(() => "") !== recipe) {
    const missing = await whyNoWine();
    if (missing !== undefined) throw new DebianError(missing);
    await remove(ready);
    print(`Setting up Wine in ${folder}`);
    await unpackWine(folder);
    await unpackDeno(folder);
    await makePrefix(wine);
    await Deno.writeTextFile(ready, recipe);
  }
  await shareNpmPackages(folder);
  return wine;
}

/**
 * Runs `deno.exe`.
 *
 * @param args Its arguments; paths as Windows has them.
 * @param options Its environment, input and limit.
 * @returns What it did.
 * @throws {DebianError} If Wine cannot be set up.
 * @throws {Error} If the limit has passed.
 */
export async function runInWine(
  args: readonly string[],
  options: RunInWineOptions = {},
): Promise<WineResult> {
  const { env = {}, stdin = "", cwd = ROOT, limit = 120_000 } = options;
  const wine = await setUpWine();
  await using _ = await startSession(wine);
  const signal = AbortSignal.timeout(limit);
  const child = new Deno.Command(wine.loader, {
    args: [wine.deno, ...args],
    clearEnv: true,
    env: { ...wine.env, ...env },
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).spawn();
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    feed(child.stdin, stdin),
  ]);
  if (signal.aborted) {
    throw new Error(`deno.exe ${args.join(" ")} ran into the time limit`);
  }
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/**
 * Runs tests with the Windows build of Deno and passes on what it prints.
 *
 * @param files The test files, relative to this checkout; absent: all that
 * make sense under Wine.
 * @returns Deno's exit status.
 * @throws {DebianError} If Wine cannot be set up.
 */
export async function testInWine(files?: readonly string[]): Promise<number> {
  const wine = await setUpWine();
  await using _ = await startSession(wine);
  const tests = files ?? ALL_TESTS;
  await cachePackages();
  const { code } = await new Deno.Command(wine.loader, {
    args: [
      wine.deno,
      "test",
      "--allow-all",
      "--no-check",
      "--cached-only",
      "--frozen",
      ...tests,
    ],
    clearEnv: true,
    env: {
      ...wine.env,
      ...colors(),
    },
    cwd: ROOT,
    stdin: "null",
  }).spawn().status;
  if (code !== 0 || files !== undefined) return code;
  const outside = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", ...OUTSIDE_TESTS],
    env: colors(),
    cwd: ROOT,
    stdin: "null",
  }).spawn().status;
  return outside.code;
}

/** No colors where nobody sees them: the closing lines may be counted. */
function colors(): Record<string, string> {
  return Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" };
}

/** Puts what the tests import into this machine's cache of npm packages. */
async function cachePackages(): Promise<void> {
  const { imports }: { imports: Readonly<Record<string, string>> } = JSON.parse(
    await Deno.readTextFile(`${ROOT}deno.json`),
  );
  const packages = Object.values(imports)
    .filter((target) => target.startsWith("npm:"));
  await output([Deno.execPath(), "cache", "--quiet", ...packages], {
    cwd: ROOT,
  });
}

function describeWine(folder: string): Wine {
  const programs = `${folder}/rt/usr/lib/wine`;
  const loader = `${programs}/wine64`;
  return {
    folder,
    deno: `${folder}/deno/deno.exe`,
    loader,
    env: {
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      HOME: folder,
      LANG: "C.UTF-8",
      WINEPREFIX: `${folder}/prefix`,
      WINEARCH: "win64",
      WINEDEBUG: "-all",
      WINEDLLOVERRIDES: "mscoree,mshtml=",
      WINELOADER: loader,
      WINESERVER: `${programs}/wineserver64`,
      DENO_DIR: windowsPath(`${folder}/deno-dir`),
      DENO_NO_UPDATE_CHECK: "1",
    },
  };
}

async function unpackWine(folder: string): Promise<void> {
  const rt = `${folder}/rt`;
  await remove(rt);
  await unpackDebian(SUITE, PACKAGES, folder, rt);

  const libraries = `${rt}/usr/lib/x86_64-linux-gnu`;
  const linker = `${libraries}/ld-linux-x86-64.so.2`;
  const programs = `${rt}/usr/lib/wine`;
  for (const program of ["wine64", "wineserver64"]) {
    // RPATH: RUNPATH does not reach the libraries that Wine's own load.
    await output([
      linker,
      "--library-path",
      libraries,
      `${rt}/usr/bin/patchelf`,
      "--force-rpath",
      "--set-interpreter",
      linker,
      "--set-rpath",
      libraries,
      `${programs}/${program}`,
    ]);
  }
  // Debian's is a script with a path of its own in it.
  await remove(`${programs}/wineserver`);
  await Deno.symlink("wineserver64", `${programs}/wineserver`);
  await Deno.symlink(".", `${rt}/usr/share/wine/wine`);
  await Deno.copyFile(
    `${rt}/usr/x86_64-w64-mingw32/lib/zlib1.dll`,
    `${libraries}/wine/x86_64-windows/zlib1.dll`,
  );
}

async function unpackDeno(folder: string): Promise<void> {
  const name = `@deno/win32-x64@${Deno.version.deno}`;
  const directory = `${folder}/deno`;
  await remove(directory);
  await Deno.mkdir(directory);
  // npm checks the file against the registry's digest.
  const packed = await output(["npm", "pack", "--silent", name], {
    cwd: directory,
  });
  const archive = `${directory}/${packed.trim().split("\n").at(-1)}`;
  await output([
    "tar",
    "--extract",
    `--file=${archive}`,
    `--directory=${directory}`,
    "--strip-components=1",
  ]);
  await remove(archive);
}

async function makePrefix(wine: Wine): Promise<void> {
  const { folder, env, loader } = wine;
  const prefix = `${folder}/prefix`;
  const server = `${folder}/rt/usr/lib/wine/wineserver64`;
  await remove(prefix, `${folder}/deno-dir`);
  const system32 = `${prefix}/drive_c/windows/system32`;
  await Deno.mkdir(system32, { recursive: true });
  await Deno.copyFile(
    `${folder}/rt/usr/x86_64-w64-mingw32/lib/zlib1.dll`,
    `${system32}/zlib1.dll`,
  );
  await output([loader, "wineboot", "-i"], { env });
  await output([server, "-w"], { env });
  const version = await output([loader, windowsPath(wine.deno), "--version"], {
    env,
  });
  if (!version.startsWith(`deno ${Deno.version.deno}`)) {
    throw new DebianError(`deno.exe does not run under Wine: ${version}`);
  }
}

/**
 * Starts Wine's server and services, and keeps them. The first program would
 * start them itself, they would inherit its standard output, and who reads that
 * to its end would wait for them.
 */
async function startSession({ env, loader }: Wine): Promise<AsyncDisposable> {
  // The command interpreter: it greets, and stays until its input ends.
  const child = new Deno.Command(loader, {
    args: ["cmd"],
    clearEnv: true,
    env: { ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.getReader();
  await output.read();
  return {
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await child.status;
      await output.cancel();
    },
  };
}

/**
 * npm packages come from the cache of this machine's Deno, so that nothing is
 * downloaded twice and the registry is the one that npm was set up for.
 */
async function shareNpmPackages(folder: string): Promise<void> {
  const { npmCache }: { npmCache: string } = JSON.parse(
    await output([Deno.execPath(), "info", "--json"]),
  );
  const link = `${folder}/deno-dir/npm`;
  if (await Deno.readLink(link).catch(() => undefined) === npmCache) return;
  await Deno.mkdir(npmCache, { recursive: true });
  await Deno.mkdir(`${folder}/deno-dir`, { recursive: true });
  await remove(link);
  await Deno.symlink(npmCache, link);
}

async function feed(
  stream: WritableStream<Uint8Array<ArrayBuffer>>,
  input: string,
): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch (error) {
    // It ended without reading what it was given.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "set-up":
      print((await setUpWine()).folder);
      return 0;
    case "test":
      return await testInWine(rest.length === 0 ? undefined : rest);
    case "run": {
      const { code, stdout, stderr } = await runInWine(rest);
      await Deno.stdout.write(new TextEncoder().encode(stdout));
      await Deno.stderr.write(new TextEncoder().encode(stderr));
      return code;
    }
    default:
      print(
        "usage: deno run -A tests/harness/wine.ts set-up|test|run [ARGUMENT]...",
      );
      return 2;
  }
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof DebianError)) throw error;
    print(error.message);
    Deno.exit(1);
  }
}
