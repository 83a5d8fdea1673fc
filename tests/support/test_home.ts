import { quote } from "../../scripts/launcher.ts";
import { programUnderTest } from "./program.ts";
import { toolchain } from "./cargo.ts";
import { LoopbackRegistry } from "./registry.ts";
import type { LoopbackRegistryOptions } from "./registry.ts";
import { run } from "./run.ts";
import type { RunOptions, RunResult } from "./run.ts";

/** Stands for the program under test in {@linkcode TestHomeOptions.providers}. */
export const PROVIDER = "<the program under test>";

/** What cargo calls crates.io in every request. */
export const CRATES_IO_INDEX = "https://github.com/rust-lang/crates.io-index";

const WINDOWS = Deno.build.os === "windows";

/** What a {@linkcode TestHome} has in it. */
export interface TestHomeOptions {
  /**
   * The registries that `$CARGO_HOME/config.toml` names.
   *
   * @default {{ alt: {} }}
   */
  readonly registries?: Readonly<Record<string, LoopbackRegistryOptions>>;
  /** What answers as crates.io; absent: nothing does. */
  readonly cratesIo?: LoopbackRegistryOptions;
  /**
   * `registry.global-credential-providers`; cargo asks the last one first.
   *
   * @default {[PROVIDER]}
   */
  readonly providers?: readonly string[];
  /** More of `$CARGO_HOME/config.toml`; begins in its table `[registry]`. */
  readonly config?: string;
  /** The session bus that everything runs on; absent: there is none. */
  readonly bus?: { readonly env: Readonly<Record<string, string>> };
  /** Which cargo, absent: the one of this machine. */
  readonly cargo?: string;
  /** More environment variables for every command. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Whether {@linkcode TestHome.requests} is kept. It holds the tokens of
   * `login` in a file.
   *
   * @default {false}
   */
  readonly traffic?: boolean;
}

/** What is special about one run of cargo. */
export interface CargoOptions extends Partial<RunOptions> {
  /** Variables in addition to the home's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a run of cargo did. */
export interface CargoResult extends RunResult {
  /** How many provider processes it started. */
  readonly launches: number;
}

/**
 * A throw-away home for real cargo: `HOME`, `CARGO_HOME`, loopback registries,
 * and the program under test as credential provider. Nothing of the user's own
 * is seen or touched.
 *
 * @example
 * ```ts ignore
 * await using bus = await startSessionBus();
 * await using home = await TestHome.create({
 *   registries: { alt: { authRequired: true, tokens: ["t0k"] } },
 *   providers: ["cargo:token", PROVIDER],
 *   bus,
 * });
 * await home.cargo(["login", "--registry", "alt"], { stdin: "t0k" });
 * ```
 */
export class TestHome implements AsyncDisposable {
  /** The directory that all the others are in. */
  readonly root: string;
  /** `HOME` */
  readonly home: string;
  /** `CARGO_HOME` */
  readonly cargoHome: string;
  /** A directory outside of the home, where cargo runs. */
  readonly work: string;
  /** The environment that cargo gets. */
  readonly env: Readonly<Record<string, string>>;
  /** The program under test as cargo starts it; counts its starts. */
  readonly provider: string;
  readonly #cargo: string;
  readonly #registries: ReadonlyMap<string, LoopbackRegistry>;

  private constructor(
    root: string,
    cargo: string,
    env: Readonly<Record<string, string>>,
    registries: ReadonlyMap<string, LoopbackRegistry>,
  ) {
    this.root = root;
    this.home = `${root}/home`;
    this.cargoHome = `${root}/home/.cargo`;
    this.work = `${root}/work`;
    this.provider = `${root}/bin/cargo-credential-keyring${
      WINDOWS ? ".cmd" : ""
    }`;
    this.env = env;
    this.#cargo = cargo;
    this.#registries = registries;
  }

  /**
   * Makes a home.
   *
   * @param options What is in it.
   * @returns The home; dispose of it.
   */
  static async create(options: TestHomeOptions = {}): Promise<TestHome> {
    const { registries = { alt: {} }, providers = [PROVIDER] } = options;
    const { cargo: newest, rustc } = await toolchain();
    const { cargo = newest } = options;
    const root = await Deno.makeTempDir({ prefix: "home-" });
    const servers = new Map(
      Object.entries(registries).map(([name, behaviour]) => [
        name,
        LoopbackRegistry.start(behaviour),
      ]),
    );
    let cratesIo = "http://127.0.0.1:9"; // the discard port: refused
    if (options.cratesIo !== undefined) {
      const server = LoopbackRegistry.start(options.cratesIo);
      servers.set("crates-io", server);
      cratesIo = server.origin;
    }
    const home = new TestHome(root, cargo, {
      ...inherited(),
      ...options.bus?.env,
      HOME: `${root}/home`,
      USERPROFILE: `${root}/home`,
      CARGO_HOME: `${root}/home/.cargo`,
      TMPDIR: `${root}/tmp`,
      LANG: "C.UTF-8",
      RUSTC: rustc,
      CARGO_TERM_COLOR: "never",
      CARGO_NET_RETRY: "0",
      __CARGO_TEST_CRATES_IO_URL_DO_NOT_USE_THIS: `sparse+${cratesIo}/index/`,
      ...options.env,
    }, servers);
    for (const directory of [home.cargoHome, home.work, `${root}/tmp`]) {
      await Deno.mkdir(directory, { recursive: true });
    }
    await Deno.mkdir(`${root}/bin`);
    await home.#writeProvider(options.traffic ?? false);
    await home.configure(providers, options.config);
    return home;
  }

  /**
   * A registry of this home.
   *
   * @param name Its name; `crates-io` for what answers as crates.io.
   * @returns The registry.
   */
  registry(name = "alt"): LoopbackRegistry {
    const registry = this.#registries.get(name);
    if (registry === undefined) throw new Error(`no registry ${name} here`);
    return registry;
  }

  /**
   * Runs cargo in this home.
   *
   * @param args Its arguments.
   * @param options Its input, directory and limit.
   * @returns What it did.
   */
  async cargo(
    args: readonly string[],
    options: CargoOptions = {},
  ): Promise<CargoResult> {
    const before = await this.launches();
    const result = await run([this.#cargo, ...args], {
      cwd: this.work,
      ...options,
      env: { ...this.env, ...options.env },
    });
    return { ...result, launches: await this.launches() - before };
  }

  /** The command that {@linkcode cargo} runs, to be run in other ways. */
  command(args: readonly string[]): [string, ...string[]] {
    return [this.#cargo, ...args];
  }

  /** How many provider processes were started so far. */
  async launches(): Promise<number> {
    return (await readIfThere(`${this.root}/launches`)).split("\n").length - 1;
  }

  /** The requests that the provider got so far, with `traffic` only. */
  async requests(): Promise<Record<string, unknown>[]> {
    return (await readIfThere(`${this.root}/requests`))
      .split("\n").filter((line) => line !== "").map((line) =>
        JSON.parse(line)
      );
  }

  /**
   * Writes `$CARGO_HOME/config.toml` with this home's registries.
   *
   * @param providers What becomes `registry.global-credential-providers`.
   * @param more More of the file; it begins inside of the table `[registry]`.
   */
  async configure(providers: readonly string[], more = ""): Promise<void> {
    const list = providers
      .map((entry) => entry === PROVIDER ? this.provider : entry);
    const tables = [...this.#registries]
      .filter(([name]) => name !== "crates-io")
      .map(([name, { indexUrl }]) =>
        `[registries.${name}]\nindex = "${indexUrl}"\n`
      );
    await Deno.writeTextFile(
      `${this.cargoHome}/config.toml`,
      `${tables.join("")}[registry]\nglobal-credential-providers = ${
        JSON.stringify(list)
      }\n${more}`,
    );
  }

  /** `$CARGO_HOME/credentials.toml` becomes `text`. */
  async writeCredentials(text: string): Promise<void> {
    await Deno.writeTextFile(`${this.cargoHome}/credentials.toml`, text, {
      mode: 0o600,
    });
  }

  /** What `$CARGO_HOME/credentials.toml` holds, `undefined` without one. */
  async credentials(): Promise<string | undefined> {
    try {
      return await Deno.readTextFile(`${this.cargoHome}/credentials.toml`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /**
   * Makes a library crate that can be published.
   *
   * @param name Its name; its version is 0.1.0.
   * @param more More of its Cargo.toml, such as `[dependencies]`.
   * @returns The crate's directory.
   */
  async crate(name: string, more = ""): Promise<string> {
    const directory = `${this.work}/${name}`;
    await Deno.mkdir(`${directory}/src`, { recursive: true });
    await Deno.writeTextFile(
      `${directory}/Cargo.toml`,
      `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2021"\n` +
        `description = "a test"\nlicense = "MIT"\n` +
        `homepage = "https://example.com/"\n${more}`,
    );
    await Deno.writeTextFile(`${directory}/src/lib.rs`, "");
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const registry of this.#registries.values()) {
      await registry[Symbol.asyncDispose]();
    }
    await Deno.remove(this.root, { recursive: true });
  }

  async #writeProvider(traffic: boolean): Promise<void> {
    await Deno.mkdir(`${this.root}/launcher`);
    const launcher = await programUnderTest(`${this.root}/launcher`);
    const text = WINDOWS
      ? `@echo %*>>"${this.root}/launches"\r\n@"${launcher}" %*\r\n`
      : `#!/bin/sh\necho "$*" >>${quote(`${this.root}/launches`)}\n${
        traffic
          ? this.#recording(quote(launcher))
          : `exec ${quote(launcher)} "$@"`
      }\n`;
    await Deno.writeTextFile(this.provider, text, { mode: 0o755 });
  }

  /** The provider's exit status has to come out of the middle of a pipe. */
  #recording(launcher: string): string {
    return `{ { { tee -a ${
      quote(`${this.root}/requests`)
    } | { ${launcher} "$@"; echo $? >&3; } >&4; } 3>&1; } |
{ read -r status; exit "$status"; }; } 4>&1`;
  }
}

/** What a program needs of the environment to run at all. */
function inherited(): Record<string, string> {
  const names = WINDOWS
    ? ["PATH", "SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP"]
    : ["PATH"];
  const env: Record<string, string> = {};
  for (const name of names) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
