/** The systems that the program is released for, as Deno names them. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
] as const;

/** One of them. */
export type Target = typeof TARGETS[number];

/**
 * What the program may do: no network, no subprocess. `--allow-ffi` has no list,
 * since a bare name in one makes Deno load that file from the current
 * directory. Deno allows imports from some servers unless they are denied.
 */
export const PERMISSIONS = [
  "--allow-ffi",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys=uid",
  "--deny-import",
] as const;
