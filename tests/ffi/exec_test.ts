import { assertEquals } from "@std/assert";
import { run, type RunResult } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the calls are Unix's");

const CHILD = new URL("exec_child.ts", import.meta.url).pathname;
const PATH = "/usr/bin:/bin";
/** Runs `replaceProcess()` with the command behind it. */
const BECOME = [
  Deno.execPath(),
  "run",
  "--quiet",
  "--allow-ffi",
  "--allow-env",
  "--no-check",
  CHILD,
] as const;

const SIGPIPE_BIT = 1n << 12n;

async function become(
  command: readonly string[],
  options: { env?: Record<string, string>; stdin?: string } = {},
): Promise<RunResult> {
  return await run([...BECOME, ...command], {
    stdin: options.stdin ?? "",
    env: {
      PATH,
      DENO_NO_UPDATE_CHECK: "1",
      HOME: Deno.env.get("HOME") ?? "/",
      ...options.env,
    },
  });
}

unix.test("replaceProcess() looks in PATH and hands everything on", async () => {
  const { code, stdout } = await become(
    [
      "sh",
      "-c",
      'cat; printf "%s|" "$PLANTED" "$0" "$@"; exit 7',
      "a b",
      "",
      "ä",
    ],
    { stdin: "typed " },
  );
  assertEquals([code, stdout], [7, "typed planted value|a b||ä|"]);
});

unix.test("replaceProcess() keeps bytes of the environment that are no text", async () => {
  // A shell makes the variable, since Deno has no way to.
  const { stdout } = await run([
    "/bin/sh",
    "-c",
    `ODD="$(printf 'caf\\351')" exec "$@"`,
    "sh",
    ...BECOME,
    "sh",
    "-c",
    `printf %s "$ODD" | od -An -tx1`,
  ], { env: { PATH, HOME: Deno.env.get("HOME") ?? "/" } });
  assertEquals(stdout.trim(), "63 61 66 e9");
});

unix.test("replaceProcess() leaves no signal ignored and no descriptor open", async () => {
  const look = [
    "/bin/sh",
    "-c",
    "grep -E '^Sig(Ign|Blk)' /proc/self/status; ls /proc/$$/fd",
  ] as const;
  const direct = await run(look, { env: { PATH } });
  const { stdout } = await become(look);
  assertEquals(stdout, direct.stdout);
  // Deno ignores SIGPIPE; what the tests were started with stays.
  const [, ignored = ""] = /SigIgn:\s([0-9a-f]+)/.exec(stdout) ?? [];
  assertEquals(BigInt(`0x${ignored}`) & SIGPIPE_BIT, 0n);
});

unix.test("replaceProcess() is the same process", async () => {
  const { stdout } = await run([
    "/bin/sh",
    "-c",
    'echo $$; exec "$@"',
    "sh",
    ...BECOME,
    "sh",
    "-c",
    "echo $$",
  ], { env: { PATH, HOME: Deno.env.get("HOME") ?? "/" } });
  const [before, after] = stdout.split("\n");
  assertEquals(after, before);
});

unix.test("replaceProcess() says why there is no other program", async (t) => {
  const cases: readonly [string, unknown][] = [
    ["no-such-program", { kind: "not-found", code: 2 }],
    ["/no/such/program", { kind: "not-found", code: 2 }],
    ["", { kind: "not-found", code: 2 }],
    ["/etc/passwd", { kind: "not-allowed", code: 13 }],
    ["/", { kind: "not-allowed", code: 13 }],
  ];
  for (const [program, expected] of cases) {
    await t.step(JSON.stringify(program), async () => {
      const { stdout } = await become([program]);
      assertEquals(JSON.parse(stdout), expected);
    });
  }
});
