/**
 * Whether the variable `CI` says that this is an automatic build.
 *
 * Returns `false` if it is unset, empty, `0` or `false`.
 */
export function isCi(ci: string | undefined): boolean {
  return ci !== undefined && ci !== "" && ci !== "0" &&
    ci.toLowerCase() !== "false";
}
