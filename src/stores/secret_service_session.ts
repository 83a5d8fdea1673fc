import { SecretService } from "../../ffi/libsecret/service.ts";
import { inTime } from "./_in_time.ts";
import type { Trouble } from "./_secret_service_failures.ts";
import type { StoreFailure, StoreOptions } from "./credential_store.ts";
import { findSessionBus, readVariable, statSocket } from "./session_bus.ts";

/** What calls answer, or what is wrong. */
export type Answer<T> =
  | T
  | { readonly kind: "trouble"; readonly trouble: Trouble };

/** Answers what is wrong. */
export function trouble(what: Trouble): Answer<never> {
  return { kind: "trouble", trouble: what };
}

/** A name that gnome-keyring has on the bus beside that of the Secret Service. */
export const GNOME_KEYRING = "org.gnome.keyring";

/** What {@linkcode connect} has begun, until calls are made on it. */
let begun:
  | { readonly signal: AbortSignal; readonly service: Promise<SecretService> }
  | undefined;

/**
 * Begins a session for calls that read a secret, where the bus is known to be
 * ours; what goes wrong shows when they are made. Who answers there is all that
 * is asked yet.
 *
 * @param signal Ends it; the session is for calls that are given the same.
 */
export function connect(signal: AbortSignal): void {
  const bus = findSessionBus(readVariable, Deno.uid(), statSocket);
  if (bus.kind !== "ours") return;
  const service = SecretService.open({ signal, session: true });
  service.then((each) => each.alsoOwns(GNOME_KEYRING)).catch(() => {});
  begun = { signal, service };
}

/** The session that was begun for these calls, or a new one. */
async function openService(signal: AbortSignal): Promise<SecretService> {
  const { service } = begun?.signal === signal ? begun : {};
  begun = undefined;
  return await (service ?? SecretService.open({ signal }));
}

/** The first session of this process, which stays open: see `runInSession`. */
let firstService: SecretService | undefined;

/**
 * Runs calls against a new session with the Secret Service, and words what
 * goes wrong. It answers when the signal is aborted, even if a call does not
 * come back.
 *
 * The calls may be made again, in another session: see `Trouble.again`.
 */
export async function inSession<T extends { readonly kind: string }>(
  options: Pick<StoreOptions, "signal">,
  calls: (service: SecretService) => Promise<Answer<T>>,
): Promise<T | StoreFailure> {
  const answer = await inTime(options.signal, run(options, calls)) ??
    trouble({ cause: "deadline" });
  if (!isTrouble(answer)) return answer;
  const { describeTrouble, readSurroundings } = await failures();
  return describeTrouble(answer.trouble, await readSurroundings());
}

/** Loaded where something went wrong. */
function failures(): Promise<typeof import("./_secret_service_failures.ts")> {
  return import("./_secret_service_failures.ts");
}

function isTrouble<T extends { readonly kind: string }>(
  answer: Answer<T>,
): answer is { readonly kind: "trouble"; readonly trouble: Trouble } {
  return answer.kind === "trouble";
}

/** How many sessions are tried: see `Trouble.again`. */
const SESSIONS = 4;

async function run<T extends { readonly kind: string }>(
  options: Pick<StoreOptions, "signal">,
  calls: (service: SecretService) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const bus = findSessionBus(readVariable, Deno.uid(), statSocket);
  if (bus.kind === "none") return trouble({ cause: "no-bus", why: bus.why });
  if (bus.kind === "foreign") return trouble({ cause: "foreign-bus" });
  for (let tries = 1;; tries++) {
    const answer = await runInSession(options, bus.kind === "ours", calls);
    const again = isTrouble(answer) &&
      answer.trouble.cause === "service-failed" && answer.trouble.again;
    if (!again || tries === SESSIONS) return answer;
  }
}

async function runInSession<T extends { readonly kind: string }>(
  { signal }: Pick<StoreOptions, "signal">,
  isOurBus: boolean,
  calls: (service: SecretService) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  if (signal.aborted) return trouble({ cause: "deadline" });
  try {
    const service = await openService(signal);
    try {
      if (!isOurBus && await service.busOwner() !== Deno.uid()) {
        return trouble({ cause: "foreign-bus" });
      }
      // libsecret drops its connection to the bus with the last session, and
      // KeePassXC with the connection what a person has just allowed this
      // process to see: then `verify` could not read what `set` has replaced.
      firstService ??= service;
      return await calls(service);
    } finally {
      if (service !== firstService) await service[Symbol.asyncDispose]();
    }
  } catch (error) {
    const what = (await failures()).troubleOf(error);
    if (what === undefined) throw error;
    return trouble(what);
  }
}
