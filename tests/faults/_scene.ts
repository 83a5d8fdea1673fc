import { assertEquals } from "@std/assert";
import {
  askProvider,
  type JsonLine,
  type ProviderResult,
} from "../support/ask_provider.ts";
import { KillShim, type ShimRule } from "../support/kill_shim.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run, type RunResult } from "../support/run.ts";
import {
  type SessionBus,
  type SessionBusOptions,
  startSessionBus,
} from "../support/session_bus.ts";
import {
  type CargoResult,
  CRATES_IO_INDEX,
  PROVIDER,
  TestHome,
} from "../support/test_home.ts";

/** A registry of these tests: crates.io, or one that the user has named. */
export interface Registry {
  readonly name: string;
  readonly indexUrl: string;
}

export const CRATES_IO: Registry = {
  name: "crates-io",
  indexUrl: CRATES_IO_INDEX,
};
export const ALT: Registry = {
  name: "alt",
  indexUrl: "sparse+https://alt.example/index/",
};

/** The status of a process that SIGKILL has ended. */
export const KILLED = 128 + 9;

/** What is special about one run of the program. */
export interface SceneRun {
  /** What happens to its system calls. */
  readonly rules?: readonly ShimRule[];
  readonly env?: Readonly<Record<string, string>>;
  /** After how many milliseconds it is killed, and the test fails. */
  readonly limit?: number;
}

/** How a scene is set. */
export interface SceneOptions {
  /** The keyring on its bus. */
  readonly keyring?: SessionBusOptions["keyring"];
  /** More environment variables for everything. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Whether {@linkcode Scene.alt} answers, so that the real cargo can log in
   * there. {@linkcode ALT} is only a name.
   *
   * @default {false}
   */
  readonly live?: boolean;
}

/**
 * A home with the registries above, a real keyring, and a library that can
 * kill the program at any system call. `cargo:token` stands behind it.
 */
export class Scene implements AsyncDisposable {
  readonly home: TestHome;
  readonly bus: SessionBus;
  readonly shim: KillShim;
  readonly #secretTool: string;

  private constructor(
    home: TestHome,
    bus: SessionBus,
    shim: KillShim,
    secretTool: string,
  ) {
    this.home = home;
    this.bus = bus;
    this.shim = shim;
    this.#secretTool = secretTool;
  }

  static async create(options: SceneOptions = {}): Promise<Scene> {
    const { keyring = "unlocked", env = {}, live = false } = options;
    const secretTool = await findProgram("secret-tool") ??
      missing("secret-tool", "apt-get install libsecret-tools");
    const bus = await startSessionBus({ keyring });
    const home = await TestHome.create({
      registries: live ? { alt: {}, one: {}, two: {} } : {},
      providers: ["cargo:token", PROVIDER],
      config: live ? "" : `[registries.alt]\nindex = "${ALT.indexUrl}"\n`,
      bus,
      env: {
        // On a busy machine a short deadline would be one more thing that fails.
        CARGO_CREDENTIAL_KEYRING_TIMEOUT: "60",
        // The answer to a `read` shows that the token is not lost.
        CARGO_CREDENTIAL_KEYRING_HAND_OVER: "early",
        ...env,
      },
    });
    return new Scene(home, bus, await KillShim.compile(), secretTool);
  }

  /** The registry `alt` that answers. */
  get alt(): Registry {
    return { name: "alt", indexUrl: this.home.registry().indexUrl };
  }

  get credentialsPath(): string {
    return `${this.home.cargoHome}/credentials.toml`;
  }

  /** Sends one request. */
  ask(
    kind: "get" | "login" | "logout",
    registry: Registry,
    options: SceneRun & { readonly token?: string } = {},
  ): Promise<ProviderResult> {
    const { token, limit = 60_000 } = options;
    return askProvider(this.home, [{
      v: 1,
      registry: { "index-url": registry.indexUrl, name: registry.name },
      kind,
      ...(kind === "get" ? { operation: "read" } : {}),
      ...(token === undefined ? {} : { token }),
    }], { env: this.#env(options), limit });
  }

  /** Runs the program as a person does. */
  command(
    args: readonly string[],
    options: SceneRun = {},
  ): Promise<RunResult> {
    return run([this.home.provider, ...args], {
      cwd: this.home.work,
      env: { ...this.home.env, ...this.#env(options) },
    });
  }

  #env({ rules, env }: SceneRun): Readonly<Record<string, string>> {
    return {
      ...(rules === undefined ? {} : this.shim.env(this.home.cargoHome, rules)),
      ...env,
    };
  }

  /** Logs in with the real cargo; `provider` is the only one that it asks. */
  async cargoLogin(
    token: string,
    provider: string,
    registry = "alt",
  ): Promise<CargoResult> {
    const variable =
      `CARGO_REGISTRIES_${registry.toUpperCase()}_CREDENTIAL_PROVIDER`;
    const result = await this.home.cargo(["login", "--registry", registry], {
      stdin: token,
      env: { [variable]: provider },
    });
    assertEquals(result.code, 0, result.stderr);
    return result;
  }

  /** The secrets that the keyring has for a registry, as secret-tool sees them. */
  async stored({ indexUrl }: Registry): Promise<string[]> {
    const { stdout } = await this.#ask(["search", "--all", "url", indexUrl]);
    return stdout.split("\n")
      .filter((line) => line.startsWith("secret = "))
      .map((line) => line.slice("secret = ".length));
  }

  /** Plants an item as cargo would. */
  async store(registry: Registry, token: string): Promise<void> {
    await this.#ask([
      "store",
      `--label=cargo-registry:${registry.name}`,
      "xdg:schema",
      "org.rust-lang.cargo.registry",
      "url",
      registry.indexUrl,
    ], token);
  }

  /** Erases the items of a registry. */
  async clear({ indexUrl }: Registry): Promise<void> {
    await this.#ask(["clear", "url", indexUrl]);
  }

  /** Begins anew: this file, no item of a registry, and no memory. */
  async reset(
    credentials: string | Uint8Array | undefined,
    registry: Registry = ALT,
  ): Promise<void> {
    await this.clear(registry);
    for await (const { name } of Deno.readDir(this.home.cargoHome)) {
      if (name !== "config.toml") {
        await Deno.remove(`${this.home.cargoHome}/${name}`);
      }
    }
    if (credentials === undefined) return;
    const bytes = typeof credentials === "string"
      ? new TextEncoder().encode(credentials)
      : credentials;
    await Deno.writeFile(this.credentialsPath, bytes, { mode: 0o600 });
  }

  #ask(args: readonly string[], stdin = ""): Promise<RunResult> {
    return run([this.#secretTool, ...args], { env: this.home.env, stdin });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shim[Symbol.asyncDispose]();
    await this.home[Symbol.asyncDispose]();
    await this.bus.stop();
  }
}

/** The token of an answer; `undefined` if there is none in it. */
export function tokenOf(
  { answers }: { readonly answers: readonly JsonLine[] },
): string | undefined {
  const ok = answers.at(-1)?.["Ok"];
  return typeof ok === "object" && ok !== null && "token" in ok
    ? String(ok.token)
    : undefined;
}

/** What kind of answer it is: `Ok`, or the kind of the error. */
export function kindOf(
  { answers }: { readonly answers: readonly JsonLine[] },
): string | undefined {
  const answer = answers.at(-1);
  const error = answer?.["Err"];
  if (answer?.["Ok"] !== undefined) return "Ok";
  return typeof error === "object" && error !== null && "kind" in error
    ? String(error.kind)
    : undefined;
}
