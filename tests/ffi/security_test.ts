import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  hasStatus,
  openSecurity,
  OSStatusError,
  type Security,
} from "../../ffi/security.ts";
import { KeychainStandIn } from "../support/keychain_stand_in.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the stand-in for macOS is a library of Unix");

let standIn: KeychainStandIn;
unix.test.beforeAll(async () => {
  standIn = await KeychainStandIn.compile();
});
const NOTHING_LEFT = { objects: 0, buffers: 0, unwiped: 0, misuses: 0 };

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function start(): Security {
  standIn.reset();
  return standIn.open();
}

unix.test("Security adds, finds, reads, replaces and deletes a generic password", async () => {
  const security = start();
  {
    using keychain = await security.copyDefaultKeychain();
    assertEquals(await security.isUnlocked(keychain), true);
    await security.addGenericPassword(keychain, bytes("svc"), bytes("one"));
    assertEquals(standIn.items, [
      { service: "svc", account: "", label: "svc", secret: "one" },
    ]);

    using search = await security.searchGenericPasswords(
      keychain,
      bytes("svc"),
    );
    using item = await security.nextItem(search);
    if (item === undefined) throw new Error("nothing was found");
    assertEquals(await security.readKey(item), {
      service: bytes("svc"),
      account: new Uint8Array(),
    });
    assertEquals(await security.readSecret(item), bytes("one"));
    await security.modifySecret(item, bytes("another"));
    assertEquals(await security.readSecret(item), bytes("another"));
    assertEquals(await security.nextItem(search), undefined);

    await security.deleteItem(item);
    assertEquals(standIn.items, []);
    await assertRejects(() => security.readSecret(item), OSStatusError);
  }
  assertEquals(standIn.counts, NOTHING_LEFT);
});

unix.test("Security keeps every byte of a secret, and an empty one", async () => {
  const security = start();
  using keychain = await security.copyDefaultKeychain();
  const all = Uint8Array.from({ length: 4096 }, (_, index) => index & 255);
  await security.addGenericPassword(keychain, bytes("svc"), all);
  using search = await security.searchGenericPasswords(keychain, bytes("svc"));
  using item = await security.nextItem(search);
  if (item === undefined) throw new Error("nothing was found");
  assertEquals(await security.readSecret(item), all);
  await security.modifySecret(item, new Uint8Array());
  assertEquals(await security.readSecret(item), new Uint8Array());
});

unix.test("Security takes the service byte for byte, not as a C string", async () => {
  const security = start();
  using keychain = await security.copyDefaultKeychain();
  await security.addGenericPassword(keychain, bytes("a"), bytes("short"));
  await security.addGenericPassword(keychain, bytes("a\0b"), bytes("long"));
  await security.addGenericPassword(keychain, bytes("ä€😀"), bytes("wide"));
  for (
    const [service, secret] of [["a", "short"], ["a\0b", "long"], [
      "ä€😀",
      "wide",
    ]] as const
  ) {
    using search = await security.searchGenericPasswords(
      keychain,
      bytes(service),
    );
    using item = await security.nextItem(search);
    if (item === undefined) throw new Error("nothing was found");
    assertEquals(await security.readSecret(item), bytes(secret));
    assertEquals(await security.nextItem(search), undefined);
  }
});

unix.test("Security.searchGenericPasswords() without a service gives every item, with accounts", async () => {
  const security = start();
  standIn.put({ service: "one", account: "", secret: "1" });
  standIn.put({ service: "two", account: "somebody", secret: "2" });
  const found: string[] = [];
  {
    using keychain = await security.copyDefaultKeychain();
    using search = await security.searchGenericPasswords(keychain);
    for (;;) {
      using item = await security.nextItem(search);
      if (item === undefined) break;
      const { service, account } = await security.readKey(item);
      found.push(
        [service, account].map((b) => new TextDecoder().decode(b)).join("/"),
      );
    }
  }
  assertEquals(found, ["one/", "two/somebody"]);
  assertEquals(standIn.counts, NOTHING_LEFT);
});

unix.test("Security reads attributes, and no secret, of a locked keychain", async () => {
  const security = start();
  standIn.put({ service: "svc", account: "", secret: "s" });
  standIn.locked = true;
  using keychain = await security.copyDefaultKeychain();
  assertEquals(await security.isUnlocked(keychain), false);
  using search = await security.searchGenericPasswords(keychain, bytes("svc"));
  using item = await security.nextItem(search);
  if (item === undefined) throw new Error("nothing was found");
  assertEquals((await security.readKey(item)).service, bytes("svc"));
  const error = await assertRejects(
    () => security.readSecret(item),
    OSStatusError,
  );
  assertEquals(hasStatus(error, "errSecInteractionNotAllowed"), true);
});

unix.test("Security.unlock() asks the person", async () => {
  const security = start();
  standIn.locked = true;
  standIn.person = "allows";
  using keychain = await security.copyDefaultKeychain();
  await security.unlock(keychain);
  assertEquals(standIn.dialogs, 1);
  assertEquals(await security.isUnlocked(keychain), true);
});

unix.test("OSStatusError names the function and the code, and no secret", async () => {
  const security = start();
  standIn.fail("SecKeychainAddGenericPassword", -25299);
  using keychain = await security.copyDefaultKeychain();
  const error = await assertRejects(
    () => security.addGenericPassword(keychain, bytes("svc"), bytes("planted")),
    OSStatusError,
    "SecKeychainAddGenericPassword: errSecDuplicateItem (-25299)",
  );
  assertEquals(error.statusName, "errSecDuplicateItem");
  assertEquals(Deno.inspect(error).includes("planted"), false);
  assertEquals(hasStatus(error, "errSecItemNotFound"), false);
  assertEquals(new OSStatusError(-67808, "x").statusName, undefined);
  assertEquals(hasStatus(new OSStatusError(-67808, "x")), false);
  assertEquals(hasStatus(new Error()), false);
});

unix.test("openSecurity() throws where there is no such library", () => {
  assertThrows(
    () =>
      openSecurity({
        security: "/nonexistent/Security",
        coreFoundation: standIn.library,
      }),
    Error,
    "Could not open library",
  );
});
