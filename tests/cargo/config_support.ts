import { join } from "node:path";
import { type ConfigLayers, loadConfig } from "../../src/cargo/config.ts";
import type { Environment } from "../../src/cargo/home.ts";

/** A directory with a user's home, a project and cargo's home in it. */
export interface Checkout {
  /** The directory of all of them. */
  readonly root: string;
  /** Cargo's home. */
  readonly home: string;
  /** The current directory, some levels down in the project. */
  readonly cwd: string;
  /** The configuration as it is now. */
  load(environment?: Environment): Promise<ConfigLayers>;
}

/** Where {@linkcode withCheckout} puts the places. */
export interface CheckoutOptions {
  /**
   * Cargo's home, below the root.
   *
   * @default {"user/.cargo"}
   */
  readonly home?: string;
}

/**
 * Writes files into a new directory, and runs a test there. The current
 * directory is `checkout/project/sub`.
 *
 * @param files The files' texts, by their paths below the root. `ROOT` in a
 * text is the root.
 * @param test The test.
 * @param options Where things are.
 */
export async function withCheckout(
  files: Readonly<Record<string, string>>,
  test: (checkout: Checkout) => Promise<void>,
  options: CheckoutOptions = {},
): Promise<void> {
  const made = await Deno.makeTempDir({ prefix: "checkout-" });
  const root = await Deno.realPath(made);
  const home = join(root, options.home ?? "user/.cargo");
  const cwd = join(root, "checkout", "project", "sub");
  try {
    await Deno.mkdir(home, { recursive: true });
    await Deno.mkdir(cwd, { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      const whole = `${root}/${path}`;
      await Deno.mkdir(whole.slice(0, whole.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeTextFile(whole, text.replaceAll("ROOT", root));
    }
    const load = (environment: Environment = {}): Promise<ConfigLayers> =>
      loadConfig({ environment, cargoHome: home, cwd });
    await test({ root, home, cwd, load });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/**
 * A path as a test expects it, the same on every system: below the root, with
 * slashes.
 */
export function shownPath(path: string, root: string): string {
  const slashes = (text: string): string => text.replaceAll("\\", "/");
  return slashes(path).replace(`${slashes(root)}/`, "");
}
