// SIGKILL during `export` and `import`: the exported file is the old one or the
// whole new one, no plaintext lies about, and of two tokens one is there.

import { assert, assertEquals } from "@std/assert";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { Secret } from "../../src/base/secret.ts";
import { decrypt, encrypt } from "../../src/tokens/age.ts";
import { formatArchive, parseArchive } from "../../src/tokens/archive.ts";
import { killEverywhere } from "./_kill.ts";
import { ALT, Scene, tokenOf } from "./_scene.ts";

const TOKEN = "the-exported-token-11";
const OLDER = "the-older-token-22";
const FILED = "the-filed-token-33";
const CREDENTIALS = `[registries.alt]\ntoken = "${FILED}"\n`;

const IDENTITY = await generateIdentity();
const RECIPIENT = await identityToRecipient(IDENTITY);

async function archive(token: string): Promise<Uint8Array> {
  const plain = formatArchive([
    { indexUrl: ALT.indexUrl, name: "alt", token: Secret.fromString(token) },
  ]);
  return await encrypt(plain, { recipients: [RECIPIENT] });
}

/** The token in an exported file, which must be a whole one. */
async function exportedIn(path: string): Promise<string | undefined> {
  const opened = await decrypt(await Deno.readFile(path), {
    identities: [IDENTITY],
  });
  assert(opened.kind === "decrypted", opened.kind);
  const parsed = parseArchive(opened.bytes);
  assert(parsed.kind === "tokens", parsed.kind);
  return parsed.tokens[0]?.token.reveal();
}

async function assertNoPlaintext(folder: string): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile) continue;
    const text = await Deno.readTextFile(`${folder}/${name}`);
    assert(!text.includes(TOKEN), name);
  }
}

if (Deno.build.os === "linux") {
  Deno.test("an export that is killed leaves the old file or the new one", async () => {
    await using scene = await Scene.create();
    const folder = scene.home.cargoHome;
    const file = `${folder}/tokens.age`;
    const points = await killEverywhere(scene, {
      reset: async () => {
        await scene.reset(undefined);
        await scene.store(ALT, TOKEN);
        await Deno.writeFile(file, await archive(OLDER));
      },
      run: (rules) =>
        scene.command(
          ["export", "--yes", "--recipient", RECIPIENT, file],
          { rules },
        ),
      afterKill: async () => {
        const exported = await exportedIn(file);
        assert(exported === TOKEN || exported === OLDER, exported);
        await assertNoPlaintext(folder);
        assertEquals(await scene.stored(ALT), [TOKEN]);
      },
      afterRun: async ({ code, stderr }) => {
        assertEquals(code, 0, stderr);
        assertEquals(await exportedIn(file), TOKEN);
        await assertNoPlaintext(folder);
        const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
        assertEquals(names.filter((name) => name.endsWith(".part")), []);
      },
    }, ["SearchItems", "GetSecrets"]);
    for (
      const kind of ["file.open", "file.write", "file.sync", "file.rename"]
    ) {
      assert(points.some((point) => point.kind === kind), kind);
    }
  });

  Deno.test("an import that is killed loses neither token, and can be done again", async () => {
    await using scene = await Scene.create();
    const folder = scene.home.cargoHome;
    const work = scene.home.work;
    await Deno.writeFile(`${work}/tokens.age`, await archive(TOKEN));
    await Deno.writeTextFile(`${work}/key`, IDENTITY);
    const run = (rules: Parameters<typeof scene.command>[1]) =>
      scene.command([
        "import",
        "--yes",
        "--prefer",
        "imported",
        "--identity",
        `${work}/key`,
        `${work}/tokens.age`,
      ], rules);
    const assertDone = async (): Promise<void> => {
      assertEquals(await scene.stored(ALT), [TOKEN]);
      assertEquals(tokenOf(await scene.ask("get", ALT)), TOKEN);
      assertEquals((await scene.home.credentials())?.includes(FILED), false);
      await assertNoPlaintext(folder);
    };
    await killEverywhere(scene, {
      reset: async () => {
        await scene.reset(CREDENTIALS);
        await scene.store(ALT, OLDER);
      },
      run: (rules) => run({ rules }),
      afterKill: async () => {
        const stored = await scene.stored(ALT);
        const filed = (await scene.home.credentials())?.includes(FILED);
        assert(filed === true || stored.includes(TOKEN), "a token is lost");
        // What cargo gets is one of those that the user has had.
        const got = tokenOf(await scene.ask("get", ALT));
        assert(got === FILED || got === TOKEN, got);
        const again = await run({});
        assertEquals(again.code, 0, again.stderr);
        await assertDone();
      },
      afterRun: async ({ code, stderr }) => {
        assertEquals(code, 0, stderr);
        await assertDone();
      },
    }, ["SearchItems", "CreateItem", "GetSecrets"]);
  });
}
