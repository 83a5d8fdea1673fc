/** How a command is run. */
export interface RunOptions {
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory. */
  readonly cwd?: string;
  /** What it reads; empty if absent. */
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  /**
   * After how many milliseconds it is killed, with all that it started: a test
   * that hangs must fail.
   *
   * @default {60000}
   */
  readonly limit?: number;
  /** Kills it, with all that it started. */
  readonly signal?: AbortSignal;
}

/** What a command did. */
export interface RunResult {
  /** Its exit status; 128 plus the signal if one ended it. */
  readonly code: number;
  /** What it printed. */
  readonly stdout: string;
  /** What it printed on standard error, everything it started included. */
  readonly stderr: string;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/**
 * Runs a command in a session of its own, without a terminal, so that a test
 * does the same under a person's hands as on a build machine.
 *
 * @param command The program and its arguments.
 * @param options Its environment, input and limit.
 * @returns What it did.
 * @throws {Error} If the limit passed, or the signal was aborted: it was killed
 * then.
 */
export async function run(
  command: readonly [string, ...string[]],
  options: RunOptions,
): Promise<RunResult> {
  const { env, cwd, stdin = "", limit = 60_000, signal } = options;
  signal?.throwIfAborted();
  const [program, ...args] = command;
  const start = performance.now();
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child.pid);
  }, limit);
  const abort = (): void => killGroup(child.pid);
  signal?.addEventListener("abort", abort);
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    feed(child.stdin, stdin),
  ]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", abort);
  signal?.throwIfAborted();
  const result = {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
    ms: Math.round(performance.now() - start),
  };
  if (late) {
    throw new Error(
      `${command.join(" ")} was killed after ${limit} ms\n${result.stderr}`,
    );
  }
  return result;
}

async function feed(
  stream: WritableStream<Uint8Array<ArrayBuffer>>,
  input: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(
      typeof input === "string" ? new TextEncoder().encode(input) : input,
    );
    await writer.close();
  } catch (error) {
    // It ended without reading what it was given.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function killGroup(pid: number): void {
  try {
    Deno.kill(Deno.build.os === "windows" ? pid : -pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
