import { assert, assertEquals } from "@std/assert";
import { run, type RunResult } from "../support/run.ts";
import {
  type NewItem,
  type SessionBus,
  startSessionBus,
  startSilentBus,
} from "../support/session_bus.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "libsecret is a library of Linux");

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
  permissions: readonly string[] = ["--allow-ffi"],
): Promise<unknown> {
  const { stdout, stderr, code } = await deno(
    ["run", "--no-config", ...permissions, CHILD, scenario],
    bus,
  );
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

linux.test("SecretService stores, finds and erases", async () => {
  await using bus = await startSessionBus();
  assertEquals(await play(bus, "roundTrip"), [
    [
      ["ada", "none", 'Ada "the \\first\'" \u{1f511}', "two"],
      ["bob", "none", "", "\0b\xff"],
    ],
    0,
    [true, true],
  ]);
  assertEquals(await bus.items(), []);
});

linux.test("SecretService takes any text for an attribute and a label", async () => {
  await using bus = await startSessionBus();
  const seen = await play(bus, "odd");
  assert(Array.isArray(seen));
  for (const one of seen) assertEquals(one, [1, true, true, true]);
});

linux.test("an item tells when it was stored", async () => {
  await using bus = await startSessionBus();
  assertEquals(await play(bus, "times"), true);
});

linux.test("what is locked is found, and gives no secret", async () => {
  await using bus = await startSessionBus();
  await bus.store([ADA]);
  assertEquals(await play(bus, "locked"), [1, 0, "no secret", false]);
  await bus.lock();
  assertEquals(await play(bus, "locked"), [0, 1, "no secret", true]);
  await bus.restartKeyringLocked();
  assertEquals(await play(bus, "locked"), [0, 1, "no secret", true]);
});

linux.test("unlock() lets the service ask only if it may", async () => {
  await using bus = await startSessionBus();
  await bus.store([ADA]);
  await bus.lock();
  {
    await using prompter = await bus.startPrompter("dismiss");
    assertEquals((await play(bus, "unlock") as unknown[]).slice(0, 2), [
      false,
      false,
    ]);
    assertEquals(prompter.prompts.length, 1);
  }
  await using prompter = await bus.startPrompter("type");
  assertEquals(await play(bus, "unlock"), [false, true, ADA.secret, false]);
  assertEquals(prompter.prompts.length, 1);
});

linux.test("an aborted signal ends every call", async () => {
  await using bus = await startSessionBus();
  assertEquals(await play(bus, "abort"), "g-io-error-quark/19");
  assertEquals(await play(bus, "aborted"), "g-io-error-quark/19");
});

linux.test("what is opened is given back", async () => {
  await using bus = await startSessionBus();
  const [files, megabytes] = await play(
    bus,
    "many",
    ["--allow-all"],
  ) as number[];
  // GLib closes a connection a moment after the last use of it.
  assert(files !== undefined && files < 10, `${files} files`);
  // 100 rounds that kept their 60 kB six times over would take 36.
  assert(megabytes !== undefined && megabytes < 25, `${megabytes} MB`);
});

linux.test("a bus that never answers ends with the signal", async () => {
  await using silent = await startSilentBus();
  const env = {
    PATH: Deno.env.get("PATH") ?? "",
    DBUS_SESSION_BUS_ADDRESS: silent.address,
  };
  assertEquals(await play({ env }, "open"), "g-io-error-quark/19");
});

linux.test("workers can use the bindings one after the other", async () => {
  await using bus = await startSessionBus();
  const permissions = ["--allow-ffi", "--allow-read"];
  assertEquals(await play(bus, "workers", permissions), "done");
});

linux.test("the examples of ffi/mod.ts run", async () => {
  await using bus = await startSessionBus();
  const { code, stdout, stderr } = await deno(
    ["test", "--doc", "--allow-ffi", "ffi/mod.ts", "ffi/libsecret/service.ts"],
    bus,
  );
  assertEquals(code, 0, stdout + stderr);
  assert(/\| 2 passed \| 0 failed/.test(stdout), stdout);
  assertEquals(stderr.includes("GLib"), false, stderr);
  assertEquals(await bus.items(), []);
});
