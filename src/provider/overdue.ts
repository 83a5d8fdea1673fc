import type { Answer, CredentialRequest } from "../protocol/messages.ts";
import type { ProviderContext } from "./context.ts";

/**
 * What a request may take beyond its deadline: the time to read a few files
 * and word an answer after a store has failed to answer.
 */
const GRACE_MILLISECONDS = 500;

/**
 * The answer when even what comes after a store's failure hangs. The next
 * provider is asked only if it cannot send a token to a project's URL.
 *
 * @param kind What was asked.
 * @param context The edges.
 * @param graceMs How long after the deadline.
 * @returns The answer, some time after the deadline; never before.
 */
export async function whenOverdue(
  kind: CredentialRequest["kind"],
  context: Pick<ProviderContext, "deadline" | "rebinding" | "sendable">,
  graceMs: number = GRACE_MILLISECONDS,
): Promise<Answer> {
  await aborted(context.deadline.signal);
  await aborted(AbortSignal.timeout(graceMs));
  if (kind === "get" && await isKnownNotRebound(context, graceMs)) {
    return { kind: "url-not-supported" };
  }
  return {
    kind: "other",
    message: `the ${kind} has not ended in time; ` +
      "`cargo-credential-keyring migrate --dry-run` shows where the token is",
  };
}

async function isKnownNotRebound(
  context: Pick<ProviderContext, "rebinding" | "sendable">,
  graceMs: number,
): Promise<boolean> {
  const known = isNotRebound(context).catch(() => false);
  const unknown = aborted(AbortSignal.timeout(graceMs)).then(() => false);
  return await Promise.race([known, unknown]);
}

/** Whether no token can go to a project's URL. */
async function isNotRebound(
  context: Pick<ProviderContext, "rebinding" | "sendable">,
): Promise<boolean> {
  return await context.rebinding() === "none" || !await context.sendable();
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve());
  return promise;
}
