import { assertEquals } from "@std/assert";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import {
  decideLogin,
  type LoginFacts,
  type LoginStep,
} from "../../src/provider/login_decision.ts";
import {
  DEFAULT_SETTINGS,
  type SettingValues,
} from "../../src/settings/settings.ts";
import type {
  PrepareOutcome,
  StoreFailure,
} from "../../src/stores/credential_store.ts";

const ready: PrepareOutcome = {
  kind: "ready",
  durable: true,
  plaintext: false,
};

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

const missing = failure("unreachable", false);

const rebinding: Rebinding = {
  name: "alt",
  userUrl: "sparse+https://good.example/",
  projectUrl: "sparse+https://evil.example/",
  where: "/checkout/.cargo/config.toml",
};

function withFallback(
  fallback: SettingValues["fallback"],
): Pick<LoginFacts, "settings"> {
  return { settings: { kind: "settings", ...DEFAULT_SETTINGS, fallback } };
}

/** Everything looked at, and nobody there. */
const base: LoginFacts = {
  ...withFallback("file"),
  prepared: ready,
  mayPrompt: false,
  chain: { cargoTokenFollows: true, cargoTokenListed: true },
  rebinding: "none",
};

/** What a step comes to, in one line. */
function summary(step: LoginStep): string {
  if ("need" in step) return `need ${step.need}`;
  switch (step.place) {
    case "store":
      return `store, ${step.keeps}`;
    case "next-provider":
      return `next-provider, cargo:token ${
        step.cargoTokenFollows ? "follows" : "does not follow"
      }`;
    case "nowhere":
      return "rebinding" in step
        ? "nowhere: rebound"
        : `nowhere, ${step.fileAllowed ? "the file on purpose" : "no file"}`;
  }
}

/** The table of `login`: the row, what is known, what comes of it. */
const TABLE: readonly (readonly [
  row: string,
  facts: Partial<LoginFacts>,
  expected: string,
])[] = [
  ["can be written", {}, "store, durably"],
  ["can be written, deny", withFallback("deny"), "store, durably"],
  ["can be written, rebound", { rebinding }, "store, durably"],
  [
    "can be written for the session only",
    { prepared: { kind: "ready", durable: false, plaintext: false } },
    "store, for-the-session",
  ],
  [
    "can be written in plaintext only",
    { prepared: { kind: "ready", durable: true, plaintext: true } },
    "store, in-plaintext",
  ],
  [
    "does not exist",
    { prepared: missing },
    "next-provider, cargo:token follows",
  ],
  [
    "does not exist, and a person is present all the same",
    { prepared: missing, mayPrompt: true },
    "next-provider, cargo:token follows",
  ],
  [
    "does not exist, nobody after us",
    {
      prepared: missing,
      chain: { cargoTokenFollows: false, cargoTokenListed: false },
    },
    "next-provider, cargo:token does not follow",
  ],
  [
    "does not exist, rebound",
    { prepared: missing, rebinding },
    "nowhere: rebound",
  ],
  ...(["deny", "strict"] as const).flatMap((fallback) =>
    [
      [
        `does not exist, ${fallback}`,
        { ...withFallback(fallback), prepared: missing },
        "nowhere, no file",
      ],
      [
        `locked, nobody present, ${fallback}`,
        { ...withFallback(fallback), prepared: failure("locked") },
        "nowhere, no file",
      ],
    ] as const
  ),
  ...(["locked", "unreachable", "timeout"] as const).flatMap((kind) =>
    [
      [
        `${kind}, nobody present`,
        { prepared: failure(kind) },
        "next-provider, cargo:token follows",
      ],
      [
        `${kind}, nobody present, rebound`,
        { prepared: failure(kind), rebinding },
        "nowhere: rebound",
      ],
    ] as const
  ),
  ...(["unreachable", "timeout"] as const).map((kind) =>
    [
      `${kind}, a person is present`,
      { prepared: failure(kind), mayPrompt: true },
      "nowhere, the file on purpose",
    ] as const
  ),
  ...[true, false].map((mayPrompt) =>
    [
      `denied, ${mayPrompt ? "a person is" : "nobody"} present`,
      { prepared: failure("denied"), mayPrompt },
      "nowhere, the file on purpose",
    ] as const
  ),
  [
    "locked, a person is present: the dialog",
    { prepared: failure("locked"), mayPrompt: true },
    "need prompt",
  ],
  [
    "locked, the dialog opens it",
    { prepared: failure("locked"), mayPrompt: true, prompted: ready },
    "store, durably",
  ],
  [
    "locked, the dialog is dismissed",
    {
      prepared: failure("locked"),
      mayPrompt: true,
      prompted: failure("denied"),
    },
    "nowhere, the file on purpose",
  ],
  [
    "locked, the dialog is not answered in time",
    {
      prepared: failure("locked"),
      mayPrompt: true,
      prompted: failure("timeout"),
    },
    "nowhere, the file on purpose",
  ],
  [
    "locked, and still after the dialog: no second one",
    {
      prepared: failure("locked"),
      mayPrompt: true,
      prompted: failure("locked"),
    },
    "nowhere, the file on purpose",
  ],
];

for (const [row, facts, expected] of TABLE) {
  Deno.test(`decideLogin() where the store ${row}`, () => {
    assertEquals(summary(decideLogin({ ...base, ...facts })), expected);
  });
}

Deno.test("decideLogin() looks at nothing that does not matter", () => {
  const { settings } = base;
  assertEquals(decideLogin({ settings, prepared: ready }), {
    place: "store",
    keeps: "durably",
  });
  assertEquals(decideLogin({ settings, prepared: failure("locked") }), {
    need: "person",
  });
  assertEquals(decideLogin({ settings, prepared: missing }), {
    need: "rebinding",
  });
  assertEquals(
    decideLogin({ settings, prepared: missing, rebinding: "none" }),
    { need: "chain" },
  );
});
