import { assertEquals } from "@std/assert";
import type { Reason } from "../../src/tokens/reason.ts";
import { describeReason } from "../../src/cli/words.ts";

const ROWS: readonly (readonly [Reason, string])[] = [
  [
    { code: "not-durable" },
    "the store has it for this URL in memory alone, and keeps the other item",
  ],
  [
    { code: "not-yet-on-disk", detail: "sparse+https://old.example/" },
    "the store has it for this URL, and writes it to disk later; the item of " +
    "sparse+https://old.example/ goes when this command is run again",
  ],
  [
    {
      code: "ci",
      obstacle: { kind: "not", reason: "ci", byHand: true },
    },
    "`CI` is set, and what a job was given stays where it was put; " +
    "`cargo-credential-keyring migrate --registry corp` moves it",
  ],
  [
    {
      code: "not-ours",
      obstacle: { kind: "not", reason: "not-ours", path: "F", byHand: false },
    },
    "F belongs to another user, who has another keyring; run cargo as that " +
    "user",
  ],
  [
    {
      code: "plaintext-keyring",
      obstacle: {
        kind: "not",
        reason: "plaintext-keyring",
        storeTitle: "the store",
        byHand: false,
      },
    },
    "the default keyring of the store has no password and is a plaintext " +
    "file itself; give it a password, for instance with Seahorse",
  ],
  [
    { code: "plaintext-keyring" },
    "to the store, but the default keyring of the store has no password and " +
    "is a PLAINTEXT file itself; give it one, for instance with Seahorse",
  ],
  [
    {
      code: "not-edited",
      obstacle: { kind: "failed", reason: "read-only" },
    },
    "the file was not changed: its file system is read-only",
  ],
  [
    {
      code: "file-unusable",
      obstacle: { kind: "unusable", reason: "malformed", line: 2 },
    },
    "the file: it is not valid TOML (line 2)",
  ],
  [
    {
      code: "not-asked",
      obstacle: {
        kind: "not-listed",
        where: undefined,
        instead: ["cargo:token"],
      },
    },
    "cargo does not ask this program for it: it asks cargo:token; " +
    "`cargo-credential-keyring setup` lists it",
  ],
  [
    { code: "bound-otherwise", detail: "https://b.example/, too (b)" },
    "your own configuration binds the name to https://b.example/, too (b), " +
    "and cargo might send it the token; keep one of the two",
  ],
  [
    { code: "locked", detail: "the keyring is locked. Unlock it." },
    "the keyring is locked. Unlock it",
  ],
];

for (const [reason, expected] of ROWS) {
  Deno.test(`describeReason() words ${reason.code}: ${expected}`, () => {
    const about = { name: "corp", store: "the store", file: "the file" };
    assertEquals(describeReason(reason, about), expected);
  });
}
