import { compilePreload } from "./preload.ts";

/** The errors that a call can be made to fail with. */
export type ShimError =
  | "EACCES"
  | "EDQUOT"
  | "EINTR"
  | "EIO"
  | "ENOSPC"
  | "EPERM"
  | "EROFS";

/** What is to happen to a call. */
export type ShimRule =
  & {
    /**
     * What kind of call: `file.open` (for writing), `file.write`,
     * `file.truncate`, `file.sync`, `file.chmod`, `file.rename`, `file.link`,
     * `file.unlink`, `file.mkdir`, `file.lock`, `file.unlock`, `bus` (a message
     * to the session bus), or `read` (an open for reading). A pattern of
     * `fnmatch(3)`, such as `file.*`.
     */
    readonly kind: string;
    /**
     * Which file, by its path in the directory; for `bus` the member of the
     * method call, such as `CreateItem`. A pattern, too.
     *
     * @default {"*"}
     */
    readonly name?: string;
    /**
     * Which of the calls that match, from 1; 0 for every one of them.
     *
     * @default {1}
     */
    readonly nth?: number;
  }
  & (
    /** SIGKILL, before the call or when it has returned. */
    | { readonly action: "kill" | "kill-after" }
    | { readonly action: "fail"; readonly error: ShimError }
    /** A write writes no more than that. */
    | { readonly action: "short"; readonly bytes: number }
    /** The call waits until `file` is there; `file.reached` says that it does. */
    | { readonly action: "wait"; readonly file: string }
  );

/** A call that the library has seen. */
export interface ShimCall {
  readonly kind: string;
  readonly name: string;
  /** `OFFSET+BYTES` of a write, the length of a truncation. */
  readonly detail: string;
}

/** A call that waits where a rule has stopped it. */
export interface StoppedCall {
  readonly rule: ShimRule;
  /** Resolves when the call has been reached. */
  reached(): Promise<void>;
  /** Lets it go on. */
  release(): Promise<void>;
}

/**
 * The library `tests/native/kill_shim`, which is preloaded into the program
 * under test: it sees every call that changes a file under a directory or
 * sends a message to the session bus, and can kill the process there, let the
 * call fail, or hold it. Linux with glibc only.
 *
 * @example
 * ```ts ignore
 * await using shim = await KillShim.compile();
 * const env = shim.env(home.cargoHome, [{
 *   action: "kill",
 *   kind: "file.truncate",
 *   name: "credentials.toml",
 * }]);
 * const { code } = await askProvider(home, [request], { env });
 * assertEquals(code, 128 + 9);
 * ```
 */
export class KillShim implements AsyncDisposable {
  readonly #directory: string;
  readonly #library: string;
  #files = 0;

  private constructor(directory: string, library: string) {
    this.#directory = directory;
    this.#library = library;
  }

  /**
   * Compiles the library.
   *
   * @returns The library; dispose of it.
   */
  static async compile(): Promise<KillShim> {
    const directory = await Deno.makeTempDir({ prefix: "kill-shim-" });
    const library = await compilePreload(
      "../native/kill_shim/kill_shim.c",
      directory,
    );
    return new KillShim(directory, library);
  }

  /**
   * The environment variables of a program that the library watches. What the
   * program starts is watched as well, and counts for itself.
   *
   * @param directory The directory whose files are watched.
   * @param rules What is to happen.
   * @returns The variables.
   */
  env(
    directory: string,
    rules: readonly ShimRule[] = [],
  ): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      KILL_SHIM_DIRECTORY: directory,
      KILL_SHIM_LOG: `${this.#directory}/log`,
      KILL_SHIM_RULES: rules.map(formatRule).join("\n"),
    };
  }

  /**
   * Takes the log of the calls so far, which then begins anew.
   *
   * @returns The calls of all watched programs, in order.
   */
  async takeLog(): Promise<ShimCall[]> {
    const path = `${this.#directory}/log`;
    const text = await Deno.readTextFile(path);
    await Deno.truncate(path);
    return text.split("\n").filter((line) => line !== "").map((line) => {
      const [kind = "", name = "", detail = ""] = line.split(" ");
      return { kind, name, detail };
    });
  }

  /**
   * Makes a place where a program can be stopped, for one rule.
   *
   * @param call The call that is to wait.
   * @returns The rule, and the way to wait for it and to end it.
   */
  stopAt(call: Pick<ShimRule, "kind" | "name" | "nth">): StoppedCall {
    const file = `${this.#directory}/stop-${this.#files++}`;
    return {
      rule: { ...call, action: "wait", file },
      reached: () => waitForFile(`${file}.reached`),
      release: () => Deno.writeTextFile(file, ""),
    };
  }

  /** Removes the library. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function formatRule(rule: ShimRule): string {
  const { action, kind, name = "*", nth = 1 } = rule;
  return [action, kind, nth, name, ...formatArgument(rule)].join(" ");
}

function formatArgument(rule: ShimRule): (string | number)[] {
  switch (rule.action) {
    case "fail":
      return [rule.error];
    case "short":
      return [rule.bytes];
    case "wait":
      return [rule.file];
    default:
      return [];
  }
}

/** @throws {Error} If it does not come within 20 seconds. */
async function waitForFile(path: string): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    if (await Deno.stat(path).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${path} did not come: the call was never made`);
}
