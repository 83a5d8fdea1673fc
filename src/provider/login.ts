import { CRATES_IO_INDEX } from "../cargo/registries.ts";
import { tokenOrigin } from "../cargo/token_origin.ts";
import { holdFile } from "../tokens/hold.ts";
import { keepToken, putIntoUse } from "../tokens/keep.ts";
import { movePlaintext } from "../tokens/move.ts";
import { cleanPastedToken } from "../cargo/pasted_token.ts";
import { checkToken } from "../cargo/token.ts";
import { unpin } from "../state/pins.ts";
import type { LoginAnswer, LoginRequest } from "../protocol/messages.ts";
import type { Secret } from "../base/secret.ts";
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
  describeOddToken,
  describePlaintextWarning,
  describeStored,
  describeTakenName,
  describeTokenRefusal,
  describeWrongArguments,
  tokenQuestion,
} from "./login_words.ts";
import { type LoginArguments, parseLoginArguments } from "./login_arguments.ts";
import type { RegistryAbout } from "../tokens/about.ts";
import { describeLeftovers } from "./logout_words.ts";
import { describeMoved } from "./move_words.ts";

/**
 * How long a person has to fetch a token from the registry's website and
 * paste it. The question is in front of them, and Ctrl-C ends it.
 */
const QUESTION_MS = 10 * 60_000;

type Refusal = Extract<LoginAnswer, { kind: "other" }>;
type Place = Exclude<LoginStep, { need: unknown }>;
type StorePlace = Extract<Place, { place: "store" }>;

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
  if (settings.kind === "wrong") return refuse(settings.message);
  const args = await context.loginArguments();
  const wanted = parseLoginArguments(args, Date.now());
  if (wanted.kind === "wrong") {
    return refuse(describeWrongArguments(wanted.fault));
  }
  if (wanted.kind === "migrate" && request.token !== undefined) {
    return refuse(describeTokenRefusal("arguments"));
  }
  const place = await findPlace({
    settings,
    prepared: await prepare(context, false),
  }, context);
  if (wanted.kind === "migrate") return await migrate(place, context);
  if (place.place === "store") {
    return await storeNew(place, wanted, request, context);
  }
  const about = await context.about();
  if (wanted.kind === "scoped") return refusePlace(place, about);
  if (place.place === "nowhere") {
    return refuse(describeLoginRefusal(place, about));
  }
  context.say(
    describePlaintextWarning(place.failure, place.cargoTokenFollows, about),
  );
  if (request.token !== undefined) {
    await putIntoUse(context.registry, [request.token], { lifted: false });
  }
  return { kind: "url-not-supported" };
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
        facts = { ...facts, chain: await context.registry.chain() };
        break;
      case "rebinding":
        facts = { ...facts, rebinding: await context.registry.rebinding() };
        break;
    }
  }
}

async function prepare(
  context: ProviderContext,
  prompt: boolean,
): Promise<LoginFacts["prepared"]> {
  const store = await context.registry.store();
  return await store.prepare({ signal: context.deadline.signal, prompt });
}

/** Refuses what no other provider can do. */
function refusePlace(
  place: Exclude<Place, StorePlace>,
  about: RegistryAbout,
): Refusal {
  const refusal = "failure" in place
    ? { failure: place.failure, fileAllowed: false }
    : place;
  return refuse(describeLoginRefusal(refusal, about));
}

/** Asks for a token, and stores it: the registry's own, or one beside it. */
async function storeNew(
  { keeps }: StorePlace,
  wanted: Extract<LoginArguments, { kind: "own" | "scoped" }>,
  request: LoginRequest,
  context: ProviderContext,
): Promise<LoginAnswer> {
  const about = await context.about();
  const rebinding = await context.registry.rebinding();
  if (rebinding !== "none") context.say(describeTakenName(rebinding));
  context.say(...describeKeeping(keeps, about));
  const token = await obtainToken(request, context);
  if (!("bytes" in token)) return token;
  try {
    if (wanted.kind === "scoped") {
      const { keepScoped } = await import("./scoped_login.ts");
      const failure = await keepScoped(token, wanted.grant, context);
      return failure === undefined
        ? { kind: "logged-in" }
        : refuse(describeLoginRefusal({ failure, fileAllowed: false }, about));
    }
    const isCratesIo = context.registry.ref.indexUrl === CRATES_IO_INDEX;
    const origin = tokenOrigin(token, isCratesIo);
    if (origin !== undefined) context.say(describeOddToken(origin, about));
    const answer = await keep(token, context);
    if (answer.kind === "logged-in") {
      const leftovers = await context.registry.leftovers();
      context.say(
        ...describeKeeping(keeps, about),
        ...describeLeftovers(leftovers, "login"),
      );
    }
    return answer;
  } finally {
    token.wipe();
  }
}

/** The token from the request, or from the terminal; cleaned and valid. */
async function obtainToken(
  request: LoginRequest,
  context: ProviderContext,
): Promise<Secret | Refusal> {
  let given = request.token;
  if (given === undefined) {
    const terminal = await context.registry.session.terminal();
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

async function keep(
  token: Secret,
  context: ProviderContext,
): Promise<LoginAnswer> {
  const { registry, deadline } = context;
  const about = await context.about();
  // Until it is stored and the older one is gone, nobody moves that one.
  const kept = await holdFile(
    registry,
    deadline,
    (file) => keepToken(registry, token, file, deadline.signal),
  );
  if (kept === "busy") return refuse(describeTokenRefusal("file-busy"));
  if (kept.kind === "failed") {
    const { failure } = kept;
    return refuse(describeLoginRefusal({ failure, fileAllowed: false }, about));
  }
  const { removal, remembered } = kept;
  context.say(...describeStored(removal, remembered, about));
  return { kind: "logged-in" };
}

/** Moves the token that the file has, as `migrate --registry` does. */
async function migrate(
  place: Place,
  context: ProviderContext,
): Promise<LoginAnswer> {
  const about = await context.about();
  const { token } = await context.registry.plaintext();
  if (token === "none") return refuse(describeNotMigrated("none", about));
  if (place.place !== "store") return refusePlace(place, about);
  const rebinding = await context.registry.rebinding();
  if (rebinding !== "none") {
    return refuse(describeLoginRefusal({ rebinding }, about));
  }
  context.say(...describeKeeping(place.keeps, about));
  const { registry, deadline: { signal } } = context;
  const verdict = await registry.eligibility(
    token,
    "migrate-registry",
    signal,
  );
  const outcome = verdict.kind === "not"
    ? verdict
    : await movePlaintext(registry, token, signal);
  token.wipe();
  if (outcome.kind !== "moved") {
    return refuse(describeNotMigrated(outcome, about));
  }
  const { indexUrl } = registry.ref;
  if (await registry.isPinned()) {
    await registry.remember((state) => unpin(state, indexUrl));
  }
  context.say(...describeMoved(about));
  return { kind: "logged-in" };
}
