// The token leaves the store when cargo is about to send it: what is built
// before finds it nowhere, and what cargo got instead never leaves the machine.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PLACEHOLDER } from "../../src/protocol/encode_answer.ts";
import { setUpOlderCargo } from "../harness/older_cargo.ts";
import { toolchain } from "../support/cargo.ts";
import type { LoopbackRegistry } from "../support/registry.ts";
import { type SessionBus, startSessionBus } from "../support/session_bus.ts";
import {
  CRATES_IO_INDEX,
  TestHome,
  type TestHomeOptions,
} from "../support/test_home.ts";

const TOKEN = "the-token-that-is-looked-for";

/**
 * A build script that looks for the token in the environment and the memory of
 * every process of this cargo home but its own, and in every file of cargo's
 * home. It does not have the token in its text, only what it is turned round.
 */
const LOOKING = `
use std::{env, fs, io::{Read, Seek, SeekFrom}, path::Path};

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn memory(pid: u32, wanted: &[u8]) -> bool {
    let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else { return false };
    let Ok(mut memory) = fs::File::open(format!("/proc/{pid}/mem")) else { return false };
    maps.lines().any(|line| {
        let mut fields = line.split(' ');
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        let (start, end) = range.split_once('-').unwrap();
        let start = u64::from_str_radix(start, 16).unwrap();
        let end = u64::from_str_radix(end, 16).unwrap();
        if !rights.starts_with("rw") || end - start > 1 << 28 { return false }
        let mut bytes = vec![0; (end - start) as usize];
        memory.seek(SeekFrom::Start(start)).is_ok()
            && memory.read_exact(&mut bytes).is_ok()
            && has(&bytes, wanted)
    })
}

fn files(directory: &Path, wanted: &[u8], found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, wanted, found);
        } else if fs::read(&path).is_ok_and(|bytes| has(&bytes, wanted)) {
            found.push(format!("{}", path.display()));
        }
    }
}

fn main() {
    let wanted: Vec<u8> = "${
  [...TOKEN].reverse().join("")
}".bytes().rev().collect();
    let home = env::var("CARGO_HOME").unwrap();
    let variable = format!("CARGO_HOME={home}").into_bytes();
    let (mut looked, mut found) = (0, vec![]);
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        if pid == std::process::id() || !has(&environ, &variable) { continue }
        looked += 1;
        if has(&environ, &wanted) { found.push("an environment".to_string()) }
        if memory(pid, &wanted) { found.push("the memory of a process".to_string()) }
    }
    files(Path::new(&home), &wanted, &mut found);
    fs::write(
        format!("{}/report", env::var("HOME").unwrap()),
        format!("{} {}", if looked == 0 { "blind" } else { "looked" }, found.join(", ")),
    ).unwrap();
}
`;

/** A crate that looks for the token while it is built. */
async function lookingCrate(home: TestHome, name: string): Promise<string> {
  const directory = await home.crate(name);
  await Deno.writeTextFile(`${directory}/build.rs`, LOOKING);
  return directory;
}

async function report(home: TestHome): Promise<string> {
  const path = `${home.home}/report`;
  const text = await Deno.readTextFile(path);
  await Deno.remove(path);
  return text;
}

/** A home with a token for crates.io and for `alt`. */
async function createHome(
  bus: SessionBus,
  options: TestHomeOptions = {},
): Promise<TestHome> {
  const home = await TestHome.create({
    registries: { alt: { tokens: [TOKEN] } },
    cratesIo: { tokens: [TOKEN] },
    bus,
    ...options,
  });
  for (const registry of ["crates-io", "alt"]) {
    const { code, stderr } = await home.cargo(
      ["login", "--registry", registry],
      { stdin: TOKEN },
    );
    assertEquals(code, 0, stderr);
  }
  return home;
}

/** Runs cargo and expects it to succeed after so many starts of the provider. */
async function expectLaunches(
  home: TestHome,
  args: readonly string[],
  launches: number,
  cwd: string = home.work,
): Promise<void> {
  const result = await home.cargo(args, { cwd });
  assertEquals(result.code, 0, result.stderr);
  assertEquals(
    result.launches,
    launches,
    `${args.join(" ")}\n${result.stderr}`,
  );
}

/** What carried a token carried the real one; the placeholder was never sent. */
function assertNeverSent(registry: LoopbackRegistry): void {
  assert(registry.sawToken(TOKEN));
  assert(!registry.sawToken(PLACEHOLDER));
  assert(!registry.sawToken("cargo-credential-keyring"));
}

async function settings(home: TestHome, text: string): Promise<void> {
  await Deno.writeTextFile(`${home.cargoHome}/credential-keyring.toml`, text);
}

if (Deno.build.os === "linux") {
  const cargos: Readonly<Record<string, () => Promise<string>>> = {
    "this machine's cargo": async () => (await toolchain()).cargo,
    "cargo 1.85": setUpOlderCargo,
  };
  for (const [title, which] of Object.entries(cargos)) {
    Deno.test(`${title} gets crates.io's token at the upload`, async (t) => {
      await using bus = await startSessionBus();
      await using home = await createHome(bus, { cargo: await which() });
      const registry = home.registry("crates-io");

      await t.step("publish, with a build script that looks", async () => {
        const cwd = await lookingCrate(home, "foo");
        await expectLaunches(home, ["publish"], 2, cwd);
        assertEquals(await report(home), "looked ");
        assertEquals(registry.versions("foo"), ["0.1.0"]);
      });

      await t.step("publish --no-verify", async () => {
        const cwd = await home.crate("bar");
        await expectLaunches(home, ["publish", "--no-verify"], 2, cwd);
      });

      await t.step("package and publish --dry-run", async () => {
        const cwd = await lookingCrate(home, "baz");
        await expectLaunches(home, ["package"], 0, cwd);
        assertEquals(await report(home), "looked ");
        const { code, stderr } = await home.cargo(["publish", "--dry-run"], {
          cwd,
        });
        assertEquals(code, 0, stderr);
        assertEquals(await report(home), "looked ");
      });

      await t.step("fetch of what was published", async () => {
        const cwd = await home.crate("user", '[dependencies]\nfoo = "0.1"\n');
        await expectLaunches(home, ["fetch"], 0, cwd);
      });

      await t.step("yank, unyank and owners", async () => {
        await expectLaunches(home, ["yank", "foo@0.1.0"], 1);
        await expectLaunches(home, ["yank", "--undo", "foo@0.1.0"], 1);
        await expectLaunches(home, ["owner", "--add", "eve", "foo"], 1);
        await expectLaunches(home, ["owner", "--list", "foo"], 1);
        assertEquals(registry.owners("foo"), ["publisher", "eve"]);
      });

      await t.step("another registry is answered at once", async () => {
        const cwd = await lookingCrate(home, "early");
        const publish = ["publish", "--registry", "alt"];
        await expectLaunches(home, publish, 1, cwd);
        // And the script would have found it.
        assertStringIncludes(await report(home), "the memory of a process");
      });

      await t.step("another registry that is set so", async () => {
        await settings(
          home,
          `[[registry]]\nindex = "${home.registry().indexUrl}"\n` +
            'hand-over = "late"\n',
        );
        const cwd = await lookingCrate(home, "late");
        const publish = ["publish", "--registry", "alt"];
        await expectLaunches(home, publish, 2, cwd);
        assertEquals(await report(home), "looked ");
        assertNeverSent(home.registry());
      });

      await t.step("crates.io with the token at once", async () => {
        await settings(home, 'hand-over = "early"\n');
        const cwd = await lookingCrate(home, "again");
        await expectLaunches(home, ["publish"], 1, cwd);
        assertStringIncludes(await report(home), "the memory of a process");
      });

      await t.step("the placeholder never left the machine", () => {
        assertNeverSent(registry);
        for (const { authorization, method, path } of registry.requests) {
          assert(
            path.startsWith("/api/") ? authorization === TOKEN : true,
            `${method} ${path}: ${authorization}`,
          );
        }
      });

      await t.step("without a token nothing is built", async () => {
        await settings(home, "");
        const { code } = await home.cargo(["logout"]);
        assertEquals(code, 0);
        const cwd = await lookingCrate(home, "none");
        const result = await home.cargo(["publish"], { cwd });
        assertEquals(result.code, 101, result.stderr);
        assertStringIncludes(result.stderr, "no token found");
        assertEquals(result.launches, 1);
        assertEquals(
          await Deno.lstat(`${home.home}/report`).catch(() => "none"),
          "none",
        );
      });
    });
  }

  Deno.test("a workspace is published with one more launch", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await lookingCrate(home, "first");
    const second = await lookingCrate(home, "second");
    await Deno.writeTextFile(
      `${second}/Cargo.toml`,
      await Deno.readTextFile(`${second}/Cargo.toml`) +
        '[dependencies]\nfirst = { path = "../first", version = "0.1" }\n',
    );
    await Deno.writeTextFile(
      `${home.work}/Cargo.toml`,
      '[workspace]\nmembers = ["first", "second"]\nresolver = "2"\n',
    );
    await expectLaunches(home, ["publish", "--workspace"], 2);
    assertEquals(await report(home), "looked ");
    assertNeverSent(home.registry("crates-io"));
    assertEquals(home.registry("crates-io").versions("second"), ["0.1.0"]);
  });

  Deno.test("an index that wants a token gets the real one", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus, {
      registries: { alt: { tokens: [TOKEN], authRequired: true } },
      cratesIo: { tokens: [TOKEN], authRequired: true },
    });
    const cwd = await home.crate("foo");
    await expectLaunches(home, ["search", "--registry", "alt", "foo"], 1);
    await expectLaunches(home, ["publish", "--registry", "alt"], 1, cwd);
    assertNeverSent(home.registry());
  });

  Deno.test("a token that is moved by the read is handed over late", async () => {
    await using bus = await startSessionBus();
    await using home = await TestHome.create({
      cratesIo: { tokens: [TOKEN] },
      bus,
    });
    await home.writeCredentials(`[registry]\ntoken = "${TOKEN}"\n`);
    const foo = await lookingCrate(home, "foo");
    await expectLaunches(home, ["publish"], 2, foo);
    // Cargo had read its own file before; the file has it no more.
    assertEquals(await report(home), "looked the memory of a process");
    assertEquals(await home.credentials(), "[registry]\n");
    const bar = await lookingCrate(home, "bar");
    await expectLaunches(home, ["publish"], 2, bar);
    assertEquals(await report(home), "looked ");
    assertEquals(
      (await bus.items()).map(({ attributes }) => attributes["url"]),
      [CRATES_IO_INDEX],
    );
  });

  Deno.test("the environment's token is answered at once", async () => {
    await using home = await TestHome.create({ cratesIo: { tokens: [TOKEN] } });
    const cwd = await home.crate("foo");
    const { code, launches, stderr } = await home.cargo(["publish"], {
      cwd,
      env: { CARGO_REGISTRY_TOKEN: TOKEN },
    });
    assertEquals(code, 0, stderr);
    assertEquals(launches, 1);
    assertNeverSent(home.registry("crates-io"));
  });
}
