import { assertEquals, assertMatch } from "@std/assert";
import type { Obstacle } from "../../src/tokens/reason.ts";
import {
  describeArchiveFault,
  describeObstacle,
} from "../../src/tokens/words.ts";

const NOT_LISTED = {
  kind: "not-listed",
  where: "/users/me/config.toml",
  instead: ["cargo:token"],
} as const;

const ROWS: readonly (readonly [Obstacle, string])[] = [
  [
    { kind: "unusable", reason: "malformed", line: 7 },
    "it is not valid TOML (line 7)",
  ],
  [{ kind: "unusable", reason: "malformed" }, "it is not valid TOML"],
  [
    { kind: "unusable", reason: "not-a-regular-file" },
    "it is not a regular file",
  ],
  [{ kind: "unusable", reason: "unreadable" }, "it cannot be read"],
  [{ kind: "unusable", reason: "too-large" }, "it is too large"],
  [{ kind: "unusable", reason: "not-utf-8" }, "it is not UTF-8"],
  [
    { kind: "failed", reason: "no-space" },
    "there is no space left on its device",
  ],
  [{ kind: "failed", reason: "read-only" }, "its file system is read-only"],
  [{ kind: "failed", reason: "denied" }, "it cannot be written"],
  [{ kind: "failed", reason: "io" }, "its device has failed"],
  [
    { kind: "failed", reason: "dangling-link" },
    "it is a link to a file that does not exist",
  ],
  [
    { kind: "failed", reason: "changed-meanwhile" },
    "another program has just changed it",
  ],
  [
    { kind: "refused", reason: "token-exists" },
    "it holds a token for that registry already",
  ],
  [
    {
      kind: "locked",
      cause: "locked",
      reason: "the keyring is locked",
      remedy: "Unlock it.",
      storeExists: true,
    },
    "the keyring is locked",
  ],
  [
    NOT_LISTED,
    "cargo does not ask this program for it: it asks cargo:token " +
    "(/users/me/config.toml); `cargo-credential-keyring setup` lists it",
  ],
  [
    { ...NOT_LISTED, where: undefined, instead: [] },
    "cargo does not ask this program for it; `cargo-credential-keyring " +
    "setup` lists it",
  ],
  [
    { kind: "not", reason: "not-ours", path: "F", byHand: false },
    "F belongs to another user, who has another keyring; run cargo as that " +
    "user",
  ],
  [
    { kind: "not-removable", reason: "not-ours", path: "F", foreign: false },
    "F belongs to another user",
  ],
  [{ kind: "busy" }, "another program is writing that file; try again"],
  [{ kind: "not-locked" }, "it is not locked"],
  [{ kind: "not-created" }, "it cannot be created"],
  [{ kind: "as-asked" }, "it is to stay there"],
  [{ kind: "not-yet-on-disk" }, "the store has yet to write it to disk"],
  [{ kind: "in-memory" }, "the store has it in memory alone"],
  [{ kind: "new-not-yet-on-disk" }, "the store has yet to write the new one"],
];

for (const [obstacle, expected] of ROWS) {
  Deno.test(`describeObstacle() says in a clause: ${expected}`, () => {
    const clause = describeObstacle(obstacle);
    assertEquals(clause, expected);
    // It becomes part of a longer sentence on one line.
    assertMatch(clause, /^[^\n]*[^.\n]$/);
  });
}

for (
  const [fault, expected] of [
    [{ kind: "directory" }, "is a directory"],
    [{ kind: "link" }, "is a symbolic link: name the file itself"],
    [{ kind: "not-a-regular-file" }, "is not a regular file"],
    [{ kind: "no-folder" }, "cannot be created: its folder does not exist"],
    [{ kind: "denied" }, "cannot be created: its folder may not be written to"],
    [
      { kind: "no-space" },
      "cannot be written: there is no space left on its device",
    ],
    [{ kind: "failed", code: "EIO" }, "cannot be written (EIO)"],
  ] as const
) {
  Deno.test(`describeArchiveFault() says of a file: ${expected}`, () => {
    assertEquals(describeArchiveFault(fault), expected);
  });
}
