import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  describeKey,
  invalidateKey,
  KeyError,
  type KeyErrorCode,
  listKeys,
  putKey,
  readKey,
  searchKey,
} from "../../ffi/keyutils.ts";
import { kernelKeys, uniqueIndexUrl } from "../support/kernel_keys.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "the keys are the kernel's");

const encoder = new TextEncoder();

/** Runs a test on a key of its own and leaves nothing behind. */
async function withKey(
  payload: string,
  test: (description: string) => void | Promise<void>,
): Promise<void> {
  const description = `test:${uniqueIndexUrl()}`;
  putKey(description, encoder.encode(payload));
  try {
    await test(description);
  } finally {
    erase(description);
  }
}

function erase(description: string): void {
  try {
    invalidateKey(searchKey(description));
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
  }
}

function codeOf(call: () => unknown): KeyErrorCode {
  return assertThrows(call, KeyError).code;
}

linux.test("putKey() files a payload that readKey() reads", async () => {
  await withKey("one", (description) => {
    const key = searchKey(description);
    assertEquals(readKey(key), encoder.encode("one"));
    assert(listKeys().includes(key));
  });
});

linux.test("putKey() replaces a key and leaves a single one", async () => {
  await withKey("one", (description) => {
    const before = searchKey(description);
    putKey(description, encoder.encode("two"));
    const after = searchKey(description);
    assertEquals(readKey(after), encoder.encode("two"));
    assert(!listKeys().includes(before));
  });
});

linux.test("putKey() gives access to the owner alone", async () => {
  await withKey("one", (description) => {
    const described = describeKey(searchKey(description));
    assertEquals(described, {
      type: "user",
      permissions: 0x3f3f0000,
      description,
    });
  });
});

linux.test("putKey() files what another session of the owner reads", async () => {
  await withKey("across sessions", async (description) => {
    const key = searchKey(description);
    const { stdout } = await kernelKeys(["read", `${key}`]);
    assertEquals(stdout, "across sessions");
  });
});

linux.test("readKey() reads payloads of every length that there is", async () => {
  for (const length of [1, 4095, 4096, 4097, 32_767]) {
    await withKey("x".repeat(length), (description) => {
      assertEquals(readKey(searchKey(description)).length, length);
    });
  }
});

linux.test("putKey() refuses payloads that are too long or empty", () => {
  const description = `test:${uniqueIndexUrl()}`;
  for (const length of [0, 32_768]) {
    const payload = new Uint8Array(length);
    assertEquals(codeOf(() => putKey(description, payload)), "EINVAL");
    assertEquals(codeOf(() => searchKey(description)), "ENOKEY");
  }
});

linux.test("putKey() leaves the old key when it fails", async () => {
  await withKey("old", (description) => {
    codeOf(() => putKey(description, new Uint8Array(32_768)));
    assertEquals(readKey(searchKey(description)), encoder.encode("old"));
  });
});

linux.test("describeKey() gives descriptions with semicolons back", () => {
  const description = `test:${crypto.randomUUID()};a;b`;
  putKey(description, encoder.encode("x"));
  const key = searchKey(description);
  try {
    assertEquals(describeKey(key).description, description);
  } finally {
    invalidateKey(key);
  }
});

linux.test("searchKey() tells absent, revoked and expired keys", async () => {
  assertEquals(codeOf(() => searchKey(uniqueIndexUrl())), "ENOKEY");
  await withKey("one", async (description) => {
    await kernelKeys(["revoke", `${searchKey(description)}`]);
    assertEquals(codeOf(() => searchKey(description)), "EKEYREVOKED");
    putKey(description, encoder.encode("two"));
    assertEquals(readKey(searchKey(description)), encoder.encode("two"));
    await kernelKeys(["timeout", `${searchKey(description)}`]);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assertEquals(codeOf(() => searchKey(description)), "EKEYEXPIRED");
    putKey(description, encoder.encode("three"));
    assertEquals(readKey(searchKey(description)), encoder.encode("three"));
  });
});

linux.test("invalidateKey() makes a key unreadable at once", async () => {
  await withKey("one", (description) => {
    const key = searchKey(description);
    invalidateKey(key);
    codeOf(() => readKey(key));
    codeOf(() => searchKey(description));
  });
});
