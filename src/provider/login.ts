import { checkToken, cleanPastedToken } from "../cargo/token.ts";
import type { LoginAnswer, LoginRequest } from "../protocol/messages.ts";
import type { Secret } from "../base/secret.ts";
import type {
  CredentialStore,
  PrepareOutcome,
  StoreFailure,
} from "../stores/credential_store.ts";
import { printable } from "../base/printable.ts";
import type { ProviderContext } from "./context.ts";
import {
  decideLogin,
  type LoginFacts,
  type LoginStep,
} from "./login_decision.ts";
import {
  describeLoginRefusal,
  describePlaintextWarning,
  describeStored,
  describeTakenName,
  describeTokenRefusal,
  tokenQuestion,
} from "./login_words.ts";

/**
 * How long a person has to fetch a token from the registry's website and
 * paste it. The question is in front of them, and Ctrl-C ends it.
 */
const QUESTION_MILLISECONDS = 10 * 60_000;

type Refusal = Extract<LoginAnswer, { kind: "other" }>;

function refuse(message: string): Refusal {
  return { kind: "other", message };
}

/**
 * Answers a `login`: finds out where the token can go, asks for it if cargo
 * has none, stores it, reads it back, and then removes the plaintext token
 * that it supersedes.
 *
 * Once the token is known every failure is an `other` error: the next
 * provider would ask for it again, and keep it in plaintext.
 *
 * @param request The request; its token is wiped.
 * @param context The edges.
 * @returns The answer.
 */
export async function login(
  request: LoginRequest,
  context: ProviderContext,
): Promise<LoginAnswer> {
  try {
    return await answer(request, context);
  } finally {
    request.token?.wipe();
  }
}

async function answer(
  request: LoginRequest,
  context: ProviderContext,
): Promise<LoginAnswer> {
  const settings = await context.settings();
  if (settings.kind === "wrong") return refuse(printable(settings.message));

  const store = await context.store();
  let facts: LoginFacts = {
    settings,
    prepared: await prepare(store, context, false),
  };
  while (true) {
    const step = decideLogin(facts);
    if (!("need" in step)) return await carryOut(step, request, store, context);
    switch (step.need) {
      case "person":
        facts = { ...facts, mayPrompt: await context.mayPrompt() };
        break;
      case "prompt":
        facts = { ...facts, prompted: await prepare(store, context, true) };
        break;
      case "chain":
        facts = { ...facts, chain: await context.chain() };
        break;
      case "rebinding":
        facts = { ...facts, rebinding: await context.rebinding() };
        break;
    }
  }
}

async function prepare(
  store: CredentialStore,
  context: ProviderContext,
  prompt: boolean,
): Promise<PrepareOutcome> {
  const { signal } = context.deadline;
  return await store.prepare({ signal, prompt });
}

async function carryOut(
  step: Exclude<LoginStep, { need: unknown }>,
  request: LoginRequest,
  store: CredentialStore,
  context: ProviderContext,
): Promise<LoginAnswer> {
  const about = await context.about();
  switch (step.place) {
    case "nowhere":
      return refuse(describeLoginRefusal(step, about));
    case "next-provider":
      context.say(
        describePlaintextWarning(step.failure, step.cargoTokenFollows, about),
      );
      if (step.cargoTokenFollows) {
        await context.intend("login-went-to-file");
        await context.unpin();
      }
      return { kind: "url-not-supported" };
    case "store": {
      const rebinding = await context.rebinding();
      if (rebinding !== "none") context.say(describeTakenName(rebinding));
      const token = await obtainToken(request, context);
      if (!("bytes" in token)) return token;
      try {
        // Until it is stored and the older one is gone, nobody moves that one.
        const answer = await context.holdFile(() =>
          keep(token, store, context)
        );
        return answer === "busy"
          ? refuse(describeTokenRefusal("file-busy"))
          : answer;
      } finally {
        token.wipe();
      }
    }
  }
}

/** The token from the request, or from the terminal; cleaned and valid. */
async function obtainToken(
  request: LoginRequest,
  context: ProviderContext,
): Promise<Secret | Refusal> {
  let given = request.token;
  if (given === undefined) {
    const terminal = await context.terminal();
    if (!terminal.canAsk) return refuse(describeTokenRefusal("no-terminal"));
    context.waitForPerson(QUESTION_MILLISECONDS);
    const outcome = await terminal.prompt(
      tokenQuestion(await context.about(), request.loginUrl),
      { signal: context.deadline.signal },
    );
    if (outcome.kind !== "line") {
      return refuse(describeTokenRefusal(outcome.kind));
    }
    given = outcome.line;
    await context.restartDeadline();
  }
  const token = cleanPastedToken(given);
  if (token !== given) given.wipe();
  const validity = checkToken(token);
  if (validity === "valid") return token;
  token.wipe();
  return refuse(describeTokenRefusal(validity));
}

/** Stores, reads back, and only then touches the file. */
async function keep(
  token: Secret,
  store: CredentialStore,
  context: ProviderContext,
): Promise<LoginAnswer> {
  const { key, deadline: { signal } } = context;
  const about = await context.about();
  const failed = async (failure: StoreFailure): Promise<LoginAnswer> => {
    await context.intend("none");
    return refuse(describeLoginRefusal({ failure, fileAllowed: false }, about));
  };

  // What an earlier command meant must not befall the new token. The new
  // intent lets the next `get` finish what a kill has cut short: the stored
  // token wins over the file's. Where the two differ already it is written
  // only once the new token is stored: before, it would make an older one win.
  const early = !(await differ(store, context));
  if (!await context.intend(early ? "login-stored" : "none")) {
    return refuse(describeTokenRefusal("no-memory"));
  }
  const stored = await store.set(key, token, { signal });
  if (stored.kind !== "stored") return await failed(stored);
  const kept = await store.verify(key, token, { signal });
  if (kept.kind !== "stored") return await failed(kept);
  if (!early) await context.intend("login-stored");

  await context.unpin();
  const removal = await context.supersedePlaintext();
  if (removal.kind !== "left") await context.intend("none");
  for (const line of describeStored(removal, about)) context.say(line);
  return { kind: "logged-in" };
}

/** Whether the store and the file hold two different tokens already. */
async function differ(
  store: CredentialStore,
  context: ProviderContext,
): Promise<boolean> {
  const { token } = await context.plaintext();
  if (token === "none") return false;
  const { signal } = context.deadline;
  const stored = await store.get(context.key, { signal });
  if (stored.kind !== "found") return stored.kind !== "absent";
  const different = !stored.token.equals(token);
  stored.token.wipe();
  return different;
}
