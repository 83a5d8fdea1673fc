// Many at once over one plaintext token: every one is answered, nothing is
// lost, and it ends up in one place.

import { assert, assertEquals } from "@std/assert";
import { parse } from "smol-toml";
import { Scene, tokenOf } from "./_scene.ts";

const TOKEN = "the-token-of-many-6f";
const PROVIDERS = 50;
const LOGINS = 12;

if (Deno.build.os === "linux") {
  Deno.test(`${PROVIDERS} providers move one token while cargo writes others`, async () => {
    await using scene = await Scene.create({ live: true });
    await scene.reset(
      `[registries.alt]\ntoken = "${TOKEN}"\n\n[registry]\ntoken = "crates-io-token"\n`,
      scene.alt,
    );
    // Cargo's own index is fetched once, before all of this.
    for (const name of ["one", "two"]) {
      await scene.cargoLogin("first", "cargo:token", name);
    }
    const answers = Promise.all(
      Array.from({ length: PROVIDERS }, () => scene.ask("get", scene.alt)),
    );
    const logins = (async () => {
      for (let i = 1; i <= LOGINS; i++) {
        await Promise.all(
          ["one", "two"].map((name) =>
            scene.cargoLogin(`token-${i}-of-${name}`, "cargo:token", name)
          ),
        );
      }
    })();
    for (const answer of await answers) {
      assertEquals(tokenOf(answer), TOKEN, answer.stderr);
      assertEquals(answer.code, 0);
    }
    await logins;
    await scene.ask("get", scene.alt);

    assertEquals(await scene.stored(scene.alt), [TOKEN]);
    const text = await scene.home.credentials() ?? "";
    assert(!text.includes(TOKEN), text);
    assertEquals(parse(text), {
      registry: { token: "crates-io-token" },
      registries: {
        alt: {},
        one: { token: `token-${LOGINS}-of-one` },
        two: { token: `token-${LOGINS}-of-two` },
      },
    });
  });

  Deno.test("logins to one store at once leave one item", async () => {
    await using scene = await Scene.create({ live: true });
    await scene.reset(
      `[registries.alt]\ntoken = "${TOKEN}"\n\n[registries.one]\ntoken = "one-token"\n`,
      scene.alt,
    );
    const tokens = Array.from({ length: 8 }, (_, i) => `token-${i}`);
    const results = await Promise.all([
      ...tokens.map((token) => scene.ask("login", scene.alt, { token })),
      ...tokens.map(() => scene.ask("get", scene.alt)),
    ]);
    for (const { answers, stderr } of results) {
      assert(answers.at(-1)?.["Ok"] !== undefined, stderr);
    }
    const stored = await scene.stored(scene.alt);
    assertEquals(stored.length, 1);
    assert(tokens.includes(stored[0] ?? ""));
    assertEquals(tokenOf(await scene.ask("get", scene.alt)), stored[0]);
    assertEquals(parse(await scene.home.credentials() ?? ""), {
      registries: { alt: {}, one: { token: "one-token" } },
    });
  });
}
