/**
 * Packs compiled programs into a release:
 *
 * ```sh
 * deno task release --out DIRECTORY [--base-url URL]
 * ```
 *
 * It takes every `dist/TARGET/` that there is, and writes the archives, the
 * Debian packages, the installers, the manifests of package managers, the bill
 * of materials and the checksums. The man page and the completions come from
 * the program of this system. Nothing is uploaded, and the same programs give
 * the same bytes.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { zipSync } from "fflate";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { print, printError } from "../print.ts";
import { type Target, TARGETS } from "../program.ts";
import { buildDeb, DEB_ARCHITECTURES } from "./deb.ts";
import { renderInstallPs1 } from "./install_ps1.ts";
import { renderInstallSh } from "./install_sh.ts";
import { renderBinstall, renderFormula, renderScoop } from "./packages.ts";
import {
  archiveName,
  HOMEPAGE,
  PROGRAM,
  type Release,
  type ReleaseFile,
} from "./release.ts";
import { componentsOf, renderSbom } from "./sbom.ts";
import { output, ToolError } from "./tool.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const SHELLS = [
  ["bash", `${PROGRAM}.bash`],
  ["zsh", `_${PROGRAM}`],
  ["fish", `${PROGRAM}.fish`],
  ["powershell", `${PROGRAM}.ps1`],
] as const;

/** What {@linkcode buildRelease} takes and makes. */
export interface BuildOptions {
  /** A folder with a folder for each target, as `deno task compile` makes it. */
  readonly programs: string;
  /** Where everything is written; it is created. */
  readonly out: string;
  /** Where it will be read, without a last slash. */
  readonly baseUrl?: string;
}

/**
 * Packs a release.
 *
 * @param options What to pack, and where to put it.
 * @returns What was packed.
 * @throws {ToolError} If a tool fails, or there is nothing to pack.
 */
export async function buildRelease(options: BuildOptions): Promise<Release> {
  const { programs, out } = options;
  const { version } = project;
  const baseUrl = options.baseUrl ??
    `${HOMEPAGE}/releases/download/v${version}`;
  const targets = TARGETS.filter((target) => isThere(`${programs}/${target}`));
  if (targets.length === 0) throw new ToolError(`${programs} has no program`);
  await Deno.mkdir(out, { recursive: true });
  const work = await Deno.makeTempDir({ prefix: "release-" });
  try {
    await documents(`${programs}/${Deno.build.target}`, `${work}/documents`);
    const files: ReleaseFile[] = [];
    for (const target of targets) {
      const archive = archiveName(version, target);
      await pack(
        target,
        `${work}/${archive.replace(/\.(?:zip|tar\.gz)$/, "")}`,
        {
          programs,
          documents: `${work}/documents`,
          archive: `${out}/${archive}`,
        },
      );
      files.push({
        target,
        archive,
        sha256: await sha256(`${out}/${archive}`),
      });
      const architecture = DEB_ARCHITECTURES[target];
      if (architecture !== undefined) {
        await buildDeb({
          version,
          architecture,
          program: `${programs}/${target}/${PROGRAM}`,
          documents: `${work}/documents`,
          licences: ROOT,
          work: `${work}/deb-${architecture}`,
          out,
        });
      }
    }
    const release: Release = { version, baseUrl, files };
    await render(release, out);
    return release;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** The man page and the completions, by the program of this system. */
async function documents(programs: string, folder: string): Promise<void> {
  const program = `${programs}/${PROGRAM}`;
  if (!isThere(program)) {
    throw new ToolError(
      `${program} is missing: the man page and the completions come from it`,
    );
  }
  await Deno.mkdir(`${folder}/man`, { recursive: true });
  await Deno.mkdir(`${folder}/completions`);
  await Deno.writeTextFile(
    `${folder}/man/${PROGRAM}.1`,
    await output([program, "man"]),
  );
  for (const [shell, name] of SHELLS) {
    await Deno.writeTextFile(
      `${folder}/completions/${name}`,
      await output([program, "completion", shell]),
    );
  }
}

/** Puts one system's archive together, sorted and with fixed times. */
async function pack(
  target: Target,
  folder: string,
  from: { programs: string; documents: string; archive: string },
): Promise<void> {
  const windows = target.includes("windows");
  const name = windows ? `${PROGRAM}.exe` : PROGRAM;
  await Deno.mkdir(`${folder}/man`, { recursive: true });
  await Deno.mkdir(`${folder}/completions`);
  await Deno.copyFile(
    `${from.programs}/${target}/${name}`,
    `${folder}/${name}`,
  );
  await Deno.chmod(`${folder}/${name}`, 0o755);
  for (const text of ["LICENSE-MIT", "LICENSE-APACHE", "README.md"]) {
    await Deno.copyFile(`${ROOT}${text}`, `${folder}/${text}`);
  }
  for (const each of ["man", "completions"]) {
    for await (const file of Deno.readDir(`${from.documents}/${each}`)) {
      await Deno.copyFile(
        `${from.documents}/${each}/${file.name}`,
        `${folder}/${each}/${file.name}`,
      );
    }
  }
  const top = folder.slice(folder.lastIndexOf("/") + 1);
  if (windows) {
    const content: Record<string, Uint8Array> = {};
    for (const path of filesIn(folder, "")) {
      content[`${top}/${path}`] = await Deno.readFile(`${folder}/${path}`);
    }
    // Archives of this kind know no time before 1980.
    const mtime = new Date(Math.max(epoch(), 315_619_200) * 1000);
    await Deno.writeFile(from.archive, zipSync(content, { mtime, level: 9 }));
    return;
  }
  await output([
    "tar",
    "--create",
    "--sort=name",
    `--mtime=@${epoch()}`,
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--use-compress-program=gzip -9n",
    `--file=${from.archive}`,
    `--directory=${folder.slice(0, -top.length)}`,
    top,
  ]);
}

async function render(release: Release, out: string): Promise<void> {
  await Deno.writeTextFile(`${out}/install.sh`, renderInstallSh(release));
  await Deno.writeTextFile(`${out}/install.ps1`, renderInstallPs1(release));
  await Deno.writeTextFile(`${out}/binstall.toml`, renderBinstall(release));
  if (release.files.length === TARGETS.length) {
    await Deno.writeTextFile(`${out}/${PROGRAM}.rb`, renderFormula(release));
    await Deno.writeTextFile(`${out}/${PROGRAM}.json`, renderScoop(release));
  }
  const lock: Parameters<typeof componentsOf>[0] = JSON.parse(
    await Deno.readTextFile(`${ROOT}deno.lock`),
  );
  const used = await usedPackages();
  const components = componentsOf(lock).filter(({ name, version }) =>
    used.has(`${name}@${version}`)
  );
  await Deno.writeTextFile(
    `${out}/${PROGRAM}-${release.version}.spdx.json`,
    renderSbom({
      version: release.version,
      deno: Deno.version.deno,
      created: new Date(epoch() * 1000),
      components,
    }),
  );
  const names = [...Deno.readDirSync(out)].map(({ name }) => name)
    .filter((name) => name !== "SHA256SUMS").sort();
  const sums: string[] = [];
  for (const name of names) {
    sums.push(`${await sha256(`${out}/${name}`)}  ${name}\n`);
  }
  await Deno.writeTextFile(`${out}/SHA256SUMS`, sums.join(""));
}

/** The packages that the program imports, and those that they need. */
async function usedPackages(): Promise<ReadonlySet<string>> {
  interface Info {
    readonly modules: readonly { readonly npmPackage?: string }[];
    readonly npmPackages: Readonly<
      Record<
        string,
        { name: string; version: string; dependencies: readonly string[] }
      >
    >;
  }
  const { modules, npmPackages }: Info = JSON.parse(
    await output([Deno.execPath(), "info", "--json", `${ROOT}mod.ts`]),
  );
  const used = new Set<string>();
  const add = (key: string): void => {
    const found = npmPackages[key];
    const id = found && `${found.name}@${found.version}`;
    if (found === undefined || id === undefined || used.has(id)) return;
    used.add(id);
    found.dependencies.forEach(add);
  };
  for (const { npmPackage } of modules) {
    if (npmPackage !== undefined) add(npmPackage);
  }
  return used;
}

function epoch(): number {
  return Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? 0);
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    await Deno.readFile(path),
  );
  return new Uint8Array(digest).toHex();
}

function* filesIn(folder: string, prefix: string): Generator<string> {
  const entries = [...Deno.readDirSync(folder)]
    .sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* filesIn(`${folder}/${name}`, `${prefix}${name}/`);
    else yield `${prefix}${name}`;
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

async function main(): Promise<number> {
  let known = true;
  const options = parseArgs(Deno.args, {
    string: ["out", "base-url"],
    collect: ["out", "base-url"],
    unknown: () => known = false,
  });
  const [out] = options.out;
  const [baseUrl] = options["base-url"];
  if (!known || out === undefined || options._.length > 0) {
    printError("usage: deno task release --out DIRECTORY [--base-url URL]");
    return 2;
  }
  try {
    const { files } = await buildRelease({
      programs: `${ROOT}dist`,
      out,
      ...(baseUrl === undefined ? {} : { baseUrl }),
    });
    for (const { archive, sha256 } of files) print(`${sha256}  ${archive}`);
    return 0;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    printError(`error: ${error.message}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
