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

onWindows("the fields lie where <wincred.h> has them", () => {
  const { CredReadW, CredFree } = Deno.dlopen("advapi32.dll", {
    CredReadW: {
      parameters: ["buffer", "u32", "u32", "buffer"],
      result: "i32",
    },
    CredFree: { parameters: ["pointer"], result: "void" },
  }).symbols;
  const textAt = (view: Deno.UnsafePointerView, offset: number): string => {
    const pointer = view.getPointer(offset);
    assert(pointer !== null);
    let text = "";
    for (let i = 0;; i += 2) {
      const unit = new Deno.UnsafePointerView(pointer).getUint16(i);
      if (unit === 0) return text;
      text += String.fromCharCode(unit);
    }
  };
  withCredential((targetName) => {
    writeCredential({
      targetName,
      comment: "comment",
      blob: new Uint8Array([1, 2, 3]),
      persist: PERSIST.LOCAL_MACHINE,
      userName: "user",
    });
    const out = new BigUint64Array(1);
    const name = Uint16Array.from(
      { length: targetName.length + 1 },
      (_, i) => i < targetName.length ? targetName.charCodeAt(i) : 0,
    );
    assertEquals(CredReadW(name, 1, 0, out), 1);
    const pointer = Deno.UnsafePointer.create(out[0] ?? 0n);
    assert(pointer !== null);
    const view = new Deno.UnsafePointerView(pointer);
    try {
      assertEquals(view.getUint32(0), 0); // Flags
      assertEquals(view.getUint32(4), 1); // Type: CRED_TYPE_GENERIC
      assertEquals(textAt(view, 8), targetName); // TargetName
      assertEquals(textAt(view, 16), "comment"); // Comment
      assertEquals(view.getUint32(32), 3); // CredentialBlobSize
      const blob = view.getPointer(40); // CredentialBlob
      assert(blob !== null);
      assertEquals(new Deno.UnsafePointerView(blob).getUint8(2), 3);
      assertEquals(view.getUint32(48), 2); // Persist
      assertEquals(view.getUint32(52), 0); // AttributeCount
      assertEquals(view.getPointer(64), null); // TargetAlias
      assertEquals(textAt(view, 72), "user"); // UserName
    } finally {
      CredFree(pointer);
    }
  });
});
