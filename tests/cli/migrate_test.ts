// `migrate` without a process: a home in a temporary folder, a store in memory.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { UsageError } from "../../src/cli/command.ts";
import { type MigrateArguments, run } from "../../src/cli/commands/migrate.ts";
import { readState, updateState } from "../../src/state/file.ts";
import { isPinned } from "../../src/state/pins.ts";
import { isSuperseded, supersede } from "../../src/state/superseded.ts";
import { Secret } from "../../src/base/secret.ts";
import { FakeScene, type FakeSceneOptions } from "../support/fake_session.ts";
import { FakeStore } from "../support/fake_store.ts";

const CORP = "sparse+https://corp.example/index/";
const OTHER = "sparse+https://other.example/index/";
const CONFIG = `[registries.corp]\nindex = "${CORP}"\n`;
const CREDENTIALS = `[registries.corp]\ntoken = "tok-file"\n`;

const ASKED: MigrateArguments = {
  registry: [],
  index: undefined,
  from: undefined,
  dryRun: false,
  keepFile: false,
  prefer: undefined,
  yes: false,
  json: true,
};

/** What `migrate` reports of one registry. */
interface Row {
  readonly registry: string;
  readonly index_url: string | null;
  readonly outcome: string;
  readonly reason: string;
  readonly message: string;
}

async function migrate(
  scene: FakeScene,
  args: Partial<MigrateArguments> = {},
): Promise<{ status: number; rows: Row[] }> {
  const status = await run({ ...ASKED, ...args }, scene.session());
  const [line = ""] = scene.out;
  return { status, rows: args.json === false ? [] : JSON.parse(line).results };
}

function codes(rows: readonly Row[]): string[] {
  return rows.map(({ outcome, reason }) => `${outcome}/${reason}`);
}

function corpScene(options: FakeSceneOptions = {}): Promise<FakeScene> {
  return FakeScene.create({
    config: CONFIG,
    credentials: CREDENTIALS,
    ...options,
  });
}

function storeWith(
  items: Record<string, string>,
  ...rest: [Record<string, unknown>?, boolean?]
): FakeStore {
  return new FakeStore(items, ...rest);
}

Deno.test("migrate moves a token and reports it", async () => {
  const store = new FakeStore();
  await using scene = await corpScene({ store });
  const { status, rows } = await migrate(scene);
  assertEquals(status, 0);
  assertEquals(rows, [{
    registry: "corp",
    index_url: CORP,
    outcome: "migrated",
    reason: "moved",
    message: "to the fake store",
  }]);
  assertEquals(store.items.get(CORP), "tok-file");
  assertEquals((await scene.credentials()).includes("tok-file"), false);
});

Deno.test("migrate --dry-run changes nothing and looks for no terminal", async () => {
  const store = new FakeStore();
  await using scene = await corpScene({ store, answers: ["y"] });
  const { status, rows } = await migrate(scene, { dryRun: true });
  assertEquals(status, 0);
  assertEquals(codes(rows), ["would-migrate/moved"]);
  assertEquals(store.items.size, 0);
  assertEquals(await scene.credentials(), CREDENTIALS);
  assertEquals(scene.openedTerminal, false);
});

Deno.test("migrate moves nothing to where cargo would not ask", async (t) => {
  const own = `${CONFIG}credential-provider = "cargo:token"\n`;
  const ways: Record<string, FakeSceneOptions> = {
    "no provider is listed": { providers: [] },
    "others are listed": { providers: ["cargo:token", "cargo:libsecret"] },
    "the registry has its own": { config: own },
    "a variable names another one": {
      env: { CARGO_REGISTRIES_CORP_CREDENTIAL_PROVIDER: "cargo:token" },
    },
    "only a variable lists it": {
      providers: [],
      env: {
        CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: "cargo-credential-keyring",
      },
    },
  };
  for (const [name, options] of Object.entries(ways)) {
    await t.step(name, async () => {
      const store = new FakeStore();
      await using scene = await corpScene({ ...options, store });
      for (
        const args of [
          {},
          { dryRun: true },
          { registry: ["corp"], yes: true },
          { keepFile: true },
        ]
      ) {
        const { status, rows } = await migrate(scene, args);
        assertEquals(status, 1);
        assertEquals(codes(rows), ["skipped/not-asked"]);
        assertStringIncludes(rows[0]?.message ?? "", "setup");
      }
      assertEquals(store.items.size, 0);
      assertEquals(await scene.credentials(), CREDENTIALS);
    });
  }
});

Deno.test("migrate means the user's own URL, whatever a project says", async () => {
  const store = new FakeStore();
  await using scene = await corpScene({ store });
  await scene.writeProject(`[registries.corp]\nindex = "${OTHER}"\n`);
  const { status } = await migrate(scene, { registry: ["corp"], yes: true });
  assertEquals(status, 0);
  assertEquals([...store.items], [[CORP, "tok-file"]]);
});

Deno.test("migrate --index copies what the user's own registry needs", async () => {
  const store = new FakeStore();
  await using scene = await corpScene({ store });
  await scene.writeProject(`[registries.corp]\nindex = "${OTHER}"\n`);
  const { status, rows } = await migrate(scene, {
    registry: ["corp"],
    index: OTHER,
    yes: true,
  });
  assertEquals(status, 0);
  assertEquals(codes(rows), ["migrated/copied"]);
  assertEquals([...store.items], [[OTHER, "tok-file"]]);
  assertEquals(await scene.credentials(), CREDENTIALS);
  // Again: there is nothing left to copy, and still nothing to remove.
  const again = await migrate(scene, { registry: ["corp"], index: OTHER });
  assertEquals(codes(again.rows), ["already/stored"]);
  assertEquals(await scene.credentials(), CREDENTIALS);
});

Deno.test("migrate takes a project's word for a URL only if it is typed", async () => {
  const store = new FakeStore();
  await using scene = await corpScene({ store, config: "" });
  await scene.writeProject(CONFIG);
  for (const args of [{}, { registry: ["corp"], yes: true }]) {
    const { status, rows } = await migrate(scene, args);
    assertEquals(status, 1);
    assertEquals(codes(rows), ["skipped/bound-by-project"]);
    assertStringIncludes(rows[0]?.message ?? "", `--index ${CORP}`);
  }
  assertEquals(store.items.size, 0);
  const typed = await migrate(scene, { registry: ["corp"], index: CORP });
  assertEquals(codes(typed.rows), ["migrated/moved"]);
  assertEquals((await scene.credentials()).includes("tok-file"), false);
});

Deno.test("migrate names a command where nothing binds the name", async () => {
  await using scene = await corpScene({ config: "" });
  const { status, rows } = await migrate(scene);
  assertEquals(status, 1);
  assertEquals(codes(rows), ["skipped/no-index"]);
  assertStringIncludes(rows[0]?.message ?? "", "--registry corp --index URL");
});

Deno.test("migrate leaves different tokens alone", async () => {
  const store = storeWith({ [CORP]: "tok-store" });
  await using scene = await corpScene({ store });
  const { status, rows } = await migrate(scene);
  assertEquals(status, 1);
  assertEquals(codes(rows), ["conflict/different-tokens"]);
  assertEquals(store.items.get(CORP), "tok-store");
  assertEquals(await scene.credentials(), CREDENTIALS);
});

const PREFERRED = [
  ["file", "tok-file", "tok-store"],
  ["store", "tok-store", "tok-file"],
] as const;

for (const [prefer, kept, discarded] of PREFERRED) {
  const asked = { registry: ["corp"], prefer };

  Deno.test(`migrate --prefer ${prefer} asks before it discards the other`, async () => {
    const store = storeWith({ [CORP]: "tok-store" });
    await using scene = await corpScene({ store, answers: ["no"] });
    const { status } = await migrate(scene, { ...asked, json: false });
    assertEquals(status, 1);
    const [question = ""] = scene.questions;
    for (const part of ["discarded", "corp", CORP, scene.path]) {
      assertStringIncludes(question, part);
    }
    assertEquals(question.includes("tok-"), false);
    assertEquals(store.items.get(CORP), "tok-store");
    assertEquals(await scene.credentials(), CREDENTIALS);
  });

  Deno.test(`migrate --prefer ${prefer} does nothing where nobody can be asked`, async () => {
    const store = storeWith({ [CORP]: "tok-store" });
    await using scene = await corpScene({ store });
    for (const json of [false, true]) {
      const { status } = await migrate(scene, { ...asked, json });
      assertEquals(status, 1);
      assertStringIncludes(scene.out.join("\n"), "--yes");
    }
    assertEquals(store.items.get(CORP), "tok-store");
    assertEquals(await scene.credentials(), CREDENTIALS);
  });

  Deno.test(`migrate --prefer ${prefer} --yes keeps that and remembers the other`, async () => {
    const store = storeWith({ [CORP]: "tok-store" });
    await using scene = await corpScene({ store });
    const { status, rows } = await migrate(scene, { ...asked, yes: true });
    assertEquals(status, 0);
    assertEquals(codes(rows), [
      `migrated/discards-${prefer === "file" ? "stored" : "file"}`,
    ]);
    assertEquals(store.items.get(CORP), kept);
    assertEquals((await scene.credentials()).includes("tok-"), false);
    const state = readState(scene.home);
    const isOut = (token: string): Promise<boolean> =>
      isSuperseded(state, CORP, Secret.fromString(token));
    assertEquals(await isOut(discarded), true);
    assertEquals(await isOut(kept), false);
  });
}

Deno.test("migrate removes a token that a login has replaced", async () => {
  const store = storeWith({ [CORP]: "tok-new" });
  await using scene = await corpScene({ store });
  await updateState(
    scene.home,
    (state) => supersede(state, CORP, [Secret.fromString("tok-file")]),
  );
  const { status, rows } = await migrate(scene);
  assertEquals(status, 0);
  assertEquals(codes(rows), ["migrated/superseded"]);
  assertEquals(store.items.get(CORP), "tok-new");
  assertEquals((await scene.credentials()).includes("tok-file"), false);
});

Deno.test("migrate --keep-file pins the copy", async () => {
  const store = new FakeStore();
  await using scene = await corpScene({ store });
  const { rows } = await migrate(scene, { keepFile: true });
  assertEquals(codes(rows), ["migrated/copied"]);
  assertEquals(await scene.credentials(), CREDENTIALS);
  assert(isPinned(readState(scene.home), CORP));
  // What the user has decided is no failure of a later run.
  const again = await migrate(scene);
  assertEquals(again.status, 0);
  assertEquals(codes(again.rows), ["skipped/pinned"]);
});

Deno.test("migrate calls a plaintext keyring one, before and after", async () => {
  const store = new FakeStore({}, { plaintext: true });
  await using scene = await corpScene({ store });
  let warned = false;
  store.before = (call) => {
    if (call === "set") warned = scene.err.join().includes("PLAINTEXT");
  };
  const dry = await migrate(scene, { dryRun: true });
  assertEquals(codes(dry.rows), ["would-migrate/plaintext-keyring"]);
  const { status, rows } = await migrate(scene);
  assertEquals(status, 0);
  assertEquals(codes(rows), ["migrated/plaintext-keyring"]);
  assertEquals(warned, true);
});

Deno.test("migrate keeps the file's copy until the store's is on disk", async () => {
  const store = new FakeStore({}, { verified: "not-yet-on-disk" });
  await using scene = await corpScene({ store });
  const { status, rows } = await migrate(scene);
  assertEquals(status, 0);
  assertEquals(codes(rows), ["migrated/not-yet-on-disk"]);
  assertEquals(await scene.credentials(), CREDENTIALS);
  // By now it is.
  const later = await migrate(scene);
  assertEquals(codes(later.rows), ["migrated/removed"]);
  assertEquals((await scene.credentials()).includes("tok-file"), false);
});

Deno.test("migrate --dry-run sees two names with one URL", async () => {
  const options = {
    config: `${CONFIG}[registries.twin]\nindex = "${CORP}"\n`,
    credentials: `${CREDENTIALS}[registries.twin]\ntoken = "tok-twin"\n`,
  };
  await using scene = await corpScene(options);
  const dry = await migrate(scene, { dryRun: true });
  assertEquals(dry.status, 1);
  assertEquals(codes(dry.rows), [
    "would-migrate/moved",
    "conflict/different-tokens",
  ]);
  const { rows } = await migrate(scene);
  assertEquals(codes(rows), ["migrated/moved", "conflict/different-tokens"]);
});

Deno.test("migrate lists the tokens that no command takes away", async () => {
  await using scene = await FakeScene.create({
    config: `token = "tok-too"\n${CONFIG}token = "tok-in-config"\n`,
    credentials: `[registry]\ntoken = "live"\n` +
      `[registries.crates-io]\ntoken = "dead"\n`,
  });
  const { status, rows } = await migrate(scene);
  assertEquals(status, 1);
  assertEquals(
    rows.map(({ registry, outcome, reason }) => [registry, outcome, reason]),
    [
      ["crates-io", "migrated", "moved"],
      ["crates-io", "skipped", "never-read"],
      ["crates-io", "skipped", "in-config"],
      ["corp", "skipped", "in-config"],
    ],
  );
  assertEquals(rows.filter(({ index_url }) => index_url !== null).length, 1);
  assertStringIncludes(
    rows[1]?.message ?? "",
    `[registries.crates-io] in ${scene.path}`,
  );
  assertStringIncludes(
    rows[3]?.message ?? "",
    `[registries.corp] in ${join(scene.home, "config.toml")}`,
  );
  assertEquals(scene.out.join().includes("tok-"), false);
  assertEquals((scene.store as FakeStore).items.get(CRATES_IO_INDEX), "live");
});

Deno.test("migrate opens one dialog for one dismissal", async () => {
  const names = ["one", "two", "three"];
  const locked = {
    kind: "locked",
    cause: "locked",
    reason: "the keyring is locked",
    remedy: "Unlock it.",
    storeExists: true,
  } as const;
  const store = new FakeStore({}, {
    failure: locked,
    promptFailure: { ...locked, kind: "denied", cause: "prompt-dismissed" },
  });
  await using scene = await FakeScene.create({
    config: names.map((name) =>
      `[registries.${name}]\nindex = "${CORP}${name}/"\n`
    ).join(""),
    credentials: names.map((name) =>
      `[registries.${name}]\ntoken = "tok-${name}"\n`
    ).join(""),
    store,
    answers: [],
  });
  const { status } = await migrate(scene, { json: false });
  assertEquals(status, 1);
  assertEquals(
    store.calls.filter((call) => call.endsWith("prompt")),
    ["prepare prompt"],
  );
  assertEquals(scene.out.filter((line) => line.includes("Failed")).length, 3);
});

Deno.test("migrate names a command in every line that skips a registry", async (t) => {
  const ways: Record<string, [FakeSceneOptions, Partial<MigrateArguments>]> = {
    "CI": [{ env: { CI: "1" } }, {}],
    "a variable's registry": [{
      config: "",
      env: { CARGO_REGISTRIES_CORP_INDEX: CORP },
    }, {}],
    "nothing in the file": [
      { credentials: "", store: storeWith({ [OTHER]: "tok-old" }) },
      { registry: ["corp"] },
    ],
  };
  for (const [name, [options, args]] of Object.entries(ways)) {
    await t.step(name, async () => {
      await using scene = await corpScene(options);
      const { rows } = await migrate(scene, args);
      for (const { outcome, message } of rows) {
        if (outcome === "skipped") {
          assertStringIncludes(message, "cargo-credential-keyring migrate");
        }
      }
    });
  }
});

Deno.test("migrate --from gives a name the token of its earlier URL", async (t) => {
  const asked = { registry: ["corp"], from: OTHER };

  await t.step("after a yes", async () => {
    const store = storeWith({ [OTHER]: "tok-old" });
    await using scene = await corpScene({
      store,
      credentials: "",
      answers: ["y"],
    });
    assertEquals((await migrate(scene, { ...asked, json: false })).status, 0);
    assertStringIncludes(scene.questions[0] ?? "", OTHER);
    assertEquals([...store.items], [[CORP, "tok-old"]]);
  });

  await t.step("without one, nothing", async () => {
    const store = storeWith({ [OTHER]: "tok-old" });
    await using scene = await corpScene({ store, credentials: "" });
    const { status, rows } = await migrate(scene, asked);
    assertEquals(status, 1);
    assertEquals(codes(rows), ["skipped/needs-yes"]);
    assertEquals([...store.items], [[OTHER, "tok-old"]]);
  });

  await t.step("not while another name needs it", async () => {
    const store = storeWith({ [OTHER]: "tok-old" });
    await using scene = await corpScene({
      store,
      config: `${CONFIG}[registries.other]\nindex = "${OTHER}"\n`,
    });
    const { rows } = await migrate(scene, { ...asked, yes: true });
    assertEquals(codes(rows), ["skipped/in-use"]);
    assertEquals([...store.items], [[OTHER, "tok-old"]]);
  });

  await t.step("not over another token", async () => {
    const store = storeWith({ [OTHER]: "tok-old", [CORP]: "tok-new" });
    await using scene = await corpScene({ store });
    const { rows } = await migrate(scene, { ...asked, yes: true });
    assertEquals(codes(rows), ["conflict/different-tokens"]);
    assertEquals(store.items.size, 2);
  });

  await t.step(
    "the old item stays where the new one does not last",
    async () => {
      const store = new FakeStore({ [OTHER]: "tok-old" }, {}, false);
      await using scene = await corpScene({ store });
      const { status } = await migrate(scene, { ...asked, yes: true });
      assertEquals(status, 1);
      assertEquals(store.items.get(OTHER), "tok-old");
    },
  );

  await t.step("and is named where it is missed", async () => {
    const store = storeWith({ [OTHER]: "tok-old" });
    await using scene = await corpScene({ store, credentials: "" });
    const { rows } = await migrate(scene, { registry: ["corp"] });
    assertEquals(codes(rows), ["skipped/no-token"]);
    assertStringIncludes(
      rows[0]?.message ?? "",
      `cargo-credential-keyring migrate --registry corp --from ${OTHER}`,
    );
  });
});

Deno.test("migrate refuses options that do not go together", async (t) => {
  const wrong: Record<string, Partial<MigrateArguments>> = {
    "--index without --registry": { index: CORP },
    "--index with two": { registry: ["a", "b"], index: CORP },
    "--index that is no URL": { registry: ["a"], index: "corp" },
    "--from for crates.io": { registry: ["crates-io"], from: CORP },
    "--from with --prefer": { registry: ["a"], from: CORP, prefer: "file" },
    "--keep-file with --prefer store": { keepFile: true, prefer: "store" },
  };
  await using scene = await corpScene();
  for (const [name, args] of Object.entries(wrong)) {
    await t.step(name, async () => {
      let thrown: unknown;
      await migrate(scene, args).catch((error) => thrown = error);
      assert(thrown instanceof UsageError, String(thrown));
    });
  }
});
