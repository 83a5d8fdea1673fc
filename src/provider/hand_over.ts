import { CRATES_IO_INDEX } from "../cargo/registries.ts";
import type { GetAnswer, GetRequest } from "../protocol/messages.ts";
import type { Settings } from "../settings/settings.ts";
import type { ProviderContext } from "./context.ts";
import type { GetResult } from "./get.ts";

type Found = Extract<GetResult, { kind: "token" }>;

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
 * What cargo gets of what a `get` has found. What takes a setting is loaded
 * only where it is set.
 */
export async function handOver(
  request: GetRequest,
  found: GetResult,
  context: ProviderContext,
): Promise<GetAnswer> {
  if (found.kind !== "token") return found;
  const settings = await context.settings();
  // The environment's token is used even then.
  if (settings.kind === "wrong") return found;
  if (isHandedOverLater(request, settings.handOver, found.source)) {
    found.token.wipe();
    return { kind: "placeholder" };
  }
  const { confirm, record, promptTimeoutMs } = settings;
  if (confirm.length === 0 && record === "off") return found;

  const { confirmHandOver, needsConfirmation } = await import("./confirm.ts");
  const { operation } = request;
  // The environment's token is in everybody's hands already.
  const refusal = found.source !== "environment" &&
      needsConfirmation(operation, confirm)
    ? await confirmHandOver(operation, promptTimeoutMs, context)
    : undefined;
  if (record === "on") {
    await context.record({
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
