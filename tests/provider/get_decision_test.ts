import { assertEquals } from "@std/assert";
import {
  decideGet,
  type GetFacts,
  type GetStep,
} from "../../src/provider/get_decision.ts";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import type { Eligibility } from "../../src/tokens/eligibility.ts";
import { Secret } from "../../src/base/secret.ts";
import {
  DEFAULT_SETTINGS,
  type Settings,
  type SettingValues,
} from "../../src/settings/settings.ts";
import type {
  GetOutcome,
  StoreFailure,
} from "../../src/stores/credential_store.ts";

const SETTINGS: Settings = { kind: "settings", ...DEFAULT_SETTINGS };

const T = Secret.fromString("stored");
const P = Secret.fromString("plain");
const SAME = Secret.fromString("stored");

type Found = Extract<GetOutcome, { kind: "found" }>;

const found: Found = {
  kind: "found",
  token: T,
  others: [],
  keeps: "on-disk",
};
const absent: GetOutcome = { kind: "absent" };

function holds(
  token: string,
  rest: Partial<Found> = {},
): GetOutcome {
  return { ...found, token: Secret.fromString(token), ...rest };
}

function failure(
  kind: StoreFailure["kind"],
  item?: StoreFailure["item"],
): StoreFailure {
  return {
    kind,
    cause: kind === "locked" ? "locked" : "deadline",
    reason: "it is so",
    remedy: "Do something.",
    storeExists: true,
    ...(item === undefined ? {} : { item }),
  };
}

/** Everything looked at, and nothing in the way of a migration. */
const base: GetFacts = {
  settings: SETTINGS,
  environment: { kind: "none" },
  store: absent,
  plaintext: "none",
  pinned: false,
  superseded: false,
  elsewhere: [],
  rebinding: "none",
  sendable: true,
  eligibility: { kind: "eligible" },
  chain: { cargoTokenFollows: true, cargoTokenListed: true },
  mayPrompt: false,
};

const badFile: GetFacts["environment"] = {
  kind: "unusable",
  variable: "V_FILE",
  path: "/run/secrets/v",
  fault: { kind: "empty" },
};
function secretFile(readableByOthers: boolean): GetFacts["environment"] {
  const file = { path: "/run/secrets/v", readableByOthers };
  return { kind: "token", variable: "V_FILE", token: P, file };
}
const alone = { cargoTokenFollows: false, cargoTokenListed: false };
const notEligible: Eligibility = {
  kind: "not",
  reason: "ci",
  byHand: true,
};
const rebinding: Rebinding = {
  name: "alt",
  userUrl: "sparse+https://good.example/",
  projectUrl: "sparse+https://evil.example/",
  where: "/checkout/.cargo/config.toml",
};

function withSettings(
  settings: Partial<SettingValues>,
): Pick<GetFacts, "settings"> {
  return { settings: { ...SETTINGS, ...settings } };
}

/** What a step comes to, in one line: answer, action, notice. */
function summary(step: GetStep): string {
  if ("need" in step) return `need ${step.need}`;
  const notice = step.notice === undefined
    ? ""
    : step.notice.kind === "not-moved"
    ? `not-moved/${step.notice.reason.kind}`
    : step.notice.kind;
  return [step.answer, step.action ?? "", notice].join(" | ");
}

/** The table of `get`: the row, what is known, what comes of it. */
const TABLE: readonly (readonly [
  row: string,
  facts: Partial<GetFacts>,
  expected: string,
])[] = [
  [
    "1: an environment token is the answer, and the store is not opened",
    {
      environment: { kind: "token", variable: "V", token: P },
    },
    "environment-token |  | ",
  ],
  [
    "1: it says so where cargo has said that it ignores the variable",
    { environment: { kind: "token", variable: "V", token: P }, chain: alone },
    "environment-token |  | environment-used",
  ],
  [
    "1: an environment token moves nothing",
    { environment: { kind: "token", variable: "V", token: P }, plaintext: P },
    "environment-token |  | ",
  ],
  [
    "2: a variable that is set but empty leaves it to cargo's own words",
    { environment: { kind: "empty", variable: "V" }, store: found },
    "not-found |  | ",
  ],
  [
    "2: rebound: cargo refuses an empty token before it sends anything",
    { environment: { kind: "empty", variable: "V" }, rebinding },
    "not-found |  | ",
  ],
  [
    "1: a token from a file that the environment names is the answer",
    { environment: secretFile(false), chain: alone },
    "environment-token |  | ",
  ],
  [
    "1: it says so where every user may read that file",
    { environment: secretFile(true) },
    "environment-token |  | token-file-readable",
  ],
  [
    "1: rebound: a token from a file is not sent",
    { environment: secretFile(false), rebinding },
    "other |  | rebound",
  ],
  [
    "2b: a file without a token: the next provider, never the store",
    { environment: badFile, store: found },
    "url-not-supported |  | token-file-unusable",
  ],
  [
    "2b: an error where no `cargo:token` follows",
    { environment: badFile, chain: alone },
    "other |  | token-file-unusable",
  ],
  [
    "2b: strict",
    { environment: badFile, ...withSettings({ fallback: "strict" }) },
    "other |  | token-file-unusable",
  ],
  [
    "2b: rebound: `cargo:token` is not let near the file's token",
    { environment: badFile, rebinding },
    "other |  | rebound",
  ],
  [
    "3: T, and other items of that URL: they are named",
    {
      store: {
        kind: "found",
        token: T,
        others: ["login/old"],
        keeps: "on-disk",
      },
    },
    "stored-token |  | several-items",
  ],
  ["3: T, no P", { store: found }, "stored-token |  | "],
  [
    "4: T = P, eligible: P is removed",
    { store: found, plaintext: SAME },
    "stored-token | remove | ",
  ],
  [
    "4: T = P, not eligible: left alone in silence",
    { store: found, plaintext: SAME, eligibility: notEligible },
    "stored-token |  | ",
  ],
  [
    "4: T = P, notify: left alone in silence",
    { store: found, plaintext: SAME, ...withSettings({ migrate: "notify" }) },
    "stored-token |  | ",
  ],
  [
    "4: T = P, pinned: left alone in silence",
    { store: found, plaintext: SAME, pinned: true },
    "stored-token |  | ",
  ],
  [
    "4: T = P, which the store has yet to write to disk: left alone",
    { store: holds("stored", { keeps: "not-yet-on-disk" }), plaintext: SAME },
    "stored-token |  | ",
  ],
  [
    "4: T = P, T in memory alone: P is stored where it lasts",
    { store: holds("stored", { keeps: "in-memory" }), plaintext: SAME },
    "stored-token | move | ",
  ],
  [
    "4: the same where the default collection does not last either",
    {
      store: holds("stored", { keeps: "in-memory" }),
      plaintext: SAME,
      eligibility: notEligible,
    },
    "stored-token |  | ",
  ],
  [
    "5: T and a superseded P, eligible: P is removed",
    { store: found, plaintext: P, superseded: true },
    "stored-token | remove-superseded | ",
  ],
  [
    "5: T and a superseded P, not eligible: T, and it is said",
    {
      store: found,
      plaintext: P,
      superseded: true,
      eligibility: notEligible,
    },
    "stored-token |  | superseded-left",
  ],
  [
    "5: T and a superseded P, notify: T, and it is said",
    {
      store: found,
      plaintext: P,
      superseded: true,
      ...withSettings({ migrate: "notify" }),
    },
    "stored-token |  | superseded-left",
  ],
  [
    "6: T and another P: the file wins, nothing changes, and it is said",
    { store: found, plaintext: P },
    "file-token |  | conflict",
  ],
  [
    "6: the same where nothing may be moved",
    { store: found, plaintext: P, eligibility: notEligible },
    "file-token |  | conflict",
  ],
  [
    "6: the user has put a superseded P back",
    { store: found, plaintext: P, superseded: true, pinned: true },
    "file-token |  | conflict",
  ],
  [
    "6: strict: no plaintext token is used",
    { store: found, plaintext: P, ...withSettings({ fallback: "strict" }) },
    "other |  | conflict",
  ],
  [
    "3: T, and a P that is no token",
    { store: found, plaintext: Secret.fromString("a\nb") },
    "stored-token |  | ",
  ],
  [
    "3: T, and a P of the name's other URL: no conflict",
    { store: found, plaintext: P, rebinding },
    "stored-token |  | ",
  ],
  ...["", "h\u00e9"].flatMap((unusable) =>
    [
      [
        `7: T is ${JSON.stringify(unusable)}, no P: as absent`,
        { store: holds(unusable), elsewhere: ["sparse+https://b.example/"] },
        "not-found |  | stored-unusable",
      ],
      [
        `7: T is ${JSON.stringify(unusable)}, P: it is not written over`,
        { store: holds(unusable), plaintext: P },
        "file-token |  | stored-unusable",
      ],
      [
        `7: T is ${JSON.stringify(unusable)}, P not eligible`,
        { store: holds(unusable), plaintext: P, eligibility: notEligible },
        "not-found |  | stored-unusable",
      ],
    ] as const
  ),
  ["8: no T, no P", {}, "not-found |  | "],
  [
    "8: no T, no P, and a token of that name under another URL",
    { elsewhere: ["sparse+https://b.example/"] },
    "not-found |  | stored-elsewhere",
  ],
  ["9: no T, P", { plaintext: P }, "file-token | move | "],
  [
    "10: no T, P not eligible",
    { plaintext: P, eligibility: notEligible },
    "not-found |  | not-moved/not",
  ],
  [
    "10: no T, P, notify",
    { plaintext: P, ...withSettings({ migrate: "notify" }) },
    "not-found |  | not-moved/notify",
  ],
  [
    "10: no T, P, never",
    { plaintext: P, ...withSettings({ migrate: "never" }) },
    "not-found |  | not-moved/never",
  ],
  [
    "10: no T, P pinned",
    { plaintext: P, pinned: true },
    "not-found |  | not-moved/pinned",
  ],
  [
    "10: strict",
    {
      plaintext: P,
      eligibility: notEligible,
      ...withSettings({ fallback: "strict" }),
    },
    "other |  | not-moved/not",
  ],
  [
    "11: locked, item visible, a person: the prompt",
    { store: failure("locked", "visible"), mayPrompt: true, plaintext: P },
    "need prompt",
  ],
  [
    "11: what the prompt brings is the answer",
    {
      store: failure("locked", "visible"),
      mayPrompt: true,
      prompted: found,
    },
    "stored-token |  | ",
  ],
  [
    "11: dismissed",
    {
      store: failure("locked", "visible"),
      mayPrompt: true,
      prompted: failure("denied"),
    },
    "url-not-supported |  | store-failure",
  ],
  [
    "11: locked, the store cannot tell, no P, a person: the prompt",
    { store: failure("locked", "unknown"), mayPrompt: true },
    "need prompt",
  ],
  [
    "12: locked, no item visible, P: no prompt",
    { store: failure("locked", "none"), mayPrompt: true, plaintext: P },
    "url-not-supported |  | store-failure",
  ],
  [
    "12: locked, the store cannot tell, P: no prompt",
    { store: failure("locked", "unknown"), mayPrompt: true, plaintext: P },
    "url-not-supported |  | store-failure",
  ],
  [
    "12: locked, the store can tell that there is none, no P",
    { store: failure("locked", "none"), mayPrompt: true },
    "not-found |  | ",
  ],
  [
    "13: locked, item visible, nobody present",
    { store: failure("locked", "visible"), plaintext: P },
    "url-not-supported |  | store-failure",
  ],
  [
    "13: locked, the store cannot tell, nobody present",
    { store: failure("locked", "unknown") },
    "url-not-supported |  | store-failure",
  ],
  ...(["unreachable", "denied", "timeout"] as const).flatMap((kind) =>
    [
      [
        `13: ${kind}`,
        { store: failure(kind) },
        "url-not-supported |  | store-failure",
      ],
      [
        `13: ${kind}, nobody after us`,
        { store: failure(kind), chain: alone },
        "other |  | store-failure",
      ],
      [
        `13: ${kind}, strict`,
        { store: failure(kind), ...withSettings({ fallback: "strict" }) },
        "other |  | store-failure",
      ],
    ] as const
  ),
  [
    "rebound: an environment token is not sent",
    { environment: { kind: "token", variable: "V", token: P }, rebinding },
    "other |  | rebound",
  ],
  [
    "rebound: a plaintext token is not sent where the store has none",
    { plaintext: P, rebinding },
    "other |  | rebound",
  ],
  [
    "rebound: nor where the store cannot be read",
    { plaintext: P, rebinding, store: failure("unreachable") },
    "other |  | rebound",
  ],
  [
    "rebound: nor where what is stored is no token",
    {
      plaintext: P,
      rebinding,
      store: holds("\u0001"),
    },
    "other |  | rebound",
  ],
  [
    "rebound: without a token to send there is nothing to keep back",
    { rebinding, sendable: false },
    "not-found |  | ",
  ],
  [
    "rebound: what lies elsewhere, such as in config.toml, is not sent",
    { rebinding, sendable: true },
    "other |  | rebound",
  ],
  [
    "rebound: the same where the store cannot be read",
    { rebinding, sendable: true, store: failure("unreachable") },
    "other |  | rebound",
  ],
  [
    "rebound: the same where a locked store has none",
    { rebinding, sendable: true, store: failure("locked", "none") },
    "other |  | rebound",
  ],
  [
    "10: nobody after us: the notice says that P is not used",
    { plaintext: P, eligibility: notEligible, chain: alone },
    "not-found |  | not-moved/not",
  ],
  [
    "11: the dialog brings that there is nothing",
    {
      store: failure("locked", "unknown"),
      mayPrompt: true,
      prompted: absent,
    },
    "not-found |  | ",
  ],
  [
    "11: the store is still locked after the dialog: no second one",
    {
      store: failure("locked", "visible"),
      mayPrompt: true,
      prompted: failure("locked", "visible"),
    },
    "url-not-supported |  | store-failure",
  ],
  [
    "12: strict",
    {
      store: failure("locked", "none"),
      plaintext: P,
      ...withSettings({ fallback: "strict" }),
    },
    "other |  | store-failure",
  ],
  [
    "12: nobody after us",
    { store: failure("locked", "none"), plaintext: P, chain: alone },
    "other |  | store-failure",
  ],
  ["off, rebound: a plaintext token is not sent", {
    ...withSettings({ store: "off" }),
    plaintext: P,
    rebinding,
  }, "other |  | rebound"],
  ["off: at once and in silence", {
    ...withSettings({ store: "off" }),
    plaintext: P,
  }, "url-not-supported |  | "],
];

for (const [row, facts, expected] of TABLE) {
  Deno.test(`decideGet() row ${row}`, () => {
    assertEquals(summary(decideGet({ ...base, ...facts })), expected);
  });
}

Deno.test("decideGet() looks at nothing that does not matter", () => {
  const start: GetFacts = {
    settings: SETTINGS,
    environment: { kind: "none" },
  };
  assertEquals(decideGet(start), { need: "store-and-file" });
  assertEquals(decideGet({ ...start, store: found, plaintext: "none" }), {
    answer: "stored-token",
  });
  const none = { ...start, store: absent, plaintext: "none" as const };
  assertEquals(decideGet(none), { need: "rebinding" });
  assertEquals(decideGet({ ...none, rebinding: "none" }), {
    need: "elsewhere",
  });
});

Deno.test("decideGet() with a wrong setting still lets the environment win", () => {
  const wrong: GetFacts["settings"] = {
    kind: "wrong",
    where: "the environment",
    key: "migrate",
    message: "`migrate` is wrong",
    system: false,
  };
  assertEquals(
    summary(decideGet({ ...base, settings: wrong })),
    "url-not-supported |  | wrong-setting",
  );
  assertEquals(
    summary(decideGet({ ...base, settings: { ...wrong, system: true } })),
    "other |  | wrong-setting",
  );
  assertEquals(
    summary(decideGet({ ...base, settings: wrong, rebinding })),
    "other |  | rebound",
  );
  assertEquals(
    summary(decideGet({
      ...base,
      settings: wrong,
      environment: { kind: "token", variable: "V", token: P },
    })),
    "environment-token |  | ",
  );
});
