import type { LogoutAnswer } from "../protocol/messages.ts";
import type { EraseOutcome } from "../stores/credential_store.ts";
import type { ProviderContext } from "./context.ts";
import { decideLogout } from "./logout_decision.ts";
import {
  describeLeftovers,
  describeLoggedOut,
  describeNotLoggedOut,
} from "./logout_words.ts";

/**
 * Answers a `logout`: erases what the store holds and what lies in the file,
 * and names every place where a token is left.
 *
 * @param context The edges.
 * @returns The answer.
 */
export async function logout(context: ProviderContext): Promise<LogoutAnswer> {
  const settings = await context.settings();
  if (settings.kind === "wrong") {
    return { kind: "other", message: settings.message };
  }
  // A kill between the store and the file leaves a half that the next `get`
  // finishes.
  await context.intend("logged-out");
  const erased = await erase(context);
  const plaintext = await context.logoutPlaintext();
  const about = await context.about();
  const facts = { erased, plaintext };

  const verdict = decideLogout({
    ...facts,
    cargoTokenFollows: plaintext.kind === "left" &&
      (await context.chain()).cargoTokenFollows,
  });
  if (verdict !== "store-not-opened") await context.intend("none");
  if (verdict !== "not-found") await context.unpin();

  for (const line of describeLeftovers(await context.leftovers())) {
    context.say(line);
  }
  switch (verdict) {
    case "logged-out":
      for (const line of describeLoggedOut(facts, about)) context.say(line);
      return { kind: "logged-out" };
    case "not-found":
      return { kind: "not-found" };
    case "store-not-opened":
    case "plaintext-left":
      return { kind: "other", message: describeNotLoggedOut(facts, about) };
  }
}

/** A locked store asks for its password if somebody is there. */
async function erase(context: ProviderContext): Promise<EraseOutcome> {
  const store = await context.store();
  const attempt = async (prompt: boolean): Promise<EraseOutcome> => {
    const { signal } = context.deadline;
    return await store.erase(context.key, { signal, prompt });
  };
  const erased = await attempt(false);
  return erased.kind === "locked" && await context.mayPrompt()
    ? await attempt(true)
    : erased;
}
