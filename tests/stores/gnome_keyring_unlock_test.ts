import { assert, assertEquals } from "@std/assert";
import type {
  KeyringLook,
  UnlockOutcome,
} from "../../src/stores/gnome_keyring_unlock.ts";
import { missing } from "../support/requirements.ts";
import {
  KEYRING_PASSWORD,
  startSessionBus,
  startSilentBus,
} from "../support/session_bus.ts";

const CHILD =
  new URL("./gnome_keyring_unlock_child.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Looks and unlocks in a process of its own. */
async function unlock(
  env: Readonly<Record<string, string>>,
  password: string,
  limit = 10_000,
): Promise<{ look: KeyringLook; outcome: UnlockOutcome }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      `--config=${CONFIG}`,
      "--frozen",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-ffi",
      "--allow-sys=uid",
      CHILD,
      `${limit}`,
    ],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      DENO_DIR: Deno.env.get("DENO_DIR") ??
        `${Deno.env.get("HOME")}/.cache/deno`,
      ...env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(password));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const [printed, errors] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  assertEquals(errors, "");
  if (password !== "") assert(!printed?.includes(password), printed);
  return JSON.parse(printed ?? "");
}

Deno.test("unlockDefaultKeyring() opens it with its password", async () => {
  await using bus = await startSessionBus();
  await bus.store([{
    attributes: { url: "sparse+https://example.com/" },
    secret: "planted",
  }]);
  await bus.restartKeyringLocked();
  assertEquals((await bus.items())[0]?.locked, true);
  assertEquals(await unlock(bus.env, KEYRING_PASSWORD), {
    look: { kind: "needs-password", keyring: "Login" },
    outcome: { kind: "unlocked" },
  });
  assertEquals((await bus.items())[0]?.secret, "planted");
  assertEquals(await unlock(bus.env, KEYRING_PASSWORD), {
    look: { kind: "already-unlocked" },
    outcome: { kind: "already-unlocked" },
  });
});

Deno.test("unlockDefaultKeyring() shows the bus no password", async () => {
  await using bus = await startSessionBus({ keyring: "locked" });
  await using monitor = await bus.startMonitor();
  const { outcome } = await unlock(bus.env, KEYRING_PASSWORD);
  assertEquals(outcome, { kind: "unlocked" });
  const log = await monitor.stop();
  assert(log.includes("UnlockWithMasterPassword"), log);
  assert(!log.includes(KEYRING_PASSWORD), log);
  const hex = [...KEYRING_PASSWORD]
    .map((letter) => letter.charCodeAt(0).toString(16)).join(" ");
  assert(!log.includes(hex), log);
});

Deno.test("unlockDefaultKeyring() leaves it locked with a wrong password", async () => {
  await using bus = await startSessionBus({ keyring: "locked" });
  for (const password of ["hunter2", "", "ü", "x".repeat(1000)]) {
    const { outcome } = await unlock(bus.env, password);
    assertEquals(outcome, { kind: "wrong-password" }, password);
  }
  assertEquals((await unlock(bus.env, KEYRING_PASSWORD)).outcome, {
    kind: "unlocked",
  });
});

Deno.test("unlockDefaultKeyring() opens a default keyring that is not the login one", async () => {
  await using bus = await startSessionBus();
  const other = await bus.createCollection("My keys");
  await bus.setDefaultCollection(other);
  await bus.lock(other);
  const { look, outcome } = await unlock(bus.env, KEYRING_PASSWORD);
  assertEquals(look, { kind: "needs-password", keyring: "My keys" });
  assertEquals(outcome, { kind: "unlocked" });
});

Deno.test("unlockDefaultKeyring() lets the bus start the daemon", async () => {
  await using bus = await startSessionBus({ keyring: "activatable" });
  const { outcome } = await unlock(bus.env, KEYRING_PASSWORD);
  assertEquals(outcome, { kind: "unlocked" });
});

Deno.test("unlockDefaultKeyring() says what is missing", async () => {
  {
    await using bus = await startSessionBus({ keyring: "none" });
    const { look, outcome } = await unlock(bus.env, "hunter2");
    assertEquals("cause" in look && look.cause, "no-service");
    assertEquals<unknown>(outcome, look);
  }
  {
    await using bus = await startSessionBus({ keyring: "empty" });
    const { look, outcome } = await unlock(bus.env, "hunter2");
    assertEquals("cause" in look && look.cause, "no-default-collection");
    assertEquals<unknown>(outcome, look);
  }
  for (const address of ["autolaunch:", "", "unix:path=/no/such/socket"]) {
    const { look } = await unlock(
      { DBUS_SESSION_BUS_ADDRESS: address },
      "hunter2",
    );
    assertEquals("cause" in look && look.cause, "no-bus", address);
  }
});

Deno.test("unlockDefaultKeyring() ends at the deadline", async () => {
  await using bus = await startSilentBus();
  const { look, outcome } = await unlock(
    { DBUS_SESSION_BUS_ADDRESS: bus.address },
    "hunter2",
    500,
  );
  assertEquals([look.kind, outcome.kind], ["timeout", "timeout"]);
});

// A Secret Service that is not gnome-keyring, with a locked collection.
const OTHER_SERVICE = `
import sys
from gi.repository import Gio, GLib
XML = """<node><interface name="org.freedesktop.Secret.Service">
<method name="OpenSession"><arg type="s" direction="in"/><arg type="v" direction="in"/>
<arg type="v" direction="out"/><arg type="o" direction="out"/></method>
<method name="ReadAlias"><arg type="s" direction="in"/><arg type="o" direction="out"/></method>
<property name="Collections" type="ao" access="read"/></interface>
<interface name="org.freedesktop.Secret.Collection">
<property name="Locked" type="b" access="read"/><property name="Label" type="s" access="read"/>
<property name="Items" type="ao" access="read"/><property name="Created" type="t" access="read"/>
<property name="Modified" type="t" access="read"/></interface></node>"""
PATH = "/org/freedesktop/secrets"
COLLECTION = PATH + "/collection/theirs"
PROPERTIES = {
    "Locked": GLib.Variant("b", True), "Label": GLib.Variant("s", "Theirs"),
    "Items": GLib.Variant("ao", []), "Collections": GLib.Variant("ao", [COLLECTION]),
    "Created": GLib.Variant("t", 0), "Modified": GLib.Variant("t", 0),
}
def call(connection, sender, path, interface, method, parameters, invocation):
    if method == "ReadAlias":
        invocation.return_value(GLib.Variant("(o)", (COLLECTION,)))
    elif parameters[0] == "plain":
        invocation.return_value(GLib.Variant("(vo)", (GLib.Variant("s", ""), PATH + "/session/1")))
    else:
        invocation.return_dbus_error("org.freedesktop.DBus.Error.NotSupported", "plain only")
def read(connection, sender, path, interface, name):
    return PROPERTIES[name]
def acquired(connection, name):
    print("ready", flush=True)
node = Gio.DBusNodeInfo.new_for_xml(XML)
connection = Gio.bus_get_sync(Gio.BusType.SESSION)
connection.register_object(PATH, node.interfaces[0], call, read)
for path in (COLLECTION, PATH + "/aliases/default"):
    connection.register_object(path, node.interfaces[1], call, read)
Gio.bus_own_name_on_connection(connection, "org.freedesktop.secrets", 0, acquired)
GLib.MainLoop().run()
`;

Deno.test("unlockDefaultKeyring() leaves other programs' keyrings to them", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  const service = new Deno.Command("/usr/bin/python3", {
    args: ["-c", OTHER_SERVICE],
    env: bus.env,
    stdout: "piped",
  }).spawn();
  const reader = service.stdout.getReader();
  try {
    const { done } = await reader.read();
    if (done) missing("python3-gi", "apt-get install python3-gi");
    assertEquals(await unlock(bus.env, KEYRING_PASSWORD), {
      look: { kind: "not-gnome-keyring" },
      outcome: { kind: "not-gnome-keyring" },
    });
  } finally {
    service.kill("SIGTERM");
    await reader.cancel();
    await service.status;
  }
});
