// Two programs at once, with the interleaving forced: one is stopped in the
// middle of its work, the other does all of its own, and then the first goes
// on. Whatever the order, no token is lost, and the newer one wins.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { Scene, tokenOf } from "./_scene.ts";

const OLD = "the-older-token-11";
const NEW = "the-newer-token-22";
const FILE =
  `[registries.alt]\ntoken = "${OLD}"\n\n[registries.one]\ntoken = "other"\n`;

/** Where the work is stopped: just before this call. */
const BEFORE_LOCK = { kind: "file.lock", name: "credentials.toml" };
/** Under the lock, when the store has said that it has nothing. */
const BEFORE_STORING = { kind: "bus", name: "CreateItem" };

async function fileHas(scene: Scene, token: string): Promise<boolean> {
  return (await scene.home.credentials() ?? "").includes(token);
}

/** The next `get` answers this token, which is then in the store alone. */
async function assertOnly(scene: Scene, token: string): Promise<void> {
  const result = await scene.ask("get", scene.alt);
  assertEquals(tokenOf(result), token, result.stderr);
  assertEquals(await scene.stored(scene.alt), [token]);
  const file = await scene.home.credentials() ?? "";
  assert(!file.includes(OLD) && !file.includes(NEW), file);
  assertStringIncludes(file, '"other"');
}

async function race(
  name: string,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using scene = await Scene.create({ live: true });
  await scene.reset(FILE, scene.alt);
  await test(scene).catch((cause) => {
    throw new Error(name, { cause });
  });
}

function raceTest(name: string, test: (scene: Scene) => Promise<void>): void {
  if (Deno.build.os === "linux") Deno.test(name, () => race(name, test));
}

raceTest(
  "a login to the file before a migration has the lock wins",
  async (scene) => {
    const stop = scene.shim.stopAt(BEFORE_LOCK);
    const moving = scene.ask("get", scene.alt, { rules: [stop.rule] });
    await stop.reached();
    await scene.cargoLogin(NEW, "cargo:token");
    await stop.release();
    const result = await moving;
    assertEquals(tokenOf(result), NEW, result.stderr);
    await assertOnly(scene, NEW);
  },
);

raceTest(
  "a login to the file waits for a migration that has the lock",
  async (scene) => {
    const stop = scene.shim.stopAt(BEFORE_STORING);
    const moving = scene.ask("get", scene.alt, { rules: [stop.rule] });
    await stop.reached();
    const login = scene.cargoLogin(NEW, "cargo:token");
    await delay(500);
    assert(!await fileHas(scene, NEW));
    await stop.release();
    assertEquals(tokenOf(await moving), OLD);
    await login;
    // Two tokens, and nothing says that the one in the file is no accident.
    const { stderr } = await scene.ask("get", scene.alt);
    assertMatch(stderr, /migrate --registry alt --prefer/);
    assert(await fileHas(scene, NEW));
    assertEquals(await scene.stored(scene.alt), [OLD]);
    const settled = await scene.command([
      "migrate",
      "--registry",
      "alt",
      "--prefer",
      "file",
      "--yes",
    ]);
    assertEquals(settled.code, 0, settled.stderr);
    await assertOnly(scene, NEW);
  },
);

raceTest(
  "a login to the store while a migration has the lock wins",
  async (scene) => {
    const stop = scene.shim.stopAt(BEFORE_STORING);
    const moving = scene.ask("get", scene.alt, { rules: [stop.rule] });
    await stop.reached();
    const login = scene.cargoLogin(NEW, scene.home.provider);
    await delay(1000);
    await stop.release();
    await moving;
    await login;
    await assertOnly(scene, NEW);
  },
);

raceTest(
  "a logout from the file before a migration has the lock wins",
  async (scene) => {
    const stop = scene.shim.stopAt(BEFORE_LOCK);
    const moving = scene.ask("get", scene.alt, { rules: [stop.rule] });
    await stop.reached();
    const { code } = await scene.home.cargo(["logout", "--registry", "alt"], {
      env: { CARGO_REGISTRIES_ALT_CREDENTIAL_PROVIDER: "cargo:token" },
    });
    assertEquals(code, 0);
    await stop.release();
    assertEquals(tokenOf(await moving), undefined);
    assertEquals(await scene.stored(scene.alt), []);
    assert(!await fileHas(scene, OLD));
  },
);

raceTest("a logout while a migration has the lock wins", async (scene) => {
  const stop = scene.shim.stopAt(BEFORE_STORING);
  const moving = scene.ask("get", scene.alt, { rules: [stop.rule] });
  await stop.reached();
  const logout = scene.home.cargo(["logout", "--registry", "alt"]);
  await delay(1000);
  await stop.release();
  await moving;
  const { code, stderr } = await logout;
  const { answers } = await scene.ask("get", scene.alt);
  if (code === 0) {
    assertEquals(tokenOf({ answers }), undefined, stderr);
    assertEquals(await scene.stored(scene.alt), []);
    assert(!await fileHas(scene, OLD));
  } else {
    // It has said so, and may be repeated.
    const again = await scene.home.cargo(["logout", "--registry", "alt"]);
    assertEquals(again.code, 0, again.stderr);
    assertEquals(await scene.stored(scene.alt), []);
  }
});

raceTest(
  "a login to the file while a login to the store tidies up is kept",
  async (scene) => {
    // The store has the older one by then.
    const stop = scene.shim.stopAt({ kind: "bus", name: "GetSecrets", nth: 1 });
    const login = scene.ask("login", scene.alt, {
      token: "a-token-between-15",
      rules: [stop.rule],
    });
    await stop.reached();
    const second = scene.cargoLogin(NEW, "cargo:token");
    await delay(500);
    await stop.release();
    await login;
    await second;
    const kept = await fileHas(scene, NEW) ||
      (await scene.stored(scene.alt)).includes(NEW);
    assert(kept, "the newer token is lost");
  },
);

raceTest(
  "a migration by command does not remove a newer token",
  async (scene) => {
    await scene.store(scene.alt, OLD);
    const stop = scene.shim.stopAt(BEFORE_LOCK);
    const migrating = scene.command(["migrate"], { rules: [stop.rule] });
    await stop.reached();
    await scene.cargoLogin(NEW, "cargo:token");
    await stop.release();
    await migrating;
    assert(await fileHas(scene, NEW), "the newer token is lost");
  },
);

raceTest("a restore does not erase a newer token", async (scene) => {
  await scene.reset('[registries.one]\ntoken = "other"\n', scene.alt);
  await scene.store(scene.alt, OLD);
  const stop = scene.shim.stopAt(BEFORE_LOCK);
  const restoring = scene.command(["restore", "--registry", "alt"], {
    rules: [stop.rule],
  });
  await stop.reached();
  await scene.cargoLogin(NEW, scene.home.provider);
  await stop.release();
  await restoring;
  assertEquals(tokenOf(await scene.ask("get", scene.alt)) ?? NEW, NEW);
  const kept = await fileHas(scene, NEW) ||
    (await scene.stored(scene.alt)).includes(NEW);
  assert(kept, "the newer token is lost");
});

raceTest("a read does not remove what a restore relies on", async (scene) => {
  await scene.store(scene.alt, OLD);
  const stop = scene.shim.stopAt(BEFORE_LOCK);
  const reading = scene.ask("get", scene.alt, { rules: [stop.rule] });
  await stop.reached();
  const { code, stderr } = await scene.command([
    "restore",
    "--registry",
    "alt",
  ]);
  assertEquals(code, 0, stderr);
  await stop.release();
  assertEquals(tokenOf(await reading), OLD);
  const kept = await fileHas(scene, OLD) ||
    (await scene.stored(scene.alt)).includes(OLD);
  assert(kept, "the token is lost");
});

raceTest(
  "a second read answers while a migration has the lock",
  async (scene) => {
    const stop = scene.shim.stopAt(BEFORE_STORING);
    const moving = scene.ask("get", scene.alt, { rules: [stop.rule] });
    await stop.reached();
    const second = await scene.ask("get", scene.alt);
    assertEquals(tokenOf(second), OLD, second.stderr);
    await stop.release();
    assertEquals(tokenOf(await moving), OLD);
    await assertOnly(scene, OLD);
  },
);

for (const how of ["in place", "by a rename"] as const) {
  raceTest(
    `an editor that writes the file ${how} during a migration is not overwritten`,
    async (scene) => {
      // The store has the token, and what it holds is being read back.
      const stop = scene.shim.stopAt({ kind: "bus", name: "GetSecrets" });
      const moving = scene.ask("get", scene.alt, { rules: [stop.rule] });
      await stop.reached();
      const edited = `# edited\n${FILE}`;
      if (how === "in place") {
        await Deno.writeTextFile(scene.credentialsPath, edited);
      } else {
        await Deno.writeTextFile(`${scene.credentialsPath}~`, edited);
        await Deno.rename(`${scene.credentialsPath}~`, scene.credentialsPath);
      }
      await stop.release();
      const result = await moving;
      assertEquals(tokenOf(result), OLD, result.stderr);
      assertEquals(await scene.home.credentials(), edited);
      await assertOnly(scene, OLD);
    },
  );
}

/** A shell without a bus. */
const SSH = { DBUS_SESSION_BUS_ADDRESS: "", XDG_RUNTIME_DIR: "" };

raceTest(
  "a login over ssh that went to the file wins at the desk, and loses nothing",
  async (scene) => {
    await scene.reset('[registries.one]\ntoken = "other"\n', scene.alt);
    await scene.store(scene.alt, OLD);
    const { code, stderr } = await scene.home.cargo(
      ["login", "--registry", "alt"],
      { stdin: NEW, env: SSH },
    );
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /PLAINTEXT/);
    assert(await fileHas(scene, NEW));
    const result = await scene.ask("get", scene.alt);
    assertEquals(tokenOf(result), NEW);
    assertMatch(result.stderr, /--prefer file/);
    assert(await fileHas(scene, NEW));
    assertEquals(await scene.stored(scene.alt), [OLD]);
  },
);

raceTest(
  "a login over ssh that was given up changes nothing, whoever writes the file",
  async (scene) => {
    // The one that the login replaces cannot be removed.
    await Deno.link(scene.credentialsPath, `${scene.home.root}/backup`);
    await scene.cargoLogin(NEW, scene.home.provider);
    assert(await fileHas(scene, OLD));
    const state = await scene.ask("get", scene.alt);
    assertEquals(tokenOf(state), NEW);
    const { answers } = await scene.ask("login", scene.alt, { env: SSH });
    assertEquals(answers, [{ Err: { kind: "url-not-supported" } }]);
    await scene.cargoLogin("another", "cargo:token", "one");
    assertEquals(tokenOf(await scene.ask("get", scene.alt)), NEW);
    assertEquals(await scene.stored(scene.alt), [NEW]);
    assert(await fileHas(scene, OLD));
  },
);

raceTest(
  "a file that comes back from a backup destroys nothing",
  async (scene) => {
    await scene.reset(undefined, scene.alt);
    await scene.store(scene.alt, NEW);
    await scene.ask("login", scene.alt, { env: SSH });
    await scene.reset(FILE, { ...scene.alt, indexUrl: "none" });
    const result = await scene.ask("get", scene.alt);
    assertEquals(tokenOf(result), OLD);
    assertMatch(result.stderr, /--prefer file/);
    assertEquals(await scene.stored(scene.alt), [NEW]);
    // A login settles it: both are out of use from then on.
    await scene.cargoLogin("the-newest-token-33", scene.home.provider);
    await Deno.writeTextFile(scene.credentialsPath, FILE);
    const settled = await scene.ask("get", scene.alt);
    assertEquals(tokenOf(settled), "the-newest-token-33");
    assertMatch(settled.stderr, /an older plaintext token .* was removed/);
    assert(!await fileHas(scene, OLD));
  },
);

/** A logout at a locked keyring, which says so. */
async function logOutWhileLocked(scene: Scene): Promise<void> {
  await scene.bus.lock();
  const { answers } = await scene.ask("logout", scene.alt);
  assertMatch(JSON.stringify(answers), /may still hold/);
  await scene.bus.unlock();
}

raceTest(
  "a logout at a locked keyring is not made up for later",
  async (scene) => {
    await scene.store(scene.alt, OLD);
    await logOutWhileLocked(scene);
    assert(!await fileHas(scene, OLD));
    assertEquals(tokenOf(await scene.ask("get", scene.alt)), OLD);
    // Another program, or this one in another cargo home, logs in again.
    await scene.store(scene.alt, NEW);
    await assertOnly(scene, NEW);
    const { answers } = await scene.ask("logout", scene.alt);
    assertEquals(answers, [{ Ok: { kind: "logout" } }]);
    assertEquals(await scene.stored(scene.alt), []);
  },
);

raceTest(
  "a login to the store after one to the file wins, and leaves no other",
  async (scene) => {
    await scene.store(scene.alt, OLD);
    await scene.home.cargo(["login", "--registry", "alt"], {
      stdin: "a-token-between-15",
      env: SSH,
    });
    assert(await fileHas(scene, "a-token-between-15"));
    await scene.cargoLogin(NEW, scene.home.provider);
    await assertOnly(scene, NEW);
    assert(!await fileHas(scene, "a-token-between-15"));
  },
);

raceTest("what was restored is not moved back", async (scene) => {
  await assertOnly(scene, OLD);
  const { code, stderr } = await scene.command(["restore"]);
  assertEquals(code, 0, stderr);
  for (let i = 0; i < 2; i++) {
    const { stdout } = await scene.home.cargo([
      "search",
      "--registry",
      "alt",
      "x",
    ]);
    assertEquals(stdout, "");
    await scene.ask("get", scene.alt);
    assertEquals(await scene.stored(scene.alt), []);
    assert(await fileHas(scene, OLD));
  }
});

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
