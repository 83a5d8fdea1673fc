/**
 * The credential service of a real systemd, in a folder: the tests have one
 * whatever systemd the machine has, and nobody's own is touched.
 *
 * ```sh
 * deno run -A tests/harness/systemd.ts # downloads about 13 MB, once
 * ```
 *
 * Debian 13's systemd 257 is unpacked from the mirror that this machine already
 * uses; nothing is installed. It lies in `$CARGO_CREDENTIAL_KEYRING_SYSTEMD`,
 * else in `cargo-credential-keyring/systemd` in the cache folder of the user.
 * To run it takes root, since it takes `chroot`.
 *
 * @module
 */

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

/** Two programs of systemd, and every library that they are linked with. */
const PACKAGES = [
  "systemd",
  "libsystemd-shared",
  "libacl1",
  "libapparmor1",
  "libaudit1",
  "libblkid1",
  "libc6",
  "libcap-ng0",
  "libcap2",
  "libcrypt1",
  "libgcc-s1",
  "libmount1",
  "libpam0g",
  "libpcre2-8-0",
  "libseccomp2",
  "libselinux1",
  "libssl3t64",
  "libsystemd0",
  "libzstd1",
  "zlib1g",
] as const;

/** What no test needs; each service gets a copy of the rest. */
const SUPERFLUOUS = ["usr/share", "usr/lib/systemd", "var/lib"] as const;

/**
 * Why there can be no real systemd on this machine. It downloads nothing.
 *
 * @returns What is missing, in one sentence; `undefined` if nothing is.
 */
export async function whyNoSystemd(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "systemd is Linux's.";
  if (Deno.uid() !== 0) return "Its folder is entered with chroot, as root.";
  for (const tool of ["apt-get", "dpkg-deb", "chroot"]) {
    const found = await output([tool, "--version"]).catch(() => undefined);
    if (found === undefined) return `The program ${tool} is missing.`;
  }
  return await debianMirror() === undefined
    ? "No Debian mirror is among this machine's package sources (or " +
      "`apt-get update` has not been run yet)."
    : undefined;
}

/**
 * Gets the folder ready, if it is not.
 *
 * @returns The folder with systemd in it; not to be changed.
 * @throws {DebianError} If something is missing on this machine.
 */
export async function setUpSystemd(): Promise<string> {
  const folder = cacheFolder("systemd");
  const root = `${folder}/root`;
  const recipe = `${RECIPE} ${SUITE}\n`;
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  const ready = `${folder}/ready`;
  if (await Deno.readTextFile(ready).catch(() => "") === recipe) return root;
  const missing = await whyNoSystemd();
  if (missing !== undefined) throw new DebianError(missing);
  await remove(ready, root);
  await unpack(folder, root);
  await Deno.writeTextFile(ready, recipe);
  return root;
}

async function unpack(folder: string, root: string): Promise<void> {
  await unpackDebian(SUITE, PACKAGES, folder, root);
  await remove(...SUPERFLUOUS.map((path) => `${root}/${path}`));
  // What the packages' scripts would have made.
  for (const name of ["bin", "lib", "lib64"]) {
    await Deno.symlink(`usr/${name}`, `${root}/${name}`).catch(() => {});
  }
  for (const name of ["etc", "run/systemd", "tmp", "var/lib/systemd"]) {
    await Deno.mkdir(`${root}/${name}`, { recursive: true });
  }
  // A child of mkdtemp(3) is closed to others, and other users ask, too.
  await Deno.chmod(root, 0o755);
  await output(["chroot", root, "/usr/bin/systemd-creds", "--version"]);
}

if (import.meta.main) {
  try {
    await Deno.stdout.write(
      new TextEncoder().encode(`${await setUpSystemd()}\n`),
    );
  } catch (error) {
    if (!(error instanceof DebianError)) throw error;
    await Deno.stderr.write(new TextEncoder().encode(`${error.message}\n`));
    Deno.exit(1);
  }
}
