import { holdFile } from "../tokens/hold.ts";
import { type PlaintextRemoval, removePlaintext } from "../tokens/remove.ts";
import type { LogoutAnswer } from "../protocol/messages.ts";
import type { EraseOutcome } from "../stores/credential_store.ts";
import { unpin } from "../state/pins.ts";
import type { ProviderContext } from "./context.ts";
import {
  describeScopedErasure,
  describeScopedLeft,
  eraseScoped,
} from "./scoped_logout.ts";
import { decideLogout } from "./logout_decision.ts";
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
    return { kind: "other", message: settings.message };
  }
  const facts = await eraseAndRemove(context);
  const scoped = await eraseScoped(context);
  const { plaintext } = facts;
  const about = await context.about();

  const verdict = decideLogout({
    ...facts,
    cargoTokenFollows: plaintext.kind === "left" &&
      (await context.registry.chain()).cargoTokenFollows,
  });
  const { registry } = context;
  const { indexUrl } = registry.ref;
  if (verdict !== "not-found" && await registry.isPinned()) {
    await registry.remember((state) => unpin(state, indexUrl));
  }

  const leftovers = await context.registry.leftovers();
  context.say(
    ...describeLeftovers(leftovers, "logout"),
    ...describeScopedErasure(scoped, about),
  );
  if (scoped.failure !== undefined) {
    const message = describeScopedLeft(scoped.failure, about);
    return { kind: "other", message };
  }
  switch (verdict) {
    case "logged-out":
      context.say(...describeLoggedOut(facts, about));
      return { kind: "logged-out" };
    case "not-found":
      if (scoped.erased.length > 0) return { kind: "logged-out" };
      // What is switched off was not looked for on purpose.
      if (settings.store !== "off") {
        context.say(...describeNotAsked(facts.erased, about));
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
  const { registry, deadline } = context;
  const done = await holdFile(
    registry,
    deadline,
    async (file): Promise<Erasure> => ({
      erased: await erase(context, false),
      plaintext: await removePlaintext(registry, file),
    }),
  );
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
  { registry, deadline: { signal } }: ProviderContext,
  prompt: boolean,
): Promise<EraseOutcome> {
  const store = await registry.store();
  return await store.erase(registry.ref, { signal, prompt });
}
