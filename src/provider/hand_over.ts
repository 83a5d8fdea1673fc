import { CRATES_IO_INDEX } from "../cargo/registries.ts";
import type { GetAnswer, GetRequest } from "../protocol/messages.ts";
import type { Settings } from "../settings/settings.ts";
import { splitScoped } from "../stores/item_name.ts";
import type { ProviderContext } from "./context.ts";
import { get, type GetResult } from "./get.ts";
import type { ScopedResult } from "./scoped_get.ts";

/** A token, and where it comes from. */
type Found =
  | Extract<GetResult, { kind: "token" }>
  | {
    readonly kind: "token";
    readonly token: Extract<GetResult, { kind: "token" }>["token"];
    readonly source: "scoped";
  };

/**
 * Decides whether cargo gets a placeholder instead of the token. `cargo
 * publish` first asks whether there is a token (operation `read`), then builds
 * what it is to publish, with the build scripts of strangers, and asks again
 * when it is about to send it.
 *
 * Where the index itself wants a token, a `read` needs the real one: a request
 * that comes with the headers of a refusal (401) says so. What the environment
 * has is in every build script's environment already.
 */
export function isHandedOverLater(
  { registry, operation }: Pick<GetRequest, "registry" | "operation">,
  setting: Settings["handOver"],
  source: Found["source"],
): boolean {
  const isLate = setting === "late" ||
    (setting === "auto" && registry.indexUrl === CRATES_IO_INDEX);
  return isLate && operation.kind === "read" &&
    registry.headers.length === 0 && source !== "environment";
}

/**
 * Answers a `get`: with the narrowest token that serves, if the registry has
 * scoped ones, else with its own; each as the settings say. What takes a
 * setting or a scoped token is loaded only where there is one.
 */
export async function answerGet(
  request: GetRequest,
  context: ProviderContext,
): Promise<GetAnswer> {
  // What a scoped token is filed under is nobody's index URL.
  if (splitScoped(request.registry.indexUrl) !== undefined) {
    return { kind: "not-found" };
  }
  const scoped = await scopedFirst(request, context);
  if (scoped?.kind === "token") {
    return await handOver(request, { ...scoped, source: "scoped" }, context);
  }
  const found = await get(context);
  if (found.kind === "token") {
    if (scoped?.kind === "none") {
      const { tellExpired } = await import("./scoped_get.ts");
      await tellExpired(scoped, false, context);
    }
    return await handOver(request, found, context);
  }
  if (found.kind !== "not-found" || !await isOpen(context)) return found;
  // Where the registry has no token of its own, it may have others.
  const { scopedLast } = await import("./scoped_get.ts");
  const isKnown = await isKnownScoped(context);
  const last = await scopedLast(request.operation, scoped, isKnown, context);
  return last.kind === "token"
    ? await handOver(request, { ...last, source: "scoped" }, context)
    : last;
}

/** Whether scoped tokens may count here at all. */
async function isOpen(context: ProviderContext): Promise<boolean> {
  const settings = await context.settings();
  return settings.kind === "settings" && settings.store !== "off" &&
    (await context.registry.environmentToken()).kind === "none";
}

async function isKnownScoped({ registry }: ProviderContext): Promise<boolean> {
  const state = await registry.memory();
  if (state.scoped.length === 0) return false;
  const { hasScoped } = await import("../state/scoped.ts");
  return hasScoped(state, registry.ref.indexUrl);
}

/** Before the registry's own token is looked at, for what takes one. */
async function scopedFirst(
  request: GetRequest,
  context: ProviderContext,
): Promise<ScopedResult | undefined> {
  if (request.operation.kind === "read") return undefined;
  if (!await isKnownScoped(context) || !await isOpen(context)) return undefined;
  const { findScoped } = await import("./scoped_get.ts");
  const { signal } = context.deadline;
  return await findScoped(request.operation, context, {
    signal,
    mayPrompt: true,
  });
}

/** What cargo gets of a token. */
export async function handOver(
  request: GetRequest,
  found: Found,
  context: ProviderContext,
): Promise<GetAnswer> {
  const settings = await context.settings();
  // The environment's token is used even then.
  if (settings.kind === "wrong") return found;
  if (isHandedOverLater(request, settings.handOver, found.source)) {
    found.token.wipe();
    return { kind: "placeholder" };
  }
  const { confirm, record, promptTimeoutMs } = settings;
  if (confirm.length === 0 && record === "off") {
    const isForAll = found.source === "environment" ||
      (found.source !== "scoped" && !await isKnownScoped(context));
    return { ...found, operationIndependent: isForAll };
  }

  const { confirmHandOver, needsConfirmation } = await import("./confirm.ts");
  const { operation } = request;
  // The environment's token is in everybody's hands already.
  const refusal = found.source !== "environment" &&
      needsConfirmation(operation, confirm)
    ? await confirmHandOver(operation, promptTimeoutMs, context)
    : undefined;
  if (record === "on") {
    const { recordRequest } = await import("../record/record_request.ts");
    await recordRequest(request, context.registry.session, {
      source: found.source,
      outcome: refusal === undefined ? "handed-over" : "refused",
    });
  }
  if (refusal !== undefined) {
    found.token.wipe();
    return { kind: "other", message: refusal };
  }
  // Cargo is to ask for each thing that it does.
  return { ...found, operationIndependent: false };
}
