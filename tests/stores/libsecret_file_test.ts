// libsecret's own file, with the real libsecret and cargo:libsecret. The
// portal of a sandbox cannot exist here: a program stands in for it.
import { assertEquals, assertMatch } from "@std/assert";
import { compilePreload } from "../support/preload.ts";
import { missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import {
  type Outcome,
  SecretServiceProcess,
} from "../support/secret_service.ts";
import { type SessionBus, startSessionBus } from "../support/session_bus.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "libsecret is a library of Unix");

const CRATES_IO = "https://github.com/rust-lang/crates.io-index";
const OTHER = "sparse+https://registry.example/index/";
const TOKEN = "planted-token-7f3a";

const FAILED = ["unreachable", "service-failed", true];

/** libsecret takes the password of its file from the environment in tests. */
function fileEnv(
  bus: SessionBus,
  password?: string,
): Readonly<Record<string, string>> {
  return {
    SECRET_BACKEND: "file",
    SECRET_FILE_TEST_PATH: `${bus.directory}/secrets.keyring`,
    ...(password === undefined ? {} : { SECRET_FILE_TEST_PASSWORD: password }),
  };
}

function found(token: string): Outcome {
  return { kind: "found", token, others: [], keeps: "on-disk" };
}

function verdict({ kind, cause, storeExists }: Outcome): readonly unknown[] {
  return [kind, cause, storeExists];
}

unix.test("LibsecretFileStore stores, reads, lists and erases", async () => {
  // Nothing of it needs a bus.
  await using bus = await startSessionBus({ keyring: "none" });
  await using store = new SecretServiceProcess(bus, {
    env: fileEnv(bus, "pw"),
    without: ["DBUS_SESSION_BUS_ADDRESS"],
  });
  const url = OTHER;
  assertEquals(await store.ask({ method: "get", url }), { kind: "absent" });
  assertEquals(await store.ask({ method: "erase", url }), { kind: "absent" });
  assertEquals(await store.ask({ method: "prepare" }), {
    kind: "ready",
    durable: true,
    plaintext: false,
  });
  for (const token of ["first", "", "t\u00f6k\u20ac\n", "x".repeat(7000)]) {
    assertEquals(await store.ask({ method: "set", url, token }), {
      kind: "stored",
    });
    assertEquals(await store.ask({ method: "get", url }), found(token));
    assertEquals(await store.ask({ method: "verify", url, token }), {
      kind: "stored",
      keeps: "on-disk",
    });
    assertEquals(
      verdict(await store.ask({ method: "verify", url, token: "other" })),
      ["denied", "not-kept", true],
    );
  }
  assertEquals(await store.ask({ method: "get", url: CRATES_IO }), {
    kind: "absent",
  });
  assertEquals(await store.ask({ method: "list" }), {
    kind: "items",
    items: [{ indexUrl: url }],
  });
  assertEquals(await store.ask({ method: "erase", url }), {
    kind: "erased",
    remaining: [],
  });
  assertEquals(await store.ask({ method: "get", url }), { kind: "absent" });
  assertEquals(await store.end(), { code: 0, stderr: "" });
});

unix.test("verify() reads the file, not what set() remembers", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  const env = fileEnv(bus, "pw");
  await using store = new SecretServiceProcess(bus, { env });
  const question = { method: "set", url: OTHER, token: TOKEN } as const;
  await store.ask(question);
  await Deno.remove(env["SECRET_FILE_TEST_PATH"] ?? "");
  assertEquals(verdict(await store.ask({ ...question, method: "verify" })), [
    "denied",
    "not-kept",
    true,
  ]);
});

unix.test("libsecret's file with another password is not empty", async () => {
  await using bus = await startSessionBus({ keyring: "none" });
  const url = OTHER;
  {
    await using store = new SecretServiceProcess(bus, {
      env: fileEnv(bus, "pw"),
    });
    await store.ask({ method: "set", url, token: TOKEN });
  }
  const path = `${bus.directory}/secrets.keyring`;
  const before = await Deno.readFile(path);
  for (const password of ["another", undefined]) {
    await using store = new SecretServiceProcess(bus, {
      env: fileEnv(bus, password),
    });
    for (const method of ["get", "prepare", "set", "erase", "list"] as const) {
      const outcome = await store.ask({ method, url, token: "new" });
      assertEquals(verdict(outcome), FAILED, method);
      assertMatch(String(outcome["remedy"]), /SECRET_BACKEND/);
    }
    assertEquals(await Deno.readFile(path), before);
  }
  await Deno.writeTextFile(path, "junk");
  await using store = new SecretServiceProcess(bus, {
    env: fileEnv(bus, "pw"),
  });
  const outcome = await store.ask({ method: "get", url });
  assertEquals(verdict(outcome), FAILED);
  assertMatch(String(outcome["reason"]), /file header mismatch/);
});

unix.test("cargo:libsecret and the provider share libsecret's file", async () => {
  await using bus = await startSessionBus();
  await using home = await TestHome.create({
    registries: { alt: { tokens: ["one", "two"], authRequired: true } },
    bus,
    env: fileEnv(bus, "pw"),
  });
  const cargo = async (
    provider: string,
    args: string[],
    stdin = "",
  ): Promise<number> => {
    await home.configure([provider]);
    const { code } = await home.cargo(
      [...args, "--registry", "alt"],
      { stdin },
    );
    return code;
  };
  const { indexUrl } = home.registry();
  const shown = async (): Promise<string> => {
    const { stdout } = await run(
      ["secret-tool", "search", "--all", "url", indexUrl],
      { env: { ...bus.env, ...fileEnv(bus, "pw") } },
    );
    return stdout.replace(/^(created|modified) = .*\n/gm, "");
  };
  const items: string[] = [];
  for (const writer of ["cargo:libsecret", PROVIDER]) {
    const reader = writer === PROVIDER ? "cargo:libsecret" : PROVIDER;
    assertEquals(await cargo(writer, ["login"], "one\n"), 0);
    assertEquals(await cargo(reader, ["search", "foo"]), 0);
    items.push(await shown());
    // Each replaces and erases what the other stored.
    assertEquals(await cargo(reader, ["login"], "two\n"), 0);
    assertEquals((await shown()).match(/^secret = /gm)?.length, 1);
    assertEquals(await cargo(writer, ["logout"]), 0);
    assertEquals(await shown(), "");
  }
  assertMatch(items[0] ?? "", /secret = one/);
  assertEquals(items[1], items[0]);
  assertEquals(await bus.items(), []);
});

unix.test("in a flatpak the portal decides where tokens lie", async () => {
  await using bus = await startSessionBus();
  const env = {
    FLATPAK_ID: "org.example.Editor",
    SECRET_FILE_TEST_PATH: `${bus.directory}/secrets.keyring`,
    LD_PRELOAD: await compilePreload("flatpak_info.c", bus.directory),
  };
  const url = OTHER;
  {
    // No portal: the Secret Service, as it was.
    await using store = new SecretServiceProcess(bus, { env });
    await store.ask({ method: "set", url, token: "in the service" });
    assertEquals(
      await store.ask({ method: "get", url }),
      found("in the service"),
    );
  }
  await using portal = await startPortal(bus);
  await using store = new SecretServiceProcess(bus, { env });
  assertEquals(await store.ask({ method: "get", url }), { kind: "absent" });
  await store.ask({ method: "set", url, token: TOKEN });
  assertEquals(await store.ask({ method: "get", url }), found(TOKEN));
  assertEquals((await bus.items()).length, 1);
  assertEquals(portal.asked > 0, true);
});

/** Stands in for xdg-desktop-portal: it gives every application one password. */
async function startPortal(
  bus: SessionBus,
): Promise<AsyncDisposable & { readonly asked: number }> {
  const portal = new Deno.Command("/usr/bin/python3", {
    args: [new URL("../support/secret_portal.py", import.meta.url).pathname],
    clearEnv: true,
    env: bus.env,
    stdout: "piped",
  }).spawn();
  let printed = "";
  const ready = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (
      const text of portal.stdout.pipeThrough(new TextDecoderStream())
    ) {
      printed += text;
      if (printed.startsWith("ready\n")) ready.resolve();
    }
    ready.reject(new Error("no portal"));
  })();
  await ready.promise.catch(() =>
    missing("python3-gi", "apt-get install python3-gi")
  );
  return {
    get asked(): number {
      return printed.split("RetrieveSecret").length - 1;
    },
    [Symbol.asyncDispose]: async () => {
      portal.kill("SIGTERM");
      await portal.status;
      await reading;
    },
  };
}
