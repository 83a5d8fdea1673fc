// `status` without a process: a home in a temporary folder, a store in memory.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { stripAnsiCode } from "@std/fmt/colors";
import {
  CRATES_IO_INDEX,
  type RegistryRef,
} from "../../src/cargo/registries.ts";
import { run, type StatusArguments } from "../../src/cli/commands/status.ts";
import { takeInventory } from "../../src/tokens/inventory.ts";
import { statusRows, storeLine } from "../../src/cli/status_report.ts";
import { Secret } from "../../src/base/secret.ts";
import { updateState } from "../../src/state/file.ts";
import { pin } from "../../src/state/pins.ts";
import { supersede } from "../../src/state/superseded.ts";
import type {
  GetOutcome,
  StoreFailure,
  StoreOptions,
} from "../../src/stores/credential_store.ts";
import { renderColumns } from "../../src/terminal/columns.ts";
import { displayWidth } from "../../src/terminal/display_width.ts";
import { FakeScene, type FakeSceneOptions } from "../support/fake_session.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const CORP = "sparse+https://corp.example/index/";
const OTHER = "sparse+https://other.example/index/";
const GONE = "sparse+https://gone.example/index/";
const CONFIG = `[registries.corp]\nindex = "${CORP}"\n`;

function failure(
  kind: StoreFailure["kind"],
  cause: StoreFailure["cause"],
  more: Partial<StoreFailure> = {},
): StoreFailure {
  return {
    kind,
    cause,
    reason: `the fake store is ${kind}`,
    remedy: "Put it right.",
    storeExists: true,
    ...more,
  };
}

interface Row {
  readonly name: string | null;
  readonly index_url: string | null;
  readonly next: string | null;
  readonly message: string | null;
  readonly [key: string]: unknown;
}

interface Report {
  readonly store: Record<string, string | null>;
  readonly registries: readonly Row[];
}

async function status(
  scene: FakeScene,
  args: Partial<StatusArguments> = {},
): Promise<{ status: number; report: Report }> {
  const status = await run(
    { registry: undefined, json: true, ...args },
    scene.session(),
  );
  const [line = ""] = scene.out;
  assertEquals(scene.out.length, 1);
  return { status, report: JSON.parse(line) };
}

function scene(
  items: Readonly<Record<string, string>>,
  options: FakeSceneOptions = {},
  faults: FakeStoreFaults = {},
): Promise<FakeScene> {
  return FakeScene.create({
    config: CONFIG,
    store: new FakeStore(items, faults),
    ...options,
  });
}

function corp({ registries }: Report): Row {
  const row = registries.find(({ name }) => name === "corp");
  assert(row !== undefined);
  return row;
}

Deno.test("status --json has exactly the keys that are documented", async () => {
  await using home = await scene({ [CORP]: "planted-corp" });
  const { status: code, report } = await status(home);
  assertEquals(code, 0);
  assertEquals(report, {
    store: { name: "secret-service", state: "available", reason: null },
    registries: [{
      name: "crates-io",
      index_url: CRATES_IO_INDEX,
      env: false,
      secret_file: null,
      store: false,
      file: null,
      config: [],
      conflict: false,
      pinned: false,
      providers: ["cargo-credential-keyring", "cargo:token"],
      asks_us: true,
      next: "login",
      message: "`cargo login` stores one",
    }, {
      name: "corp",
      index_url: CORP,
      env: false,
      secret_file: null,
      store: true,
      file: null,
      config: [],
      conflict: false,
      pinned: false,
      providers: ["cargo-credential-keyring", "cargo:token"],
      asks_us: true,
      next: null,
      message: null,
    }],
  });
  const documentation = await Deno.readTextFile(
    new URL("../../docs/json.md", import.meta.url),
  );
  for (const key of Object.keys(corp(report))) {
    assertStringIncludes(documentation, `\`${key}\``);
  }
});

const FILE = `[registries.corp]\ntoken = "planted-file"\n`;

/** What corp's row says, besides what every row says. */
const CASES: Readonly<
  Record<string, {
    readonly items?: Readonly<Record<string, string>>;
    readonly faults?: FakeStoreFaults;
    readonly options?: FakeSceneOptions;
    readonly says: Readonly<Record<string, unknown>>;
    readonly exit: 0 | 3 | 4;
  }>
> = {
  "a token in the store": {
    items: { [CORP]: "planted" },
    says: { store: true, file: null, next: null },
    exit: 0,
  },
  "a token in the file": {
    options: { credentials: FILE },
    says: { store: false, next: "migrate", conflict: false },
    exit: 0,
  },
  "the same token in both": {
    items: { [CORP]: "planted-file" },
    options: { credentials: FILE },
    says: { store: true, conflict: false, next: "migrate" },
    exit: 0,
  },
  "different tokens": {
    items: { [CORP]: "planted-store" },
    options: { credentials: FILE },
    says: { store: true, conflict: true, next: "conflict" },
    exit: 0,
  },
  "a variable": {
    options: { env: { CARGO_REGISTRIES_CORP_TOKEN: "planted-env" } },
    says: { env: true, secret_file: null, store: false, next: null },
    exit: 0,
  },
  "a variable that is set to nothing": {
    items: { [CORP]: "planted" },
    options: { env: { CARGO_REGISTRIES_CORP_TOKEN: "" } },
    says: { env: false, store: true, next: "environment-empty" },
    exit: 3,
  },
  "a secret file that is not there": {
    options: {
      env: { CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_CORP: "/nonexistent/token" },
    },
    says: { env: false, next: "environment-file" },
    exit: 3,
  },
  "a token in config.toml": {
    items: { [CORP]: "planted" },
    options: { config: `${CONFIG}token = "planted-config"\n` },
    says: { store: true, next: "in-config" },
    exit: 0,
  },
  "a provider list without us": {
    options: { credentials: FILE, providers: ["cargo:token"] },
    says: { asks_us: false, providers: ["cargo:token"], next: "setup" },
    exit: 0,
  },
  "nothing anywhere": {
    says: { store: false, file: null, next: "login" },
    exit: 3,
  },
  "a locked store": {
    faults: { failure: failure("locked", "locked", { item: "visible" }) },
    says: { store: null, next: "store", message: "Put it right" },
    exit: 4,
  },
  "a locked store that shows that it has nothing": {
    faults: { failure: failure("locked", "locked", { item: "none" }) },
    says: { store: false, next: "login" },
    exit: 3,
  },
  "a store that does not answer, and a token in the file": {
    faults: { failure: failure("unreachable", "no-bus") },
    options: { credentials: FILE },
    says: { store: null, next: "store" },
    exit: 0,
  },
  "a store that is switched off": {
    faults: {
      failure: failure("unreachable", "switched-off", { storeExists: false }),
    },
    says: { store: false },
    exit: 3,
  },
  "a damaged item": {
    faults: { failureOf: { get: failure("denied", "access-denied") } },
    says: { store: null, next: "store" },
    exit: 4,
  },
  "a file that cargo cannot parse": {
    options: { credentials: "[registries.corp\n token = planted-broken" },
    says: { file: null, next: "file-unusable" },
    exit: 4,
  },
};

for (
  const [what, { items = {}, faults, options, says, exit }] of Object.entries(
    CASES,
  )
) {
  Deno.test(`status tells of ${what}`, async () => {
    await using home = await scene(items, options, faults);
    const all = await status(home);
    assertEquals(all.status, 0);
    const row = corp(all.report);
    for (const [key, value] of Object.entries(says)) {
      assertEquals(row[key], value, key);
    }
    assert(!home.out.join().includes("planted"), home.out.join());
    assert(!home.openedTerminal);
    const one = await status(home, { registry: "corp" });
    assertEquals(one.status, exit);
    assertEquals(one.report.registries.length, 1);
    await run({ registry: undefined, json: false }, home.session());
    assert(!home.out.join().includes("planted"), home.out.join());
    const { handedOut } = home.store as FakeStore;
    assert(handedOut.every(({ bytes }) => bytes.every((byte) => byte === 0)));
  });
}

Deno.test("status names the file that a variable names", async () => {
  await using home = await scene({});
  const path = `${home.root}/secret`;
  await Deno.writeTextFile(path, "planted-secret\n");
  await using other = await scene({}, {
    env: { CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_CORP: path },
  });
  const { report } = await status(other);
  assertEquals(corp(report)["secret_file"], path);
  assertEquals(corp(report)["env"], true);
});

Deno.test("status calls no token a conflict that a login has superseded", async () => {
  await using home = await scene({ [CORP]: "planted-new" }, {
    credentials: FILE,
  });
  const old = Secret.fromString("planted-file");
  await updateState(
    home.home,
    (state) => supersede(state, CORP, [old]),
    { patienceMs: 1000 },
  );
  const { report } = await status(home);
  assertEquals(corp(report)["conflict"], false);
});

Deno.test("status leaves a pinned token alone", async () => {
  await using home = await scene({}, { credentials: FILE });
  await updateState(home.home, (state) => pin(state, CORP), {
    patienceMs: 1000,
  });
  const { report } = await status(home);
  assertEquals(corp(report)["pinned"], true);
  assertEquals(corp(report)["next"], null);
});

Deno.test("status lists names from everywhere, each once", async () => {
  await using home = await scene({}, {
    config: `${CONFIG}[registries.my-reg]\nindex = "${OTHER}"\n`,
    credentials: '[registries.lost]\ntoken = "planted"\n',
    env: {
      CARGO_REGISTRIES_MY_REG_TOKEN: "planted",
      CARGO_REGISTRIES_THIRD_INDEX: "sparse+https://third.example/",
      CARGO_REGISTRIES_CRATES_IO_TOKEN: "planted",
    },
  });
  const { report } = await status(home);
  assertEquals(
    report.registries.map(({ name, next }) => [name, next]),
    [
      ["crates-io", "login"],
      ["corp", "login"],
      ["lost", "no-index"],
      ["my-reg", null],
      ["third", "login"],
    ],
  );
});

Deno.test("status lists a stored token that no name leads to", async () => {
  await using home = await scene({ [CORP]: "planted", [GONE]: "planted" });
  const { report } = await status(home);
  const row = report.registries.at(-1);
  assertEquals(row?.name, null);
  assertEquals(row?.index_url, GONE);
  assertEquals(row?.next, "adopt");
  assertStringIncludes(
    row?.message ?? "",
    `migrate --registry NAME --from ${GONE}`,
  );
});

Deno.test("status tells of a name that a project has bound elsewhere", async () => {
  await using home = await scene({}, { credentials: FILE });
  await home.writeProject(`[registries.corp]\nindex = "${OTHER}"\n`);
  const { report } = await status(home);
  const rows = report.registries.filter(({ name }) => name === "corp");
  assertEquals(rows.map(({ index_url, next }) => [index_url, next]), [
    [OTHER, "rebound"],
    [CORP, "migrate"],
  ]);
  assertEquals((await status(home, { registry: "corp" })).status, 3);
});

/** Notes the deadlines that it is given. */
class WatchedStore extends FakeStore {
  readonly signals = new Set<AbortSignal>();

  override get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome> {
    this.signals.add(options.signal);
    return super.get(key, options);
  }
}

Deno.test("status waits once for a store that never answers", async () => {
  const config = Array.from(
    { length: 20 },
    (_, i) => `[registries.r${i}]\nindex = "sparse+https://r${i}.example/"\n`,
  ).join("");
  const store = new WatchedStore({}, { hangs: true });
  await using home = await scene({}, {
    config,
    store,
    env: { CARGO_CREDENTIAL_KEYRING_TIMEOUT: "0.2" },
  });
  const { report } = await status(home);
  assertEquals(report.store["state"], "timeout");
  assert(report.registries.every(({ store }) => store === null));
  assertEquals(store.signals.size, 1);
});

Deno.test("status believes the store's list where time has run out", async () => {
  await using home = await scene({ [CORP]: "planted" }, {}, {
    failureOf: { get: failure("timeout", "deadline") },
  });
  const { report } = await status(home);
  assertEquals(report.registries.map(({ name, store }) => [name, store]), [
    ["crates-io", false],
    ["corp", true],
  ]);
});

Deno.test("status fits every screen and cuts nothing", async () => {
  await using home = await scene(
    { [CORP]: "planted-store", [GONE]: "planted" },
    { credentials: FILE },
  );
  const overview = await takeInventory(home.session());
  const rows = statusRows(overview);
  const words = (lines: readonly string[]): string =>
    lines.map(stripAnsiCode).join("").replaceAll(/\s/g, "");
  for (const width of [40, 60, 80, 120, 200]) {
    for (const color of [false, true]) {
      const lines = renderColumns(rows, { width, color });
      for (const line of lines.map(stripAnsiCode)) {
        assert(displayWidth(line) <= width, `${width}: ${line}`);
      }
      assertEquals(
        lines.join("") !== lines.map(stripAnsiCode).join(""),
        color && !Deno.noColor,
      );
      const all = words(lines);
      if (width === 40) {
        assertStringIncludes(all, "`cargo-credential-keyringmigrate--registry");
        assertStringIncludes(all, CORP);
      }
      assertEquals(
        [...all].sort().join(),
        [
          ...words(renderColumns(rows, { width: undefined, color: false })),
        ].sort().join(),
      );
    }
  }
  assertEquals(storeLine(overview.store), "The fake store: available");
});

Deno.test("status in a pipe is one line for each registry", async () => {
  await using home = await scene({ [CORP]: "planted" });
  await run({ registry: undefined, json: false }, home.session());
  assertEquals(home.out.map((line) => line.replaceAll(/ {2,}/g, " | ")), [
    "Registry | Token | Asked | What to do next",
    "crates-io | none | cargo-credential-keyring, cargo:token | " +
    "`cargo login` stores one",
    `corp (${CORP}) | the fake store | cargo-credential-keyring, cargo:token`,
    "",
    "The fake store: available",
  ]);
});
