/**
 * A status line as cargo prints them (cargo: `src/cargo/core/shell.rs`): the
 * verb right-aligned in twelve columns.
 *
 * @param verb What was done: `Login`.
 * @param text What it was done to.
 * @returns The line.
 */
export function statusLine(verb: string, text: string): string {
  return `${verb.padStart(12)} ${text}`;
}
