import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { Secret } from "../../src/base/secret.ts";
import {
  type ArchivedToken,
  formatArchive,
  parseArchive,
  type ParsedArchive,
} from "../../src/tokens/archive.ts";

const ALT = "sparse+https://alt.example/index/";

function parse(value: unknown): ParsedArchive {
  return parseArchive(new TextEncoder().encode(JSON.stringify(value)));
}

function archive(tokens: unknown): unknown {
  return { format: "cargo-credential-keyring", version: 1, tokens };
}

Deno.test("formatArchive() writes the documented JSON", () => {
  const bytes = formatArchive([
    {
      indexUrl: CRATES_IO_INDEX,
      name: "crates-io",
      token: Secret.fromString("one"),
    },
    { indexUrl: ALT, token: Secret.fromString("two") },
  ]);
  assertEquals(JSON.parse(new TextDecoder().decode(bytes)), {
    format: "cargo-credential-keyring",
    version: 1,
    tokens: [
      { index_url: CRATES_IO_INDEX, registry: "crates-io", token: "one" },
      { index_url: ALT, registry: null, token: "two" },
    ],
  });
});

Deno.test("parseArchive() reads back what formatArchive() wrote", () => {
  const entry = fc.record({
    indexUrl: fc.webUrl().map((url) => new URL(url).href),
    name: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    token: fc.string({ minLength: 1 }).filter((text) =>
      /^[\t\x20-\x7e]+$/.test(text)
    ),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: ({ indexUrl }) => indexUrl }),
      (entries) => {
        const tokens = entries.map(({ indexUrl, name, token }) => ({
          indexUrl,
          ...(name === undefined ? {} : { name }),
          token: Secret.fromString(token),
        }));
        const parsed = parseArchive(formatArchive(tokens));
        assertEquals(parsed.kind, "tokens");
        assert(parsed.kind === "tokens");
        const reveal = (token: ArchivedToken): unknown => ({
          ...token,
          token: token.token.reveal(),
        });
        assertEquals(parsed.tokens.map(reveal), tokens.map(reveal));
      },
    ),
    { seed: 11 },
  );
});

Deno.test("parseArchive() takes keys that a later version of the program adds", () => {
  const parsed = parse({
    ...(archive([
      { index_url: ALT, registry: "alt", token: "t", note: "x" },
    ]) as object),
    written_by: "0.9.0",
  });
  assertEquals(parsed.kind, "tokens");
});

Deno.test("parseArchive() says what is wrong, and never shows it", async (t) => {
  const good = { index_url: ALT, registry: "alt", token: "planted" };
  const cases: readonly [string, unknown, ParsedArchive][] = [
    ["another JSON", { tokens: [] }, { kind: "not-an-archive" }],
    ["a list", [], { kind: "not-an-archive" }],
    ["no tokens", archive(undefined), { kind: "not-an-archive" }],
    ["a later form", { ...(archive([]) as object), version: 3 }, {
      kind: "newer",
      version: 3,
    }],
    ["an entry that is text", archive([good, "planted"]), {
      kind: "wrong-entry",
      entry: 2,
      reason: "no-object",
    }],
    [
      "a URL that cargo would write in another way",
      archive([{ ...good, index_url: "https://X.example/a/../b" }]),
      { kind: "wrong-entry", entry: 1, reason: "index-url" },
    ],
    ["an empty name", archive([{ ...good, registry: "" }]), {
      kind: "wrong-entry",
      entry: 1,
      reason: "registry",
    }],
    ["an empty token", archive([{ ...good, token: "" }]), {
      kind: "wrong-entry",
      entry: 1,
      reason: "token",
    }],
    ["a token of two lines", archive([{ ...good, token: "a\nb" }]), {
      kind: "wrong-entry",
      entry: 1,
      reason: "token",
    }],
    ["two tokens for one URL", archive([good, good]), {
      kind: "wrong-entry",
      entry: 2,
      reason: "duplicate",
    }],
  ];
  for (const [name, value, expected] of cases) {
    await t.step(name, () => assertEquals(parse(value), expected));
  }
  await t.step("no JSON", () => {
    for (const bytes of [[], [0x7b], [0xff, 0xfe]]) {
      assertEquals(parseArchive(new Uint8Array(bytes)), {
        kind: "not-an-archive",
      });
    }
  });
});

const SCOPED: ArchivedToken = {
  indexUrl: ALT,
  name: "alt",
  grant: { scopes: ["yank"], crates: ["foo-*"], expires: "2027-02-01" },
  token: Secret.fromString("three"),
};

Deno.test("formatArchive() keeps what a token is good for", () => {
  const own = { indexUrl: ALT, token: Secret.fromString("two") };
  const { grant: _, ...unscoped } = SCOPED;
  const lasting = {
    ...unscoped,
    grant: { scopes: ["yank"], crates: [] },
  } as const;
  const bytes = formatArchive([own, SCOPED, lasting]);
  const written = JSON.parse(new TextDecoder().decode(bytes));
  assertEquals(written.version, 2);
  assertEquals(written.tokens[1], {
    index_url: ALT,
    registry: "alt",
    scopes: ["yank"],
    crates: ["foo-*"],
    expires: "2027-02-01",
    token: "three",
  });
  const parsed = parseArchive(bytes);
  assert(parsed.kind === "tokens");
  assertEquals(
    parsed.tokens.map(({ grant }) => grant),
    [undefined, SCOPED.grant, lasting.grant],
  );
});

Deno.test("parseArchive() guesses no scopes", () => {
  const entry = {
    index_url: ALT,
    token: "t",
    scopes: ["yank"],
    crates: [],
    expires: null,
  };
  for (
    const wrong of [
      { scopes: [] },
      { scopes: "yank" },
      { scopes: null },
      { scopes: ["yank", "all"] },
      { crates: ["../x"] },
      { crates: undefined },
      { expires: "soon" },
      { expires: 3 },
    ]
  ) {
    assertEquals(parse(archive([{ ...entry, ...wrong }])), {
      kind: "wrong-entry",
      entry: 1,
      reason: "scopes",
    });
  }
  assertEquals(parse(archive([entry, entry])), {
    kind: "wrong-entry",
    entry: 2,
    reason: "duplicate",
  });
});
