import { run } from "./run.ts";
import type { RunOptions, RunResult } from "./run.ts";
import type { TestHome } from "./test_home.ts";

/** A line of the protocol, read as JSON. */
export type JsonLine = Readonly<Record<string, unknown>>;

/** What the provider said. */
export interface ProviderResult extends RunResult {
  /** Its first line. */
  readonly hello: JsonLine | undefined;
  /** Its other lines. */
  readonly answers: readonly JsonLine[];
}

/**
 * Talks to the program under test as cargo does, without cargo: for what cargo
 * never says.
 *
 * @param home Where it runs.
 * @param requests What it is asked in one process: objects, or lines as they
 * are, or one buffer with all of the lines.
 * @param options More environment, and the limit.
 * @returns What it said.
 * @throws {SyntaxError} If a line of its output is not JSON.
 */
export async function askProvider(
  home: TestHome,
  requests: readonly (string | JsonLine)[] | Uint8Array<ArrayBuffer>,
  options: Partial<RunOptions> = {},
): Promise<ProviderResult> {
  const stdin = requests instanceof Uint8Array ? requests : requests
    .map((request) =>
      typeof request === "string" ? request : JSON.stringify(request)
    )
    .map((line) => `${line}\n`).join("");
  const result = await run([home.provider, "--cargo-plugin"], {
    cwd: home.work,
    ...options,
    env: { ...home.env, ...options.env },
    stdin,
  });
  const [hello, ...answers] = result.stdout.split("\n")
    .filter((line) => line !== "")
    .map((line): JsonLine => JSON.parse(line));
  return { ...result, hello, answers };
}
