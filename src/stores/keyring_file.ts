import { keyringName } from "./keyring_name.ts";

/**
 * Whether a collection of gnome-keyring has no password: its file then holds
 * every secret as readable text. `false` where no file is found.
 *
 * Returns whether it is a plaintext file.
 */
export async function isPlaintextKeyring(
  collection: string,
  env: (name: string) => string | undefined,
): Promise<boolean> {
  const name = keyringName(collection);
  const folder = keyringsFolder(env);
  if (folder === undefined || name.includes("/")) return false;
  const path = `${folder}/${name}.keyring`;
  // One with a password begins with `GnomeKeyring`, and is no text.
  const mark = new TextEncoder().encode("[keyring]");
  try {
    if (!(await Deno.stat(path)).isFile) return false;
    using file = await Deno.open(path);
    const start = new Uint8Array(mark.length);
    await file.read(start);
    return start.every((byte, i) => byte === mark[i]);
  } catch {
    return false;
  }
}

/** XDG Base Directory Specification: a relative path there is ignored. */
function keyringsFolder(
  env: (name: string) => string | undefined,
): string | undefined {
  const data = env("XDG_DATA_HOME");
  if (data?.startsWith("/")) return `${data}/keyrings`;
  const home = env("HOME");
  return home ? `${home}/.local/share/keyrings` : undefined;
}
