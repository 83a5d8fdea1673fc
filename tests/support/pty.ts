import type { RunOptions } from "./run.ts";
import { findProgram, missing } from "./requirements.ts";

/** Something to type, and what to wait for before it. */
export interface PtyStep {
  /** The text that must have appeared since the step before. */
  readonly expect: string;
  /** What is typed then: `\r` is Return, `\x03` Ctrl-C, `\x04` Ctrl-D. */
  readonly send: string;
}

/** How a command is run under a terminal. */
export interface PtyOptions extends Omit<RunOptions, "stdin"> {
  /** What is typed at it. */
  readonly steps?: readonly PtyStep[];
}

/** What a command did under a terminal. */
export interface PtyResult {
  /** Its exit status; 128 plus the signal if one ended it. */
  readonly code: number;
  /** Everything that appeared on the screen. */
  readonly output: string;
  /**
   * Whether the terminal echoed, at each step just before it was typed. A
   * prompt for a password must have switched that off.
   */
  readonly echoes: readonly boolean[];
  /** Whether the terminal echoes after the command's end. */
  readonly echoesAfter: boolean;
}

// The terminal's own side: plays the steps, then prints what it saw as JSON.
const SCRIPT = `
import base64, json, os, pty, select, signal, sys, termios, time
job = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(job["cwd"])
    os.execve(job["command"][0], job["command"], job["env"])
end = time.monotonic() + job["limit"] / 1000
output, seen, echoes, steps, late = b"", 0, [], list(job["steps"]), False
def echo():
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
echoes_after = True
while True:
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError: # EIO: nobody has the other side open
            data = b""
        if not data:
            break
        output += data
    echoes_after = echo()
    if steps:
        at = output.find(steps[0]["expect"].encode(), seen)
        if at >= 0:
            step = steps.pop(0)
            seen = at + len(step["expect"].encode())
            # The question is printed before or after the echo goes off.
            for _ in range(20):
                if not echo():
                    break
                time.sleep(0.01)
            echoes.append(echo())
            os.write(terminal, step["send"].encode())
    if time.monotonic() > end:
        late = True
        os.killpg(pid, signal.SIGKILL)
        break
_, status = os.waitpid(pid, 0)
code = os.waitstatus_to_exitcode(status)
json.dump({
    "code": code if code >= 0 else 128 - code,
    "output": base64.b64encode(output).decode(),
    "echoes": echoes,
    "echoesAfter": echoes_after,
    "late": late,
    "missed": [step["expect"] for step in steps],
}, sys.stdout)
`;

/**
 * Runs a command under a pseudo terminal, which is its controlling terminal,
 * and types at it.
 *
 * @param command The program's path and its arguments.
 * @param options Its environment, what is typed, and the limit.
 * @returns What it did.
 * @throws {Error} If the limit passed, or what a step waits for never came.
 */
export async function runInPty(
  command: readonly [string, ...string[]],
  options: PtyOptions,
): Promise<PtyResult> {
  const { env, cwd = "/", steps = [], limit = 60_000 } = options;
  const python = await findProgram("python3", "/usr/bin:/bin") ??
    await findProgram("python3") ??
    missing("python3", "apt-get install python3");
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: ["-c", SCRIPT, JSON.stringify({ command, env, cwd, steps, limit })],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const result: Omit<PtyResult, "output"> & {
    output: string;
    late: boolean;
    missed: string[];
  } = JSON.parse(new TextDecoder().decode(stdout));
  const output = new TextDecoder().decode(Uint8Array.fromBase64(result.output));
  if (result.late || result.missed.length > 0) {
    throw new Error(
      `${command.join(" ")}: ${
        result.late ? `was killed after ${limit} ms, ` : ""
      }waited for ${JSON.stringify(result.missed)}\n${output}`,
    );
  }
  const { code, echoes, echoesAfter } = result;
  return { code, output, echoes, echoesAfter };
}
