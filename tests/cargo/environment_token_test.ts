import { assertEquals } from "@std/assert";
import type { ConfigLayers } from "../../src/cargo/config.ts";
import {
  type EnvironmentToken,
  environmentToken,
} from "../../src/cargo/environment_token.ts";
import type { Environment } from "../../src/cargo/home.ts";
import { describeTokenFileFault } from "../../src/cargo/token_file.ts";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";

const URL = "sparse+https://a.example/";
const CRATES_IO = { indexUrl: CRATES_IO_INDEX, name: "crates-io" };
const NAMED = { indexUrl: URL, name: "my-reg" };

const ROWS: [
  name: string,
  environment: Environment,
  request: { indexUrl: string; name?: string },
  configured: string | undefined,
  found: string,
  loads: number,
][] = [
  ["nothing", {}, NAMED, "my-reg", "none", 0],
  [
    "crates.io's variable",
    { CARGO_REGISTRY_TOKEN: "T" },
    CRATES_IO,
    undefined,
    "CARGO_REGISTRY_TOKEN=T",
    0,
  ],
  [
    "an empty one",
    { CARGO_REGISTRY_TOKEN: "" },
    CRATES_IO,
    undefined,
    "CARGO_REGISTRY_TOKEN empty",
    0,
  ],
  [
    "no variable by crates.io's name",
    { CARGO_REGISTRIES_CRATES_IO_TOKEN: "T" },
    CRATES_IO,
    undefined,
    "none",
    0,
  ],
  [
    "crates.io's variable for nobody else",
    { CARGO_REGISTRY_TOKEN: "T" },
    NAMED,
    undefined,
    "none",
    0,
  ],
  [
    "the configured name's",
    { CARGO_REGISTRIES_OTHER_TOKEN: "T", CARGO_REGISTRIES_MY_REG_TOKEN: "no" },
    NAMED,
    "other",
    "CARGO_REGISTRIES_OTHER_TOKEN=T",
    1,
  ],
  [
    "the name's that a variable binds",
    {
      CARGO_REGISTRIES_ENV_REG_INDEX: URL,
      CARGO_REGISTRIES_ENV_REG_TOKEN: "T",
      CARGO_REGISTRIES_OTHER_TOKEN: "no",
    },
    NAMED,
    "other",
    "CARGO_REGISTRIES_ENV_REG_TOKEN=T",
    0,
  ],
  [
    "none of another name's",
    {
      CARGO_REGISTRIES_ENV_REG_INDEX: URL,
      CARGO_REGISTRIES_MY_REG_TOKEN: "no",
    },
    NAMED,
    undefined,
    "none",
    0,
  ],
  [
    "the request's name's where nothing binds one",
    { CARGO_REGISTRIES_MY_REG_TOKEN: "T" },
    NAMED,
    undefined,
    "CARGO_REGISTRIES_MY_REG_TOKEN=T",
    1,
  ],
  [
    "an empty one of a name",
    { CARGO_REGISTRIES_MY_REG_TOKEN: "" },
    NAMED,
    undefined,
    "CARGO_REGISTRIES_MY_REG_TOKEN empty",
    1,
  ],
  [
    "none for a URL without a name",
    { CARGO_REGISTRIES_MY_REG_TOKEN: "T" },
    { indexUrl: URL },
    undefined,
    "none",
    1,
  ],
  [
    "the configured name's for a URL alone",
    { CARGO_REGISTRIES_MY_REG_TOKEN: "T" },
    { indexUrl: URL },
    "my_reg",
    "CARGO_REGISTRIES_MY_REG_TOKEN=T",
    1,
  ],
];

for (const [name, environment, request, configured, expected, loads] of ROWS) {
  Deno.test(`environmentToken() finds ${name}`, async () => {
    let loaded = 0;
    const load = (): Promise<ConfigLayers> => {
      loaded += 1;
      const registries = configured === undefined
        ? {}
        : { [configured]: { index: URL } };
      return Promise.resolve({
        environment,
        files: [{ layer: "user", path: "/c", values: { registries } }],
        problems: [],
      });
    };
    const found = await environmentToken(environment, request, load);
    assertEquals([lineOf(found), loaded], [expected, loads]);
  });
}

function lineOf(found: EnvironmentToken): string {
  switch (found.kind) {
    case "none":
      return "none";
    case "empty":
      return `${found.variable} empty`;
    case "token":
      return `${found.variable}=${found.token.reveal()}`;
    case "unusable":
      return `${found.variable} ${describeTokenFileFault(found.fault)}`;
  }
}

/**
 * What decides where several are set: the first one that is. `-` is not set,
 * `""` is set to nothing; a file `good` holds a token, `bad` none, `gone` is
 * not there.
 */
const PRECEDENCE: readonly (readonly [
  variable: string,
  file: string,
  credential: string,
  found: string,
])[] = [
  ["-", "-", "-", "none"],
  ["T", "-", "-", "TOKEN=T"],
  ["T", "good", "good", "TOKEN=T"],
  ["T", "bad", "bad", "TOKEN=T"],
  ['""', "-", "-", "TOKEN empty"],
  ['""', "good", "good", "TOKEN empty"],
  ["-", "good", "-", "FILE=in good"],
  ["-", "good", "bad", "FILE=in good"],
  ["-", "bad", "good", "FILE is empty"],
  ["-", "gone", "good", "FILE is not there"],
  ["-", '""', "-", "none"],
  ["-", '""', "good", "CREDENTIALS_DIRECTORY=in good"],
  ["-", "-", "good", "CREDENTIALS_DIRECTORY=in good"],
  ["-", "-", "bad", "CREDENTIALS_DIRECTORY is empty"],
  ["-", "-", "gone", "none"],
];

for (const [variable, file, credential, expected] of PRECEDENCE) {
  const row = `variable ${variable}, file ${file}, credential ${credential}`;
  Deno.test(`environmentToken() decides: ${row}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${folder}/good`, "in good\n");
      await Deno.writeTextFile(`${folder}/bad`, "");
      if (credential === "good" || credential === "bad") {
        for (const name of ["crates-io", "my-reg"]) {
          await Deno.copyFile(
            `${folder}/${credential}`,
            `${folder}/cargo-registry-${name}`,
          );
        }
      }
      const own = "CARGO_CREDENTIAL_KEYRING_TOKEN_FILE";
      const cases = [
        ["CARGO_REGISTRY_TOKEN", own, CRATES_IO],
        ["CARGO_REGISTRIES_MY_REG_TOKEN", `${own}_MY_REG`, NAMED],
      ] as const;
      for (const [token, tokenFile, request] of cases) {
        const named = file === '""' ? "" : `${folder}/${file}`;
        const environment: Environment = {
          ...(variable === "-" ? {} : {
            [token]: variable === '""' ? "" : variable,
          }),
          ...(file === "-" ? {} : { [tokenFile]: named }),
          ...(credential === "-" ? {} : { CREDENTIALS_DIRECTORY: folder }),
        };
        const found = await environmentToken(
          environment,
          request,
          () => Promise.resolve({ environment, files: [], problems: [] }),
        );
        assertEquals(
          lineOf(found).replace(tokenFile, "FILE").replace(token, "TOKEN"),
          expected,
        );
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("environmentToken() finds a credential by the spelling of its registry", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const find = async (
      more: Environment,
      request: { indexUrl: string; name?: string },
      configured: string,
    ): Promise<string> => {
      const environment = { CREDENTIALS_DIRECTORY: folder, ...more };
      const values = { registries: { [configured]: { index: URL } } };
      const layers: ConfigLayers = {
        environment,
        files: [{ layer: "user", path: "/c", values }],
        problems: [],
      };
      return lineOf(
        await environmentToken(
          environment,
          request,
          () => Promise.resolve(layers),
        ),
      );
    };
    await Deno.writeTextFile(`${folder}/cargo-registry-My-Reg`, "T");
    const found = "CREDENTIALS_DIRECTORY=T";
    const bound = { CARGO_REGISTRIES_MY_REG_INDEX: URL };
    const typed = { indexUrl: URL, name: "My-Reg" };
    assertEquals(await find({}, typed, "My-Reg"), found);
    assertEquals(await find({}, { indexUrl: URL }, "My-Reg"), found);
    assertEquals(await find(bound, typed, "other"), found);
    // Another registry's, whatever a request calls it.
    assertEquals(await find({}, typed, "other"), "none");
    // No name leads out of the folder.
    await Deno.mkdir(`${folder}/cargo-registry-x`);
    await Deno.writeTextFile(`${folder}/outside`, "T");
    assertEquals(await find({}, { indexUrl: URL }, "x/../outside"), "none");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
