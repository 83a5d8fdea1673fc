// What the program does to the system, by strace: what it opens, connects to
// and starts, and what it does before it says hello.

import { assert, assertEquals } from "@std/assert";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";

const COMPILED = Deno.env.get(PROGRAM_VARIABLE) ?? "";
const TOKEN = "hardening-token-3c";

/** What a checkout could hold to be loaded or read from there. */
const PLANTED = [
  "libsecret-1.so.0",
  "libglib-2.0.so.0",
  "libgio-2.0.so.0",
  "libc.so.6",
  "deno.json",
  "deno.lock",
  "package.json",
  ".env",
  ".npmrc",
];

/** The lines of a trace that are calls, without what interrupts them. */
function calls(trace: string, name: RegExp): string[] {
  return trace.split("\n").filter((line) => name.test(line));
}

Deno.test({
  name:
    "the compiled program opens, connects to and starts nothing but what it needs",
  // A checkout under \`deno run\` has Deno's own cache and sources to open.
  ignore: Deno.build.os !== "linux" || COMPILED === "",
  fn: async (t) => {
    const strace = await findProgram("strace") ??
      missing("strace", "apt-get install strace");
    await using bus = await startSessionBus();
    await using home = await TestHome.create({
      providers: ["cargo:token", PROVIDER],
      bus,
    });
    const { indexUrl } = home.registry();
    for (const name of PLANTED) {
      await Deno.writeTextFile(`${home.work}/${name}`, "planted\n");
    }
    const registry = { "index-url": indexUrl, name: "alt" };
    const get = { v: 1, registry, kind: "get", operation: "read" };
    const requests: Readonly<
      Record<string, Readonly<Record<string, unknown>>>
    > = {
      "login": { v: 1, registry, kind: "login", token: TOKEN },
      "get": get,
      "get, which moves a token": get,
      "logout": { v: 1, registry, kind: "logout" },
    };
    for (const [name, request] of Object.entries(requests)) {
      await t.step(name, async () => {
        if (name.includes("moves")) {
          await Deno.writeTextFile(
            `${home.cargoHome}/credentials.toml`,
            `[registries.alt]\ntoken = "${TOKEN}"\n`,
            { mode: 0o600 },
          );
        }
        const file = `${home.root}/trace`;
        const { code, stderr, stdout } = await run([
          strace,
          "--follow-forks",
          "--string-limit=4096",
          "--trace=openat,open,creat,connect,socket,execve,execveat,fork,vfork," +
          "clone,clone3,prctl,write,rename,renameat2,unlink,unlinkat,mkdir,mkdirat",
          `--output=${file}`,
          COMPILED,
          "--cargo-plugin",
        ], {
          cwd: home.work,
          env: home.env,
          stdin: `${JSON.stringify(request)}\n`,
        });
        assertEquals(code, 0, stderr);
        assert(stdout.includes('"Ok"'), stdout);
        const trace = await Deno.readTextFile(file);

        // Nobody can read the memory before the token is in it.
        const dumpable = trace.indexOf(
          "prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE",
        );
        const hello = trace.indexOf('{\\"v\\":[1]}');
        assert(dumpable > 0 && dumpable < hello, `${dumpable} ${hello}`);

        // Nothing is written but in cargo's home.
        const written = calls(trace, /\bopen(at)?\(.*O_(WRONLY|RDWR|CREAT)/)
          .filter((line) => !/= -1 E/.test(line))
          .filter((line) => !/"\/dev\/(null|tty)"/.test(line))
          .filter((line) => !line.includes(`"${home.cargoHome}/`));
        assertEquals(written, []);

        // No socket but the bus.
        const connected = calls(trace, /\bconnect\(/)
          .filter((line) => !line.includes("AF_UNIX"));
        assertEquals(connected, []);
        assertEquals(
          calls(trace, /\bsocket\((AF_INET|AF_INET6|AF_NETLINK)/),
          [],
        );

        // No process: threads share the memory.
        assertEquals(calls(trace, /\bexecve(at)?\(/).length, 1);
        const forked = calls(trace, /\b(v?fork\(|clone3?\()/)
          .filter((line) => !line.includes("CLONE_THREAD"))
          .filter((line) => !/resumed>/.test(line));
        assertEquals(forked, []);

        // Nothing of the current directory.
        for (const planted of PLANTED) {
          assertEquals(
            calls(trace, /\bopen(at)?\(/).filter((line) =>
              line.includes(`"${home.work}/${planted}"`) ||
              line.includes(`"${planted}"`) || line.includes(`"./${planted}"`)
            ),
            [],
            planted,
          );
        }
      });
    }
  },
});
