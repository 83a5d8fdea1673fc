import type { Terminal } from "./terminal.ts";

/** Asks a question on the terminal; whatever is no clear yes is a no. */
export async function confirm(
  terminal: Terminal,
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await terminal.prompt(`${question} [y/N] `, {
    signal,
    echo: true,
  });
  return answer.kind === "line" &&
    /^y(es)?$/i.test(answer.line.reveal().trim());
}
