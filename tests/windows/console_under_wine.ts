// Run by `tests/harness/wine.ts test`, by the Deno of this machine: a Unix terminal
// becomes the console of a program under Wine.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { setUpWine, windowsPath } from "../harness/wine.ts";
import { type PtyResult, runInPty } from "../support/pty.ts";

const TOKEN = "planted-console-token";

/** Asks under a console and gives what was typed back. */
async function ask(
  job: Readonly<Record<string, unknown>>,
  send?: string,
): Promise<PtyResult & { readonly typed: string }> {
  const wine = await setUpWine();
  const file = await Deno.makeTempFile({ prefix: "prompt-test-" });
  try {
    const result = await runInPty([
      wine.loader,
      wine.deno,
      "run",
      "--quiet",
      "--no-config",
      "--frozen",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-ffi",
      "--allow-sys=uid",
      windowsPath(
        new URL("../terminal/windows_prompt_child.ts", import.meta.url)
          .pathname,
      ),
      JSON.stringify({ ...job, file: windowsPath(file) }),
    ], {
      env: { ...wine.env, TERM: "xterm" },
      // Wine moves the cursor instead of writing the blank.
      steps: send === undefined ? [] : [{ expect: "Token:", send }],
      limit: 30_000,
    });
    return { ...result, typed: await Deno.readTextFile(file) };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("WindowsTerminal.prompt() reads a line that does not appear", async () => {
  const { typed, output } = await ask({}, `${TOKEN}\r`);
  assertEquals(typed, TOKEN);
  assertStringIncludes(output, "canAsk: true");
  assertStringIncludes(output, "outcome: line");
  assert(!output.includes(TOKEN), output);
});

Deno.test("WindowsTerminal.prompt() reads and edits a long line", async () => {
  const long = "0123456789".repeat(100);
  const { typed } = await ask({}, `wrong\x15${long}xy\x7f\x7f\r`);
  assertEquals(typed, long);
});

Deno.test("WindowsTerminal.prompt() shows what may be shown", async () => {
  const { typed, output } = await ask({ echo: true }, "shown-line\r");
  assertEquals(typed, "shown-line");
  assertStringIncludes(output, "shown-line");
});

Deno.test("WindowsTerminal.prompt() is interrupted by Ctrl-C", async () => {
  const { typed, output } = await ask({}, `${TOKEN}\x03`);
  assertEquals(typed, "");
  assertStringIncludes(output, "outcome: interrupted");
  assert(!output.includes(TOKEN), output);
});

Deno.test("WindowsTerminal.prompt() ends at its deadline", async () => {
  const { output } = await ask({ limit: 500 });
  assertStringIncludes(output, "outcome: timeout");
});
