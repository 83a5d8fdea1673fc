import { guardMemory } from "../base/guard_memory.ts";
export { exitNow } from "../../ffi/exit_now.ts";
import { ownStdout } from "../base/print.ts";
import type { Answer, CredentialRequest } from "../protocol/messages.ts";
import { describeFailure, serve } from "../protocol/serve.ts";
import { get } from "./get.ts";
import { whenOverdue } from "./overdue.ts";
import { SystemContext } from "./system_context.ts";

/**
 * Speaks the protocol on standard input and output until cargo is done.
 *
 * @returns When the input has ended, nobody reads the answers, or a request
 * has passed its deadline: then something hangs, and the caller ends the
 * process.
 */
export async function runProvider(): Promise<void> {
  let overdue = false;
  // Before anybody can send a token, and before a library is opened.
  guardMemory();
  // What fails beside a request has no say in its answer.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
  });
  await serve({
    // Handing it to another thread takes longer than cargo takes to ask.
    input: { read: (buffer) => Promise.resolve(Deno.stdin.readSync(buffer)) },
    output: ownStdout(),
    handle: async (request) => {
      using context = new SystemContext(request);
      const answer = await Promise.race([
        answerTo(request, context),
        whenOverdue(request.kind, context),
      ]);
      overdue = context.deadline.signal.aborted;
      if (!overdue) await conclude(context);
      return answer;
    },
    isOver: () => overdue,
  });
}

/** What there is to say has no say in the answer. */
async function conclude(context: SystemContext): Promise<void> {
  try {
    await context.conclude();
  } catch (error) {
    context.say(`warning: ${describeFailure(error)}`);
  }
}

async function answerTo(
  request: CredentialRequest,
  context: SystemContext,
): Promise<Answer> {
  const trouble = await context.homeTrouble();
  if (trouble !== undefined) {
    const { stepAside } = await import("./step_aside.ts");
    return await stepAside(request.kind, context, trouble);
  }
  switch (request.kind) {
    case "get":
      try {
        return await get(context);
      } catch (error) {
        const { withoutStore } = await import("./step_aside.ts");
        return await withoutStore(context, describeFailure(error));
      }
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
