// `restore` without a process: a home in a temporary folder, a store in memory.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { type RestoreArguments, run } from "../../src/cli/commands/restore.ts";
import { SessionError } from "../../src/cli/session.ts";
import { readState } from "../../src/state/file.ts";
import { isPinned } from "../../src/state/pins.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeScene, type FakeSceneOptions } from "../support/fake_session.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const CORP = "sparse+https://corp.example/index/";
const OTHER = "sparse+https://other.example/index/";
const CONFIG = `[registries.corp]\nindex = "${CORP}"\n` +
  `[registries.alpha]\nindex = "${OTHER}"\n`;
const RESTORED = /^\[registries\.corp\]\ntoken = "tok-corp"$/m;

const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "the keyring is locked",
  remedy: "Unlock it.",
  storeExists: true,
};

const ASKED: RestoreArguments = {
  registry: [],
  keepStore: false,
  dryRun: false,
  json: true,
};

interface Row {
  readonly registry: string;
  readonly index_url: string | null;
  readonly outcome: string;
  readonly reason: string;
  readonly message: string;
}

async function restore(
  scene: FakeScene,
  args: Partial<RestoreArguments> = {},
): Promise<{ status: number; rows: Row[] }> {
  const status = await run({ ...ASKED, ...args }, scene.session());
  const [line = ""] = scene.out;
  return { status, rows: args.json === false ? [] : JSON.parse(line).results };
}

function codes(rows: readonly Row[]): string[] {
  return rows.map(({ outcome, reason }) => `${outcome}/${reason}`);
}

/** A token of `corp` in the store, and nothing else. */
async function corpScene(
  faults: FakeStoreFaults = {},
  options: FakeSceneOptions = {},
): Promise<{ scene: FakeScene; store: FakeStore }> {
  const store = new FakeStore({ [CORP]: "tok-corp" }, faults);
  const scene = await FakeScene.create({ config: CONFIG, store, ...options });
  return { scene, store };
}

Deno.test("restore moves a token into the file, where it stays", async () => {
  const { scene, store } = await corpScene();
  await using _ = scene;
  const { status, rows } = await restore(scene);
  assertEquals(status, 0);
  assertEquals(rows, [{
    registry: "corp",
    index_url: CORP,
    outcome: "restored",
    reason: "restored",
    message: `to ${scene.path}`,
  }]);
  assert(RESTORED.test(await scene.credentials()));
  assertEquals(store.items.size, 0);
  assert(isPinned(readState(scene.home), CORP));
  assertStringIncludes(scene.err.join(), "PLAINTEXT");
});

Deno.test("restore --keep-store leaves it in the store as well", async () => {
  const { scene, store } = await corpScene();
  await using _ = scene;
  const { rows } = await restore(scene, { keepStore: true });
  assertEquals(codes(rows), ["restored/kept-stored"]);
  assert(RESTORED.test(await scene.credentials()));
  assertEquals(store.items.get(CORP), "tok-corp");
});

Deno.test("restore --dry-run changes nothing and looks for no terminal", async () => {
  const { scene, store } = await corpScene({}, { answers: [] });
  await using _ = scene;
  for (const registry of [[], ["corp"]]) {
    const { status, rows } = await restore(scene, { registry, dryRun: true });
    assertEquals(status, 0);
    assertEquals(codes(rows), ["would-restore/restored"]);
  }
  assertEquals(await scene.credentials(), "");
  assertEquals(store.items.size, 1);
  assertEquals(scene.openedTerminal, false);
});

Deno.test("restore files a token under the user's own names alone", async (t) => {
  const ways: Record<string, [string, string[], string[]]> = {
    "a project's new name": [
      `[registries.aaa]\nindex = "${CORP}"\n`,
      [],
      ["restored/restored"],
    ],
    "another name of the user's": [
      `[registries.alpha]\nindex = "${CORP}"\n`,
      [],
      ["restored/restored"],
    ],
    "another name of the user's, by name": [
      `[registries.alpha]\nindex = "${CORP}"\n`,
      ["alpha"],
      ["skipped/rebound"],
    ],
    "a project's new name, by name": [
      `[registries.aaa]\nindex = "${CORP}"\n`,
      ["aaa"],
      ["skipped/bound-by-project"],
    ],
    "a name that a project has taken": [
      `[registries.corp]\nindex = "${OTHER}"\n`,
      [],
      ["skipped/rebound"],
    ],
  };
  for (const [name, [config, registry, expected]] of Object.entries(ways)) {
    await t.step(name, async () => {
      const { scene, store } = await corpScene();
      await using _ = scene;
      await scene.writeProject(config);
      const { status, rows } = await restore(scene, { registry });
      assertEquals(codes(rows), expected);
      const restored = expected[0] === "restored/restored";
      assertEquals(status, restored ? 0 : 1);
      const text = await scene.credentials();
      assertEquals(RESTORED.test(text), restored);
      assertEquals(/aaa|alpha/.test(text), false);
      assertEquals(store.items.has(CORP), !restored);
    });
  }
});

Deno.test("restore erases nothing if the name no longer leads there", async () => {
  const { scene, store } = await corpScene();
  await using _ = scene;
  let calls = 0;
  store.before = async (call) => {
    if (call !== "get" || ++calls < 3) return;
    // Under the lock, before the file is written.
    await Deno.writeTextFile(
      `${scene.home}/config.toml`,
      `[registries.corp]\nindex = "${OTHER}"\n`,
    );
  };
  const { status, rows } = await restore(scene, { registry: ["corp"] });
  assertEquals(status, 1);
  assertEquals(codes(rows), ["failed/leads-elsewhere"]);
  assertEquals(store.items.get(CORP), "tok-corp");
});

Deno.test("restore writes over no other token", async () => {
  const text = `[registries.corp]\ntoken = "tok-file"\n`;
  const { scene, store } = await corpScene({}, { credentials: text });
  await using _ = scene;
  const { status, rows } = await restore(scene);
  assertEquals(status, 1);
  assertEquals(codes(rows), ["conflict/different-tokens"]);
  assertEquals(await scene.credentials(), text);
  assertEquals(store.items.get(CORP), "tok-corp");
});

Deno.test("restore says what an item without a name needs", async () => {
  const store = new FakeStore({ [OTHER]: "tok-old", [CRATES_IO_INDEX]: "c" });
  await using scene = await FakeScene.create({
    config: `[registries.corp]\nindex = "${CORP}"\n`,
    store,
  });
  const all = await restore(scene, { dryRun: true });
  assertEquals(all.status, 1);
  assertEquals(codes(all.rows), ["skipped/no-name", "would-restore/restored"]);
  assertStringIncludes(all.rows[0]?.message ?? "", `--from ${OTHER}`);
  const named = await restore(scene, { registry: ["corp"] });
  assertEquals(codes(named.rows), ["skipped/nothing-stored"]);
  assertStringIncludes(
    named.rows[0]?.message ?? "",
    `cargo-credential-keyring migrate --registry corp --from ${OTHER}`,
  );
});

Deno.test("restore opens a dialog only for a person", async (t) => {
  const faults = { failure: LOCKED, promptOpens: true };

  await t.step("who is there", async () => {
    const { scene } = await corpScene({ ...faults }, { answers: [] });
    await using _ = scene;
    assertEquals((await restore(scene, { json: false })).status, 0);
    assert(RESTORED.test(await scene.credentials()));
  });

  for (const args of [{ json: true }, { dryRun: true, registry: ["corp"] }]) {
    await t.step(JSON.stringify(args), async () => {
      const { scene, store } = await corpScene({ ...faults }, { answers: [] });
      await using _ = scene;
      await restore(scene, args).catch((error) => {
        assert(error instanceof SessionError, String(error));
      });
      assertEquals(store.calls.filter((call) => call.includes("prompt")), []);
      assertEquals(await scene.credentials(), "");
    });
  }
});

Deno.test("restore keeps to the settings", async () => {
  const env = { CARGO_CREDENTIAL_KEYRING_FALLBACK: "deny" };
  const { scene, store } = await corpScene({}, { env });
  await using _ = scene;
  const { status, rows } = await restore(scene);
  assertEquals(status, 1);
  assertEquals(codes(rows), ["failed/fallback"]);
  assertEquals(store.items.size, 1);
});
