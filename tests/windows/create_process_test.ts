import { assertEquals } from "@std/assert";
import { quoteArgument, runProgram } from "../../ffi/create_process.ts";
import { onWindows } from "../support/windows.ts";

const CHILD = new URL("create_process_child.ts", import.meta.url);

Deno.test("quoteArgument() quotes what a program would read in another way", async (t) => {
  const cases: readonly [string, string][] = [
    ["plain", "plain"],
    ["", '""'],
    ["a b", '"a b"'],
    ["C:\\a b\\", '"C:\\a b\\\\"'],
    ["C:\\a\\", "C:\\a\\"],
    ['say "hi"', '"say \\"hi\\""'],
    ['\\"', '"\\\\\\""'],
    ["a\\\\ b", '"a\\\\ b"'],
  ];
  for (const [argument, quoted] of cases) {
    await t.step(argument, () => assertEquals(quoteArgument(argument), quoted));
  }
});

onWindows(
  "runProgram() gives streams and arguments on and the status back",
  async () => {
    const words = ["a b", "", 'q"q', "C:\\x y\\", "ä", "%PATH%", "^&"];
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-check",
        "--allow-ffi",
        "--allow-env",
        CHILD.href,
        Deno.execPath(),
        "eval",
        "--quiet",
        "const t = await new Response(Deno.stdin.readable).text();" +
        "console.log(JSON.stringify([t, Deno.env.get('PLANTED'), ...Deno.args]));" +
        "Deno.exit(7)",
        ...words,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("typed"));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const error = new TextDecoder().decode(stderr);
    assertEquals(code, 7, error);
    assertEquals(
      JSON.parse(new TextDecoder().decode(stdout)),
      ["typed", "planted value", ...words],
      error,
    );
  },
);

onWindows(
  "runProgram() looks in PATH alone, and says why nothing runs",
  async () => {
    const system = `${Deno.env.get("SystemRoot")}\\System32`;
    assertEquals(await runProgram(["cmd", "/c", "exit 3"], system), {
      kind: "ended",
      status: 3,
    });
    const none = { kind: "not-found", code: 2 } as const;
    assertEquals(await runProgram(["cmd", "/c", "exit 3"]), none);
    assertEquals(await runProgram(["no-such-program"], system), none);
    assertEquals(await runProgram(["C:\\no such\\x.exe"], system), {
      kind: "not-found",
      code: 3,
    });
    assertEquals(await runProgram(["C:\\a.bat"], system), {
      kind: "failed",
      code: 193,
    });
  },
);
