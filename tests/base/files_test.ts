import { assert, assertEquals } from "@std/assert";
import {
  permissionsOf,
  readRegularFile,
  readSmallFile,
} from "../../src/base/files.ts";
import { onlyOn } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);

async function inDirectory(
  use: (directory: string) => Promise<void> | void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("readSmallFile() reads up to its bound", () =>
  inDirectory((directory) => {
    const path = `${directory}/file`;
    Deno.writeTextFileSync(path, "12345");
    const file = readSmallFile(path, { maxBytes: 5 });
    assert(file.kind === "read");
    assertEquals(new TextDecoder().decode(file.bytes), "12345");
    assertEquals(file.info.size, 5);
    assertEquals(readSmallFile(path, { maxBytes: 4 }), {
      kind: "refused",
      reason: "too-large",
    });
  }));

Deno.test("readSmallFile() finds nothing where no folder leads", () =>
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "");
    for (const path of ["none", "none/none", "file/none"]) {
      const file = readSmallFile(`${directory}/${path}`, { maxBytes: 1 });
      assertEquals(file, { kind: "absent" });
    }
  }));

Deno.test("readSmallFile() refuses a folder", () =>
  inDirectory((directory) => {
    assertEquals(readSmallFile(directory, { maxBytes: 1 }), {
      kind: "refused",
      reason: "not-a-regular-file",
    });
  }));

links.test("readSmallFile() tells a link from what it leads to", () =>
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "x");
    Deno.symlinkSync("file", `${directory}/link`);
    Deno.symlinkSync("none", `${directory}/dangling`);
    const read = (name: string, followLink?: boolean): string => {
      const file = readSmallFile(`${directory}/${name}`, {
        maxBytes: 1,
        ...(followLink === undefined ? {} : { followLink }),
      });
      return file.kind === "refused" ? file.reason : file.kind;
    };
    assertEquals(read("link"), "read");
    assertEquals(read("link", false), "link");
    assertEquals(read("file", false), "read");
    assertEquals(read("dangling"), "dangling-link");
    Deno.symlinkSync("loop", `${directory}/loop`);
    assertEquals(read("loop"), "unreadable");
    assertEquals(readRegularFile(`${directory}/dangling`), { kind: "absent" });
  }));

Deno.test("readRegularFile() keeps a byte order mark and refuses other bytes", () =>
  inDirectory((directory) => {
    const path = `${directory}/file`;
    Deno.writeTextFileSync(path, "\ufeffa = 1\r\n");
    assertEquals(readRegularFile(path), {
      kind: "text",
      text: "\ufeffa = 1\r\n",
    });
    Deno.writeFileSync(path, new Uint8Array([0xff, 0xfe]));
    assertEquals(readRegularFile(path), {
      kind: "unreadable",
      reason: "not-utf-8",
    });
  }));

Deno.test("permissionsOf() has none on Windows, where Deno makes them up", () =>
  inDirectory((directory) => {
    const path = `${directory}/file`;
    Deno.writeTextFileSync(path, "", { mode: 0o600 });
    assertEquals(
      permissionsOf(Deno.statSync(path)),
      Deno.build.os === "windows" ? undefined : 0o600,
    );
  }));
