import { assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { regroup } from "../../scripts/regroup.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "Deno's bundler is missing in Wine");

const CHUNKS = {
  "mod.js": `const { serve } = await import("./run_provider-A.js");
console.log(await serve());`,
  "run_provider-A.js": `import { log } from "./chunk-L.js";
export async function serve() {
  using _ = log("begin");
  await import("./secret_service_session-B.js");
  const { answer } = await import("./answer-C.js");
  return answer();
}`,
  "secret_service_session-B.js": `import "./chunk-L.js";`,
  "chunk-L.js": `let shared = 0;
export function log(text) {
  return { [Symbol.dispose]: () => console.log(text, ++shared) };
}`,
  "answer-C.js": `import { log } from "./chunk-L.js";
import { shared } from "./chunk-S.js";
export async function answer() {
  using _ = log("answer");
  await import("./open_libsecret-D.js");
  const { rare } = await import("./rare-E.js");
  return rare() + shared;
}`,
  "chunk-S.js": `export const shared = one() - Math.max(...none());
function one() {
  return one.name === "one" ? 1 : NaN;
}
function* none() {
  yield 0;
}`,
  "open_libsecret-D.js": `import "./chunk-S.js";`,
  "rare-E.js": `import { shared } from "./chunk-S.js";
export function rare() {
  return 40 + shared;
}`,
  "registry_index-F.js": "",
  "configuration-G.js": "",
};

/** Writes a bundle and puts it together; answers what `regroup()` has written. */
async function grouped(
  folder: string,
  chunks: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string>> {
  await Deno.mkdir(`${folder}/bundle`);
  for (const [name, text] of Object.entries(chunks)) {
    await Deno.writeTextFile(`${folder}/bundle/${name}`, text);
  }
  await regroup(`${folder}/bundle`, `${folder}/chunks`);
  const written = new Map<string, string>();
  for (const { name } of Deno.readDirSync(`${folder}/chunks`)) {
    const text = await Deno.readTextFile(`${folder}/chunks/${name}`);
    written.set(name.replace(/-[\w-]{8}\.js$/, ".js"), text);
  }
  return written;
}

/** The chunks that one imports, by the names of their groups. */
function importsOf(text: string | undefined): readonly string[] {
  return [...(text ?? "").matchAll(/^import .*'\.\/(\w+)-.*'/gm)]
    .map(([, name = ""]) => name);
}

async function inFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("regroup() makes one chunk of each group, which does the same", () =>
  inFolder(async (folder) => {
    const written = await grouped(folder, CHUNKS);
    assertEquals([...written.keys()].sort(), [
      "answer.js",
      "begin.js",
      "connect.js",
      "mod.js",
      "rare-E.js",
      "store.js",
    ]);
    assertEquals(importsOf(written.get("begin.js")), []);
    assertEquals(importsOf(written.get("answer.js")), ["begin"]);
    assertEquals(importsOf(written.get("store.js")), ["answer", "begin"]);
    const { stdout } = await run([
      Deno.execPath(),
      "run",
      "--no-config",
      `--allow-read=${folder}`,
      `${folder}/chunks/mod.js`,
    ], { env: { ...Deno.env.toObject(), NO_COLOR: "1" } });
    assertEquals(stdout, "begin 1\nanswer 2\n42\n");
    const declared = [...written]
      .filter(([_, text]) => /^(?:async )?function/m.test(text))
      .map(([name]) => name);
    assertEquals(declared, ["rare-E.js"]);
  }));

Deno.test("regroup() refuses a bundle without one of the modules", () =>
  inFolder(async (folder) => {
    const { "answer-C.js": _, ...others } = CHUNKS;
    await assertRejects(
      () => grouped(folder, others),
      Error,
      "no chunk for answer",
    );
  }));

unix.test("a get of the program loads a chunk for each group", () =>
  inFolder(async (folder) => {
    const root = fileURLToPath(new URL("../../", import.meta.url));
    await run([
      Deno.execPath(),
      "bundle",
      "--quiet",
      "--code-splitting",
      `--outdir=${folder}/made`,
      `${root}mod.ts`,
    ], { env: Deno.env.toObject(), cwd: root });
    const made: Record<string, string> = {};
    for (const { name } of Deno.readDirSync(`${folder}/made`)) {
      made[name] = await Deno.readTextFile(`${folder}/made/${name}`);
    }
    const written = await grouped(folder, made);
    const groups = ["begin", "connect", "answer", "store", "configuration"];
    for (const [i, group] of groups.entries()) {
      const others = importsOf(written.get(`${group}.js`));
      assertEquals(
        others.filter((name) => !groups.slice(0, i).includes(name)),
        [],
        group,
      );
    }
  }));
