import { readSmallFile } from "../base/files.ts";
import { joinPath } from "../base/paths.ts";
import type { Environment } from "../cargo/home.ts";

/** A toolchain that rustup has installed. */
export interface Toolchain {
  readonly name: string;
  /** Of cargo: major and minor. */
  readonly version: readonly [number, number];
  /** Whether it is the one that runs where nothing else is said. */
  readonly isUsed: boolean;
}

/** What came with a toolchain: a megabyte in 2026. */
const MAX_MANIFEST_BYTES = 8 * 1024 * 1024;
const MAX_SETTINGS_BYTES = 64 * 1024;

/**
 * The toolchains of rustup with cargo's version, by the manifests that rustup
 * keeps of them: no process is started. Whatever is not known is left out, and
 * so is a cargo that rustup has not installed: it leaves its version nowhere
 * but in itself.
 *
 * @param userHome The user's home, for `.rustup` in it.
 */
export function findToolchains(
  env: Environment,
  userHome: string | undefined,
): Toolchain[] {
  const named = env["RUSTUP_HOME"] ?? "";
  const home = named !== ""
    ? named
    : userHome === undefined
    ? undefined
    : joinPath(userHome, ".rustup");
  if (home === undefined) return [];
  const folder = joinPath(home, "toolchains");
  const used = usedToolchain(env, home);
  return namesIn(folder).flatMap((name): Toolchain[] => {
    const version = versionOf(joinPath(folder, name)) ?? versionIn(name);
    if (version === undefined) return [];
    // `stable` stands for `stable-x86_64-unknown-linux-gnu`.
    const isUsed = used !== undefined &&
      (name === used || name.startsWith(`${used}-`));
    return [{ name, version, isUsed }];
  });
}

function usedToolchain(env: Environment, home: string): string | undefined {
  const set = env["RUSTUP_TOOLCHAIN"] ?? "";
  if (set !== "") return set;
  const text = textOf(joinPath(home, "settings.toml"), MAX_SETTINGS_BYTES);
  return /^default_toolchain *= *"([^"]+)"/m.exec(text)?.[1];
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch {
    return []; // no rustup, or none that we may look into
  }
}

/**
 * The version in the manifest. Cargo's own number is 0.98 for 1.97 there, as
 * for a library, in all that are not stable; that of Rust is the same as
 * `cargo --version` shows.
 */
function versionOf(
  toolchain: string,
): readonly [number, number] | undefined {
  const path = joinPath(
    toolchain,
    "lib/rustlib/multirust-channel-manifest.toml",
  );
  const text = textOf(path, MAX_MANIFEST_BYTES);
  const found = /^\[pkg\.rust\]\r?\nversion = "(\d+)\.(\d+)\./m.exec(text);
  return toVersion(found);
}

/** `1.73.0-x86_64-unknown-linux-gnu`. */
function versionIn(name: string): readonly [number, number] | undefined {
  return toVersion(/^(\d+)\.(\d+)(?:\.\d+)?(?:-|$)/.exec(name));
}

function toVersion(
  match: RegExpExecArray | null,
): readonly [number, number] | undefined {
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

/** Empty if it cannot be read. */
function textOf(path: string, maxBytes: number): string {
  const file = readSmallFile(path, { maxBytes });
  return file.kind === "read" ? new TextDecoder().decode(file.bytes) : "";
}
