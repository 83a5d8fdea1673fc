import { assertEquals, assertMatch } from "@std/assert";
import { compile } from "../../scripts/compile.ts";
import { hasBase } from "../../scripts/denort.ts";
import { TARGETS } from "../../scripts/program.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "no base to compile with is there on Windows");

const target = TARGETS.find((target) => target === Deno.build.target);
const ignore = target === undefined || !await hasBase(target);

unix.test({
  name: "the compiled program heeds neither Deno's variables nor what lies " +
    "in the current directory",
  ignore,
  fn: async () => {
    if (target === undefined) throw new Error("no target");
    const directory = await Deno.makeTempDir();
    try {
      const program = await compile({ target, directory });
      const cwd = `${directory}/project`;
      await Deno.mkdir(cwd);
      const planted = [
        "deno.json",
        "package.json",
        ".env",
        "libc.so.6",
        "libsecret-1.so.0",
      ];
      for (const name of planted) {
        await Deno.writeTextFile(`${cwd}/${name}`, "{ not this");
      }
      const env = {
        HOME: directory,
        DENO_CERT: "/nowhere",
        DENO_DIR: "/nowhere",
        DENO_NO_PROMPT: "0",
        DENO_V8_FLAGS: "--no-such-flag",
        NODE_OPTIONS: "--no-such-option",
      };
      const version = await run([program, "--version"], { env, cwd });
      assertEquals([version.code, version.stderr], [0, ""]);
      assertMatch(version.stdout, /^cargo-credential-keyring \d/);
      const hello = await run([program, "--cargo-plugin"], { env, cwd });
      assertEquals([hello.code, hello.stdout, hello.stderr], [
        0,
        '{"v":[1]}\n',
        "",
      ]);
      const found = [...Deno.readDirSync(cwd)].map(({ name }) => name);
      assertEquals(found.sort(), planted.sort());
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
