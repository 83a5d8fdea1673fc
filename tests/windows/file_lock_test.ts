import { assert, assertEquals, assertThrows } from "@std/assert";
import { WindowsFileLock } from "../../ffi/file_lock.ts";
import { Win32Error } from "../../ffi/kernel32.ts";
import { onWindows } from "../support/windows.ts";

/** Locks a file as cargo does, and says when. */
const CARGO = `
using file = Deno.openSync(Deno.args[0], { read: true, write: true });
file.lockSync(true);
Deno.stdout.writeSync(new TextEncoder().encode("locked"));
Deno.stdin.readSync(new Uint8Array(1));
`;

/** Tries it without waiting, and says what came of it. */
const TRY = `
using file = Deno.openSync(Deno.args[0], { read: true, write: true });
console.log(file.tryLockSync(true));
`;

async function inDirectory(
  test: (directory: string, file: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "file-lock-test-" });
  try {
    await Deno.writeTextFile(`${directory}\\file`, "text");
    await test(directory, `${directory}\\file`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function script(
  directory: string,
  text: string,
  path: string,
): Deno.Command {
  Deno.writeTextFileSync(`${directory}\\script.ts`, text);
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-config",
      "--frozen",
      "--allow-all",
      `${directory}\\script.ts`,
      path,
    ],
    stdin: "piped",
    stdout: "piped",
  });
}

/** Whether cargo would get its lock. */
async function cargoGetsIt(directory: string, path: string): Promise<boolean> {
  const child = script(directory, TRY, path).spawn();
  await child.stdin.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout).trim() === "true";
}

/** Runs a test while another process holds a lock as cargo does. */
async function whileCargoHasIt(
  directory: string,
  path: string,
  test: () => void,
): Promise<void> {
  const child = script(directory, CARGO, path).spawn();
  const reader = child.stdout.getReader();
  try {
    const { value } = await reader.read();
    assertEquals(new TextDecoder().decode(value), "locked");
    test();
  } finally {
    await reader.cancel();
    await child.stdin.close();
    await child.status;
  }
}

onWindows(
  "WindowsFileLock.tryLock() is refused while cargo has its lock",
  async () => {
    await inDirectory(async (directory, path) => {
      await whileCargoHasIt(directory, path, () => {
        assertEquals(WindowsFileLock.tryLock(path), undefined);
      });
      using lock = WindowsFileLock.tryLock(path);
      assert(lock !== undefined);
    });
  },
);

onWindows(
  "WindowsFileLock keeps cargo and others out until it is given back",
  async () => {
    await inDirectory(async (directory, path) => {
      const lock = WindowsFileLock.tryLock(path);
      assert(lock !== undefined);
      assertEquals(WindowsFileLock.tryLock(path), undefined);
      assertEquals(await cargoGetsIt(directory, path), false);
      lock[Symbol.dispose]();
      assertEquals(await cargoGetsIt(directory, path), true);
    });
  },
);

onWindows(
  "WindowsFileLock leaves the file to be read and written",
  async () => {
    await inDirectory(async (_, path) => {
      using lock = WindowsFileLock.tryLock(path);
      assert(lock !== undefined);
      using file = await Deno.open(path, { write: true });
      await file.write(new TextEncoder().encode("TEXT"));
      await file.truncate(3);
      assertEquals(await Deno.readTextFile(path), "TEX");
    });
  },
);

onWindows("WindowsFileLock.tryLock() fails where there is no file", () => {
  const error = assertThrows(
    () => WindowsFileLock.tryLock("C:\\no\\such\\file"),
    Win32Error,
  );
  assert([2, 3].includes(error.code), `${error.code}`);
});

onWindows(
  "tryLock() of Deno is refused while another process has the lock",
  async () => {
    await inDirectory(async (directory, path) => {
      using file = await Deno.open(path, { read: true, write: true });
      await whileCargoHasIt(directory, path, () => {
        assertEquals(file.tryLockSync(true), false);
        assertEquals(file.tryLockSync(false), false);
      });
      assertEquals(file.tryLockSync(true), true);
    });
  },
);
