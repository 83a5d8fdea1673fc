// The tests beside this one are worth what the library sees: everything that
// strace sees, and it does with it what it is told.

import { assert, assertEquals } from "@std/assert";
import { askProvider } from "../support/ask_provider.ts";
import { KillShim, type ShimRule } from "../support/kill_shim.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import { FORMS } from "./_forms.ts";
import { ALT, KILLED, Scene } from "./_scene.ts";

/** What the library calls a system call. */
const KINDS: Readonly<Record<string, string>> = {
  openat: "file.open",
  write: "file.write",
  pwrite64: "file.write",
  ftruncate: "file.truncate",
  fsync: "file.sync",
  fdatasync: "file.sync",
  fchmod: "file.chmod",
  chmod: "file.chmod",
  fchmodat: "file.chmod",
  rename: "file.rename",
  renameat: "file.rename",
  renameat2: "file.rename",
  link: "file.link",
  linkat: "file.link",
  symlink: "file.link",
  unlink: "file.unlink",
  unlinkat: "file.unlink",
  mkdir: "file.mkdir",
  mkdirat: "file.mkdir",
  flock: "file.lock",
};

/** Those that need no name in the directory to be counted. */
const MESSAGES = ["sendmsg", "sendto"];

/** Writes with plain system calls, which C's own streams do not. */
const SCRIPT = `
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
for text in b"one\\n", b"two\\n":
    while text:
        text = text[os.write(file, text):]
print("done", end="")
`;

/** Counts what strace has seen, by the library's names. */
function countTrace(text: string, directory: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const call = /^\d+ +(\w+)/.exec(line)?.[1] ?? "";
    if (line.includes("resumed>")) continue;
    let kind = KINDS[call];
    if (MESSAGES.includes(call)) kind = "bus";
    else if (!line.includes(directory)) continue;
    if (call === "openat" && !/O_WRONLY|O_RDWR|O_CREAT/.test(line)) continue;
    if (call === "flock" && line.includes("LOCK_UN")) kind = "file.unlock";
    if (kind === undefined) continue;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

if (Deno.build.os === "linux") {
  Deno.test("KillShim sees what strace sees", async () => {
    const [form] = FORMS;
    assert(form !== undefined);
    const strace = await findProgram("strace") ??
      missing("strace", "apt-get install strace");
    await using scene = await Scene.create();
    await scene.reset(form.text);
    // A mode that has to be changed, for one call more.
    await Deno.chmod(scene.credentialsPath, 0o644);
    const directory = await Deno.realPath(scene.home.cargoHome);
    const output = `${scene.home.root}/trace`;
    const request = JSON.stringify({
      v: 1,
      registry: { "index-url": ALT.indexUrl, name: "alt" },
      kind: "get",
      operation: "read",
    });
    const { code, stderr } = await run([
      strace,
      ...["-f", "-qq", "-y", "-s", "0", "-o", output],
      `--trace=${[...Object.keys(KINDS), ...MESSAGES].join(",")}`,
      ...[scene.home.provider, "--cargo-plugin"],
    ], {
      env: { ...scene.home.env, ...scene.shim.env(directory) },
      stdin: `${request}\n`,
    });
    assertEquals(code, 0, stderr);
    const counts: Record<string, number> = {};
    for (const { kind } of await scene.shim.takeLog()) {
      if (kind !== "read") counts[kind] = (counts[kind] ?? 0) + 1;
    }
    assertEquals(
      counts,
      countTrace(await Deno.readTextFile(output), directory),
    );
    assert((counts["bus"] ?? 0) > 10);
    assert((counts["file.write"] ?? 0) > 0);
  });

  Deno.test("KillShim kills, fails, shortens and stops calls", async () => {
    const python = await findProgram("python3") ??
      missing("python3", "apt-get install python3");
    await using shim = await KillShim.compile();
    const directory = await Deno.makeTempDir();
    try {
      const write = (
        path: string,
        rules: readonly ShimRule[],
      ): ReturnType<typeof run> =>
        run([python, "-S", "-c", SCRIPT, path], {
          cwd: directory,
          env: shim.env(directory, rules),
          limit: 20_000,
        });

      const kill = { action: "kill", kind: "file.write", nth: 2 } as const;
      assertEquals((await write("file", [kill])).code, KILLED);
      assertEquals(await Deno.readTextFile(`${directory}/file`), "one\n");

      await write("file", [{ ...kill, action: "kill-after" }]);
      assertEquals(await Deno.readTextFile(`${directory}/file`), "one\ntwo\n");

      const failed = await write("file", [{
        action: "fail",
        kind: "file.write",
        name: "file",
        nth: 0,
        error: "ENOSPC",
      }]);
      assert(failed.stderr.includes("No space left"), failed.stderr);
      assertEquals(await Deno.readTextFile(`${directory}/file`), "");

      await shim.takeLog();
      await write("file", [{ action: "short", kind: "file.write", bytes: 1 }]);
      const writes = (await shim.takeLog())
        .filter(({ kind }) => kind === "file.write");
      assertEquals(writes[0], {
        kind: "file.write",
        name: "file",
        detail: "0+4",
      });
      assertEquals(writes[1]?.detail, "1+3");

      const stop = shim.stopAt({ kind: "file.write", nth: 2 });
      const running = write("file", [stop.rule]);
      await stop.reached();
      assertEquals(await Deno.readTextFile(`${directory}/file`), "one\n");
      await stop.release();
      assertEquals((await running).stdout, "done");

      const elsewhere = await write("/dev/null", [{
        action: "kill",
        kind: "file.*",
      }]);
      assertEquals(elsewhere.code, 0);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });

  Deno.test("KillShim changes nothing without rules", async () => {
    await using scene = await Scene.create();
    await scene.reset(undefined);
    const request = { v: 1, registry: { "index-url": ALT.indexUrl } };
    const { answers } = await askProvider(scene.home, [
      { ...request, kind: "get", operation: "read" },
    ], { env: scene.shim.env(scene.home.cargoHome) });
    assertEquals(answers, [{ Err: { kind: "not-found" } }]);
  });
}
