import type { Session } from "./session.ts";

/** A parsed command line: it does what was asked for. */
export type Run = (session: Session) => Promise<number>;

/** Options that do not go together; the message says which. */
export class UsageError extends Error {
  override name = "UsageError";
}
