// `npm:deno-std` ships no types. These are the few functions that are used,
// as the standard library declares them.

declare module "@std/assert" {
  type Constructor<E extends Error> = abstract new (...args: never[]) => E;

  export class AssertionError extends Error {
    constructor(message: string, options?: ErrorOptions);
  }
  export function assert(condition: unknown, msg?: string): asserts condition;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(
    actual: T,
    expected: T,
    msg?: string,
  ): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertExists<T>(
    actual: T,
    msg?: string,
  ): asserts actual is NonNullable<T>;
  export function assertMatch(
    actual: string,
    expected: RegExp,
    msg?: string,
  ): void;
  export function assertNotMatch(
    actual: string,
    expected: RegExp,
    msg?: string,
  ): void;
  export function assertStringIncludes(
    actual: string,
    expected: string,
    msg?: string,
  ): void;
  export function assertInstanceOf<E extends Error>(
    actual: unknown,
    expectedType: Constructor<E>,
    msg?: string,
  ): asserts actual is E;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    errorClass?: Constructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass?: Constructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function fail(msg?: string): never;
  export function unreachable(msg?: string): never;
}

declare module "@std/toml" {
  export function parse(tomlString: string): Record<string, unknown>;
}

declare module "@std/cli/parse-args" {
  /** The two kinds of options that the scripts have. */
  export function parseArgs<S extends string = never, B extends string = never>(
    args: readonly string[],
    options: {
      readonly string?: readonly S[];
      readonly collect?: readonly S[];
      readonly boolean?: readonly B[];
      readonly unknown?: (arg: string) => unknown;
    },
  ):
    & Readonly<Record<S, string[]>>
    & Readonly<Record<B, boolean>>
    & { readonly _: readonly unknown[] };
}

declare module "@std/fmt/colors" {
  export function bold(str: string): string;
  export function cyan(str: string): string;
  export function dim(str: string): string;
  export function green(str: string): string;
  export function red(str: string): string;
  export function yellow(str: string): string;
  export function stripAnsiCode(string: string): string;
}
