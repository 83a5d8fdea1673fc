import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import { WincredStore } from "../../src/stores/wincred.ts";
import { onWindows, uniqueIndexUrl } from "../support/windows.ts";

const CONFIG = new URL("../../deno.json", import.meta.url).href;
const PROGRAM = new URL("../../mod.ts", import.meta.url).href;
const TOKEN = "planted-windows-token";

const options = { signal: new AbortController().signal };

interface Said {
  readonly answers: readonly unknown[];
  readonly stdout: string;
  readonly stderr: string;
}

/** A throw-away cargo home, with one registry that nothing else uses. */
class Home implements AsyncDisposable {
  readonly indexUrl: string = uniqueIndexUrl();
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async create(): Promise<Home> {
    const home = new Home(await Deno.makeTempDir({ prefix: "provider-test-" }));
    await Deno.mkdir(home.cargoHome, { recursive: true });
    await Deno.writeTextFile(
      `${home.cargoHome}\\config.toml`,
      `[registries.alt]\nindex = "${home.indexUrl}"\n[registry]\n` +
        `global-credential-providers = ["cargo:token", "cargo-credential-keyring"]\n`,
    );
    return home;
  }

  /** `.cargo` in the profile, as without `CARGO_HOME`. */
  get cargoHome(): string {
    return `${this.#root}\\.cargo`;
  }

  get credentialsFile(): string {
    return `${this.cargoHome}\\credentials.toml`;
  }

  /** Asks the program, in a process of its own. */
  async ask(request: Readonly<Record<string, unknown>>): Promise<Said> {
    const { CARGO_HOME: _, CI: __, ...env } = Deno.env.toObject();
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--no-check",
        "--frozen",
        "--cached-only",
        `--config=${CONFIG.slice("file:///".length)}`,
        "--allow-read",
        "--allow-write",
        "--allow-env",
        "--allow-ffi",
        "--allow-sys=uid",
        PROGRAM,
        "--cargo-plugin",
      ],
      clearEnv: true,
      env: { ...env, USERPROFILE: this.#root },
      cwd: this.#root,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const registry = { "index-url": this.indexUrl, name: "alt" };
    const writer = child.stdin.getWriter();
    await writer.write(
      new TextEncoder().encode(
        `${JSON.stringify({ v: 1, registry, ...request, args: [] })}\n`,
      ),
    );
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    const said = {
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
    assertEquals(code, 0, said.stderr);
    const [hello, ...answers] = said.stdout.split("\n")
      .filter((line) => line !== "").map((line): unknown => JSON.parse(line));
    assertEquals(hello, { v: [1] });
    return { ...said, answers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new WincredStore().erase({ indexUrl: this.indexUrl }, options);
    await Deno.remove(this.#root, { recursive: true });
  }
}

const GET = { kind: "get", operation: "read" } as const;

function found(token: string): unknown {
  return {
    Ok: {
      kind: "get",
      token,
      cache: "session",
      operation_independent: true,
    },
  };
}

onWindows(
  "the provider logs in, answers another process and logs out",
  async () => {
    await using home = await Home.create();
    const none = await home.ask(GET);
    assertEquals(none.answers, [{ Err: { kind: "not-found" } }]);

    const login = await home.ask({ kind: "login", token: TOKEN });
    assertEquals(login.answers, [{ Ok: { kind: "login" } }]);
    assertStringIncludes(login.stderr, "Windows Credential Manager");
    assert(!login.stdout.includes(TOKEN) && !login.stderr.includes(TOKEN));

    const get = await home.ask(GET);
    assertEquals(get.answers, [found(TOKEN)]);
    assertEquals(get.stderr, "");

    const logout = await home.ask({ kind: "logout" });
    assertEquals(logout.answers, [{ Ok: { kind: "logout" } }]);
    const gone = await home.ask(GET);
    assertEquals(gone.answers, [{ Err: { kind: "not-found" } }]);
    assertEquals((await home.ask({ kind: "logout" })).answers, [
      { Err: { kind: "not-found" } },
    ]);
  },
);

onWindows("the provider moves a plaintext token", async () => {
  await using home = await Home.create();
  const rest = '# a comment\r\n[registries.other]\r\ntoken = "other"\r\n';
  await Deno.writeTextFile(
    home.credentialsFile,
    `${rest}[registries.alt]\r\ntoken = "${TOKEN}"\r\n`,
  );
  const first = await home.ask(GET);
  assertEquals(first.answers, [found(TOKEN)], first.stderr);
  assertStringIncludes(first.stderr, "Windows Credential Manager");
  assert(!first.stderr.includes(TOKEN), first.stderr);

  const left = await Deno.readTextFile(home.credentialsFile);
  assert(left.startsWith(rest), left);
  assert(!left.includes(TOKEN), left);
  assertEquals(
    await new WincredStore().verify(
      { indexUrl: home.indexUrl },
      Secret.fromString(TOKEN),
      options,
    ),
    { kind: "stored", keeps: "on-disk" },
  );
  const second = await home.ask(GET);
  assertEquals([second.answers, second.stderr], [[found(TOKEN)], ""]);
});

onWindows(
  "the provider puts a login in the place of a plaintext token",
  async () => {
    await using home = await Home.create();
    await Deno.writeTextFile(
      home.credentialsFile,
      `[registries.alt]\ntoken = "old-token"\n`,
    );
    const login = await home.ask({ kind: "login", token: TOKEN });
    assertEquals(login.answers, [{ Ok: { kind: "login" } }], login.stderr);
    const left = await Deno.readTextFile(home.credentialsFile);
    assert(!left.includes("old-token"), left);
    assertEquals((await home.ask(GET)).answers, [found(TOKEN)]);
  },
);

onWindows("the provider's logout removes a plaintext token", async () => {
  await using home = await Home.create();
  await home.ask({ kind: "login", token: TOKEN });
  await Deno.writeTextFile(
    home.credentialsFile,
    `[registries.alt]\ntoken = "old-token"\n`,
  );
  const logout = await home.ask({ kind: "logout" });
  assertEquals(logout.answers, [{ Ok: { kind: "logout" } }], logout.stderr);
  const left = await Deno.readTextFile(home.credentialsFile);
  assert(!left.includes("old-token"), left);
  assertEquals((await home.ask(GET)).answers, [{ Err: { kind: "not-found" } }]);
});

onWindows("the provider leaves a token that Windows cannot keep", async () => {
  await using home = await Home.create();
  const token = "x".repeat(2561);
  const text = `[registries.alt]\ntoken = "${token}"\n`;
  await Deno.writeTextFile(home.credentialsFile, text);
  const { answers, stderr } = await home.ask(GET);
  assertEquals(answers, [found(token)]);
  assertStringIncludes(stderr, "2560 bytes");
  assert(!stderr.includes(token));
  assertEquals(await Deno.readTextFile(home.credentialsFile), text);

  const login = await home.ask({ kind: "login", token });
  assertMatch(JSON.stringify(login.answers), /"Err".*"other".*2560 bytes/);
});
