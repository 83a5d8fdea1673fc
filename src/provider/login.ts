import { checkToken, cleanPastedToken } from "../cargo/token.ts";
import { type State } from "../state/format.ts";
import { isPinned, unpin } from "../state/pins.ts";
import { supersede, unsupersede } from "../state/superseded.ts";
import type { LoginAnswer, LoginRequest } from "../protocol/messages.ts";
import type { Secret } from "../base/secret.ts";
import type { CredentialStore } from "../stores/credential_store.ts";
import { printable } from "../base/printable.ts";
import type { ProviderContext } from "./context.ts";
import {
  decideLogin,
  type LoginFacts,
  type LoginStep,
} from "./login_decision.ts";
import {
  describeKeeping,
  describeLoginRefusal,
  describeNotMigrated,
  describePlaintextWarning,
  describeStored,
  describeTakenName,
  describeTokenRefusal,
  tokenQuestion,
} from "./login_words.ts";
import { describeLeftovers } from "./logout_words.ts";
import { describeMoved } from "./move_words.ts";

/**
 * How long a person has to fetch a token from the registry's website and
 * paste it. The question is in front of them, and Ctrl-C ends it.
 */
const QUESTION_MS = 10 * 60_000;

/** `cargo login -- --migrate-to-keyring`, in the words of RFC 3981. */
const MIGRATE = "--migrate-to-keyring";

type Refusal = Extract<LoginAnswer, { kind: "other" }>;
type Place = Exclude<LoginStep, { need: unknown }>;

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
  const [option, ...more] = await context.loginArguments();
  const isMigration = option === MIGRATE && more.length === 0 &&
    request.token === undefined;
  if (option !== undefined && !isMigration) {
    return refuse(describeTokenRefusal("arguments"));
  }
  const place = await findPlace({
    settings,
    prepared: await prepare(context, false),
  }, context);
  return isMigration
    ? await migrate(place, context)
    : await carryOut(place, request, context);
}

async function findPlace(
  known: LoginFacts,
  context: ProviderContext,
): Promise<Place> {
  for (let facts = known;;) {
    const step = decideLogin(facts);
    if (!("need" in step)) return step;
    switch (step.need) {
      case "person":
        facts = { ...facts, mayPrompt: await context.mayPrompt() };
        break;
      case "prompt":
        facts = { ...facts, prompted: await prepare(context, true) };
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
  context: ProviderContext,
  prompt: boolean,
): Promise<LoginFacts["prepared"]> {
  const store = await context.store();
  return await store.prepare({ signal: context.deadline.signal, prompt });
}

async function carryOut(
  place: Place,
  request: LoginRequest,
  context: ProviderContext,
): Promise<LoginAnswer> {
  const about = await context.about();
  switch (place.place) {
    case "nowhere":
      return refuse(describeLoginRefusal(place, about));
    case "next-provider":
      context.say(
        describePlaintextWarning(place.failure, place.cargoTokenFollows, about),
      );
      if (request.token !== undefined) {
        await putIntoUse([request.token], false, context);
      }
      return { kind: "url-not-supported" };
    case "store": {
      const rebinding = await context.rebinding();
      if (rebinding !== "none") context.say(describeTakenName(rebinding));
      for (const line of describeKeeping(place.keeps, about)) context.say(line);
      const token = await obtainToken(request, context);
      if (!("bytes" in token)) return token;
      try {
        // Until it is stored and the older one is gone, nobody moves that one.
        const answer = await context.holdFile(() => keep(token, context));
        if (answer === "busy") return refuse(describeTokenRefusal("file-busy"));
        if (answer.kind !== "logged-in") return answer;
        for (const line of describeKeeping(place.keeps, about)) {
          context.say(line);
        }
        const leftovers = await context.leftovers();
        for (const line of describeLeftovers(leftovers, "login")) {
          context.say(line);
        }
        return answer;
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
    context.waitForPerson(QUESTION_MS);
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
  context: ProviderContext,
): Promise<LoginAnswer> {
  const { key, deadline: { signal } } = context;
  const store = await context.store();
  const about = await context.about();
  const replaced = await findReplaced(token, store, context);
  const markReplaced = async (): Promise<boolean> =>
    replaced.length === 0 ||
    await context.remember((state) => supersede(state, key.indexUrl, replaced));
  try {
    // Marked before, so that a kill behind `set` lets no older token win; but
    // where the two differ already, that would put one out of use for nothing.
    const [one, other] = replaced;
    const differ = one !== undefined && other?.equals(one) === false;
    const early = differ || await markReplaced();
    const stored = await store.set(key, token, { signal });
    const kept = stored.kind === "stored"
      ? await store.verify(key, token, { signal })
      : stored;
    if (kept.kind !== "stored") {
      if (!differ) await putIntoUse(replaced, false, context);
      return refuse(
        describeLoginRefusal({ failure: kept, fileAllowed: false }, about),
      );
    }
    const marked = differ ? await markReplaced() : early;
    await putIntoUse([token], true, context);
    const removal = await context.supersedePlaintext(kept.keeps);
    for (const line of describeStored(removal, marked, about)) {
      context.say(line);
    }
    return { kind: "logged-in" };
  } finally {
    for (const old of replaced) old.wipe();
  }
}

/** The tokens that store and file hold until now, if they are others. */
async function findReplaced(
  token: Secret,
  store: CredentialStore,
  context: ProviderContext,
): Promise<readonly Secret[]> {
  const { signal } = context.deadline;
  const stored = await store.get(context.key, { signal });
  const plaintext = await context.rebinding() === "none"
    ? (await context.plaintext()).token
    : "none";
  const all = [
    ...(stored.kind === "found" ? [stored.token] : []),
    ...(plaintext === "none" ? [] : [plaintext]),
  ];
  const replaced = all.filter((old) => !old.equals(token));
  for (const old of all) if (!replaced.includes(old)) old.wipe();
  return replaced;
}

/**
 * Forgets what is remembered against the tokens that are meant now.
 *
 * @param isDone Whether a login is done, which lifts a pin.
 */
async function putIntoUse(
  tokens: readonly Secret[],
  isDone: boolean,
  context: ProviderContext,
): Promise<void> {
  const { indexUrl } = context.key;
  const change = async (state: State): Promise<State> => {
    for (const token of tokens) {
      state = await unsupersede(state, indexUrl, token);
    }
    return isDone ? unpin(state, indexUrl) : state;
  };
  context.refresh();
  const state = await context.state();
  if (await change(state) !== state) await context.remember(change);
}

/** Moves the token that the file has, as `migrate --registry` does. */
async function migrate(
  place: Place,
  context: ProviderContext,
): Promise<LoginAnswer> {
  const about = await context.about();
  const { token } = await context.plaintext();
  if (token === "none") return refuse(describeNotMigrated("none", about));
  if (place.place !== "store") {
    const refusal = "failure" in place
      ? { failure: place.failure, fileAllowed: false }
      : place;
    return refuse(describeLoginRefusal(refusal, about));
  }
  const rebinding = await context.rebinding();
  if (rebinding !== "none") {
    return refuse(describeLoginRefusal({ rebinding }, about));
  }
  for (const line of describeKeeping(place.keeps, about)) context.say(line);
  const verdict = await context.eligibility(token, "migrate-registry");
  const outcome = verdict.kind === "not" ? verdict : await context.move(token);
  token.wipe();
  if (outcome.kind !== "moved") {
    return refuse(describeNotMigrated(outcome, about));
  }
  const { indexUrl } = context.key;
  if (isPinned(await context.state(), indexUrl)) {
    await context.remember((state) => unpin(state, indexUrl));
  }
  context.say(describeMoved(about));
  return { kind: "logged-in" };
}
