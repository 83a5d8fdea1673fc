/**
 * Writes `cargo-credential-keyring` as a script that runs this checkout: what
 * the tests and `deno task try` give to cargo, and what to use by hand while
 * nothing is compiled:
 *
 * ```sh
 * deno run -A scripts/launcher.ts DIRECTORY
 * ```
 *
 * On Windows it is a `.cmd`, which cargo starts only if the provider's entry
 * names the whole path with its extension: a bare name is looked up as `.exe`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "./program.ts";

const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../mod.ts", import.meta.url));

/**
 * Writes the launcher, and puts what it imports into Deno's cache: it runs
 * under any `HOME` and never asks the network.
 *
 * @param directory Where to write it; it must exist.
 * @returns The launcher's path.
 */
export async function writeLauncher(directory: string): Promise<string> {
  await deno(["cache", "--quiet", "--config", CONFIG, PROGRAM]);
  const { denoDir }: { denoDir: string } = JSON.parse(
    await deno(["info", "--json"]),
  );
  const command = [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--cached-only", // needs the lock file: it names the packages' packages
    "--config",
    CONFIG,
    ...PERMISSIONS,
    PROGRAM,
  ];
  if (Deno.build.os === "windows") {
    const path = `${directory}\\cargo-credential-keyring.cmd`;
    const quoted = command.map((word) => `"${word}"`).join(" ");
    await Deno.writeTextFile(
      path,
      `@set "DENO_DIR=${denoDir}"\r\n@${quoted} %*\r\n`,
    );
    return path;
  }
  const path = `${directory}/cargo-credential-keyring`;
  await Deno.writeTextFile(
    path,
    `#!/bin/sh\nDENO_DIR=${quote(denoDir)} DENO_NO_UPDATE_CHECK=1 exec ${
      command.map(quote).join(" ")
    } "$@"\n`,
    { mode: 0o755 },
  );
  return path;
}

/**
 * Quotes a word for `sh`.
 *
 * @param word Any text without NUL.
 * @returns The word in single quotes.
 */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function deno(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`deno ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const [directory] = Deno.args;
  const out = new TextEncoder();
  if (directory === undefined) {
    Deno.stderr.writeSync(
      out.encode("usage: deno run -A scripts/launcher.ts DIRECTORY\n"),
    );
    Deno.exit(2);
  }
  Deno.stdout.writeSync(out.encode(`${await writeLauncher(directory)}\n`));
}
