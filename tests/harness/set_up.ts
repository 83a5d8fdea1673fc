/**
 * Installs what the tests need and this machine lacks: Debian packages, when
 * run as root on Debian or Ubuntu. Elsewhere it says what is missing.
 *
 * ```sh
 * deno run -A tests/harness/set_up.ts
 * ```
 *
 * @module
 */
import { findToolchain } from "../support/cargo.ts";
import { findProgram } from "../support/requirements.ts";
import { print } from "../../scripts/print.ts";

/**
 * The Debian packages, and a program of each by which other systems are judged.
 */
const PACKAGES: Readonly<Record<string, string | undefined>> = {
  "age": "age", // another program's view of what is exported
  "bindfs": "bindfs", // a file system that counts as a network's
  "dbus-bin": "dbus-monitor", // what passes over the bus
  "dbus-daemon": "dbus-daemon", // the private session buses
  "fish": "fish", // completes
  "fuse3": "fusermount3", // its end
  "gcc": "cc", // small libraries that are preloaded, and stand-ins
  "git": "git", // the judge of what it tracks
  "gnome-keyring": "gnome-keyring-daemon", // a real Secret Service
  "keepassxc": undefined, // another one
  "libc6-dev": undefined,
  "libkf5wallet-bin": undefined, // KWallet, a third one
  "libqca-qt5-2-plugins": undefined, // what KWallet encrypts with
  "libsecret-1-0": undefined,
  "libsecret-tools": "secret-tool", // another program's view of the items
  "man-db": "man", // shows the manual page
  "mandoc": "mandoc", // judges it
  "shellcheck": "shellcheck", // judges the installer
  "openssh-sftp-server": undefined, // the other end of sshfs
  "python3": "python3", // terminals to type at
  "python3-gi": undefined, // a scripted prompter, and what tests ask of the bus
  "sshfs": "sshfs", // a folder that is another machine's
  "strace": "strace", // faults at chosen system calls
  "xdotool": undefined, // answers the dialogs of KWallet and KeePassXC
  "xvfb": undefined, // the screen that they are shown on
  "zsh": "zsh", // completes
};

/** What a machine lacks, and what to do about it. */
export class SetUpError extends Error {
  override name = "SetUpError";
}

/**
 * Installs what is missing, or says so. Does nothing when all is there.
 *
 * @param packages The Debian packages to have on Linux.
 * @returns When everything is there.
 * @throws {SetUpError} If something is missing and cannot be installed here.
 */
export async function setUp(
  packages: readonly string[] = Object.keys(PACKAGES),
): Promise<void> {
  if (Deno.build.os === "linux") {
    await install(await lacking(packages));
  }
  if (await findToolchain() !== undefined) return;
  const cargo = Deno.build.os === "linux" ? await cargoPackage() : undefined;
  if (cargo !== undefined) await install([cargo]);
  if (await findToolchain() === undefined) {
    throw new SetUpError(
      "cargo 1.74 or later is missing: install Rust from https://rustup.rs",
    );
  }
}

/** Which of the packages are not installed. */
async function lacking(packages: readonly string[]): Promise<string[]> {
  if (packages.length === 0) return [];
  const listed = await run([
    "dpkg-query",
    "--show",
    "--showformat=${Package} ${db:Status-Status}\n",
    ...packages,
  ]);
  if (listed === undefined) return await lackingElsewhere(packages);
  const installed = new Set(
    listed.stdout.split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return packages.filter((name) => !installed.has(name));
}

/** The same on a system without Debian's package manager. */
async function lackingElsewhere(
  packages: readonly string[],
): Promise<string[]> {
  for (const name of packages) {
    const program = PACKAGES[name];
    if (program !== undefined && await findProgram(program) === undefined) {
      throw new SetUpError(
        `${program} is missing; the tests need what these packages of Debian ` +
          `hold: ${packages.join(" ")}`,
      );
    }
  }
  return [];
}

async function install(packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  if (Deno.uid() !== 0) {
    throw new SetUpError(
      `Debian packages are missing. As root: apt-get install ${
        packages.join(" ")
      }`,
    );
  }
  print(`Installing ${packages.join(" ")}`);
  const command = [
    "apt-get",
    "install",
    "--yes",
    "--quiet",
    "--no-install-recommends",
    "--no-remove",
    ...packages,
  ];
  let result = await run(command);
  if (result?.code !== 0) {
    // The package lists may be old, or not there at all.
    await run(["apt-get", "update", "--quiet"]);
    result = await run(command);
  }
  if (result?.code !== 0) {
    throw new SetUpError(
      `${command.join(" ")} failed:\n${result?.stderr ?? "no apt-get"}`,
    );
  }
}

/**
 * Debian keeps a recent cargo for its browsers beside the release's own one:
 * the first that is recent enough.
 */
async function cargoPackage(): Promise<string | undefined> {
  if (Deno.uid() === 0) await run(["apt-get", "update", "--quiet"]);
  for (const name of ["cargo", "cargo-web"]) {
    const policy = await run(["apt-cache", "policy", name]);
    const match = /Candidate: (\d+)\.(\d+)/.exec(policy?.stdout ?? "");
    if (match === null) continue;
    const [, major, minor] = match;
    if (Number(major) > 1 || Number(major) === 1 && Number(minor) >= 74) {
      return name;
    }
  }
  return undefined;
}

/** Runs a command; `undefined` if there is no such program. */
async function run(
  command: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string } | undefined> {
  const [program = "", ...args] = command;
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  try {
    await setUp();
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    print(error.message);
    Deno.exit(1);
  }
}
