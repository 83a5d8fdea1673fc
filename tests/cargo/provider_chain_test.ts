import { assert, assertEquals } from "@std/assert";
import type { ConfigLayers } from "../../src/cargo/config.ts";
import type { Environment } from "../../src/cargo/home.ts";
import {
  cargoTokenPlace,
  isThisProgram,
  providerChain,
  reachesUs,
} from "../../src/cargo/provider_chain.ts";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { toolchain } from "../support/cargo.ts";
import { shownPath, withCheckout } from "./config_support.ts";
import { onlyOn } from "../support/platform.ts";

const links = onlyOn("unix", "making links takes privileges on Windows");
const unix = onlyOn("unix", "another program of Unix takes part");

const CRATES_IO = { indexUrl: CRATES_IO_INDEX, name: "crates-io" };
const ALT_URL = "sparse+https://alt.example/";
const ALT = { indexUrl: ALT_URL, name: "alt" };

/** The chain in one line. */
function chainOf(layers: ConfigLayers, request = CRATES_IO): string {
  const { entries, source } = providerChain(layers, request);
  const programs = entries.map(({ program, args }) =>
    [program, ...args].join(" ")
  );
  return `${source}: ${programs.join(", ")}`;
}

Deno.test("providerChain() joins the lists of all layers, the last entry first", () =>
  withCheckout({
    "user/.cargo/config.toml":
      "include = ['i.toml']\n[registry]\nglobal-credential-providers = ['home1', 'home2 --x y']\n",
    "user/.cargo/i.toml":
      "[registry]\nglobal-credential-providers = ['included']\n",
    "checkout/.cargo/config.toml":
      "registry.global-credential-providers = ['proj1', 'proj2']\n",
    "checkout/project/.cargo/config.toml":
      "registry = { global-credential-providers = ['near'] }\n",
  }, async ({ load }) => {
    assertEquals(
      chainOf(
        await load({
          CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: " env1\tenv2 ",
        }),
      ),
      "global: env2, env1, near, proj2, proj1, home2 --x y, home1, included",
    );
  }));

const CHAINS: [
  name: string,
  files: Record<string, string>,
  environment: Environment,
  chain: string,
][] = [
  ["is cargo:token alone by default", {}, {}, "default: cargo:token"],
  [
    "is cargo:token alone for an empty list",
    {
      "user/.cargo/config.toml":
        "[registry]\nglobal-credential-providers = []\n",
    },
    { CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: "" },
    "default: cargo:token",
  ],
  [
    "is crates.io's own provider alone",
    {
      "user/.cargo/config.toml":
        "[registry]\ncredential-provider = 'one two'\nglobal-credential-providers = ['x']\n",
    },
    {},
    "registry: one two",
  ],
  [
    "takes no provider of a registry called crates-io for crates.io's",
    {
      "user/.cargo/config.toml":
        "[registries.crates-io]\ncredential-provider = 'no'\n",
    },
    {},
    "default: cargo:token",
  ],
  [
    "takes the nearest own provider, with its arguments",
    {
      "user/.cargo/config.toml":
        "[registry]\ncredential-provider = ['h', 'a b']\n",
      "checkout/.cargo/config.toml":
        "[registry]\ncredential-provider = ['p', 'c d']\n",
    },
    {},
    "registry: p c d",
  ],
  [
    "takes the environment's own provider before any file's",
    {
      "checkout/.cargo/config.toml": "[registry]\ncredential-provider = 'p'\n",
    },
    { CARGO_REGISTRY_CREDENTIAL_PROVIDER: "env --x" },
    "registry: env --x",
  ],
  [
    "resolves an alias once, and only without arguments",
    {
      "user/.cargo/config.toml": "[registry]\n" +
        "global-credential-providers = ['kr more', 'two', 'kr', 'cargo:token']\n" +
        "[credential-alias]\nkr = ['/pa th/kr', '--x']\ntwo = 'kr'\n" +
        "'cargo:token' = 'shadow'\n",
    },
    {},
    "global: cargo:token, /pa th/kr --x, kr, kr more",
  ],
  [
    "resolves an alias of the environment",
    {
      "user/.cargo/config.toml":
        "[registry]\nglobal-credential-providers = ['k-r']\n[credential-alias]\nk-r = 'file'\n",
    },
    { CARGO_CREDENTIAL_ALIAS_K_R: "env a" },
    "global: env a",
  ],
  [
    "ends with what the credentials file lists",
    {
      "user/.cargo/config.toml":
        "[registry]\nglobal-credential-providers = ['home']\n",
      "checkout/.cargo/config.toml":
        "[registry]\nglobal-credential-providers = ['proj']\n",
      "user/.cargo/credentials.toml":
        "[registry]\nglobal-credential-providers = ['cred']\n",
    },
    {},
    "global: cred, proj, home",
  ],
];

for (const [name, files, environment, chain] of CHAINS) {
  Deno.test(`providerChain() ${name}`, () =>
    withCheckout(files, async ({ load }) => {
      assertEquals(chainOf(await load(environment)), chain);
    }));
}

Deno.test("providerChain() finds a registry's own provider by its URL", () =>
  withCheckout({
    "user/.cargo/config.toml":
      `[registries.corp]\nindex = "${ALT_URL}"\ncredential-provider = "own"\n` +
      "[registries.alt]\ncredential-provider = 'no'\n",
  }, async ({ load }) => {
    assertEquals(chainOf(await load(), ALT), "registry: own");
    const environment = {
      CARGO_REGISTRIES_ENV_INDEX: ALT_URL,
      CARGO_REGISTRIES_ENV_CREDENTIAL_PROVIDER: "env",
    };
    assertEquals(chainOf(await load(environment), ALT), "registry: env");
  }));

const KR = "cargo-credential-keyring";
/** On Windows alone: from WSL the Windows program is another one. */
const SUFFIX = Deno.build.os === "windows" ? ".exe" : "";
const PLACES: [providers: string[], follows: boolean, listed: boolean][] = [
  [["cargo:token", KR], true, true],
  [["cargo:token", `/opt/bin/${KR}`], true, true],
  [["cargo:token", "alias"], true, true],
  [[KR, "cargo:token"], false, true],
  [[KR], false, false],
  [["cargo:libsecret", KR], false, false],
  [["cargo:token", "wrapper.sh"], true, true],
  [["wrapper.sh"], false, false],
  [["cargo:token", "other", KR], true, true],
  [[KR, "cargo:token", KR], true, true],
];

for (const [providers, follows, listed] of PLACES) {
  Deno.test(`cargoTokenPlace() knows ${providers.join(", ")}`, () =>
    withCheckout({
      "user/.cargo/config.toml":
        `[registry]\nglobal-credential-providers = ${
          JSON.stringify(providers)
        }\n` +
        `[credential-alias]\nalias = ["/a b/${KR}${SUFFIX}", "--x"]\n`,
    }, async ({ load }) => {
      const place = cargoTokenPlace(providerChain(await load(), CRATES_IO));
      assertEquals(place, {
        cargoTokenFollows: follows,
        cargoTokenListed: listed,
      });
    }));
}

const LIST =
  `[registry]\nglobal-credential-providers = ["cargo:token", "${KR}"]\n`;
const ALT_INDEX = `[registries.alt]\nindex = "${ALT_URL}"\n`;
const REACHES: [
  name: string,
  files: Record<string, string>,
  environment: Environment,
  reach: string,
][] = [
  ["the user's list", { "user/.cargo/config.toml": LIST }, {}, "listed"],
  [
    "a path",
    { "user/.cargo/config.toml": LIST.replace(KR, `/opt/bin/${KR}`) },
    {},
    "listed",
  ],
  [
    "a path with spaces, by an alias that an included file has, with arguments",
    {
      "user/.cargo/config.toml": "include = ['i.toml']\n" +
        "[registry]\nglobal-credential-providers = ['kr']\n",
      "user/.cargo/i.toml":
        `[credential-alias]\nkr = ["/a b/${KR}", "--store", "x y"]\n`,
    },
    {},
    "listed --store,x y",
  ],
  [
    "the registry's own provider",
    {
      "user/.cargo/config.toml":
        `${ALT_INDEX}credential-provider = "${KR}${SUFFIX}"\n`,
    },
    {},
    "listed",
  ],
  ["nothing at all", {}, {}, "not-listed: cargo:token by nobody"],
  [
    "another program",
    { "user/.cargo/config.toml": LIST.replace(KR, `not-${KR}`) },
    {},
    `not-listed: not-${KR},cargo:token by user/.cargo/config.toml`,
  ],
  [
    "the registry's own provider, another one",
    {
      "user/.cargo/config.toml":
        `${ALT_INDEX}credential-provider = "cargo:token"\n${LIST}`,
    },
    {},
    "not-listed: cargo:token by user/.cargo/config.toml",
  ],
  [
    "the user's own provider for a name that a project binds",
    {
      "user/.cargo/config.toml":
        `[registries.alt]\ncredential-provider = "cargo:token"\n${LIST}`,
      "checkout/.cargo/config.toml": ALT_INDEX,
    },
    {},
    "not-listed: cargo:token by user/.cargo/config.toml",
  ],
  [
    "a list that a variable lengthens",
    { "user/.cargo/config.toml": LIST },
    { CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: "other" },
    "listed",
  ],
  [
    "a variable alone",
    {},
    { CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: KR },
    "not-listed: cargo:token by nobody",
  ],
  [
    "a project alone",
    { "checkout/.cargo/config.toml": LIST },
    {},
    "not-listed: cargo:token by nobody",
  ],
  [
    "a list that a variable overrules for the registry",
    { "user/.cargo/config.toml": `${ALT_INDEX}${LIST}` },
    { CARGO_REGISTRIES_ALT_CREDENTIAL_PROVIDER: "cargo:token" },
    "not-listed: cargo:token by CARGO_REGISTRIES_ALT_CREDENTIAL_PROVIDER",
  ],
  [
    "a list that a project overrules for the registry",
    {
      "user/.cargo/config.toml": LIST,
      "checkout/.cargo/config.toml":
        `${ALT_INDEX}credential-provider = ["cargo:token"]\n`,
    },
    {},
    "not-listed: cargo:token by checkout/.cargo/config.toml",
  ],
  [
    "a list beside a file of the user's that cannot be read",
    {
      "user/.cargo/config.toml": `include = ["i.toml"]\n${LIST}`,
      "user/.cargo/i.toml": "[registries\n",
    },
    {},
    "not-listed:  by user/.cargo/i.toml",
  ],
  [
    "a list beside a project's file that cannot be read",
    {
      "user/.cargo/config.toml": LIST,
      "checkout/.cargo/config.toml": "[registries\n",
    },
    {},
    "listed",
  ],
];

for (const [name, files, environment, expected] of REACHES) {
  Deno.test(`reachesUs() judges ${name}`, () =>
    withCheckout(files, async ({ root, load }) => {
      const reach = reachesUs(await load(environment), ALT);
      assertEquals(
        reach.kind === "listed"
          ? `listed ${reach.args}`.trim()
          : `not-listed: ${reach.instead} by ${
            reach.where === undefined ? "nobody" : shownPath(reach.where, root)
          }`,
        expected,
      );
    }));
}

links.test("reachesUs() knows the very file that runs, under any name", () =>
  withCheckout({
    // Relative to the directory above the one that the file lies in.
    "user/.cargo/config.toml":
      "[registry]\nglobal-credential-providers = ['bin/kr']\n",
    "user/bin/kr": "",
    "opt/program": "",
  }, async ({ root, load }) => {
    const layers = await load();
    const kind = (executable: string) =>
      reachesUs(layers, ALT, executable).kind;
    assertEquals(kind(`${root}/opt/program`), "not-listed");
    await Deno.remove(`${root}/user/bin/kr`);
    assertEquals(kind(`${root}/opt/program`), "not-listed");
    await Deno.symlink(`${root}/opt/program`, `${root}/user/bin/kr`);
    assertEquals(kind(`${root}/opt/program`), "listed");
  }));

unix.test("providerChain() is what the real cargo asks", () =>
  withCheckout({
    "user/.cargo/config.toml": "include = ['i.toml']\n" +
      `[registries.alt]\nindex = "${ALT_URL}"\n` +
      `[registries.own]\nindex = "sparse+https://own.example/"\ncredential-provider = ["cargo:wincred", "a b"]\n` +
      "[registry]\nglobal-credential-providers = ['cargo:wincred home1', 'kr', 'cargo:wincred home2']\n" +
      "[credential-alias]\nkr = ['cargo:wincred', 'by alias']\n",
    "user/.cargo/i.toml":
      "[registry]\nglobal-credential-providers = ['cargo:wincred included']\n",
    "checkout/.cargo/config.toml":
      "registry.global-credential-providers = ['cargo:macos-keychain proj']\n",
    "checkout/project/.cargo/config.toml":
      "[registry]\nglobal-credential-providers = ['cargo:wincred near']\n",
    "user/.cargo/credentials.toml":
      "[registry]\nglobal-credential-providers = ['cargo:wincred cred']\n",
  }, async ({ root, home, cwd, load }) => {
    // Stores of other systems answer that they cannot.
    assert(Deno.build.os === "linux", "this needs Linux");
    const { cargo } = await toolchain();
    const environment = {
      CARGO_HOME: home,
      HOME: `${root}/user`,
      CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: "cargo:macos-keychain",
    };
    const layers = await load(environment);
    const requests = [
      [CRATES_IO, "crates-io"],
      [ALT, "alt"],
      [{ indexUrl: "sparse+https://own.example/", name: "own" }, "own"],
    ] as const;
    for (const [request, name] of requests) {
      const { stderr } = await new Deno.Command(cargo, {
        args: ["logout", "-v", "--registry", name],
        cwd,
        env: environment,
        clearEnv: true,
      }).output();
      const asked = [
        ...new TextDecoder().decode(stderr)
          .matchAll(/^ *Credential (.*) logout .*$/gm),
      ].map(([, provider]) => provider);
      assert(asked.length > 0, new TextDecoder().decode(stderr));
      const { entries } = providerChain(layers, request);
      assertEquals(
        entries.map(({ program, args }) => [program, ...args].join(" ")),
        asked,
      );
    }
  }));

Deno.test("the Windows program is this one on Windows alone", () => {
  const entry = {
    program: "/mnt/c/Users/me/.cargo/bin/cargo-credential-keyring.exe",
    args: [],
    where: "/users/me/.cargo/config.toml",
  };
  assertEquals(isThisProgram(entry, "/nowhere"), Deno.build.os === "windows");
});
