import { assertEquals } from "@std/assert";
import { findProgram, missing } from "./requirements.ts";
import { run } from "./run.ts";

/** What stands before a command that runs with mounts of its own. */
export const UNSHARE = [
  "unshare",
  ...(Deno.uid() === 0 ? [] : ["--user", "--map-root-user"]),
  "--mount",
] as const;

/** What programs of this machine need of the environment. */
export function inherited(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Copies programs and the libraries that they are linked with. */
export async function copyPrograms(
  programs: readonly string[],
  root: string,
): Promise<void> {
  const ldd = await findProgram("ldd") ?? missing("ldd", "install libc-bin");
  const files = new Set(programs);
  for (const program of programs) {
    const { stdout } = await run([ldd, program], { env: inherited() });
    for (const [, path = ""] of stdout.matchAll(/(\/\S+) \(0x/g)) {
      files.add(path);
    }
  }
  const copy = ["--parents", "--dereference", ...files, root];
  const linked = await run(["cp", "--link", ...copy], { env: inherited() });
  if (linked.code === 0) return;
  // Links need one file system for both, and files that are this user's.
  const copied = await run(["cp", "--remove-destination", ...copy], {
    env: inherited(),
  });
  assertEquals(copied.code, 0, copied.stderr);
}
