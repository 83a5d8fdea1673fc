import { parentPath } from "../../base/paths.ts";
import { realPath } from "../../base/real_path.ts";

/** How {@linkcode replaceFile} goes about it. */
export interface ReplaceFileOptions {
  /** The file's mode, where it does not exist yet. */
  readonly mode: number;
  /** Whether a link and the mode of what is there go, as for a program. */
  readonly anyway?: boolean;
}

/**
 * Writes a file beside the one that is there and renames it: after every
 * system call the old one or the new one is there. A link stays a link, and
 * what it leads to keeps its mode, unless it is replaced `anyway`.
 */
export async function replaceFile(
  path: string,
  content: string | ReadableStream<Uint8Array>,
  options: ReplaceFileOptions,
): Promise<void> {
  const { anyway = false } = options;
  const target = anyway ? path : realPath(path) ?? path;
  const mode = anyway ? options.mode : modeOf(target) ?? options.mode;
  const folder = parentPath(target);
  await Deno.mkdir(folder, { recursive: true });
  const beside = `${target}.cargo-credential-keyring-new`;
  // What a run that was killed has left.
  await Deno.remove(beside).catch(() => {});
  try {
    const file = await Deno.open(beside, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
    try {
      const bytes = typeof content === "string"
        ? new Blob([content]).stream()
        : content;
      for await (const chunk of bytes) {
        for (let sent = 0; sent < chunk.length;) {
          sent += await file.write(chunk.subarray(sent));
        }
      }
      await file.sync();
    } finally {
      file.close();
    }
    if (Deno.build.os !== "windows") await Deno.chmod(beside, mode);
    await Deno.rename(beside, target);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}

function modeOf(path: string): number | undefined {
  try {
    const { mode } = Deno.statSync(path);
    return mode === null ? undefined : mode & 0o777;
  } catch {
    return undefined;
  }
}
