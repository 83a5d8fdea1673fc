// `setup` with the real cargo as the judge: whether it asks the program after it.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CONFIGS } from "../support/cargo_configs.ts";
import { toolchain } from "../support/cargo.ts";
import { UNSHARE } from "../support/image.ts";
import { onlyOn } from "../support/platform.ts";
import { PROGRAM_VARIABLE, programUnderTest } from "../support/program.ts";
import { findProgram } from "../support/requirements.ts";
import { runInPty } from "../support/pty.ts";
import { run, type RunResult } from "../support/run.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { TestHome } from "../support/test_home.ts";

const linux = onlyOn("linux", "WSL is a Linux");

const NAME = "cargo-credential-keyring";

/** Cargo is told by these alone to ask somebody else for crates.io. */
const ASKS_OTHERS: ReadonlySet<string> = new Set(["crates.io on the file"]);

/** An empty home with the program in a folder of its own. */
class Scene implements AsyncDisposable {
  readonly root: string;
  readonly home: string;
  readonly env: Record<string, string>;
  program = "";

  private constructor(root: string, env: Readonly<Record<string, string>>) {
    this.root = root;
    this.home = `${root}/home/.cargo`;
    this.env = {
      ...env,
      PATH: Deno.env.get("PATH") ?? "",
      HOME: `${root}/home`,
    };
  }

  static async create(
    env: Readonly<Record<string, string>> = {},
  ): Promise<Scene> {
    const scene = new Scene(await Deno.makeTempDir({ prefix: "setup-" }), env);
    await Deno.mkdir(`${scene.home}/bin`, { recursive: true });
    await Deno.mkdir(`${scene.root}/checkout`);
    scene.program = await programUnderTest(`${scene.home}/bin`);
    return scene;
  }

  get config(): string {
    return `${this.home}/config.toml`;
  }

  async run(...args: string[]): Promise<RunResult> {
    return await run([this.program, ...args], {
      cwd: `${this.root}/checkout`,
      env: this.env,
    });
  }

  /** What cargo asks of the program that its configuration names. */
  async asked(...args: string[]): Promise<string> {
    const installed = `${this.home}/bin/${NAME}`;
    const log = `${this.root}/asked`;
    await Deno.remove(installed);
    await Deno.writeTextFile(
      installed,
      `#!/bin/sh\necho '{"v":[1]}'\nread -r request\n` +
        `echo "$request" >>'${log}'\n` +
        `echo '{"Ok":{"kind":"logout"}}'\n`,
      { mode: 0o755 },
    );
    const { cargo } = await toolchain();
    const { code, stderr } = await run([cargo, ...args], {
      cwd: `${this.root}/checkout`,
      env: this.env,
    });
    const request = await Deno.readTextFile(log).catch(() => "");
    if (request === "") assert(code !== 101 || stderr !== "", stderr);
    return request;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

Deno.test("cargo asks the program after setup, whatever its configuration was", async (t) => {
  assert(Object.keys(CONFIGS).length >= 30);
  for (const [name, text] of Object.entries(CONFIGS)) {
    await t.step(name, async () => {
      await using scene = await Scene.create();
      await Deno.writeTextFile(scene.config, text);
      if (text.startsWith("include")) {
        await Deno.writeTextFile(
          `${scene.home}/shared.toml`,
          '[registry]\nglobal-credential-providers = ["cargo:token"]\n',
        );
      }
      const done = await scene.run("setup", "--yes");
      const shown = done.stdout + done.stderr;
      assertStringIncludes(
        shown,
        ASKS_OTHERS.has(name)
          ? "names cargo:token as the only provider of crates-io"
          : "Cargo asks this program for crates-io",
      );
      assert(!shown.includes("planted-token"), shown);
      const after = await Deno.readTextFile(scene.config);

      const again = await scene.run("setup", "--yes");
      assertStringIncludes(again.stdout, "already");
      assertEquals(await Deno.readTextFile(scene.config), after);

      const request = await scene.asked("logout", "--registry", "crates-io");
      assertEquals(
        request.includes('"name":"crates-io"'),
        !ASKS_OTHERS.has(name),
        request,
      );
      const undone = await scene.run("setup", "--undo", "--yes");
      assertEquals(undone.code, 0, undone.stderr);
      assertEquals(await Deno.readTextFile(scene.config), text);
    });
  }
});

Deno.test("setup says where cargo asks another one first, and cargo does", async (t) => {
  const LIST = '[registry]\nglobal-credential-providers = ["cargo:token"]\n';
  const VARIABLE = "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS";
  const TOKEN = "planted-token-1f";
  const WAYS: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
    "nobody": () => Promise.resolve(),
    "a project": (scene) =>
      Deno.writeTextFile(`${scene.root}/checkout/.cargo/config.toml`, LIST),
    "a file that a project includes": async (scene) => {
      const folder = `${scene.root}/checkout/.cargo`;
      await Deno.writeTextFile(`${folder}/shared.toml`, LIST);
      await Deno.writeTextFile(
        `${folder}/config.toml`,
        'include = ["shared.toml"]\n',
      );
    },
    "a variable": (scene) => {
      scene.env[VARIABLE] = "cargo:token";
      return Promise.resolve();
    },
  };
  const { version } = await toolchain();
  const [, minor] = version.split(".").map(Number);
  for (const [name, prepare] of Object.entries(WAYS)) {
    // Cargo 1.94 was the first that includes.
    if (name.includes("includes") && (minor ?? 0) < 94) continue;
    await t.step(name, async () => {
      await using scene = await Scene.create();
      await Deno.mkdir(`${scene.root}/checkout/.cargo`);
      await prepare(scene);
      const { code, stdout, stderr } = await scene.run("setup", "--yes");
      assertEquals(code, 0, stderr);
      // cargo:token ends a logout that it has done itself.
      await Deno.writeTextFile(
        `${scene.home}/credentials.toml`,
        `[registry]\ntoken = "${TOKEN}"\n`,
        { mode: 0o600 },
      );
      const request = await scene.asked("logout", "--registry", "crates-io");
      assertEquals(request !== "", name === "nobody");
      const left = await Deno.readTextFile(`${scene.home}/credentials.toml`);
      assertEquals(left.includes(TOKEN), name === "nobody");
      assertEquals(
        stdout.includes("cargo asks cargo:token before this program here"),
        name !== "nobody",
        stdout,
      );
      assertEquals(
        stdout.includes("Cargo asks this program for crates-io"),
        name === "nobody",
        stdout,
      );
    });
  }
});

Deno.test("setup installs the program for a person who says yes, and cargo logs in with it", async () => {
  await using bus = await startSessionBus();
  await using scene = await Scene.create(bus.env);
  await Deno.writeTextFile(
    `${scene.home}/credentials.toml`,
    '[registry]\ntoken = "planted-token-5a"\n',
    { mode: 0o600 },
  );
  const { code, output } = await runInPty([scene.program, "setup"], {
    cwd: `${scene.root}/checkout`,
    env: { ...scene.env, TERM: "xterm" },
    steps: [
      { expect: "Go on? [y/N]", send: "y\r" },
      { expect: "into the store? [y/N]", send: "y\r" },
    ],
  });
  assertEquals(code, 0, output);
  assert(!output.includes("planted-token-5a"), output);
  assertStringIncludes(output, "Cargo asks this program for crates-io.");
  const installed = `${scene.home}/bin/${NAME}`;
  assertStringIncludes(await Deno.readTextFile(scene.config), `"${installed}"`);
  assertEquals((await Deno.stat(installed)).mode ?? 0 & 0o777, 0o100755);
  const left = await Deno.readTextFile(`${scene.home}/credentials.toml`);
  assert(!left.includes("planted-token-5a"));

  const { stdout } = await run(
    [installed, "token", "--registry", "crates-io"],
    {
      cwd: `${scene.root}/checkout`,
      env: scene.env,
    },
  );
  assertEquals(stdout, "planted-token-5a\n");
});

Deno.test("setup --json opens no dialog, shows no token and leaves again", async () => {
  const TOKEN = "planted-token-7c";
  await using bus = await startSessionBus();
  await using scene = await Scene.create(bus.env);
  await Deno.writeTextFile(scene.config, "# mine\n[net]\nretry = 3\n");
  const credentials = `${scene.home}/credentials.toml`;
  await Deno.writeTextFile(credentials, `[registry]\ntoken = "${TOKEN}"\n`, {
    mode: 0o600,
  });
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await scene.run(
      "setup",
      "--json",
      ...args,
    );
    assert(!(stdout + stderr).includes("planted"), stdout + stderr);
    assertEquals(stderr, "");
    const { program, config, results, left_in_store } = JSON.parse(stdout);
    return [
      code,
      program.outcome,
      config.outcome,
      (results ?? left_in_store).map((
        { reason, found_by }: Record<string, unknown>,
      ) => reason ?? found_by),
    ];
  };
  // A launcher is there already, and is not installed.
  const isCompiled = Deno.env.has(PROGRAM_VARIABLE);
  const outcome = (copy: string): string => isCompiled ? copy : "in-place";
  const first = await json();
  assertEquals(first, [1, outcome("needs-yes"), "needs-yes", ["needs-yes"]]);
  assertEquals(
    await Deno.readTextFile(scene.config),
    "# mine\n[net]\nretry = 3\n",
  );
  const done = await json("--yes");
  assertEquals(done, [0, outcome("copied"), "edited", ["moved"]]);
  assert(!(await Deno.readTextFile(credentials)).includes(TOKEN));
  assertEquals(await json("--yes"), [0, "in-place", "unchanged", []]);
  const undone = await json("--undo", "--yes");
  assertEquals(undone, [0, "left", "edited", [null]]);
  const rest = await json("--undo", "--dry-run");
  assertEquals(rest, [0, "left", "unchanged", [null]]);
  assertEquals(
    await Deno.readTextFile(scene.config),
    "# mine\n[net]\nretry = 3\n",
  );
});

Deno.test({
  name: "setup --undo removes its own copy of the program, and no other",
  // A launcher is never copied.
  ignore: !Deno.env.has(PROGRAM_VARIABLE),
  fn: async (t) => {
    const undo = async (scene: Scene, program: string) => {
      scene.program = program;
      const { code, stdout, stderr } = await scene.run(
        "setup",
        "--undo",
        "--yes",
      );
      assertEquals(code, 0, stderr);
      const left = [...Deno.readDirSync(`${scene.home}/bin`)];
      return { stdout, left: left.map(({ name }) => name) };
    };
    const installed = (scene: Scene): string => `${scene.home}/bin/${NAME}`;
    await using bus = await startSessionBus();
    const setUp = async (scene: Scene): Promise<void> => {
      const { code, stderr } = await scene.run("setup", "--yes");
      assertEquals(code, 0, stderr);
    };

    await t.step("run from the copy", async () => {
      await using scene = await Scene.create(bus.env);
      await setUp(scene);
      const { stdout, left } = await undo(scene, installed(scene));
      assertStringIncludes(stdout, `Removed ${installed(scene)}.`);
      assertEquals(left, []);
      const names = [...Deno.readDirSync(scene.home)].map(({ name }) => name);
      assert(!names.some((name) => name.includes("copy")), names.join());
    });

    await t.step("run from elsewhere, after an undoing by hand", async () => {
      await using scene = await Scene.create(bus.env);
      await setUp(scene);
      await Deno.remove(scene.config);
      const dry = await scene.run("setup", "--undo", "--dry-run");
      assertStringIncludes(dry.stdout, "is removed, unless");
      assertEquals((await undo(scene, scene.program)).left, []);
    });

    await t.step("it was there before", async () => {
      await using scene = await Scene.create(bus.env);
      await Deno.copyFile(scene.program, installed(scene));
      await setUp(scene);
      const { stdout, left } = await undo(scene, installed(scene));
      assertStringIncludes(stdout, "setup has not put it there");
      assertEquals(left, [NAME]);
    });

    await t.step("the store cannot be looked into", async () => {
      await using scene = await Scene.create();
      await setUp(scene);
      const { stdout, left } = await undo(scene, installed(scene));
      assertStringIncludes(stdout, "it puts stored tokens back");
      assertEquals(left, [NAME]);
    });

    await t.step("somebody else names it as well", async () => {
      await using scene = await Scene.create(bus.env);
      const text =
        `[registries.corp]\nindex = "sparse+https://corp.example/"\n` +
        `credential-provider = "${NAME}"\n`;
      await Deno.writeTextFile(scene.config, text);
      await setUp(scene);
      const { left } = await undo(scene, installed(scene));
      assertEquals(await Deno.readTextFile(scene.config), text);
      assertEquals(left, [NAME]);
    });

    await t.step("its tokens need it, until they are back", async () => {
      await using scene = await Scene.create(bus.env);
      const credentials = `${scene.home}/credentials.toml`;
      await Deno.writeTextFile(credentials, '[registry]\ntoken = "planted"\n', {
        mode: 0o600,
      });
      await setUp(scene);
      const { stdout, left } = await undo(scene, installed(scene));
      assertStringIncludes(stdout, "it puts stored tokens back");
      assertEquals(left, [NAME]);
      const restored = await scene.run("restore");
      assertEquals(restored.code, 0, restored.stderr);
      assertEquals((await undo(scene, installed(scene))).left, []);
      assertStringIncludes(await Deno.readTextFile(credentials), "planted");
    });
  },
});

linux.test({
  name: "setup in WSL makes the Windows program cargo's provider",
  fn: async () => {
    const TOKEN = "planted-token-b2";
    await using home = await TestHome.create({ providers: ["cargo:token"] });
    const { root, cargoHome, provider } = home;
    const folder = "/mnt/c/Users/Jane Doe/.cargo/bin";
    const windows = `${folder}/${NAME}.exe`;
    await Deno.mkdir(root + folder, { recursive: true });
    // Windows runs the real one; this one says what cargo asks of it.
    await Deno.writeTextFile(
      root + windows,
      `#!/bin/sh\necho '{"v":[1]}'\nread -r request\n` +
        `echo "$0 $request" >>'${root}/asked'\n` +
        `echo '{"Ok":{"kind":"login"}}'\n`,
      { mode: 0o755 },
    );
    const [tool = "", ...namespace] = UNSHARE;
    const unshare = await findProgram(tool) ?? tool;
    // What is at /mnt here is left alone.
    const inWsl = (
      ...command: readonly string[]
    ): [string, ...string[]] => [
      unshare,
      ...namespace,
      "sh",
      "-c",
      `mount --bind '${root}/mnt' /mnt && exec "$@"`,
      "sh",
      ...command,
    ];
    const options = {
      cwd: home.work,
      env: { ...home.env, TERM: "xterm", WSL_DISTRO_NAME: "Debian" },
    };
    const credentials = `[registries.alt]\ntoken = "${TOKEN}"\n`;
    await home.writeCredentials(credentials);
    const before = await Deno.readTextFile(`${cargoHome}/config.toml`);
    const setup = async (...args: string[]): Promise<RunResult> => {
      const done = await run(inWsl(provider, "setup", ...args), options);
      assertEquals(done.code, 0, done.stderr);
      return done;
    };
    /** Nothing of this side is touched, and nothing is put there. */
    const assertUntouched = async (): Promise<void> => {
      assertEquals(await home.credentials(), credentials);
      const names = [...Deno.readDirSync(cargoHome)].map(({ name }) => name);
      assertEquals(names.sort(), ["config.toml", "credentials.toml"]);
    };

    const { code, output } = await runInPty(inWsl(provider, "setup"), {
      ...options,
      steps: [
        { expect: "Use the Windows program", send: "y\r" },
        { expect: "Go on? [y/N]", send: "y\r" },
      ],
    });
    assertEquals(code, 0, output);
    assertStringIncludes(output, `Cargo asks ${windows}.`);
    assert(!output.includes(TOKEN), output);
    await assertUntouched();
    const after = await Deno.readTextFile(`${cargoHome}/config.toml`);

    const login = await run(
      inWsl(...home.command(["login", "--registry", "alt"])),
      { ...options, stdin: "planted-token-new" },
    );
    assertEquals(login.code, 0, login.stderr);
    const asked = await Deno.readTextFile(`${root}/asked`);
    assertStringIncludes(asked, `${windows} {`);
    assertStringIncludes(asked, '"kind":"login"');
    assertEquals(await home.credentials(), credentials);

    // A script leaves it at that, and so does whoever runs it again.
    assertStringIncludes((await setup("--yes")).stdout, "already");
    const { program, config, results } = JSON.parse(
      (await setup("--json")).stdout,
    );
    assertEquals(
      [program.outcome, program.path, config.outcome, results],
      ["foreign", windows, "unchanged", []],
    );
    const doctor = await run(inWsl(provider, "doctor", "--json"), options);
    assertStringIncludes(doctor.stdout, '"windows-program"');
    assert(!doctor.stdout.includes('"not-listed"'), doctor.stdout);
    const status = await run(inWsl(provider, "status", "--json"), options);
    for (const { next, asks_us } of JSON.parse(status.stdout).registries) {
      assertEquals([next, asks_us], [null, false]);
    }
    assertEquals(await Deno.readTextFile(`${cargoHome}/config.toml`), after);
    await setup("--undo", "--yes");
    assertEquals(await Deno.readTextFile(`${cargoHome}/config.toml`), before);
  },
});

Deno.test("setup changes nothing where a person says no, and asks nobody in a script", async () => {
  await using scene = await Scene.create();
  await Deno.writeTextFile(scene.config, "[net]\nretry = 3\n");
  const { code } = await runInPty([scene.program, "setup"], {
    cwd: `${scene.root}/checkout`,
    env: { ...scene.env, TERM: "xterm" },
    steps: [{ expect: "Go on? [y/N]", send: "n\r" }],
  });
  assertEquals(code, 1);
  const script = await scene.run("setup");
  assertEquals(script.code, 1);
  assertStringIncludes(script.stderr, "--yes");
  assertEquals(await Deno.readTextFile(scene.config), "[net]\nretry = 3\n");
});

Deno.test({
  name:
    "setup --here leaves the program where only its user can write, and nowhere else",
  // A launcher is no program that could stay where it is.
  ignore: !Deno.env.has(PROGRAM_VARIABLE),
  fn: async () => {
    await using scene = await Scene.create();
    const folder = `${scene.root}/programs`;
    await Deno.mkdir(folder);
    const program = `${folder}/${NAME}`;
    await Deno.copyFile(scene.program, program);
    scene.program = program;
    await Deno.chmod(folder, 0o777);
    const refused = await scene.run("setup", "--here", "--yes");
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "other users can write");
    await Deno.chmod(folder, 0o755);
    const done = await scene.run("setup", "--here", "--yes");
    assertEquals(done.code, 0, done.stderr);
    assertStringIncludes(
      await Deno.readTextFile(scene.config),
      `"${await Deno.realPath(program)}"`,
    );
  },
});
