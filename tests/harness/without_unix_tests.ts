/**
 * Loaded before a file of tests on Windows: the tests that cannot run there
 * are not registered.
 *
 * @module
 */
import { isUnixTest } from "./platforms.ts";

Object.defineProperty(Deno, "test", {
  value: new Proxy(Deno.test, {
    apply(test, self, args: readonly unknown[]): unknown {
      return typeof args[0] === "string" && isUnixTest(args[0])
        ? undefined
        : Reflect.apply(test, self, args);
    },
  }),
});
