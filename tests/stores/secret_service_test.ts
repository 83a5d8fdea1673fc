import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { compilePreload } from "../support/preload.ts";
import { missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import {
  type Outcome,
  SecretServiceProcess,
} from "../support/secret_service.ts";
import {
  LOGIN_COLLECTION,
  type NewItem,
  SESSION_COLLECTION,
  startSessionBus,
  startSilentBus,
} from "../support/session_bus.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "the buses are those of Linux");

const CRATES_IO = "https://github.com/rust-lang/crates.io-index";
const OTHER = "sparse+https://registry.example/index/";
const TOKEN = "planted-token-7f3a";
const SCHEMA = "org.rust-lang.cargo.registry";

/** An item as `cargo:libsecret` makes it. */
function cargoItem(url: string, secret: string): NewItem {
  return {
    attributes: { url, "xdg:schema": SCHEMA },
    secret,
    label: `cargo-registry:${url}`,
  };
}

function found(
  token: string,
  others: readonly string[] = [],
  keeps = "on-disk",
): Outcome {
  return { kind: "found", token, others, keeps };
}

/** The parts of a failure that programs look at. */
function verdict(outcome: Outcome): readonly unknown[] {
  const { kind, cause, storeExists, item } = outcome;
  return item === undefined
    ? [kind, cause, storeExists]
    : [kind, cause, storeExists, item];
}

const LOCKED = ["locked", "locked", true];
const VISIBLE = [...LOCKED, "visible"];
const NONE = [...LOCKED, "none"];
const DISMISSED = ["denied", "prompt-dismissed", true];
const DEADLINE = ["timeout", "deadline", true];

linux.test("SecretServiceStore stores, reads, lists and erases", async () => {
  await using bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus);
  const [url, token] = [CRATES_IO, TOKEN];
  assertEquals(await store.ask({ method: "get", url }), { kind: "absent" });
  assertEquals(await store.ask({ method: "erase", url }), { kind: "absent" });
  assertEquals(await store.ask({ method: "list" }), {
    kind: "items",
    items: [],
  });
  assertEquals(await store.ask({ method: "prepare" }), {
    kind: "ready",
    durable: true,
    plaintext: false,
  });
  assertEquals(
    await store.ask({ method: "set", url, name: "crates-io", token }),
    { kind: "stored" },
  );
  assertEquals(await store.ask({ method: "verify", url, token }), {
    kind: "stored",
    keeps: "on-disk",
  });
  assertEquals(await store.ask({ method: "get", url }), found(TOKEN));
  assertEquals(await store.ask({ method: "get", url: OTHER }), {
    kind: "absent",
  });
  assertEquals(await store.ask({ method: "list" }), {
    kind: "items",
    items: [{ indexUrl: CRATES_IO, name: "crates-io" }],
  });
  assertEquals(await store.ask({ method: "erase", url }), {
    kind: "erased",
    remaining: [],
  });
  assertEquals(await store.ask({ method: "get", url }), { kind: "absent" });
  assertEquals(await bus.items(), []);
  assertEquals(await store.end(), { code: 0, stderr: "" });
});

linux.test("set() makes exactly the item that cargo:libsecret makes", async () => {
  await using bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus);
  const token = TOKEN;
  await store.ask({ method: "set", url: CRATES_IO, name: "crates-io", token });
  await store.ask({ method: "set", url: OTHER, token });
  const items = (await bus.items()).map(({ path: _, ...item }) => item);
  items.sort((a, b) => a.label < b.label ? -1 : 1);
  assertEquals(items, [
    {
      collection: LOGIN_COLLECTION,
      label: "cargo-registry:crates-io",
      attributes: { url: CRATES_IO, "xdg:schema": SCHEMA },
      locked: false,
      secret: TOKEN,
    },
    {
      collection: LOGIN_COLLECTION,
      label: `cargo-registry:${OTHER}`,
      attributes: { url: OTHER, "xdg:schema": SCHEMA },
      locked: false,
      secret: TOKEN,
    },
  ]);
});

linux.test("set() replaces the item that is there", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, "old")]);
  await using store = new SecretServiceProcess(bus);
  await store.ask({ method: "set", url: OTHER, name: "a", token: "new" });
  await store.ask({ method: "set", url: OTHER, name: "b", token: "newer" });
  const items = await bus.items();
  assertEquals(items.map(({ secret }) => secret), ["newer"]);
  assertEquals(items[0]?.label, "cargo-registry:b");
});

linux.test("the store and secret-tool see each other's items", async () => {
  await using bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus);
  const attributes = ["xdg:schema", SCHEMA, "url", OTHER];
  const secretTool = async (
    command: string,
    stdin = "",
  ): Promise<string> => {
    const label = command === "store" ? ["--label=cargo-registry:alt"] : [];
    const { stdout } = await run(
      ["secret-tool", command, ...label, ...attributes],
      { env: bus.env, stdin },
    );
    return stdout;
  };
  await secretTool("store", TOKEN);
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
  await store.ask({ method: "set", url: OTHER, token: "second" });
  assertEquals(await secretTool("lookup"), "second");
  assertEquals((await bus.items()).length, 1);
  await secretTool("clear");
  assertEquals(await store.ask({ method: "get", url: OTHER }), {
    kind: "absent",
  });
});

linux.test("get() takes no item of another schema, and no other URL's", async () => {
  await using bus = await startSessionBus();
  await bus.store([
    { attributes: { url: OTHER }, secret: "no schema" },
    {
      attributes: { url: OTHER, "xdg:schema": "org.example" },
      secret: "another schema",
    },
    cargoItem(`${OTHER}x`, "another URL"),
  ]);
  await using store = new SecretServiceProcess(bus);
  assertEquals(await store.ask({ method: "get", url: OTHER }), {
    kind: "absent",
  });
  assertEquals(await store.ask({ method: "erase", url: OTHER }), {
    kind: "absent",
  });
  assertEquals((await bus.items()).length, 3);
});

linux.test("get() gives back what is stored, byte for byte", async () => {
  await using bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus);
  for (const token of ["", " ", "t\u00f6k\u20ac\n", "x".repeat(70_000)]) {
    await store.ask({ method: "set", url: OTHER, token });
    assertEquals(await store.ask({ method: "get", url: OTHER }), found(token));
    assertEquals(await store.ask({ method: "verify", url: OTHER, token }), {
      kind: "stored",
      keeps: "on-disk",
    });
  }
});

linux.test("verify() notices what is not there, and what is different", async () => {
  await using bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus);
  const question = { method: "verify", url: OTHER, token: TOKEN } as const;
  const notKept = ["denied", "not-kept", true];
  assertEquals(verdict(await store.ask(question)), notKept);
  await bus.store([cargoItem(OTHER, "other")]);
  assertEquals(verdict(await store.ask(question)), notKept);
});

linux.test("a locked keyring shows which items it has", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  await using store = new SecretServiceProcess(bus);
  const check = async (): Promise<void> => {
    const ask = async (
      method: "get" | "erase" | "verify",
      url: string,
    ): Promise<readonly unknown[]> =>
      verdict(await store.ask({ method, url, token: TOKEN }));
    assertEquals(await ask("get", OTHER), VISIBLE);
    assertEquals(await ask("get", CRATES_IO), NONE);
    assertEquals(await ask("verify", OTHER), VISIBLE);
    assertEquals(await ask("erase", OTHER), VISIBLE);
    assertEquals(await ask("erase", CRATES_IO), NONE);
    assertEquals(verdict(await store.ask({ method: "list" })), LOCKED);
    assertEquals(verdict(await store.ask({ method: "prepare" })), LOCKED);
    const set = { method: "set", url: OTHER, token: "x" } as const;
    assertEquals(verdict(await store.ask(set)), LOCKED);
  };
  await using prompter = await bus.startPrompter("type");
  const monitor = await bus.startMonitor();
  await bus.lock();
  await check();
  await bus.restartKeyringLocked();
  await check();
  const log = await monitor.stop();
  assertEquals(prompter.prompts, []);
  // Nothing that could open a dialog went over the bus: a prompt that nobody
  // performs shows nothing.
  assertStringIncludes(log, "member=SearchItems");
  assertStringIncludes(log, "member=Dismiss");
  for (const member of ["Prompt", "CreateCollection"]) {
    assertEquals(log.includes(`member=${member}\n`), false, member);
  }
  assertEquals(log.includes("internal.Prompter"), false);
  await bus.unlock();
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
});

linux.test("nothing that could open a dialog is called on an open keyring", async () => {
  await using bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus);
  const monitor = await bus.startMonitor();
  await store.ask({ method: "prepare", prompt: true });
  await store.ask({ method: "set", url: OTHER, token: TOKEN });
  await store.ask({ method: "verify", url: OTHER, token: TOKEN });
  await store.ask({ method: "get", url: OTHER, prompt: true });
  await store.ask({ method: "list" });
  await store.ask({ method: "erase", url: OTHER });
  const log = await monitor.stop();
  assertStringIncludes(log, "member=CreateItem");
  assertStringIncludes(log, "member=Delete");
  for (const member of ["Unlock", "Prompt", "CreateCollection"]) {
    assertEquals(log.includes(`member=${member}\n`), false, member);
  }
  // The session is encrypted: nobody on the bus can read the token.
  assertEquals(log.includes(TOKEN), false);
});

for (const restarted of [false, true]) {
  const state = restarted ? "freshly started" : "locked";
  linux.test(`a ${state} keyring opens when its prompt is answered`, async () => {
    await using bus = await startSessionBus();
    await bus.store([cargoItem(OTHER, TOKEN)]);
    await using store = new SecretServiceProcess(bus);
    const lock = async (): Promise<void> => {
      if (restarted) await bus.restartKeyringLocked();
      else await bus.lock();
    };
    await lock();
    {
      await using prompter = await bus.startPrompter("dismiss");
      const ask = async (
        method: "get" | "prepare" | "erase",
      ): Promise<readonly unknown[]> =>
        verdict(await store.ask({ method, url: OTHER, prompt: true }));
      assertEquals(await ask("get"), DISMISSED);
      assertEquals(await ask("prepare"), DISMISSED);
      assertEquals(await ask("erase"), DISMISSED);
      assertEquals(prompter.prompts.length, 3);
      // The keyring tells that it has none of this URL: nobody is asked.
      assertEquals(
        verdict(
          await store.ask({ method: "get", url: CRATES_IO, prompt: true }),
        ),
        NONE,
      );
      assertEquals(prompter.prompts.length, 3);
    }
    await using prompter = await bus.startPrompter("type");
    assertEquals(
      await store.ask({ method: "get", url: OTHER, prompt: true }),
      found(TOKEN),
    );
    await lock();
    assertEquals(await store.ask({ method: "prepare", prompt: true }), {
      kind: "ready",
      durable: true,
      plaintext: false,
    });
    assertEquals(
      await store.ask({ method: "set", url: OTHER, token: "second" }),
      { kind: "stored" },
    );
    await lock();
    assertEquals(
      await store.ask({ method: "erase", url: OTHER, prompt: true }),
      { kind: "erased", remaining: [] },
    );
    assertEquals(prompter.prompts.length, 3);
    assertEquals(await bus.items(), []);
  });
}

linux.test("a wrong password and then none is a dismissed prompt", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  await bus.lock();
  await using store = new SecretServiceProcess(bus);
  // It asks again and again.
  await using _prompter = await bus.startPrompter("type", "not the password");
  const outcome = await store.ask({
    method: "get",
    url: OTHER,
    prompt: true,
    limit: 1500,
  });
  assert(["timeout", "denied"].includes(outcome.kind), outcome.kind);
});

linux.test("a prompt with nobody to show it is a dismissed prompt", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  await bus.lock();
  await using store = new SecretServiceProcess(bus);
  assertEquals(
    verdict(await store.ask({ method: "get", url: OTHER, prompt: true })),
    DISMISSED,
  );
});

linux.test("a prompt that nobody answers ends at the deadline", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  await bus.lock();
  await using store = new SecretServiceProcess(bus);
  await using prompter = await bus.startPrompter("ignore");
  const question = { method: "get", url: OTHER, prompt: true, limit: 800 };
  assertEquals(
    verdict(await store.ask({ ...question, method: "get" })),
    DEADLINE,
  );
  assertEquals(prompter.prompts.length, 1);
  assertEquals((await store.end()).code, 0);
});

linux.test("without a default collection nothing can be stored", async () => {
  await using bus = await startSessionBus({ keyring: "empty" });
  await using store = new SecretServiceProcess(bus);
  const expected = ["unreachable", "no-default-collection", true];
  for (const method of ["get", "prepare", "set", "erase", "list"] as const) {
    assertEquals(
      verdict(await store.ask({ method, url: OTHER, token: TOKEN })),
      expected,
      method,
    );
  }
  assertEquals(await bus.items(), []);
});

linux.test("prepare() lets a person make the default collection", async () => {
  await using bus = await startSessionBus({ keyring: "empty" });
  await using store = new SecretServiceProcess(bus);
  {
    await using _prompter = await bus.startPrompter("dismiss");
    assertEquals(
      verdict(await store.ask({ method: "prepare", prompt: true })),
      DISMISSED,
    );
  }
  await using _prompter = await bus.startPrompter("type");
  assertEquals(await store.ask({ method: "prepare", prompt: true }), {
    kind: "ready",
    durable: true,
    plaintext: false,
  });
  assertEquals(
    await store.ask({ method: "set", url: OTHER, token: TOKEN }),
    { kind: "stored" },
  );
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
  await bus.restartKeyringLocked();
  assertEquals(
    verdict(await store.ask({ method: "get", url: OTHER })),
    VISIBLE,
  );
});

linux.test("prepare() sees that the default collection is in memory", async () => {
  await using bus = await startSessionBus({ keyring: "in-memory" });
  await using store = new SecretServiceProcess(bus);
  assertEquals(await store.ask({ method: "prepare" }), {
    kind: "ready",
    durable: false,
    plaintext: false,
  });
  await store.ask({ method: "set", url: OTHER, token: TOKEN });
  assertEquals((await bus.items())[0]?.collection, SESSION_COLLECTION);
  assertEquals(
    await store.ask({ method: "get", url: OTHER }),
    found(TOKEN, [], "in-memory"),
  );
});

linux.test("get() says how well the very item is kept, not the default collection", async () => {
  await using bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus);
  const url = OTHER;
  await bus.store([
    { ...cargoItem(url, TOKEN), collection: SESSION_COLLECTION },
  ]);
  assertEquals(await store.ask({ method: "prepare" }), {
    kind: "ready",
    durable: true,
    plaintext: false,
  });
  assertEquals(
    await store.ask({ method: "get", url }),
    found(TOKEN, [], "in-memory"),
  );
  // What is verified is what set() has written, not the item in memory.
  const verify = { method: "verify", url, token: TOKEN } as const;
  const notKept = ["denied", "not-kept", true];
  assertEquals(verdict(await store.ask(verify)), notKept);
  await store.ask({ method: "set", url, token: TOKEN });
  assertEquals(await store.ask(verify), { kind: "stored", keeps: "on-disk" });
  // Of two that agree the one that lasts counts.
  assertEquals(await store.ask({ method: "get", url }), found(TOKEN));
  await bus.setDefaultCollection(SESSION_COLLECTION);
  assertEquals(await store.ask(verify), { kind: "stored", keeps: "in-memory" });
  assertEquals(await store.ask({ method: "get", url }), found(TOKEN));
});

linux.test("an ordinary get() takes no more calls than it needs", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  await using store = new SecretServiceProcess(bus);
  const monitor = await bus.startMonitor();
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
  const log = await monitor.stop();
  const called = [...log.matchAll(/^method call .*member=(\w+)$/gm)]
    .map(([, member]) => member);
  // From `Hello` to `GetSecrets`; the test's own process follows.
  const end = called.indexOf("GetSecrets");
  const [hello, ...rest] = called.slice(called.indexOf("Hello"), end + 1);
  // Who the service is, and whether it answers, is asked all at once.
  const calls = [hello, ...rest.slice(0, 3).toSorted(), ...rest.slice(3)];
  assertEquals(calls, [
    "Hello",
    "GetAll",
    "GetNameOwner",
    "GetNameOwner",
    "SearchItems",
    // libsecret's, where a key is agreed on
    "AddMatch",
    "GetNameOwner",
    "AddMatch",
    "AddMatch",
    "StartServiceByName",
    "GetNameOwner",
    "GetAll",
    "OpenSession",
    "GetSecrets",
  ]);
});

linux.test("get() asks nothing that a sandbox with libsecret's rules forbids", async () => {
  await using bus = await startSessionBus({ denied: "peer" });
  await using store = new SecretServiceProcess(bus);
  await store.ask({ method: "set", url: OTHER, token: TOKEN });
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
  assertEquals(await store.ask({ method: "list" }), {
    kind: "items",
    items: [{ indexUrl: OTHER }],
  });
});

linux.test("a keyring without a password opens with nobody present", async () => {
  await using bus = await startSessionBus({ keyring: "plaintext" });
  await using prompter = await bus.startPrompter("type");
  await bus.store([cargoItem(OTHER, TOKEN)]);
  const url = OTHER;
  const questions = [
    [{ method: "get", url }, found(TOKEN)],
    [{ method: "get", url: CRATES_IO }, { kind: "absent" }],
    [{ method: "prepare" }, { kind: "ready", durable: true, plaintext: true }],
    [{ method: "list" }, { kind: "items", items: [{ indexUrl: url }] }],
    [{ method: "verify", url, token: TOKEN }, {
      kind: "stored",
      keeps: "on-disk",
    }],
    [{ method: "set", url, token: TOKEN }, { kind: "stored" }],
    [{ method: "erase", url }, { kind: "erased", remaining: [] }],
  ] as const;
  for (const [question, expected] of questions) {
    // After each start it counts as locked.
    await bus.restartKeyringLocked();
    await using store = new SecretServiceProcess(bus);
    assertEquals<unknown>(await store.ask(question), expected, question.method);
  }
  assertEquals(await bus.items(), []);
  assertEquals(prompter.prompts, []);
});

linux.test("a locked keyring that is not the default one is named", async () => {
  await using bus = await startSessionBus();
  const work = await bus.createCollection("Standard-Schl\u00fcsselbund");
  await bus.store([
    { ...cargoItem(OTHER, TOKEN), collection: work, label: "second" },
    { ...cargoItem(CRATES_IO, TOKEN), collection: work },
    cargoItem(OTHER, "newer"),
  ]);
  await using store = new SecretServiceProcess(bus);
  assertEquals(
    await store.ask({ method: "get", url: OTHER }),
    found("newer", ['"second" in the keyring "Standard-Schl\u00fcsselbund"']),
  );
  await bus.lock(work);
  for (const method of ["get", "erase"] as const) {
    const outcome = await store.ask({ method, url: CRATES_IO });
    assertEquals(verdict(outcome), VISIBLE);
    assertStringIncludes(
      String(outcome.reason),
      'the keyring "Standard-Schl\u00fcsselbund"',
    );
  }
});

linux.test("of several items the default collection's wins", async () => {
  await using bus = await startSessionBus();
  const work = await bus.createCollection("at work");
  await bus.store([
    { ...cargoItem(OTHER, TOKEN), collection: work, label: "second" },
    { ...cargoItem(CRATES_IO, TOKEN), collection: work },
  ]);
  await using store = new SecretServiceProcess(bus);
  // Only in another collection: found all the same.
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
  // The same secret in both: one item.
  await store.ask({ method: "set", url: OTHER, token: TOKEN });
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
  // Different ones: ours, and the other is named.
  await store.ask({ method: "set", url: OTHER, token: "newer" });
  assertEquals(
    await store.ask({ method: "get", url: OTHER }),
    found("newer", ['"second" in the keyring "at_work"']),
  );
  assertEquals(
    await store.ask({ method: "verify", url: OTHER, token: "newer" }),
    { kind: "stored", keeps: "on-disk" },
  );
  // The other collection as the default one: its item wins.
  await bus.setDefaultCollection(work);
  assertEquals(
    await store.ask({ method: "get", url: OTHER }),
    found(TOKEN, [`"cargo-registry:${OTHER}" in the keyring "login"`]),
  );
  assertEquals(await store.ask({ method: "erase", url: OTHER }), {
    kind: "erased",
    remaining: [],
  });
  assertEquals((await bus.items()).map(({ attributes }) => attributes.url), [
    CRATES_IO,
  ]);
});

linux.test("erase() names the items that are locked and stay", async () => {
  await using bus = await startSessionBus();
  const work = await bus.createCollection("work");
  await bus.store([
    cargoItem(OTHER, TOKEN),
    { ...cargoItem(OTHER, TOKEN), collection: work, label: "kept" },
  ]);
  await bus.lock(work);
  await using store = new SecretServiceProcess(bus);
  // An open item is found, whatever another collection may hold.
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
  const erased = await store.ask({ method: "erase", url: OTHER });
  assertEquals(erased.kind, "erased");
  // gnome-keyring forgets labels when it reads the file of a locked keyring
  // again, which it does when it has just written it.
  assertMatch(
    String(erased.remaining),
    /^("kept"|an item) in the keyring "work"$/,
  );
  // What stays may still be a token of this URL: not absent.
  assertEquals(
    verdict(await store.ask({ method: "get", url: OTHER })),
    VISIBLE,
  );
  assertEquals(
    verdict(await store.ask({ method: "erase", url: OTHER })),
    VISIBLE,
  );
});

linux.test("erase() names locked items that a fresh keyring hides", async () => {
  await using bus = await startSessionBus();
  const work = await bus.createCollection("work");
  await bus.store([
    cargoItem(OTHER, TOKEN),
    { ...cargoItem(OTHER, TOKEN), collection: work, label: "kept" },
  ]);
  await bus.restartKeyringLocked();
  await bus.unlock(LOGIN_COLLECTION);
  await using store = new SecretServiceProcess(bus);
  assertEquals(await store.ask({ method: "erase", url: OTHER }), {
    kind: "erased",
    remaining: ['an item in the keyring "work"'],
  });
});

linux.test("a keyring that the bus starts is started, and asked", async () => {
  await using bus = await startSessionBus({ keyring: "activatable" });
  await using store = new SecretServiceProcess(bus);
  assertEquals(await bus.hasKeyring(), false);
  assertEquals(verdict(await store.ask({ method: "get", url: OTHER })), NONE);
  assertEquals(await bus.hasKeyring(), true);
});

linux.test("a bus without a Secret Service has none", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  await using store = new SecretServiceProcess(bus);
  for (const method of ["get", "prepare", "set", "erase", "list"] as const) {
    assertEquals(
      verdict(await store.ask({ method, url: OTHER, token: TOKEN })),
      ["unreachable", "no-service", true],
      method,
    );
  }
});

linux.test("a bus that refuses access denies it, in a sandbox with its hint", async () => {
  await using bus = await startSessionBus({ denied: "secrets" });
  await using store = new SecretServiceProcess(bus);
  for (const method of ["get", "prepare", "set", "erase", "list"] as const) {
    assertEquals(
      verdict(await store.ask({ method, url: OTHER, token: TOKEN })),
      ["denied", "access-denied", true],
      method,
    );
  }
  await using snap = new SecretServiceProcess(bus, {
    env: {
      SNAP: "/snap/editor/1",
      SNAP_INSTANCE_NAME: "editor",
      SNAP_USER_DATA: `${bus.env["HOME"]}`,
    },
  });
  const outcome = await snap.ask({ method: "get", url: OTHER });
  assertEquals(verdict(outcome), ["denied", "sandboxed", true]);
  assertStringIncludes(String(outcome.remedy), "snap connect editor:");
  // A terminal that an editor's snap opens on the host is in no sandbox.
  await using terminal = new SecretServiceProcess(bus, {
    env: {
      SNAP: "/snap/editor/1",
      SNAP_INSTANCE_NAME: "editor",
      SNAP_USER_DATA: "/snap-data",
    },
  });
  assertEquals(
    verdict(await terminal.ask({ method: "get", url: OTHER })),
    ["denied", "access-denied", true],
  );
});

linux.test("a service that takes 30 s to start ends at the deadline", async () => {
  await using bus = await startSessionBus({ keyring: "slow" });
  await using store = new SecretServiceProcess(bus);
  for (const method of ["get", "prepare", "set", "erase", "list"] as const) {
    const { outcome, ms } = await store.time({
      method,
      url: OTHER,
      token: TOKEN,
      limit: 300,
    });
    assertEquals(verdict(outcome), DEADLINE, method);
    assert(ms < 5000, `${method} took ${ms} ms`);
  }
  assertEquals((await store.end()).code, 0);
});

linux.test("a bus that never answers ends at the deadline", async () => {
  await using silent = await startSilentBus();
  await using store = new SecretServiceProcess({
    env: { DBUS_SESSION_BUS_ADDRESS: silent.address },
  });
  const question = { method: "get", url: OTHER, limit: 300 } as const;
  assertEquals(verdict(await store.ask(question)), DEADLINE);
  assertEquals(verdict(await store.ask(question)), DEADLINE);
  assertEquals(await store.end(), { code: 0, stderr: "" });
});

linux.test("a keyring that is stopped ends at the deadline, and works later", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  await using store = new SecretServiceProcess(bus);
  bus.signalKeyring("SIGSTOP");
  const question = { method: "get", url: OTHER, limit: 300 } as const;
  assertEquals(verdict(await store.ask(question)), DEADLINE);
  bus.signalKeyring("SIGCONT");
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
});

linux.test("a keyring that is killed while it is asked is gone", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  await using store = new SecretServiceProcess(bus);
  bus.signalKeyring("SIGSTOP");
  const asked = store.ask({ method: "get", url: OTHER });
  await new Promise((resolve) => setTimeout(resolve, 300));
  bus.signalKeyring("SIGKILL");
  assertEquals((await asked).kind, "unreachable");
  await bus.restartKeyringLocked();
  assertEquals(
    verdict(await store.ask({ method: "get", url: OTHER })),
    VISIBLE,
  );
});

linux.test("a service that dies in the middle of a search has failed", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  await using store = new SecretServiceProcess(bus);
  for (const method of ["get", "erase", "list"] as const) {
    await using fake = await bus.startFakeService("dies");
    assertEquals(
      verdict(await store.ask({ method, url: OTHER })),
      ["unreachable", "service-failed", true],
      method,
    );
    assertEquals(fake.calls.at(-1), "SearchItems");
  }
});

linux.test("UnknownMethod, and errors that nobody knows, are not absent", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  await using store = new SecretServiceProcess(bus);
  for (const mode of ["unknown-method", "not-found"] as const) {
    await using _fake = await bus.startFakeService(mode);
    for (const method of ["get", "verify"] as const) {
      assertEquals(
        verdict(await store.ask({ method, url: "stored", token: TOKEN })),
        ["unreachable", "service-failed", true],
        mode,
      );
    }
  }
});

linux.test("an item that went since it was found is looked for again", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  await using store = new SecretServiceProcess(bus);
  {
    // It is listed, and was erased by another process meanwhile.
    await using _fake = await bus.startFakeService("went");
    assertEquals(await store.ask({ method: "get", url: "stored" }), {
      kind: "absent",
    });
  }
  await using _fake = await bus.startFakeService("ghost");
  const outcome = await store.ask({ method: "get", url: "stored" });
  assertEquals(verdict(outcome), ["unreachable", "service-failed", true]);
});

linux.test("a store that hides what it has while locked says unknown", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  await using store = new SecretServiceProcess(bus);
  await using fake = await bus.startFakeService("opaque");
  const url = "stored";
  const unknown = [...LOCKED, "unknown"];
  assertEquals(verdict(await store.ask({ method: "get", url })), unknown);
  assertEquals(verdict(await store.ask({ method: "erase", url })), unknown);
  assertEquals(verdict(await store.ask({ method: "list" })), LOCKED);
  assertEquals(
    verdict(await store.ask({ method: "set", url, token: TOKEN })),
    LOCKED,
  );
  assertEquals(fake.calls.includes("Prompt"), false);
  assertEquals(
    await store.ask({ method: "get", url, prompt: true }),
    found("fake token"),
  );
  assertEquals(fake.calls.filter((call) => call === "Prompt").length, 1);
});

linux.test("erase() of what hides in a locked store prompts once", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  await using store = new SecretServiceProcess(bus);
  await using fake = await bus.startFakeService("opaque");
  assertEquals(
    await store.ask({ method: "erase", url: "stored", prompt: true }),
    { kind: "erased", remaining: [] },
  );
  assertEquals(fake.calls.filter((call) => call === "Prompt").length, 2);
});

linux.test("erase() does not confirm for the person", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  await using store = new SecretServiceProcess(bus);
  await using fake = await bus.startFakeService("opaque");
  await store.ask({ method: "get", url: "stored", prompt: true });
  const question = { method: "erase", url: "stored" } as const;
  assertEquals(verdict(await store.ask(question)), VISIBLE);
  assertEquals(fake.calls.filter((call) => call === "Prompt").length, 1);
  assertEquals(await store.ask({ ...question, prompt: true }), {
    kind: "erased",
    remaining: [],
  });
  assertEquals(fake.calls.filter((call) => call === "Prompt").length, 2);
});

linux.test("a bus that goes away does not take the process with it", async () => {
  const bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus);
  assertEquals(await store.ask({ method: "get", url: OTHER }), {
    kind: "absent",
  });
  await bus.stop();
  assertEquals(
    verdict(await store.ask({ method: "get", url: OTHER })),
    ["unreachable", "no-bus", true],
  );
  assertEquals((await store.end()).code, 0);
});

const NO_BUS: readonly [
  name: string,
  env: Readonly<Record<string, string>>,
][] = [
  ["no address", {}],
  ["an empty address", { DBUS_SESSION_BUS_ADDRESS: "" }],
  ["autolaunch:", { DBUS_SESSION_BUS_ADDRESS: "autolaunch:" }],
  ["tcp:", { DBUS_SESSION_BUS_ADDRESS: "tcp:host=127.0.0.1,port=9" }],
  ["a socket that is gone", {
    DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus",
  }],
  ["a runtime directory without a bus", { XDG_RUNTIME_DIR: "/nonexistent" }],
];

for (const [name, env] of NO_BUS) {
  linux.test(`with ${name} libsecret is not touched`, async () => {
    await using store = new SecretServiceProcess({ env });
    for (const method of ["get", "prepare", "set", "erase", "list"] as const) {
      assertEquals(
        verdict(await store.ask({ method, url: OTHER, token: TOKEN })),
        ["unreachable", "no-bus", true],
        method,
      );
    }
    const maps = await Deno.readTextFile(`/proc/${store.pid}/maps`);
    assertEquals(maps.includes("libsecret"), false);
    assertEquals(maps.includes("libgio"), false);
    const children = await Deno.readTextFile(
      `/proc/${store.pid}/task/${store.pid}/children`,
    );
    assertEquals(children, "");
  });
}

linux.test("the bus in XDG_RUNTIME_DIR is found without an address", async () => {
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  await using store = new SecretServiceProcess(bus, {
    env: { XDG_RUNTIME_DIR: bus.directory },
    without: ["DBUS_SESSION_BUS_ADDRESS"],
  });
  assertEquals(await store.ask({ method: "get", url: OTHER }), found(TOKEN));
});

linux.test("the bus of another user is not touched", async () => {
  if (Deno.uid() !== 0) missing("root", "run it as root, in a container");
  await using bus = await startSessionBus();
  await Deno.chown(`${bus.directory}/bus`, 12345, null);
  await using store = new SecretServiceProcess(bus);
  assertEquals(
    verdict(await store.ask({ method: "get", url: OTHER })),
    ["unreachable", "foreign-bus", true],
  );
  const maps = await Deno.readTextFile(`/proc/${store.pid}/maps`);
  assertEquals(maps.includes("libsecret"), false);
});

/** Another user's bus, which lets everyone in. */
async function startForeignBus(address: string): Promise<AsyncDisposable> {
  const directory = await Deno.makeTempDir({ prefix: "bus-" });
  await Deno.chmod(directory, 0o755);
  await Deno.writeTextFile(
    `${directory}/bus.conf`,
    `<busconfig><type>session</type><listen>${address}</listen>` +
      `<auth>EXTERNAL</auth><policy context="default">` +
      `<allow user="*"/><allow own="*"/>` +
      `<allow send_destination="*" eavesdrop="true"/>` +
      `<allow eavesdrop="true"/>` +
      `</policy></busconfig>`,
  );
  const daemon = new Deno.Command("dbus-daemon", {
    args: [
      `--config-file=${directory}/bus.conf`,
      "--nofork",
      "--nopidfile",
      "--nosyslog",
      "--print-address=1",
    ],
    uid: 65534,
    gid: 65534,
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = daemon.stdout.getReader();
  if ((await reader.read()).done) throw new Error("dbus-daemon did not start");
  return {
    [Symbol.asyncDispose]: async () => {
      daemon.kill("SIGTERM");
      await reader.cancel();
      await daemon.status;
      await Deno.remove(directory, { recursive: true });
    },
  };
}

linux.test("the abstract socket of another user gets no token", async () => {
  if (Deno.uid() !== 0) missing("root", "run it as root, in a container");
  await using bus = await startSessionBus();
  await bus.store([cargoItem(OTHER, TOKEN)]);
  const abstract = `unix:abstract=${bus.directory}/taken`;
  const ours = bus.env["DBUS_SESSION_BUS_ADDRESS"];
  await using _foreign = await startForeignBus(abstract);
  const ask = async (address: string): Promise<Outcome> => {
    await using store = new SecretServiceProcess(bus, {
      env: { DBUS_SESSION_BUS_ADDRESS: address },
    });
    return await store.ask({ method: "get", url: OTHER });
  };
  const foreign = ["unreachable", "foreign-bus", true];
  assertEquals(verdict(await ask(abstract)), foreign);
  assertEquals(verdict(await ask(`${abstract};${ours}`)), foreign);
  // GDBus takes the first address that answers, and it is that one's user
  // which counts.
  assertEquals(await ask(`${ours};${abstract}`), found(TOKEN));
  assertEquals(
    await ask(`unix:abstract=${bus.directory}/gone;${ours}`),
    found(TOKEN),
  );
});

linux.test("without libsecret its package is named", async () => {
  await using bus = await startSessionBus();
  await using store = new SecretServiceProcess(bus, {
    env: {
      LD_PRELOAD: await compilePreload("hide_library.c", bus.directory),
      HIDDEN_LIBRARY: "libsecret-1.so",
    },
  });
  const outcome = await store.ask({ method: "get", url: OTHER });
  assertEquals(verdict(outcome), ["unreachable", "library-missing", true]);
  assertStringIncludes(String(outcome.reason), "is not installed");
  assertStringIncludes(String(outcome.remedy), "nstall");
});

linux.test("of a libsecret that cannot be loaded the loader's words are shown", async () => {
  await using bus = await startSessionBus();
  // The first file of that name that ld.so(8) finds is no library.
  await Deno.writeTextFile(`${bus.directory}/libsecret-1.so.0`, "");
  await using store = new SecretServiceProcess(bus, {
    env: { LD_LIBRARY_PATH: bus.directory },
  });
  const outcome = await store.ask({ method: "get", url: OTHER });
  assertEquals(verdict(outcome), ["unreachable", "library-missing", true]);
  assertMatch(String(outcome.reason), /cannot be loaded: .*file too short/);
  assertStringIncludes(String(outcome.remedy), "LD_LIBRARY_PATH");
});

linux.test("a call that never comes back holds neither answer nor process", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  await Deno.rename(
    await compilePreload("hanging_libsecret.c", bus.directory),
    `${bus.directory}/libsecret-1.so.0`,
  );
  await using store = new SecretServiceProcess(bus, {
    env: { LD_LIBRARY_PATH: bus.directory },
  });
  for (const method of ["get", "prepare", "set", "erase", "list"] as const) {
    const question = { method, url: OTHER, token: TOKEN, limit: 200 };
    assertEquals(verdict(await store.ask(question)), DEADLINE, method);
  }
  assertEquals(await store.end(), { code: 0, stderr: "" });
});

linux.test("get() finds one item among 1,000, and list() all of them", async () => {
  // In memory: gnome-keyring writes its whole file for each item.
  await using bus = await startSessionBus({ keyring: "in-memory" });
  const items = Array.from(
    { length: 1000 },
    (_, i) => cargoItem(`sparse+https://r${i}.example/`, `token ${i}`),
  );
  await bus.store(items);
  await using store = new SecretServiceProcess(bus);
  assertEquals(
    await store.ask({ method: "get", url: "sparse+https://r731.example/" }),
    found("token 731", [], "in-memory"),
  );
  assertEquals(await store.ask({ method: "get", url: OTHER }), {
    kind: "absent",
  });
  const list = await store.ask({ method: "list" });
  assert(Array.isArray(list.items));
  assertEquals(list.items.length, 1000);
});
