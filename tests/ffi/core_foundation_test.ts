import { assertEquals, assertThrows } from "@std/assert";
import { CFReference, openCoreFoundation } from "../../ffi/core_foundation.ts";
import { KeychainStandIn } from "../support/keychain_stand_in.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the stand-in for macOS is a library of Unix");

unix.test("CFReference releases its object once, at the end of the block", async () => {
  const standIn = await KeychainStandIn.compile();
  const keychain = await standIn.open().copyDefaultKeychain();
  assertEquals(standIn.counts.objects, 1);
  {
    using reference = keychain;
    reference[Symbol.dispose]();
    assertEquals(standIn.counts.objects, 0);
  }
  assertEquals(standIn.counts, {
    objects: 0,
    buffers: 0,
    unwiped: 0,
    misuses: 0,
  });
});

unix.test("CFReference.pointer is refused after the release", async () => {
  const standIn = await KeychainStandIn.compile();
  const keychain = await standIn.open().copyDefaultKeychain();
  keychain[Symbol.dispose]();
  assertThrows(() => keychain.pointer, TypeError, "has been released");
});

unix.test("the stand-in counts a second release of one object", async () => {
  const standIn = await KeychainStandIn.compile();
  const coreFoundation = openCoreFoundation(standIn.library);
  const keychain = await standIn.open().copyDefaultKeychain();
  const again = new CFReference<"SecKeychain">(
    coreFoundation,
    keychain.pointer,
  );
  keychain[Symbol.dispose]();
  again[Symbol.dispose]();
  assertEquals(standIn.counts.misuses, 1);
});

Deno.test("openCoreFoundation() throws where there is no such library", () => {
  assertThrows(
    () => openCoreFoundation("/nonexistent/CoreFoundation"),
    Error,
    "Could not open library",
  );
});
