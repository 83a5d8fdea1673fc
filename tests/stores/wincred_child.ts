// Prints the token of the index URL that is its argument.
import { WincredStore } from "../../src/stores/wincred.ts";

const outcome = await new WincredStore().get(
  { indexUrl: Deno.args[0] ?? "" },
  { signal: AbortSignal.timeout(3000) },
);
if (outcome.kind !== "found") throw new Error(outcome.kind);
Deno.stdout.writeSync(outcome.token.bytes);
