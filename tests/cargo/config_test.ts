import { assertEquals } from "@std/assert";
import {
  type ConfigLayers,
  loadConfig,
  valueAt,
} from "../../src/cargo/config.ts";
import { shownPath, withCheckout } from "./config_support.ts";
import { onlyOn } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);

/** The files of a configuration, the weakest first: layer and path. */
function order(layers: ConfigLayers, root: string): string[] {
  return layers.files.map(({ layer, path }) =>
    `${layer} ${shownPath(path, root)}`
  );
}

const RELEVANT = "[registries]\n";

Deno.test("loadConfig() orders the files as cargo does", () =>
  withCheckout({
    "user/.cargo/config.toml": RELEVANT,
    "checkout/.cargo/config.toml": RELEVANT,
    "checkout/project/.cargo/config.toml": RELEVANT,
    // The file without an extension hides the other.
    "checkout/project/.cargo/config": RELEVANT,
    "checkout/project/sub/.cargo/config.toml": RELEVANT,
    "checkout/project/sub/deeper/.cargo/config.toml": RELEVANT,
    "user/.cargo/credentials.toml": "[registry]\ncredential-provider = 'x'\n",
  }, async ({ root, load }) => {
    const layers = await load();
    assertEquals(order(layers, root), [
      "user user/.cargo/config.toml",
      "project checkout/.cargo/config.toml",
      "project checkout/project/.cargo/config",
      "project checkout/project/sub/.cargo/config.toml",
      "user user/.cargo/credentials.toml",
    ]);
    assertEquals(layers.problems, []);
  }));

Deno.test("loadConfig() knows cargo's home among the directories above", () =>
  withCheckout(
    {
      ".cargo/config.toml": RELEVANT,
      "checkout/.cargo/config.toml": RELEVANT,
      "checkout/project/.cargo/config.toml": RELEVANT,
    },
    async ({ root, load }) => {
      assertEquals(order(await load(), root), [
        "project .cargo/config.toml",
        "user checkout/.cargo/config.toml",
        "project checkout/project/.cargo/config.toml",
      ]);
    },
    { home: "checkout/.cargo" },
  ));

Deno.test("loadConfig() knows cargo's home behind a link", () =>
  withCheckout({ "user/.cargo/config.toml": RELEVANT }, async (checkout) => {
    await Deno.symlink(checkout.home, `${checkout.root}/checkout/.cargo`);
    const layers = await checkout.load();
    assertEquals(layers.files.map(({ layer }) => layer), ["user"]);
  }));

Deno.test("loadConfig() takes a text for the file in cargo's home, in its place", async (t) => {
  const ABOVE = "checkout/.cargo/config.toml";
  const BELOW = "checkout/project/.cargo/config.toml";
  const SHARED = "checkout/project/.cargo/shared.toml";
  const homeConfig = 'include = ["shared.toml"]\n[registry]\ndefault = "x"\n';
  const check = (files: Readonly<Record<string, string>>) =>
    withCheckout(
      { [ABOVE]: RELEVANT, [SHARED]: RELEVANT, ...files },
      async ({ root, home, cwd }) => {
        const layers = await loadConfig({
          environment: {},
          cargoHome: home,
          cwd,
          homeConfig,
        });
        assertEquals(order(layers, root), [
          `project ${ABOVE}`,
          `user ${SHARED}`,
          `user ${BELOW}`,
        ]);
        assertEquals(valueAt(layers.files[2]?.values ?? {}, ["registry"]), {
          default: "x",
        });
        assertEquals(layers.problems, []);
      },
      { home: "checkout/project/.cargo" },
    );
  await t.step("there is none", () => check({}));
  await t.step("there is one", () => check({ [BELOW]: "# not TOML [\n" }));
});

Deno.test("loadConfig() loads what is included before what includes it", () =>
  withCheckout({
    "user/.cargo/config.toml":
      "include = ['a.toml', { path = 'sub/b.toml' }, { path = 'no.toml', optional = true }]\n",
    "user/.cargo/a.toml": "include = ['../c.toml']\n",
    "user/c.toml": RELEVANT,
    "user/.cargo/sub/b.toml": RELEVANT,
    "checkout/.cargo/config.toml": "[[include]]\npath = 'd.toml'\n",
    "checkout/.cargo/d.toml": RELEVANT,
  }, async ({ root, load }) => {
    const layers = await load();
    assertEquals(order(layers, root), [
      "user user/c.toml",
      "user user/.cargo/a.toml",
      "user user/.cargo/sub/b.toml",
      "user user/.cargo/config.toml",
      "project checkout/.cargo/d.toml",
      "project checkout/.cargo/config.toml",
    ]);
    assertEquals(layers.problems, []);
  }));

links.test("loadConfig() ends at a cycle, and says what it could not read", () =>
  withCheckout({
    "user/.cargo/config.toml":
      "include = ['a.toml', 'missing.toml', 'bad.toml', 'x.json']\n",
    "user/.cargo/a.toml": "include = ['config.toml']\n",
    "user/.cargo/bad.toml": "[registries]\na = secret\n",
  }, async ({ root, home, load }) => {
    const fifo = `${root}/checkout/.cargo/config.toml`;
    await Deno.mkdir(`${root}/checkout/.cargo`);
    const { success } = await new Deno.Command("mkfifo", { args: [fifo] })
      .output();
    assertEquals(success, true);
    const layers = await load();
    assertEquals(order(layers, root), [
      "user user/.cargo/a.toml",
      "user user/.cargo/config.toml",
    ]);
    assertEquals(layers.problems, [
      { layer: "user", path: `${home}/config.toml`, reason: "include-cycle" },
      { layer: "user", path: `${home}/missing.toml`, reason: "missing" },
      {
        layer: "user",
        path: `${home}/bad.toml`,
        reason: "malformed",
        line: 2,
        column: 5,
      },
      { layer: "project", path: fifo, reason: "not-a-regular-file" },
    ]);
  }));

const MANY_INTEGERS = `x = [${"1,".repeat(1_000_000)}]\n`;
const TOO_MUCH: [what: string, files: Record<string, string>][] = [
  [
    "a file of 2 MB",
    { "checkout/.cargo/config.toml": `include = []\n${MANY_INTEGERS}` },
  ],
  [
    "many files, each of them small",
    {
      "checkout/.cargo/config.toml": `include = [${
        Array.from({ length: 5000 }, (_, i) => `'f${i}.toml'`)
      }]\n`,
      ...Object.fromEntries(
        Array.from(
          { length: 300 },
          (_, i) => [`checkout/.cargo/f${i}.toml`, ""],
        ),
      ),
    },
  ],
  [
    "many files that may be missing",
    {
      "checkout/.cargo/config.toml": `include = [${
        Array.from(
          { length: 5000 },
          (_, i) => `{path='f${i}.toml',optional=true}`,
        )
      }]\n`,
    },
  ],
  [
    "files of a middle size in every directory",
    Object.fromEntries(
      ["checkout/", "checkout/project/", "checkout/project/sub/"].map((
        directory,
      ) => [
        `${directory}.cargo/config.toml`,
        `include = []\n${MANY_INTEGERS.slice(0, 100_000)}1]\n`,
      ]),
    ),
  ],
];

for (const [what, files] of TOO_MUCH) {
  Deno.test(`loadConfig() ends soon with ${what}, and takes nothing from the user`, () =>
    withCheckout({
      ...files,
      "user/.cargo/config.toml": RELEVANT,
    }, async ({ load }) => {
      const { problems, files } = await load();
      assertEquals(files[0]?.layer, "user");
      const what = problems.map(({ layer, reason }) => `${layer} ${reason}`);
      assertEquals([...new Set(what)], ["project too-large"]);
    }));
}

Deno.test("loadConfig() parses nothing of a large file without a word of cargo's registries", () =>
  withCheckout(
    { "checkout/.cargo/config.toml": `[env]\n${MANY_INTEGERS}` },
    async ({ load }) => {
      const { problems, files } = await load();
      assertEquals([problems, files], [[], []]);
    },
  ));

for (const depth of [1000, 3000, 10_000, 100_000]) {
  Deno.test(`loadConfig() survives ${depth} brackets`, () =>
    withCheckout({
      "user/.cargo/config.toml": RELEVANT,
      "checkout/.cargo/config.toml": `include = []\nx = ${"[".repeat(depth)}${
        "]".repeat(depth)
      }\n`,
    }, async ({ load }) => {
      const { files, problems } = await load();
      assertEquals(files.length + problems.length, 2);
    }));
}

links.test("loadConfig() follows a link before the `..` of an include, as the system does", () =>
  withCheckout({
    "checkout/.cargo/config.toml": "include = ['link/../i.toml']\n",
    "checkout/.cargo/i.toml": "[registries]\nwrong = {}\n",
    "elsewhere/i.toml": "[registries]\nright = {}\n",
    "elsewhere/inner/x": "",
  }, async ({ root, load }) => {
    await Deno.symlink(
      `${root}/elsewhere/inner`,
      `${root}/checkout/.cargo/link`,
    );
    const { files } = await load();
    assertEquals(files[0]?.values, { registries: { right: {} } });
  }));

Deno.test("loadConfig() finds what is above a directory whose name is no text", () =>
  withCheckout({
    "user/.cargo/config.toml": RELEVANT,
    "checkout/.cargo/config.toml": "include = ['i.toml']\n",
    "checkout/.cargo/i.toml": RELEVANT,
    "checkout/project/.cargo/config.toml": RELEVANT,
  }, async ({ root, home, cwd }) => {
    const before = Deno.cwd();
    Deno.chdir(cwd);
    try {
      const { files } = await loadConfig({
        environment: {},
        cargoHome: home,
        cwd: ".",
      });
      assertEquals(
        files.map(({ layer, path }) => `${layer} ${shownPath(path, root)}`),
        [
          "user user/.cargo/config.toml",
          "project ../../.cargo/i.toml",
          "project ../../.cargo/config.toml",
          "project ../.cargo/config.toml",
        ],
      );
    } finally {
      Deno.chdir(before);
    }
  }));
