import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parse } from "smol-toml";
import {
  type CredentialsTable,
  findAllTokens,
  findToken,
  tokensToRemove,
} from "../../src/credentials/file.ts";
import { insertToken, removeToken } from "../../src/credentials/safe_edit.ts";
import { removalEdits } from "../../src/credentials/edit.ts";
import { loadTomlParser, type TextRange } from "../../src/toml/document.ts";
import {
  PAGE_BYTES,
  type WriteStep,
} from "../../src/credentials/write_plan.ts";
import {
  credentialsFile,
  resultOf,
  statesOf,
  validToken,
} from "./credentials_support.ts";

const toml = await loadTomlParser();

/** Steps of an edit that must have some. */
function stepsOf(
  edit: ReturnType<typeof removeToken>,
): readonly WriteStep[] {
  assert(edit.kind === "steps", `no steps: ${JSON.stringify(edit)}`);
  return edit.steps;
}

function removed(text: string, ...table: string[]): string {
  const steps = stepsOf(removeToken(toml, toml.locate(text), tableOf(table)));
  return resultOf(text, steps);
}

function inserted(text: string, table: string[], token: string): string {
  const document = toml.locate(text);
  const steps = stepsOf(insertToken(toml, document, tableOf(table), token));
  return resultOf(text, steps);
}

function tableOf(parts: readonly string[]): CredentialsTable {
  const [top, name] = parts;
  return top === "registry" || name === undefined
    ? ["registry"]
    : ["registries", name];
}

/** All values of a file, by smol-toml, each with its path; no empty tables. */
function leaves(text: string): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const visit = (value: unknown, path: string[]): void => {
    if (
      typeof value === "object" && value !== null && !Array.isArray(value) &&
      !(value instanceof Date)
    ) {
      for (const [key, inner] of Object.entries(value)) {
        visit(inner, [...path, key]);
      }
    } else {
      found.set(JSON.stringify(path), value);
    }
  };
  visit(parse(text.replace(/^\ufeff/, "")), []);
  return found;
}

/** All tokens of a file as cargo reads them, by smol-toml. */
function tokensIn(text: string): Map<string, unknown> {
  const all = leaves(text);
  const tokens = new Map<string, unknown>();
  const hasRegistry = Object.hasOwn(
    parse(text.replace(/^\ufeff/, "")),
    "registry",
  );
  for (const [path, value] of all) {
    const parts: unknown = JSON.parse(path);
    if (!Array.isArray(parts) || parts.at(-1) !== "token") continue;
    if (parts.length === 1 && hasRegistry) continue;
    const table = parts.length === 1 ? ["registry"] : parts.slice(0, -1);
    tokens.set(JSON.stringify(table), value);
  }
  return tokens;
}

/** A text without the ranges, or with spaces in their place. */
function without(
  text: string,
  ranges: readonly TextRange[],
  blank: boolean,
): string {
  let result = "";
  let at = 0;
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, start);
    if (blank) {
      for (const character of text.slice(start, end)) {
        const width = new TextEncoder().encode(character).length;
        result += /[\r\n]/.test(character) ? character : " ".repeat(width);
      }
    }
    at = end;
  }
  return result + text.slice(at);
}

function staysOnPage(step: WriteStep): boolean {
  if (step.kind === "truncate" || step.bytes.length === 0) return true;
  const page = (offset: number): number => Math.floor(offset / PAGE_BYTES);
  return page(step.offset) === page(step.offset + step.bytes.length - 1);
}

const REMOVALS: [
  name: string,
  table: string[],
  before: string,
  after: string,
][] = [
  [
    "a registry's table",
    ["registry"],
    '# mine\n[registry]\ntoken = "abc" # old\n\n[registries.a]\ntoken = "d"\n',
    '# mine\n[registry]\n\n[registries.a]\ntoken = "d"\n',
  ],
  [
    "a legacy token",
    ["registry"],
    'token = "abc"\n[net]\na = 1\n',
    "[net]\na = 1\n",
  ],
  [
    "a token above which a dead one lies",
    ["registry"],
    'token = "old"\n[registry]\ntoken = "abc"\n',
    "[registry]\n",
  ],
  [
    "a dotted token above which one would come to life",
    ["registry"],
    'token = "old"\nregistry.token = "abc"\n',
    "",
  ],
  [
    "one of several registries",
    ["registries", "b"],
    '[registries.a]\ntoken = "1"\n[registries.b]\ntoken = "2"\n[registries.c]\ntoken = "3"\n',
    '[registries.a]\ntoken = "1"\n[registries.b]\n[registries.c]\ntoken = "3"\n',
  ],
  [
    "a secret key's neighbour",
    ["registries", "a"],
    "[registries.a]\nsecret-key = 'k3'\ntoken='abc'\nsecret-key-subject = 's'\n",
    "[registries.a]\nsecret-key = 'k3'\nsecret-key-subject = 's'\n",
  ],
  [
    "a quoted name with CRLF and a byte order mark",
    ["registries", "a b"],
    '\ufeff"registries"."a b".token = "x"\r\n# keep\r\n',
    "\ufeff# keep\r\n",
  ],
  [
    "the first of an inline table",
    ["registries", "a"],
    '[registries]\na = { token = "x", index = "y" } # c\n',
    '[registries]\na = { index = "y" } # c\n',
  ],
  [
    "the last of an inline table",
    ["registries", "a"],
    'registries.a = {index="y",token="x"}\n',
    'registries.a = {index="y"}\n',
  ],
  [
    "the only one of an inline table",
    ["registry"],
    'registry = { token = "x" }\n',
    "registry = { }\n",
  ],
  [
    "one in nested inline tables",
    ["registries", "a"],
    'registries = { a = { token = "x" }, b = { token = "y" } }\n',
    'registries = { a = { }, b = { token = "y" } }\n',
  ],
  [
    "one in an inline table over several lines",
    ["registry"],
    'registry = {\n  token = "x", # one\n  default = "y", # two\n}\n',
    'registry = {\n   # one\n  default = "y", # two\n}\n',
  ],
  [
    "a string over several lines",
    ["registry"],
    '[registry]\ntoken = """\nabc\\\n   def"""\ndefault = "a"\n',
    '[registry]\ndefault = "a"\n',
  ],
  [
    "a last line without an end",
    ["registry"],
    '[registry]\ntoken = "x"',
    "[registry]",
  ],
  [
    "an escaped key",
    ["registry"],
    '[registry]\n"tok\\u0065n" = "x"\n',
    "[registry]\n",
  ],
];

for (const [name, table, before, after] of REMOVALS) {
  Deno.test(`removeToken() removes ${name}`, () => {
    assertEquals(removed(before, ...table), after);
  });
}

Deno.test("removeToken() touches nothing where there is no token", () => {
  for (
    const text of [
      "",
      "# token\n",
      "[registry]\nsecret-key = 'x'\n",
      "[registry]\ntoken = 5\n",
      '[registries.my_reg]\ntoken = "x"\n',
      // Dead: `registry` is there.
      'token = "x"\n[registry]\n',
    ]
  ) {
    for (const table of [["registry"], ["registries", "my-reg"]]) {
      assertEquals(removeToken(toml, toml.locate(text), tableOf(table)), {
        kind: "unchanged",
      });
    }
  }
});

Deno.test("removeToken() leaves everything but the one key as it was", () => {
  fc.assert(
    fc.property(credentialsFile, ({ text }) => {
      const document = toml.locate(text);
      for (const { table } of findAllTokens(document)) {
        const edit = removeToken(toml, document, table);
        if (edit.kind === "refused") {
          assertEquals(edit.reason, "page-boundary");
          assert(text.length > PAGE_BYTES / 2, "refused a short file");
          continue;
        }
        const steps = stepsOf(edit);
        const after = resultOf(text, steps);
        const going = tokensToRemove(document, table);
        const edits = going.map(({ entry }) => removalEdits(document, entry));
        assert(
          after === without(text, edits.flatMap(({ cuts }) => cuts), false) ||
            after ===
              without(text, edits.flatMap(({ blanks }) => blanks), true),
        );
        const gone = new Set(
          going.map(({ entry }) => JSON.stringify(entry.path)),
        );
        const expected = [...leaves(text)].filter(([path]) => !gone.has(path));
        assertEquals([...leaves(after)].sort(), expected.sort());
        const others = [...tokensIn(text)]
          .filter(([path]) => path !== JSON.stringify(table));
        assertEquals([...tokensIn(after)].sort(), others.sort());
      }
    }),
    { seed: 3981, numRuns: 400 },
  );
});

Deno.test("removeToken() can be killed at any time", () => {
  fc.assert(
    fc.property(credentialsFile, ({ text }) => {
      const document = toml.locate(text);
      for (const { table } of findAllTokens(document)) {
        const edit = removeToken(toml, document, table);
        if (edit.kind !== "steps") continue;
        assert(edit.steps.every(staysOnPage), "a write crosses a page");
        const own = JSON.stringify(table);
        const before = tokensIn(text);
        const others = [...before].filter(([path]) => path !== own);
        for (const state of statesOf(text, edit.steps)) {
          const now = tokensIn(state);
          const value = now.get(own);
          assert(
            value === undefined || value === before.get(own),
            "half a token",
          );
          now.delete(own);
          assertEquals([...now].sort(), [...others].sort());
        }
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

Deno.test("removeToken() can be killed wherever the pages end", () => {
  const form =
    '[registry]\ntoken = "TOKEN-0123456789" # why\n\n[registries.a]\n' +
    'token = "A"\nsecret-key = "K"\n[registries.b]\nindex = "i"\n';
  const seen = new Set<number>();
  for (let shift = 0; shift < form.length + 2; shift++) {
    const head = `#${"x".repeat(PAGE_BYTES - 2 - shift)}\n`;
    const text = head + form;
    const edit = removeToken(toml, toml.locate(text), ["registry"]);
    const keyStart = head.length + "[registry]\n".length;
    const keyEnd = keyStart + 'token = "TOKEN-0123456789"'.length - 1;
    if (keyStart < PAGE_BYTES && keyEnd >= PAGE_BYTES) {
      // The key's own bytes lie on two pages.
      assertEquals(edit, { kind: "refused", reason: "page-boundary" });
      seen.add(0);
      continue;
    }
    const steps = stepsOf(edit);
    assert(steps.every(staysOnPage));
    seen.add(steps.length);
    const states = statesOf(text, steps);
    for (const state of states) {
      const tokens = tokensIn(state);
      assertEquals(tokens.get('["registries","a"]'), "A");
      assertEquals(leaves(state).get('["registries","a","secret-key"]'), "K");
      // Whole, or no piece of it.
      assert(
        tokens.get('["registry"]') === "TOKEN-0123456789" ||
          !/TOKEN|0123|789/.test(state),
      );
    }
    const last = states.at(-1) ?? "";
    assert(!/TOKEN|0123|789/.test(last));
    // Besides blanks, the removal is the same everywhere.
    assertEquals(
      last.slice(head.length).replace(/ # why/, "").replaceAll(/[ \n]/g, ""),
      form.replace('token = "TOKEN-0123456789" # why', "").replaceAll(
        /[ \n]/g,
        "",
      ),
    );
  }
  // Refused; one write of blanks; one write and a truncation.
  assertEquals([...seen].sort(), [0, 1, 2]);
});

Deno.test("removeToken() never lets a dead token live", () => {
  const text = 'token = "old"\nregistry.token = "new"\n' +
    `#${"x".repeat(PAGE_BYTES)}\n`;
  const steps = stepsOf(removeToken(toml, toml.locate(text), ["registry"]));
  const seen = statesOf(text, steps)
    .map((state) => tokensIn(state).get('["registry"]'));
  assertEquals(seen, ["new", "new", undefined]);
});

const INSERTIONS: [
  name: string,
  table: string[],
  before: string,
  after: string,
][] = [
  ["an empty file", ["registry"], "", '[registry]\ntoken = "T"\n'],
  [
    "a file with a byte order mark",
    ["registry"],
    "\ufeff",
    '\ufeff[registry]\ntoken = "T"\n',
  ],
  [
    "an emptied table",
    ["registry"],
    "[registry]\n\n[registries.a]\ntoken = 'x'\n",
    "[registry]\ntoken = \"T\"\n\n[registries.a]\ntoken = 'x'\n",
  ],
  [
    "a table with other keys",
    ["registries", "a"],
    "[registries.a]\nindex = 'x' # c\n# d\n[net]\n",
    "[registries.a]\nindex = 'x' # c\ntoken = \"T\"\n# d\n[net]\n",
  ],
  [
    "a file without the table",
    ["registries", "a"],
    "[registry]\r\ntoken = 'x'\r\n",
    "[registry]\r\ntoken = 'x'\r\n\r\n[registries.a]\r\ntoken = \"T\"\r\n",
  ],
  [
    "a file without a last line end",
    ["registries", "a b"],
    "# c",
    '# c\n\n[registries."a b"]\ntoken = "T"',
  ],
  [
    "a table without a last line end",
    ["registry"],
    "[registry]",
    '[registry]\ntoken = "T"',
  ],
  [
    "an inline table",
    ["registries", "a"],
    "registries.a = { index = 'x' }\n",
    "registries.a = { index = 'x', token = \"T\" }\n",
  ],
  [
    "an emptied inline table",
    ["registry"],
    "registry = { }\n",
    'registry = { token = "T" }\n',
  ],
  [
    "an outer inline table",
    ["registries", "a"],
    "registries = { b = { token = 'x' } }\n",
    "registries = { b = { token = 'x' }, a.token = \"T\" }\n",
  ],
  [
    "dotted keys",
    ["registries", "a"],
    "registries.a.index = 'x'\n[net]\n",
    "registries.a.index = 'x'\nregistries.a.token = \"T\"\n[net]\n",
  ],
  [
    "dotted keys under a header",
    ["registries", "a"],
    "[registries]\n'a'.index = 'x'\n[net]\n",
    "[registries]\n'a'.index = 'x'\n'a'.token = \"T\"\n[net]\n",
  ],
];

for (const [name, table, before, after] of INSERTIONS) {
  Deno.test(`insertToken() writes into ${name}`, () => {
    assertEquals(inserted(before, table, "T"), after);
  });
}

Deno.test("insertToken() refuses a table that has a token", () => {
  const document = toml.locate("[registry]\ntoken = 'x'\n");
  assertEquals(insertToken(toml, document, ["registry"], "T"), {
    kind: "refused",
    reason: "token-exists",
  });
});

Deno.test("insertToken() refuses a file that has no place for it", () => {
  for (
    const text of [
      "registry = 5\n",
      "[[registry]]\na = 1\n",
      "[registry]\ntoken = 5\n",
    ]
  ) {
    const edit = insertToken(toml, toml.locate(text), ["registry"], "T");
    assertEquals(edit, { kind: "refused", reason: "no-place" });
  }
});

Deno.test("insertToken() adds one key and can be killed at any time", () => {
  let refused = 0;
  fc.assert(
    fc.property(credentialsFile, validToken, ({ text }, token) => {
      const document = toml.locate(text);
      for (
        const table of [["registry"], ["registries", "my-reg"], [
          "registries",
          "a b",
        ]]
      ) {
        const at = tableOf(table);
        if (findToken(document, at) !== undefined) continue;
        const edit = insertToken(toml, document, at, token);
        if (edit.kind === "refused") {
          assertEquals(edit.reason, "page-boundary");
          refused += 1;
          continue;
        }
        const steps = stepsOf(edit);
        assert(steps.every(staysOnPage), "a write crosses a page");
        const path = JSON.stringify([...at, "token"]);
        const states = statesOf(text, steps);
        for (const state of states) {
          const now = leaves(state);
          const value = now.get(path);
          assert(value === undefined || value === token, "half a token");
          now.delete(path);
          assertEquals([...now].sort(), [...leaves(text)].sort());
        }
        const last = states.at(-1) ?? "";
        assertEquals(leaves(last).get(path), token);
        const tokens = new Map([...tokensIn(text), [
          JSON.stringify(at),
          token,
        ]]);
        assertEquals([...tokensIn(last)].sort(), [...tokens].sort());
      }
    }),
    { seed: 5, numRuns: 300 },
  );
  assert(refused < 30, `refused ${refused} times`);
});

Deno.test("insertToken() after removeToken() gives the tokens back", () => {
  fc.assert(
    fc.property(credentialsFile, ({ text }) => {
      const document = toml.locate(text);
      for (const { table, entry } of findAllTokens(document)) {
        // Parsers may read CRLF as LF; cargo sends no such token anyway.
        if (entry.string.includes("\n")) continue;
        const removal = removeToken(toml, document, table);
        if (removal.kind !== "steps") continue;
        const between = toml.locate(resultOf(text, removal.steps));
        const edit = insertToken(toml, between, table, entry.string);
        if (edit.kind !== "steps") {
          assertEquals(edit, { kind: "refused", reason: "page-boundary" });
          continue;
        }
        const after = resultOf(between.text, edit.steps);
        assertEquals([...tokensIn(after)].sort(), [...tokensIn(text)].sort());
      }
    }),
    { seed: 11, numRuns: 200 },
  );
});

/** Longer than a page, as those of Entra ID are. */
const LONG = `Bearer ${"eyJ0eXAiOiJKV1Qi.".repeat(360)}`;

/** Where a token longer than a page can be put, and its table. */
const LONG_PLACES: [name: string, table: string[], text: string][] = [
  ["no file", ["registries", "a"], ""],
  ["a byte order mark", ["registry"], "\ufeff"],
  ["a last line without an end", ["registries", "a b"], "# c"],
  ["other tables", ["registry"], '[registries.b]\ntoken = "B"\n'],
  ["CRLF", ["registries", "a"], '[registries.b]\r\ntoken = "B"\r\n'],
  ["an emptied table at the end", ["registries", "a"], "[registries.a]\n"],
  [
    "an emptied table",
    ["registries", "a"],
    '[registries.a]\n\n[registries.b]\ntoken = "B"\n',
  ],
  ["its table at the end", ["registry"], "[registry]\nindex = 'i' # c\n"],
  ["dotted keys", ["registries", "a"], "registries.a.index = 'i'\n"],
];

for (const [name, table, place] of LONG_PLACES) {
  Deno.test(`insertToken() writes a token longer than a page into ${name}, and can be killed`, () => {
    const at = tableOf(table);
    const key = JSON.stringify([...table, "token"]);
    const newline = place.includes("\r\n") ? "\r\n" : "\n";
    for (const filled of [-1, 0, 1, 40, 4050, 4070, 4090, 4096, 9000]) {
      const fill = filled < 0 ? "" : `#${"x".repeat(filled)}${newline}`;
      const text = place.replace(/^\ufeff?/, (bom) => bom + fill);
      const edit = insertToken(toml, toml.locate(text), at, LONG);
      const states = statesOf(text, stepsOf(edit));
      assert(stepsOf(edit).every(staysOnPage), "a write crosses a page");
      const expected = [...leaves(text)].sort();
      for (const state of states) {
        const now = leaves(state);
        const isDone = state === states.at(-1);
        assertEquals(now.get(key), isDone ? LONG : undefined);
        now.delete(key);
        assertEquals([...now].sort(), expected);
        if (isDone) continue;
        // Killed here: the next one begins without what was left.
        const again = insertToken(toml, toml.locate(state), at, LONG);
        const steps = stepsOf(again);
        assert(statesOf(state, steps).every((each) => leaves(each)));
        const result = resultOf(state, steps);
        assertEquals(leaves(result).get(key), LONG);
        assertEquals(result.split("eyJ0").length, LONG.split("eyJ0").length);
      }
      // At the end of the file it can be removed again.
      const written = toml.locate(states.at(-1) ?? "");
      const removal = stepsOf(removeToken(toml, written, at));
      const after = resultOf(written.text, removal);
      assert(!after.includes("eyJ0"));
      assertEquals([...leaves(after)].sort(), expected);
    }
  });
}

Deno.test("removeToken() removes what an insertion that was killed has left", () => {
  const text = '[registry]\ntoken = "abc"\n\n' +
    '#registries.a]\n#oken = "eyJ0';
  const edit = removeToken(toml, toml.locate(text), ["registry"]);
  assertEquals(resultOf(text, stepsOf(edit)), "[registry]\n\n");
  const mine = '[registry]\ntoken = "abc"\n#token = "mine"\n#[registry]\n';
  const kept = removeToken(toml, toml.locate(mine), ["registry"]);
  assertEquals(
    resultOf(mine, stepsOf(kept)),
    '[registry]\n#token = "mine"\n#[registry]\n',
  );
});

Deno.test("insertToken() and removeToken() say that a token is longer than a page", () => {
  const refused = { kind: "refused", reason: "longer-than-a-page" } as const;
  const between = "[registry]\nindex = 'i'\n[registries.b]\ntoken = \"B\"\n";
  assertEquals(
    insertToken(toml, toml.locate(between), ["registry"], LONG),
    refused,
  );
  const above = `[registry]\ntoken = "${LONG}"\n[net]\nx = 1\n`;
  assertEquals(removeToken(toml, toml.locate(above), ["registry"]), refused);
});

Deno.test("insertToken() puts back every token of a file of many pages", () => {
  let text = "# many\n";
  for (let i = 0; i < 300; i++) {
    text += `\n[registries.reg-${i}]\ntoken = "token-${i}-0123456789abcdef"\n`;
  }
  const original = tokensIn(text);
  for (let i = 0; i < 300; i += 7) {
    text = removed(text, "registries", `reg-${i}`);
  }
  for (let i = 0; i < 300; i += 7) {
    text = inserted(
      text,
      ["registries", `reg-${i}`],
      `token-${i}-0123456789abcdef`,
    );
  }
  assertEquals([...tokensIn(text)].sort(), [...original].sort());
});
