import type { Secret } from "../base/secret.ts";
import type { ErrorAnswer } from "../protocol/messages.ts";
import type { GetOutcome } from "../stores/credential_store.ts";
import type { ProviderContext } from "./context.ts";
import {
  decideGet,
  type GetFacts,
  type GetNeed,
  type GetStep,
} from "./get_decision.ts";

/** What a `get` comes to. */
export type GetResult =
  | {
    readonly kind: "token";
    readonly token: Secret;
    /** Where it comes from. */
    readonly source: "environment" | "store" | "file";
  }
  | ErrorAnswer;

/**
 * Answers a `get`: looks at what the decision asks for, then does what it
 * says. What goes wrong while a token is moved never changes the answer.
 */
export async function get(context: ProviderContext): Promise<GetResult> {
  const seen = new Set<Secret>();
  let answered: GetResult | undefined;
  try {
    return answered = await decide(context, seen);
  } finally {
    for (const token of seen) {
      if (answered?.kind !== "token" || token !== answered.token) token.wipe();
    }
  }
}

/** `seen`: where every token that was looked at is put. */
async function decide(
  context: ProviderContext,
  seen: Set<Secret>,
): Promise<GetResult> {
  let facts: GetFacts = {
    settings: await context.settings(),
    environment: await context.registry.environmentToken(),
  };
  for (let actions = 0;;) {
    for (const token of tokensOf(facts)) seen.add(token);
    const step = decideGet(facts);
    if ("need" in step) {
      facts = { ...facts, ...await look(step.need, facts, context) };
      continue;
    }
    // Another program may have stepped in before the action: then everything
    // is looked at again, but not for ever.
    if (
      step.action === undefined || actions++ === MAX_ACTIONS ||
      await (await import("./get_action.ts")).act(step.action, facts, context)
    ) return await answer(step, facts, context);
    const { settings, environment, chain, rebinding } = facts;
    facts = {
      settings,
      environment,
      ...(chain === undefined ? {} : { chain }),
      ...(rebinding === undefined ? {} : { rebinding }),
      ...await lookAround(context, true),
    };
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

/** How often an action is tried. */
const MAX_ACTIONS = 3;

async function look(
  need: GetNeed,
  { plaintext }: GetFacts,
  context: ProviderContext,
): Promise<Partial<GetFacts>> {
  switch (need) {
    case "store-and-file":
      return await lookAround(context);
    case "person":
      return { mayPrompt: await context.mayPrompt() };
    case "prompt":
      return { prompted: await askStore(context, true) };
    case "elsewhere":
      return { elsewhere: await storedElsewhere(context) };
    case "rebinding":
      return { rebinding: await context.registry.rebinding() };
    case "sendable":
      return { sendable: await context.registry.sendable() };
    case "chain":
      return { chain: await context.registry.chain() };
    case "superseded":
      return {
        superseded: typeof plaintext === "object" &&
          await context.registry.isSuperseded(plaintext),
      };
    case "eligibility":
      return typeof plaintext === "object"
        ? {
          eligibility: await context.registry.eligibility(
            plaintext,
            "read",
            context.deadline.signal,
          ),
        }
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
  again = false,
): Promise<Partial<GetFacts>> {
  const { registry } = context;
  if (again) registry.refresh();
  const pinned = await registry.isPinned();
  let { token } = await registry.plaintext();
  const store = await askStore(context, false);
  if (store.kind === "absent" && token === "none") {
    registry.refresh();
    ({ token } = await registry.plaintext());
  }
  return { store, plaintext: token, pinned };
}

async function askStore(
  { registry, deadline: { signal } }: ProviderContext,
  prompt: boolean,
): Promise<GetOutcome> {
  const store = await registry.store();
  return await store.get(registry.ref, { signal, prompt });
}

/** A hint is not worth more: a store with a thousand items takes a second. */
const ELSEWHERE_MS = 250;

async function storedElsewhere(
  { registry, deadline: { signal } }: ProviderContext,
): Promise<readonly string[]> {
  const timeout = AbortSignal.timeout(ELSEWHERE_MS);
  return await registry.storedElsewhere(AbortSignal.any([signal, timeout]));
}

async function answer(
  step: Exclude<GetStep, { need: GetNeed }>,
  facts: GetFacts,
  context: ProviderContext,
): Promise<GetResult> {
  let text = "";
  if (step.notice !== undefined) {
    const { tell } = await import("./get_notice.ts");
    text = await tell(step, step.notice, facts, context);
  }
  switch (step.answer) {
    case "environment-token":
      if (facts.environment.kind !== "token") break;
      return {
        kind: "token",
        token: facts.environment.token,
        source: "environment",
      };
    case "stored-token": {
      const outcome = facts.prompted ?? facts.store;
      if (outcome?.kind !== "found") break;
      return { kind: "token", token: outcome.token, source: "store" };
    }
    case "file-token":
      if (typeof facts.plaintext !== "object") break;
      return { kind: "token", token: facts.plaintext, source: "file" };
    case "other":
      return { kind: "other", message: text };
    default:
      return { kind: step.answer };
  }
  throw new TypeError(`${step.answer} was decided without one`);
}
