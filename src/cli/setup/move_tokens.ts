import type { Reason } from "../../tokens/reason.ts";
import { migrate } from "../commands/migrate.ts";
import type { SetupArguments } from "../commands/setup.ts";
import { exitStatus, type RegistryResult, report } from "../report.ts";
import type { CommandSession } from "../session.ts";
import { describeReason } from "../words.ts";
import { type Consent, wants } from "./consent.ts";

const MOVE_ALL = {
  registry: [],
  index: undefined,
  from: undefined,
  dryRun: false,
  keepFile: false,
} as const;

/** What became of the plaintext tokens. */
export interface Moved {
  readonly results: readonly RegistryResult[];
  /** 1: a token that could be moved was not. */
  readonly status: number;
}

/** Where there is nothing to move, or nobody wants it. */
export const NOTHING_MOVED: Moved = { results: [], status: 0 };

/** A token that has to stay where it is does not make setup fail. */
function movedAs(results: readonly RegistryResult[]): Moved {
  const counted = results.filter(({ outcome, reason }) =>
    outcome !== "skipped" || reason.code === "needs-yes"
  );
  return { results, status: exitStatus(counted) };
}

/**
 * Moves the plaintext tokens, if the user wants that; tells apart two. What is
 * only planned, or would have to be asked, is said alone.
 */
export async function moveTokens(
  args: SetupArguments,
  session: CommandSession,
  consent: Consent,
): Promise<Moved> {
  const { json, prefer, yes } = args;
  const planned = await migrate(
    { ...MOVE_ALL, dryRun: true, json, prefer, yes },
    session,
  );
  const movable = planned.filter(({ outcome }) => outcome === "would-migrate");
  const conflicts = planned.filter(({ outcome }) => outcome === "conflict");
  const names = [...movable, ...conflicts].map(({ registry }) => registry);
  // Why nothing can be moved is said among what doctor finds.
  if (names.length === 0) return { results: planned, status: 0 };
  if (consent === "dry-run") {
    if (!json) report(planned, false, session.output);
    return movedAs(planned);
  }
  if (json && !yes) return movedAs(planned.map(needsYes));
  const question = `Move the plaintext token${
    names.length === 1 ? "" : "s"
  } of ${names.join(", ")} into the store?`;
  if (
    !yes &&
    !(await session.isPersonPresent() && await session.confirm(question))
  ) {
    session.output.print(
      "The tokens stay in the file until cargo needs them; " +
        "`cargo-credential-keyring migrate` moves them.",
    );
    return NOTHING_MOVED;
  }
  const results = await migrate(
    { ...MOVE_ALL, json, prefer, yes },
    session.fresh(),
  );
  const settled: RegistryResult[] = [];
  for (const result of results) {
    settled.push(
      ...result.outcome === "conflict"
        ? await settle(result, args, session)
        : [result],
    );
  }
  if (!json) report(settled, false, session.output);
  return movedAs(settled);
}

/** A result of what nobody has confirmed. */
function needsYes(result: RegistryResult): RegistryResult {
  if (result.outcome !== "would-migrate") return result;
  const { registry, message } = result;
  const reason: Reason = { code: "needs-yes", detail: message };
  return {
    ...result,
    outcome: "skipped",
    reason,
    message: describeReason(reason, { name: registry, store: "", file: "" }),
  };
}

/** Two different tokens: the user says which one lives. */
async function settle(
  conflict: RegistryResult,
  args: SetupArguments,
  session: CommandSession,
): Promise<readonly RegistryResult[]> {
  for (const prefer of ["file", "store"] as const) {
    const other = prefer === "file" ? "store" : "file";
    if (
      await wants(
        args,
        session,
        `${conflict.registry}: the file and the store hold different tokens. ` +
          `Keep that of the ${prefer} and discard that of the ${other}?`,
      )
    ) {
      return await migrate({
        ...MOVE_ALL,
        registry: [conflict.registry],
        json: false,
        prefer,
        yes: true,
      }, session.fresh());
    }
  }
  return [conflict];
}
