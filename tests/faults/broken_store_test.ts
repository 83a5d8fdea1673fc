// A store that fails in the middle of a migration: the file is untouched, and
// `get` answers from it.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { moveToken } from "../../src/migration/move.ts";
import { Secret } from "../../src/secret.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";
import { FORMS, TOKEN } from "./_forms.ts";
import { assertMoved } from "./_migration.ts";
import { ALT, Scene, type SceneRun, tokenOf } from "./_scene.ts";

const [FIRST] = FORMS;
assert(FIRST !== undefined);
const FORM = FIRST;

const FAILURE: StoreFailure = {
  kind: "unreachable",
  cause: "service-failed",
  reason: "the fake store is gone",
  remedy: "Start it.",
  storeExists: true,
};

/** What came of a move into a fake store, and the calls until then. */
async function moveInto(
  faults: FakeStoreFaults,
): Promise<{ readonly kind: string; readonly calls: readonly string[] }> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, FORM.text);
    const store = new FakeStore({}, faults);
    const outcome = await moveToken(
      {
        path,
        table: ["registries", "alt"],
        token: Secret.fromString(TOKEN),
      },
      store,
      ALT,
      {
        signal: AbortSignal.timeout(10_000),
        beforeStoring: () => Promise.resolve(true),
      },
    );
    assertEquals(await Deno.readTextFile(path), FORM.text);
    return { kind: outcome.kind, calls: store.calls };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("moveToken() touches no file that the store does not take over", async () => {
  for (
    const [faults, kind, calls] of [
      [{ failure: FAILURE }, "not-stored", ["get"]],
      [{ failureOf: { get: FAILURE } }, "not-stored", ["get"]],
      [{ failureOf: { prepare: FAILURE } }, "not-stored", ["get", "prepare"]],
      [{ failureOf: { set: FAILURE } }, "not-stored", [
        "get",
        "prepare",
        "set",
      ]],
      [{ failureOf: { verify: FAILURE } }, "not-stored", [
        "get",
        "prepare",
        "set",
        "verify",
      ]],
      [{ forgets: true }, "not-stored", ["get", "prepare", "set", "verify"]],
    ] as const
  ) {
    assertEquals(
      await moveInto(faults),
      { kind, calls },
      JSON.stringify(faults),
    );
  }
});

Deno.test("moveToken() stores nothing that could not be remembered", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, FORM.text);
    const store = new FakeStore();
    const outcome = await moveToken(
      { path, table: ["registries", "alt"], token: Secret.fromString(TOKEN) },
      store,
      ALT,
      {
        signal: AbortSignal.timeout(10_000),
        beforeStoring: () => Promise.resolve(false),
      },
    );
    assertEquals(outcome.kind, "no-file");
    assertEquals(store.items.size, 0);
    assertEquals(await Deno.readTextFile(path), FORM.text);
  } finally {
    await Deno.remove(path);
  }
});

/** Stops a `get` at this message, lets something happen, and goes on. */
async function interrupt(
  message: { readonly name: string; readonly nth?: number },
  happen: (scene: Scene) => Promise<void> | void,
  run: SceneRun = {},
): Promise<void> {
  await using scene = await Scene.create();
  await scene.reset(FORM.text);
  const stop = scene.shim.stopAt({ kind: "bus", ...message });
  const reading = scene.ask("get", ALT, { ...run, rules: [stop.rule] });
  await stop.reached();
  await happen(scene);
  await stop.release();
  const result = await reading;
  assertEquals(result.code, 0, result.stderr);
  assertEquals(tokenOf(result), TOKEN, result.stderr);
  assertMatch(result.stderr, /warning: /);
  assert(!result.stderr.includes(TOKEN));
  assertEquals(await scene.home.credentials(), FORM.text);
}

const IN_TIME: SceneRun = {
  env: { CARGO_CREDENTIAL_KEYRING_TIMEOUT: "2" },
  limit: 15_000,
};

if (Deno.build.os === "linux") {
  for (const name of ["CreateItem", "GetSecrets"]) {
    Deno.test(`the keyring is killed before ${name}`, () =>
      interrupt({ name }, (scene) => scene.bus.signalKeyring("SIGKILL")));

    Deno.test(`the keyring hangs before ${name}`, () =>
      interrupt(
        { name },
        (scene) => scene.bus.signalKeyring("SIGSTOP"),
        IN_TIME,
      ));

    Deno.test(`the keyring is locked before ${name}`, () =>
      interrupt({ name }, (scene) => scene.bus.lock()));
  }

  Deno.test("the keyring forgets what it has taken", async () => {
    await interrupt(
      { name: "GetSecrets" },
      async (scene) => {
        assertEquals(await scene.stored(ALT), [TOKEN]);
        await scene.clear(ALT);
      },
    );
  });

  Deno.test("the keyring gives back something else", () =>
    interrupt(
      { name: "GetSecrets" },
      (scene) => scene.store(ALT, "something else"),
    ));

  Deno.test("a keyring that comes back takes the token", async () => {
    await using scene = await Scene.create();
    await scene.reset(FORM.text);
    const stop = scene.shim.stopAt({ kind: "bus", name: "CreateItem" });
    const reading = scene.ask("get", ALT, { ...IN_TIME, rules: [stop.rule] });
    await stop.reached();
    scene.bus.signalKeyring("SIGSTOP");
    await stop.release();
    assertEquals(tokenOf(await reading), TOKEN);
    scene.bus.signalKeyring("SIGCONT");
    assertEquals(tokenOf(await scene.ask("get", ALT)), TOKEN);
    await assertMoved(scene, FORM);
  });
}
