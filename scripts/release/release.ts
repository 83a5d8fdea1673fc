/** One file of a release, as the things that name it have it. */
export interface ReleaseFile {
  /** Deno's name of the system. */
  readonly target: string;
  /** The archive's name. */
  readonly archive: string;
  /** The archive's SHA-256, in hexadecimal digits. */
  readonly sha256: string;
}

/** What everything that is rendered is rendered from. */
export interface Release {
  readonly version: string;
  /** Where the archives can be read, without a last slash. */
  readonly baseUrl: string;
  readonly files: readonly ReleaseFile[];
}

/** Where the project lives, and its releases. */
export const HOMEPAGE =
  "https://github.com/cargo-credential-keyring/cargo-credential-keyring";

export const PROGRAM = "cargo-credential-keyring";

export const DESCRIPTION =
  "Keeps cargo's registry tokens in the system's credential store";

/** The archive of a system: what people there can open. */
export function archiveName(version: string, target: string): string {
  const ending = target.includes("windows") ? "zip" : "tar.gz";
  return `${PROGRAM}-${version}-${target}.${ending}`;
}

/** The file of a system; without it nothing can be rendered that names it. */
export function fileFor(release: Release, target: string): ReleaseFile {
  const file = release.files.find((file) => file.target === target);
  if (file === undefined) throw new Error(`there is no archive of ${target}`);
  return file;
}
