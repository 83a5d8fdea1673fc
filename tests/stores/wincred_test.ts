import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Credential,
  deleteCredential,
  PERSIST,
  readCredential,
  writeCredential,
} from "../../ffi/advapi32.ts";
import { Secret } from "../../src/base/secret.ts";
import {
  tokenFromBlob,
  wincredFailure,
  WincredStore,
} from "../../src/stores/wincred.ts";
import { onWindows, uniqueIndexUrl } from "../support/windows.ts";

const TOKEN = "planted-wincred-token";

const options = { signal: new AbortController().signal };

/** What credential/cargo-credential-wincred/src/lib.rs passes to CredWriteW. */
function asCargoWrites(indexUrl: string, token: string): Credential {
  return {
    targetName: `cargo-registry:${indexUrl}`,
    comment: "Cargo registry token",
    blob: new TextEncoder().encode(token),
    persist: PERSIST.LOCAL_MACHINE,
  };
}

/** Runs a test on a registry of its own and leaves nothing behind. */
async function withRegistry(
  test: (store: WincredStore, indexUrl: string) => Promise<void>,
): Promise<void> {
  const store = new WincredStore();
  const indexUrl = uniqueIndexUrl();
  try {
    await test(store, indexUrl);
  } finally {
    await store.erase({ indexUrl }, options);
  }
}

async function tokenOf(
  store: WincredStore,
  indexUrl: string,
): Promise<string | undefined> {
  const outcome = await store.get({ indexUrl }, options);
  return outcome.kind === "found" ? outcome.token.reveal() : undefined;
}

function causeOf(outcome: object): unknown {
  return "cause" in outcome ? outcome.cause : outcome;
}

Deno.test("wincredFailure() words every error code", () => {
  const table = [
    [5, "denied", "access-denied", "denied access"],
    [8, "denied", "store-full", "full"],
    [14, "denied", "store-full", "full"],
    [87, "denied", "too-large", "too long"],
    [1260, "denied", "forbidden-by-policy", "policy"],
    [1312, "unreachable", "no-logon-session", "ssh"],
    [1312, "unreachable", "no-logon-session", "WinRM"],
    [1783, "denied", "too-large", "too long"],
    [0, "unreachable", "service-failed", "without saying why"],
    [1004, "unreachable", "service-failed", "1004"],
    [4711, "unreachable", "service-failed", "4711"],
  ] as const;
  for (const [code, kind, cause, word] of table) {
    const failure = wincredFailure(code);
    assert(failure.kind !== "absent", `${code}`);
    assertEquals([failure.kind, failure.cause], [kind, cause], `${code}`);
    assertEquals(failure.storeExists, true, `${code}`);
    assertStringIncludes(failure.reason, word);
    assert(!failure.reason.endsWith("."), failure.reason);
    assert(failure.remedy.endsWith("."), failure.remedy);
  }
});

Deno.test("wincredFailure() takes 1168 alone for absent", () => {
  for (let code = 0; code < 20_000; code++) {
    assertEquals(wincredFailure(code).kind === "absent", code === 1168);
  }
});

Deno.test("tokenFromBlob() reads UTF-8, and UTF-16 of other tools", () => {
  const table: readonly (readonly [readonly number[], string])[] = [
    [[], ""],
    [[0x61], "a"],
    [[0x61, 0x62], "ab"],
    [[0x61, 0x00], "a"],
    [[0x61, 0x00, 0x62, 0x00], "ab"],
    [[0x61, 0x62, 0x63, 0x00], "abc\0"],
    [[0x61, 0x00, 0x62], "a\0b"],
    [[0x00, 0x61], "\0a"],
    [[0x00, 0x00], "\0\0"],
    [[0xc3, 0xa4], "\u00e4"],
  ];
  for (const [bytes, token] of table) {
    const blob = new Uint8Array(bytes);
    assertEquals(tokenFromBlob(blob).reveal(), token, `${bytes}`);
  }
});

Deno.test("tokenFromBlob() leaves no copy of the token", () => {
  const wide = new Uint8Array([0x61, 0x00, 0x62, 0x00]);
  tokenFromBlob(wide);
  assertEquals([...wide], [0, 0, 0, 0]);
  const plain = new Uint8Array([0x61, 0x62]);
  tokenFromBlob(plain).wipe();
  assertEquals([...plain], [0, 0]);
});

Deno.test("WincredStore answers timeout once the deadline has passed", async () => {
  const store = new WincredStore();
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

Deno.test("WincredStore.set() refuses 2561 bytes before it asks Windows", async () => {
  const store = new WincredStore();
  const indexUrl = uniqueIndexUrl();
  const token = new Secret(new Uint8Array(2561).fill(65));
  const outcome = await store.set({ indexUrl }, token, options);
  assertEquals(causeOf(outcome), "too-large");
  assert("reason" in outcome);
  assertStringIncludes(outcome.reason, "2560 bytes");
  const got = await store.get({ indexUrl }, options);
  assert(got.kind !== "found");
});

if (Deno.build.os !== "windows") {
  Deno.test("WincredStore does not exist outside of Windows", async () => {
    const store = new WincredStore();
    const key = { indexUrl: uniqueIndexUrl() };
    const token = Secret.fromString(TOKEN);
    const outcomes = [
      await store.get(key, options),
      await store.prepare(options),
      await store.set(key, token, options),
      await store.verify(key, token, options),
      await store.erase(key, options),
      await store.list(options),
    ];
    for (const outcome of outcomes) {
      assertEquals(causeOf(outcome), "library-missing");
      assert("storeExists" in outcome && !outcome.storeExists);
    }
  });
}

onWindows(
  "WincredStore stores, replaces, lists and erases a token",
  async () => {
    await withRegistry(async (store, indexUrl) => {
      const key = { indexUrl, name: "example" };
      const token = Secret.fromString(TOKEN);
      assertEquals(await store.get(key, options), { kind: "absent" });
      assertEquals(await store.prepare(options), {
        kind: "ready",
        durable: true,
        plaintext: false,
      });
      assertEquals(await store.set(key, token, options), { kind: "stored" });
      assertEquals(token.reveal(), TOKEN);
      assertEquals(await store.verify(key, token, options), {
        kind: "stored",
        keeps: "on-disk",
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
  },
);

onWindows("WincredStore keeps tokens of 0 to 2560 bytes", async () => {
  await withRegistry(async (store, indexUrl) => {
    for (let length = 0; length <= 2560; length += 64) {
      const bytes = new Uint8Array(length).map((_, i) => 33 + (i * 7) % 94);
      const token = new Secret(bytes);
      assertEquals(await store.set({ indexUrl }, token, options), {
        kind: "stored",
      });
      assertEquals(
        await store.verify({ indexUrl }, token, options),
        { kind: "stored", keeps: "on-disk" },
        `${length}`,
      );
    }
  });
});

onWindows("WincredStore keeps tokens of non-ASCII index URLs", async () => {
  const store = new WincredStore();
  for (
    const end of ["\u00fcber", "\u{1f980}", "%C3%BC", "?a=b&c#d", "*", " "]
  ) {
    const indexUrl = uniqueIndexUrl() + end;
    const token = Secret.fromString(TOKEN + end);
    await store.set({ indexUrl }, token, options);
    assertEquals(await tokenOf(store, indexUrl), TOKEN + end);
    assertEquals((await store.erase({ indexUrl }, options)).kind, "erased");
  }
});

onWindows("WincredStore finds what cargo:wincred has stored", async () => {
  await withRegistry(async (store, indexUrl) => {
    writeCredential(asCargoWrites(indexUrl, TOKEN));
    assertEquals(await tokenOf(store, indexUrl), TOKEN);
    assertEquals((await store.erase({ indexUrl }, options)).kind, "erased");
  });
});

onWindows("WincredStore writes what cargo:wincred writes", async () => {
  await withRegistry(async (store, indexUrl) => {
    await store.set({ indexUrl }, Secret.fromString(TOKEN), options);
    assertEquals(
      readCredential(`cargo-registry:${indexUrl}`),
      asCargoWrites(indexUrl, TOKEN),
    );
  });
});

onWindows("WincredStore reads UTF-16 and replaces it with UTF-8", async () => {
  await withRegistry(async (store, indexUrl) => {
    const wide = [...TOKEN].join("\0") + "\0";
    writeCredential({
      ...asCargoWrites(indexUrl, wide),
      persist: PERSIST.ENTERPRISE,
    });
    assertEquals(await tokenOf(store, indexUrl), TOKEN);
    await store.set({ indexUrl }, Secret.fromString(TOKEN), options);
    assertEquals(
      readCredential(`cargo-registry:${indexUrl}`),
      asCargoWrites(indexUrl, TOKEN),
    );
  });
});

onWindows("WincredStore.verify() refuses another token and none", async () => {
  await withRegistry(async (store, indexUrl) => {
    const token = Secret.fromString(TOKEN);
    const none = await store.verify({ indexUrl }, token, options);
    assertEquals(causeOf(none), "not-kept");
    await store.set({ indexUrl }, Secret.fromString("another"), options);
    const another = await store.verify({ indexUrl }, token, options);
    assertEquals(causeOf(another), "not-kept");
  });
});

onWindows(
  "WincredStore never takes another registry's token that differs in case",
  async () => {
    await withRegistry(async (store, indexUrl) => {
      const token = Secret.fromString(TOKEN);
      const other = { indexUrl: indexUrl.replace("/index/", "/INDEX/") };
      await store.set({ indexUrl }, token, options);

      assertEquals(await store.get(other, options), { kind: "absent" });
      assertEquals(await store.erase(other, options), { kind: "absent" });
      const refused = await store.set(other, Secret.fromString("x"), options);
      assertEquals(causeOf(refused), "access-denied");
      assert("reason" in refused);
      assertStringIncludes(refused.reason, `another registry`);

      assertEquals(await store.verify({ indexUrl }, token, options), {
        kind: "stored",
        keeps: "on-disk",
      });
    });
  },
);

onWindows("WincredStore is read by another process", async () => {
  await withRegistry(async (store, indexUrl) => {
    await store.set({ indexUrl }, Secret.fromString(TOKEN), options);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--no-config",
        "--frozen",
        "--allow-ffi",
        new URL("wincred_child.ts", import.meta.url).href,
        indexUrl,
      ],
    }).output();
    assertEquals(code, 0);
    assertEquals(new TextDecoder().decode(stdout), TOKEN);
  });
});

onWindows(
  "WincredStore.list() passes over names of other programs",
  async () => {
    const store = new WincredStore();
    const targetName = `Cargo-Registry:${uniqueIndexUrl()}`;
    const blob = new Uint8Array([65]);
    writeCredential({ targetName, blob, persist: PERSIST.SESSION });
    try {
      const listed = await store.list(options);
      assert(listed.kind === "items");
      const names = listed.items.map(({ indexUrl }) => indexUrl);
      assert(!names.some((name) => targetName.endsWith(name)), names.join());
    } finally {
      deleteCredential(targetName);
    }
  },
);
