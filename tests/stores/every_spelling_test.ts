import { assert, assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import { EverySpelling } from "../../src/stores/every_spelling.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeStore } from "../support/fake_store.ts";

const URL = "https://git.example/team/index";
const OTHERS = [`${URL}.git`, `${URL}/`, `${URL}.git/`];
const SPARSE = "sparse+https://alt.example/index/";
const signal = new AbortController().signal;

const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "it is locked",
  remedy: "Open it.",
  storeExists: true,
};

async function read(store: FakeStore, indexUrl: string): Promise<string> {
  const outcome = await new EverySpelling(store).get({ indexUrl }, { signal });
  return outcome.kind === "found" ? outcome.token.reveal() : outcome.kind;
}

for (const stored of [URL, ...OTHERS]) {
  Deno.test(`EverySpelling has one token for an item under ${stored}`, async () => {
    for (const asked of [URL, ...OTHERS]) {
      const store = new FakeStore({ [stored]: "old" });
      const every = new EverySpelling(store);
      const key = { indexUrl: asked };
      assertEquals(await read(store, asked), "old");

      const token = Secret.fromString("new");
      assertEquals((await every.set(key, token, { signal })).kind, "stored");
      assertEquals((await every.verify(key, token, { signal })).kind, "stored");
      assertEquals([...store.items], [[stored, "new"]]);

      assertEquals((await every.erase(key, { signal })).kind, "erased");
      assertEquals(store.items.size, 0);
      assertEquals((await every.erase(key, { signal })).kind, "absent");
      assertEquals(await read(store, asked), "absent");
      assert(
        store.handedOut.slice(1).every(({ bytes }) =>
          bytes.every((byte) => byte === 0)
        ),
      );
    }
  });
}

Deno.test("EverySpelling prefers the exact one, and erases them all", async () => {
  const items = Object.fromEntries([URL, ...OTHERS].map((url) => [url, url]));
  const store = new FakeStore(items, { remaining: ["one"] });
  for (const url of [URL, ...OTHERS]) assertEquals(await read(store, url), url);
  assertEquals(
    await new EverySpelling(store).erase({ indexUrl: URL }, { signal }),
    { kind: "erased", remaining: ["one", "one", "one", "one"] },
  );
  assertEquals(store.items.size, 0);
});

Deno.test("EverySpelling asks once where a URL has one spelling", async () => {
  const store = new FakeStore();
  const every = new EverySpelling(store);
  const key = { indexUrl: SPARSE };
  await every.get(key, { signal });
  await every.set(key, Secret.fromString("a"), { signal });
  await every.verify(key, Secret.fromString("a"), { signal });
  await every.erase(key, { signal });
  assertEquals(store.calls, ["get", "set", "verify", "erase"]);
});

Deno.test("EverySpelling takes no failure for an absence", async () => {
  const store = new FakeStore();
  const every = new EverySpelling(store);
  let calls = 0;
  store.before = () => {
    if (++calls === 3) store.faults.failure = LOCKED;
  };
  assertEquals(await every.get({ indexUrl: URL }, { signal }), LOCKED);
  delete store.faults.failure;
  calls = 0;
  assertEquals(await every.erase({ indexUrl: URL }, { signal }), LOCKED);
});
