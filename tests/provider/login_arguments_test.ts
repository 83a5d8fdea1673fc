import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseLoginArguments } from "../../src/provider/login_arguments.ts";
import { describeWrongArguments } from "../../src/provider/login_words.ts";
import { type Grant, SCOPES } from "../../src/tokens/scoped.ts";

const NOW = Date.parse("2026-11-25T17:00:00Z");
const TOKEN = "cioPLANTED";

for (
  const [args, grant] of [
    ["--scope yank", { scopes: ["yank"], crates: [] }],
    [
      "--scope publish-update,publish-new --crate foo-* --expires 2027-02-01",
      {
        scopes: ["publish-new", "publish-update"],
        crates: ["foo-*"],
        expires: "2027-02-01",
      },
    ],
    [
      "--scope=yank --scope=change-owners --crate=b,a --crate a --expires=90",
      {
        scopes: ["yank", "change-owners"],
        crates: ["a", "b"],
        expires: "2027-02-23",
      },
    ],
    ["--expires 2026-11-25", {
      scopes: SCOPES,
      crates: [],
      expires: "2026-11-25",
    }],
    ["--crate *,foo", { scopes: SCOPES, crates: [] }],
  ] as [string, Grant][]
) {
  Deno.test(`parseLoginArguments() reads ${args}`, () => {
    assertEquals(
      parseLoginArguments(args.split(" "), NOW),
      { kind: "scoped", grant },
    );
  });
}

Deno.test("parseLoginArguments() reads what is no scope", () => {
  assertEquals(parseLoginArguments([], NOW), { kind: "own" });
  assertEquals(
    parseLoginArguments(["--migrate-to-keyring"], NOW),
    { kind: "migrate" },
  );
});

for (
  const [args, words] of [
    [TOKEN, "standard input"],
    [`--token ${TOKEN}`, "standard input"],
    [`--scope yank ${TOKEN}`, "standard input"],
    ["--migrate-to-keyring --scope yank", "standard input"],
    ["--scope", "standard input"],
    ["--scope=", "standard input"],
    [`--scope yank,${TOKEN}`, "the scopes are publish-new"],
    ["--scope trusted-publishing", "cargo never asks for one"],
    ["--crate ../x", "name of a crate"],
    ["--crate foo*bar", "name of a crate"],
    ["--crate a;expires=2099-01-01", "name of a crate"],
    ["--expires 2026-11-24", "a day to come"],
    ["--expires 2027-02-30", "a day to come"],
    ["--expires 0", "a day to come"],
    ["--expires 3651", "a day to come"],
    ["--expires 1 --expires 2", "a day to come"],
    [`--expires ${TOKEN}`, "a day to come"],
  ] as const
) {
  Deno.test(`parseLoginArguments() refuses ${args}`, () => {
    const parsed = parseLoginArguments(args.split(" "), NOW);
    assert(parsed.kind === "wrong");
    assertStringIncludes(describeWrongArguments(parsed.fault), words);
    assert(!Deno.inspect(parsed).includes(TOKEN));
  });
}
