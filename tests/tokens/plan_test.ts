import { assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import type { Eligibility } from "../../src/tokens/eligibility.ts";
import { type MigrateFacts, planMigration } from "../../src/tokens/plan.ts";
import type {
  GetOutcome,
  Keeping,
  StoreFailure,
} from "../../src/stores/credential_store.ts";

const P = Secret.fromString("tok-file");
const ABSENT: GetOutcome = { kind: "absent" };
const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "it is locked",
  remedy: "Unlock it.",
  storeExists: true,
};
const NOT: Eligibility = {
  kind: "not",
  reason: "ci",
  byHand: true,
};

function found(token: string, keeps: Keeping = "on-disk"): GetOutcome {
  return {
    kind: "found",
    token: Secret.fromString(token),
    others: [],
    keeps,
  };
}

const FACTS: MigrateFacts = {
  plaintext: P,
  store: ABSENT,
  eligibility: { kind: "eligible" },
  pinned: false,
  superseded: false,
  named: false,
  prefer: undefined,
  keepFile: false,
};

const SAME = found("tok-file");
const OTHER = found("tok-store");

/** Facts, and the step in one word with its reason. */
const ROWS: readonly [string, Partial<MigrateFacts>, string][] = [
  ["a store without it", {}, "move"],
  ["an empty item", { store: found("") }, "move"],
  ["the same in both", { store: SAME }, "remove"],
  [
    "the same, not yet on disk",
    { store: found("tok-file", "not-yet-on-disk") },
    "already/not-yet-on-disk",
  ],
  ["the same, in memory", { store: found("tok-file", "in-memory") }, "move"],
  ["the same, to be kept", { store: SAME, keepFile: true }, "already/stored"],
  ["different ones", { store: OTHER }, "conflict/different-tokens"],
  [
    "different ones, to be kept",
    { store: OTHER, keepFile: true },
    "conflict/different-tokens",
  ],
  ["the file's", { store: OTHER, prefer: "file" }, "move discards"],
  ["the store's", { store: OTHER, prefer: "store" }, "remove discards"],
  [
    "the store's, which is no token",
    { store: found("a\nb"), prefer: "store" },
    "failed/stored-unusable",
  ],
  [
    "the file's, over what is no token",
    { store: found("a\nb"), prefer: "file" },
    "move discards",
  ],
  ["one that is out of use", { store: OTHER, superseded: true }, "remove"],
  [
    "one that is out of use, for what is no token",
    { store: found("a\nb"), superseded: true },
    "conflict/different-tokens",
  ],
  [
    "one that is out of use, and preferred",
    { store: OTHER, superseded: true, prefer: "file" },
    "move discards",
  ],
  ["a pinned one", { pinned: true }, "skipped/pinned"],
  ["a pinned one, by name", { pinned: true, named: true }, "move"],
  ["a locked store", { store: LOCKED }, "failed/locked"],
  ["nothing in the file", { plaintext: "none" }, "skipped/no-token"],
  [
    "all in place",
    { plaintext: "none", store: OTHER },
    "already/stored",
  ],
];

for (const [name, facts, expected] of ROWS) {
  const all = { ...FACTS, ...facts };

  Deno.test(`planMigration() decides about ${name}`, () => {
    const step = planMigration(all);
    const said = step.do === "nothing"
      ? `${step.outcome}/${step.reason.code}`
      : step.discards
      ? `${step.do} discards`
      : step.do;
    assertEquals(said, expected);
  });

  Deno.test(`planMigration() moves nothing that may not leave the file: ${name}`, () => {
    const step = planMigration({ ...all, eligibility: NOT });
    if (planMigration(all).do !== "nothing") {
      assertEquals(step, {
        do: "nothing",
        outcome: "skipped",
        reason: { code: "ci", obstacle: NOT },
      });
    }
    assertEquals(step.do, "nothing");
  });
}
