import type { PlaintextRemoval } from "../../src/tokens/remove.ts";
import { assertEquals } from "@std/assert";
import {
  decideLogout,
  type LogoutFacts,
  type LogoutVerdict,
} from "../../src/provider/logout_decision.ts";
import type {
  EraseOutcome,
  StoreFailure,
} from "../../src/stores/credential_store.ts";

function failure(
  kind: StoreFailure["kind"],
  storeExists = true,
): StoreFailure {
  return {
    kind,
    cause: "service-failed",
    reason: "it is so",
    remedy: "Do something.",
    storeExists,
  };
}

const erased: EraseOutcome = { kind: "erased", remaining: [] };
const absent: EraseOutcome = { kind: "absent" };
const missing = failure("unreachable", false);

const removed: PlaintextRemoval = { kind: "removed" };
const none: PlaintextRemoval = { kind: "none" };
const left: PlaintextRemoval = {
  kind: "left",
  why: { kind: "not-locked" },
  foreign: false,
};
const foreign: PlaintextRemoval = { ...left, foreign: true };

/** The table of `logout`, with `cargo:token` behind this provider or not. */
const TABLE: readonly (readonly [
  row: string,
  facts: Pick<LogoutFacts, "erased" | "plaintext">,
  followed: LogoutVerdict,
  alone: LogoutVerdict,
])[] = [
  [
    "erased, left: nobody would remove it",
    { erased, plaintext: left },
    "plaintext-left",
    "plaintext-left",
  ],
  ...([["removed", removed], ["none", none], ["foreign", foreign]] as const)
    .map(([name, plaintext]) =>
      [
        `erased, ${name}`,
        { erased, plaintext },
        "logged-out",
        "logged-out",
      ] as const
    ),
  ...([["absent", absent], ["does not exist", missing]] as const).flatMap(
    ([name, erased]) =>
      [
        [
          `${name}, removed`,
          { erased, plaintext: removed },
          "logged-out",
          "logged-out",
        ],
        [
          `${name}, none`,
          { erased, plaintext: none },
          "not-found",
          "not-found",
        ],
        [
          `${name}, could not be removed`,
          { erased, plaintext: left },
          "not-found",
          "plaintext-left",
        ],
        [
          `${name}, another registry's`,
          { erased, plaintext: foreign },
          "plaintext-left",
          "plaintext-left",
        ],
      ] as const,
  ),
  ...(["locked", "unreachable", "denied", "timeout"] as const).flatMap((kind) =>
    [removed, none, left, foreign].map((plaintext) =>
      [
        `${kind}, ${plaintext.kind}`,
        { erased: failure(kind), plaintext },
        "store-not-opened",
        "store-not-opened",
      ] as const
    )
  ),
];

for (const [row, facts, followed, alone] of TABLE) {
  Deno.test(`decideLogout() row ${row}`, () => {
    assertEquals(decideLogout({ ...facts, cargoTokenFollows: true }), followed);
    assertEquals(decideLogout({ ...facts, cargoTokenFollows: false }), alone);
  });
}
