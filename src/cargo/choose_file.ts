import { mayBeThere } from "../../ffi/presence.ts";
import { realPath } from "../base/real_path.ts";
import { joinPath } from "../base/paths.ts";
import { isOutOfReach } from "./home.ts";

/**
 * The file of a directory that cargo reads: the one without an extension if
 * it exists, else the one with `.toml` (cargo: `get_file_path`).
 *
 * Returns the path, or `undefined` if neither exists.
 */
export function chooseFile(
  directory: string,
  name: string,
): string | undefined {
  for (const candidate of [name, `${name}.toml`]) {
    const path = joinPath(directory, candidate);
    if (isThere(path)) return path;
  }
  return undefined;
}

/** Also what only cargo may read. */
function isThere(path: string): boolean {
  return mayBeThere(path) &&
    (realPath(path) !== undefined || isOutOfReach(path));
}
