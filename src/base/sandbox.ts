/** The sandbox that a program runs in. */
export interface Sandbox {
  /** Which kind. */
  readonly kind: "snap" | "flatpak";
  /** What the package is called; empty if unknown. */
  readonly name: string;
}

/**
 * Finds the sandbox, by what other programs cannot have inherited: an editor
 * that is a snap or flatpak hands its variables on to the terminals that it
 * opens on the host. A confined snap has a home of its own (snapcraft.io,
 * "Environment variables"), and a flatpak has `/.flatpak-info`.
 *
 * `root`: where `/.flatpak-info` is looked for.
 * Returns it; `undefined` outside of one.
 */
export async function findSandbox(
  env: (name: string) => string | undefined,
  root = "",
): Promise<Sandbox | undefined> {
  if (await exists(`${root}/.flatpak-info`)) {
    return { kind: "flatpak", name: env("FLATPAK_ID") ?? "" };
  }
  const home = env("SNAP_USER_DATA");
  return env("SNAP") !== undefined && home !== undefined && env("HOME") === home
    ? { kind: "snap", name: env("SNAP_INSTANCE_NAME") ?? "" }
    : undefined;
}

/** Whatever cannot be looked at may be there. */
async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory);
  }
}
