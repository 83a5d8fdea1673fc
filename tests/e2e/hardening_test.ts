// What the program asks of the kernel: no core dumps, no file outside of
// cargo's home, no socket but the bus, no process, and nothing of the directory
// that cargo runs in. Seen with strace, on the compiled program: of the
// launcher it would tell what Deno does with its caches.

import { assert, assertEquals } from "@std/assert";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { type Deeds, watch } from "../support/strace.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "strace is a program of Linux");

const program = Deno.env.get(PROGRAM_VARIABLE) ?? "";
const ignore = program === "";

const TOKEN = "hardened-token-5d1e";

/** What a loader, a library, Deno or a package manager might look for. */
const PLANTED = [
  "libc.so.6",
  "libsecret-1.so.0",
  "libglib-2.0.so.0",
  "libgio-2.0.so.0",
  "libgobject-2.0.so.0",
  "libkeyutils.so.1",
  "libdl.so.2",
  "deno.json",
  "deno.jsonc",
  "deno.lock",
  "package.json",
  "tsconfig.json",
  ".env",
  ".npmrc",
  "mod.js",
  "cargo-credential-keyring",
  "node_modules/left-pad/package.json",
] as const;

async function plant(directory: string): Promise<void> {
  await Deno.mkdir(`${directory}/node_modules/left-pad`, { recursive: true });
  for (const name of PLANTED) {
    await Deno.writeTextFile(`${directory}/${name}`, "{ not this");
  }
}

function assertHardened(home: TestHome, bus: string, deeds: Deeds): void {
  const { programs, processes, written, opened, sockets, order } = deeds;
  assertEquals([programs, processes], [[program], 0]);
  assertEquals(
    written.filter((path) =>
      !path.startsWith(`${home.cargoHome}/`) &&
      !["/dev/null", "/dev/tty"].includes(path)
    ),
    [],
  );
  // systemd's is asked for what it starts, and for its credentials.
  assertEquals(
    sockets.filter((to) =>
      to !== "AF_UNIX" && to !== bus && !to.startsWith("/run/systemd/")
    ),
    [],
  );
  assertEquals(order[0], "no core dumps");
  assertEquals(opened.filter((path) => !path.startsWith("/")), []);
  // Cargo's own settings are read there, as cargo does.
  assertEquals(
    opened.filter((path) =>
      path.startsWith(`${home.work}/`) &&
      !/\/\.cargo\/config(\.toml)?$/.test(path)
    ),
    [],
  );
}

linux.test({
  name: "the program keeps to cargo's home and the bus, and leaves no core",
  ignore,
  fn: async (t) => {
    await using bus = await startSessionBus();
    await using home = await TestHome.create({
      providers: ["cargo:token", PROVIDER],
      bus,
    });
    const address = bus.env["DBUS_SESSION_BUS_ADDRESS"] ?? "";
    const path = /unix:path=([^,]+)/.exec(address)?.[1] ?? "no path";
    const index = home.registry().indexUrl;
    const registry = { "index-url": index, name: "alt" };
    await plant(home.work);
    const watched = (
      args: readonly string[],
      request?: Readonly<Record<string, unknown>>,
      env: Readonly<Record<string, string>> = {},
    ): Promise<Deeds> =>
      watch([program, ...args], {
        env: { ...home.env, ...env },
        cwd: home.work,
        stdin: request === undefined
          ? ""
          : `${JSON.stringify({ v: 1, registry, ...request })}\n`,
      });
    const ask = (
      request: Readonly<Record<string, unknown>>,
      env?: Readonly<Record<string, string>>,
    ): Promise<Deeds> => watched(["--cargo-plugin"], request, env);
    const get = { kind: "get", operation: "read" };

    await t.step("login", async () => {
      const deeds = await ask({ kind: "login", token: TOKEN });
      assertEquals(deeds.stdout, '{"v":[1]}\n{"Ok":{"kind":"login"}}\n');
      assert(deeds.order.includes("connection"));
      assertHardened(home, path, deeds);
    });
    await t.step("get of a stored token", async () => {
      const deeds = await ask(get);
      assert(deeds.stdout.includes(TOKEN), deeds.stderr);
      assertHardened(home, path, deeds);
      assertEquals(
        deeds.written.filter((path) => path.startsWith(home.cargoHome)),
        [],
      );
    });
    await t.step("get with a token in the environment", async () => {
      const deeds = await ask(get, { CARGO_REGISTRIES_ALT_TOKEN: "other" });
      assert(deeds.stdout.includes('"other"'), deeds.stderr);
      assertHardened(home, path, deeds);
    });
    await t.step("logout", async () => {
      const deeds = await ask({ kind: "logout" });
      assertEquals(deeds.stdout, '{"v":[1]}\n{"Ok":{"kind":"logout"}}\n');
      assertHardened(home, path, deeds);
    });
    await t.step("get that moves a token", async () => {
      await home.writeCredentials(`[registries.alt]\ntoken = "${TOKEN}"\n`);
      const deeds = await ask(get);
      assert(deeds.stdout.includes(TOKEN), deeds.stderr);
      assert(deeds.stderr.includes("Moved"), deeds.stderr);
      assert(deeds.written.some((path) => path.startsWith(home.cargoHome)));
      assertHardened(home, path, deeds);
    });
    for (const command of ["status", "doctor", "migrate", "restore"]) {
      await t.step(command, async () => {
        assertHardened(home, path, await watched([command]));
      });
    }
  },
});

linux.test({
  name: "watch() sees what the program must not do",
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      const script = `
import os, socket
open("relative", "w").close()
os.rename("relative", "renamed")
try:
    socket.socket(socket.AF_UNIX).connect("/nowhere/socket")
except OSError:
    pass
socket.socket(socket.AF_INET).close()
os.write(1, b'{"v":[1]}')
pid = os.fork()
if pid == 0:
    os.execv("/bin/true", ["true"])
os.waitpid(pid, 0)
`;
      const deeds = await watch(["/usr/bin/python3", "-IS", "-c", script], {
        env: {},
        cwd: directory,
      });
      assertEquals(deeds.stderr, "");
      assertEquals([...deeds.programs], ["/usr/bin/python3", "/bin/true"]);
      assertEquals(deeds.processes, 1);
      assertEquals(deeds.written, ["relative", "relative", "renamed"]);
      assertEquals(deeds.sockets, ["AF_UNIX", "/nowhere/socket", "AF_INET"]);
      assertEquals(deeds.order, ["connection", "hello"]);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
