// One look at the stand-in's keychain from a process of its own; prints
// whether the item is there and holds the expected token.
import { Secret } from "../../src/base/secret.ts";
import { KeychainStore } from "../../src/stores/keychain.ts";
import { KeychainStandIn } from "../support/keychain_stand_in.ts";

const [library = "", file = "", indexUrl = ""] = Deno.args;
const standIn = KeychainStandIn.attach(library, file);
const outcome = await new KeychainStore(() => standIn.open()).get(
  { indexUrl },
  { signal: AbortSignal.timeout(10_000) },
);
const equal = outcome.kind === "found" &&
  outcome.token.equals(Secret.fromString("planted-keychain-token"));
await Deno.stdout.write(
  new TextEncoder().encode(JSON.stringify({ kind: outcome.kind, equal })),
);
