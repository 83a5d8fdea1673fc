import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import {
  loadSettings,
  type SettingsSources,
} from "../../src/settings/load_settings.ts";
import { readSmallFile } from "../../src/base/files.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
  type SettingValues,
} from "../../src/settings/settings.ts";
import {
  isRootOnly,
  isRootsFile,
  type SystemFile,
} from "../../src/settings/system_file.ts";
import { onlyOn } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);
const modes = onlyOn("unix", "users, modes and root are Unix's");

const INDEX = "sparse+https://example.com/index/";
const TOKEN = "cioABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/** A cargo home and a system folder of their own, gone when it is disposed of. */
class Folders implements Disposable {
  readonly #root = Deno.makeTempDirSync({ prefix: "settings-test-" });
  readonly home = join(this.#root, "home");
  readonly userFile = join(this.home, "credential-keyring.toml");
  readonly systemPath = join(this.#root, "system.toml");

  constructor() {
    Deno.mkdirSync(this.home);
  }

  system(isTrusted = true): SystemFile {
    return {
      path: this.systemPath,
      isTrusted: () => Promise.resolve(isTrusted),
    };
  }

  load(sources: Partial<SettingsSources> = {}): Promise<SettingsOutcome> {
    return loadSettings({
      env: {},
      cargoHome: this.home,
      os: Deno.build.os,
      indexUrl: INDEX,
      systemFile: this.system(),
      ...sources,
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#root, { recursive: true });
  }
}

function assertSettings(
  outcome: SettingsOutcome,
  expected: Partial<SettingValues>,
): void {
  assertEquals(outcome, {
    kind: "settings",
    ...DEFAULT_SETTINGS,
    ...expected,
    notices: [],
  });
}

Deno.test("loadSettings() answers the defaults where nothing is set", async () => {
  using folders = new Folders();
  assertSettings(await folders.load(), {});
  assertSettings(await folders.load({ cargoHome: `${folders.home}/none` }), {});
  assertSettings(await folders.load({ cargoHome: undefined }), {});
});

Deno.test("loadSettings() merges every source", async () => {
  using folders = new Folders();
  Deno.writeTextFileSync(
    folders.systemPath,
    `prompt = "never"\ntimeout = 9\n[enforce]\nfallback = "deny"\n`,
  );
  Deno.writeTextFileSync(
    folders.userFile,
    `\uFEFFmigrate = "notify"\r\ntimeout = 8\r\n\r\n` +
      `[[registry]]\r\nindex = "${INDEX}"\r\nprompt-timeout = 7\r\n`,
  );
  assertSettings(
    await folders.load({
      env: { CARGO_CREDENTIAL_KEYRING_STORE: "off" },
    }),
    {
      store: "off",
      migrate: "notify",
      fallback: "deny",
      prompt: "never",
      timeoutMs: 8000,
      promptTimeoutMs: 7000,
    },
  );
});

Deno.test("loadSettings() finds a registry by any spelling of its URL", async () => {
  using folders = new Folders();
  const spellings = [
    ["https://example.com/index", "https://example.com/index.git"],
    ["https://example.com/index/", "https://example.com/index"],
    ["sparse+https://example.com/index", INDEX],
    ["https://GitHub.com/Me/Index", "https://github.com/me/index.git"],
  ] as const;
  for (const [written, indexUrl] of spellings) {
    for (const path of [folders.userFile, folders.systemPath]) {
      const text = `[[registry]]\nindex = "${written}"\nfallback = "deny"\n`;
      Deno.writeTextFileSync(path, text);
      assertSettings(await folders.load({ indexUrl }), { fallback: "deny" });
      Deno.removeSync(path);
    }
  }
});

Deno.test("loadSettings() ignores the case of names on Windows alone", async () => {
  using folders = new Folders();
  const env = { Cargo_Credential_Keyring_Store: "off" };
  assertSettings(await folders.load({ env, os: "windows" }), { store: "off" });
  const outcome = await folders.load({ env, os: "linux" });
  assert(outcome.kind === "settings");
  assertEquals(outcome.store, "auto");
  assertEquals(outcome.notices.map(({ topic }) => topic), ["unknown-variable"]);
});

Deno.test("loadSettings() needs no system file on Windows", async () => {
  const outcome = await loadSettings({
    env: { CARGO_CREDENTIAL_KEYRING_STORE: "off" },
    cargoHome: "C:\\Users\\me\\.cargo",
    os: "windows",
    indexUrl: INDEX,
  });
  assertSettings(outcome, { store: "off" });
});

Deno.test("loadSettings() ignores a system file that others can write, and says so", async () => {
  using folders = new Folders();
  Deno.writeTextFileSync(folders.systemPath, `[enforce]\nstore = "off"\n`);
  const outcome = await folders.load({ systemFile: folders.system(false) });
  assert(outcome.kind === "settings");
  assertEquals(outcome.store, "auto");
  assertEquals(outcome.notices.map(({ topic }) => topic), [
    "system-file-ignored",
  ]);
  assertStringIncludes(outcome.notices[0]?.text ?? "", folders.systemPath);
});

Deno.test("loadSettings() reports the system file before any other mistake", async () => {
  using folders = new Folders();
  Deno.writeTextFileSync(folders.systemPath, `stroe = "off"\n`);
  Deno.writeTextFileSync(folders.userFile, `stroe = "off"\n`);
  const sources = {
    env: { CARGO_CREDENTIAL_KEYRING_STORE: "?" },
  };
  const where = async (): Promise<readonly unknown[]> => {
    const outcome = await folders.load(sources);
    return outcome.kind === "wrong" ? [outcome.where, outcome.system] : [];
  };
  assertEquals(await where(), [folders.systemPath, true]);
  Deno.removeSync(folders.systemPath);
  assertEquals(await where(), ["the environment", false]);
  sources.env.CARGO_CREDENTIAL_KEYRING_STORE = "auto";
  assertEquals(await where(), [folders.userFile, false]);
});

for (
  const [name, content, words] of [
    ["no TOML", `store = ${TOKEN}\n`, /is not valid TOML \(line 1\)$/],
    ["an open string", `store = """${TOKEN}`, /is not valid TOML/],
    ["no UTF-8", new Uint8Array([0x73, 0xff]), /is not UTF-8 text$/],
    ["a NUL", "\0", /is not valid TOML/],
    ["too long", "#".repeat(64 * 1024 + 1), /is larger than 65536 bytes$/],
  ] as const
) {
  Deno.test(`loadSettings() refuses a file that is ${name}`, async () => {
    using folders = new Folders();
    for (const path of [folders.userFile, folders.systemPath]) {
      if (typeof content === "string") Deno.writeTextFileSync(path, content);
      else Deno.writeFileSync(path, content);
      const outcome = await folders.load();
      assert(outcome.kind === "wrong");
      assertEquals(outcome.system, path === folders.systemPath);
      assertStringIncludes(outcome.message, path);
      assertMatch(outcome.message, words);
      assert(!JSON.stringify(outcome).includes(TOKEN));
    }
  });
}

links.test("loadSettings() reads a file through a link, and refuses one that leads nowhere", async () => {
  using folders = new Folders();
  Deno.symlinkSync(`${folders.home}/target`, folders.userFile);
  const outcome = await folders.load();
  assert(outcome.kind === "wrong");
  assertMatch(outcome.message, /is a link to a file that is not there$/);
  Deno.writeTextFileSync(`${folders.home}/target`, `store = "off"`);
  assertSettings(await folders.load(), { store: "off" });
});

links.test("loadSettings() does not wait for a FIFO, nor read a folder", async () => {
  using folders = new Folders();
  const mkfifo = async (path: string): Promise<void> => {
    const { success } = await new Deno.Command("mkfifo", { args: [path] })
      .output();
    assert(success, "mkfifo failed");
  };
  for (const path of [folders.userFile, folders.systemPath]) {
    for (const make of [mkfifo, Deno.mkdir]) {
      await make(path);
      const outcome = await folders.load();
      assert(outcome.kind === "wrong");
      assertMatch(outcome.message, /is not a regular file$/);
      Deno.removeSync(path);
    }
  }
});

const ROOTS = { uid: 0, mode: 0o100644 };
const FOLDER = { uid: 0, mode: 0o40755 };

for (
  const [name, file, folders, expected] of [
    ["root's file in root's folders", ROOTS, [FOLDER, FOLDER], true],
    ["root's file in a sticky folder", ROOTS, [
      { uid: 0, mode: 0o41777 },
      FOLDER,
    ], true],
    ["a user's file", { uid: 1000, mode: 0o100644 }, [FOLDER], false],
    ["a file that its group can write", { uid: 0, mode: 0o100664 }, [
      FOLDER,
    ], false],
    ["a file that all can write", { uid: 0, mode: 0o100646 }, [FOLDER], false],
    ["a sticky file that all can write", { uid: 0, mode: 0o101666 }, [
      FOLDER,
    ], false],
    ["a folder that its group can write", ROOTS, [
      { uid: 0, mode: 0o40775 },
      FOLDER,
    ], false],
    ["a user's folder", ROOTS, [{ uid: 1000, mode: 0o40755 }, FOLDER], false],
    ["a user's sticky folder", ROOTS, [
      { uid: 1000, mode: 0o41755 },
    ], false],
    ["a platform without owners", { uid: null, mode: null }, [], false],
  ] as const
) {
  Deno.test(`isRootOnly() answers ${expected} for ${name}`, () => {
    assertEquals(isRootOnly(file, folders), expected);
  });
}

modes.test("isRootsFile() looks at the file and at every folder on the way", async () => {
  const ask = async (path: string): Promise<boolean> => {
    const file = readSmallFile(path, { maxBytes: 1 << 20 });
    assert(file.kind === "read", Deno.inspect(file));
    return await isRootsFile(path, file);
  };
  using folders = new Folders();
  Deno.symlinkSync("/etc/passwd", folders.systemPath);
  Deno.writeTextFileSync(folders.userFile, "");
  assertEquals(await ask("/etc/passwd"), true);
  Deno.chmodSync(folders.userFile, 0o666);
  assertEquals(await ask(folders.userFile), false);
  // The file is root's, but the way there is not.
  Deno.chmodSync(folders.home, 0o777);
  Deno.symlinkSync("/etc/passwd", `${folders.home}/link`);
  assertEquals(await ask(`${folders.home}/link`), false);
});
