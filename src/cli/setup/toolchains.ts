import { joinPath } from "../../base/paths.ts";
import type { Environment } from "../../cargo/home.ts";

/** The first cargo that asks credential providers. */
const FIRST_MINOR = 74;

/**
 * The toolchains of rustup whose cargo asks no provider, as far as their
 * folders' names say a version: `stable` and `nightly` say none.
 */
export function oldToolchains(env: Environment): string[] {
  const home = env["RUSTUP_HOME"] ||
    joinPath(env["HOME"] ?? env["USERPROFILE"] ?? "", ".rustup");
  try {
    return [...Deno.readDirSync(joinPath(home, "toolchains"))]
      .map(({ name }) => name)
      .filter((name) => {
        const minor = /^1\.(\d+)(?:\.\d+)?-/.exec(name)?.[1];
        return minor !== undefined && Number(minor) < FIRST_MINOR;
      })
      .sort();
  } catch {
    // No rustup: then nobody knows without starting a cargo.
    return [];
  }
}
