import { DESCRIPTION, HOMEPAGE, PROGRAM } from "./release.ts";
import { output } from "./tool.ts";

/** What Debian calls a processor, by Deno's name of the system. */
export const DEB_ARCHITECTURES: Readonly<Partial<Record<string, string>>> = {
  "x86_64-unknown-linux-gnu": "amd64",
  "aarch64-unknown-linux-gnu": "arm64",
};

/** What a Debian package is built from. */
export interface DebOptions {
  readonly version: string;
  readonly architecture: string;
  /** The executable. */
  readonly program: string;
  /** The folder with `man` and `completions`. */
  readonly documents: string;
  /** The folder with the licences, with a last slash. */
  readonly licences: string;
  /** A folder to build in; it must not exist. */
  readonly work: string;
  /** Where the package is written. */
  readonly out: string;
}

/** Builds a Debian package: files alone, nothing that runs at installation. */
export async function buildDeb(options: DebOptions): Promise<void> {
  const { version, architecture, work } = options;
  const doc = `usr/share/doc/${PROGRAM}`;
  const files: readonly (readonly [string, string, number])[] = [
    [options.program, `usr/bin/${PROGRAM}`, 0o755],
    [
      `${options.documents}/man/${PROGRAM}.1`,
      `usr/share/man/man1/${PROGRAM}.1`,
      0o644,
    ],
    [
      `${options.documents}/completions/${PROGRAM}.bash`,
      `usr/share/bash-completion/completions/${PROGRAM}`,
      0o644,
    ],
    [
      `${options.documents}/completions/_${PROGRAM}`,
      `usr/share/zsh/vendor-completions/_${PROGRAM}`,
      0o644,
    ],
    [
      `${options.documents}/completions/${PROGRAM}.fish`,
      `usr/share/fish/vendor_completions.d/${PROGRAM}.fish`,
      0o644,
    ],
    [`${options.licences}LICENSE-MIT`, `${doc}/LICENSE-MIT`, 0o644],
    [`${options.licences}LICENSE-APACHE`, `${doc}/LICENSE-APACHE`, 0o644],
  ];
  let kilobytes = 0;
  for (const [from, to, mode] of files) {
    const path = `${work}/${to}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(from, path);
    await Deno.chmod(path, mode);
    kilobytes += Math.ceil((await Deno.stat(path)).size / 1024);
  }
  const man = `${work}/usr/share/man/man1/${PROGRAM}.1`;
  await output(["gzip", "-9n", man]);
  await Deno.writeTextFile(
    `${work}/${doc}/copyright`,
    `Upstream-Name: ${PROGRAM}\nSource: ${HOMEPAGE}\n` +
      "License: MIT or Apache-2.0, in the files beside this one.\n",
  );
  await Deno.mkdir(`${work}/DEBIAN`);
  await Deno.writeTextFile(
    `${work}/DEBIAN/control`,
    `Package: ${PROGRAM}
Version: ${version}
Architecture: ${architecture}
Maintainer: ${PROGRAM} maintainers <noreply@github.com>
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.27), libgcc-s1
Recommends: libsecret-1-0
Section: devel
Priority: optional
Homepage: ${HOMEPAGE}
Description: ${DESCRIPTION}
 A credential provider for cargo 1.74 and later. \`${PROGRAM} setup\`
 makes it cargo's provider, for one user.
`,
  );
  await output([
    "dpkg-deb",
    "--root-owner-group",
    "-Zxz",
    "--build",
    work,
    `${options.out}/${PROGRAM}_${version}_${architecture}.deb`,
  ], { SOURCE_DATE_EPOCH: Deno.env.get("SOURCE_DATE_EPOCH") ?? "0" });
}
