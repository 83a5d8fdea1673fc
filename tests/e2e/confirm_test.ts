// `confirm` and `record`: nobody publishes unasked, and what was handed over
// can be looked up.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { runInPty } from "../support/pty.ts";
import { run } from "../support/run.ts";
import { type SessionBus, startSessionBus } from "../support/session_bus.ts";
import { CRATES_IO_INDEX, TestHome } from "../support/test_home.ts";

const TOKEN = "the-token-that-is-asked-about";
const PUBLISH = ["publish", "--no-verify", "--allow-dirty"];

async function createHome(bus: SessionBus, set: string): Promise<TestHome> {
  const home = await TestHome.create({ cratesIo: { tokens: [TOKEN] }, bus });
  const { code, stderr } = await home.cargo(["login"], { stdin: TOKEN });
  assertEquals(code, 0, stderr);
  await Deno.writeTextFile(`${home.cargoHome}/credential-keyring.toml`, set);
  return home;
}

async function log(
  home: TestHome,
  ...args: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const result = await run([home.provider, "log", ...args], {
    cwd: home.work,
    env: home.env,
  });
  assertEquals(result.code, 0, result.stderr);
  return result;
}

if (Deno.build.os === "linux") {
  Deno.test("a publish is confirmed at the terminal, and recorded", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(
      bus,
      'confirm = ["publish", "owners"]\nrecord = "on"\n',
    );
    const registry = home.registry("crates-io");
    const cwd = await home.crate("foo");
    const [program, ...args] = home.command(PUBLISH);
    const publish = async (answer: string): Promise<string> => {
      const { output } = await runInPty([program, ...args], {
        cwd,
        env: { ...home.env, TERM: "dumb" },
        steps: [{ expect: "[y/N]", send: `${answer}\r` }],
      });
      return output;
    };

    const refused = await publish("n");
    assertStringIncludes(
      refused,
      "hand over the token of crates.io to publish foo 0.1.0 (sha256 ",
    );
    assertStringIncludes(refused, "it was not confirmed");
    assertEquals(registry.versions("foo"), []);

    await publish("y");
    assertEquals(registry.versions("foo"), ["0.1.0"]);

    // What is not listed is not asked about.
    const yank = await home.cargo(["yank", "foo@0.1.0"]);
    assertEquals(yank.code, 0, yank.stderr);
    const owners = await home.cargo(["owner", "--add", "eve", "foo"]);
    assertEquals(owners.code, 101);
    assertStringIncludes(owners.stderr, "the setting `confirm`");
    // Nor does the environment switch it off.
    const env = { CARGO_CREDENTIAL_KEYRING_CONFIRM: "never" };
    const unattended = await home.cargo(["owner", "--add", "eve", "foo"], {
      env,
    });
    assertEquals(unattended.code, 101);
    assertStringIncludes(unattended.stderr, "can only tighten it");
    assertEquals(registry.owners("foo"), ["publisher"]);

    const { stdout } = await log(home, "--json");
    const { entries } = JSON.parse(stdout);
    assertEquals(
      entries.map(({ operation, crate, version, outcome }: never) => [
        operation,
        crate,
        version,
        outcome,
      ]),
      [
        ["publish", "foo", "0.1.0", "refused"],
        ["publish", "foo", "0.1.0", "handed-over"],
        ["yank", "foo", "0.1.0", "handed-over"],
        ["owners", "foo", null, "refused"],
        ["owners", "foo", null, "refused"],
      ],
    );
    const [, entry] = entries;
    assertEquals(entry.directory, cwd);
    assertEquals(entry.index_url, CRATES_IO_INDEX);
    assertEquals(entry.cksum.length, 16);
    assertEquals(stdout.includes(TOKEN), false);
    const shown = await log(home);
    assertStringIncludes(shown.stdout, "refused: owners foo");
    assertEquals((await log(home, "--registry", "alt")).stdout, "");
  });

  Deno.test("a record that cannot be written changes no answer", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus, 'record = "on"\n');
    const record = `${home.cargoHome}/.credential-keyring-record.jsonl`;
    await Deno.mkdir(record);
    const cwd = await home.crate("foo");
    const { code, stderr } = await home.cargo(PUBLISH, { cwd });
    assertEquals(code, 0, stderr);
    assertEquals((await log(home)).stdout, "");
  });

  Deno.test("nothing is recorded unasked", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus, "");
    const cwd = await home.crate("foo");
    assertEquals((await home.cargo(PUBLISH, { cwd })).code, 0);
    const { stdout, stderr } = await log(home);
    assertEquals(stdout, "");
    assertStringIncludes(stderr, 'record = "on"');
  });
}
