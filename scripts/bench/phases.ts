import { run } from "../../tests/support/run.ts";

/**
 * What a `get` does one after the other, told by the system calls at which each
 * ends. The program itself keeps no marks.
 */
export const PHASES = [
  "Deno starts, until the hello is written",
  "request, settings and environment, until libsecret is opened",
  "libsecret is loaded, until the bus is connected to",
  "bus and store, until the answer is written",
  "the process ends",
] as const;

/** The ends of the phases, as strace shows them, each looked for in turn. */
const ENDS = [
  /write\(\d+, "\{\\"v\\":/,
  /openat\(.*libsecret-1\.so/,
  /connect\(.*sun_path/,
  /write\(\d+, "\{\\"(?:Ok|Err)\\"/,
  /\+\+\+ exited/,
] as const;

/**
 * Runs a program under strace, which stops it at few calls only.
 *
 * @returns The milliseconds of each of {@linkcode PHASES}.
 */
export async function readPhases(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  input: string,
  trace: string,
): Promise<readonly number[]> {
  await run([
    "strace",
    "--follow-forks",
    "--seccomp-bpf",
    "--absolute-timestamps=format:unix,precision:us",
    "--trace=execve,openat,connect,write,exit_group",
    `--output=${trace}`,
    ...command,
  ], { env, stdin: await Deno.readTextFile(input) });
  const lines = (await Deno.readTextFile(trace)).split("\n")
    .filter((line) => line !== "");
  const at = (line = ""): number => Number(line.split(/\s+/)[1]) * 1000;
  let start = at(lines[0]);
  const phases: number[] = [];
  let from = 0;
  for (const [i, end] of ENDS.entries()) {
    const last = i === ENDS.length - 1;
    const found = last
      ? lines.length - 1
      : lines.findIndex((line, number) => number >= from && end.test(line));
    if (found < 0) return [];
    phases.push(at(lines[found]) - start);
    start = at(lines[found]);
    from = found + 1;
  }
  return phases;
}
