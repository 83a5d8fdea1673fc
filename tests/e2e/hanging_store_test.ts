// Stores that hang: cargo goes on within the deadline, and nothing is left
// running.

import { assertEquals } from "@std/assert";
import { startSessionBus, startSilentBus } from "../support/session_bus.ts";
import {
  assertGoesOn,
  notices,
  PLAINTEXT,
  plaintextBehind,
  SEARCH,
} from "./_plaintext_behind.ts";

const QUICKLY = { CARGO_CREDENTIAL_KEYRING_TIMEOUT: "1" };
const REASON = /the Secret Service (did not answer|has not answered) in time/;

if (Deno.build.os === "linux") {
  Deno.test("cargo goes on when the bus never answers", async () => {
    await using bus = await startSilentBus();
    await using home = await plaintextBehind({
      env: { DBUS_SESSION_BUS_ADDRESS: bus.address },
    });
    // The deadline that holds by itself.
    await assertGoesOn(home, REASON, { limit: 15_000 });
  });

  Deno.test("cargo goes on when the service takes 30 s to start", async () => {
    await using bus = await startSessionBus({ keyring: "slow" });
    await using home = await plaintextBehind({ bus, env: QUICKLY });
    await assertGoesOn(home, REASON, { limit: 15_000 });
  });

  Deno.test("cargo goes on when the keyring stops in the middle", async () => {
    await using bus = await startSessionBus();
    await using home = await plaintextBehind({ bus, env: QUICKLY });
    bus.signalKeyring("SIGSTOP");
    await assertGoesOn(home, REASON, { limit: 15_000 });
  });

  Deno.test("cargo goes on when the keyring dies in the middle", async () => {
    await using bus = await startSessionBus();
    await using home = await plaintextBehind({ bus });
    bus.signalKeyring("SIGSTOP");
    const killed = setTimeout(() => bus.signalKeyring("SIGKILL"), 1000);
    const { ms } = await assertGoesOn(
      home,
      /the Secret Service failed|no Secret Service is running|in time/,
      { limit: 15_000 },
    );
    clearTimeout(killed);
    assertEquals(ms < 15_000, true);
  });

  Deno.test("a login at a store that hangs stores nothing twice", async () => {
    await using bus = await startSilentBus();
    await using home = await plaintextBehind({
      env: { DBUS_SESSION_BUS_ADDRESS: bus.address, ...QUICKLY },
    });
    const { code, stderr } = await home.cargo(["login", "--registry", "alt"], {
      stdin: "newer-token\n",
      limit: 15_000,
    });
    // Nobody is present: the file takes it, after the warning.
    assertEquals(code, 0, stderr);
    assertEquals(REASON.test(stderr) && /PLAINTEXT/.test(stderr), true, stderr);
  });

  Deno.test("an environment token waits for no store", async () => {
    await using bus = await startSilentBus();
    await using home = await plaintextBehind({
      env: {
        DBUS_SESSION_BUS_ADDRESS: bus.address,
        CARGO_CREDENTIAL_KEYRING_TIMEOUT: "60",
        CARGO_REGISTRIES_ALT_TOKEN: "from-the-environment",
      },
    });
    home.registry().tokens.add("from-the-environment");
    const { code, stderr } = await home.cargo(SEARCH, { limit: 15_000 });
    assertEquals(code, 0, stderr);
    assertEquals(home.registry().sawToken("from-the-environment"), true);
    assertEquals(home.registry().sawToken(PLAINTEXT), false);
    assertEquals(notices(stderr), []);
  });
}
