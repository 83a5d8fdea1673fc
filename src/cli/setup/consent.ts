import type { SetupArguments } from "../commands/setup.ts";
import { type CommandSession, SessionError } from "../session.ts";

/** Whether what was shown is done. */
export type Consent =
  | "given"
  | "dry-run"
  /** Nobody was asked: what is missing stands in the report. */
  | "needs-yes";

/** Asks whether to go on; whoever says no ends the command. */
export async function askConsent(
  args: SetupArguments,
  session: CommandSession,
): Promise<Consent> {
  if (args.dryRun) return "dry-run";
  if (args.yes) return "given";
  if (args.json) return "needs-yes";
  if (!await session.isPersonPresent()) {
    throw new SessionError(
      "nobody is there to confirm this; `--yes` confirms it",
    );
  }
  if (!await session.confirm("Go on?")) {
    throw new SessionError("nothing was changed");
  }
  return "given";
}

/** A question that only a person answers; nobody there is a no. */
export async function wants(
  args: SetupArguments,
  session: CommandSession,
  question: string,
): Promise<boolean> {
  return !args.yes && !args.dryRun && !args.json &&
    await session.isPersonPresent() && await session.confirm(question);
}
