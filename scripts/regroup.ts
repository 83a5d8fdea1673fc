import { type AstNodeLocation, type Plugin, rollup } from "@rollup/wasm-node";
import { basename, isAbsolute } from "node:path";

/**
 * What a `get` loads, one after the other: the modules that are imported when
 * it begins, to connect to the store, to answer, to ask the store, and where
 * cargo's configuration matters.
 */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  begin: ["run_provider"],
  connect: ["secret_service_session"],
  answer: ["answer"],
  store: ["open_libsecret"],
  configuration: ["registry_index", "configuration"],
};

/**
 * Puts the chunks of a bundle that a `get` loads into one for each group. Deno
 * makes a chunk for each set of entry points that share a module, nearly forty
 * for a `get`, and each takes time to be found, compiled and linked.
 *
 * @param bundle The folder with the bundle; `mod.js` is its entry point.
 * @param output The folder that the chunks are written to.
 * @throws {Error} If the bundle has no chunk for one of the groups.
 */
export async function regroup(bundle: string, output: string): Promise<void> {
  const groups = await readGroups(bundle);
  const build = await rollup({
    input: `${bundle}/mod.js`,
    external: (id) => !id.startsWith(".") && !isAbsolute(id),
    // Deno has done it.
    treeshake: false,
    onLog: () => {},
  });
  try {
    await build.write({
      dir: output,
      entryFileNames: "mod.js",
      chunkFileNames: "[name]-[hash].js",
      manualChunks: (id) => groups.get(basename(id)),
      plugins: [COMPILED_AT_ONCE],
    });
  } finally {
    await build.close();
  }
}

/**
 * Has V8 compile the functions of these chunks with the chunk itself, as it
 * does with a function in parentheses, which it takes to be called at once.
 * Others it looks through first, and reads again when they are called: most of
 * these are.
 */
const COMPILED_AT_ONCE: Plugin = {
  name: "compiled-at-once",
  renderChunk(code, { name }): string | null {
    if (!(name in GROUPS)) return null;
    let functions = "";
    let others = "";
    let end = 0;
    for (const node of this.parse(code).body) {
      if (node.type !== "FunctionDeclaration") continue;
      const place = node as typeof node & AstNodeLocation;
      const text = code.slice(place.start, place.end);
      // A declaration is there before all else, and so is this.
      functions += `var ${node.id.name} = (${text});\n`;
      others += code.slice(end, place.start);
      end = place.end;
    }
    return functions + others + code.slice(end);
  },
};

/** The group of each chunk that is in one; the first that needs it has it. */
async function readGroups(
  bundle: string,
): Promise<ReadonlyMap<string, string>> {
  const names = [...Deno.readDirSync(bundle)].map(({ name }) => name);
  const groups = new Map<string, string>();
  for (const [group, modules] of Object.entries(GROUPS)) {
    const add = async (chunk: string): Promise<void> => {
      if (groups.has(chunk)) return;
      groups.set(chunk, group);
      const text = await Deno.readTextFile(`${bundle}/${chunk}`);
      for (const [, imported = ""] of text.matchAll(IMPORT)) {
        await add(imported);
      }
    };
    for (const module of modules) {
      const chunk = names.find((name) => name.startsWith(`${module}-`));
      if (chunk === undefined) throw new Error(`no chunk for ${module}`);
      await add(chunk);
    }
  }
  return groups;
}

/** A static import of another chunk, as Deno writes it. */
const IMPORT = /^(?:import|export)\b[^;"]*"\.\/([^"]+)";$/gm;
