import { assert, assertEquals, assertThrows } from "@std/assert";
import { SecretSchema } from "../../ffi/mod.ts";
import { run, type RunResult } from "../support/run.ts";
import {
  type NewItem,
  type SessionBus,
  startSessionBus,
  startSilentBus,
} from "../support/session_bus.ts";

const CHILD = new URL("./libsecret_child.ts", import.meta.url).href;
const ROOT = new URL("../../", import.meta.url).pathname;

const ADA: NewItem = {
  attributes: {
    user: "ada",
    host: "example.org",
    "xdg:schema": "org.example.Test",
  },
  secret: "planted-secret-51c0",
  label: "Ada",
};

function deno(
  args: readonly string[],
  bus: Pick<SessionBus, "env">,
): Promise<RunResult> {
  const cache = Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("HOME")}/.cache/deno`;
  return run([Deno.execPath(), ...args], {
    env: { ...bus.env, DENO_DIR: cache, NO_COLOR: "1" },
    cwd: ROOT,
  });
}

async function play(
  bus: Pick<SessionBus, "env">,
  scenario: string,
  mode = "",
  permissions: readonly string[] = ["--allow-ffi"],
): Promise<unknown> {
  const { stdout, stderr, code } = await deno(
    ["run", "--no-config", ...permissions, CHILD, scenario, mode],
    bus,
  );
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

for (const mode of ["", "stable"]) {
  const calls = mode === "" ? "all calls" : "stable calls only";

  Deno.test(`SecretService stores, finds and clears, with ${calls}`, async () => {
    await using bus = await startSessionBus();
    assertEquals(await play(bus, "roundTrip", mode), [
      "none",
      "two",
      "\0b\xff",
      [
        ["ada", "none", "Ada L.", "two"],
        ["bob", "none", "Bob", "\0b\xff"],
      ],
      0,
      2,
      0,
    ]);
    assertEquals(await bus.items(), []);
  });

  Deno.test(`lookup() never takes locked for absent, with ${calls}`, async () => {
    await using bus = await startSessionBus();
    await bus.store([ADA]);
    assertEquals(await play(bus, "lookup", mode), [ADA.secret, "none"]);
    await bus.lock();
    assertEquals(await play(bus, "lookup", mode), ["locked", "locked"]);
    assertEquals(await play(bus, "change", mode), ["locked", "locked"]);
    await bus.restartKeyringLocked();
    assertEquals(await play(bus, "lookup", mode), ["locked", "locked"]);
  });

  Deno.test(`unlock() lets the service ask, with ${calls}`, async () => {
    await using bus = await startSessionBus();
    await bus.store([ADA]);
    await bus.lock();
    {
      await using _prompter = await bus.startPrompter("dismiss");
      assertEquals((await play(bus, "unlock", mode) as unknown[]).slice(0, 2), [
        "locked",
        false,
      ]);
    }
    await using _prompter = await bus.startPrompter("type");
    assertEquals(await play(bus, "unlock", mode), [
      "locked",
      true,
      ADA.secret,
      false,
    ]);
  });

  Deno.test(`an aborted signal ends every call, with ${calls}`, async () => {
    await using bus = await startSessionBus();
    assertEquals(await play(bus, "abort", mode), "g-io-error-quark/19");
    assertEquals(await play(bus, "aborted", mode), "g-io-error-quark/19");
  });

  Deno.test(`what is opened is given back, with ${calls}`, async () => {
    await using bus = await startSessionBus();
    const permissions = ["--allow-all"];
    const [files, megabytes] = await play(
      bus,
      "many",
      mode,
      permissions,
    ) as number[];
    // GLib closes a connection a moment after the last use of it.
    assert(files !== undefined && files < 10, `${files} files`);
    // 100 rounds that kept their 60 kB six times over would take 36.
    assert(megabytes !== undefined && megabytes < 25, `${megabytes} MB`);
  });
}

Deno.test("store() needs a default collection", async () => {
  await using bus = await startSessionBus({ keyring: "empty" });
  assertEquals(await play(bus, "change"), ["no-default-collection", 0]);
});

Deno.test("a bus that never answers ends with the signal", async () => {
  await using silent = await startSilentBus();
  const env = {
    PATH: Deno.env.get("PATH") ?? "",
    DBUS_SESSION_BUS_ADDRESS: silent.address,
  };
  assertEquals(await play({ env }, "open"), "g-io-error-quark/19");
});

Deno.test("workers can use the bindings one after the other", async () => {
  await using bus = await startSessionBus();
  const permissions = ["--allow-ffi", "--allow-read"];
  assertEquals(await play(bus, "workers", "", permissions), "done");
});

Deno.test("SecretSchema refuses more attributes than fit", () => {
  const names = Array.from({ length: 32 }, (_, i) => `a${i}`);
  assertThrows(() => new SecretSchema("org.example", names), RangeError);
  new SecretSchema("org.example", names.slice(1));
});

Deno.test("SecretSchema refuses a NUL, where C would end the name", () => {
  assertThrows(() => new SecretSchema("org\0example", []), TypeError);
});

Deno.test("the examples of ffi/mod.ts run", async () => {
  await using bus = await startSessionBus();
  const { code, stdout, stderr } = await deno(
    ["test", "--doc", "--allow-ffi", "ffi/mod.ts", "ffi/libsecret.ts"],
    bus,
  );
  assertEquals(code, 0, stdout + stderr);
  assert(/\| 3 passed \| 0 failed/.test(stdout), stdout);
  assertEquals(stderr.includes("GLib"), false, stderr);
  assertEquals(await bus.items(), []);
});
