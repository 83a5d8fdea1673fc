import { findProgram, missing } from "./requirements.ts";

/** A toolchain whose programs run under any `HOME`. */
export interface Toolchain {
  /** The real `cargo`, never a rustup proxy. */
  readonly cargo: string;
  /** The `rustc` beside it. */
  readonly rustc: string;
  /** `1.95.0` */
  readonly version: string;
}

/** The first cargo with credential providers. */
const MINIMUM = [1, 74] as const;
const SUFFIX = Deno.build.os === "windows" ? ".exe" : "";

let found: Toolchain | undefined;

/**
 * Finds a cargo of at least 1.74, and remembers it.
 *
 * A `cargo` on `PATH` may be rustup's proxy, which picks a toolchain by what
 * lies in `HOME`: under a throw-away home it finds none. So the toolchain's own
 * programs are resolved here.
 *
 * @returns The toolchain, `undefined` if there is none.
 */
export async function findToolchain(): Promise<Toolchain | undefined> {
  found ??= await search();
  return found;
}

/**
 * The same for tests, which fail without a toolchain.
 *
 * @returns The toolchain.
 * @throws {Error} If there is none.
 */
export async function toolchain(): Promise<Toolchain> {
  return await findToolchain() ??
    missing("cargo 1.74 or later", "install Rust (https://rustup.rs)");
}

async function search(): Promise<Toolchain | undefined> {
  for await (const cargo of candidates()) {
    const rustc = cargo.replace(/cargo(\.exe)?$/, `rustc${SUFFIX}`);
    const [version, compiler] = await Promise.all([
      output(cargo, ["--version"]),
      output(rustc, ["--version"]),
    ]);
    const match = /^cargo ((\d+)\.(\d+)\.\d+)/.exec(version);
    if (match === null || compiler === "") continue;
    const [, full = "", major, minor] = match;
    if (
      Number(major) > MINIMUM[0] ||
      (Number(major) === MINIMUM[0] && Number(minor) >= MINIMUM[1])
    ) {
      return { cargo, rustc, version: full };
    }
  }
  return undefined;
}

/** Every cargo that may be a real one, the likeliest first. */
async function* candidates(): AsyncGenerator<string> {
  const homes = await userHomes();
  const path = [
    Deno.env.get("PATH") ?? "",
    ...homes.map((home) => `${home}/.cargo/bin`),
  ].join(Deno.build.os === "windows" ? ";" : ":");
  const cargo = await findProgram("cargo", path);
  if (cargo === undefined) return;
  const directory = cargo.slice(0, -`/cargo${SUFFIX}`.length);
  const rustup = `${directory}/rustup${SUFFIX}`;
  if (await Deno.stat(rustup).catch(() => null) === null) {
    yield cargo;
    return;
  }
  const asked = await output(rustup, ["which", "cargo"]);
  if (asked !== "") yield asked;
  const rustupHomes = [
    Deno.env.get("RUSTUP_HOME") ?? `${directory}/../../.rustup`,
    ...homes.map((home) => `${home}/.rustup`),
  ];
  for (const home of rustupHomes) {
    const which = await output(rustup, ["which", "cargo"], {
      RUSTUP_HOME: home,
    });
    if (which !== "") yield which;
    yield* installed(`${home}/toolchains`);
  }
}

/** The user's home as the environment has it, and as the system has it. */
async function userHomes(): Promise<string[]> {
  const homes = [Deno.env.get("HOME"), Deno.env.get("USERPROFILE")];
  if (Deno.build.os !== "windows") {
    const passwd = await Deno.readTextFile("/etc/passwd").catch(() => "");
    homes.push(
      passwd.split("\n")
        .map((line) => line.split(":"))
        .find((fields) => fields[2] === String(Deno.uid()))?.[5],
    );
  }
  return homes.filter((home) => home !== undefined);
}

async function* installed(toolchains: string): AsyncGenerator<string> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(toolchains)) names.push(entry.name);
  } catch {
    return;
  }
  // Stable before the others, which may change under the tests' feet.
  const stable = names.filter((name) => name.startsWith("stable"));
  const others = names.filter((name) => !name.startsWith("stable")).sort();
  for (const name of [...stable, ...others]) {
    yield `${toolchains}/${name}/bin/cargo${SUFFIX}`;
  }
}

async function output(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : "";
  } catch {
    return "";
  }
}
