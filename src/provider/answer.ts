import { describeFailure } from "../protocol/serve.ts";
import type {
  Answer,
  CredentialRequest,
  GetAnswer,
} from "../protocol/messages.ts";
import type { Deadline } from "../base/deadline.ts";
import { Session } from "../tokens/session.ts";
import { answerGet } from "./hand_over.ts";
import { whenOverdue } from "./overdue.ts";
import { SystemContext } from "./system_context.ts";

/**
 * Answers a request, in time, and prints what there is to say besides.
 *
 * @param deadline What the request has of time; it starts here.
 */
export async function answer(
  request: CredentialRequest,
  deadline: Deadline,
): Promise<Answer> {
  using context = new SystemContext(request, new Session(), deadline);
  const answer = await Promise.race([
    answerTo(request, context),
    whenOverdue(request.kind, context),
  ]);
  if (!deadline.signal.aborted) await conclude(context);
  return answer;
}

/** What there is to say has no say in the answer. */
async function conclude(context: SystemContext): Promise<void> {
  try {
    await context.conclude();
  } catch (error) {
    context.say(`warning: ${describeFailure(error)}`);
  }
}

/** A registry that has refused a request without a token says what it wants. */
async function hintAtScheme(
  headers: readonly string[],
  answer: GetAnswer,
  context: SystemContext,
): Promise<void> {
  if (answer.kind !== "token" && answer.kind !== "not-found") return;
  const hint = await import("./scheme_hint.ts");
  const token = answer.kind === "token" ? answer.token : "none";
  const scheme = hint.missingScheme(headers, token);
  if (scheme === undefined) return;
  const notice = hint.describeMissingScheme(scheme, await context.about());
  await context.notice(notice, false);
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
        const answer = await answerGet(request, context);
        if (request.registry.headers.length > 0) {
          await hintAtScheme(request.registry.headers, answer, context);
        }
        return answer;
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
