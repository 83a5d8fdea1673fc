/**
 * Debian packages in a folder: downloaded from the mirror that this machine
 * already uses, unpacked, and never installed.
 *
 * @module
 */

/** How long one step may take. */
const STEP_MS = 10 * 60_000;

/** What is missing on this machine, and how to get it. */
export class DebianError extends Error {
  override name = "DebianError";
}

/**
 * Unpacks packages.
 *
 * @param suite The Debian release, by its name.
 * @param packages Their names; what they depend on is not added.
 * @param folder Where what is downloaded may lie meanwhile.
 * @param root Where they are unpacked.
 */
export async function unpackDebian(
  suite: string,
  packages: readonly string[],
  folder: string,
  root: string,
): Promise<void> {
  const apt = `${folder}/apt`;
  await remove(apt);
  await Deno.mkdir(`${apt}/debs`, { recursive: true });
  await Deno.mkdir(`${apt}/state/lists/partial`, { recursive: true });
  await Deno.mkdir(`${apt}/cache/archives/partial`, { recursive: true });
  await Deno.writeTextFile(`${apt}/status`, "");
  await Deno.writeTextFile(
    `${apt}/sources.list`,
    `deb ${await debianMirror()} ${suite} main\n`,
  );
  const aptGet = [
    "apt-get",
    "--quiet",
    ...[
      `Dir::State=${apt}/state`,
      `Dir::State::status=${apt}/status`,
      `Dir::Cache=${apt}/cache`,
      `Dir::Etc::sourcelist=${apt}/sources.list`,
      "Dir::Etc::sourceparts=/dev/null",
      // Else the user _apt downloads, who may not enter root's home.
      `APT::Sandbox::User=${Deno.uid() === 0 ? "root" : ""}`,
    ].flatMap((option) => ["--option", option]),
  ];
  await output([...aptGet, "update"]);
  await output([...aptGet, "download", ...packages], { cwd: `${apt}/debs` });
  for await (const { name } of Deno.readDir(`${apt}/debs`)) {
    await output(["dpkg-deb", "--extract", `${apt}/debs/${name}`, root]);
  }
  await remove(apt);
}

/** The Debian mirror that this machine's own packages come from. */
export async function debianMirror(): Promise<string | undefined> {
  const targets = await output([
    "apt-get",
    "indextargets",
    "--format",
    "$(ORIGIN) $(LABEL) $(REPO_URI)",
    "Created-By: Packages",
  ]);
  return targets.split("\n")
    .find((line) => line.startsWith("Debian Debian "))?.split(" ")[2];
}

/** Where a thing of the tests is kept: as its own variable says, or the cache. */
export function cacheFolder(name: string): string {
  const variable = `CARGO_CREDENTIAL_KEYRING_${
    name.toUpperCase().replaceAll("-", "_")
  }`;
  const own = Deno.env.get(variable) || undefined;
  if (own !== undefined) return own;
  const cache = Deno.env.get("XDG_CACHE_HOME") || undefined;
  const home = Deno.env.get("HOME");
  if (cache === undefined && home === undefined) {
    throw new DebianError(
      `Set ${variable} to a folder for ${name}: there is no HOME.`,
    );
  }
  return `${cache ?? `${home}/.cache`}/cargo-credential-keyring/${name}`;
}

/** How {@linkcode output} runs a command. */
export interface OutputOptions {
  /** Its whole environment; absent: that of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Runs a command and gives what it prints.
 *
 * @throws {DebianError} If it fails or takes too long, with what it said.
 * @throws {Deno.errors.NotFound} If there is no such program.
 */
export async function output(
  command: readonly string[],
  options: OutputOptions = {},
): Promise<string> {
  const [program = "", ...args] = command;
  const { env, cwd } = options;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...(env === undefined ? {} : { env: { ...env }, clearEnv: true }),
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(STEP_MS),
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) {
    throw new DebianError(
      `${command.join(" ")} failed (${code}):\n${decoder.decode(stderr)}`,
    );
  }
  return decoder.decode(stdout);
}

export async function remove(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
