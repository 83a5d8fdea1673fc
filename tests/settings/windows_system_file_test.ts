import { assertEquals } from "@std/assert";
import type { AccessEntry, FileSecurity } from "../../ffi/file_security.ts";
import {
  isSystemFile,
  isSystemOnly,
  windowsSystemFile,
} from "../../src/settings/windows_system_file.ts";
import { onWindows } from "../support/windows.ts";

const SYSTEM = "S-1-5-18";
const ADMINISTRATORS = "S-1-5-32-544";
const TRUSTED_INSTALLER =
  "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
const USERS = "S-1-5-32-545";
const AUTHENTICATED_USERS = "S-1-5-11";
const CREATOR_OWNER = "S-1-3-0";
const OWNER_RIGHTS = "S-1-3-4";
const SOMEONE = "S-1-5-21-1-2-3-1001";

const FULL = 0x1f01ff;
const READ = 0x1200a9;

function allow(sid: string, mask: number, flags = 0): AccessEntry {
  return { type: 0, flags, mask, sid };
}

const SHUT: FileSecurity = {
  owner: ADMINISTRATORS,
  entries: [
    allow(SYSTEM, FULL),
    allow(ADMINISTRATORS, FULL),
    allow(USERS, READ),
  ],
};

/** As a fresh Windows 11 has them (icacls). */
const PROGRAM_DATA: FileSecurity = {
  owner: SYSTEM,
  entries: [
    allow(SYSTEM, FULL, 0x3),
    allow(ADMINISTRATORS, FULL, 0x3),
    allow(CREATOR_OWNER, 0x10000000, 0xb),
    allow(USERS, READ, 0x3),
    allow(USERS, 0x116, 0x2), // add files and folders, write attributes
  ],
};
const DRIVE: FileSecurity = {
  owner: TRUSTED_INSTALLER,
  entries: [
    allow(AUTHENTICATED_USERS, 0x10000 | 0x40000000, 0xb),
    allow(AUTHENTICATED_USERS, 0x4, 0x0), // add folders
    allow(SYSTEM, FULL, 0x3),
    allow(ADMINISTRATORS, FULL, 0x3),
    allow(USERS, READ, 0x3),
  ],
};

Deno.test("isSystemOnly() trusts an administrator's file in ProgramData", () => {
  assertEquals(isSystemOnly(SHUT, [PROGRAM_DATA, DRIVE]), true);
  for (const owner of [SYSTEM, ADMINISTRATORS, TRUSTED_INSTALLER]) {
    assertEquals(isSystemOnly({ ...SHUT, owner }, [PROGRAM_DATA, DRIVE]), true);
  }
});

Deno.test("isSystemOnly() refuses a file that others can write", () => {
  const table: readonly (readonly [string, FileSecurity])[] = [
    ["a user's own", { ...SHUT, owner: SOMEONE }],
    ["no owner", { ...SHUT, owner: "" }],
    ["no list", { ...SHUT, entries: null }],
    ...[0x2, 0x4, 0x10000, 0x40000, 0x80000, 0x10000000, 0x40000000, FULL]
      .map((mask) =>
        [`mask ${mask.toString(16)}`, {
          ...SHUT,
          entries: [allow(USERS, mask)],
        }] as const
      ),
    ["behind a denial", {
      ...SHUT,
      entries: [{ type: 1, flags: 0, mask: 2, sid: USERS }, allow(USERS, 2)],
    }],
    ["an unknown type", {
      ...SHUT,
      entries: [{ type: 5, flags: 0, mask: 2, sid: "" }],
    }],
  ];
  for (const [name, file] of table) {
    assertEquals(isSystemOnly(file, [PROGRAM_DATA, DRIVE]), false, name);
  }
});

Deno.test("isSystemOnly() passes over what gives others nothing", () => {
  const table: readonly (readonly [string, AccessEntry])[] = [
    ["reading", allow(USERS, READ)],
    ["for children only", allow(USERS, FULL, 0x8)],
    ["a denial", { type: 1, flags: 0, mask: FULL, sid: USERS }],
    ["the owner's rights", allow(OWNER_RIGHTS, FULL)],
  ];
  for (const [name, entry] of table) {
    const file = { ...SHUT, entries: [entry] };
    assertEquals(isSystemOnly(file, [PROGRAM_DATA]), true, name);
  }
});

Deno.test("isSystemOnly() refuses a folder whose files others can replace", () => {
  const table: readonly (readonly [string, FileSecurity])[] = [
    ["a user's own", { ...PROGRAM_DATA, owner: SOMEONE }],
    ["no list", { ...PROGRAM_DATA, entries: null }],
    ...[0x40, 0x10000, 0x40000, 0x80000, 0x10000000].map((mask) =>
      [`mask ${mask.toString(16)}`, {
        ...PROGRAM_DATA,
        entries: [allow(USERS, mask)],
      }] as const
    ),
  ];
  for (const [name, folder] of table) {
    assertEquals(isSystemOnly(SHUT, [folder, DRIVE]), false, name);
    assertEquals(isSystemOnly(SHUT, [PROGRAM_DATA, folder]), false, name);
  }
});

Deno.test("windowsSystemFile() is in ProgramData, and on Windows only", () => {
  assertEquals(
    windowsSystemFile()?.path,
    Deno.build.os === "windows"
      ? `${Deno.env.get("ProgramData")}\\cargo-credential-keyring.toml`
      : undefined,
  );
});

onWindows("isSystemFile() trusts no file that is not there", async () => {
  assertEquals(await isSystemFile("C:\\no\\such\\file.toml"), false);
});
