import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { CFReference, openCoreFoundation } from "../../ffi/core_foundation.ts";
import { cString, OutPointer } from "../../ffi/_memory.ts";
import {
  openSecurity,
  OSStatusError,
  type Security,
  SECURITY_PATH,
} from "../../ffi/security.ts";
import { Secret } from "../../src/base/secret.ts";
import type {
  CredentialStore,
  StoreFailure,
  StoreOptions,
} from "../../src/stores/credential_store.ts";
import { unlockLoginKeychain } from "../../src/cli/unlock_command.ts";
import { keychainFailure, KeychainStore } from "../../src/stores/keychain.ts";
import {
  lookAtKeychain,
  unlockKeychain,
} from "../../src/stores/keychain_unlock.ts";
import {
  KeychainStandIn,
  type StandInFunction,
} from "../support/keychain_stand_in.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the stand-in for macOS is a library of Unix");

const CRATES_IO = "https://github.com/rust-lang/crates.io-index";
const KEY = { indexUrl: CRATES_IO, name: "crates-io" };
const SERVICE = `cargo-registry:${CRATES_IO}`;
const PLANTED = "planted-keychain-token";
const TOKEN = Secret.fromString(PLANTED);
const NOTHING_LEFT = { objects: 0, buffers: 0, unwiped: 0, misuses: 0 };

let standIn: KeychainStandIn;
unix.test.beforeAll(async () => {
  standIn = await KeychainStandIn.compile();
});

/** Options with a deadline far away, so that a hang is seen as a failure. */
function options(prompt?: boolean): StoreOptions {
  const signal = AbortSignal.timeout(20_000);
  return prompt === undefined ? { signal } : { signal, prompt };
}

function start(): CredentialStore {
  standIn.reset();
  return new KeychainStore(() => standIn.open());
}

/** Like cargo:macos-keychain's own item. */
function putCargoItem(secret = PLANTED, program = 1): void {
  standIn.put({ service: SERVICE, account: "", secret }, program);
}

async function tokenOf(
  store: CredentialStore,
  prompt?: boolean,
): Promise<string> {
  const outcome = await store.get(KEY, options(prompt));
  return outcome.kind === "found" ? outcome.token.reveal() : outcome.kind;
}

/** The part of a failure that decisions depend on. */
function gist(
  outcome: { readonly kind: string } | StoreFailure,
): readonly unknown[] {
  return "cause" in outcome
    ? [outcome.kind, outcome.cause, outcome.item, outcome.storeExists]
    : [outcome.kind];
}

/** A test that must leave nothing behind. */
function test(
  name: string,
  run: (store: CredentialStore) => Promise<void>,
): void {
  unix.test(name, async () => {
    await run(start());
    assertEquals(standIn.counts, NOTHING_LEFT);
  });
}

test("KeychainStore keeps an item as cargo:macos-keychain does", async (store) => {
  assertEquals(await store.prepare(options()), {
    kind: "ready",
    durable: true,
    plaintext: false,
  });
  assertEquals(await store.set(KEY, TOKEN, options()), { kind: "stored" });
  assertEquals(standIn.items, [{
    service: "cargo-registry:https://github.com/rust-lang/crates.io-index",
    account: "",
    label: "cargo-registry:https://github.com/rust-lang/crates.io-index",
    secret: PLANTED,
  }]);
  assertEquals(await store.verify(KEY, TOKEN, options()), {
    kind: "stored",
    keeps: "on-disk",
  });
});

test("KeychainStore finds the item that cargo:macos-keychain stored", async (store) => {
  putCargoItem();
  const outcome = await store.get(KEY, options());
  assert(outcome.kind === "found");
  assertEquals(outcome.token.reveal(), PLANTED);
  assertEquals(outcome.others, []);
});

test("get() answers absent only for an open keychain without the item", async (store) => {
  standIn.put({ service: `${SERVICE}/`, account: "", secret: "near" });
  standIn.put({ service: CRATES_IO, account: "", secret: "no prefix" });
  assertEquals(await store.get(KEY, options()), { kind: "absent" });
});

test("get() passes over items with an account, as cargo never writes one", async (store) => {
  standIn.put({ service: SERVICE, account: "somebody", secret: "foreign" });
  assertEquals(await store.get(KEY, options()), { kind: "absent" });
  putCargoItem();
  assertEquals(await tokenOf(store), PLANTED);
});

test("get() finds an empty secret", async (store) => {
  putCargoItem("");
  const outcome = await store.get(KEY, options());
  assert(outcome.kind === "found");
  assertEquals(outcome.token.length, 0);
});

test("get() finds an item from another process", async (store) => {
  await store.set(KEY, TOKEN, options());
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-read",
      "--allow-ffi",
      "--no-prompt",
      new URL("keychain_child.ts", import.meta.url).href,
      standIn.library,
      standIn.file,
      CRATES_IO,
    ],
    stderr: "inherit",
  });
  const { stdout } = await child.output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
    kind: "found",
    equal: true,
  });
});

test("set() replaces an item in place", async (store) => {
  putCargoItem("old");
  // Delete and add would be the other way, and lose the access list.
  standIn.fail("SecKeychainItemDelete", -25293);
  standIn.fail("SecKeychainAddGenericPassword", -25293);
  assertEquals(await store.set(KEY, TOKEN, options()), { kind: "stored" });
  assertEquals(standIn.items.map((item) => item.secret), [PLANTED]);
});

test("set() makes an item anew that it may write but not read", async (store) => {
  putCargoItem("old", 2);
  assertEquals(await store.set(KEY, TOKEN, options()), { kind: "stored" });
  assertEquals(await store.verify(KEY, TOKEN, options()), {
    kind: "stored",
    keeps: "on-disk",
  });
  assertEquals(standIn.items.length, 1);
  assertEquals(standIn.dialogs, 0);
});

test("set() leaves the items of other registries and accounts alone", async (store) => {
  standIn.put({ service: SERVICE, account: "somebody", secret: "foreign" });
  standIn.put({ service: "cargo-registry:other", account: "", secret: "o" });
  await store.set(KEY, TOKEN, options());
  assertEquals(standIn.items.map((item) => item.secret), [
    "foreign",
    "o",
    PLANTED,
  ]);
});

test("set() updates when another program has added the item meanwhile", async (store) => {
  standIn.rival = "adds";
  assertEquals(await store.set(KEY, TOKEN, options()), { kind: "stored" });
  assertEquals(standIn.items.map((item) => item.secret), [PLANTED]);
});

test("set() adds when another program has deleted the item meanwhile", async (store) => {
  putCargoItem("old");
  standIn.rival = "deletes";
  assertEquals(await store.set(KEY, TOKEN, options()), { kind: "stored" });
  assertEquals(standIn.items.map((item) => item.secret), [PLANTED]);
});

test("set() gives up when the duplicate never shows", async (store) => {
  standIn.fail("SecKeychainAddGenericPassword", -25299);
  assertEquals(gist(await store.set(KEY, TOKEN, options())), [
    "unreachable",
    "service-failed",
    undefined,
    true,
  ]);
});

test("set() leaves the caller's token alone", async (store) => {
  const token = Secret.fromString(PLANTED);
  await store.set(KEY, token, options());
  assertEquals(token.reveal(), PLANTED);
});

test("verify() answers not-kept for another token, and for none", async (store) => {
  for (const secret of [`${PLANTED}.`, PLANTED.slice(1), ""]) {
    standIn.reset();
    putCargoItem(secret);
    assertEquals(gist(await store.verify(KEY, TOKEN, options())), [
      "denied",
      "not-kept",
      undefined,
      true,
    ]);
  }
  standIn.reset();
  assertEquals(gist(await store.verify(KEY, TOKEN, options()))[1], "not-kept");
});

test("erase() deletes the item, and only that", async (store) => {
  standIn.put({ service: "cargo-registry:other", account: "", secret: "o" });
  putCargoItem();
  assertEquals(await store.erase(KEY, options()), {
    kind: "erased",
    remaining: [],
  });
  assertEquals(standIn.items.map((item) => item.secret), ["o"]);
  assertEquals(await store.erase(KEY, options()), { kind: "absent" });
});

test("erase() deletes another program's item without a dialog", async (store) => {
  putCargoItem("old", 2);
  assertEquals((await store.erase(KEY, options())).kind, "erased");
  assertEquals(standIn.dialogs, 0);
});

test("erase() is content when another program was quicker", async (store) => {
  putCargoItem();
  standIn.rival = "deletes";
  assertEquals((await store.erase(KEY, options())).kind, "erased");
});

test("list() gives the index URLs of cargo's items, locked or not", async (store) => {
  standIn.put({ service: "cargo-registry:a", account: "", secret: "1" });
  standIn.put({ service: "cargo-registry:b", account: "x", secret: "2" });
  standIn.put({ service: "something else", account: "", secret: "3" });
  standIn.put({ service: "cargo-registry:ä", account: "", secret: "4" });
  const items = {
    kind: "items",
    items: [{ indexUrl: "a" }, { indexUrl: "ä" }],
  } as const;
  assertEquals(await store.list(options()), items);
  standIn.locked = true;
  assertEquals(await store.list(options(true)), items);
  assertEquals(standIn.dialogs, 0);
});

// ---- Locked -----------------------------------------------------------------

test("unlockKeychain() opens the keychain with its password alone", async () => {
  const open = (): Security => standIn.open();
  assertEquals(await lookAtKeychain(open), { kind: "already-unlocked" });
  standIn.locked = true;
  assertEquals(await lookAtKeychain(open), { kind: "needs-password" });
  assertEquals(
    await unlockKeychain(Secret.fromString("another one"), open),
    { kind: "wrong-password" },
  );
  assertEquals(standIn.locked, true);
  assertEquals(
    await unlockKeychain(Secret.fromString("the keychain's password"), open),
    { kind: "unlocked" },
  );
  assertEquals(standIn.locked, false);
});

test("`unlock` asks for the keychain's password, and says what came of it", async () => {
  const open = (): Security => standIn.open();
  const type = (password: string | undefined): Promise<number> =>
    unlockLoginKeychain(
      () =>
        Promise.resolve(
          password === undefined ? undefined : Secret.fromString(password),
        ),
      open,
    );
  assertEquals(await type(undefined), 0); // open already
  standIn.locked = true;
  assertEquals(await type(undefined), 1);
  assertEquals(await type("another one"), 1);
  assertEquals(await type("the keychain's password"), 0);
  assertEquals(standIn.locked, false);
});

test("a locked keychain answers locked without a dialog, and shows whether there is an item", async (store) => {
  standIn.locked = true;
  standIn.person = "allows";
  const locked = (item: string): unknown[] => ["locked", "locked", item, true];
  assertEquals(gist(await store.get(KEY, options())), locked("none"));
  assertEquals(gist(await store.erase(KEY, options())), locked("none"));
  assertEquals(gist(await store.prepare(options())), locked("unknown"));
  assertEquals(gist(await store.set(KEY, TOKEN, options())), locked("unknown"));
  assertEquals(
    gist(await store.verify(KEY, TOKEN, options())),
    locked("unknown"),
  );
  putCargoItem();
  assertEquals(gist(await store.get(KEY, options())), locked("visible"));
  assertEquals(gist(await store.erase(KEY, options())), locked("visible"));
  assertEquals(standIn.dialogs, 0);
  assertEquals(standIn.items.length, 1);
});

test("get() with prompt opens no dialog where no item is visible", async (store) => {
  standIn.locked = true;
  standIn.person = "allows";
  assertEquals(gist(await store.get(KEY, options(true))), [
    "locked",
    "locked",
    "none",
    true,
  ]);
  assertEquals(standIn.dialogs, 0);
});

test("get(), erase() and prepare() with prompt unlock the keychain", async (store) => {
  putCargoItem();
  for (
    const run of [
      () => store.get(KEY, options(true)),
      () => store.prepare(options(true)),
      () => store.erase(KEY, options(true)),
    ]
  ) {
    standIn.restart();
    standIn.locked = true;
    standIn.person = "allows";
    assertEquals("cause" in await run(), false);
    assertEquals(standIn.dialogs, 1);
    assertEquals(standIn.locked, false);
  }
});

test("a request that may ask can unlock after one that may not", async (store) => {
  putCargoItem();
  standIn.locked = true;
  standIn.person = "allows";
  assertEquals(await tokenOf(store), "locked");
  assertEquals(await tokenOf(store, true), PLANTED);
  assertEquals(standIn.dialogs, 1);
});

test("set() and verify() never open a dialog, even if asked to", async (store) => {
  standIn.locked = true;
  standIn.person = "allows";
  assertEquals((await store.set(KEY, TOKEN, options(true))).kind, "locked");
  assertEquals((await store.verify(KEY, TOKEN, options(true))).kind, "locked");
  standIn.locked = false;
  putCargoItem(PLANTED, 2);
  assertEquals(gist(await store.verify(KEY, TOKEN, options(true))), [
    "locked",
    "interaction-not-allowed",
    "visible",
    true,
  ]);
  assertEquals(standIn.dialogs, 0);
});

for (
  const [person, kind, cause, item] of [
    ["nobody", "locked", "interaction-not-allowed", "visible"],
    ["dismisses", "denied", "prompt-dismissed", undefined],
    ["mistypes", "denied", "access-denied", undefined],
  ] as const
) {
  test(`get() with prompt of a locked keychain when the person is: ${person}`, async (store) => {
    putCargoItem();
    standIn.locked = true;
    standIn.person = person;
    assertEquals(gist(await store.get(KEY, options(true))), [
      kind,
      cause,
      item,
      true,
    ]);
    assertEquals(standIn.locked, true);
  });

  test(`get() with prompt of another program's item when the person is: ${person}`, async (store) => {
    putCargoItem(PLANTED, 2);
    standIn.person = person;
    assertEquals(gist(await store.get(KEY, options(true))), [
      kind,
      cause,
      item,
      true,
    ]);
  });
}

test("get() of another program's item asks only with prompt, and once if allowed", async (store) => {
  putCargoItem(PLANTED, 2);
  standIn.person = "allows";
  const silent = await store.get(KEY, options());
  assertEquals(gist(silent), [
    "locked",
    "interaction-not-allowed",
    "visible",
    true,
  ]);
  assertEquals(standIn.dialogs, 0);
  assertEquals(await tokenOf(store, true), PLANTED);
  assertEquals(standIn.dialogs, 1);
  assertEquals(await tokenOf(store), PLANTED);
  assertEquals(standIn.dialogs, 1);
});

test("errSecInteractionNotAllowed names the remedy for ssh", async (store) => {
  putCargoItem();
  standIn.fail("SecKeychainItemCopyContent", -25308, 2);
  const outcome = await store.get(KEY, options());
  assert("remedy" in outcome);
  assertStringIncludes(outcome.reason, "may be locked");
  assertStringIncludes(outcome.remedy, "`security unlock-keychain`");
});

// ---- No keychain --------------------------------------------------------------

test("a missing keychain is never an absent item", async (store) => {
  for (
    const [how, exists] of [["none-set", false], [
      "file-missing",
      true,
    ]] as const
  ) {
    standIn.defaultKeychain = how;
    for (const prompt of [false, true]) {
      const expected = ["unreachable", "no-keychain", undefined, exists];
      const all = options(prompt);
      assertEquals(gist(await store.get(KEY, all)), expected);
      assertEquals(gist(await store.prepare(all)), expected);
      assertEquals(gist(await store.set(KEY, TOKEN, all)), expected);
      assertEquals(gist(await store.verify(KEY, TOKEN, all)), expected);
      assertEquals(gist(await store.erase(KEY, all)), expected);
      assertEquals(gist(await store.list(all)), expected);
    }
  }
  assertEquals(standIn.dialogs, 0);
});

Deno.test("KeychainStore loads nothing before it is asked, and says that there is no Keychain here", async () => {
  let opened = 0;
  const store = new KeychainStore(() => {
    opened++;
    return openSecurity({
      security: "/nonexistent/Security",
      coreFoundation: "/nonexistent/CoreFoundation",
    });
  });
  assertEquals(opened, 0);
  const outcome = await store.get(KEY, options());
  assertEquals(gist(outcome), [
    "unreachable",
    "library-missing",
    undefined,
    false,
  ]);
  assertEquals(opened, 1);
});

// ---- Every OSStatus -----------------------------------------------------------

const ROWS: readonly (readonly [
  status: number,
  silently: string,
  asking: string,
])[] = [
  [-34, "denied/store-full", "denied/store-full"],
  [-61, "denied/access-denied", "denied/access-denied"],
  [-128, "locked/interaction-not-allowed", "denied/prompt-dismissed"],
  [-25291, "unreachable/no-keychain", "unreachable/no-keychain"],
  [-25292, "denied/access-denied", "denied/access-denied"],
  [-25293, "locked/interaction-not-allowed", "denied/access-denied"],
  [-25294, "unreachable/no-keychain", "unreachable/no-keychain"],
  [-25295, "unreachable/service-failed", "unreachable/service-failed"],
  [-25299, "unreachable/service-failed", "unreachable/service-failed"],
  [-25300, "unreachable/service-failed", "unreachable/service-failed"],
  [-25302, "denied/too-large", "denied/too-large"],
  [-25304, "unreachable/service-failed", "unreachable/service-failed"],
  [-25307, "unreachable/no-keychain", "unreachable/no-keychain"],
  [-25308, "locked/interaction-not-allowed", "locked/interaction-not-allowed"],
  [-25315, "locked/interaction-not-allowed", "locked/interaction-not-allowed"],
  [-25320, "locked/interaction-not-allowed", "locked/interaction-not-allowed"],
  [-34018, "denied/missing-entitlement", "denied/missing-entitlement"],
  [-60005, "locked/interaction-not-allowed", "denied/access-denied"],
  [-67808, "unreachable/service-failed", "unreachable/service-failed"],
];

Deno.test("keychainFailure() has words for every OSStatus, asking or not", () => {
  for (const [status, silently, asking] of ROWS) {
    for (const prompt of [false, true]) {
      const failure = keychainFailure(new OSStatusError(status, "SecX"), {
        prompt,
        item: "visible",
      });
      assertEquals(
        `${failure.kind}/${failure.cause}`,
        prompt ? asking : silently,
        `${status}`,
      );
      assertEquals(failure.storeExists, status !== -25307, `${status}`);
      assertEquals(
        failure.item,
        failure.kind === "locked" ? "visible" : undefined,
        `${status}`,
      );
      assert(!failure.reason.endsWith("."), failure.reason);
      assert(failure.remedy.endsWith("."), failure.remedy);
    }
  }
});

test("every failure of every function is an outcome, leaks nothing and hides no item", async (store) => {
  const functions: readonly StandInFunction[] = [
    "SecKeychainSetUserInteractionAllowed",
    "SecKeychainCopyDefault",
    "SecKeychainGetStatus",
    "SecKeychainUnlock",
    "SecKeychainSearchCreateFromAttributes",
    "SecKeychainSearchCopyNext",
    "SecKeychainItemCopyContent",
    "SecKeychainItemModifyContent",
    "SecKeychainAddGenericPassword",
    "SecKeychainItemDelete",
  ];
  const failed = new Set<string>();
  for (const [status] of ROWS) {
    for (const name of functions) {
      // This is how the end of a search looks.
      if (status === -25300 && name === "SecKeychainSearchCopyNext") continue;
      for (const nth of [1, 2]) {
        for (const locked of [false, true]) {
          standIn.reset();
          putCargoItem(PLANTED, 2);
          standIn.locked = locked;
          standIn.person = "allows";
          standIn.fail(name, status, nth);
          for (
            const run of [
              () => store.set(KEY, TOKEN, options()),
              () => store.get(KEY, options(true)),
              () => store.verify(KEY, TOKEN, options()),
              () => store.list(options()),
              () => store.erase(KEY, options()),
              () => store.prepare(options()),
            ]
          ) {
            const there = standIn.items.length > 0;
            const outcome = await run();
            if ("cause" in outcome) failed.add(name);
            if (outcome.kind === "found") outcome.token.wipe();
            const label = `${name} ${nth} ${status}`;
            if (there) assertNotEquals(outcome.kind, "absent", label);
            assertEquals(Deno.inspect(outcome).includes(PLANTED), false);
            assertEquals(standIn.counts, NOTHING_LEFT, label);
          }
        }
      }
    }
  }
  assertEquals([...failed].sort(), [...functions].sort());
});

// ---- Leaks and deadlines --------------------------------------------------------

test("1,000 cycles leave no object, no buffer and no readable secret", async (store) => {
  for (let cycle = 0; cycle < 1000; cycle++) {
    await store.set(KEY, TOKEN, options());
    await store.set(KEY, TOKEN, options());
    assertEquals(await tokenOf(store), PLANTED);
    await store.verify(KEY, TOKEN, options());
    await store.list(options());
    assertEquals((await store.erase(KEY, options())).kind, "erased");
    assertEquals((await store.get(KEY, options())).kind, "absent");
  }
});

for (
  const [what, name, run] of [
    ["get()", "SecKeychainItemCopyContent", (store, o) => store.get(KEY, o)],
    ["get()", "SecKeychainCopyDefault", (store, o) => store.get(KEY, o)],
    ["prepare()", "SecKeychainGetStatus", (store, o) => store.prepare(o)],
    [
      "set()",
      "SecKeychainItemModifyContent",
      (store, o) => store.set(KEY, TOKEN, o),
    ],
    [
      "verify()",
      "SecKeychainSearchCopyNext",
      (store, o) => store.verify(KEY, TOKEN, o),
    ],
    ["erase()", "SecKeychainItemDelete", (store, o) => store.erase(KEY, o)],
    [
      "list()",
      "SecKeychainSearchCreateFromAttributes",
      (store, o) => store.list(o),
    ],
  ] as const satisfies readonly (readonly [
    string,
    StandInFunction,
    (
      store: CredentialStore,
      options: StoreOptions,
    ) => Promise<{ kind: string }>,
  ])[]
) {
  unix.test(`${what} ends at the deadline while ${name} blocks, and releases everything later`, async () => {
    const store = start();
    putCargoItem();
    standIn.block(name);
    const deadline = new AbortController();
    const outcome = run(store, { signal: deadline.signal });
    while (standIn.blocked === 0) await pause();
    deadline.abort();
    assertEquals(gist(await outcome).slice(0, 2), ["timeout", "deadline"]);

    // The next one waits behind the blocked call, and ends in time as well.
    const next = new AbortController();
    const waiting = store.get(KEY, { signal: next.signal });
    await pause();
    next.abort();
    assertEquals((await waiting).kind, "timeout");

    standIn.unblock();
    assertEquals((await store.prepare(options())).kind, "ready");
    assertEquals(standIn.counts, NOTHING_LEFT);
  });
}

test("a request whose deadline has passed writes nothing when its call returns", async (store) => {
  standIn.block("SecKeychainSearchCopyNext", 1);
  const deadline = new AbortController();
  const outcome = store.set(KEY, TOKEN, { signal: deadline.signal });
  while (standIn.blocked === 0) await pause();
  deadline.abort();
  assertEquals((await outcome).kind, "timeout");
  standIn.unblock();
  assertEquals((await store.prepare(options())).kind, "ready");
  assertEquals(standIn.items, []);
});

test("a write that outlives its deadline stores the token, though the caller has wiped it", async (store) => {
  standIn.block("SecKeychainAddGenericPassword", 1);
  const deadline = new AbortController();
  const token = Secret.fromString(PLANTED);
  const outcome = store.set(KEY, token, { signal: deadline.signal });
  while (standIn.blocked === 0) await pause();
  deadline.abort();
  assertEquals((await outcome).kind, "timeout");
  token.wipe();
  standIn.unblock();
  assertEquals((await store.prepare(options())).kind, "ready");
  assertEquals(standIn.items.map((item) => item.secret), [PLANTED]);
});

test("a dialog that nobody answers ends at the deadline", async (store) => {
  putCargoItem();
  standIn.locked = true;
  standIn.person = "stays-away";
  const deadline = new AbortController();
  const outcome = store.get(KEY, { signal: deadline.signal, prompt: true });
  while (standIn.blocked === 0) await pause();
  deadline.abort();
  assertEquals((await outcome).kind, "timeout");
  assertEquals(standIn.dialogs, 1);
  standIn.unblock();
  await store.prepare(options());
});

test("an aborted signal asks nothing", async (store) => {
  standIn.fail("SecKeychainSetUserInteractionAllowed", -25293);
  const signal = AbortSignal.abort();
  assertEquals((await store.get(KEY, { signal })).kind, "timeout");
  assertEquals((await store.set(KEY, TOKEN, { signal })).kind, "timeout");
});

test("requests that are made at once are carried out one after the other", async (store) => {
  putCargoItem(PLANTED, 2);
  standIn.person = "allows";
  const [silent, asking, after] = await Promise.all([
    store.get(KEY, options()),
    store.get(KEY, options(true)),
    store.get(KEY, options()),
  ]);
  assertEquals([silent.kind, asking.kind, after.kind], [
    "locked",
    "found",
    "found",
  ]);
  assertEquals(standIn.dialogs, 1);
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

// ---- The real framework ---------------------------------------------------------

if (Deno.build.os === "darwin") {
  const PASSWORD = "of a throw-away keychain";

  const security = async (...args: readonly string[]): Promise<string> => {
    const output = await new Deno.Command("security", { args: [...args] })
      .output();
    const text = new TextDecoder();
    assert(output.success, text.decode(output.stderr));
    return text.decode(output.stdout) + text.decode(output.stderr);
  };

  /** The system's framework, with a throw-away keychain for the default one. */
  const bindings = (path: string): Security => {
    const { SecKeychainOpen } = Deno.dlopen(SECURITY_PATH, {
      // OSStatus SecKeychainOpen(const char *, SecKeychainRef *)
      SecKeychainOpen: { parameters: ["buffer", "buffer"], result: "i32" },
    }).symbols;
    const real = openSecurity();
    const coreFoundation = openCoreFoundation();
    real.copyDefaultKeychain = () => {
      const out = new OutPointer();
      assertEquals(SecKeychainOpen(cString(path), out.cell), 0);
      if (out.value === null) throw new Error("SecKeychainOpen gave nothing");
      return Promise.resolve(new CFReference(coreFoundation, out.value));
    };
    return real;
  };

  Deno.test("the real framework: a token's whole life in a throw-away keychain", async () => {
    const directory = await Deno.makeTempDir();
    const path = `${directory}/test.keychain-db`;
    await security("create-keychain", "-p", PASSWORD, path);
    try {
      await security("unlock-keychain", "-p", PASSWORD, path);
      const store = new KeychainStore(() => bindings(path));
      assertEquals((await store.get(KEY, options())).kind, "absent");
      assertEquals((await store.prepare(options())).kind, "ready");
      for (const text of [PLANTED, "another", "x".repeat(5000), PLANTED]) {
        const token = Secret.fromString(text);
        assertEquals(await store.set(KEY, token, options()), {
          kind: "stored",
        });
        assertEquals(await store.verify(KEY, token, options()), {
          kind: "stored",
          keeps: "on-disk",
        });
        assertEquals(await tokenOf(store), text);
      }
      assertEquals(await store.list(options()), {
        kind: "items",
        items: [{ indexUrl: CRATES_IO }],
      });
      // Attributes only: `security` would have to ask for the secret.
      const shown = await security(
        "find-generic-password",
        "-s",
        SERVICE,
        path,
      );
      assertStringIncludes(shown, `"svce"<blob>="${SERVICE}"`);
      assertStringIncludes(shown, '"acct"<blob>=""');

      await security("lock-keychain", path);
      assertEquals(gist(await store.get(KEY, options())), [
        "locked",
        "locked",
        "visible",
        true,
      ]);
      assertEquals((await store.set(KEY, TOKEN, options())).kind, "locked");
      const other = { indexUrl: "https://example.com/index" };
      assertEquals(gist(await store.get(other, options())), [
        "locked",
        "locked",
        "none",
        true,
      ]);

      await security("unlock-keychain", "-p", PASSWORD, path);
      assertEquals((await store.erase(KEY, options())).kind, "erased");
      assertEquals((await store.get(KEY, options())).kind, "absent");
    } finally {
      await security("delete-keychain", path);
      await Deno.remove(directory, { recursive: true });
    }
  });
}
