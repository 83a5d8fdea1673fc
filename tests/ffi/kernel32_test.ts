import { assert } from "@std/assert";
import { isFixedDrive } from "../../ffi/kernel32.ts";
import { onWindows } from "../support/windows.ts";

onWindows("isFixedDrive() knows the system's drive", async () => {
  const file = await Deno.makeTempFile();
  try {
    assert(await isFixedDrive("C:\\"));
    assert(await isFixedDrive("C:\\Windows"));
    assert(await isFixedDrive(file));
  } finally {
    await Deno.remove(file);
  }
});

onWindows(
  "isFixedDrive() refuses other machines and what is not there",
  async () => {
    for (const path of ["\\\\server\\share\\file", "Q:\\file", ""]) {
      assert(!await isFixedDrive(path), path);
    }
  },
);
