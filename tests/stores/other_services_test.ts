// What docs/secret_services.md says of KWallet and KeePassXC, with the real
// ones. Linux only, like the Secret Service.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  KWALLET_COLLECTION,
  launchKWallet,
  lockKeePassXc,
  openKWallet,
  type OtherService,
  PASSWORD,
  startKeePassXc,
  startKWallet,
} from "../support/other_services.ts";
import { run, type RunResult } from "../support/run.ts";
import {
  type Outcome,
  type Question,
  SecretServiceProcess,
} from "../support/secret_service.ts";
import { type CargoResult, PROVIDER, TestHome } from "../support/test_home.ts";

const URL = "sparse+https://registry.example/index/";
const TOKEN = "planted-token-7f3a";
const SCHEMA = "org.rust-lang.cargo.registry";

const ABSENT = { kind: "absent" };
const STORED = { kind: "stored" };
/** Both write to disk later. */
const KEPT = { kind: "stored", keeps: "not-yet-on-disk" };
const LOCKED = "locked/locked";
const DISMISSED = "denied/prompt-dismissed";
const NO_COLLECTION = "unreachable/no-default-collection";

/** As right after it was stored. */
function found(token: string): Outcome {
  return { kind: "found", token, others: [], keeps: "not-yet-on-disk" };
}

/** A failure's kind and cause; anything else as it is. */
function verdict(outcome: Outcome): unknown {
  const { kind, cause, item } = outcome;
  if (cause === undefined) return outcome;
  return item === undefined ? `${kind}/${cause}` : `${kind}/${cause} ${item}`;
}

/** Asks in one process. */
async function ask(
  service: OtherService,
  ...questions: readonly Question[]
): Promise<unknown[]> {
  await using store = new SecretServiceProcess(service.bus);
  const verdicts: unknown[] = [];
  for (const question of questions) {
    verdicts.push(verdict(await store.ask(question)));
  }
  assertEquals(await store.end(), { code: 0, stderr: "" });
  return verdicts;
}

/** What people are told. */
async function reason(
  service: OtherService,
  question: Question,
): Promise<string> {
  await using store = new SecretServiceProcess(service.bus);
  return String((await store.ask(question))["reason"]);
}

/** Asks in one process while a person answers one dialog. */
async function askPerson(
  service: OtherService,
  dialog: Parameters<OtherService["desktop"]["answer"]>,
  ...questions: readonly Question[]
): Promise<unknown[]> {
  const [verdicts] = await Promise.all([
    ask(service, ...questions),
    service.desktop.answer(...dialog),
  ]);
  return verdicts;
}

const get: Question = { method: "get", url: URL };
const erase: Question = { method: "erase", url: URL };
const list: Question = { method: "list" };
const prepare: Question = { method: "prepare" };

function set(token: string): Question {
  return { method: "set", url: URL, name: "alt", token };
}

function verify(token: string): Question {
  return { method: "verify", url: URL, token };
}

function prompting(question: Question): Question {
  return { ...question, prompt: true };
}

/** The only item, without its path. */
async function onlyItem(service: OtherService): Promise<unknown> {
  const [item, ...more] = await service.bus.items();
  assertEquals(more, []);
  if (item === undefined) return undefined;
  const { path: _, ...rest } = item;
  return rest;
}

/** Runs a command again where KWallet spoils its session, as it may. */
async function persist(
  command: () => Promise<CargoResult | RunResult>,
): Promise<string> {
  for (let tries = 1;; tries++) {
    const { code, stdout, stderr } = await command();
    if (code === 0) return stdout;
    if (tries === 4) throw new Error(stderr);
  }
}

/** Both providers of cargo and secret-tool find and replace what is there. */
async function assertShared(service: OtherService): Promise<void> {
  const { bus } = service;
  await using home = await TestHome.create({
    registries: { alt: { tokens: ["one", "two"], authRequired: true } },
    bus,
  });
  const cargo = async (
    provider: string,
    args: string[],
    stdin = "",
  ): Promise<void> => {
    await home.configure([provider]);
    await persist(() => home.cargo([...args, "--registry", "alt"], { stdin }));
  };
  const { indexUrl } = home.registry();
  const secretTool = (command: "lookup" | "clear"): Promise<string> =>
    persist(() =>
      run(["secret-tool", command, "xdg:schema", SCHEMA, "url", indexUrl], {
        env: bus.env,
      })
    );
  for (
    const [writer, reader] of [
      ["cargo:libsecret", PROVIDER],
      [PROVIDER, "cargo:libsecret"],
    ]
  ) {
    if (writer === undefined || reader === undefined) continue;
    await cargo(writer, ["login"], "one\n");
    assertEquals(await secretTool("lookup"), "one");
    await cargo(reader, ["search", "foo"]);
    assertEquals((await bus.items()).length, 1);
    await secretTool("clear");
    assertEquals(await bus.items(), []);
  }
}

if (Deno.build.os === "linux") {
  Deno.test("KWallet keeps tokens as gnome-keyring does", async () => {
    await using service = await startKWallet("opened");
    // Although the wallet is open, this interface has it locked until the
    // first program asks; then no dialog opens.
    assertEquals(await ask(service, get, prepare, prompting(get)), [
      `${LOCKED} unknown`,
      LOCKED,
      ABSENT,
    ]);
    assertEquals(
      await ask(service, get, erase, prepare, set(TOKEN), verify(TOKEN)),
      [
        ABSENT,
        ABSENT,
        { kind: "ready", durable: true, plaintext: false },
        STORED,
        KEPT,
      ],
    );
    assertEquals(await onlyItem(service), {
      collection: KWALLET_COLLECTION,
      label: "cargo-registry:alt",
      attributes: { url: URL, "xdg:schema": SCHEMA },
      locked: false,
      secret: TOKEN,
    });
    const odd = "t\u00f6k\u20ac\n";
    assertEquals(
      await ask(service, get, set(odd), verify(odd), get, list, erase, get),
      [
        found(TOKEN),
        STORED,
        KEPT,
        found(odd),
        { kind: "items", items: [{ indexUrl: URL, name: "alt" }] },
        { kind: "erased", remaining: [] },
        ABSENT,
      ],
    );
    assertEquals(await service.desktop.windows(), []);
  });

  for (const early of [true, false]) {
    const end = early ? "ends" : "has written it";
    Deno.test(`a token stays in the file until KWallet ${end}`, async () => {
      await using service = await startKWallet("opened");
      await using home = await TestHome.create({
        registries: { alt: { authRequired: true, tokens: [TOKEN] } },
        providers: ["cargo:token", PROVIDER],
        bus: service.bus,
      });
      // In a container tokens are moved where the keyrings are at home.
      await Deno.mkdir(`${service.bus.env["XDG_DATA_HOME"]}/keyrings`, {
        recursive: true,
      });
      const file = `[registries.alt]\ntoken = "${TOKEN}"\n`;
      await home.writeCredentials(file);
      const search = async (): Promise<string> => {
        const { code, stderr } = await home.cargo(
          ["search", "--registry", "alt", "x"],
        );
        assertEquals(code, 0, stderr);
        return stderr;
      };
      assertEquals(await ask(service, prompting(get)), [ABSENT]);

      assertStringIncludes(await search(), "yet to write");
      assertEquals((await service.bus.items()).length, 1);
      assertEquals(await home.credentials(), file);
      await search();
      assertEquals(await home.credentials(), file);

      if (early) {
        // Ended at once, as by a logout: whatever is left there, cargo goes on.
        await service.restart(openKWallet);
        await search();
        assertEquals(await home.credentials(), file);
        return;
      }
      // Once it is written, the file's copy goes, and KWallet may crash.
      for (const start = Date.now(); await home.credentials() === file;) {
        assert(Date.now() - start < 60_000, "it stays in the file");
        await new Promise((resolve) => setTimeout(resolve, 1000));
        await search();
      }
      assertEquals(await home.credentials(), "[registries.alt]\n");
      await service.kill();
      await service.restart(openKWallet);
      const { indexUrl } = home.registry();
      await ask(service, prompting({ method: "get", url: indexUrl }));
      await search();
    });
  }

  Deno.test("what KWallet says to be on disk survives its end", async () => {
    await using service = await startKWallet("opened");
    await ask(service, prompting(prepare), set(TOKEN));
    const kept = { ...found(TOKEN), keeps: "on-disk" };
    const early = found(TOKEN);
    for (const start = Date.now();;) {
      const [outcome] = await ask(service, get);
      if (Date.now() - start > 30_000) assertEquals(outcome, kept);
      if (JSON.stringify(outcome) !== JSON.stringify(early)) {
        assertEquals(outcome, kept);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await service.kill();
    await service.restart(openKWallet);
    assertEquals(await ask(service, prompting(get)), [kept]);
  });

  Deno.test("a session that KWallet spoils is replaced", async () => {
    await using service = await startKWallet("opened");
    // One in a hundred is bad: one run in eight meets none of them.
    const questions = Array.from({ length: 100 }, () => [
      set(TOKEN),
      verify(TOKEN),
    ]).flat();
    assertEquals(
      await ask(service, prompting(prepare), ...questions),
      [
        { kind: "ready", durable: true, plaintext: false },
        ...questions.map(({ method }) => method === "verify" ? KEPT : STORED),
      ],
    );
  });

  Deno.test("KWallet shows what a closed wallet has, and asks to open it", async () => {
    await using service = await startKWallet("opened");
    await ask(service, prompting(prepare), set(TOKEN));
    // It writes to the disk some seconds later, or when it is closed.
    await service.bus.lock(KWALLET_COLLECTION);
    await service.restart(launchKWallet);
    const other = { ...get, url: "other" };
    assertEquals(await ask(service, get, other, list, erase, set("x")), [
      `${LOCKED} visible`,
      `${LOCKED} unknown`,
      LOCKED,
      `${LOCKED} visible`,
      LOCKED,
    ]);
    assertEquals(await service.desktop.windows(), []);
    const dialog = "KDE Wallet Service";
    for (const method of [get, prepare, erase]) {
      assertEquals(
        await askPerson(
          service,
          [dialog, { key: "Escape" }],
          prompting(method),
        ),
        [DISMISSED],
      );
    }
    assertEquals(
      await askPerson(
        service,
        [dialog, { type: PASSWORD, key: "Return" }],
        prompting(get),
      ),
      [found(TOKEN)],
    );
    assertEquals(await ask(service, get), [found(TOKEN)]);
    await service.bus.lock(KWALLET_COLLECTION);
    assertEquals(await ask(service, get), [`${LOCKED} visible`]);
  });

  Deno.test("KWallet without a wallet has no default collection", async () => {
    await using service = await startKWallet("none");
    assertEquals(await ask(service, get, prepare, list, erase), [
      NO_COLLECTION,
      NO_COLLECTION,
      NO_COLLECTION,
      NO_COLLECTION,
    ]);
    assertEquals(await service.desktop.windows(), []);
  });

  Deno.test("KWallet's items are shared with cargo:libsecret and secret-tool", async () => {
    await using service = await startKWallet("opened");
    await ask(service, prompting(prepare));
    await assertShared(service);
  });

  Deno.test("KeePassXC asks once for each process that reads", async () => {
    await using service = await startKeePassXc();
    // What a process has made it may read.
    assertEquals(
      await ask(service, get, prepare, set(TOKEN), verify(TOKEN), get, list),
      [
        ABSENT,
        {
          kind: "ready",
          durable: true,
          plaintext: false,
          asksEachProcess: true,
        },
        STORED,
        KEPT,
        found(TOKEN),
        { kind: "items", items: [{ indexUrl: URL, name: "alt" }] },
      ],
    );
    // Another one may not, and no dialog opens where nobody is.
    assertMatch(await reason(service, get), /wants to ask a person/);
    assertEquals(await ask(service, get, list, erase), [
      `${LOCKED} visible`,
      { kind: "items", items: [{ indexUrl: URL, name: "alt" }] },
      `${LOCKED} visible`,
    ]);
    assertEquals((await service.desktop.windows()).length, 1);
    const dialog = "Access Request";
    for (const method of [get, erase]) {
      assertEquals(
        await askPerson(
          service,
          [dialog, { key: "Escape" }],
          prompting(method),
        ),
        [DISMISSED],
      );
    }
    assertEquals(
      await askPerson(
        service,
        [dialog, { key: "Return" }],
        prompting(get),
        get,
        set("second"),
        verify("second"),
      ),
      [found(TOKEN), found(TOKEN), STORED, KEPT],
    );
    // Here a write asks, and what it wrote can be read back.
    assertEquals(
      await askPerson(
        service,
        [dialog, { key: "Return" }],
        set("third"),
        verify("third"),
      ),
      [STORED, KEPT],
    );
    // It says that it has stored what it was forbidden to.
    assertEquals(
      await askPerson(
        service,
        [dialog, { key: "Escape" }],
        set("fourth"),
        verify("fourth"),
      ),
      [STORED, `${LOCKED} visible`],
    );
    assertEquals(
      await askPerson(
        service,
        [dialog, { key: "Return" }],
        prompting(erase),
        get,
      ),
      [{ kind: "erased", remaining: [] }, ABSENT],
    );
  });

  Deno.test("KeePassXC is not searched while it is locked, so no dialog opens", async () => {
    await using service = await startKeePassXc({
      settings: { ConfirmAccessItem: false },
    });
    await ask(service, set(TOKEN));
    assertEquals(await ask(service, get, erase), [
      found(TOKEN),
      `${LOCKED} visible`,
    ]);
    await lockKeePassXc(service);
    const locked = `${LOCKED} unknown`;
    assertEquals(
      await ask(service, get, list, erase, verify(TOKEN), prepare, set("x")),
      [locked, locked, locked, locked, LOCKED, LOCKED],
    );
    const windows = await service.desktop.windows();
    assertEquals(windows.length, 1);
    assertStringIncludes(windows.join(), "[Locked]");
    const dialog = "Unlock Database";
    assertEquals(
      await askPerson(service, [dialog, { key: "Escape" }], prompting(get)),
      [DISMISSED],
    );
    assertEquals(
      await askPerson(
        service,
        [dialog, { type: PASSWORD, key: "Return" }],
        prompting(get),
        prompting(erase),
        get,
      ),
      [found(TOKEN), { kind: "erased", remaining: [] }, ABSENT],
    );
  });

  Deno.test("KeePassXC without a database has no default collection", async () => {
    await using service = await startKeePassXc();
    await service.restart((service) => service.spawn(["keepassxc"]));
    assertEquals(await ask(service, get, prepare, list, erase), [
      NO_COLLECTION,
      NO_COLLECTION,
      NO_COLLECTION,
      NO_COLLECTION,
    ]);
    assertEquals((await service.desktop.windows()).length, 1);
  });

  Deno.test("KeePassXC's items are shared with cargo:libsecret and secret-tool", async () => {
    await using service = await startKeePassXc({
      settings: { ConfirmAccessItem: false },
    });
    await assertShared(service);
  });
}
