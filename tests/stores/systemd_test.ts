import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { fileURLToPath } from "node:url";
import { Secret } from "../../src/base/secret.ts";
import type {
  FailureCause,
  FailureKind,
  StoreFailure,
} from "../../src/stores/credential_store.ts";
import {
  socketFailure,
  SystemdStore,
  varlinkFailure,
} from "../../src/stores/systemd.ts";
import {
  ANOTHER_UID,
  type CredentialService,
  startCredentialService,
} from "../support/credential_service.ts";
import {
  type Misbehaviour,
  startStandIn,
} from "../support/credential_service_stand_in.ts";
import { KillShim, type ShimRule } from "../support/kill_shim.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "systemd is Linux's");

const TOKEN = "planted-systemd-token";
const URL_A = "sparse+https://a.example/index/";
const URL_B = "sparse+https://b.example/index/";

const options = { signal: new AbortController().signal };

/** A store with a service and a cargo home of its own. */
interface Scene extends AsyncDisposable {
  readonly store: SystemdStore;
  readonly service: CredentialService;
  readonly home: string;
}

async function scene(
  start: () => Promise<CredentialService> = startCredentialService,
): Promise<Scene> {
  const service = await start();
  const root = await Deno.makeTempDir({ prefix: "store-" });
  const home = `${root}/.cargo`;
  return {
    store: new SystemdStore(home, { socket: service.socket }),
    service,
    home,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

async function tokenOf(
  store: SystemdStore,
  indexUrl: string,
): Promise<string | undefined> {
  const outcome = await store.get({ indexUrl }, options);
  return outcome.kind === "found" ? outcome.token.reveal() : undefined;
}

async function set(
  store: SystemdStore,
  indexUrl: string,
  token = TOKEN,
): Promise<void> {
  assertEquals(
    await store.set({ indexUrl }, Secret.fromString(token), options),
    { kind: "stored" },
  );
}

function files(home: string): string[] {
  return [...Deno.readDirSync(home)].map(({ name }) => name).sort();
}

async function nameOf(indexUrl: string): Promise<string> {
  const bytes = new TextEncoder().encode(indexUrl);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return hash.toHex();
}

async function pathOf(home: string, indexUrl: string): Promise<string> {
  return `${home}/.credential-keyring-${await nameOf(indexUrl)}.json`;
}

async function blobOf(home: string, indexUrl: string): Promise<string> {
  const text = await Deno.readTextFile(await pathOf(home, indexUrl));
  return JSON.parse(text).blob;
}

async function writeBlob(
  home: string,
  indexUrl: string,
  blob: string,
): Promise<void> {
  await Deno.mkdir(home, { recursive: true });
  await Deno.writeTextFile(
    await pathOf(home, indexUrl),
    JSON.stringify({ "index-url": indexUrl, blob }),
  );
}

function assertFailure(
  outcome: { readonly kind: string },
  kind: FailureKind,
  reason: RegExp,
): asserts outcome is StoreFailure {
  assert("reason" in outcome && "remedy" in outcome, Deno.inspect(outcome));
  assertEquals(outcome.kind, kind, Deno.inspect(outcome));
  assertMatch(String(outcome.reason), reason);
  assert(!String(outcome.reason).endsWith("."));
  assert(String(outcome.remedy).endsWith("."));
}

linux.test("SystemdStore stores, replaces, lists and erases a token", async () => {
  await using at = await scene();
  const { store, home } = at;
  const key = { indexUrl: URL_A, name: "example" };
  const token = Secret.fromString(TOKEN);
  assertEquals(await store.get(key, options), { kind: "absent" });
  assertEquals(await store.list(options), { kind: "items", items: [] });
  assertEquals(await store.erase(key, options), { kind: "absent" });
  assertEquals(await store.prepare(options), {
    kind: "ready",
    durable: true,
    plaintext: false,
  });

  assertEquals(await store.set(key, token, options), { kind: "stored" });
  assertEquals(await store.verify(key, token, options), {
    kind: "stored",
    keeps: "on-disk",
  });
  const found = await store.get(key, options);
  assert(found.kind === "found");
  assertEquals(found.token.reveal(), TOKEN);
  assertEquals([found.others, found.keeps], [[], "on-disk"]);

  await set(store, URL_A, "second");
  assertEquals(await tokenOf(store, URL_A), "second");
  await set(store, URL_B, "other");
  const listed = await store.list(options);
  assert(listed.kind === "items");
  assertEquals(
    listed.items.map(({ indexUrl }) => indexUrl).sort(),
    [URL_A, URL_B],
  );

  assertEquals(await store.erase(key, options), {
    kind: "erased",
    remaining: [],
  });
  assertEquals(await store.get(key, options), { kind: "absent" });
  assertEquals(await tokenOf(store, URL_B), "other");
  await store.erase({ indexUrl: URL_B }, options);
  assertEquals(files(home), []);
});

linux.test("SystemdStore keeps nothing readable, and nothing but its file", async () => {
  await using at = await scene();
  const { store, home, service } = at;
  assertEquals((await store.prepare(options)).kind, "ready");
  await set(store, URL_A);
  await set(store, URL_A);
  assertEquals((await store.prepare(options)).kind, "ready");
  const path = await pathOf(home, URL_A);
  assertEquals(files(home).map((name) => `${home}/${name}`), [path]);
  assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  const text = await Deno.readTextFile(path);
  assertStringIncludes(text, URL_A);
  if (service.real) {
    const bytes = Uint8Array.fromBase64(JSON.parse(text).blob);
    assert(!new TextDecoder().decode(bytes).includes(TOKEN));
  }
});

linux.test("SystemdStore keeps tokens of any bytes, and none that is too long", async () => {
  await using at = await scene();
  const { store } = at;
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (
    const bytes of [new Uint8Array(), all, new Uint8Array(512 * 1024).fill(65)]
  ) {
    const token = new Secret(bytes);
    const key = { indexUrl: URL_A };
    assertEquals(await store.set(key, token, options), { kind: "stored" });
    const found = await store.get(key, options);
    assert(found.kind === "found");
    assertEquals(found.token.bytes, bytes);
  }
  const longer = new Secret(new Uint8Array(512 * 1024 + 1));
  const outcome = await store.set({ indexUrl: URL_A }, longer, options);
  assertEquals("cause" in outcome && outcome.cause, "too-large");
});

linux.test("SystemdStore.verify() refuses another token and none", async () => {
  await using at = await scene();
  const { store } = at;
  const key = { indexUrl: URL_A };
  const token = Secret.fromString(TOKEN);
  const none = await store.verify(key, token, options);
  assertEquals("cause" in none && none.cause, "not-kept");
  await set(store, URL_A, "another");
  const another = await store.verify(key, token, options);
  assertEquals("cause" in another && another.cause, "not-kept");
});

linux.test("SystemdStore's credentials are those of systemd-creds", async () => {
  await using at = await scene();
  const { store, home, service } = at;
  await set(store, URL_A);
  const name = `cargo-registry-${await nameOf(URL_A)}`;
  const blob = await blobOf(home, URL_A);
  assertEquals(await service.decrypt(name, blob), TOKEN);

  const own = `cargo-registry-${await nameOf(URL_B)}`;
  await writeBlob(home, URL_B, await service.encrypt(own, "by hand"));
  assertEquals(await tokenOf(store, URL_B), "by hand");
});

linux.test("SystemdStore denies what another user has encrypted", async () => {
  await using at = await scene();
  const { store, home, service } = at;
  const name = `cargo-registry-${await nameOf(URL_A)}`;
  const blob = await service.encrypt(name, TOKEN, ANOTHER_UID);
  await writeBlob(home, URL_A, blob);
  const outcome = await store.get({ indexUrl: URL_A }, options);
  assertFailure(outcome, "denied", /another user or another machine/);
  assertStringIncludes(outcome.remedy, "export");
});

linux.test("SystemdStore denies what another machine has encrypted", async () => {
  await using at = await scene();
  await set(at.store, URL_A);
  await using elsewhere = await startCredentialService();
  const store = new SystemdStore(at.home, { socket: elsewhere.socket });
  const outcome = await store.get({ indexUrl: URL_A }, options);
  assertFailure(outcome, "denied", /another user or another machine/);
  // A login there takes its place.
  await set(store, URL_A, "newer");
  assertEquals(await tokenOf(store, URL_A), "newer");
});

linux.test("SystemdStore takes no token for another registry's", async () => {
  await using at = await scene();
  const { store, home, service } = at;
  await set(store, URL_A, "token of a");
  await set(store, URL_B, "token of b");
  // The whole file, and the blob alone.
  await Deno.copyFile(await pathOf(home, URL_A), await pathOf(home, URL_B));
  const swapped = await store.get({ indexUrl: URL_B }, options);
  assertFailure(swapped, "denied", /another registry/);
  const listed = await store.list(options);
  assertEquals(listed, { kind: "items", items: [{ indexUrl: URL_A }] });
  await writeBlob(home, URL_B, await blobOf(home, URL_A));
  const exchanged = await store.get({ indexUrl: URL_B }, options);
  assertFailure(exchanged, "denied", /another registry/);
  await writeBlob(home, URL_B, await service.encrypt("some-name", "x"));
  const foreign = await store.get({ indexUrl: URL_B }, options);
  assertFailure(foreign, "denied", /another registry/);
});

linux.test("SystemdStore takes no damaged file for an absent token", async (t) => {
  await using at = await scene();
  const { store, home } = at;
  await set(store, URL_A);
  const path = await pathOf(home, URL_A);
  const whole = await Deno.readTextFile(path);
  const blob = await blobOf(home, URL_A);
  const cases: readonly (readonly [string, RegExp, () => Promise<void>])[] = [
    ["empty", /is damaged/, () => Deno.writeTextFile(path, "")],
    ["cut", /is damaged/, () => Deno.writeTextFile(path, whole.slice(0, -20))],
    ["no JSON", /is damaged/, () => Deno.writeTextFile(path, "hello")],
    ["no object", /is damaged/, () => Deno.writeTextFile(path, "null")],
    [
      "no blob",
      /is damaged/,
      () => Deno.writeTextFile(path, `{"index-url":"${URL_A}"}`),
    ],
    [
      "a short blob",
      /cannot decrypt/,
      () => writeBlob(home, URL_A, blob.slice(0, -4)),
    ],
    ["an empty blob", /cannot decrypt/, () => writeBlob(home, URL_A, "")],
    ["no Base64", /cannot decrypt/, () => writeBlob(home, URL_A, "!")],
    [
      "huge",
      /is larger than/,
      () => Deno.writeTextFile(path, " ".repeat(2_000_000)),
    ],
    ["a folder", /is not a regular file/, async () => {
      await Deno.remove(path);
      await Deno.mkdir(path);
    }],
    ["a link to nothing", /is a link to a file that is not there/, async () => {
      await Deno.remove(path);
      await Deno.symlink("nowhere", path);
    }],
    ["a FIFO", /is not a regular file/, async () => {
      await Deno.remove(path);
      await run(["/usr/bin/mkfifo", path], { env: {} });
    }],
  ];
  for (const [name, reason, damage] of cases) {
    await t.step(name, async () => {
      await damage();
      const outcome = await store.get({ indexUrl: URL_A }, options);
      assertFailure(outcome, "denied", reason);
      assertEquals((await store.list(options)).kind, "items");
      assertEquals(
        (await store.erase({ indexUrl: URL_A }, options)).kind,
        "erased",
      );
      await set(store, URL_A);
      assertEquals(await tokenOf(store, URL_A), TOKEN);
    });
  }
});

linux.test("SystemdStore says that there is no service, and still lists and erases", async () => {
  await using at = await scene();
  const { home } = at;
  await set(at.store, URL_A);
  const gone = new SystemdStore(home, { socket: `${home}/no-socket` });
  const prepared = await gone.prepare(options);
  assertFailure(prepared, "unreachable", /nobody listens/);
  assertEquals([prepared.cause, prepared.storeExists], ["no-service", false]);
  const got = await gone.get({ indexUrl: URL_A }, options);
  assertFailure(got, "unreachable", /nobody listens/);
  assertEquals(got.storeExists, true);
  assertEquals(
    (await gone.set({ indexUrl: URL_A }, Secret.fromString("x"), options)).kind,
    "unreachable",
  );
  assertEquals(await gone.get({ indexUrl: URL_B }, options), {
    kind: "absent",
  });
  assertEquals(await gone.list(options), {
    kind: "items",
    items: [{ indexUrl: URL_A }],
  });
  assertEquals(await tokenOf(at.store, URL_A), TOKEN);
  assertEquals(
    (await gone.erase({ indexUrl: URL_A }, options)).kind,
    "erased",
  );
});

linux.test("SystemdStore says that the service's socket is a dead one", async () => {
  await using at = await scene();
  await set(at.store, URL_A);
  const socket = `${at.home}/dead`;
  Deno.listen({ transport: "unix", path: socket }).close();
  await run(["/usr/bin/python3", "-c", DEAD_SOCKET, socket], { env: {} });
  const store = new SystemdStore(at.home, { socket });
  const outcome = await store.get({ indexUrl: URL_A }, options);
  assertFailure(outcome, "unreachable", /nobody listens/);
  const long = new SystemdStore(at.home, { socket: `/${"x".repeat(200)}` });
  assertFailure(await long.prepare(options), "unreachable", /ENAMETOOLONG/);
});

/** Deno takes the socket away when it stops listening. */
const DEAD_SOCKET = `
import os, socket, sys
if os.path.exists(sys.argv[1]): os.remove(sys.argv[1])
socket.socket(socket.AF_UNIX).bind(sys.argv[1])
`;

linux.test("SystemdStore waits for no service that does not answer", async () => {
  await using at = await scene(() => startStandIn({ kind: "hang" }));
  const { store, home, service } = at;
  await writeBlob(home, URL_A, await service.encrypt("x", TOKEN));
  const late = (): { signal: AbortSignal } => ({
    signal: AbortSignal.timeout(200),
  });
  const key = { indexUrl: URL_A };
  const token = Secret.fromString(TOKEN);
  assertFailure(await store.get(key, late()), "timeout", /in time/);
  assertFailure(await store.prepare(late()), "timeout", /in time/);
  assertFailure(await store.set(key, token, late()), "timeout", /in time/);
  assertFailure(await store.verify(key, token, late()), "timeout", /in time/);
  const past = { signal: AbortSignal.abort() };
  assertFailure(await store.erase(key, past), "timeout", /in time/);
  assertFailure(await store.list(past), "timeout", /in time/);
});

linux.test("SystemdStore tries again where the service has too many guests", async () => {
  await using busy = await scene(() =>
    startStandIn({ kind: "close", times: 3 })
  );
  await set(busy.store, URL_A);
  assertEquals(await tokenOf(busy.store, URL_A), TOKEN);
  await using broken = await scene(() =>
    startStandIn({ kind: "close", times: Infinity })
  );
  assertFailure(
    await broken.store.prepare(options),
    "unreachable",
    /gave no answer/,
  );
});

linux.test("SystemdStore serves a crowd", async () => {
  await using at = await scene();
  const { store } = at;
  await set(store, URL_A);
  const tokens = await Promise.all(
    Array.from({ length: 30 }, () => tokenOf(store, URL_A)),
  );
  assertEquals(new Set(tokens), new Set([TOKEN]));
  await Promise.all(
    Array.from({ length: 10 }, (_, i) => set(store, URL_A, `token ${i}`)),
  );
  assertMatch(await tokenOf(store, URL_A) ?? "", /^token \d$/);
  assertEquals(files(at.home).length, 1);
});

const ANSWERS: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["no NUL", `{"parameters":{}}`],
  ["no JSON", "hello\0"],
  ["no object", "null\0"],
  ["a list", "[]\0"],
  ["an error that is none", `{"error":3}\0`],
  ["parameters that are none", `{"parameters":[]}\0`],
  ["an answer without what was asked for", `{"parameters":{}}\0`],
  ["no string", `{"parameters":{"data":1,"blob":1}}\0`],
  ["no Base64", `{"parameters":{"data":"?"}}\0`],
  ["an answer without end", "x".repeat(5_000_000)],
];

for (const [name, text] of ANSWERS) {
  linux.test(`SystemdStore takes ${name} for a failure of the service`, async () => {
    const wrong: Misbehaviour = { kind: "answer", text };
    await using at = await scene(() => startStandIn(wrong));
    const { store, home, service } = at;
    await writeBlob(home, URL_A, await service.encrypt("x", TOKEN));
    const outcome = await store.get({ indexUrl: URL_A }, options);
    assertFailure(outcome, "unreachable", /service failed/);
  });
}

const CREDENTIALS = "io.systemd.Credentials";

/** What each error of the interface means. */
const ERRORS: readonly (readonly [
  error: string,
  parameters: Record<string, unknown>,
  kind: FailureKind,
  cause: FailureCause,
  reason: RegExp,
])[] = [
  [`${CREDENTIALS}.BadFormat`, {}, "denied", "access-denied", /machine/],
  [`${CREDENTIALS}.NameMismatch`, {}, "denied", "access-denied", /registry/],
  [`${CREDENTIALS}.TimeMismatch`, {}, "denied", "access-denied", /time/],
  [`${CREDENTIALS}.NoSuchUser`, {}, "denied", "access-denied", /database/],
  [`${CREDENTIALS}.BadScope`, {}, "denied", "access-denied", /system/],
  [`${CREDENTIALS}.CantFindPCRSignature`, {}, "denied", "access-denied", /TPM/],
  [
    `${CREDENTIALS}.NullKeyNotAllowed`,
    {},
    "denied",
    "access-denied",
    /not enc/,
  ],
  [`${CREDENTIALS}.KeyBelongsToOtherTPM`, {}, "denied", "access-denied", /TPM/],
  [
    `${CREDENTIALS}.TPMInDictionaryLockout`,
    {},
    "denied",
    "access-denied",
    /for now/,
  ],
  [
    `${CREDENTIALS}.UnexpectedPCRState`,
    {},
    "denied",
    "access-denied",
    /started/,
  ],
  [
    "io.systemd.InteractiveAuthenticationRequired",
    {},
    "denied",
    "access-denied",
    /administrator/,
  ],
  [
    "org.varlink.service.PermissionDenied",
    {},
    "denied",
    "access-denied",
    /not/,
  ],
  [
    "org.varlink.service.InvalidParameter",
    { parameter: "blob" },
    "denied",
    "access-denied",
    /damaged/,
  ],
  [
    "org.varlink.service.InvalidParameter",
    { parameter: "scope" },
    "unreachable",
    "no-service",
    /256/,
  ],
  [
    "org.varlink.service.MethodNotFound",
    {},
    "unreachable",
    "no-service",
    /256/,
  ],
  [
    "org.varlink.service.InterfaceNotFound",
    {},
    "unreachable",
    "no-service",
    /256/,
  ],
  [
    "io.systemd.System",
    { errno: 30, origin: "linux" },
    "unreachable",
    "service-failed",
    /errno 30/,
  ],
  ["com.example.New", {}, "unreachable", "service-failed", /com\.example\.New/],
];

Deno.test("varlinkFailure() tells every error apart, and none is absence", () => {
  for (const [error, parameters, kind, cause, reason] of ERRORS) {
    const failure = varlinkFailure(error, parameters);
    assertFailure(failure, kind, reason);
    assertEquals(failure.cause, cause, error);
  }
});

Deno.test("socketFailure() tells why the service cannot be reached", () => {
  const kinds =
    (["ENOENT", "ECONNREFUSED", "EACCES", "ECANCELED", "other"] as const)
      .map((code) => {
        const { kind, cause } = socketFailure(code, true);
        return `${code}: ${kind}, ${cause}`;
      });
  assertEquals(kinds, [
    "ENOENT: unreachable, no-service",
    "ECONNREFUSED: unreachable, no-service",
    "EACCES: unreachable, no-service",
    "ECANCELED: timeout, deadline",
    "other: unreachable, service-failed",
  ]);
});

/** Runs one call in a process of its own, with faults. */
async function child(
  at: Scene,
  shim: KillShim,
  rules: readonly ShimRule[],
  operation: string,
  token = "",
): Promise<{ readonly code: number; readonly outcome: unknown }> {
  const { code, stdout } = await run([
    Deno.execPath(),
    "run",
    "--allow-all",
    "--no-check",
    fileURLToPath(new URL("./systemd_child.ts", import.meta.url)),
    operation,
    at.home,
    at.service.socket,
    URL_A,
    token,
  ], {
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? "",
      ...shim.env(at.home, rules),
    },
  });
  return { code, outcome: stdout === "" ? undefined : JSON.parse(stdout) };
}

linux.test("SystemdStore leaves the old token or the new one wherever it is killed", async () => {
  await using at = await scene();
  await using shim = await KillShim.compile();
  await set(at.store, URL_A, "old");
  const { outcome } = await child(at, shim, [], "set", "new");
  assertEquals(outcome, { kind: "stored" });
  const calls = (await shim.takeLog()).filter(({ kind }) =>
    kind.startsWith("file.")
  );
  assert(calls.length >= 5, Deno.inspect(calls));
  let killed = 0;
  for (let nth = 1; nth <= calls.length; nth++) {
    for (const action of ["kill", "kill-after"] as const) {
      await set(at.store, URL_A, "old");
      const rule = { action, kind: "file.*", nth };
      const { code } = await child(at, shim, [rule], "set", "new");
      const label = `${action} ${calls[nth - 1]?.kind}`;
      if (code === 128 + 9) killed++;
      assertMatch(await tokenOf(at.store, URL_A) ?? "", /^(old|new)$/, label);
      // What a killed one leaves behind is taken over.
      await set(at.store, URL_A, "newest");
      assertEquals(files(at.home).length, 1, label);
    }
  }
  assert(killed >= calls.length, `${killed} of ${calls.length}`);
});

linux.test("SystemdStore keeps the old token where the disk is full or broken", async () => {
  await using at = await scene();
  await using shim = await KillShim.compile();
  await set(at.store, URL_A, "old");
  for (
    const [kind, error, cause] of [
      ["file.write", "ENOSPC", "store-full"],
      ["file.write", "EDQUOT", "store-full"],
      ["file.open", "ENOSPC", "store-full"],
      ["file.open", "EROFS", "access-denied"],
      ["file.open", "EACCES", "access-denied"],
      ["file.sync", "EIO", "access-denied"],
      ["file.rename", "EIO", "access-denied"],
    ] as const
  ) {
    const rule = { action: "fail", kind, error, nth: 1 } as const;
    const { outcome } = await child(at, shim, [rule], "set", "new");
    const label = `${kind} ${error}: ${Deno.inspect(outcome)}`;
    assertEquals((outcome as StoreFailure).cause, cause, label);
    assertEquals(await tokenOf(at.store, URL_A), "old", label);
    assertEquals(files(at.home).length, 1, label);
  }
  // Before anybody is asked for a token.
  for (
    const [error, cause] of [
      ["EROFS", "access-denied"],
      ["EACCES", "access-denied"],
      ["ENOSPC", "store-full"],
    ] as const
  ) {
    const rule = { action: "fail", kind: "file.open", error, nth: 1 } as const;
    const { outcome } = await child(at, shim, [rule], "prepare");
    assertEquals((outcome as StoreFailure).cause, cause, error);
  }
  const rule = { action: "fail", kind: "file.unlink", error: "EROFS", nth: 0 };
  const { outcome } = await child(at, shim, [rule as ShimRule], "erase");
  assertEquals((outcome as StoreFailure).kind, "denied");
  assertEquals(await tokenOf(at.store, URL_A), "old");
});

if (Deno.uid() === 0) {
  linux.test("SystemdStore writes nothing into another user's home", async () => {
    await using at = await scene();
    await Deno.mkdir(at.home);
    await Deno.chown(at.home, ANOTHER_UID, ANOTHER_UID);
    assertFailure(await at.store.prepare(options), "denied", /another user/);
    const token = Secret.fromString(TOKEN);
    assertFailure(
      await at.store.set({ indexUrl: URL_A }, token, options),
      "denied",
      /another user/,
    );
    assertEquals(files(at.home), []);
  });
}
