const encoder = new TextEncoder();

function write(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = encoder.encode(`${text}\n`);
  for (let sent = 0; sent < bytes.length;) {
    sent += stream.writeSync(bytes.subarray(sent));
  }
}

/**
 * Prints a line on standard output.
 *
 * @param text The line, without its ending.
 */
export function print(text: string): void {
  try {
    write(Deno.stdout, text);
  } catch (error) {
    // `… | head` has read enough.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/**
 * Prints a line on standard error. If nobody can read it, that is no failure
 * of what it tells about.
 *
 * @param text The line, without its ending.
 */
export function printError(text: string): void {
  try {
    write(Deno.stderr, text);
  } catch {
    // Closed, or a full disk behind it.
  }
}
