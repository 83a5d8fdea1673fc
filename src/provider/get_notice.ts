import type { ProviderContext } from "./context.ts";
import type { GetFacts, GetNeed, GetNotice, GetStep } from "./get_decision.ts";
import { describeGetNotice } from "./notices.ts";

/** Gives the notice, unless it is the error itself. */
export async function tell(
  { answer }: Exclude<GetStep, { need: GetNeed }>,
  notice: GetNotice,
  facts: GetFacts,
  context: ProviderContext,
): Promise<string> {
  const answersToken = answer.endsWith("-token");
  const hasPlaintext = typeof facts.plaintext === "object";
  const { cargoTokenFollows } = facts.chain ??
    (answersToken
      ? { cargoTokenFollows: true }
      : await context.registry.chain());
  const text = describeGetNotice(
    notice,
    { cargoTokenFollows, hasPlaintext },
    await context.about(),
  );
  if (answer !== "other") {
    // The command fails where no token follows, and needs the reason.
    const isLast = !answersToken && !(cargoTokenFollows && hasPlaintext);
    await context.notice(text, isLast);
  }
  return text.text;
}
