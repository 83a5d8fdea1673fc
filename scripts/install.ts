/**
 * Compiles the program and puts it into cargo's folder for programs:
 *
 * ```sh
 * deno task install [--setup]
 * ```
 *
 * Where there is no base to compile with, a launcher of this checkout is put
 * there. With `--setup` the program then makes itself cargo's provider.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { homeDirectory } from "../ffi/home_directory.ts";
import { cargoHome, currentDirectory } from "../src/cargo/home.ts";
import { compile } from "./compile.ts";
import { BaseError } from "./denort.ts";
import { writeLauncher } from "./launcher.ts";
import { print, printError } from "./print.ts";
import { TARGETS } from "./program.ts";

/** What was installed, and where. */
interface Installed {
  readonly path: string;
  /** Why it is no compiled program; `undefined` if it is one. */
  readonly launcherSince: string | undefined;
}

/**
 * Puts the program, or a launcher, into a folder. A program that is running
 * there is replaced, not written to.
 *
 * @param bin The folder; it is created.
 * @returns What was put there.
 */
export async function install(bin: string): Promise<Installed> {
  await Deno.mkdir(bin, { recursive: true });
  const target = TARGETS.find((target) => target === Deno.build.target);
  const work = await Deno.makeTempDir({ dir: bin, prefix: ".install-" });
  try {
    if (target === undefined) {
      throw new BaseError(`the program is not made for ${Deno.build.target}`);
    }
    const made = await compile({ target, directory: work });
    const path = `${bin}/${made.slice(work.length + 1)}`;
    await Deno.rename(made, path);
    return { path, launcherSince: undefined };
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    return { path: await writeLauncher(bin), launcherSince: error.message };
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function main(): Promise<number> {
  let known = true;
  const { setup, _: rest } = parseArgs(Deno.args, {
    boolean: ["setup"],
    unknown: () => known = false,
  });
  if (!known || rest.length > 0) {
    printError("usage: deno task install [--setup]");
    return 2;
  }
  const home = cargoHome(Deno.env.toObject(), currentDirectory(), {
    systemHome: await homeDirectory(),
  });
  if (home === undefined) {
    printError("error: cargo's home is not known: set `CARGO_HOME` or `HOME`");
    return 1;
  }
  const { path, launcherSince } = await install(`${home}/bin`);
  if (launcherSince === undefined) {
    print(`Installed ${path}`);
  } else {
    printError(`warning: ${launcherSince}`);
    print(
      `Installed ${path}, a launcher: it needs this checkout and this Deno`,
    );
  }
  if (!setup) {
    print("To make it cargo's provider: `cargo-credential-keyring setup`");
    return 0;
  }
  const { code } = await new Deno.Command(path, { args: ["setup"] }).spawn()
    .status;
  return code;
}

if (import.meta.main) Deno.exit(await main());
