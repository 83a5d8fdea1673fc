import type { SessionBus } from "./session_bus.ts";

/** What a {@linkcode SecretServiceProcess} is asked. */
export interface Question {
  /** Which method of the store. */
  readonly method: "get" | "prepare" | "set" | "verify" | "erase" | "list";
  /** The key's index URL. */
  readonly url?: string;
  /** The key's registry name. */
  readonly name?: string;
  /** `set` and `verify`: the token. */
  readonly token?: string;
  /** Whether a dialog may open. */
  readonly prompt?: boolean;
  /** The deadline, in milliseconds. */
  readonly limit?: number;
}

/** An outcome of the store, with its token as a string. */
export interface Outcome {
  readonly kind: string;
  readonly [name: string]: unknown;
}

/** How a {@linkcode SecretServiceProcess} is started. */
export interface SecretServiceProcessOptions {
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Environment variables that it is not to have. */
  readonly without?: readonly string[];
}

/**
 * The Secret Service store in a process of its own, which has the bus, the
 * permissions and the libraries that the program would have.
 */
export class SecretServiceProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;
  #rest = "";

  /** Starts it on a bus. */
  constructor(
    bus: Pick<SessionBus, "env">,
    options: SecretServiceProcessOptions = {},
  ) {
    const { env = {}, without = [] } = options;
    const cache = Deno.env.get("DENO_DIR") ??
      `${Deno.env.get("HOME")}/.cache/deno`;
    const variables = Object.entries({
      ...bus.env,
      DENO_DIR: cache,
      ...env,
    }).filter(([name]) => !without.includes(name));
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--no-prompt",
        "--allow-read",
        "--allow-write",
        "--allow-env",
        "--allow-ffi",
        "--allow-sys=uid",
        new URL("../stores/secret_service_child.ts", import.meta.url).href,
      ],
      clearEnv: true,
      env: Object.fromEntries(variables),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#errors = new Response(this.#child.stderr).text();
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Asks, and waits for the answer. */
  async ask(question: Question): Promise<Outcome> {
    return (await this.time(question)).outcome;
  }

  /** Asks, and says how long the store took, in milliseconds. */
  async time(
    question: Question,
  ): Promise<{ readonly outcome: Outcome; readonly ms: number }> {
    await this.#input.write(
      new TextEncoder().encode(JSON.stringify(question) + "\n"),
    );
    while (!this.#rest.includes("\n")) {
      const { done, value } = await this.#output.read();
      if (done) throw new Error(`It ended: ${await this.#errors}`);
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return JSON.parse(line);
  }

  /**
   * Lets it end by itself, as it does at the end of its input.
   *
   * @returns Its exit status, and what it printed on standard error.
   */
  async end(): Promise<{ readonly code: number; readonly stderr: string }> {
    await this.#input.close();
    const { code } = await this.#child.status;
    await this.#output.cancel();
    return { code, stderr: await this.#errors };
  }

  /** Kills it if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
    await this.#output.cancel().catch(() => {});
    await this.#input.abort().catch(() => {});
    await this.#errors;
  }
}
