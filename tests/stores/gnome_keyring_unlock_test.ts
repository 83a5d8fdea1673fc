import { assert, assertEquals } from "@std/assert";
import type { KeyringsLook } from "../../src/stores/gnome_keyring_unlock.ts";
import { missing } from "../support/requirements.ts";
import {
  KEYRING_PASSWORD,
  LOGIN_COLLECTION,
  startSessionBus,
  startSilentBus,
} from "../support/session_bus.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "the buses and the daemon are those of Linux");

const CHILD =
  new URL("./gnome_keyring_unlock_child.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Looks and unlocks in a process of its own. */
async function unlock(
  env: Readonly<Record<string, string>>,
  password: string,
  limit = 10_000,
): Promise<{ look: KeyringsLook; outcomes: unknown[] }> {
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

const LOGIN = { path: LOGIN_COLLECTION, label: "Login" };
const OPEN = { look: { kind: "already-unlocked" }, outcomes: [] };

linux.test("unlockKeyring() opens it with its password", async () => {
  await using bus = await startSessionBus();
  await bus.store([{
    attributes: { url: "sparse+https://example.com/" },
    secret: "planted",
  }]);
  await bus.restartKeyringLocked();
  assertEquals((await bus.items())[0]?.locked, true);
  assertEquals(await unlock(bus.env, KEYRING_PASSWORD), {
    look: { kind: "needs-password", keyrings: [LOGIN] },
    outcomes: [{ kind: "unlocked" }],
  });
  assertEquals((await bus.items())[0]?.secret, "planted");
  assertEquals<unknown>(await unlock(bus.env, KEYRING_PASSWORD), OPEN);
});

linux.test("unlockKeyring() shows the bus no password", async () => {
  for (const keyring of ["locked", "empty"] as const) {
    await using bus = await startSessionBus({ keyring });
    await using monitor = await bus.startMonitor();
    const { outcomes } = await unlock(bus.env, KEYRING_PASSWORD);
    const log = await monitor.stop();
    if (keyring === "locked") {
      assertEquals(outcomes, [{ kind: "unlocked" }]);
      assert(log.includes("UnlockWithMasterPassword"), log);
    } else {
      assertEquals(outcomes, [{ kind: "created" }]);
      assert(log.includes("CreateWithMasterPassword"), log);
    }
    assert(!log.includes(KEYRING_PASSWORD), log);
    const hex = [...KEYRING_PASSWORD]
      .map((letter) => letter.charCodeAt(0).toString(16)).join(" ");
    assert(!log.includes(hex), log);
  }
});

linux.test("unlockKeyring() leaves it locked with a wrong password", async () => {
  await using bus = await startSessionBus({ keyring: "locked" });
  for (const password of ["hunter2", "", "ü", "x".repeat(1000)]) {
    const { outcomes } = await unlock(bus.env, password);
    assertEquals(outcomes, [{ kind: "wrong-password" }], password);
  }
  assertEquals((await unlock(bus.env, KEYRING_PASSWORD)).outcomes, [
    { kind: "unlocked" },
  ]);
});

linux.test("lookAtKeyrings() names every locked one, the default one first", async () => {
  await using bus = await startSessionBus();
  const work = await bus.createCollection("at work");
  const mine = await bus.createCollection("My keys");
  await bus.setDefaultCollection(mine);
  for (const path of [LOGIN_COLLECTION, work, mine]) await bus.lock(path);
  const { look, outcomes } = await unlock(bus.env, KEYRING_PASSWORD);
  assert(look.kind === "needs-password");
  assertEquals(look.keyrings[0], { path: mine, label: "My keys" });
  assertEquals(look.keyrings.map(({ label }) => label).sort(), [
    "Login",
    "My keys",
    "at work",
  ]);
  assertEquals(outcomes, Array(3).fill({ kind: "unlocked" }));
  assertEquals<unknown>(await unlock(bus.env, ""), OPEN);
});

linux.test("lookAtKeyrings() opens what takes no password", async () => {
  await using bus = await startSessionBus({ keyring: "plaintext" });
  await bus.restartKeyringLocked();
  assertEquals<unknown>(await unlock(bus.env, ""), OPEN);
});

linux.test("createKeyring() makes the keyring that a login opens", async () => {
  await using bus = await startSessionBus({ keyring: "empty" });
  const { look, outcomes } = await unlock(bus.env, KEYRING_PASSWORD);
  assertEquals(look, { kind: "no-keyring" });
  assertEquals(outcomes, [{ kind: "created" }]);
  await bus.store([{ attributes: { url: "x" }, secret: "planted" }]);
  assertEquals((await bus.items())[0]?.collection, LOGIN_COLLECTION);
  // It is on the disk, has that password, and is the default one.
  await bus.restartKeyringLocked();
  assertEquals((await unlock(bus.env, "hunter2")).outcomes, [
    { kind: "wrong-password" },
  ]);
  assertEquals((await unlock(bus.env, KEYRING_PASSWORD)).outcomes, [
    { kind: "unlocked" },
  ]);
  assertEquals((await bus.items())[0]?.secret, "planted");
});

linux.test("unlockKeyring() lets the bus start the daemon", async () => {
  await using bus = await startSessionBus({ keyring: "activatable" });
  const { outcomes } = await unlock(bus.env, KEYRING_PASSWORD);
  assertEquals(outcomes, [{ kind: "unlocked" }]);
});

linux.test("lookAtKeyrings() says what is missing", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  const { look } = await unlock(bus.env, "hunter2");
  assertEquals("cause" in look && look.cause, "no-service");
  for (const address of ["autolaunch:", "", "unix:path=/no/such/socket"]) {
    const { look } = await unlock(
      { DBUS_SESSION_BUS_ADDRESS: address },
      "hunter2",
    );
    assertEquals("cause" in look && look.cause, "no-bus", address);
  }
});

linux.test("lookAtKeyrings() ends at the deadline", async () => {
  await using bus = await startSilentBus();
  const { look } = await unlock(
    { DBUS_SESSION_BUS_ADDRESS: bus.address },
    "hunter2",
    500,
  );
  assertEquals(look.kind, "timeout");
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

linux.test("lookAtKeyrings() leaves other programs' keyrings to them", async () => {
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
      outcomes: [],
    });
  } finally {
    service.kill("SIGTERM");
    await reader.cancel();
    await service.status;
  }
});
