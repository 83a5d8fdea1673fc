import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileSecurity, parseAcl, parseSid } from "../../ffi/file_security.ts";
import { Win32Error } from "../../ffi/kernel32.ts";
import { onWindows } from "../support/windows.ts";

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(hex.replaceAll(/\s/g, ""));
}

const SYSTEM = "01 01 000000000005 12000000";
const ADMINISTRATORS = "01 02 000000000005 20000000 20020000";
const EVERYONE = "01 01 000000000001 00000000";

Deno.test("parseSid() writes identifiers as Windows does", () => {
  const table = [
    [SYSTEM, "S-1-5-18"],
    [ADMINISTRATORS, "S-1-5-32-544"],
    [EVERYONE, "S-1-1-0"],
    ["01 00 010203040506", "S-1-1108152157446"],
    [
      "01 05 000000000005 15000000 ffffffff 00000080 01000000 e9030000",
      "S-1-5-21-4294967295-2147483648-1-1001",
    ],
    [`${SYSTEM} ff ff`, "S-1-5-18"],
  ] as const;
  for (const [sid, text] of table) assertEquals(parseSid(bytes(sid)), text);
});

Deno.test("parseAcl() reads every entry", () => {
  const acl = bytes(
    `02 00 6c00 0400 0000
     00 00 1400 ff011f00 ${SYSTEM}
     01 10 1800 02000000 ${ADMINISTRATORS}
     00 0b 1800 00000010 ${EVERYONE} 00000000
     05 03 2000 40000000 ${"00".repeat(24)}`,
  );
  assertEquals(parseAcl(acl), [
    { type: 0, flags: 0, mask: 0x1f01ff, sid: "S-1-5-18" },
    { type: 1, flags: 0x10, mask: 2, sid: "S-1-5-32-544" },
    { type: 0, flags: 0x0b, mask: 0x10000000, sid: "S-1-1-0" },
    { type: 5, flags: 3, mask: 0x40, sid: "" },
  ]);
  assertEquals(parseAcl(bytes("02 00 0800 0000 0000")), []);
});

onWindows("fileSecurity() tells a file's owner and entries", async () => {
  const file = await Deno.makeTempFile();
  try {
    const { owner, entries } = fileSecurity(file);
    assert(owner.startsWith("S-1-5-"), owner);
    assert(entries !== null && entries.length > 0);
    for (const { sid } of entries) assert(sid.startsWith("S-1-"), sid);
  } finally {
    await Deno.remove(file);
  }
});

onWindows("fileSecurity() fails where there is no file", () => {
  const error = assertThrows(
    () => fileSecurity("C:\\no\\such\\file"),
    Win32Error,
  );
  assert([2, 3].includes(error.code), `${error.code}`);
});
