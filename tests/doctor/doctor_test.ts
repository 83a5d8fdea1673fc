// Each finding of `doctor` with what brings it about: real files in a throw-away
// home, a store in memory.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stripAnsiCode } from "@std/fmt/colors";
import { dirname, join } from "node:path";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { run } from "../../src/cli/commands/doctor.ts";
import { gatherFacts } from "../../src/doctor/facts.ts";
import { type Finding, findings } from "../../src/doctor/findings.ts";
import { doctorRows } from "../../src/doctor/report.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { renderColumns } from "../../src/terminal/columns.ts";
import { displayWidth } from "../../src/terminal/display_width.ts";
import { FakeScene, type FakeSceneOptions } from "../support/fake_session.ts";
import { FakeStore } from "../support/fake_store.ts";
import { run as runProgram } from "../support/run.ts";
import { onlyOn, type Platform } from "../support/platform.ts";

const modes = onlyOn("unix", "modes are Unix's");
const git = onlyOn("unix", "git is a judge, and missing in Wine");
const linux = onlyOn("linux", "find(1) says what is there, and WSL is Linux");

const CORP = "sparse+https://corp.example/index/";
const CONFIG = `[registries.corp]\nindex = "${CORP}"\n`;

/** A healthy home: the program is there, and the store has corp's token. */
async function healthy(options: FakeSceneOptions = {}): Promise<FakeScene> {
  const scene = await FakeScene.create({
    config: CONFIG,
    store: new FakeStore({ [CORP]: "planted-stored" }),
    providers: ["cargo:token", "cargo-credential-keyring"],
    ...options,
  });
  await writeProgram(scene.program);
  return scene;
}

async function writeProgram(path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, "#!/bin/sh\n", { mode: 0o755 });
}

async function doctor(
  scene: FakeScene,
): Promise<{ status: number; found: Finding[] }> {
  const status = await run({ json: true }, scene.session());
  const [line = ""] = scene.out;
  assert(!line.includes("planted"), line);
  assert(!scene.openedTerminal);
  const { findings } = JSON.parse(line);
  await run({ json: false }, scene.session());
  assert(!scene.out.join("\n").includes("planted"), scene.out.join("\n"));
  return { status, found: findings };
}

function failure(
  kind: StoreFailure["kind"],
  cause: StoreFailure["cause"],
): StoreFailure {
  return {
    kind,
    cause,
    reason: `the fake store is ${kind}`,
    remedy: "Put it right.",
    storeExists: true,
  };
}

const ENTRY = "token = ";

/** What is done to a healthy home, and what is found: code, severity, registries. */
const CASES: Readonly<
  Record<string, {
    readonly options?: FakeSceneOptions;
    readonly before?: (scene: FakeScene) => Promise<void>;
    readonly found: readonly (readonly [
      code: string,
      severity: Finding["severity"],
      registries?: readonly string[],
    ])[];
    /** What the last one says somewhere. */
    readonly says?: string;
    /** Where there is more to it than on all systems. */
    readonly platform?: Platform;
  }>
> = {
  "a healthy home": { found: [] },
  "no provider at all": {
    options: { providers: [] },
    found: [["not-set-up", "serious"]],
  },
  "a list that somebody has replaced": {
    options: { providers: ["cargo:token"] },
    found: [["not-listed", "serious"]],
    says: "cargo asks cargo:token",
  },
  "a list in another order": {
    options: { providers: ["cargo-credential-keyring", "cargo:token"] },
    found: [["asked-first", "serious"]],
    says: "setup, which lists this program last",
  },
  "a checkout that lists cargo:token": {
    before: (scene) =>
      scene.writeProject(
        '[registry]\nglobal-credential-providers = ["cargo:token"]\n',
      ),
    found: [["asked-first", "serious"]],
    says: join("checkout", ".cargo", "config.toml"),
  },
  "cargo's own provider before this one": {
    options: { providers: ["cargo-credential-keyring", "cargo:libsecret"] },
    found: [["asked-first", "warning"]],
  },
  "a checkout that lists this program alone": {
    options: { providers: ["cargo:token"] },
    before: (scene) =>
      scene.writeProject(
        '[registry]\nglobal-credential-providers = ["cargo-credential-keyring"]\n',
      ),
    found: [["listed-here-only", "warning"]],
  },
  "a provider for one registry alone": {
    options: { config: `${CONFIG}credential-provider = "cargo:token"\n` },
    found: [["own-provider", "serious", ["corp"]]],
    says: "for corp: ",
  },
  "a provider for one registry alone, of which nothing is stored": {
    options: {
      config: `${CONFIG}credential-provider = "cargo:token"\n`,
      store: new FakeStore(),
    },
    found: [["own-provider", "warning", ["corp"]]],
  },
  "a provider that has moved away": {
    options: {
      providers: ["cargo:token", "/nonexistent/cargo-credential-keyring"],
    },
    found: [["program-missing", "serious"]],
    says: "is not there",
  },
  "a provider that may not be executed": {
    before: (scene) =>
      Deno.chmod(`${scene.home}/bin/cargo-credential-keyring`, 0o644),
    found: [["program-missing", "serious"]],
    says: "may not be executed",
    platform: modes,
  },
  "two names for one registry": {
    options: { config: `${CONFIG}[registries.twin]\nindex = "${CORP}"\n` },
    found: [["two-names", "serious", ["corp", "twin"]]],
  },
  "a store that is switched off": {
    options: {
      store: new FakeStore({}, {
        failure: {
          ...failure("unreachable", "switched-off"),
          storeExists: false,
        },
      }),
    },
    found: [["store-off", "note"]],
  },
  "a locked store": {
    options: {
      store: new FakeStore({}, { failure: failure("locked", "locked") }),
    },
    found: [["store-locked", "warning"]],
  },
  "a store that is not reached": {
    options: {
      store: new FakeStore({}, { failure: failure("unreachable", "no-bus") }),
    },
    found: [["store-unreachable", "serious"]],
  },
  "a store that refuses": {
    options: {
      store: new FakeStore({}, { failure: failure("denied", "access-denied") }),
    },
    found: [["store-denied", "serious"]],
  },
  "a store that never answers": {
    options: {
      store: new FakeStore({}, { hangs: true }),
      env: { CARGO_CREDENTIAL_KEYRING_TIMEOUT: "0.1" },
    },
    found: [["store-timeout", "serious"]],
  },
  "a store that can be read alone": {
    options: {
      store: new FakeStore({}, {
        failureOf: { prepare: failure("denied", "access-denied") },
      }),
    },
    found: [["store-read-only", "serious"]],
  },
  "a keyring that is a plaintext file": {
    options: { store: new FakeStore({}, { plaintext: true }) },
    found: [["store-plaintext", "serious"]],
  },
  "a keyring in memory": {
    options: { store: new FakeStore({}, {}, false) },
    found: [["store-in-memory", "serious"]],
  },
  "an item that cannot be decrypted": {
    options: {
      store: new FakeStore({}, {
        failureOf: { get: failure("denied", "access-denied") },
      }),
    },
    found: [
      ["item-denied", "serious", ["crates-io"]],
      ["item-denied", "serious", ["corp"]],
    ],
  },
  "an item in a locked keyring": {
    options: {
      store: new FakeStore({}, {
        failureOf: { get: failure("locked", "locked") },
      }),
    },
    found: [
      ["item-locked", "warning", ["crates-io"]],
      ["item-locked", "warning", ["corp"]],
    ],
  },
  "an item that no name leads to": {
    options: {
      store: new FakeStore({ "sparse+https://gone.example/": "planted" }),
    },
    found: [["no-name", "note"]],
    says: "--from sparse+https://gone.example/",
  },
  "tokens in the credentials file": {
    options: {
      credentials: `[registry]\n${ENTRY}"planted"\n` +
        `[registries.corp]\n${ENTRY}"planted-stored"\n`,
    },
    found: [["token-in-file", "warning", ["crates-io", "corp"]]],
    says: "tokens of crates-io and corp",
  },
  "different tokens in store and file": {
    options: { credentials: `[registries.corp]\n${ENTRY}"planted-file"\n` },
    found: [["conflict", "warning", ["corp"]]],
    says: "--prefer file",
  },
  "a token in config.toml": {
    options: { config: `${CONFIG}${ENTRY}"planted"\n` },
    found: [["token-in-config", "serious", ["corp"]]],
  },
  "a token in a checkout's config.toml": {
    before: (scene) => scene.writeProject(`[registry]\n${ENTRY}"planted"\n`),
    found: [["token-in-config", "serious", ["crates-io"]]],
  },
  "a token that cargo never reads": {
    options: {
      config: `${CONFIG}[registries.crates-io]\n${ENTRY}"planted"\n`,
    },
    found: [["token-never-read", "serious", ["crates-io"]]],
  },
  "a token that cargo never reads, in the credentials file": {
    options: { credentials: `[registries.crates-io]\n${ENTRY}"planted"\n` },
    found: [["token-never-read", "serious", ["crates-io"]]],
    says: "credentials.toml",
  },
  "credentials beside credentials.toml": {
    options: { credentials: `[registry]\n${ENTRY}"planted"\n` },
    before: async (scene) => {
      await Deno.writeTextFile(`${scene.home}/credentials`, "");
      await Deno.chmod(`${scene.home}/credentials`, 0o600);
    },
    found: [["two-credentials-files", "warning"]],
    platform: modes,
  },
  "credentials that others may read": {
    options: { credentials: `[registries.corp]\n${ENTRY}"planted-stored"\n` },
    before: (scene) => Deno.chmod(scene.path, 0o644),
    found: [["file-mode", "serious"], ["token-in-file", "warning", ["corp"]]],
    platform: modes,
  },
  "a cargo home that others may write into": {
    before: (scene) => Deno.chmod(scene.home, 0o777),
    found: [["home-writable", "serious"]],
    platform: modes,
  },
  "a credentials file that cargo cannot parse": {
    options: { credentials: "[registry]\ntoken = planted" },
    found: [["file-unusable", "serious"]],
    says: "line 2",
  },
  "a configuration that cannot be parsed": {
    before: (scene) => scene.writeProject("[registry\nplanted"),
    found: [["config-unreadable", "serious"]],
  },
  "a variable that hides the stored token": {
    options: { env: { CARGO_REGISTRIES_CORP_TOKEN: "planted-env" } },
    found: [["environment-shadows", "warning", ["corp"]]],
  },
  "a variable that is set to nothing": {
    options: { env: { CARGO_REGISTRY_TOKEN: "" } },
    found: [["environment-empty", "serious", ["crates-io"]]],
  },
  "a variable that cargo never reads": {
    options: { env: { CARGO_REGISTRIES_CRATES_IO_TOKEN: "planted" } },
    found: [["variable-without-effect", "warning", ["crates-io"]]],
  },
  "a variable that makes cargo fail": {
    options: { env: { CARGO_REGISTRY_TOKEN_FILE: "/run/secrets/token" } },
    found: [["token-file-variable", "serious"]],
    says: "CARGO_CREDENTIAL_KEYRING_TOKEN_FILE instead",
  },
  "such a variable for another registry": {
    options: { env: { CARGO_REGISTRIES_CORP_TOKEN_FILE: "/run/secrets/t" } },
    found: [["token-file-variable", "serious"]],
    says: "CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_CORP instead",
  },
  "a secret file that is not there": {
    options: {
      env: { CARGO_CREDENTIAL_KEYRING_TOKEN_FILE: "/nonexistent/token" },
    },
    found: [["secret-file-unusable", "serious", ["crates-io"]]],
    says: "is not there",
  },
  "a setting that is wrong": {
    options: { env: { CARGO_CREDENTIAL_KEYRING_STORE: "planted" } },
    found: [["setting-wrong", "serious"]],
  },
  "a variable that is misspelled": {
    options: { env: { CARGO_CREDENTIAL_KEYRING_STROE: "planted" } },
    found: [["unknown-variable", "warning"]],
  },
  "another site's token": {
    options: { credentials: `[registry]\n${ENTRY}"ghp_planted"\n` },
    found: [
      ["token-in-file", "warning", ["crates-io"]],
      ["token-foreign", "warning", ["crates-io"]],
    ],
    says: "GitHub",
  },
  "a part of a token": {
    options: { store: new FakeStore({ [CRATES_IO_INDEX]: "cioplanted" }) },
    found: [["token-incomplete", "warning", ["crates-io"]]],
  },
  "a token that ends after half an hour": {
    options: { store: new FakeStore({ [CORP]: "cio_tp_planted" }) },
    found: [["token-short-lived", "warning", ["corp"]]],
  },
};

for (
  const [what, { options, before, found, says, platform: { test } = Deno }]
    of Object.entries(
      CASES,
    )
) {
  test(`doctor finds ${what}`, async () => {
    await using scene = await healthy(options);
    await before?.(scene);
    const result = await doctor(scene);
    assertEquals(
      result.found.map(({ code, severity, registries }) => [
        code,
        severity,
        registries,
      ]),
      found.map(([code, severity, registries = []]) => [
        code,
        severity,
        registries,
      ]),
    );
    assertEquals(
      result.status,
      found.some(([, severity]) => severity === "serious") ? 1 : 0,
    );
    if (says !== undefined) {
      assertStringIncludes(
        Object.values(result.found.at(-1) ?? {}).join(),
        says,
      );
    }
  });
}

modes.test("doctor finds a secret file that others may read", async () => {
  await using folder = await healthy();
  const path = `${folder.root}/secret`;
  await Deno.writeTextFile(path, "planted-secret\n");
  await Deno.chmod(path, 0o644);
  const env = { CARGO_CREDENTIAL_KEYRING_TOKEN_FILE: path };
  await using scene = await healthy({ env });
  assertEquals((await doctor(scene)).found.map(({ code }) => code), [
    "secret-file-readable",
  ]);
  await Deno.chmod(path, 0o600);
  assertEquals((await doctor(scene)).found, []);
});

git.test("doctor finds credentials that git tracks", async () => {
  await using scene = await healthy({
    credentials: `[registries.corp]\n${ENTRY}"planted-stored"\n`,
  });
  const runGit = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await runProgram(["git", ...args], {
      cwd: scene.home,
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: scene.root },
    });
    assertEquals(code, 0, stderr);
  };
  await runGit("init", "-q");
  assertEquals((await doctor(scene)).found.map(({ code }) => code), [
    "token-in-file",
  ]);
  await runGit("add", "credentials.toml");
  const { found } = await doctor(scene);
  assertEquals(found.map(({ code }) => code), [
    "tracked-by-git",
    "token-in-file",
  ]);
  // The fix is a command that works.
  const fix = found[0]?.fix.replace(/, and .*/, "") ?? "";
  await runGit(...fix.split(" ").slice(1));
  assertEquals((await doctor(scene)).found.map(({ code }) => code), [
    "token-in-file",
  ]);
});

linux.test("doctor finds the Windows program, in WSL", async () => {
  const program = "cargo-credential-keyring.exe";
  await using scene = await healthy({ providers: ["cargo:token", program] });
  await writeProgram(`${scene.home}/bin/${program}`);
  const { status, found } = await doctor(scene);
  assertEquals(
    [status, found.map(({ code, severity }) => [code, severity])],
    [0, [["windows-program", "note"]]],
  );
  assertStringIncludes(found[0]?.fix ?? "", `run ${program}`);
});

Deno.test("doctor knows cargo's versions from rustup's toolchains", async () => {
  await using place = await healthy();
  const home = `${place.root}/rustup`;
  await using scene = await healthy({ env: { RUSTUP_HOME: home } });
  const manifest = async (name: string, version: string): Promise<void> => {
    const folder = `${home}/toolchains/${name}/lib/rustlib`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(
      `${folder}/multirust-channel-manifest.toml`,
      `manifest-version = "2"\n[pkg.cargo]\nversion = "0.98.0-nightly (x)"\n\n` +
        `[pkg.rust]\nversion = "${version} (0123456 2026-01-01)"\n`,
    );
  };
  await Deno.mkdir(`${home}/toolchains/mine`, { recursive: true });
  await manifest("stable-x86_64-unknown-linux-gnu", "1.96.0");
  assertEquals((await doctor(scene)).found, []);
  await Deno.mkdir(`${home}/toolchains/1.73.0-x86_64-unknown-linux-gnu`);
  await manifest("beta-x86_64-unknown-linux-gnu", "1.95.1");
  await Deno.writeTextFile(
    `${home}/settings.toml`,
    'default_toolchain = "stable-x86_64-unknown-linux-gnu"\n',
  );
  const { found } = await doctor(scene);
  assertEquals(found.map(({ code, severity }) => [code, severity]), [
    ["cargo-too-old", "warning"],
    ["cargo-mixes-registries", "warning"],
  ]);
  assertStringIncludes(found[0]?.what ?? "", "1.73.0-x86_64");
  assertStringIncludes(found[1]?.what ?? "", "beta-");
  assert(!found[1]?.what.includes("1.73"));
  await Deno.writeTextFile(
    `${home}/settings.toml`,
    'default_toolchain = "1.73.0"\n',
  );
  assertEquals((await doctor(scene)).found[0]?.severity, "serious");
});

linux.test("doctor leaves nothing behind", async () => {
  await using scene = await healthy({
    credentials: `[registry]\n${ENTRY}"planted"\n`,
  });
  const list = async (): Promise<string[]> => {
    const { stdout } = await runProgram([
      "find",
      scene.root,
      "-printf",
      "%p %T@\n",
    ], {
      env: { PATH: Deno.env.get("PATH") ?? "" },
    });
    return stdout.split("\n").sort();
  };
  const before = await list();
  await doctor(scene);
  assertEquals(await list(), before);
  const { calls, handedOut } = scene.store as FakeStore;
  assert(
    calls.every((call) => ["get", "prepare", "list scoped"].includes(call)),
    `${calls}`,
  );
  assert(handedOut.every(({ bytes }) => bytes.every((byte) => byte === 0)));
});

Deno.test("doctor fits every screen and cuts nothing", async () => {
  await using scene = await healthy({
    config: `${CONFIG}${ENTRY}"planted"\n`,
    credentials: `[registries.corp]\n${ENTRY}"planted-file"\n`,
  });
  const rows = doctorRows(findings(await gatherFacts(scene.session())));
  const whole = renderColumns(rows, { width: undefined, color: false });
  const words = (lines: readonly string[]): string =>
    [...lines.map(stripAnsiCode).join("").replaceAll(/\s/g, "")].sort().join();
  for (const width of [40, 60, 80, 120, 200]) {
    const lines = renderColumns(rows, { width, color: true });
    for (const line of lines.map(stripAnsiCode)) {
      assert(displayWidth(line) <= width, line);
    }
    assertEquals(words(lines), words(whole));
  }
});

Deno.test("doctor says of a healthy home that nothing is wrong", async () => {
  await using scene = await healthy();
  assertEquals(await run({ json: false }, scene.session()), 0);
  assertEquals(scene.out, ["Fine  nothing is wrong"]);
});

Deno.test("doctor says what, why and what to do", async () => {
  await using scene = await healthy({ providers: ["cargo:token"] });
  assertEquals(await run({ json: false }, scene.session()), 1);
  assertEquals(scene.out, [
    `Serious  the providers in ${
      join(scene.home, "config.toml")
    } do not include this ` +
    "program: cargo asks cargo:token",
    "Why      stored tokens are not found, and `cargo login` keeps new ones " +
    "elsewhere; another tool may have replaced the list",
    "Fix      cargo-credential-keyring setup",
  ]);
});

Deno.test("every code of doctor is documented", async () => {
  const documentation = await Deno.readTextFile(
    new URL("../../docs/json.md", import.meta.url),
  );
  const source = await Deno.readTextFile(
    new URL("../../src/doctor/findings.ts", import.meta.url),
  );
  const codes = [...source.matchAll(/(?:code: |\? |: )"([a-z]+(?:-[a-z]+)+)"/g)]
    .flatMap(([, code]) => code ?? []);
  assert(codes.length > 30);
  for (
    const code of new Set([
      ...codes,
      ...Object.values(CASES).flatMap(({ found }) =>
        found.map(([code]) => code)
      ),
    ])
  ) {
    assertStringIncludes(documentation, `\`${code}\``);
  }
});
