import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  type Credential,
  deleteCredential,
  ERROR,
  listCredentials,
  MAX_BLOB_BYTES,
  PERSIST,
  readCredential,
  writeCredential,
} from "../../ffi/advapi32.ts";
import { lastError, Win32Error } from "../../ffi/kernel32.ts";
import { onWindows, uniqueTarget } from "../support/windows.ts";

function withCredential(test: (targetName: string) => void): void {
  const targetName = uniqueTarget();
  try {
    test(targetName);
  } finally {
    codeOf(() => deleteCredential(targetName));
  }
}

/** The code that a call fails with; `undefined` if it does not. */
function codeOf(call: () => unknown): number | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    assertInstanceOf(error, Win32Error);
    return error.code;
  }
}

onWindows(
  "readCredential() gives back every field of writeCredential()",
  () => {
    withCredential((targetName) => {
      const credential: Credential = {
        targetName,
        comment: "a comment \u{1f511}",
        blob: new Uint8Array([0, 1, 2, 254, 255, 0]),
        persist: PERSIST.SESSION,
        userName: "someone",
      };
      writeCredential(credential);
      assertEquals(readCredential(targetName), credential);
    });
  },
);

onWindows("readCredential() leaves out what is NULL", () => {
  withCredential((targetName) => {
    const blob = new TextEncoder().encode("t0k");
    const credential = { targetName, blob, persist: PERSIST.LOCAL_MACHINE };
    writeCredential(credential);
    assertEquals(readCredential(targetName), credential);
  });
});

onWindows(
  "writeCredential() keeps 0 to 2560 bytes and the caller's own",
  () => {
    withCredential((targetName) => {
      for (const length of [0, 1, 2, 511, 512, 2559, MAX_BLOB_BYTES]) {
        const blob = new Uint8Array(length).map((_, i) => 255 - i % 256);
        const before = blob.slice();
        writeCredential({ targetName, blob, persist: PERSIST.LOCAL_MACHINE });
        assertEquals(blob, before);
        assertEquals(readCredential(targetName).blob, before, `${length}`);
      }
    });
  },
);

onWindows("credentials may have names of any characters", () => {
  for (const name of ["\u00e4\u20ac", "\u{1f980}", "a b?c=d&e", "\ud800"]) {
    const targetName = uniqueTarget() + name;
    const blob = new TextEncoder().encode(name);
    writeCredential({ targetName, blob, persist: PERSIST.LOCAL_MACHINE });
    assertEquals(readCredential(targetName).targetName, targetName);
    deleteCredential(targetName);
    assertEquals(codeOf(() => readCredential(targetName)), ERROR.NOT_FOUND);
  }
});

onWindows("what is missing is ERROR.NOT_FOUND, every time", () => {
  const targetName = uniqueTarget();
  for (let i = 0; i < 1000; i++) {
    assertEquals(codeOf(() => readCredential(targetName)), ERROR.NOT_FOUND);
    assertEquals(codeOf(() => deleteCredential(targetName)), ERROR.NOT_FOUND);
  }
});

onWindows("lastError() is the code of the call right before", () => {
  const getLastError = lastError();
  const { SetLastError } = Deno.dlopen("kernel32.dll", {
    SetLastError: { parameters: ["u32"], result: "void" },
  }).symbols;
  for (let code = 0; code < 2000; code++) {
    SetLastError(code);
    assertEquals(getLastError(), code);
  }
});

onWindows("listCredentials() gives the names that begin so", () => {
  const prefix = uniqueTarget();
  const names = [1, 2, 3].map((i) => `${prefix}/${i}`);
  assertEquals(listCredentials(`${prefix}*`), []);
  for (const targetName of names) {
    const blob = new Uint8Array([1]);
    writeCredential({ targetName, blob, persist: PERSIST.LOCAL_MACHINE });
  }
  try {
    assertEquals(listCredentials(`${prefix}*`).sort(), names);
    assertEquals(listCredentials(`${prefix}/2*`), [`${prefix}/2`]);
  } finally {
    names.forEach(deleteCredential);
  }
  assertEquals(listCredentials(`${prefix}*`), []);
});

onWindows("a name with a NUL is a mistake", () => {
  for (const call of [readCredential, deleteCredential, listCredentials]) {
    let thrown: unknown;
    try {
      call("cargo-registry:a\0b");
    } catch (error) {
      thrown = error;
    }
    assert(thrown instanceof TypeError);
  }
});
