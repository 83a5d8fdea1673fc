import { assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import { importToken, planImport } from "../../src/tokens/import.ts";
import type { ImportFacts, ImportStep } from "../../src/tokens/import.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const URL = "sparse+https://alt.example/index/";
const secret = Secret.fromString;

const stored = (text: string): ImportFacts["store"] => ({
  kind: "found",
  token: secret(text),
  others: [],
  keeps: "on-disk",
});
const inFile = (text: string): ImportFacts["plaintext"] => ({
  kind: "found",
  table: ["registries", "alt"],
  token: secret(text),
});
const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "it is locked",
  remedy: "Unlock it.",
  storeExists: true,
};
const MALFORMED = { kind: "unusable", reason: "malformed" } as const;

Deno.test("planImport() lets the user choose wherever another token is", async (t) => {
  const nothing: ImportFacts = {
    imported: secret("I"),
    store: { kind: "absent" },
    plaintext: { kind: "none" },
    superseded: false,
  };
  const cases: readonly [string, Partial<ImportFacts>, ImportStep][] = [
    ["nothing is there", {}, { do: "store" }],
    ["it is stored", { store: stored("I") }, { do: "nothing" }],
    ["another is stored", { store: stored("T") }, {
      do: "choose",
      holds: "store",
    }],
    ["an empty item", { store: stored("") }, { do: "choose", holds: "store" }],
    ["it is in the file", { plaintext: inFile("I") }, { do: "store" }],
    ["another is in the file", { plaintext: inFile("P") }, {
      do: "choose",
      holds: "file",
    }],
    ["another in the file, out of use", {
      plaintext: inFile("P"),
      superseded: true,
    }, { do: "store" }],
    ["stored, and another in the file", {
      store: stored("I"),
      plaintext: inFile("P"),
    }, { do: "choose", holds: "file" }],
    ["others in both", { store: stored("T"), plaintext: inFile("P") }, {
      do: "choose",
      holds: "both",
    }],
    ["the store is locked", { store: LOCKED }, { do: "fail", failure: LOCKED }],
    ["the file is no TOML", { plaintext: MALFORMED }, {
      do: "fail-file",
      plaintext: MALFORMED,
    }],
  ];
  for (const [name, facts, expected] of cases) {
    await t.step(
      name,
      () => assertEquals(planImport({ ...nothing, ...facts }), expected),
    );
  }
});

Deno.test("importToken() writes over what the user has seen and nothing else", async (t) => {
  const cases: readonly {
    readonly name: string;
    readonly items?: Readonly<Record<string, string>>;
    readonly faults?: FakeStoreFaults;
    readonly over?: string;
    readonly outcome: string;
    readonly holds: string | undefined;
  }[] = [
    { name: "into an empty place", outcome: "stored", holds: "I" },
    {
      name: "over another",
      items: { [URL]: "T" },
      over: "T",
      outcome: "stored",
      holds: "I",
    },
    {
      name: "something has come meanwhile",
      items: { [URL]: "new" },
      outcome: "changed",
      holds: "new",
    },
    {
      name: "it has changed meanwhile",
      items: { [URL]: "new" },
      over: "T",
      outcome: "changed",
      holds: "new",
    },
    {
      name: "it is gone meanwhile",
      over: "T",
      outcome: "changed",
      holds: undefined,
    },
    {
      name: "it is locked",
      items: { [URL]: "T" },
      faults: { failure: LOCKED },
      over: "T",
      outcome: "failed locked",
      holds: "T",
    },
    {
      name: "it is not kept",
      faults: { forgets: true },
      outcome: "failed not-kept",
      holds: undefined,
    },
  ];
  for (const { name, items, faults, over, outcome, holds } of cases) {
    await t.step(name, async () => {
      const store = new FakeStore(items, faults);
      const came = await importToken(
        store,
        { indexUrl: URL, name: "alt" },
        secret("I"),
        over === undefined ? undefined : secret(over),
        { signal: AbortSignal.timeout(10_000) },
      );
      assertEquals(
        came.kind === "failed" ? `failed ${came.failure.cause}` : came.kind,
        outcome,
      );
      assertEquals(store.items.get(URL), holds);
    });
  }
});
