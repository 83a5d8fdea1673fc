/**
 * Fails with a sentence that names what is missing. A test whose needs are not
 * met must not pass, and must not be ignored in silence.
 *
 * @param what What is missing, as a person would say it.
 * @param remedy How to get it.
 * @returns Never.
 * @throws {Error} Always.
 *
 * @example
 * ```ts ignore
 * const python = await findProgram("python3") ??
 *   missing("python3", "apt-get install python3");
 * ```
 */
export function missing(what: string, remedy: string): never {
  throw new Error(
    `This test needs ${what}: ${remedy}, or run tests/harness/set_up.ts.`,
  );
}

/**
 * Where a program is, as `PATH` has it.
 *
 * @param name The program's name, without a path; `.exe` is added on Windows.
 * @param path The directories to look in, absent: the environment's `PATH`.
 * @returns Its path, `undefined` if there is none.
 */
export async function findProgram(
  name: string,
  path: string = Deno.env.get("PATH") ?? "",
): Promise<string | undefined> {
  const windows = Deno.build.os === "windows";
  for (const directory of path.split(windows ? ";" : ":")) {
    if (directory === "") continue;
    const file = windows ? `${directory}\\${name}.exe` : `${directory}/${name}`;
    const info = await Deno.stat(file).catch(() => null);
    if (info?.isFile && (windows || ((info.mode ?? 0) & 0o111) !== 0)) {
      return file;
    }
  }
  return undefined;
}
