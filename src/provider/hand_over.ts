import { CRATES_IO_INDEX } from "../cargo/registries.ts";
import type { GetAnswer, GetRequest } from "../protocol/messages.ts";
import type { Settings } from "../settings/settings.ts";
import type { ProviderContext } from "./context.ts";
import type { GetResult } from "./get.ts";

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
  source: Extract<GetResult, { kind: "token" }>["source"],
): boolean {
  const isLate = setting === "late" ||
    (setting === "auto" && registry.indexUrl === CRATES_IO_INDEX);
  return isLate && operation.kind === "read" &&
    registry.headers.length === 0 && source !== "environment";
}

/** What cargo gets of what a `get` has found. */
export async function handOver(
  request: GetRequest,
  found: GetResult,
  context: ProviderContext,
): Promise<GetAnswer> {
  if (found.kind !== "token") return found;
  const settings = await context.settings();
  // The environment's token is used whatever the settings file says.
  if (settings.kind === "wrong") return found;
  if (isHandedOverLater(request, settings.handOver, found.source)) {
    found.token.wipe();
    return { kind: "placeholder" };
  }
  return found;
}
