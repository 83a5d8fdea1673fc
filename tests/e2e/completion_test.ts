// Completions in real shells: what Tab makes of a line that is typed.

import { assertStringIncludes } from "@std/assert";
import { findProgram, missing } from "../support/requirements.ts";
import { runInPty } from "../support/pty.ts";
import { TestHome } from "../support/test_home.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the shells are Unix's");

interface Shell {
  readonly name: string;
  readonly args: readonly string[];
  /** What is typed to load the completions, and to see what cargo's gives. */
  readonly load: string;
}

const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    args: ["--norc", "--noprofile", "-i"],
    load: "source <(cargo-credential-keyring completion bash)",
  },
  {
    name: "zsh",
    args: ["-f", "-i"],
    load: "autoload -Uz compinit; compinit -u -D; " +
      "source <(cargo-credential-keyring completion zsh)",
  },
  {
    name: "fish",
    args: ["--no-config", "-i"],
    load: "cargo-credential-keyring completion fish | source",
  },
];

/** What is typed before Tab, what Tab adds, and what the line is then. */
const LINES: readonly (readonly [string, string, string])[] = [
  ["migr", "ate", "migrate"],
  ["migrate --reg", "istry", "migrate --registry"],
  ["migrate --registry alter", "native", "migrate --registry alternative"],
  ["migrate --prefer st", "ore", "migrate --prefer store"],
  ["exec --registry crat", "es-io", "exec --registry crates-io"],
  ["import tok", "ens.age", "import tokens.age"],
];

/** Types lines at a shell, with a Tab behind each, and reads what they become. */
async function complete(
  { name, args, load }: Shell,
  program: string,
  lines: typeof LINES,
  setUp = "",
): Promise<string> {
  const shell = await findProgram(name) ??
    missing(name, `apt-get install ${name}`);
  await using home = await TestHome.create({
    registries: { alternative: {}, other: {} },
  });
  await Deno.writeTextFile(`${home.work}/tokens.age`, "");
  const env = {
    ...home.env,
    PATH: `${home.root}/bin:${home.env["PATH"] ?? ""}`,
    TERM: "xterm",
    PS1: "",
  };
  const { output } = await runInPty([shell, ...args], {
    env,
    cwd: home.work,
    limit: 30_000,
    steps: [
      { expect: "", send: `${load}; ${setUp} echo read''y\r` },
      { expect: "ready", send: "" },
      ...lines.flatMap(([typed, added]) => [
        { expect: "", send: `${program} ${typed}\t` },
        // To the start of the line, which is made an echo, and run.
        { expect: added, send: "\x01echo do''ne: \x05@\r" },
        { expect: "done: ", send: "" },
      ]),
      { expect: "", send: "exit\r" },
    ],
  });
  return output;
}

function assertCompleted(
  output: string,
  program: string,
  lines: typeof LINES,
): void {
  // zsh takes the blank away when another character follows.
  const seen = output.replaceAll(" @", "@");
  for (const [, , line] of lines) {
    assertStringIncludes(seen, `done: ${program} ${line}@`);
  }
}

for (const shell of SHELLS) {
  unix.test(`completion ${shell.name} completes commands, options, registries and files`, async () => {
    const output = await complete(shell, "cargo-credential-keyring", LINES);
    assertCompleted(output, "cargo-credential-keyring", LINES);
  });
}

/** How zsh's and fish's completions for cargo itself reach a subcommand's. */
const OF_CARGO: Readonly<Record<string, string>> = {
  // As the `_cargo` that comes with cargo does.
  zsh: "_cargo() { shift words; (( CURRENT-- )); local ret=1; " +
    "_call_function ret _cargo-${words[1]}; return ret; }; " +
    "compdef _cargo cargo;",
  fish: "",
};

for (const shell of SHELLS.filter(({ name }) => name in OF_CARGO)) {
  unix.test(`completion ${shell.name} completes behind cargo, too`, async () => {
    const lines = LINES.slice(0, 3);
    const output = await complete(
      shell,
      "cargo credential-keyring",
      lines,
      OF_CARGO[shell.name],
    );
    assertCompleted(output, "cargo credential-keyring", lines);
  });
}
