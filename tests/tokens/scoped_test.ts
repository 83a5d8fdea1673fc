import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import type { Operation } from "../../src/protocol/messages.ts";
import {
  describeGrant,
  expiryOf,
  type Grant,
  isDate,
  narrowest,
  parseScopedUrl,
  scopedUrl,
  SCOPES,
  serves,
} from "../../src/tokens/scoped.ts";

const ALL: Grant = { scopes: SCOPES, crates: [] };
const NEW: Grant = { scopes: ["publish-new"], crates: [] };
const UPDATE: Grant = { scopes: ["publish-update"], crates: [] };
const BOTH: Grant = { scopes: ["publish-new", "publish-update"], crates: [] };
const YANK: Grant = { scopes: ["yank"], crates: ["foo"] };
const OWNERS: Grant = { scopes: ["change-owners"], crates: ["foo-*", "bar"] };

function publish(name = "foo"): Operation {
  return { kind: "publish", name, vers: "1.0.0", cksum: "00" };
}
function yank(name = "foo"): Operation {
  return { kind: "yank", name, vers: "1.0.0" };
}

Deno.test("serves()", () => {
  const rows: [Grant, Operation, boolean][] = [
    [NEW, publish(), true],
    [UPDATE, publish(), true],
    [YANK, publish(), false],
    [{ ...UPDATE, crates: ["bar"] }, publish(), false],
    [{ ...UPDATE, crates: ["FOO_*"] }, publish("foo-x"), true],
    [YANK, yank(), true],
    [YANK, { kind: "unyank", name: "foo", vers: "1.0.0" }, true],
    [YANK, yank("foo-x"), false],
    [UPDATE, yank(), false],
    [OWNERS, { kind: "owners", name: "foo-x" }, true],
    [OWNERS, { kind: "owners", name: "bar" }, true],
    [OWNERS, { kind: "owners", name: "foo" }, false],
    [YANK, { kind: "read" }, true],
    [ALL, { kind: "unknown" }, false],
  ];
  for (const [grant, operation, expected] of rows) {
    assertEquals(
      serves(grant, operation),
      expected,
      `${describeGrant(grant)}: ${JSON.stringify(operation)}`,
    );
  }
});

Deno.test("narrowest() puts the narrowest first", () => {
  const rows: [string, Operation, Grant[]][] = [
    ["by crate", publish("foo-x"), [
      { ...UPDATE, crates: ["foo-x"] },
      { ...UPDATE, crates: ["foo-*"] },
      { ...BOTH, crates: ["f*"] },
      BOTH,
    ]],
    ["by what is sure", publish(), [BOTH, UPDATE, NEW]],
    ["by what else it may", yank(), [YANK, {
      scopes: ["yank", "change-owners"],
      crates: ["foo"],
    }]],
    ["by its end", publish(), [
      { ...BOTH, expires: "2027-01-01" },
      { ...BOTH, expires: "2027-02-01" },
      BOTH,
    ]],
  ];
  for (const [name, operation, expected] of rows) {
    const tokens = expected.map((grant) => ({ grant }));
    assertEquals(narrowest(tokens.toReversed(), operation), tokens, name);
    assertEquals(narrowest(tokens, operation), tokens, name);
  }
  assertEquals(narrowest([{ grant: YANK }], publish()), []);
});

Deno.test("expiryOf() tells the days of UTC", () => {
  const now = Date.parse("2026-11-25T23:59:59Z");
  const rows: [string | undefined, string][] = [
    [undefined, "valid"],
    ["2026-11-24", "expired"],
    ["2026-11-25", "soon"],
    ["2026-12-09", "soon"],
    ["2026-12-10", "valid"],
  ];
  for (const [expires, expected] of rows) {
    const grant = expires === undefined ? ALL : { ...ALL, expires };
    assertEquals(expiryOf(grant, now), expected, expires);
  }
});

Deno.test("isDate()", () => {
  const days = ["2027-02-01", "2028-02-29"];
  const others = ["2027-02-29", "2027-2-1", "2027-13-01", "", "9"];
  assertEquals(days.filter(isDate), days);
  assertEquals(others.filter(isDate), []);
});

Deno.test("parseScopedUrl() reads what scopedUrl() writes", () => {
  const grants = fc.record({
    scopes: fc.subarray([...SCOPES], { minLength: 1 }),
    crates: fc.uniqueArray(
      fc.stringMatching(/^[a-z][a-z0-9_-]{0,9}\*?$/),
      { maxLength: 3 },
    ),
    expires: fc.option(fc.constantFrom("2027-02-01", "2030-12-31"), {
      nil: undefined,
    }),
  });
  fc.assert(
    fc.property(
      grants,
      fc.constantFrom(CRATES_IO_INDEX, "sparse+https://a.example/i/"),
      ({ scopes, crates, expires }, indexUrl) => {
        const grant: Grant = {
          scopes,
          crates,
          ...(expires === undefined ? {} : { expires }),
        };
        assertEquals(parseScopedUrl(scopedUrl(indexUrl, grant)), {
          indexUrl,
          grant,
        });
      },
    ),
    { seed: 12 },
  );
});

Deno.test("parseScopedUrl() guesses nothing", () => {
  const mark = "#cargo-credential-keyring:";
  for (
    const words of [
      "",
      "everything",
      "yank,everything",
      "yank;for=bob",
      "yank;crates=",
      "yank;crates=../x",
      "yank;expires=soon",
      "yank;expires=2027-02-01;crates=a",
    ]
  ) {
    assertEquals(
      parseScopedUrl(`${CRATES_IO_INDEX}${mark}${words}`),
      undefined,
    );
  }
  assertEquals(parseScopedUrl(CRATES_IO_INDEX), undefined);
});

Deno.test("describeGrant()", () => {
  assertEquals(
    describeGrant({
      scopes: ["publish-update", "yank"],
      crates: ["bar", "foo-*"],
      expires: "2027-02-01",
    }),
    "publish-update and yank of bar and foo-*, until 2027-02-01",
  );
  assertEquals(describeGrant(NEW), "publish-new");
});
