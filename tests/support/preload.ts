import { fileURLToPath } from "node:url";
import { findProgram, missing } from "./requirements.ts";

/**
 * Compiles a small library that is to be preloaded into a program:
 * `LD_PRELOAD` is its path.
 *
 * @param source The file, as this directory sees it.
 * @param directory Where the library is written.
 * @returns Its path.
 */
export async function compilePreload(
  source: string,
  directory: string,
): Promise<string> {
  const compiler = await findProgram("cc") ??
    missing("a C compiler", "apt-get install gcc libc6-dev");
  const name = source.split("/").at(-1) ?? source;
  const library = `${directory}/${name.replace(/\.c$/, ".so")}`;
  const { success, stderr } = await new Deno.Command(compiler, {
    args: [
      "-shared",
      "-fPIC",
      "-O1",
      "-Wall",
      "-Werror",
      "-o",
      library,
      fileURLToPath(new URL(source, import.meta.url)),
      "-ldl",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return library;
}
