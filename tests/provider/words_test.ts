// Names, URLs and what stores say come from elsewhere and go to a terminal:
// whatever is said, no line has a control character or one that hides text.

import { assert, assertEquals } from "@std/assert";
import { printError } from "../../src/base/print.ts";
import { encodeAnswer } from "../../src/protocol/encode_answer.ts";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import type { GetNotice } from "../../src/provider/get_decision.ts";
import {
  describeKeeping,
  describeLoginRefusal,
  describeNotMigrated,
  describePlaintextWarning,
  describeStored,
  describeTakenName,
  describeTokenRefusal,
  tokenQuestion,
} from "../../src/provider/login_words.ts";
import {
  describeLeftovers,
  describeLoggedOut,
  describeNotAsked,
  describeNotLoggedOut,
} from "../../src/provider/logout_words.ts";
import {
  describeMoved,
  describeMoveFailure,
  describeRemoval,
} from "../../src/provider/move_words.ts";
import { describeGetNotice } from "../../src/provider/notices.ts";
import {
  describeRebinding,
  describeRegistry,
  type RegistryAbout,
} from "../../src/tokens/about.ts";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import type { EraseOutcome } from "../../src/stores/credential_store.ts";

/** Clears the screen, sets the title, turns the writing around, ends the line. */
const EVIL = "a\x1b[2J\x1b]0;t\x07\u202e\u2066\u200b\u009b1m\r\nb\u2028\x00c";
const UNFIT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const rebinding: Rebinding = {
  name: EVIL,
  userUrl: EVIL,
  projectUrl: EVIL,
  where: EVIL,
};
const failure = {
  kind: "unreachable",
  cause: "service-failed",
  reason: EVIL,
  remedy: EVIL,
  storeExists: true,
} as const;
const ineligible = {
  kind: "not",
  reason: "tracked-by-git",
  path: EVIL,
  trackedIn: EVIL,
} as const;
const removals = [
  { kind: "removed" },
  { kind: "none" },
  { kind: "left", why: failure },
] as const;
const plaintexts = [
  { kind: "removed" },
  { kind: "none" },
  { kind: "busy" },
  { kind: "left", why: failure, foreign: true },
] as const;
const erasures: readonly EraseOutcome[] = [
  { kind: "erased", remaining: [EVIL] },
  { kind: "absent" },
  failure,
  { ...failure, cause: "switched-off", storeExists: false },
];
const reasons = [
  { ...ineligible, byHand: true },
  { ...ineligible, byHand: false },
  { kind: "notify" },
  { kind: "never" },
  { kind: "pinned" },
] as const;

const abouts: readonly RegistryAbout[] = [
  describeRegistry({ indexUrl: EVIL, name: EVIL }, "the fake store", EVIL),
  describeRegistry({ indexUrl: EVIL }, "the fake store", EVIL),
  describeRegistry({ indexUrl: CRATES_IO_INDEX }, "the fake store", EVIL),
];

/** Everything that can be said about a `get`. */
const notices: readonly GetNotice[] = [
  { kind: "environment-used", variable: EVIL },
  { kind: "token-file-readable", path: EVIL },
  ...[true, false].map((cargoTokenFollows): GetNotice => ({
    kind: "token-file-unusable",
    file: {
      kind: "unusable",
      variable: EVIL,
      path: EVIL,
      fault: { kind: "empty" },
    },
    cargoTokenFollows,
  })),
  { kind: "conflict" },
  { kind: "several-items", others: [EVIL, EVIL] },
  {
    kind: "wrong-setting",
    wrong: {
      kind: "wrong",
      where: EVIL,
      key: "",
      message: EVIL,
      system: false,
    },
  },
  { kind: "superseded-left" },
  { kind: "stored-unusable", empty: true },
  { kind: "stored-unusable", empty: false },
  { kind: "stored-elsewhere", urls: [EVIL, EVIL] },
  ...reasons.map((reason): GetNotice => ({ kind: "not-moved", reason })),
  { kind: "store-failure", failure },
  { kind: "rebound", rebinding },
];

/** Everything that can be said at all, line by line. */
function everything(about: RegistryAbout): readonly string[] {
  const texts = [
    ...[true, false].flatMap((cargoTokenFollows) =>
      [true, false].flatMap((hasPlaintext) =>
        notices.map((notice) =>
          describeGetNotice(
            notice,
            { cargoTokenFollows, hasPlaintext },
            about,
          ).text
        )
      )
    ),
    describeLoginRefusal({ failure, fileAllowed: true }, about),
    describeLoginRefusal({ failure, fileAllowed: false }, about),
    describeLoginRefusal({ rebinding }, about),
    describeTakenName(rebinding),
    describeRebinding(rebinding),
    describePlaintextWarning(failure, true, about),
    describePlaintextWarning(failure, false, about),
    ...([
      "no-terminal",
      "end-of-input",
      "interrupted",
      "timeout",
      "empty",
      "invalid",
      "file-busy",
      "arguments",
    ] as const).map((reason) => describeTokenRefusal(reason)),
    tokenQuestion(about, undefined),
    tokenQuestion(about, EVIL),
    ...removals.flatMap((removal) => [
      ...[true, false].flatMap((flag) => [
        ...describeStored(removal, flag, about),
        describeRemoval(removal, flag, about)?.text ?? "",
      ]),
    ]),
    ...plaintexts.flatMap((plaintext) =>
      erasures.flatMap((erased) => [
        ...describeLoggedOut({ erased, plaintext }, about),
        describeNotLoggedOut({ erased, plaintext }, about),
        ...describeNotAsked(erased, about),
      ])
    ),
    ...describeLeftovers([EVIL], "login"),
    ...(["durably", "in-plaintext", "for-the-session"] as const)
      .flatMap((keeps) => describeKeeping(keeps, about)),
    ...([
      "none",
      { ...ineligible, byHand: true },
      { kind: "busy" },
      { kind: "file-changed" },
      { kind: "store-changed" },
      { kind: "no-file", why: { kind: "failed", reason: "io" } },
    ] as const).map((outcome) => describeNotMigrated(outcome, about)),
    ...describeMoved(about),
    ...([
      { kind: "stored", why: failure },
      { kind: "stored", why: { kind: "not-yet-on-disk" } },
      { kind: "not-stored", failure },
      { kind: "no-file", why: { kind: "failed", reason: "io" } },
    ] as const).map((outcome) => describeMoveFailure(outcome, about).text),
  ];
  return texts;
}

/** What comes out of standard error. */
function printed(line: string): string {
  const { stderr } = Deno;
  const { writeSync } = stderr;
  let text = "";
  stderr.writeSync = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    printError(line);
  } finally {
    stderr.writeSync = writeSync;
  }
  return text;
}

Deno.test("whatever is said is one line that is fit for a terminal", () => {
  for (const about of abouts) {
    for (const line of everything(about)) {
      const text = printed(line);
      assert(text.endsWith("\n"));
      assert(!UNFIT.test(text.slice(0, -1)), JSON.stringify(text));
      const answer: unknown = JSON.parse(
        new TextDecoder().decode(
          encodeAnswer({ kind: "other", message: line }),
        ),
      );
      assert(!/\\[ru]|\\n|\u202e/.test(JSON.stringify(answer)), line);
    }
  }
});

Deno.test("whatever is said is a sentence of its own", () => {
  const plain = describeRegistry(
    { indexUrl: "sparse+https://alt.example/", name: "alt" },
    "the fake store",
    "/home/ada/.cargo/credentials.toml",
  );
  for (const line of everything(plain)) {
    // Half of a sentence, or a value that was none.
    assert(
      !/undefined|null|\[object|NaN|\.\.|; ?$|: ?$| {2}\S*$/.test(
        line.replace(/^ +/, "").replace(/\(it is not shown\): $/, ""),
      ),
      JSON.stringify(line),
    );
  }
});

Deno.test("describeRegistry() names crates.io as cargo does", () => {
  assertEquals(
    describeRegistry({ indexUrl: CRATES_IO_INDEX, name: "x" }, "S", "/c"),
    {
      title: "crates.io",
      loginCommand: "cargo login",
      migrateCommand: "cargo-credential-keyring migrate --registry crates-io",
      restoreCommand: "cargo-credential-keyring restore --registry crates-io",
      revokeAt: "<https://crates.io/me>",
      storeTitle: "S",
      filePath: "/c",
    },
  );
});

Deno.test("describeRegistry() names another registry by its name", () => {
  const about = describeRegistry(
    { indexUrl: "sparse+https://alt.example/", name: "alt" },
    "S",
    "/c",
  );
  assertEquals(about.title, "`alt`");
  assertEquals(about.loginCommand, "cargo login --registry alt");
  assertEquals(about.revokeAt, "the website of `alt`");
});

Deno.test("describeRegistry() names a registry without a name by its URL", () => {
  const about = describeRegistry(
    { indexUrl: "sparse+https://alt.example/" },
    "S",
    "/c",
  );
  assertEquals(about.title, "`sparse+https://alt.example/`");
  assertEquals(about.migrateCommand, "cargo-credential-keyring migrate");
});
