import { assertEquals, assertNotEquals } from "@std/assert";
import {
  fileSystemKind,
  kindOfMagic,
  kindOfName,
  parseStatfs,
} from "../../ffi/statfs.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "the file systems are those of Linux");

Deno.test("kindOfMagic() knows what is on another machine", () => {
  const table = [
    // <linux/magic.h>
    [0x6969, "network", "NFS"],
    [0x517b, "network", "SMB"],
    [0xff534d42, "network", "CIFS"],
    [0xfe534d42, "network", "SMB"],
    [0x01021997, "network", "9p"],
    [0x00c36400, "network", "Ceph"],
    [0x5346414f, "network", "AFS"],
    [0x6b414653, "network", "AFS"],
    [0x73757245, "network", "Coda"],
    [0x7461636f, "network", "OCFS2"],
    [0x65735546, "fuse", "FUSE"],
    [0x0187, "unknown", "0x187"],
    [0xef53, "local", "0xef53"],
    [0x58465342, "local", "0x58465342"],
    [0x9123683e, "local", "0x9123683e"],
    [0x01021994, "local", "0x1021994"],
    [0x794c7630, "local", "0x794c7630"],
    // coreutils' stat.c
    [0x0bd00bd0, "network", "Lustre"],
    [0x01161970, "network", "GFS2"],
    [0x47504653, "network", "GPFS"],
  ] as const;
  for (const [magic, kind, name] of table) {
    assertEquals(kindOfMagic(magic), { kind, name });
  }
});

Deno.test("kindOfName() goes by MNT_LOCAL, and by the name for FUSE", () => {
  const table = [
    ["apfs", true, "local"],
    ["hfs", true, "local"],
    ["nfs", false, "network"],
    ["smbfs", false, "network"],
    ["webdav", false, "network"],
    ["macfuse", true, "fuse"],
    ["osxfuse", false, "fuse"],
    ["fusefs.sshfs", true, "fuse"],
    ["zfs", true, "local"],
  ] as const;
  for (const [name, local, kind] of table) {
    assertEquals(kindOfName(name, local), { kind, name });
  }
});

Deno.test("parseStatfs() reads the layouts of macOS and FreeBSD", () => {
  const table = [["darwin", 64, 72], ["freebsd", 8, 280]] as const;
  for (const [os, flagsAt, nameAt] of table) {
    for (const local of [true, false]) {
      const buffer = new Uint8Array(4096).fill(0xee, nameAt + 4);
      buffer.set(new TextEncoder().encode("test\0"), nameAt);
      new DataView(buffer.buffer)
        .setUint32(flagsAt, local ? 0x1001 : 0x1, true);
      assertEquals(parseStatfs(buffer, os), {
        kind: local ? "local" : "network",
        name: "test",
      });
    }
  }
  assertEquals(parseStatfs(new Uint8Array(4096), "windows").kind, "unknown");
});

linux.test("fileSystemKind() asks the system", async () => {
  assertEquals(await fileSystemKind("/proc"), {
    kind: "local",
    name: "0x9fa0",
  });
  assertEquals((await fileSystemKind("/no/such/file")).kind, "unknown");
});

linux.test("fileSystemKind() knows a real FUSE mount", async () => {
  const bindfs = await findProgram("bindfs") ??
    missing("bindfs", "apt-get install bindfs");
  const unmount = await findProgram("fusermount") ??
    await findProgram("fusermount3") ??
    missing("fusermount", "apt-get install fuse3");
  const directory = await Deno.makeTempDir({ prefix: "statfs-test-" });
  const mount = `${directory}/mount`;
  await Deno.mkdir(`${directory}/from`);
  await Deno.mkdir(mount);
  try {
    const mounted = await new Deno.Command(bindfs, {
      args: [`${directory}/from`, mount],
    }).output();
    assertEquals(mounted.code, 0, new TextDecoder().decode(mounted.stderr));
    await Deno.writeTextFile(`${mount}/file`, "");
    assertEquals(await fileSystemKind(`${mount}/file`), {
      kind: "fuse",
      name: "FUSE",
    });
    await Deno.symlink(`${mount}/file`, `${directory}/link`);
    assertEquals((await fileSystemKind(`${directory}/link`)).kind, "fuse");
    assertNotEquals((await fileSystemKind(directory)).kind, "fuse");
  } finally {
    await new Deno.Command(unmount, { args: ["-u", mount] }).output();
    await Deno.remove(directory, { recursive: true });
  }
});
