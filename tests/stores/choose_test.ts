import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import type { StoreSetting } from "../../src/stores/credential_store.ts";
import { chooseStore, openStore } from "../../src/stores/choose.ts";

const SETTINGS: readonly StoreSetting[] = [
  "auto",
  "secret-service",
  "keychain",
  "wincred",
  "systemd",
  "keyutils",
  "off",
];

const HOME = "/nowhere/.cargo";

/** For each system: what `auto` is, and what may be named. */
const TABLE: readonly (readonly [
  os: string,
  auto: string | undefined,
  named: readonly string[],
])[] = [
  ["linux", "secret-service", ["secret-service", "systemd", "keyutils"]],
  ["freebsd", "secret-service", ["secret-service"]],
  ["netbsd", "secret-service", ["secret-service"]],
  ["openbsd", "secret-service", ["secret-service"]],
  ["darwin", "keychain", ["keychain"]],
  ["windows", "wincred", ["wincred"]],
  ["android", undefined, []],
  ["aix", undefined, []],
  ["solaris", undefined, []],
  ["illumos", undefined, []],
  ["something-new", undefined, []],
];

Deno.test("chooseStore() knows every system's stores", () => {
  for (const [os, auto, named] of TABLE) {
    for (const setting of SETTINGS) {
      const choice = chooseStore(setting, os);
      const label = `${setting} on ${os}`;
      const expected = setting === "auto"
        ? auto
        : named.includes(setting)
        ? setting
        : undefined;
      assertEquals(
        choice.kind === "store" ? choice.name : undefined,
        expected,
        label,
      );
      if (choice.kind === "store") continue;
      assertEquals(choice.failure.kind, "unreachable", label);
      assertEquals(choice.failure.storeExists, false, label);
      assertEquals(
        choice.failure.cause,
        setting === "off" ? "switched-off" : "library-missing",
        label,
      );
      assert(!choice.failure.reason.endsWith("."), label);
      assert(choice.failure.remedy.endsWith("."), label);
    }
  }
});

Deno.test("chooseStore() says which store the system has instead", () => {
  const choice = chooseStore("keychain", "freebsd");
  assert(choice.kind === "none");
  assertEquals(
    choice.failure.reason,
    "the macOS Keychain does not exist on FreeBSD",
  );
  assertStringIncludes(choice.failure.remedy, "`secret-service` on FreeBSD");
});

Deno.test("openStore() opens the store that was chosen", async () => {
  for (const [os, auto, named] of TABLE) {
    if (auto === undefined) continue;
    assertEquals((await openStore("auto", HOME, os)).name, auto);
    for (const setting of SETTINGS) {
      if (!named.includes(setting)) continue;
      assertEquals((await openStore(setting, HOME, os)).name, setting);
    }
  }
});

Deno.test("openStore() gives a store that answers why, where there is none", async () => {
  const key = { indexUrl: "https://example.com/index" };
  const token = Secret.fromString("planted");
  const options = { signal: AbortSignal.timeout(10_000), prompt: true };
  for (
    const [setting, os, name, cause] of [
      ["off", "darwin", "keychain", "switched-off"],
      ["off", "android", "secret-service", "switched-off"],
      ["auto", "android", "secret-service", "library-missing"],
      ["keyutils", "windows", "keyutils", "library-missing"],
    ] as const
  ) {
    const store = await openStore(setting, HOME, os);
    assertEquals(store.name, name);
    for (
      const outcome of [
        await store.get(key, options),
        await store.prepare(options),
        await store.set(key, token, options),
        await store.verify(key, token, options),
        await store.erase(key, options),
        await store.list(options),
      ]
    ) {
      assert("cause" in outcome);
      assertEquals(outcome.cause, cause);
    }
  }
});

Deno.test("openStore() keeps nothing for systemd where cargo has no home", async () => {
  const store = await openStore("systemd", undefined, "linux");
  assertEquals(store.name, "systemd");
  const options = { signal: AbortSignal.timeout(10_000) };
  const outcome = await store.prepare(options);
  assert(outcome.kind === "unreachable");
  assertStringIncludes(outcome.remedy, "CARGO_HOME");
});

Deno.test("openStore() opens no library", async () => {
  const { dlopen } = Deno;
  let opened = 0;
  Deno.dlopen = (path) => {
    opened++;
    throw new Error(`${path} was opened`);
  };
  try {
    for (const [os] of TABLE) {
      for (const setting of SETTINGS) await openStore(setting, HOME, os);
    }
    assertEquals(opened, 0);
  } finally {
    Deno.dlopen = dlopen;
  }
});
