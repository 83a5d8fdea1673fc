import { assertEquals } from "@std/assert";
import type { ConfigLayers } from "../../src/cargo/config.ts";
import { environmentToken } from "../../src/cargo/environment_token.ts";
import type { Environment } from "../../src/cargo/home.ts";
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
    const line = found.kind === "none"
      ? "none"
      : found.kind === "empty"
      ? `${found.variable} empty`
      : `${found.variable}=${found.token.reveal()}`;
    assertEquals([line, loaded], [expected, loads]);
  });
}
