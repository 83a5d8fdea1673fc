import { writeLauncher } from "../../scripts/launcher.ts";

/** Names the compiled program where there is one: see `tests/harness/run.ts`. */
export const PROGRAM_VARIABLE = "CARGO_CREDENTIAL_KEYRING_TESTS_PROGRAM";

/**
 * The program under test: the compiled one, or a launcher of this checkout
 * where nothing could be compiled, or where a test is run by itself.
 *
 * @param directory Where a launcher may be written.
 * @returns Its path; the file is called `cargo-credential-keyring`.
 */
export async function programUnderTest(directory: string): Promise<string> {
  return Deno.env.get(PROGRAM_VARIABLE) ?? await writeLauncher(directory);
}
