// `setup` without a process: a home in a temporary folder, a store in memory.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "node:path";
import { CRATES_IO_INDEX } from "../../../src/cargo/registries.ts";
import { run, type SetupArguments } from "../../../src/cli/commands/setup.ts";
import {
  copyProgram,
  findOwnProgram,
  findWindowsProgram,
} from "../../../src/cli/setup/own_program.ts";
import { SessionError } from "../../../src/cli/session.ts";
import { gatherFacts } from "../../../src/doctor/facts.ts";
import { findings } from "../../../src/doctor/findings.ts";
import type { StoreFailure } from "../../../src/stores/credential_store.ts";
import {
  FakeScene,
  type FakeSceneOptions,
} from "../../support/fake_session.ts";
import { FakeStore } from "../../support/fake_store.ts";
import { onlyOn } from "../../support/platform.ts";

const links = onlyOn("unix", "making links takes privileges on Windows");
const modes = onlyOn("unix", "modes are Unix's");
const linux = onlyOn("linux", "WSL is Linux");

const CORP = "sparse+https://corp.example/index/";
const CONFIG = `[registries.corp]\nindex = "${CORP}"\n`;
const ASKED: SetupArguments = {
  dryRun: false,
  here: false,
  prefer: undefined,
  yes: true,
  undo: false,
  json: false,
};

/** A home with a launcher in it, and cargo's own list. */
async function scene(options: FakeSceneOptions = {}): Promise<FakeScene> {
  const scene = await FakeScene.create({
    providers: ["cargo:token"],
    config: CONFIG,
    ...options,
  });
  await Deno.mkdir(dirname(scene.program));
  await Deno.writeTextFile(scene.program, "#!/bin/sh\n", { mode: 0o755 });
  return scene;
}

function config(scene: FakeScene): Promise<string> {
  return Deno.readTextFile(`${scene.home}/config.toml`);
}

interface JsonReport {
  readonly action: string;
  readonly program: Record<string, unknown>;
  readonly config: Record<string, unknown>;
  readonly store: Record<string, unknown>;
  readonly registries: readonly Record<string, unknown>[];
  readonly findings: readonly { readonly code: string }[];
  readonly results: readonly Record<string, unknown>[];
  /** With `--undo`, in place of the two above. */
  readonly left_in_store?: readonly Record<string, unknown>[] | null;
}

/** Runs `setup --json`, which asks nobody and shows no token. */
async function setupJson(
  scene: FakeScene,
  args: Partial<SetupArguments> = {},
): Promise<{ readonly status: number | string; readonly said: JsonReport }> {
  const status = await setup(scene, { json: true, yes: false, ...args });
  assertEquals([scene.out.length, scene.err], [1, []]);
  assertEquals([scene.openedTerminal, scene.questions], [false, []]);
  const [line = ""] = scene.out;
  assert(!line.includes("planted"), line);
  return { status, said: JSON.parse(line) };
}

/** Runs `setup`; the message of what it refuses is its result. */
async function setup(
  scene: FakeScene,
  args: Partial<SetupArguments> = {},
): Promise<number | string> {
  try {
    return await run({ ...ASKED, ...args }, scene.session());
  } catch (error) {
    if (error instanceof SessionError) return error.message;
    throw error;
  }
}

Deno.test("setup lists the program, moves the tokens and says what cargo asks", async () => {
  const store = new FakeStore();
  await using place = await scene({
    store,
    credentials: '[registries.corp]\ntoken = "planted"\n',
  });
  const before = await config(place);
  assertEquals(await setup(place), 0);
  assertStringIncludes(await config(place), JSON.stringify(place.program));
  assertEquals(store.items.get(CORP), "planted");
  assertStringIncludes(
    place.out.join("\n"),
    "Cargo asks this program for crates-io, corp.",
  );
  assert(![...place.out, ...place.err].join("\n").includes("planted"));

  assertEquals(await setup(place), 0);
  assertStringIncludes(place.out.join("\n"), "already");

  // The store alone has the token now, and cargo's own provider could read it.
  assertEquals(await setup(place, { undo: true }), 0);
  assertEquals(await config(place), before);
  assertStringIncludes(place.out.join("\n"), "corp");
  assertStringIncludes(place.out.join("\n"), "restore");
});

Deno.test("setup shows what it would do, and does nothing", async () => {
  await using place = await scene();
  const before = await config(place);
  assertEquals(await setup(place, { dryRun: true, yes: false }), 0);
  assertEquals(await config(place), before);
  assertStringIncludes(place.out.join("\n"), `+ global-credential-providers`);
  assertStringIncludes(place.out.join("\n"), `- global-credential-providers`);
});

Deno.test("setup changes nothing that nobody has confirmed", async (t) => {
  await t.step("nobody is there", async () => {
    await using place = await scene();
    const before = await config(place);
    assertStringIncludes(String(await setup(place, { yes: false })), "--yes");
    assertEquals(await config(place), before);
  });
  await t.step("a person says no", async () => {
    await using place = await scene({ answers: ["n"] });
    const before = await config(place);
    assertEquals(await setup(place, { yes: false }), "nothing was changed");
    assertEquals(await config(place), before);
  });
});

Deno.test("setup asks a person which of two tokens lives", async (t) => {
  const CREDENTIALS = '[registries.corp]\ntoken = "tok-file"\n';
  for (
    const [answers, stored, file] of [
      [["y", "y", "y"], "tok-file", false],
      [["y", "y", "n", "y"], "tok-store", false],
      [["y", "y", "n", "n"], "tok-store", true],
    ] as const
  ) {
    await t.step(answers.join(), async () => {
      const store = new FakeStore({ [CORP]: "tok-store" });
      await using place = await scene({
        store,
        answers,
        credentials: CREDENTIALS,
      });
      const status = await setup(place, { yes: false });
      assertEquals(store.items.get(CORP), stored);
      const left = (await place.credentials()).includes("tok-file");
      assertEquals([left, status], [file, file ? 1 : 0]);
    });
  }
});

Deno.test("setup takes --prefer in scripts", async () => {
  const store = new FakeStore({ [CORP]: "tok-store" });
  await using place = await scene({
    store,
    credentials: '[registries.corp]\ntoken = "tok-file"\n',
  });
  assertEquals(await setup(place, { prefer: "file" }), 0);
  assertEquals(store.items.get(CORP), "tok-file");
});

Deno.test("setup names the registries that do not reach the program", async () => {
  await using place = await scene({
    config: `${CONFIG}credential-provider = "cargo:token"\n`,
  });
  assertEquals(await setup(place), 0);
  const said = place.out.join("\n");
  assertStringIncludes(said, "names cargo:token as the only provider of corp");
  assertStringIncludes(said, "Cargo asks this program for crates-io.");
});

Deno.test("setup names what is asked before it, in the words of doctor", async (t) => {
  const VARIABLE = "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS";
  const TOKEN_LIST =
    '[registry]\nglobal-credential-providers = ["cargo:token"]\n';
  const WAYS: Readonly<
    Record<string, {
      readonly options?: FakeSceneOptions;
      readonly project?: string;
      readonly where: string;
    }>
  > = {
    "a project": {
      project: TOKEN_LIST,
      where: join("checkout", ".cargo", "config.toml"),
    },
    "a file that a project includes": {
      project: 'include = ["shared.toml"]\n',
      where: join("checkout", ".cargo", "shared.toml"),
    },
    "a variable": {
      options: { env: { [VARIABLE]: "cargo:token" } },
      where: VARIABLE,
    },
  };
  for (const [name, { options, project, where }] of Object.entries(WAYS)) {
    await t.step(name, async () => {
      await using place = await scene(options);
      if (project !== undefined) await place.writeProject(project);
      await Deno.writeTextFile(`${place.cwd}/.cargo/shared.toml`, TOKEN_LIST);
      assertEquals(await setup(place), 0);
      const said = place.out.join("\n");
      assert(!said.includes("Cargo asks this program for"), said);
      const [named] = findings(await gatherFacts(place.session()));
      assertEquals(named?.code, "asked-first");
      assertStringIncludes(said, named?.what ?? "");
      assertStringIncludes(said, where);
      assertStringIncludes(said, named?.fix ?? "");
    });
  }
});

Deno.test("setup shows no token that stands in a line it changes", async () => {
  await using place = await scene();
  await Deno.writeTextFile(
    `${place.home}/config.toml`,
    'registry = { token = "planted", default = "corp" }\n',
  );
  assertEquals(await setup(place, { dryRun: true }), 0);
  const shown = place.out.join("\n");
  assertStringIncludes(shown, "[redacted]");
  assert(!shown.includes("planted"));
});

Deno.test("setup touches no file that it cannot read", async () => {
  await using place = await scene();
  await Deno.writeTextFile(`${place.home}/config.toml`, "[registry\n");
  assertStringIncludes(String(await setup(place)), "not valid TOML");
  assertEquals(await config(place), "[registry\n");
});

Deno.test("setup does nothing by halves where a setting is wrong", async () => {
  await using place = await scene({
    env: { CARGO_CREDENTIAL_KEYRING_STORE: "planted" },
  });
  const before = await config(place);
  assertStringIncludes(String(await setup(place)), "STORE");
  assertEquals(await config(place), before);
});

links.test("setup keeps a link and the mode of what it leads to", async () => {
  await using place = await scene();
  const real = `${place.root}/dotfiles.toml`;
  await Deno.rename(`${place.home}/config.toml`, real);
  await Deno.chmod(real, 0o640);
  await Deno.symlink(real, `${place.home}/config.toml`);
  assertEquals(await setup(place), 0);
  assertStringIncludes(await Deno.readTextFile(real), place.program);
  assertEquals((await Deno.stat(real)).mode ?? 0 & 0o777, 0o100640);
  assert((await Deno.lstat(`${place.home}/config.toml`)).isSymlink);
});

Deno.test("setup names the toolchains that ask nobody", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (const name of ["1.70.0-x86_64-unknown-linux-gnu", "stable-x86_64"]) {
      await Deno.mkdir(`${root}/toolchains/${name}`, { recursive: true });
    }
    await using place = await scene({ env: { RUSTUP_HOME: root } });
    assertEquals(await setup(place), 0);
    const said = place.out.join("\n");
    assertStringIncludes(said, "the cargo of 1.70.0-x86_64");
    assert(!said.includes("stable"), said);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

linux.test("findWindowsProgram() looks on the Windows side of WSL, and only there", async () => {
  const users = await Deno.makeTempDir();
  try {
    const path = `${users}/Jane/.cargo/bin/cargo-credential-keyring.exe`;
    await Deno.mkdir(`${users}/Public`);
    await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
    const wsl = { WSL_DISTRO_NAME: "Debian" };
    assertEquals(findWindowsProgram(wsl, users), undefined);
    await Deno.writeTextFile(path, "");
    assertEquals(findWindowsProgram(wsl, users), path);
    assertEquals(findWindowsProgram({}, users), undefined);
    assertEquals(findWindowsProgram(wsl, `${users}/none`), undefined);
  } finally {
    await Deno.remove(users, { recursive: true });
  }
});

modes.test("findOwnProgram() copies the compiled program, and leaves it with --here where only its user can write", async () => {
  const root = await Deno.makeTempDir();
  try {
    const executable = `${root}/program`;
    const cargoHome = `${root}/.cargo`;
    await Deno.writeTextFile(executable, "one");
    const installed = `${cargoHome}/bin/cargo-credential-keyring`;
    const find = (here: boolean) =>
      findOwnProgram({ cargoHome, here, executable, isCompiled: true });
    assertEquals(find(false), {
      kind: "program",
      path: installed,
      copyFrom: executable,
    });
    await copyProgram(executable, installed);
    assertEquals((await Deno.stat(installed)).mode ?? 0 & 0o777, 0o100755);
    const there = { kind: "program", path: installed, copyFrom: undefined };
    assertEquals(find(false), { ...there, kind: "program" });
    assertEquals(find(true), {
      kind: "program",
      path: await Deno.realPath(executable),
      copyFrom: undefined,
    });
    await Deno.chmod(root, 0o777);
    assertEquals(find(true).kind, "refused");
    assertEquals(
      findOwnProgram({ cargoHome: root, here: false, isCompiled: false }).kind,
      "refused",
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

links.test("copyProgram() makes a program that runs, and leaves what a link led to", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${root}/new`, "new");
    await Deno.writeTextFile(`${root}/packaged`, "packaged", { mode: 0o644 });
    await Deno.symlink(`${root}/packaged`, `${root}/program`);
    await copyProgram(`${root}/new`, `${root}/program`);
    assertEquals(await Deno.readTextFile(`${root}/packaged`), "packaged");
    const { isFile, mode } = await Deno.lstat(`${root}/program`);
    assertEquals([isFile, (mode ?? 0) & 0o777], [true, 0o755]);
    await Deno.chmod(`${root}/program`, 0o644);
    await copyProgram(`${root}/new`, `${root}/program`);
    assertEquals(
      (await Deno.stat(`${root}/program`)).mode ?? 0 & 0o777,
      0o100755,
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "the fake store is locked",
  remedy: "Unlock it.",
  storeExists: true,
};

/** A token that can be moved, and a registry whose tokens differ. */
async function jsonScene(store: FakeStore): Promise<FakeScene> {
  return await scene({
    store,
    answers: [],
    config: `${CONFIG}[registries.twice]\nindex = "${TWICE}"\n`,
    credentials: '[registries.corp]\ntoken = "planted-corp"\n' +
      '[registries.twice]\ntoken = "planted-file"\n',
  });
}

const TWICE = "sparse+https://twice.example/index/";

Deno.test("setup --json has exactly the keys that are documented", async () => {
  const store = new FakeStore({ [TWICE]: "planted-store" });
  await using place = await jsonScene(store);
  const path = join(place.home, "config.toml");
  const list = (...entries: string[]): string =>
    `global-credential-providers = ${
      JSON.stringify(entries).replaceAll(",", ", ")
    }`;
  const REGISTRY = {
    providers: [place.program, "cargo:token"],
    asks_us: true,
    finding: null,
  };
  const CONFLICT = {
    registry: "twice",
    index_url: TWICE,
    outcome: "conflict",
    reason: "different-tokens",
    message: `the fake store and ${place.path} hold different tokens; ` +
      "`cargo-credential-keyring migrate --registry twice --prefer file` or " +
      "`--prefer store` says which one to keep",
  };
  const report = (config: string, outcome: string, reason: string) => ({
    action: "setup",
    program: { path: place.program, outcome: "in-place" },
    config: {
      path,
      outcome: config,
      removed: [list("cargo:token")],
      added: [list("cargo:token", place.program)],
    },
    store: { name: "secret-service", state: "available", reason: null },
    registries: [
      { name: "crates-io", index_url: CRATES_IO_INDEX, ...REGISTRY },
      { name: "corp", index_url: CORP, ...REGISTRY },
      { name: "twice", index_url: TWICE, ...REGISTRY },
    ],
    findings: [],
    results: [{
      registry: "corp",
      index_url: CORP,
      outcome,
      reason,
      message: reason === "needs-yes"
        ? "to the fake store; `--yes` confirms it"
        : "to the fake store",
    }, CONFLICT],
  });
  const before = await config(place);

  assertEquals(await setupJson(place, { dryRun: true }), {
    status: 1,
    said: report("would-edit", "would-migrate", "moved"),
  });
  assertEquals(await setupJson(place), {
    status: 1,
    said: report("needs-yes", "skipped", "needs-yes"),
  });
  assertEquals(await config(place), before);
  assertEquals(store.items.get(CORP), undefined);

  assertEquals(await setupJson(place, { yes: true }), {
    status: 1,
    said: report("edited", "migrated", "moved"),
  });
  assertEquals(store.items.get(CORP), "planted-corp");
  const documentation = await Deno.readTextFile(
    new URL("../../../docs/json.md", import.meta.url),
  );
  const { said } = await setupJson(place, { dryRun: true });
  const keys = [said, said.program, said.config, said.registries[0] ?? {}]
    .flatMap((each) => Object.keys(each));
  for (const key of keys) assertStringIncludes(documentation, `\`${key}\``);
});

Deno.test("setup --json settles with --prefer and --yes, and not without", async () => {
  const store = new FakeStore({ [TWICE]: "planted-store" });
  await using place = await jsonScene(store);
  const asked = await setupJson(place, { prefer: "file" });
  assertEquals(
    asked.said.results.map(({ reason }) => reason),
    ["needs-yes", "needs-yes"],
  );
  assertEquals(store.items.get(TWICE), "planted-store");
  const done = await setupJson(place, { prefer: "file", yes: true });
  assertEquals(done.status, 0);
  assertEquals(store.items.get(TWICE), "planted-file");
});

Deno.test("setup succeeds where no store is there yet, however it reports", async () => {
  const store = new FakeStore({}, { failure: LOCKED });
  await using place = await scene({
    store,
    answers: [],
    credentials: '[registries.corp]\ntoken = "planted-corp"\n',
  });
  assertEquals(await setup(place, { dryRun: true }), 0);
  assertEquals((await setupJson(place, { dryRun: true })).status, 0);
  assertEquals(await setup(place), 0);
  assertStringIncludes(place.out.join("\n"), "the fake store is locked");
  const { status, said } = await setupJson(place, { yes: true });
  assertEquals(status, 0);
  assertEquals(said.findings.map(({ code }) => code), ["store-locked"]);
  assertEquals(said.results.map(({ outcome }) => outcome), ["failed"]);
});

Deno.test("setup --json says why cargo does not ask, as doctor does", async () => {
  await using place = await scene({
    config: `${CONFIG}credential-provider = "cargo:token"\n`,
  });
  await place.writeProject(
    '[registry]\nglobal-credential-providers = ["cargo:token"]\n',
  );
  const { status, said } = await setupJson(place, { yes: true });
  assertEquals(status, 0);
  assertEquals(
    said.registries.map((
      { name, asks_us, finding },
    ) => [name, asks_us, finding]),
    [["crates-io", true, "asked-first"], ["corp", false, "own-provider"]],
  );
  assertEquals(
    said.findings.map(({ code }) => code),
    ["asked-first", "own-provider"],
  );
});

Deno.test("setup --json --undo says what goes and what remains", async () => {
  const store = new FakeStore({ [CORP]: "planted" });
  await using place = await scene({ store, answers: [] });
  const before = await config(place);
  assertEquals((await setupJson(place, { yes: true })).status, 0);
  const LEFT = [{ registry: "corp", index_url: CORP, found_by: null }];
  const undone = async (args: Partial<SetupArguments>) => {
    const { status, said } = await setupJson(place, { undo: true, ...args });
    assertEquals(said.action, "undo");
    assertEquals(said.program, {
      path: place.program,
      outcome: "left",
      reason: "not-from-setup",
    });
    assertEquals(said.left_in_store, LEFT);
    assertEquals(
      said.registries.map(({ name, asks_us }) => [name, asks_us]),
      [["crates-io", false], ["corp", false]],
    );
    return [status, said.config["outcome"]];
  };
  assertEquals(await undone({ dryRun: true }), [0, "would-edit"]);
  assertEquals(await undone({}), [1, "needs-yes"]);
  assertEquals(await undone({ yes: true }), [0, "edited"]);
  assertEquals(await config(place), before);
  assertEquals(await undone({ yes: true }), [0, "unchanged"]);

  store.list = () => Promise.resolve(LOCKED);
  const { said } = await setupJson(place, { undo: true, yes: true });
  assertEquals(said.left_in_store, null);
  assertEquals(said.store["state"], "locked");
});

Deno.test("setup --undo says so where it could not look for tokens", async () => {
  const store = new FakeStore({ [CORP]: "planted" });
  await using place = await scene({ store });
  assertEquals(await setup(place), 0);
  store.list = () => Promise.resolve(LOCKED);
  // What was asked for is done.
  assertEquals(await setup(place, { undo: true }), 0);
  assertStringIncludes(place.err.join("\n"), "the fake store is locked");
});

Deno.test("setup --undo says where cargo still asks the program", async () => {
  const store = new FakeStore({ [CORP]: "planted" });
  await using place = await scene({
    store,
    config: `${CONFIG}credential-provider = "cargo-credential-keyring"\n`,
  });
  const before = await config(place);
  assertEquals(await setup(place), 0);
  assertEquals(await setup(place, { undo: true }), 0);
  assertEquals(await config(place), before);
  const said = place.out.join("\n");
  assertStringIncludes(said, "Cargo still asks this program for corp:");
  // Its token is found as before.
  assert(!said.includes("The store still holds"), said);
});
