import project from "../../deno.json" with { type: "json" };

/** What the program is called, also as a package. */
export const PROGRAM = "cargo-credential-keyring";

/** The version, which stands in `deno.json` alone. */
export const VERSION = project.version;

/** What it does, without a final stop. */
export const SUMMARY =
  "Keeps cargo's registry tokens in the system's credential store";

/** The commit: `scripts/compile.ts` writes it in its place. */
const COMMIT = "@commit@";

/** What `--version` prints: what a report of a bug needs. */
export function versionText(): string {
  const commit = COMMIT.startsWith("@") ? "not compiled" : COMMIT;
  return `${PROGRAM} ${VERSION} (${commit}) ${Deno.build.target}, ` +
    `Deno ${Deno.version.deno}`;
}
