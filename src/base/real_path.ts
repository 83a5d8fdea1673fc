import { mayBeThere } from "../../ffi/presence.ts";

/** The path without links; `undefined` where it leads nowhere. */
export function realPath(path: string): string | undefined {
  if (!mayBeThere(path)) return undefined;
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}
