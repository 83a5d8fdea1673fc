// Looks at the default keyring and unlocks it with the password on standard
// input, with the program's own permissions; prints both outcomes.
import { Secret } from "../../src/base/secret.ts";
import {
  lookAtDefaultKeyring,
  unlockDefaultKeyring,
} from "../../src/stores/gnome_keyring_unlock.ts";

const bytes = new Uint8Array(1024);
const length = Deno.stdin.readSync(bytes) ?? 0;
const password = new Secret(bytes.slice(0, length));
const options = { signal: AbortSignal.timeout(Number(Deno.args[0])) };
const look = await lookAtDefaultKeyring(options);
const outcome = await unlockDefaultKeyring(password, options);
password.wipe();
Deno.stdout.writeSync(
  new TextEncoder().encode(JSON.stringify({ look, outcome })),
);
Deno.exit();
