import type { Registry } from "../tokens/registry.ts";
import type { Answer, CredentialRequest } from "../protocol/messages.ts";
import type { ProviderContext } from "./context.ts";

/**
 * What a request may take beyond its deadline: the time to read a few files
 * and word an answer after a store has failed to answer.
 */
const GRACE_MS = 500;

/** What {@linkcode whenOverdue} looks at. */
export interface OverdueContext extends Pick<ProviderContext, "deadline"> {
  readonly registry: Pick<Registry, "rebinding" | "sendable">;
}

/**
 * The answer when even what comes after a store's failure hangs. The next
 * provider is asked only if it cannot send a token to a project's URL.
 *
 * Returns the answer, some time after the deadline; never before.
 */
export async function whenOverdue(
  kind: CredentialRequest["kind"],
  context: OverdueContext,
  graceMs: number = GRACE_MS,
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
  { registry }: Pick<OverdueContext, "registry">,
  graceMs: number,
): Promise<boolean> {
  const known = isNotRebound({ registry }).catch(() => false);
  const unknown = aborted(AbortSignal.timeout(graceMs)).then(() => false);
  return await Promise.race([known, unknown]);
}

/** Whether no token can go to a project's URL. */
async function isNotRebound(
  { registry }: Pick<OverdueContext, "registry">,
): Promise<boolean> {
  return await registry.rebinding() === "none" || !await registry.sendable();
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve());
  return promise;
}
