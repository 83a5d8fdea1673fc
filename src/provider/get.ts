import type { GetAnswer } from "../protocol/messages.ts";
import type { Secret } from "../base/secret.ts";
import type { GetOutcome } from "../stores/credential_store.ts";
import type { ProviderContext } from "./context.ts";
import type { NoticeText } from "./notices.ts";
import {
  decideGet,
  type GetAction,
  type GetFacts,
  type GetNeed,
  type GetNotice,
  type GetStep,
} from "./get_decision.ts";

/**
 * Answers a `get`: looks at what the decision asks for, then does what it
 * says. What goes wrong while a token is moved never changes the answer.
 *
 * @param context The edges.
 * @returns The answer.
 */
export async function get(context: ProviderContext): Promise<GetAnswer> {
  const seen = new Set<Secret>();
  const answer = await decide(context, seen);
  for (const token of seen) {
    if (answer.kind !== "token" || token !== answer.token) token.wipe();
  }
  return answer;
}

/** @param seen Where every token that was looked at is put. */
async function decide(
  context: ProviderContext,
  seen: Set<Secret>,
): Promise<GetAnswer> {
  let facts: GetFacts = {
    settings: await context.settings(),
    environment: await context.environmentToken(),
  };
  for (let rounds = 0;;) {
    for (const token of tokensOf(facts)) seen.add(token);
    const step = decideGet(facts);
    if ("need" in step) {
      facts = { ...facts, ...await look(step.need, facts, context) };
      continue;
    }
    // Another program may have stepped in before the action: then what it did
    // is looked at anew. Once more is enough for any real race.
    const changed = step.action === undefined || rounds++ > MOST_ROUNDS
      ? undefined
      : await act(step.action, facts, context);
    if (changed === undefined) return await answer(step, facts, context);
    const { eligibility: _eligibility, prompted: _prompted, ...rest } = facts;
    facts = { ...rest, ...changed };
  }
}

function tokensOf(facts: GetFacts): readonly Secret[] {
  const { environment, store, prompted, plaintext } = facts;
  return [
    ...(environment.kind === "token" ? [environment.token] : []),
    ...(store?.kind === "found" ? [store.token] : []),
    ...(prompted?.kind === "found" ? [prompted.token] : []),
    ...(typeof plaintext === "object" ? [plaintext] : []),
  ];
}

/** How often an action is tried on what has changed meanwhile. */
const MOST_ROUNDS = 2;

async function look(
  need: GetNeed,
  facts: GetFacts,
  context: ProviderContext,
): Promise<Partial<GetFacts>> {
  switch (need) {
    case "store-and-file":
      return await lookAround(context);
    case "person":
      return { mayPrompt: await context.mayPrompt() };
    case "prompt":
      return { prompted: await askStore(context, true) };
    case "rebinding":
      return { rebinding: await context.rebinding() };
    case "chain":
      return { chain: await context.chain() };
    case "eligibility":
      return typeof facts.plaintext === "object"
        ? { eligibility: await context.eligibility(facts.plaintext) }
        : {};
  }
}

/**
 * A token on its way from the file to the store is in the store before it
 * leaves the file, and the other way round: the file is read, the store asked,
 * and if neither has it, the file is read again.
 */
async function lookAround(
  context: ProviderContext,
  anew = false,
): Promise<Partial<GetFacts>> {
  const memory = await context.memory(anew);
  let { token } = await context.plaintext();
  const store = await askStore(context, false);
  if (store.kind === "absent" && token === "none") {
    ({ token } = await context.plaintext(true));
  }
  return { store, plaintext: token, ...memory };
}

async function askStore(
  context: ProviderContext,
  prompt: boolean,
): Promise<GetOutcome> {
  const store = await context.store();
  const { signal } = context.deadline;
  return await store.get(context.key, { signal, prompt });
}

async function answer(
  step: Exclude<GetStep, { need: GetNeed }>,
  facts: GetFacts,
  context: ProviderContext,
): Promise<GetAnswer> {
  const notice = step.notice === undefined
    ? undefined
    : await describe(step.notice, context);
  if (notice !== undefined && step.answer !== "other") {
    // Where there is plaintext, the next provider has an answer, if there is
    // one.
    const changesAnswer = typeof facts.plaintext === "object"
      ? step.answer === "not-found" && facts.chain?.cargoTokenFollows === false
      : step.answer === "url-not-supported";
    await context.notice(notice, changesAnswer);
  }
  switch (step.answer) {
    case "environment-token":
      if (facts.environment.kind !== "token") break;
      return { kind: "token", token: facts.environment.token };
    case "stored-token": {
      const outcome = facts.prompted ?? facts.store;
      if (outcome?.kind !== "found") break;
      return { kind: "token", token: outcome.token };
    }
    case "file-token":
      if (typeof facts.plaintext !== "object") break;
      return { kind: "token", token: facts.plaintext };
    case "other":
      return { kind: "other", message: notice?.text ?? "" };
    default:
      return { kind: step.answer };
  }
  throw new TypeError(`${step.answer} was decided without one`);
}

async function describe(
  notice: GetNotice,
  context: ProviderContext,
): Promise<NoticeText> {
  const { describeGetNotice } = await import("./notices.ts");
  return describeGetNotice(notice, await context.about());
}

/**
 * Does what was decided.
 *
 * @returns What has turned out to be different; `undefined` if nothing has.
 */
async function act(
  action: GetAction,
  facts: GetFacts,
  context: ProviderContext,
): Promise<Partial<GetFacts> | undefined> {
  const { plaintext } = facts;
  switch (action) {
    case "erase-stored":
      return await eraseStored(context);
    case "migrate":
    case "migrate-over": {
      if (typeof plaintext !== "object") return undefined;
      const stored = facts.prompted ?? facts.store;
      const over = action === "migrate-over" && stored?.kind === "found"
        ? stored.token
        : undefined;
      return await move(plaintext, over, context);
    }
    case "remove-plaintext": {
      if (typeof plaintext !== "object") return undefined;
      const removal = await context.removePlaintext(plaintext);
      if (removal.kind !== "left") await context.intend("none");
      const { describeRemoval } = await import("./move_words.ts");
      const notice = describeRemoval(removal, await context.about());
      if (notice !== undefined) await context.notice(notice);
      return undefined;
    }
  }
}

/** Carries out a logout, unless a login has stored a new token by now. */
async function eraseStored(
  context: ProviderContext,
): Promise<Partial<GetFacts> | undefined> {
  const outcome = await context.holdFile(async () => {
    const { intent } = await context.memory(true);
    if (intent !== "logged-out") return "changed";
    const store = await context.store();
    const { signal } = context.deadline;
    const erased = await store.erase(context.key, { signal });
    if (erased.kind === "erased" || erased.kind === "absent") {
      await context.intend("none");
    }
    return "done";
  });
  return outcome === "changed" ? await lookAround(context, true) : undefined;
}

async function move(
  token: Secret,
  over: Secret | undefined,
  context: ProviderContext,
): Promise<Partial<GetFacts> | undefined> {
  const outcome = await context.move(token, over);
  const { describeMoved, describeNotMoved, describeSettling } = await import(
    "./move_words.ts"
  );
  switch (outcome.kind) {
    case "moved":
      await context.intend("none");
      await context.announce(describeMoved(await context.about()));
      return undefined;
    case "settling":
      await context.notice(
        describeSettling(outcome.milliseconds, await context.about()),
      );
      return undefined;
    case "busy":
      return undefined;
    case "file-changed":
    case "store-changed":
      // Another program may have moved it, or logged in or out.
      return await lookAround(context, true);
    default:
      await context.notice(describeNotMoved(outcome, await context.about()));
      return undefined;
  }
}
