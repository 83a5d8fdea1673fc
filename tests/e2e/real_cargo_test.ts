import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parse } from "smol-toml";
import {
  type CredentialsTable,
  findAllTokens,
} from "../../src/credentials/file.ts";
import { withCredentialsLock } from "../../src/credentials/lock.ts";
import { loadTomlParser } from "../../src/toml/document.ts";
import { Secret } from "../../src/base/secret.ts";
import { toolchain } from "../support/cargo.ts";
import { credentialsFile } from "../credentials/credentials_support.ts";

const CONFIG = "[registry]\nglobal-credential-providers = ['cargo:token']\n" +
  ["alt", "my-reg", "my_reg", "registry"]
    .map((name) => `[registries.${name}]\nindex = "sparse+https://${name}/"\n`)
    .join("");
const PATH_OF: Record<string, CredentialsTable> = {
  "crates-io": ["registry"],
  alt: ["registries", "alt"],
  "my-reg": ["registries", "my-reg"],
};

/** Runs `cargo logout`, and says whether cargo had found a token. */
async function logout(home: string, registry: string): Promise<boolean> {
  const { cargo } = await toolchain();
  const { success, stderr } = await new Deno.Command(cargo, {
    args: ["logout", "--registry", registry],
    cwd: home,
    env: { CARGO_HOME: home, HOME: home },
    clearEnv: true,
  }).output();
  const text = new TextDecoder().decode(stderr);
  assert(success, text);
  const found = text.includes("has been removed");
  assertEquals(text.includes("not currently logged in"), !found, text);
  return found;
}

async function inHome(test: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "cargo-home-" });
  try {
    await Deno.writeTextFile(`${home}/config.toml`, CONFIG);
    await test(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("cargo finds the tokens that findAllTokens() finds", async () => {
  const toml = await loadTomlParser();
  await inHome((home) =>
    fc.assert(
      fc.asyncProperty(credentialsFile, async ({ text }) => {
        const tables = findAllTokens(toml.locate(text))
          .map(({ table }) => table.join("."));
        for (const [registry, table] of Object.entries(PATH_OF)) {
          await Deno.writeTextFile(`${home}/credentials.toml`, text);
          assertEquals(
            await logout(home, registry),
            tables.includes(table.join(".")),
          );
        }
      }),
      { seed: 4, numRuns: 25 },
    )
  );
});

Deno.test("cargo finds no token that was removed, and those that were put back", () =>
  inHome((home) =>
    fc.assert(
      fc.asyncProperty(credentialsFile, async ({ text }) => {
        const path = `${home}/credentials.toml`;
        for (const [registry, table] of Object.entries(PATH_OF)) {
          await Deno.writeTextFile(path, text);
          const removed = await withCredentialsLock(
            path,
            (file) => file.remove(table),
          );
          assert(removed.kind === "done", removed.kind);
          if (removed.value.kind === "refused") continue;
          const without = await Deno.readTextFile(path);
          assertEquals(await logout(home, registry), false);
          // Cargo writes only if it has found something.
          assertEquals(await Deno.readTextFile(path), without);
          const inserted = await withCredentialsLock(
            path,
            (file) => file.insert(table, Secret.fromString('a"\\b')),
          );
          assert(inserted.kind === "done", inserted.kind);
          if (inserted.value.kind === "refused") continue;
          assertEquals(await logout(home, registry), true);
        }
      }),
      { seed: 6, numRuns: 15 },
    )
  ));

Deno.test("cargo's next write brings no dead token to life", () =>
  inHome(async (home) => {
    const { cargo } = await toolchain();
    const path = `${home}/credentials.toml`;
    await Deno.writeTextFile(
      path,
      'token = "old"\n[registry]\ntoken = "new"\n[registries.alt]\ntoken = "a"\n',
    );
    const outcome = await withCredentialsLock(
      path,
      (file) => file.remove(["registry"]),
    );
    assertEquals(outcome, { kind: "done", value: { kind: "edited" } });
    // A write for another registry makes `registry` from a dead token.
    const { success } = await new Deno.Command(cargo, {
      args: ["logout", "--registry", "alt"],
      cwd: home,
      env: { CARGO_HOME: home, HOME: home },
      clearEnv: true,
    }).output();
    assert(success);
    const text = await Deno.readTextFile(path);
    assert(!text.includes("old"), "the old token is back");
    assertEquals(parse(text), { registry: {}, registries: { alt: {} } });
  }));
