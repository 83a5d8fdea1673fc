import { print } from "../../scripts/print.ts";

/** The systems that a test is for; `unix` is all but Windows. */
export type Systems = "linux" | "unix";

/** Registers a test, as `Deno.test` does. */
export interface RegisterTest {
  (
    name: string,
    fn: (context: Deno.TestContext) => void | Promise<void>,
  ): void;
  (definition: Deno.TestDefinition): void;
  /** Has something done before the first test of the file. */
  beforeAll(fn: () => void | Promise<void>): void;
}

/** What stands in for `Deno` where tests are registered. */
export interface Platform {
  readonly test: RegisterTest;
}

/**
 * Registers tests that are for some systems alone. Elsewhere they count neither
 * as passed nor as ignored; that there are some is printed. What such a test
 * lacks on its own system makes it fail.
 *
 * @param systems Which systems the tests are for.
 * @param why Why they cannot run elsewhere.
 * @returns What registers them.
 *
 * @example
 * ```ts ignore
 * const links = onlyOn("unix", "links take privileges on Windows");
 *
 * links.test("readSmallFile() follows a link", async () => {});
 * ```
 */
export function onlyOn(systems: Systems, why: string): Platform {
  const { os } = Deno.build;
  if (systems === "unix" ? os !== "windows" : os === systems) return Deno;
  print(`Some tests are for ${systems} alone: ${why}.`);
  return { test: Object.assign(() => {}, { beforeAll: () => {} }) };
}
