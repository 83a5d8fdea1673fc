/** The operating systems that differ in how they write paths. */
export type PathStyle = "unix" | "windows";

/** How paths are written here. */
export const PATH_STYLE: PathStyle = Deno.build.os === "windows"
  ? "windows"
  : "unix";

/** Whether a path means the same wherever one stands. */
export function isAbsolutePath(
  path: string,
  style: PathStyle = PATH_STYLE,
): boolean {
  return style === "unix"
    ? path.startsWith("/")
    : /^(?:[A-Za-z]:[\\/]|[\\/]{2})/.test(path);
}

/**
 * Puts a path behind a directory, as it is: `..` behind a link means another
 * directory than its text says.
 */
export function joinPath(
  directory: string,
  path: string,
  style: PathStyle = PATH_STYLE,
): string {
  if (isAbsolutePath(path, style)) return path;
  const separator = style === "unix" ? "/" : "\\";
  return directory.endsWith("/") || directory.endsWith(separator)
    ? directory + path
    : directory + separator + path;
}

/**
 * Follows a path from a directory, and takes `.` and `..` out of the result,
 * by its text alone.
 */
export function resolvePath(
  directory: string,
  path: string,
  style: PathStyle = PATH_STYLE,
): string {
  const separator = style === "unix" ? "/" : "\\";
  const whole = joinPath(directory, path, style);
  const root = rootOf(whole, style);
  const parts: string[] = [];
  const rest = whole.slice(root.length);
  for (const part of rest.split(style === "unix" ? "/" : /[\\/]/)) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return root + parts.join(separator);
}

/** The directory that a path lies in; for a root, the root itself. */
export function parentPath(
  path: string,
  style: PathStyle = PATH_STYLE,
): string {
  return resolvePath(path, "..", style);
}

/** Every folder above an absolute path, the nearest first. */
export function foldersAbove(
  path: string,
  style: PathStyle = PATH_STYLE,
): readonly string[] {
  const parent = parentPath(path, style);
  return parent === path ? [] : [parent, ...foldersAbove(parent, style)];
}

/** The last part of a path. */
export function baseName(path: string, style: PathStyle = PATH_STYLE): string {
  return path.slice(path.search(style === "unix" ? /[^/]*$/ : /[^\\/]*$/));
}

/** `/`, `C:\` or `\\server\share\`. */
function rootOf(path: string, style: PathStyle): string {
  if (style === "unix") return "/";
  const match = /^(?:[A-Za-z]:[\\/]|[\\/]{2}[^\\/]+[\\/]+[^\\/]+[\\/]?)/.exec(
    path,
  );
  return match?.[0] ?? "";
}
