import { mayBeThere } from "../../ffi/presence.ts";

/**
 * The file that this process runs; `undefined` where the system does not tell:
 * without `/proc` Deno does not answer, but ends the process.
 */
export function executablePath(): string | undefined {
  return Deno.build.os === "linux" && !mayBeThere("/proc/self/exe")
    ? undefined
    : Deno.execPath();
}
