import type { GetAnswer } from "../protocol/messages.ts";
import { EXPIRED } from "../deadline.ts";
import { deadlineFailure } from "../stores/deadline_failure.ts";
import type { ProviderContext } from "./context.ts";
import {
  decideGet,
  type GetAction,
  type GetFacts,
  type GetNeed,
  type GetStep,
} from "./get_decision.ts";
import { describeGetNotice } from "./notices.ts";

/**
 * Answers a `get`: looks at what the decision asks for, then does what it
 * says. What goes wrong while a token is moved never changes the answer.
 *
 * @param context The edges.
 * @returns The answer.
 */
export async function get(context: ProviderContext): Promise<GetAnswer> {
  let facts: GetFacts = {
    settings: await context.settings(),
    environment: await context.environmentToken(),
  };
  while (true) {
    const step = decideGet(facts);
    if (!("need" in step)) return await carryOut(step, facts, context);
    facts = { ...facts, ...await look(step.need, facts, context) };
  }
}

async function look(
  need: GetNeed,
  facts: GetFacts,
  context: ProviderContext,
): Promise<Partial<GetFacts>> {
  switch (need) {
    case "store-and-file": {
      // The store answers over a bus: the file is read meanwhile.
      const [store, plaintext, memory] = await Promise.all([
        askStore(context, false),
        context.plaintext(),
        context.memory(),
      ]);
      return { store, plaintext: plaintext.token, ...memory };
    }
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

async function askStore(
  context: ProviderContext,
  prompt: boolean,
): Promise<NonNullable<GetFacts["store"]>> {
  const store = await context.store();
  const { signal } = context.deadline;
  const outcome = await context.deadline.race(
    store.get(context.key, { signal, prompt }),
  );
  return outcome === EXPIRED ? deadlineFailure(store.title) : outcome;
}

async function carryOut(
  step: Exclude<GetStep, { need: GetNeed }>,
  facts: GetFacts,
  context: ProviderContext,
): Promise<GetAnswer> {
  if (step.action !== undefined) await act(step.action, facts, context);
  const notice = step.notice === undefined
    ? undefined
    : describeGetNotice(step.notice, await context.about());
  if (notice !== undefined && step.answer !== "other") {
    await context.notice(notice);
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

async function act(
  action: GetAction,
  facts: GetFacts,
  context: ProviderContext,
): Promise<void> {
  const { plaintext } = facts;
  switch (action) {
    case "erase-stored": {
      const store = await context.store();
      const { signal } = context.deadline;
      const erased = await store.erase(context.key, { signal });
      if (erased.kind === "erased" || erased.kind === "absent") {
        await context.intend("none");
      }
      return;
    }
    case "migrate":
    case "migrate-over":
      if (typeof plaintext === "object") {
        await context.move(plaintext, action === "migrate-over");
      }
      return;
    case "remove-plaintext":
      if (typeof plaintext === "object") {
        await context.removePlaintext(plaintext);
      }
      return;
  }
}
