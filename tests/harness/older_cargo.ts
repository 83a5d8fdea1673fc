/**
 * A cargo that is older than this machine's, in a folder: what other people
 * have.
 *
 * ```sh
 * deno run -A tests/harness/older_cargo.ts # downloads about 20 MB, once
 * ```
 *
 * Debian 12's cargo 1.85 is unpacked from the mirror that this machine already
 * uses, with every library that it is linked with; nothing is installed. It
 * lies in `$CARGO_CREDENTIAL_KEYRING_OLDER_CARGO`, else in the cache folder of
 * the user. It compiles with this machine's `rustc`.
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

const SUITE = "bookworm";

const PACKAGES = [
  "cargo-web",
  "libbrotli1",
  "libc6",
  "libcom-err2",
  "libcurl4",
  "libffi8",
  "libgcc-s1",
  "libgit2-1.5",
  "libgmp10",
  "libgnutls30",
  "libgssapi-krb5-2",
  "libhogweed6",
  "libhttp-parser2.9",
  "libidn2-0",
  "libk5crypto3",
  "libkeyutils1",
  "libkrb5-3",
  "libkrb5support0",
  "libldap-2.5-0",
  "libmbedcrypto7",
  "libmbedtls14",
  "libmbedx509-1",
  "libnettle8",
  "libnghttp2-14",
  "libp11-kit0",
  "libpcre3",
  "libpsl5",
  "librtmp1",
  "libsasl2-2",
  "libsqlite3-0",
  "libssh2-1",
  "libssl3",
  "libtasn1-6",
  "libunistring2",
  "libzstd1",
  "zlib1g",
] as const;

/** Debian's names of the directories of libraries. */
const TRIPLETS = { x86_64: "x86_64-linux-gnu", aarch64: "aarch64-linux-gnu" };
const LOADERS = {
  x86_64: "ld-linux-x86-64.so.2",
  aarch64: "ld-linux-aarch64.so.1",
};

/**
 * Gets the older cargo ready, if it is not.
 *
 * @returns The program.
 * @throws {DebianError} If something is missing on this machine.
 */
export async function setUpOlderCargo(): Promise<string> {
  const folder = cacheFolder("older-cargo");
  const cargo = `${folder}/cargo`;
  const recipe = `${RECIPE} ${SUITE} ${folder}\n`;
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  const ready = `${folder}/ready`;
  if (await Deno.readTextFile(ready).catch(() => "") === recipe) return cargo;
  if (Deno.build.os !== "linux" || await debianMirror() === undefined) {
    throw new DebianError(
      "No Debian mirror is among this machine's package sources (or " +
        "`apt-get update` has not been run yet).",
    );
  }
  const root = `${folder}/root`;
  await remove(ready, root);
  await unpackDebian(SUITE, PACKAGES, folder, root);
  const libraries = TRIPLETS[Deno.build.arch];
  const directories = ["lib", "usr/lib"].map((path) =>
    `${root}/${path}/${libraries}`
  );
  const loader = `${directories[0]}/${LOADERS[Deno.build.arch]}`;
  // Its libraries are its own: they are not for what it starts.
  await Deno.writeTextFile(
    cargo,
    `#!/bin/sh\nexec '${loader}' --library-path '${directories.join(":")}' ` +
      `'${root}/usr/bin/cargo' "$@"\n`,
    { mode: 0o755 },
  );
  await output([cargo, "--version"]);
  await Deno.writeTextFile(ready, recipe);
  return cargo;
}

if (import.meta.main) {
  try {
    await Deno.stdout.write(
      new TextEncoder().encode(`${await setUpOlderCargo()}\n`),
    );
  } catch (error) {
    if (!(error instanceof DebianError)) throw error;
    await Deno.stderr.write(new TextEncoder().encode(`${error.message}\n`));
    Deno.exit(1);
  }
}
