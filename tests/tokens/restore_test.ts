import { assert, assertEquals } from "@std/assert";
import { readPlaintext } from "../../src/credentials/file.ts";
import { type RestoreOptions, restoreToken } from "../../src/tokens/restore.ts";
import { EverySpelling } from "../../src/stores/every_spelling.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const URL = "https://git.example/corp/index";
const TABLE = ["registries", "corp"] as const;
const TOKEN = "tok-stored";
const NO_FILE = "<there is no file>";

/** What came of it, as `kind/code`, and what is where afterwards. */
async function restore(
  given: {
    readonly items?: Record<string, string>;
    readonly faults?: FakeStoreFaults;
    readonly text?: string;
    readonly options?: Partial<RestoreOptions>;
  },
): Promise<{ said: string; text: string; items: Record<string, string> }> {
  const { items = { [URL]: TOKEN }, faults = {}, text, options } = given;
  const directory = await Deno.makeTempDir({ prefix: "restore-" });
  try {
    const path = `${directory}/credentials.toml`;
    if (text !== undefined) await Deno.writeTextFile(path, text);
    const store = new FakeStore(items, faults);
    const outcome = await restoreToken(
      path,
      TABLE,
      new EverySpelling(store),
      { indexUrl: URL, name: "corp" },
      {
        signal: AbortSignal.timeout(5_000),
        keepStore: false,
        pin: () => Promise.resolve(true),
        readBack: () => readPlaintext(path, [TABLE]),
        ...options,
      },
    );
    const after = await Deno.readTextFile(path).catch(() => NO_FILE);
    for (const token of Object.values(items)) {
      assert(
        after.includes(token) || [...store.items.values()].includes(token),
        "a token is lost",
      );
    }
    const code = "reason" in outcome && outcome.reason !== undefined
      ? `/${outcome.reason.code}`
      : "";
    return {
      said: outcome.kind + code,
      text: after,
      items: Object.fromEntries(store.items),
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("restoreToken() moves a token into a new file", async () => {
  const { said, text, items } = await restore({});
  assertEquals(said, "restored");
  assert(text.includes(TOKEN));
  assertEquals(items, {});
});

Deno.test("restoreToken() leaves it in the store as well if that is asked for", async () => {
  const { said, items } = await restore({ options: { keepStore: true } });
  assertEquals(said, "written");
  assertEquals(items, { [URL]: TOKEN });
});

Deno.test("restoreToken() makes no file where there is nothing to write", async () => {
  assertEquals((await restore({ items: {} })).said, "absent");
  const twin = { [`${URL}.git`]: TOKEN };
  assertEquals((await restore({ items: twin })).said, "restored");
});

Deno.test("restoreToken() erases nothing that cargo would not read", async () => {
  for (
    const readBack of [
      () => Promise.resolve("leads-elsewhere" as const),
      () => Promise.resolve({ kind: "none", unfinished: false } as const),
      () => Promise.resolve({ kind: "unusable", reason: "malformed" } as const),
    ]
  ) {
    const { said, items } = await restore({ options: { readBack } });
    assert(said.startsWith("failed/"), said);
    assertEquals(items, { [URL]: TOKEN });
  }
});

Deno.test("restoreToken() erases no other token of the registry", async () => {
  const items = { [URL]: TOKEN, [`${URL}.git`]: "tok-twin" };
  const twin = await restore({ items });
  assertEquals(twin.said, "failed/other-items");
  assertEquals(twin.items, items);
  assertEquals(twin.text, NO_FILE);
  const named = await restore({ faults: { others: ["another"] } });
  assertEquals(named.said, "failed/other-items");
  const kept = await restore({ items, options: { keepStore: true } });
  assertEquals(kept.said, "written");
});

Deno.test("restoreToken() writes nothing unless the pin is remembered", async () => {
  const { said, text } = await restore({
    options: { pin: () => Promise.resolve(false) },
  });
  assertEquals(said, "failed/no-memory");
  assertEquals(text, NO_FILE);
});

Deno.test("restoreToken() says what the file or the store holds", async () => {
  const other = `[registries.corp]\ntoken = "tok-file"\n`;
  const conflict = await restore({ text: other });
  assertEquals([conflict.said, conflict.text], ["conflict", other]);
  const broken = await restore({ text: "[registries" });
  assertEquals(broken.said, "failed/file-unusable");
  const odd = await restore({ items: { [URL]: "a\nb" } });
  assertEquals(odd.said, "failed/stored-unusable");
});
