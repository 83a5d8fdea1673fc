import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { printableOutput } from "../../src/cli/output.ts";
import { runCommandLine } from "../../src/cli/run_command_line.ts";
import { CommandSession } from "../../src/cli/session.ts";
import { FakeScene } from "../support/fake_session.ts";

async function run(
  args: readonly string[],
  cwd?: () => string,
): Promise<{ status: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const session = new CommandSession({
    env: {},
    output: printableOutput((l) => out.push(l), (l) => err.push(l)),
    ...(cwd === undefined ? {} : { cwd }),
  });
  return { status: await runCommandLine(args, session), out, err };
}

const WRONG: readonly [string[], string, string?][] = [
  [["migrat"], "unknown command `migrat`", "migrate"],
  [["frobnicate"], "unknown command `frobnicate`"],
  [["migrate", "--registri", "x"], "unknown option `--registri`", "--registry"],
  [["restore", "--kep-store"], "unknown option `--kep-store`", "--keep-store"],
  [["migrate", "corp"], "unexpected argument `corp`"],
  [["migrate", "--prefer", "both"], "`--prefer`: "],
  [["migrate", "--registry"], "`--registry` "],
  [["migrate", "--json", "--json"], "`--json` "],
  [["migrate", "--index", "https://x.example/"], "`--index` needs exactly"],
];

for (const [args, message, suggestion] of WRONG) {
  Deno.test(`runCommandLine() calls [${args}] wrong usage`, async () => {
    const { status, out, err } = await run(args);
    assertEquals(status, 2);
    assertEquals(out, []);
    assertStringIncludes(err[0] ?? "", `error: ${message}`);
    if (suggestion !== undefined) {
      assertStringIncludes(err.join("\n"), `did you mean \`${suggestion}\`?`);
    }
    assertStringIncludes(err.at(-1) ?? "", "--help");
    assert(err.length < 8, err.join("\n"));
  });
}

Deno.test("runCommandLine() shows no stack trace", async () => {
  const { status, err } = await run(["migrate"], () => {
    throw new TypeError("boom");
  });
  assertEquals(status, 1);
  assertEquals(err, ["error: cargo-credential-keyring has failed (TypeError)"]);
});

if (Deno.build.os === "linux") {
  Deno.test("migrate and restore say why cargo's home cannot be used", async () => {
    for (const command of ["migrate", "restore"]) {
      const err: string[] = [];
      const session = new CommandSession({
        env: { CARGO_HOME: "/dev/shm" },
        output: printableOutput(() => {}, (line) => err.push(line)),
      });
      assertEquals(await runCommandLine([command], session), 1);
      assertStringIncludes(err[0] ?? "", "/dev/shm cannot be used");
    }
  });

  Deno.test("runCommandLine() leaves no core file with a token", async () => {
    const module = import.meta.resolve("../../src/cli/run_command_line.ts");
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `import { runCommandLine } from ${JSON.stringify(module)};
         const libc = Deno.dlopen("libc.so.6", {
           prctl: {
             parameters: ["i32", "u64", "u64", "u64", "u64"],
             result: "i32",
           },
         }).symbols;
         const PR_GET_DUMPABLE = 3;
         const look = () => libc.prctl(PR_GET_DUMPABLE, 0n, 0n, 0n, 0n);
         const before = look();
         await runCommandLine(["token", "--registry", "none"]);
         Deno.exit(before === 1 && look() === 0 ? 0 : 9);`,
      ],
      env: { HOME: "/nonexistent", CARGO_HOME: "/nonexistent" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  });
}

Deno.test("runCommandLine() without arguments says what to do first", async () => {
  const introduction = async (
    providers: readonly string[],
  ): Promise<string[]> => {
    await using scene = await FakeScene.create({ providers });
    for (const args of [["credential-keyring"], []]) {
      assertEquals(await runCommandLine(args, scene.session()), 0);
      assert(scene.out.length <= 8, scene.out.join("\n"));
    }
    assertEquals(scene.err, []);
    return scene.out.map((line) => line.replaceAll(scene.root, ""));
  };
  const [name, what, , uses, next, , help] = await introduction([
    "cargo-credential-keyring",
  ]);
  assertStringIncludes(name ?? "", "cargo-credential-keyring ");
  assertStringIncludes(what ?? "", "credential store");
  assertEquals(
    uses,
    `Cargo asks it for tokens: ${
      join("/home", ".cargo", "config.toml")
    } lists it.`,
  );
  assertStringIncludes(next ?? "", "status");
  assertStringIncludes(help ?? "", "--help");
  const unused = await introduction(["cargo:token"]);
  assertEquals(unused[3], "Cargo does not ask it for tokens yet.");
  assertStringIncludes(unused[4] ?? "", "setup");
});

Deno.test("runCommandLine() introduces itself where cargo has no home", async () => {
  if (Deno.build.os !== "linux") return;
  const out: string[] = [];
  const session = new CommandSession({
    env: { CARGO_HOME: "/dev/shm" },
    output: printableOutput((line) => out.push(line), () => {}),
  });
  assertEquals(await runCommandLine([], session), 0);
  assertStringIncludes(out.join("\n"), "/dev/shm cannot be used");
});
