import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { searchKey } from "../../ffi/keyutils.ts";
import { Secret } from "../../src/base/secret.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { keyFailure, Keyutils } from "../../src/stores/keyutils.ts";
import { kernelKeys, uniqueIndexUrl } from "../support/kernel_keys.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "the keys are the kernel's");

const ROOT = new URL("../../", import.meta.url).pathname;
const TOKEN = "planted-keyutils-token";

const options = { signal: new AbortController().signal };

/** Runs a test on a registry of its own and leaves no key behind. */
async function withRegistry(
  test: (store: Keyutils, indexUrl: string) => Promise<void>,
): Promise<void> {
  const store = new Keyutils();
  const indexUrl = uniqueIndexUrl();
  try {
    await test(store, indexUrl);
  } finally {
    await store.erase({ indexUrl }, options);
  }
}

async function tokenOf(
  store: Keyutils,
  indexUrl: string,
): Promise<string | undefined> {
  const outcome = await store.get({ indexUrl }, options);
  return outcome.kind === "found" ? outcome.token.reveal() : undefined;
}

linux.test("Keyutils stores, replaces, lists and erases a token", async () => {
  await withRegistry(async (store, indexUrl) => {
    const key = { indexUrl, name: "example" };
    const token = Secret.fromString(TOKEN);
    assertEquals(await store.get(key, options), { kind: "absent" });
    assertEquals(await store.prepare(options), {
      kind: "ready",
      durable: false,
      plaintext: false,
    });

    assertEquals(await store.set(key, token, options), { kind: "stored" });
    assertEquals(await store.verify(key, token, options), {
      kind: "stored",
      keeps: "in-memory",
    });
    assertEquals(await tokenOf(store, indexUrl), TOKEN);

    const second = Secret.fromString("second");
    assertEquals(await store.set(key, second, options), { kind: "stored" });
    assertEquals(await tokenOf(store, indexUrl), "second");

    const listed = await store.list(options);
    assert(listed.kind === "items");
    const ours = listed.items.filter((item) => item.indexUrl === indexUrl);
    assertEquals(ours, [{ indexUrl }]);

    assertEquals(await store.erase(key, options), {
      kind: "erased",
      remaining: [],
    });
    assertEquals(await store.get(key, options), { kind: "absent" });
    assertEquals(await store.erase(key, options), { kind: "absent" });
    const after = await store.list(options);
    assert(after.kind === "items");
    assert(!after.items.some((item) => item.indexUrl === indexUrl));
  });
});

linux.test("Keyutils.verify() refuses another token and none", async () => {
  await withRegistry(async (store, indexUrl) => {
    const token = Secret.fromString(TOKEN);
    const none = await store.verify({ indexUrl }, token, options);
    assertEquals("cause" in none && none.cause, "not-kept");
    await store.set({ indexUrl }, Secret.fromString("another"), options);
    const another = await store.verify({ indexUrl }, token, options);
    assertEquals("cause" in another && another.cause, "not-kept");
  });
});

linux.test("Keyutils keeps tokens of any bytes up to 32,767", async () => {
  await withRegistry(async (store, indexUrl) => {
    const bytes = crypto.getRandomValues(new Uint8Array(32_767));
    const token = new Secret(bytes);
    await store.set({ indexUrl }, token, options);
    assertEquals(await store.verify({ indexUrl }, token, options), {
      kind: "stored",
      keeps: "in-memory",
    });
    const longer = new Secret(new Uint8Array(32_768).fill(65));
    const refused = await store.set({ indexUrl }, longer, options);
    assertEquals("cause" in refused && refused.cause, "too-large");
    assertEquals(await store.verify({ indexUrl }, token, options), {
      kind: "stored",
      keeps: "in-memory",
    });
  });
});

linux.test("Keyutils tells index URLs apart byte for byte", async () => {
  await withRegistry(async (store, indexUrl) => {
    await store.set({ indexUrl }, Secret.fromString(TOKEN), options);
    assertEquals(await tokenOf(store, indexUrl.toUpperCase()), undefined);
    assertEquals(await tokenOf(store, indexUrl.slice(0, -1)), undefined);
    assertEquals(await tokenOf(store, `${indexUrl}/`), undefined);
  });
});

linux.test("Keyutils answers timeout once the deadline has passed", async () => {
  const store = new Keyutils();
  const late = { signal: AbortSignal.abort() };
  const key = { indexUrl: uniqueIndexUrl() };
  const token = Secret.fromString(TOKEN);
  const outcomes = [
    await store.get(key, late),
    await store.prepare(late),
    await store.set(key, token, late),
    await store.verify(key, token, late),
    await store.erase(key, late),
    await store.list(late),
  ];
  for (const outcome of outcomes) assertEquals(outcome.kind, "timeout");
});

linux.test("Keyutils takes revoked and expired keys for absent", async () => {
  await withRegistry(async (store, indexUrl) => {
    const token = Secret.fromString(TOKEN);
    await store.set({ indexUrl }, token, options);
    await kernelKeys(["revoke", `${searchKey(`cargo-registry:${indexUrl}`)}`]);
    assertEquals(await store.get({ indexUrl }, options), { kind: "absent" });
    await store.set({ indexUrl }, token, options);
    assertEquals(await tokenOf(store, indexUrl), TOKEN);
  });
});

linux.test("Keyutils takes a key that it may not read for denied", async () => {
  await withRegistry(async (store, indexUrl) => {
    await store.set({ indexUrl }, Secret.fromString(TOKEN), options);
    await kernelKeys(["close", `${searchKey(`cargo-registry:${indexUrl}`)}`]);
    const outcome = await store.get({ indexUrl }, options);
    assertEquals("cause" in outcome && outcome.cause, "access-denied");
    // A new key takes the place of the closed one.
    await store.set({ indexUrl }, Secret.fromString("second"), options);
    assertEquals(await tokenOf(store, indexUrl), "second");
  });
});

Deno.test("keyFailure() words every refusal of the kernel", () => {
  const table = [
    ["EPERM", "unreachable", "forbidden-by-kernel", false],
    ["ENOSYS", "unreachable", "forbidden-by-kernel", false],
    ["EDQUOT", "denied", "store-full", true],
    ["ENOMEM", "denied", "store-full", true],
    ["EACCES", "denied", "access-denied", true],
    ["EKEYREJECTED", "denied", "access-denied", true],
    ["EINVAL", "denied", "too-large", true],
    ["other", "unreachable", "service-failed", true],
  ] as const;
  for (const [code, kind, cause, storeExists] of table) {
    const failure = keyFailure(code);
    assert(failure.kind !== "absent");
    assertEquals([failure.kind, failure.cause], [kind, cause], code);
    assertEquals(failure.storeExists, storeExists, code);
    assertStringIncludes(failure.reason, "gone at the next boot");
    assert(!failure.reason.endsWith("."), failure.reason);
    assert(failure.remedy.endsWith("."), failure.remedy);
  }
  for (const code of ["ENOKEY", "EKEYEXPIRED", "EKEYREVOKED"] as const) {
    assertEquals(keyFailure(code), { kind: "absent" }, code);
  }
});

Deno.test("Keyutils.title says how long tokens are kept", () => {
  assertStringIncludes(new Keyutils().title, "gone at the next boot");
});

/** Runs one call of the store in a process of its own under the helper. */
async function child(
  helper: readonly string[],
  directory: string,
  operation: string,
  indexUrl: string,
): Promise<StoreFailure> {
  const { stdout, stderr, code } = await kernelKeys([
    ...helper,
    Deno.execPath(),
    "run",
    "--no-config",
    "--no-check",
    "--allow-ffi",
    `${directory}/tests/stores/keyutils_child.ts`,
    operation,
    indexUrl,
  ], {
    clearEnv: true,
    cwd: directory,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      DENO_DIR: `${directory}/deno`,
      HOME: directory,
    },
  });
  assertEquals(code, 0, stderr);
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

/** A copy of what the child loads, which every user can read. */
async function publicCopy(): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "keyutils-test-" });
  await Deno.chmod(directory, 0o755);
  for (
    const folder of [
      "ffi",
      "src",
      "src/base",
      "src/stores",
      "tests",
      "tests/stores",
    ]
  ) {
    await Deno.mkdir(`${directory}/${folder}`, { recursive: true });
    await Deno.chmod(`${directory}/${folder}`, 0o755);
  }
  await Deno.mkdir(`${directory}/deno`);
  await Deno.chmod(`${directory}/deno`, 0o777);
  const files = [
    "ffi/_functions.ts",
    "ffi/_memory.ts",
    "ffi/keyutils.ts",
    "ffi/libc.ts",
    "src/base/secret.ts",
    "src/stores/credential_store.ts",
    "src/stores/item_name.ts",
    "src/stores/keyutils.ts",
    "src/stores/store_failure.ts",
    "src/stores/verify_by_get.ts",
    "tests/stores/keyutils_child.ts",
  ];
  for (const file of files) {
    await Deno.copyFile(ROOT + file, `${directory}/${file}`);
    await Deno.chmod(`${directory}/${file}`, 0o644);
  }
  return directory;
}

linux.test("Keyutils is unreachable where seccomp forbids the calls", async () => {
  const directory = await publicCopy();
  try {
    for (const answer of ["EPERM", "ENOSYS"]) {
      for (const operation of ["get", "prepare", "set", "erase", "list"]) {
        const outcome = await child(
          ["forbid", answer],
          directory,
          operation,
          uniqueIndexUrl(),
        );
        const name = `${operation} with ${answer}`;
        assertEquals(outcome.kind, "unreachable", name);
        assertEquals(outcome.cause, "forbidden-by-kernel", name);
        assertEquals(outcome.storeExists, false, name);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

linux.test("Keyutils.set() says that the quota is used up", async () => {
  const directory = await publicCopy();
  const uid = Deno.uid() === 0 ? 64_123 : Deno.uid() ?? 0;
  try {
    const outcome = await child(
      ["full", `${uid}`],
      directory,
      "set",
      uniqueIndexUrl(),
    );
    assertEquals(outcome.kind, "denied");
    assertEquals(outcome.cause, "store-full");
    assert(!JSON.stringify(outcome).includes(TOKEN));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
