/**
 * The whole test suite: set-up, format, lint, types, docs, then unit,
 * integration and end-to-end tests. Stops at the first stage that fails; the
 * last line is `N passed, N failed`.
 *
 * With `CARGO_CREDENTIAL_KEYRING_TESTS_MUST_RUN=1` an ignored test is a
 * failure, too.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { compile } from "../../scripts/compile.ts";
import { BaseError } from "../../scripts/denort.ts";
import { TARGETS } from "../../scripts/program.ts";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { DebianError } from "./debian.ts";
import { setUpSystemd, whyNoSystemd } from "./systemd.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { print, styled } from "../../scripts/print.ts";
import { setUp, SetUpError } from "./set_up.ts";
import { whyNoWine } from "./wine.ts";

interface Stage {
  readonly name: string;
  /** Arguments for Deno. */
  readonly args: readonly string[];
  /** Whether it runs on a session bus of its own with an open keyring. */
  readonly keyring?: boolean;
  /** Says why it cannot run on this machine, if it cannot. */
  readonly whyNot?: () => Promise<string | undefined>;
}

/** The tests' numbers in one stage. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

interface StageResult extends Counts {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
}

const PUBLIC = ["mod.ts", "ffi/mod.ts"];
const EXAMPLES = ["mod.ts", "ffi", "src"];
const TEST = ["test", "--allow-all", "--no-check", "--parallel"];

const STAGES: readonly Stage[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["check"] },
  { name: "documentation", args: ["doc", "--lint", ...PUBLIC] },
  {
    name: "examples",
    args: ["test", "--allow-all", "--no-check", "--doc", ...EXAMPLES],
    keyring: true,
  },
  {
    name: "unit and integration tests",
    args: [...TEST, "--ignore=tests/e2e", "tests"],
  },
  { name: "end-to-end tests", args: [...TEST, "tests/e2e"] },
  ...(Deno.build.os === "linux"
    ? [{
      name: "Windows tests, under Wine",
      args: ["run", "--allow-all", "tests/harness/wine.ts", "test"],
      whyNot: whyNoWine,
    }]
    : []),
];

/** A stage that hangs must fail. */
const LIMIT_MINUTES = 12;

/** Nothing may be ignored where somebody relies on the result. */
const MUST_RUN =
  Deno.env.get("CARGO_CREDENTIAL_KEYRING_TESTS_MUST_RUN") === "1";

/** A stage that this machine cannot run. */
const IGNORED: Counts = { passed: 0, failed: 0, ignored: 1 };

async function main(): Promise<boolean> {
  const results: StageResult[] = [];
  const directory = await Deno.makeTempDir({ prefix: "program-" });
  results.push(await timed("set-up", prepare));
  results.push(await timed("compile", () => prepareProgram(directory)));
  for (const stage of STAGES) {
    if (!results.every((result) => result.ok)) break;
    print(styled("bold", `\n== ${stage.name}: deno ${stage.args.join(" ")}`));
    const reason = await stage.whyNot?.();
    if (reason !== undefined) print(`not on this machine: ${reason}`);
    results.push(
      await timed(
        stage.name,
        () => reason === undefined ? runStage(stage) : Promise.resolve(IGNORED),
      ),
    );
  }
  await Deno.remove(directory, { recursive: true });
  return report(results);
}

async function prepare(): Promise<Counts> {
  try {
    await setUp();
    if (await whyNoSystemd() === undefined) await setUpSystemd();
    return { passed: 0, failed: 0, ignored: 0 };
  } catch (error) {
    if (!(error instanceof SetUpError || error instanceof DebianError)) {
      throw error;
    }
    print(error.message);
    return { passed: 0, failed: 1, ignored: 0 };
  }
}

/** Compiles what the end-to-end, fault and secrecy tests run. */
async function prepareProgram(directory: string): Promise<Counts> {
  const target = TARGETS.find((target) => target === Deno.build.target);
  if (target !== undefined) {
    try {
      Deno.env.set(PROGRAM_VARIABLE, await compile({ target, directory }));
    } catch (error) {
      if (!(error instanceof BaseError)) throw error;
      print(error.message);
    }
  }
  return { passed: 0, failed: 0, ignored: 0 };
}

/** What the tests that start the program have started. */
function underTest(): string {
  return Deno.env.has(PROGRAM_VARIABLE)
    ? "the compiled program"
    : "the launcher (there is no denort to compile with: set DENORT_BIN)";
}

async function timed(
  name: string,
  stage: () => Promise<Counts>,
): Promise<StageResult> {
  const start = performance.now();
  const counts = await stage();
  return {
    name,
    ...counts,
    ok: counts.failed === 0 && !(MUST_RUN && counts.ignored > 0),
    seconds: (performance.now() - start) / 1000,
  };
}

/** Runs Deno, passes on what it prints, and reads the numbers of tests. */
async function runStage(stage: Stage): Promise<Counts> {
  await using bus = stage.keyring === true && Deno.build.os === "linux"
    ? await startSessionBus()
    : undefined;
  const child = new Deno.Command(Deno.execPath(), {
    args: [...stage.args],
    env: {
      ...(bus === undefined ? {} : {
        DBUS_SESSION_BUS_ADDRESS: bus.env["DBUS_SESSION_BUS_ADDRESS"] ?? "",
      }),
      ...(Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" }),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => {
    print(`\nThis stage was killed after ${LIMIT_MINUTES} minutes.`);
    child.kill("SIGKILL");
  }, LIMIT_MINUTES * 60_000);
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    await write(chunk);
  }
  const { success } = await child.status;
  clearTimeout(timer);
  const counts = readCounts(text);
  // What fails without a failed test (types, a crash) counts as one.
  const failed = success ? counts.failed : Math.max(1, counts.failed);
  return { ...counts, failed };
}

/** Sums the lines `ok | 3 passed (1 step) | 0 failed | 1 ignored (8ms)`. */
function readCounts(text: string): Counts {
  let passed = 0;
  let failed = 0;
  let ignored = 0;
  // Line by line: what a test prints may begin a sequence and not end it.
  for (const line of text.split("\n").map(stripVTControlCharacters)) {
    const match = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(.*)/
      .exec(line);
    if (match === null) continue;
    passed += Number(match[1]);
    failed += Number(match[2]);
    ignored += Number(/(\d+) ignored/.exec(match[3] ?? "")?.[1] ?? 0);
  }
  return { passed, failed, ignored };
}

async function write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += await Deno.stdout.write(chunk.subarray(written));
  }
}

function report(results: readonly StageResult[]): boolean {
  print();
  for (const { name, ok, seconds, passed, failed, ignored } of results) {
    const mark = ok ? styled("green", "ok    ") : styled("red", "FAILED");
    const time = `${seconds.toFixed(1)} s`.padStart(8);
    const numbers = passed + ignored === 0
      ? ""
      : `: ${passed} passed, ${failed} failed, ${ignored} ignored`;
    print(`${mark} ${time}  ${name}${numbers}`);
  }
  for (const { name } of STAGES.slice(results.length - 2)) {
    print(`not run          ${name}`);
  }
  const ok = results.every((result) => result.ok);
  const sum = (key: keyof Counts): number =>
    results.reduce((total, result) => total + result[key], 0);
  if (MUST_RUN && sum("ignored") > 0) print("ignored tests count as failed");
  print(`tested: ${underTest()}`);
  const failed = sum("failed") + (MUST_RUN ? sum("ignored") : 0);
  print(`${sum("passed")} passed, ${failed} failed`);
  return ok;
}

if (!await main()) Deno.exit(1);
