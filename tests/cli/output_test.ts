import { assert, assertEquals } from "@std/assert";
import { green, stripAnsiCode } from "@std/fmt/colors";
import { printableOutput, SYSTEM_OUTPUT } from "../../src/cli/output.ts";
import { report } from "../../src/cli/report.ts";
import type { Screen } from "../../src/terminal/screen.ts";

const NAME = "corp\x1b[31m";
const URL = "sparse+https://cargo.registry.example.com/a/very/long/index/";
const MESSAGE = "to the Secret Service, which keeps it\x07";

function reported(screen?: Screen): string[] {
  const lines: string[] = [];
  const add = (line: string): void => {
    lines.push(line);
  };
  report(
    [
      {
        registry: NAME,
        indexUrl: URL,
        outcome: "migrated",
        reason: { code: "moved" },
        message: MESSAGE,
      },
      {
        registry: "crates-io",
        indexUrl: null,
        outcome: "failed",
        reason: { code: "locked" },
        message: "it is locked",
      },
    ],
    false,
    printableOutput(add, add, ...screen === undefined ? [] : [() => screen]),
  );
  return lines;
}

Deno.test("a report is a line for each registry where nobody looks", () => {
  assertEquals(reported(), [
    `Moved   corp (${URL}): to the Secret Service, which keeps it`,
    "Failed  crates-io: it is locked",
  ]);
});

Deno.test("a report fits every screen", () => {
  for (let width = 40; width <= 200; width++) {
    const lines = reported({ color: true, width });
    for (const line of lines.map(stripAnsiCode)) {
      assert(line.length <= width, `${width}: ${line}`);
      assert(!/\p{Cc}/u.test(line), line);
    }
    const text = lines.map(stripAnsiCode).join("").replaceAll(" ", "");
    assert(text.includes("Moved"), text);
    assert(lines.some((line) => line.startsWith(green("Moved"))), lines[0]);
  }
});

Deno.test("SYSTEM_OUTPUT prints whole lines on standard error", () => {
  const { stderr } = Deno;
  const { writeSync } = stderr;
  let text = "";
  stderr.writeSync = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    SYSTEM_OUTPUT.printError("error: one\nline", "", "another");
  } finally {
    stderr.writeSync = writeSync;
  }
  assertEquals(text, "error: one line\n\nanother\n");
});
