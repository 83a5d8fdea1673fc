import { forbidCoreDumps } from "../../ffi/core_dumps.ts";
import type { Answer, CredentialRequest } from "../protocol/messages.ts";
import { serve } from "../protocol/serve.ts";
import { get } from "./get.ts";
import { SystemContext } from "./system_context.ts";

/**
 * What a request may take beyond its deadline: the time to read a few files
 * and word an answer after a store has failed to answer.
 */
const GRACE_MILLISECONDS = 500;

/**
 * Speaks the protocol on standard input and output until cargo is done.
 *
 * @returns When the input has ended, nobody reads the answers, or a request
 * has passed its deadline: then something hangs, and the caller ends the
 * process.
 */
export async function runProvider(): Promise<void> {
  let overdue = false;
  await serve({
    input: Deno.stdin,
    output: Deno.stdout,
    handle: async (request) => {
      forbidCoreDumps();
      using context = await SystemContext.open(request);
      const answer = await Promise.race([
        answerTo(request, context),
        whenOverdue(request, context),
      ]);
      overdue = context.deadline.signal.aborted;
      if (!overdue) await context.conclude();
      return answer;
    },
    isOver: () => overdue,
  });
}

async function answerTo(
  request: CredentialRequest,
  context: SystemContext,
): Promise<Answer> {
  switch (request.kind) {
    case "get":
      return await get(context);
    case "login": {
      const { login } = await import("./login.ts");
      return await login(request, context);
    }
    case "logout": {
      const { logout } = await import("./logout.ts");
      return await logout(context);
    }
  }
}

/** The answer when even what comes after a store's failure hangs. */
function whenOverdue(
  request: CredentialRequest,
  context: SystemContext,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  context.deadline.signal.addEventListener("abort", () => {
    const grace = AbortSignal.timeout(GRACE_MILLISECONDS);
    grace.addEventListener("abort", () => {
      resolve(
        request.kind === "get" ? { kind: "url-not-supported" } : {
          kind: "other",
          message: `the ${request.kind} has not ended in time; ` +
            "`cargo-credential-keyring migrate --dry-run` shows where the token is",
        },
      );
    });
  });
  return promise;
}
