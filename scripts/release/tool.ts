/** A tool that is missing, or has failed. */
export class ToolError extends Error {
  override name = "ToolError";
}

/**
 * Runs a tool.
 *
 * @param command The tool and its arguments.
 * @param env More of the environment.
 * @returns What it printed.
 * @throws {ToolError} If it fails or is not there.
 */
export async function output(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [tool = "", ...args] = command;
  const decoder = new TextDecoder();
  try {
    const { success, stdout, stderr } = await new Deno.Command(tool, {
      args,
      env: { NO_COLOR: "1", LC_ALL: "C.UTF-8", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    if (success) return decoder.decode(stdout);
    throw new ToolError(`${tool} failed:\n${decoder.decode(stderr).trim()}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new ToolError(`${tool} is missing`);
    }
    throw error;
  }
}
