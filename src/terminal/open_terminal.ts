import type { Terminal } from "./terminal.ts";

/**
 * The terminal of this system. Nothing is opened and no library loaded before
 * a question about it is asked.
 */
export async function openTerminal(): Promise<Terminal> {
  if (Deno.build.os === "windows") {
    const { WindowsTerminal } = await import("./windows_terminal.ts");
    return new WindowsTerminal();
  }
  const { PosixTerminal } = await import("./posix_terminal.ts");
  return new PosixTerminal();
}
