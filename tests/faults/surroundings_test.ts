// Where a token is not moved, because it would be lost or does not belong
// here: it stays, the next provider is asked, and that is said once.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";
import { ALT, kindOf, Scene, type SceneRun, tokenOf } from "./_scene.ts";

const TOKEN = "the-token-6f1d";
const FILE = `# mine\n[registries.alt]\ntoken = "${TOKEN}"\n`;

/** The file stays as it is, `cargo:token` is asked, and it is said once. */
async function assertStays(
  scene: Scene,
  reason: RegExp,
  run: SceneRun = {},
): Promise<void> {
  const first = await scene.ask("get", ALT, run);
  assertEquals(kindOf(first), "not-found", first.stderr);
  assertMatch(first.stderr, reason);
  assert(!first.stderr.includes(TOKEN));
  const second = await scene.ask("get", ALT, run);
  assertEquals(kindOf(second), "not-found");
  assertEquals(second.stderr, "");
  assertEquals(await scene.home.credentials(), FILE);
  assertEquals(await scene.stored(ALT), []);
}

async function assertMoves(scene: Scene, run: SceneRun = {}): Promise<void> {
  const result = await scene.ask("get", ALT, run);
  assertEquals(tokenOf(result), TOKEN, result.stderr);
  assertEquals(await scene.stored(ALT), [TOKEN]);
  const text = await scene.home.credentials() ?? "";
  assert(!text.includes(TOKEN), text);
}

function onLinux(name: string, test: () => Promise<void>): void {
  if (Deno.build.os === "linux") Deno.test(name, test);
}

onLinux("a token is not moved into a collection in memory", async () => {
  await using scene = await Scene.create({ keyring: "in-memory" });
  await scene.reset(FILE);
  await assertStays(scene, /gone when the session ends/);
  // No command changes that either.
  const { code, stdout } = await scene.command(["migrate"]);
  assertEquals(code, 1);
  assertMatch(stdout, /gone when the session ends/);
  assertEquals(await scene.home.credentials(), FILE);
});

onLinux(
  "a token is not moved where there is no default collection",
  async () => {
    await using scene = await Scene.create({ keyring: "empty" });
    await scene.reset(FILE);
    const { answers, stderr } = await scene.ask("get", ALT);
    assertEquals(answers, [{ Err: { kind: "url-not-supported" } }]);
    assertMatch(stderr, /no default collection/);
    assertEquals(await scene.home.credentials(), FILE);
  },
);

onLinux("a token of another machine is not moved in a container", async () => {
  await using scene = await Scene.create();
  // Cargo's home is mounted; the keyrings are not, or lie elsewhere.
  const elsewhere = await Deno.makeTempDir({ dir: "/dev/shm" });
  try {
    await Deno.mkdir(`${elsewhere}/keyrings`);
    for (const data of ["/nonexistent", elsewhere]) {
      await scene.reset(FILE);
      await assertStays(scene, /container/, {
        env: { container: "podman", XDG_DATA_HOME: data },
      });
    }
    const { code, stderr } = await scene.command(["migrate"], {
      env: { container: "podman", XDG_DATA_HOME: "/nonexistent" },
    });
    assertEquals(code, 0, stderr);
    await assertMoves(scene);
  } finally {
    await Deno.remove(elsewhere, { recursive: true });
  }
});

onLinux("a container with a home of its own is like any machine", async () => {
  await using scene = await Scene.create();
  await scene.reset(FILE);
  await Deno.mkdir(`${scene.home.home}/share/keyrings`, { recursive: true });
  await assertMoves(scene, {
    env: { container: "podman", XDG_DATA_HOME: `${scene.home.home}/share` },
  });
});

/** As a person does it. */
async function git(cwd: string, ...args: readonly string[]): Promise<void> {
  const program = await findProgram("git") ??
    missing("git", "apt-get install git");
  const { code, stderr } = await run([program, ...args], {
    cwd,
    env: { HOME: cwd },
  });
  assertEquals(code, 0, stderr);
}

onLinux(
  "a token that git tracks is not moved, one that it ignores is",
  async () => {
    await using scene = await Scene.create();
    const tree = scene.home.home;
    await scene.reset(FILE);
    await git(tree, "init", "-q");
    await git(tree, "add", ".cargo/credentials.toml");
    await assertStays(scene, /git tracks/);
    await git(tree, "rm", "-q", "--cached", ".cargo/credentials.toml");
    await Deno.writeTextFile(`${tree}/.gitignore`, "/.cargo\n");
    await git(tree, "add", ".gitignore");
    await assertMoves(scene);
  },
);

onLinux(
  "a token that git tracks behind a link is not moved",
  async () => {
    await using scene = await Scene.create();
    const tree = `${scene.home.root}/dotfiles`;
    await Deno.mkdir(tree);
    await scene.reset(undefined);
    await Deno.writeTextFile(`${tree}/credentials`, FILE, { mode: 0o600 });
    await Deno.symlink(`${tree}/credentials`, scene.credentialsPath);
    await git(tree, "init", "-q");
    await git(tree, "add", "credentials");
    await assertStays(scene, /git tracks/);
    // A work tree can be a worktree, where `.git` is a file.
    await Deno.rename(`${tree}/.git`, `${tree}-git`);
    await Deno.writeTextFile(`${tree}/.git`, `gitdir: ${tree}-git\n`);
    await assertStays(scene, /^$/);
    await Deno.remove(`${tree}/.git`);
    await assertMoves(scene);
    const { isSymlink } = await Deno.lstat(scene.credentialsPath);
    assert(isSymlink);
  },
);

onLinux("a token is not moved from a file with two names", async () => {
  await using scene = await Scene.create();
  await scene.reset(FILE);
  await Deno.link(scene.credentialsPath, `${scene.home.root}/backup`);
  await assertStays(scene, /2 names/);
});

onLinux(
  "a token is not moved from a file system of another machine",
  async () => {
    const bindfs = await findProgram("bindfs") ??
      missing("bindfs", "apt-get install bindfs");
    await using scene = await Scene.create();
    await scene.reset(FILE);
    const mount = `${scene.home.root}/mount`;
    await Deno.mkdir(mount);
    const env = { PATH: Deno.env.get("PATH") ?? "" };
    const mounted = await run([bindfs, scene.home.cargoHome, mount], { env });
    assertEquals(mounted.code, 0, mounted.stderr);
    try {
      await assertStays(scene, /FUSE/, { env: { CARGO_HOME: mount } });
    } finally {
      await run(["fusermount3", "-u", mount], { env });
    }
  },
);

onLinux("a token is not moved under sudo or with CI set", async () => {
  await using scene = await Scene.create();
  for (
    const [env, reason] of [
      [{ SUDO_UID: "54321" }, /sudo/],
      [{ SNAP: "/snap/x", SNAP_USER_DATA: scene.home.home }, /snap/],
    ] as const
  ) {
    await scene.reset(FILE);
    await assertStays(scene, reason, { env });
  }
  await scene.reset(FILE);
  // A build's log is no place for advice.
  await assertStays(scene, /^$/, { env: { CI: "true" } });
});

onLinux("a dead top-level token does not come to life", async () => {
  const dead = "the-dead-token-00";
  await using bus = await startSessionBus();
  await using home = await TestHome.create({
    registries: { alt: {} },
    cratesIo: { tokens: [TOKEN, dead] },
    providers: ["cargo:token", PROVIDER],
    bus,
  });
  await home.writeCredentials(
    `token = "${dead}"\n[registry]\ntoken = "${TOKEN}"\n`,
  );
  const list = ["owner", "--list", "--registry", "crates-io", "foo"];
  await home.cargo(list);
  assert(home.registry("crates-io").sawToken(TOKEN));
  assertEquals((await bus.items()).map(({ secret }) => secret), [TOKEN]);

  await bus.stopKeyring();
  const alone = async (): Promise<void> => {
    await home.configure(["cargo:token"]);
    const { code, stderr } = await home.cargo(list);
    assertEquals(code, 101);
    assertMatch(stderr, /no token found/);
    assert(!home.registry("crates-io").sawToken(dead));
  };
  await alone();
  // Cargo's own next write would make `[registry]` of a top-level token.
  await home.cargo(["login", "--registry", "alt"], { stdin: "alt-token" });
  assertStringIncludes(await home.credentials() ?? "", "alt-token");
  await alone();
});
