import type { CommandSession } from "./session.ts";

/** A parsed command line: it does what was asked for. */
export type Run = (session: CommandSession) => Promise<number>;

/** Options that do not go together; the message says which. */
export class UsageError extends Error {
  override name = "UsageError";
}
