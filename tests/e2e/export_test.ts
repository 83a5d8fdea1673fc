// Tokens on their way from one machine to another, with `age` looking on.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findProgram, missing } from "../support/requirements.ts";
import { runInPty } from "../support/pty.ts";
import { run } from "../support/run.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { TestHome } from "../support/test_home.ts";

const TOKEN = "planted-export-token";
const PASSPHRASE = "planted passphrase";

async function age(name: "age" | "age-keygen" = "age"): Promise<string> {
  return await findProgram(name) ?? missing("age", "apt-get install age");
}

if (Deno.build.os === "linux") {
  Deno.test("export and import move a token to another machine", async (t) => {
    await using bus = await startSessionBus();
    await using otherBus = await startSessionBus();
    const registries = { alt: { authRequired: true, tokens: [TOKEN] } };
    await using home = await TestHome.create({ registries, bus });
    await using other = await TestHome.create({ registries, bus: otherBus });
    const { indexUrl } = home.registry();
    // The same registry under another name.
    await Deno.writeTextFile(
      `${other.cargoHome}/config.toml`,
      `[registries.renamed]\nindex = "${indexUrl}"\n[registry]\n` +
        `global-credential-providers = [${JSON.stringify(other.provider)}]\n`,
    );
    const login = await home.cargo(["login", "--registry", "alt"], {
      stdin: `${TOKEN}\n`,
    });
    assertEquals(login.code, 0, login.stderr);
    const file = `${home.work}/tokens.age`;

    await t.step("with a passphrase that is typed unseen", async () => {
      const { code, output, echoes, echoesAfter } = await runInPty(
        [home.provider, "export", file],
        {
          env: home.env,
          cwd: home.work,
          steps: [
            { expect: "Passphrase: ", send: `${PASSPHRASE}\r` },
            { expect: "once more: ", send: `${PASSPHRASE}\r` },
          ],
        },
      );
      assertEquals(code, 0, output);
      assertEquals([echoes, echoesAfter], [[false, false], true]);
      assertStringIncludes(output, `Exported  alt  ${indexUrl}`);
      assert(!output.includes("planted"), output);
      const { mode } = await Deno.stat(file);
      assertEquals((mode ?? 0) & 0o777, 0o600);
      assert(!(await Deno.readTextFile(file)).includes("planted"));
    });

    await t.step("which age opens", async () => {
      const { code, output } = await runInPty([await age(), "-d", file], {
        env: {},
        steps: [{ expect: "passphrase:", send: `${PASSPHRASE}\r` }],
      });
      assertEquals(code, 0, output);
      assertEquals(JSON.parse(output.slice(output.indexOf("{"))), {
        format: "cargo-credential-keyring",
        version: 1,
        tokens: [{ index_url: indexUrl, registry: "alt", token: TOKEN }],
      });
    });

    await t.step("a wrong passphrase imports nothing", async () => {
      const { code, output } = await runInPty(
        [other.provider, "import", file],
        {
          env: other.env,
          cwd: other.work,
          steps: [{ expect: `Passphrase of ${file}: `, send: "wrong\r" }],
        },
      );
      assertEquals(code, 1, output);
      assertStringIncludes(output, "that is not the passphrase");
      assertEquals(await otherBus.items(), []);
    });

    await t.step("a dry run neither", async () => {
      const { code, output } = await runInPty(
        [other.provider, "import", "--dry-run", file],
        {
          env: other.env,
          cwd: other.work,
          steps: [{ expect: "Passphrase of ", send: `${PASSPHRASE}\r` }],
        },
      );
      assertEquals(code, 0, output);
      assertStringIncludes(output, `Would import  renamed (${indexUrl}): to `);
      assertEquals(await otherBus.items(), []);
    });

    await t.step("the right one does, and cargo uses the token", async () => {
      const { code, output } = await runInPty(
        [other.provider, "import", file],
        {
          env: other.env,
          cwd: other.work,
          steps: [{ expect: "Passphrase of ", send: `${PASSPHRASE}\r` }],
        },
      );
      assertEquals(code, 0, output);
      assertStringIncludes(output, `Imported  renamed (${indexUrl}): to `);
      assert(!output.includes("planted"), output);
      const search = await other.cargo([
        "search",
        "--registry",
        "renamed",
        "x",
      ]);
      assertEquals(search.code, 0, search.stderr);
    });

    await t.step("with keys of age, without a terminal", async () => {
      const keys = await run([await age("age-keygen")], { env: {} });
      await Deno.writeTextFile(`${home.work}/key`, keys.stdout);
      const recipient = /age1\S+/.exec(keys.stdout)?.[0] ?? "";
      const toKeys = `${home.work}/to-keys.age`;
      const exported = await run(
        [home.provider, "export", "--recipient", recipient, toKeys],
        { env: home.env, cwd: home.work },
      );
      assertEquals(exported.code, 0, exported.stderr);
      const opened = await run(
        [await age(), "-d", "-i", `${home.work}/key`, toKeys],
        { env: {} },
      );
      assertStringIncludes(opened.stdout, TOKEN);
      const again = await run(
        [home.provider, "export", "--recipient", recipient, toKeys],
        { env: home.env, cwd: home.work },
      );
      assertEquals(again.code, 1);
      assertStringIncludes(again.stderr, "exists; `--yes` replaces it");
      const imported = await run([
        other.provider,
        "import",
        "--json",
        "--identity",
        `${home.work}/key`,
        toKeys,
      ], { env: other.env, cwd: other.work });
      assertEquals(imported.code, 0, imported.stderr);
      const { results } = JSON.parse(imported.stdout);
      assertEquals(results[0].outcome, "already");
    });

    await t.step(
      "without a terminal and without keys nothing is written",
      async () => {
        const { code, stderr } = await run(
          [home.provider, "export", `${home.work}/none.age`],
          { env: home.env, cwd: home.work },
        );
        assertEquals(code, 1);
        assertStringIncludes(stderr, "there is no terminal");
        assertEquals(
          [...Deno.readDirSync(home.work)].map(({ name }) => name).sort(),
          ["key", "to-keys.age", "tokens.age"],
        );
      },
    );
  });
}
