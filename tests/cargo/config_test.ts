import { assertEquals } from "@std/assert";
import type { ConfigLayers } from "../../src/cargo/config.ts";
import { withCheckout } from "./config_support.ts";

/** The files of a configuration, the weakest first: layer and path. */
function order(layers: ConfigLayers, root: string): string[] {
  return layers.files.map(({ layer, path }) =>
    `${layer} ${path.replace(`${root}/`, "")}`
  );
}

const RELEVANT = "[registries]\n";

Deno.test("loadConfig() orders the files as cargo does", () =>
  withCheckout({
    "user/.cargo/config.toml": RELEVANT,
    "work/.cargo/config.toml": RELEVANT,
    "work/project/.cargo/config.toml": RELEVANT,
    // The file without an extension hides the other.
    "work/project/.cargo/config": RELEVANT,
    "work/project/sub/.cargo/config.toml": RELEVANT,
    "work/project/sub/deeper/.cargo/config.toml": RELEVANT,
    "user/.cargo/credentials.toml": "[registry]\ncredential-provider = 'x'\n",
  }, async ({ root, load }) => {
    const layers = await load();
    assertEquals(order(layers, root), [
      "user user/.cargo/config.toml",
      "project work/.cargo/config.toml",
      "project work/project/.cargo/config",
      "project work/project/sub/.cargo/config.toml",
      "user user/.cargo/credentials.toml",
    ]);
    assertEquals(layers.problems, []);
  }));

Deno.test("loadConfig() knows cargo's home among the directories above", () =>
  withCheckout(
    {
      ".cargo/config.toml": RELEVANT,
      "work/.cargo/config.toml": RELEVANT,
      "work/project/.cargo/config.toml": RELEVANT,
    },
    async ({ root, load }) => {
      assertEquals(order(await load(), root), [
        "project .cargo/config.toml",
        "user work/.cargo/config.toml",
        "project work/project/.cargo/config.toml",
      ]);
    },
    { home: "work/.cargo" },
  ));

Deno.test("loadConfig() knows cargo's home behind a link", () =>
  withCheckout({ "user/.cargo/config.toml": RELEVANT }, async (checkout) => {
    await Deno.symlink(checkout.home, `${checkout.root}/work/.cargo`);
    const layers = await checkout.load();
    assertEquals(layers.files.map(({ layer }) => layer), ["user"]);
  }));

Deno.test("loadConfig() loads what is included before what includes it", () =>
  withCheckout({
    "user/.cargo/config.toml":
      "include = ['a.toml', { path = 'sub/b.toml' }, { path = 'no.toml', optional = true }]\n",
    "user/.cargo/a.toml": "include = ['../c.toml']\n",
    "user/c.toml": RELEVANT,
    "user/.cargo/sub/b.toml": RELEVANT,
    "work/.cargo/config.toml": "[[include]]\npath = 'd.toml'\n",
    "work/.cargo/d.toml": RELEVANT,
  }, async ({ root, load }) => {
    const layers = await load();
    assertEquals(order(layers, root), [
      "user user/c.toml",
      "user user/.cargo/a.toml",
      "user user/.cargo/sub/b.toml",
      "user user/.cargo/config.toml",
      "project work/.cargo/d.toml",
      "project work/.cargo/config.toml",
    ]);
    assertEquals(layers.problems, []);
  }));

Deno.test("loadConfig() ends at a cycle, and says what it could not read", () =>
  withCheckout({
    "user/.cargo/config.toml":
      "include = ['a.toml', 'missing.toml', 'bad.toml', 'x.json']\n",
    "user/.cargo/a.toml": "include = ['config.toml']\n",
    "user/.cargo/bad.toml": "[registries]\na = secret\n",
  }, async ({ root, home, load }) => {
    const fifo = `${root}/work/.cargo/config.toml`;
    await Deno.mkdir(`${root}/work/.cargo`);
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

Deno.test("loadConfig() is bounded where includes fan out", () => {
  const files: Record<string, string> = {};
  for (let i = 0; i < 300; i++) files[`user/.cargo/f${i}.toml`] = RELEVANT;
  const list = Array.from({ length: 300 }, (_, i) => `'f${i}.toml'`).join(",");
  files["user/.cargo/config.toml"] = `include = [${list}]\n`;
  return withCheckout(files, async ({ load }) => {
    assertEquals((await load()).files.length, 101);
  });
});
