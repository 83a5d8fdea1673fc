/**
 * A status line as cargo prints them (cargo: `src/cargo/core/shell.rs`): the
 * verb right-aligned in twelve columns.
 */
export function statusLine(verb: string, text: string): string {
  return `${verb.padStart(12)} ${text}`;
}
