import type { LogoutAnswer } from "../protocol/messages.ts";
import type { EraseOutcome } from "../stores/credential_store.ts";
import { printable } from "../base/printable.ts";
import type { ProviderContext } from "./context.ts";
import { decideLogout, type PlaintextRemoval } from "./logout_decision.ts";
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
    return { kind: "other", message: printable(settings.message) };
  }
  // A kill between the store and the file leaves a half that the next `get`
  // finishes.
  await context.intend("logged-out");
  const facts = await eraseAndRemove(context);
  const { plaintext } = facts;
  const about = await context.about();

  const verdict = decideLogout({
    ...facts,
    cargoTokenFollows: plaintext.kind === "left" &&
      (await context.chain()).cargoTokenFollows,
  });
  // Who keeps the file may be moving its token into the store.
  const isOpen = verdict === "store-not-opened" || facts.busy;
  if (!isOpen) await context.intend("none");
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

interface Erasure {
  readonly erased: EraseOutcome;
  readonly plaintext: PlaintextRemoval;
  /** Whether somebody else has kept cargo's lock on the file. */
  readonly busy: boolean;
}

async function eraseAndRemove(context: ProviderContext): Promise<Erasure> {
  const done = await context.holdFile(async (): Promise<Erasure> => ({
    erased: await erase(context, false),
    plaintext: await context.logoutPlaintext(),
    busy: false,
  }));
  const erasure: Erasure = done === "busy"
    ? {
      erased: await erase(context, false),
      plaintext: {
        kind: "left",
        reason: "another program is writing that file; try again",
        foreign: false,
      },
      busy: true,
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
