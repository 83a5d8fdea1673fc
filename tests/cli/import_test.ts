import { assert, assertEquals, assertRejects } from "@std/assert";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { Secret } from "../../src/base/secret.ts";
import { type ImportArgs, runImport } from "../../src/cli/import_tokens.ts";
import { SessionError } from "../../src/cli/session.ts";
import { encrypt } from "../../src/tokens/age.ts";
import { formatArchive } from "../../src/tokens/archive.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeScene, type FakeSceneOptions } from "../support/fake_session.ts";
import { FakeStore } from "../support/fake_store.ts";

const ALT = "sparse+https://alt.example/index/";
const OTHER = "sparse+https://other.example/index/";
const CONFIG = `[registries.alt]\nindex = "${ALT}"\n`;
const FILED = '[registries.alt]\ntoken = "planted-file"\n';
const IDENTITY = await generateIdentity();

const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "it is locked",
  remedy: "Unlock it.",
  storeExists: true,
};

/** A file of `export`. */
async function archive(
  scene: FakeScene,
  tokens: Readonly<Record<string, string>> = { [ALT]: "planted-new" },
): Promise<string> {
  const plain = formatArchive(
    Object.entries(tokens).map(([indexUrl, token]) => ({
      indexUrl,
      name: "old-name",
      token: Secret.fromString(token),
    })),
  );
  return await write(scene, plain);
}

async function write(
  scene: FakeScene,
  plain: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const recipient = await identityToRecipient(IDENTITY);
  await Deno.writeTextFile(`${scene.root}/key`, `# mine\n${IDENTITY}\n`);
  const file = `${scene.root}/tokens.age`;
  await Deno.writeFile(file, await encrypt(plain, { recipients: [recipient] }));
  return file;
}

async function runIn(
  scene: FakeScene,
  file: string,
  args: Partial<ImportArgs> = {},
): Promise<{ readonly code: number; readonly said: string }> {
  const code = await runImport({
    file,
    identity: [`${scene.root}/key`],
    prefer: undefined,
    dryRun: false,
    yes: false,
    json: false,
    ...args,
  }, scene.session());
  const said = [...scene.out, ...scene.err].join("\n");
  assert(!said.includes("planted"), said);
  return { code, said };
}

async function scene(options: FakeSceneOptions): Promise<FakeScene> {
  return await FakeScene.create({ config: CONFIG, ...options });
}

Deno.test("import stores what is nowhere yet", async () => {
  const store = new FakeStore();
  await using here = await scene({ store });
  const file = await archive(here, {
    [ALT]: "planted-new",
    [OTHER]: "planted-2",
  });
  const { code, said } = await runIn(here, file);
  assertEquals(code, 0, said);
  assertEquals(Object.fromEntries(store.items), {
    [ALT]: "planted-new",
    [OTHER]: "planted-2",
  });
  assert(said.includes("no name for " + OTHER), said);
});

Deno.test("import does nothing where the token is stored already", async () => {
  const store = new FakeStore({ [ALT]: "planted-new" });
  await using here = await scene({ store });
  const { code } = await runIn(here, await archive(here));
  assertEquals(code, 0);
  assert(!store.calls.includes("set"), store.calls.join());
});

Deno.test("import keeps one of two tokens as the user says", async (t) => {
  const cases: readonly {
    readonly name: string;
    readonly stored?: string;
    readonly credentials?: string;
    readonly answers?: readonly string[];
    readonly args: Partial<ImportArgs>;
    /** The exit status, what is stored then, and what the file holds. */
    readonly end: readonly [number, string | undefined, "file" | "no file"];
  }[] = [
    {
      name: "nobody is there",
      stored: "old",
      args: {},
      end: [1, "old", "no file"],
    },
    {
      name: "nobody says which one",
      stored: "old",
      args: { yes: true },
      end: [1, "old", "no file"],
    },
    {
      name: "a preference that nobody confirms",
      stored: "old",
      args: { prefer: "imported" },
      end: [1, "old", "no file"],
    },
    {
      name: "a yes",
      stored: "old",
      answers: ["y"],
      args: {},
      end: [0, "planted-new", "no file"],
    },
    {
      name: "a no",
      stored: "old",
      answers: ["n"],
      args: {},
      end: [0, "old", "no file"],
    },
    {
      name: "--prefer existing",
      stored: "old",
      args: { prefer: "existing" },
      end: [0, "old", "no file"],
    },
    {
      name: "--prefer imported --yes",
      stored: "old",
      args: { prefer: "imported", yes: true },
      end: [0, "planted-new", "no file"],
    },
    {
      name: "over the file's",
      credentials: FILED,
      args: { prefer: "imported", yes: true },
      end: [0, "planted-new", "no file"],
    },
    {
      name: "over the file's, stored already",
      stored: "planted-new",
      credentials: FILED,
      args: { prefer: "imported", yes: true },
      end: [0, "planted-new", "no file"],
    },
    {
      name: "over both",
      stored: "old",
      credentials: FILED,
      args: { prefer: "imported", yes: true },
      end: [0, "planted-new", "no file"],
    },
    {
      name: "the file's stays",
      credentials: FILED,
      args: { prefer: "existing" },
      end: [0, undefined, "file"],
    },
    {
      name: "a dry run",
      stored: "old",
      credentials: FILED,
      args: { prefer: "imported", yes: true, dryRun: true },
      end: [0, "old", "file"],
    },
    {
      name: "JSON asks nothing",
      stored: "old",
      answers: ["y"],
      args: { json: true },
      end: [1, "old", "no file"],
    },
  ];
  for (const { name, stored, credentials, answers, args, end } of cases) {
    await t.step(name, async () => {
      const store = new FakeStore(
        stored === undefined ? {} : { [ALT]: stored },
      );
      await using here = await scene({
        store,
        ...(credentials === undefined ? {} : { credentials }),
        ...(answers === undefined ? {} : { answers }),
      });
      const { code, said } = await runIn(here, await archive(here), args);
      const file = (await here.credentials()).includes("planted-file");
      assertEquals(
        [code, store.items.get(ALT), file ? "file" : "no file"],
        end,
        said,
      );
    });
  }
});

Deno.test("import never removes the token of a name that is not the user's own", async () => {
  const store = new FakeStore();
  await using here = await scene({
    store,
    credentials: '[registries.old-name]\ntoken = "planted-file"\n',
  });
  const { code } = await runIn(here, await archive(here), {
    prefer: "imported",
    yes: true,
  });
  assertEquals([code, store.items.get(ALT)], [0, "planted-new"]);
  assert((await here.credentials()).includes("planted-file"));
});

Deno.test("import leaves the file's token where the store did not keep the new one", async () => {
  const store = new FakeStore({}, { forgets: true });
  await using here = await scene({ store, credentials: FILED });
  const { code, said } = await runIn(here, await archive(here), {
    prefer: "imported",
    yes: true,
  });
  assertEquals([code, await here.credentials()], [1, FILED], said);
});

Deno.test("import goes on after a registry that fails", async () => {
  const store = new FakeStore();
  store.before = (call) => {
    if (call === "set") store.faults.failureOf = { set: LOCKED };
  };
  await using here = await scene({ store });
  const file = await archive(here, {
    [ALT]: "planted-1",
    [OTHER]: "planted-2",
  });
  const { code, said } = await runIn(here, file);
  assertEquals(code, 1);
  assertEquals(said.match(/it is locked/g)?.length, 2, said);
});

Deno.test("import says what a store does not keep", async () => {
  const store = new FakeStore({}, { plaintext: true }, false);
  await using here = await scene({ store });
  const { said } = await runIn(here, await archive(here));
  assert(said.includes("forgets it at the end of the session"), said);
  assert(said.includes("is not encrypted"), said);
});

Deno.test("import --json reports codes and no secret", async () => {
  await using here = await scene({ store: new FakeStore() });
  await runIn(here, await archive(here), { json: true });
  const { results } = JSON.parse(here.out.join(""));
  assertEquals(results.length, 1);
  const { registry, index_url, outcome, reason } = results[0];
  assertEquals([registry, index_url, outcome, reason], [
    "alt",
    ALT,
    "imported",
    "imported",
  ]);
  assert(!here.openedTerminal);
});

Deno.test("import says why it cannot read a file, and shows none of it", async (t) => {
  const encode = (text: string): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode(text);
  const cases: readonly [
    string,
    (here: FakeScene) => Promise<Partial<ImportArgs> & { file: string }>,
    string,
  ][] = [
    [
      "no file",
      (here) => Promise.resolve({ file: `${here.root}/none` }),
      "does not exist",
    ],
    [
      "a folder",
      (here) => Promise.resolve({ file: here.root }),
      "is not a regular file",
    ],
    ["a text", async (here) => {
      const file = `${here.root}/text`;
      await Deno.writeTextFile(file, "planted");
      return { file };
    }, "is not a file of `export`"],
    ["another program's", async (here) => ({
      file: await write(here, encode('{"token":"planted"}')),
    }), "is encrypted, but not a file of `export`"],
    ["a later version's", async (here) => ({
      file: await write(
        here,
        encode('{"format":"cargo-credential-keyring","version":3,"tokens":[]}'),
      ),
    }), "later version"],
    ["a wrong entry", async (here) => ({
      file: await write(
        here,
        encode(
          '{"format":"cargo-credential-keyring","version":1,"tokens":["planted"]}',
        ),
      ),
    }), "entry 1 is no object"],
    ["damage", async (here) => {
      const file = await archive(here);
      await Deno.truncate(file, 300);
      return { file };
    }, "is damaged"],
    ["no identity", async (here) => ({
      file: await archive(here),
      identity: [],
    }), "`--identity FILE` names"],
    ["another identity", async (here) => {
      const file = await archive(here);
      await Deno.writeTextFile(`${here.root}/key`, await generateIdentity());
      return { file };
    }, "none of the identities"],
    ["a public key", async (here) => {
      const file = await archive(here);
      await Deno.writeTextFile(
        `${here.root}/key`,
        await identityToRecipient(IDENTITY),
      );
      return { file };
    }, "line 1 is no private key"],
  ];
  for (const [name, make, expected] of cases) {
    await t.step(name, async () => {
      await using here = await scene({ store: new FakeStore() });
      const { file, ...args } = await make(here);
      const error = await assertRejects(
        () => runIn(here, file, args),
        SessionError,
        expected,
      );
      assert(
        !/planted|AGE-SECRET-KEY-1[^…]/.test(error.message),
        error.message,
      );
    });
  }
});

Deno.test("import asks for the passphrase of a file, or of the identity", async (t) => {
  const passphrase = { passphrase: Secret.fromString("correct horse") };
  const few = { workFactor: 10 };
  await t.step("of the file", async () => {
    const store = new FakeStore();
    await using here = await scene({ store, answers: ["correct horse"] });
    const plain = formatArchive([
      { indexUrl: ALT, token: Secret.fromString("planted-new") },
    ]);
    const file = `${here.root}/tokens.age`;
    await Deno.writeFile(file, await encrypt(plain, passphrase, few));
    assertEquals((await runIn(here, file, { identity: [] })).code, 0);
    assertEquals(store.items.get(ALT), "planted-new");
    assertEquals(here.questions, [`Passphrase of ${file}: `]);
  });
  await t.step("of the identity", async () => {
    const store = new FakeStore();
    await using here = await scene({ store, answers: ["correct horse"] });
    const file = await archive(here);
    await Deno.writeFile(
      `${here.root}/key`,
      await encrypt(new TextEncoder().encode(IDENTITY), passphrase, few),
    );
    assertEquals((await runIn(here, file)).code, 0);
    assertEquals(store.items.get(ALT), "planted-new");
  });
  await t.step("a wrong one", async () => {
    await using here = await scene({ store: new FakeStore(), answers: ["x"] });
    const file = `${here.root}/tokens.age`;
    await Deno.writeFile(
      file,
      await encrypt(new Uint8Array(1), passphrase, few),
    );
    await assertRejects(
      () => runIn(here, file, { identity: [] }),
      SessionError,
      "that is not the passphrase",
    );
  });
});
