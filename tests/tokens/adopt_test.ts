import { assertEquals } from "@std/assert";
import { adoptToken } from "../../src/tokens/adopt.ts";
import { EverySpelling } from "../../src/stores/every_spelling.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const OLD = "https://git.example/corp/index";
const NEW = "sparse+https://corp.example/index/";
const TOKEN = "tok-old";

const FAILURE = {
  kind: "denied",
  cause: "access-denied",
  reason: "it is denied",
  remedy: "Ask.",
  storeExists: true,
} as const;

/** What came of it, as `kind/code`; nowhere may the last copy be lost. */
async function adopt(
  items: Record<string, string>,
  faults: FakeStoreFaults = {},
  durable = true,
): Promise<[string, Record<string, string>]> {
  const store = new FakeStore(items, faults, durable);
  const spelt = new EverySpelling(store);
  const outcome = await adoptToken(
    "/nonexistent/credentials.toml",
    { store: spelt, key: { indexUrl: OLD } },
    { store: spelt, key: { indexUrl: NEW, name: "corp" } },
    AbortSignal.timeout(5_000),
  );
  const kept = Object.fromEntries(store.items);
  const before = new Set(Object.values(items));
  assertEquals(before.difference(new Set(Object.values(kept))), new Set());
  const { kind } = outcome;
  return [kind === "adopted" ? kind : `${kind}/${outcome.reason.code}`, kept];
}

Deno.test("adoptToken() files a token under the new URL alone", async () => {
  assertEquals(await adopt({ [OLD]: TOKEN }), ["adopted", { [NEW]: TOKEN }]);
});

Deno.test("adoptToken() ends what was begun", async () => {
  assertEquals(
    await adopt({ [OLD]: TOKEN, [NEW]: TOKEN }),
    ["adopted", { [NEW]: TOKEN }],
  );
});

Deno.test("adoptToken() finds the item under every spelling of the old URL", async () => {
  assertEquals(
    await adopt({ [`${OLD}.git`]: TOKEN }),
    ["adopted", { [NEW]: TOKEN }],
  );
});

Deno.test("adoptToken() erases nothing that it has not read back", async () => {
  for (const call of ["get", "set", "verify"] as const) {
    const [said, kept] = await adopt({ [OLD]: TOKEN }, {
      failureOf: { [call]: FAILURE },
    });
    assertEquals(said, "failed/access-denied");
    assertEquals(kept[OLD], TOKEN);
  }
  const [said] = await adopt({ [OLD]: TOKEN }, { forgets: true });
  assertEquals(said, "failed/not-kept");
});

Deno.test("adoptToken() keeps the old item where the new one may be lost", async () => {
  const both = { [OLD]: TOKEN, [NEW]: TOKEN };
  assertEquals(
    await adopt({ [OLD]: TOKEN }, { verified: "not-yet-on-disk" }),
    ["both/not-yet-on-disk", both],
  );
  assertEquals(
    await adopt({ [OLD]: TOKEN }, {}, false),
    ["both/not-durable", both],
  );
});

Deno.test("adoptToken() writes over no other token and erases none", async () => {
  const taken = { [OLD]: TOKEN, [NEW]: "tok-new" };
  assertEquals(await adopt(taken), ["conflict/different-tokens", taken]);
  const [twin] = await adopt({ [OLD]: TOKEN, [`${OLD}.git`]: "tok-twin" });
  assertEquals(twin, "both/other-items");
  const [named] = await adopt({ [OLD]: TOKEN }, { others: ["another"] });
  assertEquals(named, "both/other-items");
});

Deno.test("adoptToken() says when there is none, or none that cargo accepts", async () => {
  assertEquals((await adopt({}))[0], "failed/nothing-stored");
  assertEquals((await adopt({ [OLD]: "a\nb" }))[0], "failed/stored-unusable");
});
