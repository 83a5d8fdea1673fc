import type { Secret } from "../base/secret.ts";
import { unsupersede } from "../state/superseded.ts";
import { movePlaintext, removeIfStored } from "../tokens/move.ts";
import type { ProviderContext } from "./context.ts";
import type { GetAction, GetFacts } from "./get_decision.ts";
import {
  describeMoved,
  describeMoveFailure,
  describeRemoval,
} from "./move_words.ts";

/**
 * Does what was decided.
 *
 * Returns `false`: another program has changed something before.
 */
export async function act(
  action: GetAction,
  { plaintext }: GetFacts,
  context: ProviderContext,
): Promise<boolean> {
  if (typeof plaintext !== "object") return true;
  if (action === "move") return await move(plaintext, context);
  const superseded = action === "remove-superseded";
  const removal = await removeIfStored(context.registry, plaintext, {
    signal: context.deadline.signal,
    superseded,
  });
  const about = await context.about();
  const notice = describeRemoval(removal, superseded, about);
  if (notice !== undefined) await context.notice(notice);
  return true;
}

async function move(
  token: Secret,
  context: ProviderContext,
): Promise<boolean> {
  const { registry } = context;
  const outcome = await movePlaintext(
    registry,
    token,
    context.deadline.signal,
  );
  switch (outcome.kind) {
    case "moved": {
      const { indexUrl } = registry.ref;
      // What is in use again is not out of use.
      if (await registry.isSuperseded(token)) {
        await registry.remember((state) => unsupersede(state, indexUrl, token));
      }
      await context.announce(describeMoved(await context.about()));
      return true;
    }
    case "busy":
      return true;
    case "file-changed":
    case "store-changed":
      // Another program may have moved it, or logged in or out.
      return false;
    default:
      await context.notice(describeMoveFailure(outcome, await context.about()));
      return true;
  }
}
