import { assertEquals, assertMatch } from "@std/assert";
import { zipSync } from "fflate";
import { fileURLToPath } from "node:url";
import { hasBase, provideBase } from "../../scripts/denort.ts";
import { TARGETS } from "../../scripts/program.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "no base to compile with is there on Windows");

const target = TARGETS.find((target) => target === Deno.build.target);
const ignore = target === undefined || !await hasBase(target);

const COMPILE = new URL("../../scripts/compile.ts", import.meta.url).href;

unix.test({
  name: "compile() takes the archive in DENO_DIR where there is no network",
  ignore,
  fn: async () => {
    if (target === undefined) throw new Error("no target");
    const root = await Deno.makeTempDir({ prefix: "air-gap-" });
    try {
      const info = await run([Deno.execPath(), "info", "--json"], {
        env: Deno.env.toObject(),
      });
      const { denoDir }: { denoDir: string } = JSON.parse(info.stdout);
      // As copied from a machine that has compiled once.
      const cache = `${root}/deno`;
      const folder = `${cache}/dl/release/v${Deno.version.deno}`;
      await Deno.mkdir(folder, { recursive: true });
      await Deno.symlink(`${denoDir}/npm`, `${cache}/npm`);
      for await (const { name } of Deno.readDir(`${denoDir}/dl`)) {
        if (name === "release") continue;
        await Deno.symlink(`${denoDir}/dl/${name}`, `${cache}/dl/${name}`);
      }
      const archive = `denort-${target}.zip`;
      const { env: { DENORT_BIN: base } } = await provideBase(target);
      await Deno.writeFile(
        `${folder}/${archive}`,
        base === undefined
          ? await Deno.readFile(
            `${denoDir}/dl/release/v${Deno.version.deno}/${archive}`,
          )
          : zipSync({ denort: await Deno.readFile(base) }, { level: 1 }),
      );
      const script = `import { compile } from ${JSON.stringify(COMPILE)};
console.log(await compile(${
        JSON.stringify({ target, directory: `${root}/out` })
      }));`;
      await Deno.writeTextFile(`${root}/compile.ts`, script);
      const made = await run([
        Deno.execPath(),
        "run",
        "--allow-all",
        "--config",
        fileURLToPath(new URL("../../deno.json", import.meta.url)),
        `${root}/compile.ts`,
      ], {
        env: {
          PATH: Deno.env.get("PATH") ?? "",
          HOME: root,
          DENO_DIR: cache,
          // Whoever asks the network gets no answer.
          HTTPS_PROXY: "http://127.0.0.1:9",
          HTTP_PROXY: "http://127.0.0.1:9",
        },
      });
      assertEquals(made.code, 0, made.stderr);
      const version = await run([made.stdout.trim(), "--version"], { env: {} });
      assertEquals(version.code, 0, version.stderr);
      assertMatch(version.stdout, /^cargo-credential-keyring \d/);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
