import { findProgram, missing } from "./requirements.ts";
import { run } from "./run.ts";
import type { RunOptions, RunResult } from "./run.ts";

/** The system calls that can do what {@linkcode Deeds} tells of. */
const CALLS = [
  ...["open", "openat", "openat2", "creat", "truncate"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink"],
  ...["symlinkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"],
  ...["mknod", "mknodat", "chmod", "fchmodat", "chown", "lchown", "fchownat"],
  ...["fork", "vfork", "clone", "clone3", "execve", "execveat"],
  ...["socket", "connect", "bind", "listen", "prctl", "write", "writev"],
].map((name) => `?${name}`).join();

/** What a command did to the world around it. */
export interface Deeds extends RunResult {
  /** The programs that it started or became, itself first. */
  readonly programs: readonly string[];
  /** How many processes it made, threads not counted. */
  readonly processes: number;
  /** Every path that it changed, or opened for writing. */
  readonly written: readonly string[];
  /** Every path that it opened or tried to open. */
  readonly opened: readonly string[];
  /** Families of sockets, and the paths or addresses of connections. */
  readonly sockets: readonly string[];
  /** Which came first of what keeps core dumps away and what was asked for. */
  readonly order: readonly ("no core dumps" | "hello" | "connection")[];
}

/**
 * Runs a command and watches what it and all that it starts asks of the kernel.
 *
 * @param command The program's path and its arguments.
 * @param options As for `run()`.
 * @returns What it did.
 */
export async function watch(
  command: readonly [string, ...string[]],
  options: RunOptions,
): Promise<Deeds> {
  const strace = await findProgram("strace") ??
    missing("strace", "apt-get install strace");
  const log = await Deno.makeTempFile({ prefix: "strace-" });
  try {
    const result = await run(
      [
        strace,
        ...["-f", "-qq", "-s", "4096", "-e", `trace=${CALLS}`],
        ...["-e", "signal=none", "-o", log, "--"],
        ...command,
      ],
      options,
    );
    return { ...result, ...readDeeds(await Deno.readTextFile(log)) };
  } finally {
    await Deno.remove(log);
  }
}

function readDeeds(log: string): Omit<Deeds, keyof RunResult> {
  const programs: string[] = [];
  const written: string[] = [];
  const opened: string[] = [];
  const sockets: string[] = [];
  const order: Deeds["order"][number][] = [];
  let processes = 0;
  for (const line of log.split("\n")) {
    const call = /^\d+\s+(\w+)\((.*)$/.exec(line);
    if (call === null) continue; // the end of a call whose beginning was read
    const [, name = "", rest = ""] = call;
    const paths = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
      .map(([, text = ""]) => text);
    switch (name) {
      case "open":
      case "openat":
      case "openat2":
        opened.push(paths[0] ?? "");
        if (/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(rest)) {
          written.push(paths[0] ?? "");
        }
        break;
      case "execve":
      case "execveat":
        programs.push(paths[0] ?? "");
        break;
      case "fork":
      case "vfork":
        processes++;
        break;
      case "clone":
      case "clone3":
        if (!rest.includes("CLONE_THREAD")) processes++;
        break;
      case "socket":
        sockets.push(rest.split(",")[0] ?? "");
        break;
      case "connect":
      case "bind":
      case "listen":
        sockets.push(paths[0] ?? rest);
        order.push("connection");
        break;
      case "prctl":
        if (/^PR_SET_DUMPABLE, (0|SUID_DUMP_DISABLE)\b/.test(rest)) {
          order.push("no core dumps");
        }
        break;
      case "write":
      case "writev":
        if (rest.includes(String.raw`{\"v\":[1]}`)) order.push("hello");
        break;
      default:
        written.push(...paths);
    }
  }
  return { programs, processes, written, opened, sockets, order };
}
