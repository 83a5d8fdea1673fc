import { assert, assertEquals, assertRejects } from "@std/assert";
import { compile } from "../../scripts/compile.ts";
import { BaseError, hasBase, provideBase } from "../../scripts/denort.ts";
import { TARGETS } from "../../scripts/program.ts";
import { readStandalone } from "./_standalone.ts";

const TARGET = TARGETS.find((target) => target === Deno.build.target);
/** Nothing can be compiled here without a base. */
const ignore = TARGET === undefined || !await hasBase(TARGET);

async function compiled(directory: string): Promise<string> {
  assert(TARGET !== undefined);
  return await compile({ target: TARGET, directory });
}

Deno.test({
  name: "compile() puts in the permissions that are meant, and our files alone",
  ignore,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      const { metadata, files, size } = await readStandalone(
        await compiled(directory),
      );
      const permissions = metadata["permissions"];
      assert(typeof permissions === "object" && permissions !== null);
      // Denying every import outweighs the servers that Deno allows by itself.
      const { allow_import: _, ...others } = {
        allow_import: null,
        ...permissions,
      };
      assertEquals(others, {
        allow_env: [],
        deny_env: null,
        ignore_env: null,
        allow_net: null,
        deny_net: null,
        allow_ffi: [],
        deny_ffi: null,
        allow_read: [],
        deny_read: null,
        ignore_read: null,
        allow_run: null,
        deny_run: null,
        allow_sys: ["uid"],
        deny_sys: null,
        allow_write: [],
        deny_write: null,
        deny_import: [],
        prompt: false,
      });
      assertEquals(metadata["code_cache_key"], null);
      assertEquals(metadata["argv"], []);
      assertEquals(metadata["env_vars_from_env_file"], {});
      assertEquals(metadata["node_modules"], null);
      assert(files.includes("mod.js"));
      assertEquals(files.filter((name) => !name.endsWith(".js")), []);
      assert(size < 3_000_000, `${size} bytes`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "compile() makes the same bytes again, in another folder",
  ignore,
  fn: async () => {
    const [one, two] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
    try {
      const first = await Deno.readFile(await compiled(one));
      const second = await Deno.readFile(await compiled(two));
      assertEquals(await digest(second), await digest(first));
    } finally {
      await Deno.remove(one, { recursive: true });
      await Deno.remove(two, { recursive: true });
    }
  },
});

/** Serves an archive and a checksum as Deno's release server does. */
async function withReleases(
  sum: string | undefined,
  use: (releases: string, denoDir: string) => Promise<void>,
): Promise<void> {
  const denoDir = await Deno.makeTempDir();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) =>
      sum === undefined
        ? new Response("not here", { status: 404 })
        : new Response(url.endsWith(".sha256sum") ? `${sum}  x.zip\n` : BASE),
  );
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, denoDir);
  } finally {
    await Deno.remove(denoDir, { recursive: true });
  }
}

const BASE = new TextEncoder().encode("a base");
const ARCHIVE =
  `dl/release/v${Deno.version.deno}/denort-x86_64-unknown-linux-gnu.zip`;

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const sum = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(sum).toHex();
}

Deno.test("provideBase() keeps a base whose checksum is right", async () => {
  await withReleases(await digest(BASE), async (releases, denoDir) => {
    const options = { denortBin: "", denoDir, releases };
    const { env } = await provideBase("x86_64-unknown-linux-gnu", options);
    assertEquals(env, { DENO_DIR: denoDir });
    assertEquals(await Deno.readFile(`${denoDir}/${ARCHIVE}`), BASE);
  });
});

Deno.test("provideBase() refuses a base whose checksum is wrong", async () => {
  await withReleases("0".repeat(64), async (releases, denoDir) => {
    await assertRejects(
      () =>
        provideBase("x86_64-unknown-linux-gnu", {
          denortBin: "",
          denoDir,
          releases,
        }),
      BaseError,
      "is not what Deno has published",
    );
    assertEquals([...Deno.readDirSync(denoDir)], []);
  });
});

Deno.test("provideBase() says what to do where there is no base", async () => {
  await withReleases(undefined, async (releases, denoDir) => {
    const error = await assertRejects(
      () =>
        provideBase("x86_64-unknown-linux-gnu", {
          denortBin: "",
          denoDir,
          releases,
        }),
      BaseError,
    );
    assert(error.message.includes("DENORT_BIN"), error.message);
    assert(error.message.includes("docs/building.md"), error.message);
  });
});

Deno.test("provideBase() takes the base in Deno's cache without a network", async () => {
  const denoDir = await Deno.makeTempDir();
  try {
    const path = `${denoDir}/${ARCHIVE}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(path, BASE);
    const { env } = await provideBase("x86_64-unknown-linux-gnu", {
      denortBin: "",
      denoDir,
      releases: "http://127.0.0.1:1",
    });
    assertEquals(env, { DENO_DIR: denoDir });
  } finally {
    await Deno.remove(denoDir, { recursive: true });
  }
});
