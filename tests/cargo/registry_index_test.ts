import { assertEquals, assertNotEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import type { ConfigFile, ConfigLayers } from "../../src/cargo/config.ts";
import type { Environment } from "../../src/cargo/home.ts";
import { findRebinding } from "../../src/cargo/rebinding.ts";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import {
  configuredNames,
  isBoundByUser,
  registryIndex,
  registryNames,
  requestUrl,
  userNames,
} from "../../src/cargo/registry_index.ts";
import { sameRegistry, spellings } from "../../src/cargo/spellings.ts";
import { withCheckout } from "./config_support.ts";

const CWD = "/checkout/project";
const GOOD = "sparse+https://good.example/";
const EVIL = "sparse+https://evil.example/";

function file(
  layer: "user" | "project",
  indexes: Readonly<Record<string, string>>,
  path = layer === "user"
    ? "/home/ada/.cargo/config.toml"
    : "/checkout/.cargo/config.toml",
): ConfigFile {
  const registries = Object.fromEntries(
    Object.entries(indexes).map(([name, index]) => [name, { index }]),
  );
  return { layer, path, values: { registries } };
}

function layersOf(
  files: ConfigFile[],
  environment: Environment = {},
): ConfigLayers {
  return { environment, files, problems: [] };
}

const [HOME, HOMES_URL] = Deno.build.os === "windows"
  ? ["C:\\home\\ada", "file:///C:/home"]
  : ["/home/ada", "file:///home"];

const URLS: [configured: string, request: string | undefined][] = [
  [
    "sparse+https://Host.example:443/a/../index/",
    "sparse+https://Host.example:443/index/",
  ],
  ["sparse+http://LOCALHOST:1/i/", "sparse+http://LOCALHOST:1/i/"],
  ["https://Host.example:443/Index.git", "https://host.example/Index.git"],
  ["https://host.example", "https://host.example/"],
  ["ssh://git@host.example/index.git", "ssh://git@host.example/index.git"],
  ["file:///srv/index", "file:///srv/index"],
  ["file:index", `${HOMES_URL}/ada/index`],
  ["file:../srv/index", `${HOMES_URL}/srv/index`],
  ["git@host.example:index.git", undefined],
  ["index", undefined],
  ["https://ada:secret@host.example/", undefined],
];

for (const [configured, request] of URLS) {
  Deno.test(`requestUrl() makes ${request} of ${configured}`, () => {
    assertEquals(requestUrl(configured, HOME), request);
  });
}

Deno.test("registryIndex() says which layer binds a name", () => {
  const files = [
    file("user", { a: GOOD, b: GOOD, "my-reg": GOOD }),
    file("project", { a: EVIL, c: EVIL }),
  ];
  const layers = layersOf(files, { CARGO_REGISTRIES_B_INDEX: EVIL });
  const home = {
    url: GOOD,
    layer: "user",
    where: "/home/ada/.cargo/config.toml",
  } as const;
  const project = {
    url: EVIL,
    layer: "project",
    where: "/checkout/.cargo/config.toml",
  } as const;
  assertEquals(registryIndex(layers, CWD, "a"), project);
  assertEquals(registryIndex(layers, CWD, "b"), {
    url: EVIL,
    layer: "user",
    where: "CARGO_REGISTRIES_B_INDEX",
  });
  assertEquals(registryIndex(layers, CWD, "c"), project);
  assertEquals(registryIndex(layers, CWD, "my-reg"), home);
  // In a file `-` and `_` are two.
  assertEquals(registryIndex(layers, CWD, "my_reg"), undefined);
  const bound = layersOf(files, { CARGO_REGISTRIES_MY_REG_INDEX: EVIL });
  for (const name of ["my-reg", "my_reg"]) {
    assertEquals(registryIndex(bound, CWD, name)?.url, EVIL);
  }
  assertEquals(configuredNames(layers), ["a", "b", "c", "my-reg"]);
});

Deno.test("registryIndex() resolves a relative index from its file's root", () =>
  withCheckout({
    "user/.cargo/config.toml": "[registries]\na.index = 'file:reg'\n",
    "checkout/project/.cargo/config.toml":
      "[registries]\nb.index = 'file:a%20b/../reg'\n",
  }, async ({ root, cwd, load }) => {
    const layers = await load({ CARGO_REGISTRIES_C_INDEX: "file:../reg" });
    assertEquals(
      registryIndex(layers, cwd, "a")?.url,
      pathToFileURL(`${root}/user/reg`).href,
    );
    assertEquals(
      registryIndex(layers, cwd, "b")?.url,
      pathToFileURL(`${root}/checkout/project/reg`).href,
    );
    assertEquals(
      registryIndex(layers, cwd, "c")?.url,
      pathToFileURL(`${root}/checkout/project/reg`).href,
    );
  }));

Deno.test("registryNames() asks the environment first, then the files", () => {
  const files = [
    file("user", {
      a: GOOD,
      "my-reg": GOOD,
      z: "https://github.com/Ada/Index.git",
    }),
    file("project", { a: EVIL }),
  ];
  const plain = layersOf(files);
  assertEquals(registryNames(plain, GOOD), ["my-reg"]);
  assertEquals(registryNames(plain, EVIL), ["a"]);
  assertEquals(registryNames(plain, "https://github.com/ada/index/"), ["z"]);
  assertEquals(registryNames(plain, "sparse+https://other.example/"), []);
  const bound = layersOf(files, { CARGO_REGISTRIES_MY_REG_INDEX: GOOD });
  assertEquals(registryNames(bound, GOOD), ["my_reg"]);
});

Deno.test("sameRegistry() compares as cargo does", () => {
  const same: [string, string, boolean][] = [
    ["https://github.com/A/B.git", "http://github.com/a/b/", true],
    ["https://host.example/A.git", "https://host.example/A", true],
    ["https://host.example/A", "https://host.example/a", false],
    ["sparse+https://host.example/a/", "sparse+https://host.example/a", true],
    [
      "sparse+https://host.example/a.git",
      "sparse+https://host.example/a",
      false,
    ],
    ["sparse+https://host.example/", "https://host.example/", false],
    ["no url", "no url", true],
    ["no url", "none either", false],
  ];
  for (const [one, other, expected] of same) {
    assertEquals(sameRegistry(one, other), expected);
  }
});

Deno.test("isBoundByUser() wants the very URL, from the user alone", () => {
  const layers = layersOf(
    [
      file("user", { a: GOOD, b: GOOD, e: GOOD }),
      file("project", { c: GOOD, b: EVIL }),
    ],
    { CARGO_REGISTRIES_D_INDEX: GOOD, CARGO_REGISTRIES_E_INDEX: EVIL },
  );
  const bound = (name: string, url: string): boolean =>
    isBoundByUser(layers, CWD, name, url);
  assertEquals(bound("a", GOOD), true);
  assertEquals(bound("a", GOOD.slice(0, -1)), false);
  assertEquals(bound("b", GOOD), true);
  assertEquals(bound("b", EVIL), false);
  assertEquals(bound("c", GOOD), false);
  assertEquals(bound("d", GOOD), true);
  assertEquals(bound("e", GOOD), false);
  assertEquals(bound("crates-io", CRATES_IO_INDEX), true);
  assertEquals(bound("a", CRATES_IO_INDEX), false);
});

Deno.test("spellings() are what cargo takes for the same registry", () => {
  assertEquals(spellings("https://host.example/A.git"), [
    "https://host.example/A",
    "https://host.example/A/",
    "https://host.example/A.git/",
  ]);
  assertEquals(spellings("ssh://git@host.example/a/"), [
    "ssh://git@host.example/a",
    "ssh://git@host.example/a.git",
    "ssh://git@host.example/a.git/",
  ]);
  assertEquals(spellings("https://github.com/A/B").sort(), [
    "https://github.com/A/B.git",
    "https://github.com/A/B.git/",
    "https://github.com/A/B/",
    "https://github.com/a/b",
    "https://github.com/a/b.git",
    "https://github.com/a/b.git/",
    "https://github.com/a/b/",
  ]);
  // crates.io has one name in every request; another spelling is not it.
  assertEquals(
    spellings(`${CRATES_IO_INDEX}.git`).includes(CRATES_IO_INDEX),
    false,
  );
  for (const url of [CRATES_IO_INDEX, GOOD, GOOD.slice(0, -1), "no url"]) {
    assertEquals(spellings(url), []);
  }
  fc.assert(
    fc.property(
      fc.constantFrom("https", "http", "ssh", "file", "sparse+https"),
      fc.constantFrom("github.com", "host.example", "Host.example"),
      fc.webPath(),
      fc.constantFrom("", "/", ".git", ".git/", "//", "/.git"),
      (scheme, host, path, end) => {
        const url = `${scheme}://${host}${path}${end}`;
        for (const other of spellings(url)) {
          assertEquals(sameRegistry(other, url), true, other);
          assertEquals(new URL(other).protocol, `${scheme}:`);
          assertNotEquals(other, url);
        }
      },
    ),
    { seed: 8 },
  );
});

Deno.test("findRebinding() finds a name of the user's at another URL", () => {
  const user = file("user", { corp: GOOD });
  const project = file("project", { corp: EVIL });
  const rebinding = {
    name: "corp",
    userUrl: GOOD,
    projectUrl: EVIL,
    where: "/checkout/.cargo/config.toml",
  };
  const request = { indexUrl: EVIL, name: "corp" };
  const layers = layersOf([user, project]);
  assertEquals(findRebinding(layers, CWD, request), rebinding);
  // Cargo itself finds the name by the URL.
  assertEquals(findRebinding(layers, CWD, { indexUrl: EVIL }), rebinding);
  // `--config` cannot be seen.
  assertEquals(findRebinding(layersOf([user]), CWD, request), {
    ...rebinding,
    where: "the command line",
  });
  assertEquals(
    findRebinding(
      layersOf([project], { CARGO_REGISTRIES_CORP_INDEX: GOOD }),
      CWD,
      request,
    ),
    { ...rebinding, where: "the command line" },
  );
});

Deno.test("findRebinding() finds none where the user has no other word", () => {
  const user = file("user", { corp: GOOD });
  const project = file("project", { corp: EVIL, own: EVIL });
  const none: [ConfigLayers, string, string | undefined][] = [
    // Only the project binds the name.
    [layersOf([project]), EVIL, "corp"],
    [layersOf([user, file("project", { own: EVIL })]), EVIL, "own"],
    // The very same.
    [layersOf([user, file("project", { corp: GOOD })]), GOOD, "corp"],
    [layersOf([user]), GOOD, "corp"],
    // What cargo takes for the same registry.
    [layersOf([user]), GOOD.slice(0, -1), "corp"],
    // The user has both.
    [layersOf([user], { CARGO_REGISTRIES_CORP_INDEX: EVIL }), EVIL, "corp"],
    [layersOf([]), CRATES_IO_INDEX, "crates-io"],
    [layersOf([user]), EVIL, undefined],
  ];
  for (const [layers, indexUrl, name] of none) {
    const request = { indexUrl, ...(name === undefined ? {} : { name }) };
    assertEquals(findRebinding(layers, CWD, request), "none");
  }
  const insecure = layersOf([file("user", { g: "https://github.com/a/b" })]);
  const http = { indexUrl: "http://github.com/a/b", name: "g" };
  assertEquals(findRebinding(insecure, CWD, http) === "none", false);
});

Deno.test("userNames() leads from a URL to the user's own names", () => {
  const layers = layersOf(
    [
      file("user", {
        "my-reg": GOOD,
        gone: GOOD,
        git: "https://git.example/index.git",
        crates: CRATES_IO_INDEX,
      }),
      file("project", { aaa: GOOD, git: EVIL }),
    ],
    {
      CARGO_REGISTRIES_GONE_INDEX: EVIL,
      CARGO_REGISTRIES_MY_REG_INDEX: GOOD,
      CARGO_REGISTRIES_ONLY_HERE_INDEX: "https://git.example/index/",
    },
  );
  const names = (url: string): string[] => userNames(layers, CWD, url);
  assertEquals(names(GOOD), ["my-reg"]);
  assertEquals(names(EVIL), ["gone"]);
  assertEquals(names("https://git.example/index"), ["git", "only_here"]);
  assertEquals(names(CRATES_IO_INDEX), ["crates-io"]);
  assertEquals(names("sparse+https://nobody.example/"), []);
});
