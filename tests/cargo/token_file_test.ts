import { assert, assertEquals } from "@std/assert";
import {
  describeTokenFileFault,
  readTokenFile,
} from "../../src/cargo/token_file.ts";
import { onWindows } from "../support/windows.ts";

const UNIX = Deno.build.os !== "windows";

async function withFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "token-file-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function lineOf(path: string): string {
  const file = readTokenFile(path);
  switch (file.kind) {
    case "token":
      return `"${file.token.reveal()}"`;
    default:
      return describeTokenFileFault(file);
  }
}

const NO_TOKEN = "holds something that cargo takes for no token " +
  "(printable ASCII)";

/** What a file holds, and what is made of it. */
const CONTENTS:
  readonly (readonly [string, string | Uint8Array<ArrayBuffer>, string])[] = [
    ["a token", "abc", '"abc"'],
    ["a token and LF", "abc\n", '"abc"'],
    ["a token and CRLF", "abc\r\n", '"abc"'],
    ["a scheme and a token", "Bearer abc\n", '"Bearer abc"'],
    ["a space before LF, which counts", "abc \n", '"abc "'],
    ["two line endings", "abc\n\n", "has more than one line"],
    ["a token and CR", "abc\r", "has more than one line"],
    ["two lines", "abc\ndef\n", "has more than one line"],
    ["two lines of Windows", "abc\r\ndef\r\n", "has more than one line"],
    ["an empty line before the token", "\nabc\n", "has more than one line"],
    ["nothing", "", "is empty"],
    ["LF alone", "\n", "is empty"],
    ["CRLF alone", "\r\n", "is empty"],
    ["a byte order mark", "\ufeffabc\n", NO_TOKEN],
    ["UTF-16", new Uint8Array([0x61, 0, 0x62, 0]), NO_TOKEN],
    ["a NUL", "abc\0", NO_TOKEN],
    ["what is no UTF-8", new Uint8Array([0xff, 0xfe]), NO_TOKEN],
    ["64 KiB", "x".repeat(65_536), `"${"x".repeat(65_536)}"`],
    ["more", "x".repeat(65_537), "is larger than 65536 bytes"],
  ];

for (const [name, content, expected] of CONTENTS) {
  Deno.test(`readTokenFile() reads a file with ${name}`, async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/token`;
      await Deno.writeFile(
        path,
        typeof content === "string"
          ? new TextEncoder().encode(content)
          : content,
      );
      assertEquals(lineOf(path), expected);
    });
  });
}

Deno.test("readTokenFile() tells what is not there from what is no file", async () => {
  await withFolder(async (folder) => {
    assertEquals(lineOf(`${folder}/token`), "is not there");
    await Deno.writeTextFile(`${folder}/file`, "abc");
    assertEquals(lineOf(`${folder}/file/token`), "is not there");
    assertEquals(lineOf(folder), "is not a regular file");
  });
});

onWindows(
  "readTokenFile() says of no file on Windows that others may read it",
  () =>
    withFolder(async (folder) => {
      const path = `${folder}/token`;
      await Deno.writeTextFile(path, "abc");
      const file = readTokenFile(path);
      assert(file.kind === "token");
      assertEquals(file.readableByOthers, false);
    }),
);

if (UNIX) {
  Deno.test("readTokenFile() waits for no FIFO, and reads no device", async () => {
    await withFolder(async (folder) => {
      const { success } = await new Deno.Command("mkfifo", {
        args: [`${folder}/fifo`],
      }).output();
      assert(success);
      assertEquals(lineOf(`${folder}/fifo`), "is not a regular file");
      await Deno.symlink("/dev/zero", `${folder}/zero`);
      assertEquals(lineOf(`${folder}/zero`), "is not a regular file");
      const special = "is in /dev, /proc or /sys, where no token is read";
      for (const path of ["/dev/fd/0", "/dev/zero", "/proc/self/environ"]) {
        assertEquals(lineOf(path), special);
      }
    });
  });

  Deno.test("readTokenFile() follows links, as Kubernetes makes them", async () => {
    await withFolder(async (folder) => {
      await Deno.mkdir(`${folder}/..2026_11_25`);
      await Deno.writeTextFile(`${folder}/..2026_11_25/token`, "abc");
      await Deno.symlink("..2026_11_25", `${folder}/..data`);
      await Deno.symlink("..data/token", `${folder}/token`);
      assertEquals(lineOf(`${folder}/token`), '"abc"');
      await Deno.symlink("nowhere", `${folder}/dangling`);
      assertEquals(
        lineOf(`${folder}/dangling`),
        "is a link to a file that is not there",
      );
    });
  });

  Deno.test("readTokenFile() tells who else may read the file", async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/token`;
      await Deno.writeTextFile(path, "abc");
      for (
        const [mode, expected] of [
          [0o400, false],
          [0o600, false],
          [0o440, false],
          [0o444, true],
          [0o644, true],
        ] as const
      ) {
        await Deno.chmod(path, mode);
        const file = readTokenFile(path);
        assert(file.kind === "token");
        assertEquals(file.readableByOthers, expected, mode.toString(8));
      }
    });
  });

  // Root may read everything: then the answer is another process's.
  Deno.test("readTokenFile() says that a file may not be read", async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/token`;
      await Deno.chmod(folder, 0o755);
      await Deno.writeTextFile(path, "abc");
      await Deno.chmod(path, 0);
      if (Deno.uid() !== 0) {
        assertEquals(lineOf(path), "may not be read");
        return;
      }
      const { openSync } = Deno;
      Deno.openSync = () => {
        throw new Deno.errors.PermissionDenied("as for any other user");
      };
      try {
        assertEquals(lineOf(path), "may not be read");
      } finally {
        Deno.openSync = openSync;
      }
    });
  });
}
