import { assert, assertEquals } from "@std/assert";
import {
  type InventoryEntry,
  mergeInventory,
  placeOf,
  takeInventory,
  type TokenPlace,
  type TokenPlaces,
} from "../../src/tokens/inventory.ts";
import { FakeScene } from "../support/fake_session.ts";
import { FakeStore } from "../support/fake_store.ts";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import type {
  ListOutcome,
  StoreFailure,
} from "../../src/stores/credential_store.ts";

const A = "sparse+https://a.example/index/";
const B = "https://b.example/index";
const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "the fake store is locked",
  remedy: "Unlock it.",
  storeExists: true,
  item: "unknown",
};

Deno.test("mergeInventory() names every registry once", () => {
  const entries = mergeInventory({
    own: [
      { name: "crates-io", indexUrl: CRATES_IO_INDEX },
      { name: "a", indexUrl: A },
      { name: "b", indexUrl: B },
    ],
    names: ["a", "lost", "theirs"],
    meaning: (name) =>
      name === "a"
        ? { kind: "own", indexUrl: A }
        : name === "theirs"
        ? { kind: "project", indexUrl: "https://p.example/" }
        : { kind: "none" },
    urls: [A, `${B}.git/`, "https://old.example/"],
    namesOf: () => [],
  });
  const expected: InventoryEntry[] = [
    { name: "crates-io", indexUrl: CRATES_IO_INDEX, boundByProject: false },
    { name: "a", indexUrl: A, boundByProject: false },
    { name: "b", indexUrl: B, boundByProject: false },
    { name: "lost", indexUrl: undefined, boundByProject: false },
    { name: "theirs", indexUrl: "https://p.example/", boundByProject: true },
    {
      name: undefined,
      indexUrl: "https://old.example/",
      boundByProject: false,
    },
  ];
  assertEquals(entries, expected);
});

const NOWHERE: TokenPlaces = {
  environment: undefined,
  store: false,
  file: false,
  conflict: false,
  superseded: false,
  config: [],
};
const VARIABLE = { variable: "V", path: undefined, hasToken: true };
const CONFIG = [{ name: "a", path: "/p/config.toml", table: "[registries.a]" }];

const PLACES: readonly (readonly [Partial<TokenPlaces>, TokenPlace])[] = [
  [{}, "none"],
  [{ environment: VARIABLE, store: true, file: true }, "environment"],
  [{ environment: { ...VARIABLE, path: "/run/t" } }, "secret-file"],
  // Cargo takes an empty variable for a token, and refuses it.
  [{ environment: { ...VARIABLE, hasToken: false }, store: true }, "none"],
  [{ store: true }, "store"],
  [{ store: true, file: true }, "store"],
  [{ store: true, file: true, conflict: true }, "file"],
  [{ store: true, file: true, conflict: null }, "file"],
  [{ store: true, file: true, superseded: true }, "store"],
  [{ store: true, file: null }, "store"],
  [{ file: true }, "file"],
  [{ file: true, superseded: true }, "none"],
  [{ store: null, file: true, conflict: null }, "file"],
  [{ store: null }, "unknown"],
  [{ file: null }, "unknown"],
  [{ config: CONFIG }, "config"],
  [{ config: CONFIG, file: true }, "file"],
];

for (const [places, expected] of PLACES) {
  Deno.test(`placeOf() is ${expected} for ${JSON.stringify(places)}`, () => {
    assertEquals(placeOf({ ...NOWHERE, ...places }), expected);
  });
}

Deno.test("takeInventory() finds what anything knows of, and asks nobody", async () => {
  const store = new FakeStore({
    [A]: "planted-a",
    "https://old.example/": "planted-o",
  });
  await using scene = await FakeScene.create({
    store,
    answers: [],
    config: `token = "planted-c"\n[registries]\na.index = "${A}"\n` +
      `b.index = "${B}"\n`,
    credentials: `[registries.a]\ntoken = "planted-other"\n` +
      `[registries.lost]\ntoken = "planted-l"\n` +
      `[registries.crates-io]\ntoken = "planted-n"\n`,
    env: { CARGO_REGISTRIES_B_TOKEN: "planted-b" },
  });
  const inventory = await takeInventory(scene.session());
  const rows = inventory.rows.map((row) => [
    row.name,
    row.indexUrl,
    row.place,
    row.store,
    row.file,
    row.conflict,
  ]);
  assertEquals(rows, [
    ["crates-io", CRATES_IO_INDEX, "config", false, false, false],
    ["a", A, "file", true, true, true],
    ["b", B, "environment", false, false, false],
    ["lost", undefined, "file", false, true, false],
    [undefined, "https://old.example/", "store", true, false, false],
  ]);
  assertEquals(inventory.neverRead, [["registries", "crates-io"]]);
  assert(!scene.openedTerminal);
  assertEquals(store.calls, ["get"]);
  assert(!JSON.stringify(inventory).includes("planted-"));
  // Whoever has a token wipes it.
  for (const token of store.handedOut) assertEquals(token.bytes.at(0), 0);
});

Deno.test("takeInventory() does not know what a locked store has", async () => {
  class Locked extends FakeStore {
    override list(): Promise<ListOutcome> {
      return Promise.resolve(LOCKED);
    }
  }
  await using scene = await FakeScene.create({
    store: new Locked({}, { failure: LOCKED }),
  });
  const { rows: [row] } = await takeInventory(scene.session());
  assertEquals(row?.place, "unknown");
  assertEquals(row?.store, null);
  assertEquals(row?.failure?.cause, "locked");
});
