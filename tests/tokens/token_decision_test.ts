import { assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import {
  decideToken,
  type TokenAnswer,
  type TokenFacts,
} from "../../src/tokens/token_decision.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";

const secret = Secret.fromString;

const stored = (text: string): TokenFacts["store"] => ({
  kind: "found",
  token: secret(text),
  others: [],
  keeps: "on-disk",
});
const inFile = (text: string): TokenFacts["plaintext"] => ({
  kind: "found",
  table: ["registry"],
  token: secret(text),
});
const inEnvironment = (text: string): TokenFacts["environment"] => ({
  kind: "token",
  variable: "V",
  token: secret(text),
});
const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "it is locked",
  remedy: "Unlock it.",
  storeExists: true,
};
const REBOUND = {
  name: "alt",
  userUrl: "https://own.example/",
  projectUrl: "https://other.example/",
  where: "a file",
};
const MALFORMED = { kind: "unusable", reason: "malformed", line: 3 } as const;

const NOTHING: TokenFacts = {
  environment: { kind: "none" },
  store: { kind: "absent" },
  plaintext: { kind: "none" },
  superseded: false,
  rebinding: "none",
  boundByUser: true,
  strict: false,
};

/** `T` and where it is from, or what stands in its way. */
function words(answer: TokenAnswer): string {
  switch (answer.kind) {
    case "token":
      return `${answer.token.reveal()} ${answer.from}${
        answer.conflict ? " conflict" : ""
      }`;
    case "none":
      return `none: ${answer.reason}`;
    default:
      return answer.kind;
  }
}

Deno.test("decideToken() is the token that cargo would get", async (t) => {
  const cases: readonly [string, Partial<TokenFacts>, string][] = [
    ["nothing anywhere", {}, "none: absent"],
    ["the environment wins", {
      environment: inEnvironment("E"),
      store: stored("T"),
      plaintext: inFile("P"),
    }, "E environment"],
    ["an empty variable wins, too", {
      environment: { kind: "empty", variable: "V" },
      store: stored("T"),
    }, "none: environment-empty"],
    ["a file of the environment's without a token hides the others", {
      environment: {
        kind: "unusable",
        variable: "V_FILE",
        path: "/run/secrets/v",
        fault: { kind: "empty" },
      },
      store: stored("S"),
    }, "none: environment-file-unusable"],
    ["the store", { store: stored("T") }, "T store"],
    ["both alike", { store: stored("T"), plaintext: inFile("T") }, "T store"],
    [
      "both, and different: the file, as with cargo alone",
      { store: stored("T"), plaintext: inFile("P") },
      "P file conflict",
    ],
    ["a token of the file that is out of use", {
      store: stored("T"),
      plaintext: inFile("P"),
      superseded: true,
    }, "T store"],
    ["the same, and nothing stored", {
      plaintext: inFile("P"),
      superseded: true,
    }, "none: absent"],
    ["the file", { plaintext: inFile("P") }, "P file"],
    ["the file, while the store is locked", {
      store: LOCKED,
      plaintext: inFile("P"),
    }, "P file"],
    ["the same, strictly", {
      store: LOCKED,
      plaintext: inFile("P"),
      strict: true,
    }, "store-failed"],
    ["a locked store alone", { store: LOCKED }, "store-failed"],
    ["an empty item", { store: stored("") }, "none: stored-unusable"],
    ["an empty item and the file", {
      store: stored(""),
      plaintext: inFile("P"),
    }, "P file"],
    ["a file that is no TOML", { plaintext: MALFORMED }, "file-unusable"],
    ["the same, and the store", {
      store: stored("T"),
      plaintext: MALFORMED,
    }, "T store"],
    ["a name that only a project binds: not the file's", {
      plaintext: inFile("P"),
      boundByUser: false,
    }, "none: bound-by-project"],
    ["the same, and an item of that URL", {
      store: stored("T"),
      plaintext: inFile("P"),
      boundByUser: false,
    }, "T store"],
    ["a name that a project has bound to another URL", {
      rebinding: REBOUND,
      boundByUser: false,
      store: stored("T"),
      plaintext: inFile("P"),
    }, "rebound"],
    ["the same, with a variable", {
      rebinding: REBOUND,
      environment: inEnvironment("E"),
    }, "rebound"],
    ["the same, with an item of that URL alone", {
      rebinding: REBOUND,
      boundByUser: false,
      store: stored("T"),
    }, "T store"],
  ];
  for (const [name, facts, expected] of cases) {
    await t.step(
      name,
      () =>
        assertEquals(words(decideToken({ ...NOTHING, ...facts })), expected),
    );
  }
});
