import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { object } from "@optique/core/constructs";
import { commandLine, message, metavar } from "@optique/core/message";
import { command, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { commandNames } from "../../src/cli/commands.ts";
import { manPage } from "../../src/cli/man_page.ts";
import { programManPage } from "../../src/cli/program_man_page.ts";
import { SETTINGS } from "../../src/settings/settings.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the judges are man, groff and mandoc");

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
          description: message`As ${metavar("HOW")} says: \\ ~ ^ - "quoted" ä…`,
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

unix.test("manPage() is as plain text what it says", async () => {
  const { stdout, stderr } = await run(
    [await program("man"), "-l", "-"],
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
      'As HOW says: \\ ~ ^ - "quoted" ä…; one of well, badly',
      "EXIT STATUS 0 all was done 1 'no'",
      "2026-02-03",
    ]
  ) assertStringIncludes(text, words);
});

unix.test("manPage() is what groff and mandoc take without a warning", async () => {
  assertEquals(await faults(PAGE), "");
  assert((await faults(".SH\n.XX\n")).includes("XX"), "the judges judge");
});

unix.test("the program's own page has every command, and no warning", async () => {
  const page = (await programManPage({ SOURCE_DATE_EPOCH: "0" })).join("\n");
  assertStringIncludes(page, " 1 1970-01-01 ");
  for (const name of commandNames()) assertStringIncludes(page, `"${name}`);
  for (const { key } of Object.values(SETTINGS)) {
    assertStringIncludes(page, key.replaceAll("-", "\\-"));
  }
  assertEquals(await faults(page), "");
});

/** What groff and mandoc say of a page. */
async function faults(page: string): Promise<string> {
  const groff = await run(
    [await program("groff"), "-man", "-Tutf8", "-ww", "-z"],
    { stdin: page, env: { PATH: "/usr/bin:/bin" } },
  );
  const mandoc = await run(
    [await program("mandoc"), "-T", "lint", "-W", "warning"],
    { stdin: page, env: {} },
  );
  return groff.stderr + mandoc.stdout;
}
