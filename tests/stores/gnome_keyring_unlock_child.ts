// Looks at the keyrings and does what standard input says, with the program's
// own permissions: unlocks all of them with a password, or makes the first one.
// Prints what came of it.
import { Secret } from "../../src/base/secret.ts";
import {
  createKeyring,
  lookAtKeyrings,
  unlockKeyring,
} from "../../src/stores/gnome_keyring_unlock.ts";

const bytes = new Uint8Array(1024);
const length = Deno.stdin.readSync(bytes) ?? 0;
const password = new Secret(bytes.slice(0, length));
const options = { signal: AbortSignal.timeout(Number(Deno.args[0])) };
const look = await lookAtKeyrings(options);
const outcomes: unknown[] = [];
if (look.kind === "needs-password") {
  for (const keyring of look.keyrings) {
    outcomes.push(await unlockKeyring(keyring, password, options));
  }
} else if (look.kind === "no-keyring") {
  outcomes.push(await createKeyring(password, options));
}
password.wipe();
Deno.stdout.writeSync(
  new TextEncoder().encode(JSON.stringify({ look, outcomes })),
);
Deno.exit();
