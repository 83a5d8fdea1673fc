/** What the names of the environment's settings begin with. */
export const VARIABLE_PREFIX = "CARGO_CREDENTIAL_KEYRING_";

/** The user's settings file, in cargo's home. */
export const USER_FILE_NAME = "credential-keyring.toml";

/**
 * The path of the system-wide settings file; `undefined` on Windows, where only
 * the system can name it.
 */
export function systemFilePath(
  os: typeof Deno.build.os,
): string | undefined {
  switch (os) {
    case "windows":
      return undefined;
    case "darwin":
      return "/Library/Application Support/cargo-credential-keyring.toml";
    default:
      return "/etc/cargo-credential-keyring.toml";
  }
}
