/**
 * Kernel keys from outside the program. Needs Python 3 and Linux.
 *
 * @module
 */

import { findProgram, missing } from "./requirements.ts";

const HELPER = new URL("./kernel_keys.py", import.meta.url).pathname;

/**
 * An index URL that no other test and no user has, so that nobody's keys are
 * touched.
 *
 * @returns The URL.
 */
export function uniqueIndexUrl(): string {
  return `sparse+https://${crypto.randomUUID()}.example/index/`;
}

/**
 * Runs `tests/support/kernel_keys.py`, which says what it can do.
 *
 * @param args The helper's arguments.
 * @param options How it is started.
 * @returns What came of it.
 */
export async function kernelKeys(
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "clearEnv" | "env" | "cwd"> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const python = await findProgram("python3") ??
    missing("python3", "apt-get install python3");
  const { code, stdout, stderr } = await new Deno.Command(python, {
    ...options,
    args: [HELPER, ...args],
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
