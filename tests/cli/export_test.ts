import { assert, assertEquals, assertRejects } from "@std/assert";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { type ExportArgs, runExport } from "../../src/cli/export_tokens.ts";
import { SessionError } from "../../src/cli/session.ts";
import { decrypt } from "../../src/tokens/age.ts";
import { parseArchive } from "../../src/tokens/archive.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeScene, type FakeSceneOptions } from "../support/fake_session.ts";
import { FakeStore } from "../support/fake_store.ts";

const ALT = "sparse+https://alt.example/index/";
const OTHER = "sparse+https://other.example/index/";
const CONFIG = `[registries.alt]\nindex = "${ALT}"\n`;
const IDENTITY = await generateIdentity();
const RECIPIENT = await identityToRecipient(IDENTITY);

const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "it is locked",
  remedy: "Unlock it.",
  storeExists: true,
};

interface Run {
  readonly scene: FakeScene;
  readonly code: number;
  readonly said: string;
  /** What the file holds, by index URL; `undefined` without a file. */
  readonly exported: Readonly<Record<string, string>> | undefined;
}

async function runIn(
  scene: FakeScene,
  args: Partial<ExportArgs> = {},
): Promise<Run> {
  const file = `${scene.root}/tokens.age`;
  const code = await runExport({
    file,
    registry: [],
    recipient: [RECIPIENT],
    recipientsFile: [],
    yes: false,
    ...args,
  }, scene.session());
  return {
    scene,
    code,
    said: [...scene.out, ...scene.err].join("\n"),
    exported: await read(file),
  };
}

async function read(
  file: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const opened = await decrypt(bytes, { identities: [IDENTITY] });
  assert(opened.kind === "decrypted", opened.kind);
  const parsed = parseArchive(opened.bytes);
  assert(parsed.kind === "tokens", parsed.kind);
  return Object.fromEntries(
    parsed.tokens.map(({ indexUrl, token }) => [indexUrl, token.reveal()]),
  );
}

async function scene(options: FakeSceneOptions): Promise<FakeScene> {
  return await FakeScene.create({ config: CONFIG, ...options });
}

Deno.test("export writes what the store and the file hold, and shows none of it", async () => {
  await using here = await scene({
    store: new FakeStore({ [ALT]: "planted-1", [OTHER]: "planted-2" }),
    credentials: '[registry]\ntoken = "planted-3"\n',
  });
  const { code, said, exported } = await runIn(here);
  assertEquals(code, 0, said);
  assertEquals(exported, {
    [CRATES_IO_INDEX]: "planted-3",
    [ALT]: "planted-1",
    [OTHER]: "planted-2",
  });
  assert(!said.includes("planted"), said);
  // Nothing is moved, and nothing lies beside the file.
  assertEquals(await here.credentials(), '[registry]\ntoken = "planted-3"\n');
  assertEquals(
    [...Deno.readDirSync(here.root)].map(({ name }) => name).sort(),
    ["home", "tokens.age", "work"],
  );
});

Deno.test("export leaves out what is in the environment", async () => {
  await using here = await scene({
    store: new FakeStore({ [ALT]: "stored" }),
    env: { CARGO_REGISTRY_TOKEN: "e", CARGO_REGISTRIES_ALT_TOKEN: "e" },
  });
  assertEquals((await runIn(here)).exported, { [ALT]: "stored" });
});

Deno.test("export takes the file's token where the store has another, and says so", async () => {
  await using here = await scene({
    store: new FakeStore({ [ALT]: "stored" }),
    credentials: '[registries.alt]\ntoken = "filed"\n',
  });
  const { exported, said } = await runIn(here);
  assertEquals(exported, { [ALT]: "filed" });
  assert(said.includes("holds another token"), said);
});

Deno.test("export writes nothing if a store cannot be read", async () => {
  const store = new FakeStore({ [ALT]: "stored" }, {
    failureOf: { get: LOCKED },
  });
  await using here = await scene({ store });
  const error = await assertRejects(() => runIn(here), SessionError);
  assert(error.message.includes("it is locked"), error.message);
  assert(error.message.includes("KEYRING_STORE=off"), error.message);
  assertEquals(await read(`${here.root}/tokens.age`), undefined);
});

Deno.test("export goes on where there is no store at all", async () => {
  const failure: StoreFailure = {
    ...LOCKED,
    kind: "unreachable",
    storeExists: false,
  };
  await using here = await scene({
    store: new FakeStore({}, { failure }),
    credentials: '[registries.alt]\ntoken = "filed"\n',
  });
  assertEquals((await runIn(here)).exported, { [ALT]: "filed" });
});

Deno.test("export writes no file without a token", async () => {
  await using here = await scene({});
  await assertRejects(() => runIn(here), SessionError, "there is no token");
  assertEquals(await read(`${here.root}/tokens.age`), undefined);
});

Deno.test("export writes only the registries that are named", async () => {
  await using here = await scene({
    store: new FakeStore({ [ALT]: "one", [CRATES_IO_INDEX]: "two" }),
  });
  const { exported } = await runIn(here, { registry: ["alt"] });
  assertEquals(exported, { [ALT]: "one" });
  await assertRejects(
    () => runIn(here, { registry: ["none"], yes: true }),
    SessionError,
    "does not bind the name",
  );
});

Deno.test("export asks before it replaces a file", async (t) => {
  const store = new FakeStore({ [ALT]: "stored" });
  const cases: readonly {
    readonly name: string;
    readonly answers?: readonly string[];
    readonly yes: boolean;
    readonly written: boolean;
  }[] = [
    { name: "nobody is there", yes: false, written: false },
    { name: "a no", answers: ["n"], yes: false, written: false },
    { name: "a yes", answers: ["y"], yes: false, written: true },
    { name: "--yes", yes: true, written: true },
  ];
  for (const { name, answers, yes, written } of cases) {
    await t.step(name, async () => {
      await using here = await scene({
        store,
        ...(answers === undefined ? {} : { answers }),
      });
      const file = `${here.root}/tokens.age`;
      await Deno.writeTextFile(file, "mine");
      if (written) {
        assertEquals((await runIn(here, { yes })).exported, {
          [ALT]: "stored",
        });
      } else {
        await assertRejects(() => runIn(here, { yes }), SessionError);
        assertEquals(await Deno.readTextFile(file), "mine");
      }
    });
  }
});

Deno.test("export asks for a new passphrase twice", async (t) => {
  const store = new FakeStore({ [ALT]: "stored" });
  const cases: readonly [string, readonly string[] | undefined, string][] = [
    ["not the same", ["one", "two"], "not the same"],
    ["an empty one", [""], "no passphrase was given"],
    ["given up", ["one"], "no passphrase was given"],
  ];
  for (const [name, answers, expected] of cases) {
    await t.step(name, async () => {
      await using here = await scene({
        store,
        ...(answers === undefined ? {} : { answers }),
      });
      const { code, said, exported } = await runIn(here, { recipient: [] });
      assertEquals([code, exported], [1, undefined]);
      assert(said.includes(expected), said);
    });
  }
});

Deno.test("export names what is wrong with a recipient, and not the text", async (t) => {
  const cases: readonly [string, string, string][] = [
    ["a private key", IDENTITY, "line 1 is no public key"],
    ["an SSH key", "# me\nssh-ed25519 AAAA", "line 2 is an SSH key"],
    ["nothing", "# me\n", "it has no keys"],
  ];
  for (const [name, text, expected] of cases) {
    await t.step(name, async () => {
      await using here = await scene({});
      const path = `${here.root}/keys`;
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(
        () => runIn(here, { recipient: [], recipientsFile: [path] }),
        SessionError,
        expected,
      );
      assert(!error.message.includes(IDENTITY), error.message);
    });
  }
  await t.step("on the command line", async () => {
    await using here = await scene({});
    const error = await assertRejects(
      () => runIn(here, { recipient: [RECIPIENT, IDENTITY] }),
      SessionError,
      "the 2. `--recipient`",
    );
    assert(!error.message.includes(IDENTITY), error.message);
  });
});
