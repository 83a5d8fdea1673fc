// What Wine 10 does differently from Windows, so that a pass there proves
// nothing. Each test has what Microsoft documents for Windows beside what was
// measured under Wine, and fails once either changes. What cannot be tested:
//
// - Wine keeps credentials in the registry (HKEY_CURRENT_USER), Windows in the
//   vault of the logon session: there is no error 1312 and no full vault.
// - A console of Wine's is a Unix terminal; text cannot be selected in it.
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  type Credential,
  deleteCredential,
  ERROR,
  PERSIST,
  readCredential,
  writeCredential,
} from "../../ffi/advapi32.ts";
import { fileSecurity } from "../../ffi/file_security.ts";
import { Win32Error } from "../../ffi/kernel32.ts";
import { isWine, onWindows, uniqueTarget } from "../support/windows.ts";

type Done = "done";

/** What writing a credential comes to: `done`, or the error code. */
function write(credential: Partial<Credential>): Done | number {
  const whole = {
    targetName: uniqueTarget(),
    blob: new Uint8Array([65]),
    persist: PERSIST.SESSION,
    ...credential,
  };
  try {
    writeCredential(whole);
    deleteCredential(whole.targetName);
    return "done";
  } catch (error) {
    assertInstanceOf(error, Win32Error);
    return error.code;
  }
}

const WRITES: readonly (readonly [
  string,
  Partial<Credential>,
  wine: Done | number,
  windows: Done | "refused",
])[] = [
  // "cannot be larger than CRED_MAX_CREDENTIAL_BLOB_SIZE" (CREDENTIALW)
  [
    "a blob of 2561 bytes",
    { blob: new Uint8Array(2561).fill(65) },
    "done",
    "refused",
  ],
  // "CRED_MAX_GENERIC_TARGET_NAME_LENGTH (32767)" (CREDENTIALW)
  [
    "a name of 300 characters",
    {
      targetName: uniqueTarget().padEnd(300, "x"),
    },
    ERROR.NOT_FOUND,
    "done",
  ],
  ["an empty name", { targetName: "" }, "done", "refused"],
  ["persist 0", { persist: 0 }, "done", "refused"],
  ["persist 4", { persist: 4 }, "done", "refused"],
];

for (const [name, credential, wine, windows] of WRITES) {
  onWindows(`CredWriteW with ${name}`, () => {
    const result = write(credential);
    if (isWine()) assertEquals(result, wine);
    else assertEquals(result === "done" ? result : "refused", windows);
  });
}

onWindows("CredWriteW without a user name", () => {
  const targetName = uniqueTarget();
  const blob = new Uint8Array([65]);
  const persist = PERSIST.SESSION;
  try {
    writeCredential({ targetName, blob, persist, userName: "someone" });
    writeCredential({ targetName, blob, persist });
    // Wine leaves the name that was there.
    if (isWine()) assertEquals(readCredential(targetName).userName, "someone");
    assertEquals(readCredential(targetName).blob, blob);
  } finally {
    deleteCredential(targetName);
  }
});

onWindows(
  "reading through another handle what LockFileEx has locked",
  async () => {
    const path = await Deno.makeTempFile();
    try {
      using file = await Deno.open(path, { read: true, write: true });
      await file.write(new TextEncoder().encode("text"));
      await file.lock(true);
      let read: string;
      try {
        read = await Deno.readTextFile(path);
      } catch (error) {
        assertInstanceOf(error, Error);
        read = /\(os error \d+\)/.exec(error.message)?.[0] ?? error.message;
      }
      assertEquals(read, isWine() ? "text" : "(os error 33)");
    } finally {
      await Deno.remove(path);
    }
  },
);

onWindows("who owns the folder Windows", () => {
  const { owner } = fileSecurity("C:\\Windows");
  // Under Wine everything is the user's, and no system file is ever trusted.
  assertEquals(owner.startsWith("S-1-5-21-"), isWine(), owner);
});
