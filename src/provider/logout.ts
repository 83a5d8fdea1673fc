import type { LogoutAnswer } from "../protocol/messages.ts";
import type { EraseOutcome } from "../stores/credential_store.ts";
import { isPinned, unpin } from "../state/pins.ts";
import { printable } from "../base/printable.ts";
import type { ProviderContext } from "./context.ts";
import { decideLogout, type PlaintextRemoval } from "./logout_decision.ts";
import {
  describeLeftovers,
  describeLoggedOut,
  describeNotAsked,
  describeNotLoggedOut,
} from "./logout_words.ts";

/**
 * Answers a `logout`: erases what the store holds and what lies in the file,
 * and names every place where a token is left.
 */
export async function logout(context: ProviderContext): Promise<LogoutAnswer> {
  const settings = await context.settings();
  if (settings.kind === "wrong") {
    return { kind: "other", message: printable(settings.message) };
  }
  const facts = await eraseAndRemove(context);
  const { plaintext } = facts;
  const about = await context.about();

  const verdict = decideLogout({
    ...facts,
    cargoTokenFollows: plaintext.kind === "left" &&
      (await context.chain()).cargoTokenFollows,
  });
  const { indexUrl } = context.key;
  if (verdict !== "not-found" && isPinned(await context.state(), indexUrl)) {
    await context.remember((state) => unpin(state, indexUrl));
  }

  const leftovers = await context.leftovers();
  for (const line of describeLeftovers(leftovers, "logout")) context.say(line);
  switch (verdict) {
    case "logged-out":
      for (const line of describeLoggedOut(facts, about)) context.say(line);
      return { kind: "logged-out" };
    case "not-found":
      // What is switched off was not looked for on purpose.
      if (settings.store !== "off") {
        for (const line of describeNotAsked(facts.erased, about)) {
          context.say(line);
        }
      }
      return { kind: "not-found" };
    case "store-not-opened":
    case "plaintext-left":
      return { kind: "other", message: describeNotLoggedOut(facts, about) };
  }
}

interface Erasure {
  readonly erased: EraseOutcome;
  readonly plaintext: PlaintextRemoval;
}

async function eraseAndRemove(context: ProviderContext): Promise<Erasure> {
  const done = await context.holdFile(async (): Promise<Erasure> => ({
    erased: await erase(context, false),
    plaintext: await context.logoutPlaintext(),
  }));
  const erasure: Erasure = done === "busy"
    ? {
      erased: await erase(context, false),
      plaintext: { kind: "busy" },
    }
    : done;
  // A locked store asks for its password if somebody is there: not while the
  // lock keeps cargo waiting.
  return erasure.erased.kind === "locked" && await context.mayPrompt()
    ? { ...erasure, erased: await erase(context, true) }
    : erasure;
}

async function erase(
  context: ProviderContext,
  prompt: boolean,
): Promise<EraseOutcome> {
  const store = await context.store();
  const { signal } = context.deadline;
  return await store.erase(context.key, { signal, prompt });
}
