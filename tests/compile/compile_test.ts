import { assert, assertEquals, assertMatch } from "@std/assert";
import { compile } from "../../scripts/compile.ts";
import { hasBase } from "../../scripts/denort.ts";
import { TARGETS } from "../../scripts/program.ts";
import project from "../../deno.json" with { type: "json" };
import { readEmbedded } from "../support/embedded.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "no base to compile with is there on Windows");

const target = TARGETS.find((target) => target === Deno.build.target);
/** Without a denort nothing can be compiled: `DENORT_BIN` names one. */
const ignore = target === undefined || !await hasBase(target);

/** More than this is something that nobody meant to put in. */
const MOST_BYTES = 2_000_000;

async function compileInto(directory: string): Promise<Uint8Array> {
  if (target === undefined) throw new Error("no target");
  return await Deno.readFile(await compile({ target, directory }));
}

unix.test({
  name: "compile() bakes in the permissions of the design and our files alone",
  ignore,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      const { metadata, files, bytes } = readEmbedded(
        await compileInto(directory),
      );
      const permissions = Object.entries(Object(metadata["permissions"]))
        .filter(([_, value]) => value !== null);
      assertEquals(
        Object.fromEntries(
          permissions.filter(([name]) => name !== "allow_import"),
        ),
        {
          allow_env: [],
          allow_ffi: [],
          allow_read: [],
          allow_write: [],
          allow_sys: ["uid"],
          deny_import: [],
          prompt: false,
        },
      );
      assertEquals(metadata["code_cache_key"], null);
      assertEquals(metadata["argv"], []);
      assertEquals(metadata["env_vars_from_env_file"], {});
      assertEquals(metadata["node_modules"], null);
      assert(files.includes("mod.js"), files.join());
      for (const name of files) assertMatch(name, /^[\w-]+\.js$/);
      assert(bytes < MOST_BYTES, `${bytes} bytes`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

unix.test({
  name: "compile() makes the same bytes twice, wherever they are written",
  ignore,
  fn: async () => {
    const one = await Deno.makeTempDir();
    const other = await Deno.makeTempDir();
    try {
      const [first, second] = [
        await compileInto(one),
        await compileInto(other),
      ];
      assertEquals(first.length, second.length);
      assert(first.every((byte, i) => byte === second[i]));
    } finally {
      await Deno.remove(one, { recursive: true });
      await Deno.remove(other, { recursive: true });
    }
  },
});

unix.test({
  name: "the compiled program says its version, commit, system and Deno",
  ignore,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      if (target === undefined) return;
      const program = await compile({ target, directory });
      const { stdout, code } = await run([program, "--version"], {
        cwd: directory,
        env: {},
      });
      assertEquals(code, 0);
      assertMatch(
        stdout,
        new RegExp(
          `^cargo-credential-keyring ${project.version} \\([0-9a-f]{7,}` +
            `(-dirty)?\\) ${target}, Deno \\d+\\.\\d+\\.\\d+\\n$`,
        ),
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
