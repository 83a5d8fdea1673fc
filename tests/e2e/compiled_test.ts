// What could be otherwise in the compiled program than under `deno run`: its
// arguments, its environment, permissions, imports, and where its file lies.
// The launcher hands all of this to Deno itself, which has its own ways.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { toolchain } from "../support/cargo.ts";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { runInPty } from "../support/pty.ts";
import { run, type RunResult } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the scenes are scripts of the shell");
const linux = onlyOn("linux", "what the system answers is Linux's");

const program = Deno.env.get(PROGRAM_VARIABLE) ?? "";
const ignore = program === "";

const TOKEN = "compiled-token-77b0";
const REQUEST = JSON.stringify({
  v: 1,
  registry: { "index-url": "sparse+https://example.com/", name: "alt" },
  kind: "get",
  operation: "read",
});
const ANSWER = '{"v":[1]}\n{"Ok":{"kind":"get","token":"' + TOKEN +
  '","cache":"session","operation_independent":true}}\n';

/** Deno's, Node's and npm's variables, with values that would change a run. */
const WITHOUT_INFLUENCE: readonly (readonly [string, string])[] = [
  ["DENO_AUDIT_PERMISSIONS", "audit.jsonl"],
  ["DENO_AUTH_TOKENS", "token@example.com"],
  ["DENO_CERT", "/nowhere/ca.pem"],
  ["DENO_COVERAGE_DIR", "coverage"],
  ["DENO_DESKTOP_INSPECT_INTERNAL_PORT", "4599"],
  ["DENO_DIR", "/nowhere"],
  ["DENO_INSTALL_ROOT", "/nowhere"],
  ["DENO_INTERNAL_CHILD_ENTRYPOINT", "file:///nowhere.js"],
  ["DENO_NO_PROMPT", "0"],
  ["DENO_PERMISSION_BROKER_PATH", "/nowhere"],
  ["DENO_SERVE_ADDRESS", "tcp:127.0.0.1:4599"],
  ["DENO_TLS_CA_STORE", "nowhere"],
  ["DENO_TRACE_PERMISSIONS", "1"],
  ["DENO_UNSTABLE_CONTROL_SOCK", "unix:control.sock"],
  ["DENO_UNSTABLE_FFI_TRACE_TURBO", "1"],
  ["DENO_V8_FLAGS", "--no-such-flag"],
  ["HTTPS_PROXY", "http://127.0.0.1:9"],
  ["NODE_DEBUG", "*"],
  ["NODE_EXTRA_CA_CERTS", "/nowhere/ca.pem"],
  ["NODE_OPTIONS", "--no-such-option"],
  ["NODE_PATH", "/nowhere"],
  ["NODE_V8_COVERAGE", "coverage"],
  ["NPM_CONFIG_REGISTRY", "http://127.0.0.1:9"],
  ["NPM_CONFIG_USERCONFIG", "/nowhere/npmrc"],
  ["OTEL_DENO", "true"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"],
  ["RUST_BACKTRACE", "full"],
  ["RUST_LOG", "trace"],
];

/** An empty home, an empty directory to run in, and nothing to inherit. */
class Scene implements AsyncDisposable {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;

  private constructor(root: string) {
    this.root = root;
    this.cwd = `${root}/cwd`;
    this.env = {
      PATH: "/usr/bin:/bin",
      HOME: `${root}/home`,
      CARGO_HOME: `${root}/home/.cargo`,
      CARGO_REGISTRIES_ALT_TOKEN: TOKEN,
    };
  }

  static async create(): Promise<Scene> {
    const scene = new Scene(await Deno.makeTempDir({ prefix: "compiled-" }));
    await Deno.mkdir(`${scene.root}/home/.cargo`, { recursive: true });
    await Deno.mkdir(scene.cwd);
    return scene;
  }

  /** A `get`, by a line of shell where `"$@"` is the program. */
  get(
    shell: string,
    env: Readonly<Record<string, string>> = {},
    file = program,
  ): Promise<RunResult> {
    return run(["/bin/sh", "-c", shell, "sh", file, "--cargo-plugin"], {
      env: { ...this.env, ...env },
      cwd: this.cwd,
      stdin: `${REQUEST}\n`,
    });
  }

  /** Everything that lies in the home and in the working directory. */
  files(): string[] {
    return ["home/.cargo", "cwd"].flatMap((folder) =>
      [...Deno.readDirSync(`${this.root}/${folder}`)].map(({ name }) => name)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

function assertAnswers({ code, stdout, stderr }: RunResult): void {
  assertEquals({ code, stdout, stderr }, {
    code: 0,
    stdout: ANSWER,
    stderr: "",
  });
}

for (
  const [where, shell] of Object.entries({
    "with a variable that is no text":
      `ODD=$(printf 'caf\\351') && export ODD && exec "$@"`,
    "with a variable whose name is no text":
      `exec env "$(printf 'caf\\351=1')" "$@"`,
    "from the root folder": `cd / && exec "$@"`,
    "through a symbolic link": `ln -s "$1" link && shift && ./link "$@"
status=$?; rm link; exit "$status"`,
    "under another name": `cp "$1" renamed && shift && ./renamed "$@"
status=$?; rm renamed; exit "$status"`,
    "found in PATH": `PATH="$(dirname "$1"):$PATH" && shift &&
exec cargo-credential-keyring "$@"`,
    "without a home for temporary files":
      `TMPDIR=/nowhere && export TMPDIR && exec "$@"`,
    "with standard error closed": `exec "$@" 2>&-`,
    "with arguments that Deno would know": `exec "$@" --allow-run -A --inspect`,
  })
) {
  unix.test({
    name: `the compiled program answers ${where}`,
    ignore,
    fn: async () => {
      await using scene = await Scene.create();
      assertAnswers(await scene.get(shell));
      assertEquals(scene.files(), []);
    },
  });
}

unix.test({
  name: "variables of Deno, Node and npm have no influence",
  ignore,
  fn: async () => {
    await using scene = await Scene.create();
    for (const [name, value] of WITHOUT_INFLUENCE) {
      try {
        assertAnswers(await scene.get('exec "$@"', { [name]: value }));
        assertEquals(scene.files(), []);
      } catch (error) {
        throw new Error(`${name}=${value}`, { cause: error });
      }
    }
    assertAnswers(
      await scene.get('exec "$@"', Object.fromEntries(WITHOUT_INFLUENCE)),
    );
  },
});

unix.test({
  name: "what has influence all the same is in docs/building.md",
  ignore,
  fn: async (t) => {
    const docs = await Deno.readTextFile(
      new URL("../../docs/building.md", import.meta.url),
    );
    const documented = async (
      name: string,
      value: string,
    ): Promise<RunResult & { files: string[] }> => {
      await using scene = await Scene.create();
      assertStringIncludes(docs, `\`${name}\``);
      const result = await scene.get('exec "$@"', { [name]: value });
      return { ...result, files: scene.files() };
    };
    await t.step("DENO_LOG logs, and no token", async () => {
      const result = await documented("DENO_LOG", "trace");
      assertEquals([result.code, result.stdout], [0, ANSWER]);
      assert(result.stderr !== "" && !result.stderr.includes(TOKEN));
    });
    await t.step("SSLKEYLOGFILE makes an empty file", async () => {
      const result = await documented("SSLKEYLOGFILE", "keys");
      assertAnswers(result);
      assertEquals(result.files, ["keys"]);
    });
    for (
      const [name, value] of [
        ["NODE_CHANNEL_FD", "9"],
        ["DENO_TOKIO_EVENT_INTERVAL", "no number"],
        ["DENO_TOKIO_MAX_IO_EVENTS_PER_TICK", "no number"],
      ] as const
    ) {
      await t.step(`${name} keeps it from starting`, async () => {
        const { code, stdout } = await documented(name, value);
        assert(code !== 0);
        assertEquals(stdout, "");
      });
    }
  },
});

linux.test({
  name: "in a directory that is gone the compiled program ends, as cargo does",
  ignore,
  fn: async () => {
    await using scene = await Scene.create();
    const gone = `mkdir gone && cd gone && rmdir ../gone && exec "$@"`;
    const { code, stdout, stderr } = await scene.get(gone);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "No such file or directory");
    const { cargo } = await toolchain();
    const there = await scene.get(
      `${gone.replace("$@", "$1")} logout`,
      {},
      cargo,
    );
    assertEquals(there.code, 101);
    assertStringIncludes(there.stderr, "couldn't get the current directory");
  },
});

linux.test({
  name: "an argument that is no text ends the compiled program, and says why",
  ignore,
  fn: async () => {
    await using scene = await Scene.create();
    for (const more of ['"$1" "$odd"', '"$@" "$odd"']) {
      const { code, stdout, stderr } = await scene.get(
        `odd=$(printf 'caf\\351'); exec ${more}`,
      );
      assert(code !== 0);
      assertEquals(stdout, "");
      assertStringIncludes(stderr, "caf\\xE9");
    }
  },
});

unix.test({
  name: "options of Deno and V8 are no options of the compiled program",
  ignore,
  fn: async () => {
    await using scene = await Scene.create();
    for (const option of ["--v8-flags=--help", "--allow-run", "-A", "eval"]) {
      const { code, stdout, stderr } = await run([program, option], scene);
      assertEquals([code, stdout], [2, ""]);
      assertMatch(stderr, /^error: unknown (option|command)/);
    }
  },
});

unix.test({
  name: "every command loads, and describes itself",
  ignore,
  fn: async () => {
    await using scene = await Scene.create();
    const help = await run([program, "--help"], scene);
    const commands = [...help.stdout.matchAll(/^ {2}([a-z]+)\b/gm)]
      .map(([, name = ""]) => name);
    assert(commands.length > 5, help.stdout);
    for (const command of commands) {
      const { code, stdout, stderr } = await run(
        [program, command, "--help"],
        scene,
      );
      assertEquals([code, stderr], [0, ""], command);
      assertStringIncludes(stdout, command);
    }
  },
});

linux.test({
  name: "at a terminal, what it may not do is not asked for",
  ignore,
  fn: async () => {
    await using scene = await Scene.create();
    // Deno lets nobody read there who may not do everything.
    const env = {
      ...scene.env,
      CARGO_HOME: "/proc/self/task",
      DENO_NO_PROMPT: "0",
    };
    for (const args of [["status"], ["migrate", "--dry-run"], ["doctor"]]) {
      const { output } = await runInPty([program, ...args], {
        env,
        cwd: scene.cwd,
        limit: 30_000,
      });
      assert(!/Deno requests|Allow\?|\[y\/n/.test(output), output);
      assert(output.trim() !== "", args.join(" "));
    }
  },
});
