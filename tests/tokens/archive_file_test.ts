import { assertEquals } from "@std/assert";
import { writeArchive } from "../../src/tokens/archive_file.ts";
import { onlyOn } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);

const BYTES = new TextEncoder().encode("encrypted");
const UNIX = Deno.build.os !== "windows";

async function inFolder(test: (folder: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "archive-" });
  try {
    test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("writeArchive() writes a file for its owner alone", () =>
  inFolder((folder) => {
    const path = `${folder}/tokens.age`;
    assertEquals(writeArchive(path, BYTES, false), { kind: "written" });
    assertEquals(Deno.readFileSync(path), BYTES);
    if (UNIX) {
      const { mode, nlink } = Deno.statSync(path);
      assertEquals([(mode ?? 0) & 0o777, nlink], [0o600, 1]);
    }
    assertEquals(names(folder), ["tokens.age"]);
  }));

Deno.test("writeArchive() leaves a file alone that it was not told to replace", () =>
  inFolder((folder) => {
    const path = `${folder}/tokens.age`;
    Deno.writeTextFileSync(path, "mine", { mode: 0o644 });
    assertEquals(writeArchive(path, BYTES, false), { kind: "exists" });
    assertEquals(Deno.readTextFileSync(path), "mine");
    assertEquals(writeArchive(path, BYTES, true), { kind: "written" });
    assertEquals(Deno.readFileSync(path), BYTES);
    if (UNIX) assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    assertEquals(names(folder), ["tokens.age"]);
  }));

Deno.test("writeArchive() writes to regular files alone", () =>
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/folder`);
    for (const replace of [false, true]) {
      assertEquals(writeArchive(`${folder}/folder`, BYTES, replace), {
        kind: "directory",
      });
      assertEquals(writeArchive(`${folder}/none/tokens.age`, BYTES, replace), {
        kind: "no-folder",
      });
      if (UNIX) {
        assertEquals(writeArchive("/dev/null", BYTES, replace), {
          kind: "not-a-regular-file",
        });
      }
    }
    assertEquals(names(folder), ["folder"]);
  }));

links.test("writeArchive() replaces no link", () =>
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/mine`, "mine");
    Deno.symlinkSync(`${folder}/mine`, `${folder}/link`);
    assertEquals(writeArchive(`${folder}/link`, BYTES, true), { kind: "link" });
    assertEquals(Deno.readTextFileSync(`${folder}/mine`), "mine");
  }));
