import { assertEquals, assertStringIncludes } from "@std/assert";
import { object } from "@optique/core/constructs";
import { commandLine, message, metavar } from "@optique/core/message";
import { command, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { manPage } from "../../src/cli/man_page.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";

const PAGE = await manPage({
  program: "a-program",
  version: "1.2.3",
  summary: "does what it says",
  date: new Date("2026-02-03T04:05:06Z"),
  before: [{ title: "DESCRIPTION", body: [".not a macro", "'nor this"] }],
  commands: ["do"],
  parser: command(
    "do",
    object({
      how: option(
        "-h",
        "--how",
        choice(["well", "badly"], { metavar: "HOW" }),
        {
          description: message`As ${metavar("HOW")} says: \\ ~ ^ - "quoted".`,
        },
      ),
    }),
    {
      brief: message`.Does it.`,
      description: message`Use ${
        commandLine("a-program do -h well")
      } or \`nothing\`.

A second paragraph.`,
    },
  ),
  after: [{
    title: "EXIT STATUS",
    body: [{ term: "0", text: "all was done" }, { term: "1", text: "'no'" }],
  }],
});

const program = async (name: string): Promise<string> =>
  await findProgram(name) ?? missing(name, `apt-get install ${name}`);

Deno.test("manPage() is as plain text what it says", async () => {
  const { stdout, stderr } = await run(
    [await program("man"), "-l", "-E", "ascii", "-"],
    {
      stdin: PAGE,
      env: {
        PATH: "/usr/bin:/bin",
        MANWIDTH: "72",
        MANROFFOPT: "-ww",
        LC_ALL: "C.UTF-8",
        MANPAGER: "cat",
      },
    },
  );
  assertEquals(stderr, "");
  const text = stdout.replaceAll(/\s+/g, " ");
  for (
    const words of [
      "A-PROGRAM(1)",
      "a-program - does what it says",
      ".not a macro",
      "'nor this",
      "do -h/--how HOW",
      ".Does it.",
      "Use a-program do -h well or nothing.",
      "A second paragraph.",
      'As HOW says: \\ ~ ^ - "quoted". One of well, badly.',
      "EXIT STATUS 0 all was done 1 'no'",
      "2026-02-03",
    ]
  ) assertStringIncludes(text, words);
});

Deno.test("manPage() is what groff and mandoc take without a warning", async () => {
  const groff = await run(
    [await program("groff"), "-man", "-Tutf8", "-ww", "-z"],
    { stdin: PAGE, env: { PATH: "/usr/bin:/bin" } },
  );
  assertEquals([groff.code, groff.stderr], [0, ""]);
  const mandoc = await run(
    [await program("mandoc"), "-T", "lint", "-W", "warning"],
    { stdin: PAGE, env: {} },
  );
  assertEquals([mandoc.code, mandoc.stdout], [0, ""]);
});
