import { forbidCoreDumps } from "../../ffi/core_dumps.ts";

/**
 * Keeps tokens out of core files. A C library that does not open (musl) is no
 * reason to do without them.
 */
export function guardMemory(): void {
  try {
    forbidCoreDumps();
  } catch {
    // What the system does with core files is then its own affair.
  }
}
