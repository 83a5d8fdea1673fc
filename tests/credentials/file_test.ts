import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ConfigLayers } from "../../src/cargo/config.ts";
import type { Environment } from "../../src/cargo/home.ts";
import {
  type CredentialsTable,
  findAllTokens,
  findPlaintext,
  findToken,
  readPlaintext,
} from "../../src/credentials/file.ts";
import { credentialsTables } from "../../src/credentials/place.ts";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { loadTomlParser } from "../../src/toml/document.ts";
import { credentialsFile } from "./credentials_support.ts";
import { onlyOn } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);

const toml = await loadTomlParser();
const CRATES_IO = ["registry"] as const;
const ALT = ["registries", "alt"] as const;

function layersOf(
  values: ConfigLayers["files"][number]["values"],
): ConfigLayers {
  return {
    environment: {},
    files: [{ layer: "user", path: "/home/.cargo/config.toml", values }],
    problems: [],
  };
}

const FOUND: [
  text: string,
  table: CredentialsTable,
  token: string | undefined,
][] = [
  ['[registry]\ntoken = "a"\n', CRATES_IO, "a"],
  ['token = "a"\n', CRATES_IO, "a"],
  ['\ufefftoken = "a"\r\n[net]\r\n', CRATES_IO, "a"],
  ['token = "a"\n[registry]\n', CRATES_IO, undefined],
  ['token = "a"\n[registry]\ndefault = "x"\n', CRATES_IO, undefined],
  ['token = "a"\nregistry.default = "x"\n', CRATES_IO, undefined],
  ['token = "a"\nregistry = {}\n', CRATES_IO, undefined],
  ['token = "a"\nregistry = "x"\n', CRATES_IO, undefined],
  ['token = "a"\n[registry.x]\n', CRATES_IO, undefined],
  ['token = "a"\n[registry]\ntoken = "b"\n', CRATES_IO, "b"],
  ['token = "a"\n[registries.alt]\ntoken = "b"\n', CRATES_IO, "a"],
  ['[registries.alt]\ntoken = "a"\n', ALT, "a"],
  ['[registries."alt"]\n"token" = \'a\'\n', ALT, "a"],
  ['registries.alt.token = "a"\n', ALT, "a"],
  ['registries = { alt = { token = "a" } }\n', ALT, "a"],
  ['[registries]\nalt.token = "a"\n', ALT, "a"],
  ['[registries]\nalt = { token = "a" }\n', ALT, "a"],
  ['[registries.alt]\n"tok\\u0065n" = "\\u0061"\n', ALT, "a"],
  ["[registries.alt]\ntoken = '''\na'''\n", ALT, "a"],
  ['[registries.alt-2]\ntoken = "a"\n', ALT, undefined],
  ['[registries.Alt]\ntoken = "a"\n', ALT, undefined],
  ['[registries.alt]\n# token = "a"\nsecret-key = "token"\n', ALT, undefined],
  ["[registries.alt]\ntoken = 5\n", ALT, undefined],
  ['[registries.alt.b]\ntoken = "a"\n', ["registries", "alt.b"], undefined],
  ['[registries."alt.b"]\ntoken = "a"\n', ["registries", "alt.b"], "a"],
  ['[registries.alt]\ntoken = ""\n', ALT, ""],
  [
    '[registries.alt]\nx = """\n[registry]\ntoken = "a"\n"""\n',
    CRATES_IO,
    undefined,
  ],
  ["", CRATES_IO, undefined],
];

for (const [text, table, token] of FOUND) {
  Deno.test(`findPlaintext() finds ${token} as ${table.join(".")} in ${JSON.stringify(text)}`, async () => {
    const outcome = await findPlaintext(text, [table]);
    assertEquals(
      outcome.kind === "found" ? outcome.token.reveal() : outcome.kind,
      token ?? "none",
    );
    assertEquals(findToken(toml.locate(text), table)?.entry.string, token);
  });
}

Deno.test("findPlaintext() looks into the tables in their order", async () => {
  const text =
    '[registries.my-reg]\ntoken = "a"\n[registries.my_reg]\ntoken = "b"\n';
  const outcome = await findPlaintext(text, [
    ["registries", "other"],
    ["registries", "my_reg"],
    ["registries", "my-reg"],
  ]);
  assert(outcome.kind === "found");
  assertEquals(outcome.table, ["registries", "my_reg"]);
  assertEquals(outcome.token.reveal(), "b");
});

Deno.test("findPlaintext() agrees with the parser on every file", async () => {
  const tables: CredentialsTable[] = [
    CRATES_IO,
    ...["alt", "my-reg", "my_reg", "a b", "registry", "x.y"]
      .map((name) => ["registries", name] as const),
  ];
  await fc.assert(
    fc.asyncProperty(credentialsFile, async ({ text }) => {
      const document = toml.locate(text);
      for (const table of tables) {
        const outcome = await findPlaintext(text, [table]);
        const found = outcome.kind === "found"
          ? outcome.token.reveal()
          : undefined;
        assertEquals(found, findToken(document, table)?.entry.string);
      }
    }),
    { seed: 2, numRuns: 300 },
  );
});

Deno.test("findAllTokens() lists what cargo reads, and nothing else", () => {
  const found = (text: string): string[] =>
    findAllTokens(toml.locate(text)).map(({ table, entry }) =>
      `${table.join("/")}=${entry.string}`
    );
  assertEquals(
    found(
      'token = "dead"\nregistries.a.token = "1"\n[registry]\ntoken = "0"\n' +
        '[registries."b c"]\ntoken = "2"\nsecret-key = "k"\n[registries.d]\n' +
        'index = "i"\n[registries.d.x]\ntoken = "no"\n[other]\ntoken = "no"\n',
    ),
    ["registry=0", "registries/a=1", "registries/b c=2"],
  );
  assertEquals(found('token = "old"\n'), ["registry=old"]);
});

links.test("readPlaintext() takes a file that is not there for one without tokens", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const none = { kind: "none" } as const;
    assertEquals(await readPlaintext(`${directory}/x`, [ALT]), none);
    await Deno.symlink("nowhere", `${directory}/y`);
    assertEquals(await readPlaintext(`${directory}/y`, [ALT]), none);
    await Deno.writeTextFile(`${directory}/z`, "");
    assertEquals(await readPlaintext(`${directory}/z/x`, [ALT]), none);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

const TABLES: [
  name: string,
  environment: Environment,
  request: { indexUrl: string; name?: string },
  tables: CredentialsTable[],
][] = [
  ["crates.io", {}, { indexUrl: CRATES_IO_INDEX, name: "crates-io" }, [[
    "registry",
  ]]],
  [
    "another registry that is called crates-io",
    {},
    { indexUrl: "sparse+https://a/", name: "crates-io" },
    [["registries", "crates-io"]],
  ],
  [
    "a name as it is spelled",
    {},
    { indexUrl: "sparse+https://a/", name: "My-Reg" },
    [["registries", "My-Reg"]],
  ],
  [
    "both spellings of a name that a variable binds",
    { CARGO_REGISTRIES_MY_REG_INDEX: "sparse+https://a/" },
    { indexUrl: "sparse+https://a/", name: "My-Reg" },
    [["registries", "my_reg"], ["registries", "My-Reg"]],
  ],
  [
    "the configured name of a URL without one",
    {},
    { indexUrl: "sparse+https://a/" },
    [["registries", "configured"]],
  ],
  [
    "nothing for a URL without a name",
    {},
    { indexUrl: "sparse+https://b/" },
    [],
  ],
];

for (const [name, environment, request, tables] of TABLES) {
  Deno.test(`credentialsTables() gives ${name}`, async () => {
    let loaded = 0;
    const load = (): Promise<ConfigLayers> => {
      loaded += 1;
      return Promise.resolve(
        layersOf({
          registries: { configured: { index: "sparse+https://a/" } },
        }),
      );
    };
    assertEquals(await credentialsTables(environment, request, load), tables);
    assertEquals(loaded, request.name === undefined ? 1 : 0);
  });
}
