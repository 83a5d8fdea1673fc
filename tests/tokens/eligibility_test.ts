import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  eligibility,
  type EligibilityFacts,
  type FileFacts,
  type IneligibleReason,
  logoutRemoval,
  type LogoutRemovalFacts,
  type Occasion,
  type StoreFacts,
} from "../../src/tokens/eligibility.ts";
import { describeObstacle } from "../../src/tokens/words.ts";

const FILE: FileFacts = {
  path: "/users/me/.cargo/credentials.toml",
  isRegular: true,
  isOurs: true,
  isWritable: true,
  links: 1,
  fileSystem: { kind: "local", name: "0xef53" },
  trackedIn: "none",
};

const STORE: StoreFacts = {
  name: "secret-service",
  title: "the Secret Service",
  keeps: "durably",
};

const ELIGIBLE: EligibilityFacts = {
  occasion: "read",
  binding: { kind: "crates-io" },
  asked: { kind: "listed", where: "/users/me/.cargo/config.toml", args: [] },
  isToken: true,
  file: FILE,
  store: STORE,
  sudo: false,
  sandbox: "none",
  container: "none",
  ci: false,
};

const file = (facts: Partial<FileFacts>): Partial<EligibilityFacts> => ({
  file: { ...FILE, ...facts },
});
const store = (facts: Partial<StoreFacts>): Partial<EligibilityFacts> => ({
  store: { ...STORE, ...facts },
});

const OCCASIONS: readonly Occasion[] = [
  "read",
  "migrate",
  "migrate-registry",
  "login",
];

interface Row {
  readonly name: string;
  readonly facts: Partial<EligibilityFacts>;
  readonly reason: IneligibleReason;
  /** Where the rule does not hold. */
  readonly waived?: readonly Occasion[];
  /** What the sentence names. */
  readonly words: string;
}

const ROWS: readonly Row[] = [
  {
    name: "a FIFO",
    facts: file({ isRegular: false }),
    reason: "not-regular",
    words: FILE.path,
  },
  {
    name: "another user's file",
    facts: file({ isOurs: false }),
    reason: "not-ours",
    words: "another user",
  },
  {
    name: "sudo",
    facts: { sudo: true },
    reason: "sudo",
    words: "run cargo as yourself",
  },
  {
    name: "a read-only file",
    facts: file({ isWritable: false }),
    reason: "not-writable",
    words: "writable for its owner",
  },
  {
    name: "a file with two names",
    facts: file({ links: 2 }),
    reason: "hard-links",
    words: "2 names",
  },
  {
    name: "a file on NFS",
    facts: file({ fileSystem: { kind: "network", name: "NFS" } }),
    reason: "not-local",
    words: "network file system (NFS)",
  },
  {
    name: "a file on FUSE",
    facts: file({ fileSystem: { kind: "fuse", name: "FUSE" } }),
    reason: "not-local",
    words: "(FUSE)",
  },
  {
    name: "a file that may be anywhere",
    facts: file({ fileSystem: { kind: "unknown", name: "unreadable" } }),
    reason: "not-local",
    words: "it is not known",
  },
  {
    name: "a file that git tracks",
    facts: file({ trackedIn: "/users/me/dotfiles" }),
    reason: "tracked-by-git",
    words: "/users/me/dotfiles",
  },
  {
    name: "what is no token",
    facts: { isToken: false },
    reason: "not-a-token",
    words: "`cargo login` replaces it",
  },
  {
    name: "a flatpak",
    facts: { sandbox: "flatpak" },
    reason: "sandboxed",
    words: "a flatpak",
  },
  {
    name: "a snap",
    facts: { sandbox: "snap" },
    reason: "sandboxed",
    words: "a snap",
  },
  {
    name: "keyutils",
    facts: store({ name: "keyutils", keeps: "for-the-session" }),
    reason: "keyutils",
    words: "next boot",
  },
  {
    name: "keyutils, even where it calls itself durable",
    facts: store({ name: "keyutils" }),
    reason: "keyutils",
    words: 'store = "auto"',
  },
  {
    name: "a default collection in memory",
    facts: store({ keeps: "for-the-session" }),
    reason: "not-durable",
    words: "the Secret Service",
  },
  {
    name: "a store that cannot be written",
    facts: store({ keeps: { reason: "it is full", remedy: "Make room." } }),
    reason: "store-not-ready",
    words: "it is full. Make room",
  },
  {
    name: "a registry with a provider of its own",
    facts: {
      asked: {
        kind: "not-listed",
        where: "/users/me/.cargo/config.toml",
        instead: ["cargo:token"],
      },
    },
    reason: "not-asked",
    words: "it asks cargo:token for this registry, and not this program " +
      "(/users/me/.cargo/config.toml); `cargo-credential-keyring setup`",
  },
  {
    name: "a program that nobody lists",
    facts: {
      asked: {
        kind: "not-listed",
        where: undefined,
        instead: ["cargo:token"],
      },
    },
    reason: "not-asked",
    words: "this program; `cargo-credential-keyring setup` lists it",
  },
  {
    name: "a configuration that nobody can read",
    facts: {
      asked: { kind: "not-listed", where: "/users/me/x.toml", instead: [] },
    },
    reason: "not-asked",
    words: "it asks other providers",
  },
  {
    name: "a name that the user binds to another URL, too",
    facts: {
      binding: { kind: "otherwise", url: "https://b.example/", where: "b" },
    },
    reason: "bound-otherwise",
    words: "https://b.example/, too (b)",
  },
  {
    name: "a keyring without a password",
    facts: store({ keeps: "in-plaintext" }),
    reason: "plaintext-keyring",
    waived: ["migrate", "migrate-registry", "login"],
    words: "plaintext",
  },
  {
    name: "a container with cargo's home from elsewhere",
    facts: { container: "foreign-home" },
    reason: "foreign-container",
    waived: ["migrate", "migrate-registry"],
    words: "container",
  },
  {
    name: "a build service",
    facts: { ci: true },
    reason: "ci",
    waived: ["migrate", "migrate-registry", "login"],
    words: "`CI`",
  },
  {
    name: "a name that only a project binds",
    facts: { binding: { kind: "project" } },
    reason: "bound-by-project",
    waived: ["migrate-registry"],
    words: "no configuration of your own",
  },
  {
    name: "a name that a variable alone binds",
    facts: {
      binding: { kind: "variable", where: "CARGO_REGISTRIES_A_INDEX" },
    },
    reason: "bound-by-variable",
    waived: ["migrate-registry"],
    words: "only CARGO_REGISTRIES_A_INDEX binds",
  },
];

for (const { name, facts, reason, waived = [], words } of ROWS) {
  for (const occasion of OCCASIONS) {
    const expected = waived.includes(occasion) ? "eligible" : reason;
    Deno.test(`eligibility() at ${occasion} answers ${expected} for ${name}`, () => {
      const verdict = eligibility({ ...ELIGIBLE, ...facts, occasion });
      if (verdict.kind === "eligible") {
        assertEquals("eligible", expected);
        return;
      }
      assertEquals(verdict.reason, expected);
      assertEquals(verdict.byHand, waived.includes("migrate-registry"));
      const sentence = describeObstacle(verdict);
      assertStringIncludes(sentence, words);
      // It becomes part of a longer sentence on one line.
      assertMatch(sentence, /^[^\n]*[^.\n]$/);
    });
  }
}

for (
  const [name, facts] of [
    ["crates.io", {}],
    ["a registry of the user's", { binding: { kind: "user" } }],
    ["a container with a home of its own", { container: "own-home" }],
    ["the keychain", store({ name: "keychain" })],
  ] as const satisfies readonly (readonly [
    string,
    Partial<EligibilityFacts>,
  ])[]
) {
  for (const occasion of OCCASIONS) {
    Deno.test(`eligibility() at ${occasion} accepts ${name}`, () => {
      assertEquals(eligibility({ ...ELIGIBLE, ...facts, occasion }), {
        kind: "eligible",
      });
    });
  }
}

Deno.test("eligibility() names a rule that no command waives before one that it does", () => {
  const soft = ROWS.filter(({ waived }) => waived !== undefined);
  const hard = ROWS.filter(({ waived }) => waived === undefined);
  for (const softRow of soft) {
    for (const hardRow of hard) {
      // One fact has one value.
      const both = Object.keys(softRow.facts).filter((key) =>
        key in hardRow.facts
      );
      if (both.length > 0) continue;
      const verdict = eligibility({
        ...ELIGIBLE,
        ...softRow.facts,
        ...hardRow.facts,
      });
      assert(verdict.kind === "not");
      assertEquals(verdict.reason, hardRow.reason);
      assertEquals(verdict.byHand, false);
    }
  }
});

const LOGOUT: LogoutRemovalFacts = {
  isMapped: true,
  isBoundElsewhere: false,
  file: FILE,
};

for (
  const [name, facts, expected, foreign] of [
    ["the user's own token", {}, "removable", false],
    [
      "a name that the user binds to another URL",
      { isBoundElsewhere: true },
      "bound-elsewhere",
      true,
    ],
    [
      "a name that nobody binds to this URL",
      { isMapped: false },
      "not-mapped",
      true,
    ],
    [
      "a FIFO",
      { file: { ...FILE, isRegular: false } },
      "not-regular",
      false,
    ],
    [
      "another user's file",
      { file: { ...FILE, isOurs: false } },
      "not-ours",
      false,
    ],
    [
      "a read-only file",
      { file: { ...FILE, isWritable: false } },
      "not-writable",
      false,
    ],
    [
      "another user's file with another registry's token",
      { isMapped: false, file: { ...FILE, isOurs: false } },
      "not-mapped",
      true,
    ],
  ] as const satisfies readonly (readonly [
    string,
    Partial<LogoutRemovalFacts>,
    string,
    boolean,
  ])[]
) {
  Deno.test(`logoutRemoval() answers ${expected} for ${name}`, () => {
    const verdict = logoutRemoval({ ...LOGOUT, ...facts });
    if (verdict.kind === "removable") {
      assertEquals("removable", expected);
      return;
    }
    assertEquals([verdict.reason, verdict.foreign], [expected, foreign]);
    assertMatch(describeObstacle(verdict), /^[^\n]*[^.\n]$/);
  });
}
