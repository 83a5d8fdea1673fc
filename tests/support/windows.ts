/**
 * Registers a test of what only Windows has. On other systems there is nothing
 * to register: `tests/harness/wine.ts test` runs these tests there.
 *
 * @param name The test's name.
 * @param test The test.
 */
export function onWindows(
  name: string,
  test: (context: Deno.TestContext) => void | Promise<void>,
): void {
  if (Deno.build.os === "windows") Deno.test(name, test);
}

/**
 * Whether this is Wine, which stands in for Windows.
 *
 * @returns Whether ntdll.dll has the function that tells Wine's version.
 */
export function isWine(): boolean {
  try {
    Deno.dlopen("ntdll.dll", {
      wine_get_version: { parameters: [], result: "pointer" },
    }).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * An index URL that nothing else uses.
 *
 * @returns The URL, in lower case.
 */
export function uniqueIndexUrl(): string {
  return `sparse+https://${crypto.randomUUID()}.example/index/`;
}

/**
 * A name for a credential of a test.
 *
 * @returns The name, as the store makes it of an index URL.
 */
export function uniqueTarget(): string {
  return `cargo-registry:${uniqueIndexUrl()}`;
}
