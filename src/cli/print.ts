const encoder = new TextEncoder();

function write(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = encoder.encode(`${text}\n`);
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += stream.writeSync(bytes.subarray(sent));
    }
  } catch (error) {
    // `… | head` has read enough.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/**
 * Prints a line on standard output.
 *
 * @param text The line, without its ending.
 */
export function print(text: string): void {
  write(Deno.stdout, text);
}

/**
 * Prints a line on standard error.
 *
 * @param text The line, without its ending.
 */
export function printError(text: string): void {
  write(Deno.stderr, text);
}
