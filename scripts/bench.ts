/**
 * How fast the compiled program is, beside other programs that read the same
 * store:
 *
 * ```sh
 * deno task bench [--rounds N] [--program FILE]… [--only CASE]…
 * ```
 *
 * Every program is run once in each round, in an order that is drawn for it,
 * and what is printed are ratios within a round: a machine that is slow for a
 * while is slow for both sides. Everything lies in a throw-away home and on a
 * bus of its own. Linux.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fileURLToPath } from "node:url";
import {
  onMachineOf,
  startCredentialService,
} from "../tests/support/credential_service.ts";
import { findProgram, missing } from "../tests/support/requirements.ts";
import { run } from "../tests/support/run.ts";
import {
  type NewItem,
  type SessionBus,
  startSessionBus,
} from "../tests/support/session_bus.ts";
import { TestHome } from "../tests/support/test_home.ts";
import { median, ratio, type Span } from "./bench/statistics.ts";
import { PHASES, readPhases } from "./bench/phases.ts";
import { compile, compileEmpty } from "./compile.ts";
import { BaseError } from "./denort.ts";
import { print, printError, styled } from "./print.ts";
import { setUp, SetUpError } from "../tests/harness/set_up.ts";

/** Beside what a bus of its own takes: what the program is compared with. */
const PACKAGES = [
  "dbus-daemon",
  "gcc",
  "gnome-keyring",
  "golang-docker-credential-helpers",
  "libc6-dev",
  "libsecret-1-0",
  "libsecret-tools",
  "python3",
  "python3-gi",
  "python3-keyring",
  "strace",
];

const SCHEMA = "org.rust-lang.cargo.registry";
const TOKEN = `bench-${crypto.randomUUID()}`;
const SIZES = [1, 10, 100, 1000] as const;

/** What one run took: milliseconds and MiB. */
interface Run {
  readonly total: number;
  readonly first: number;
  readonly cpu: number;
  readonly rss: number;
}

/** One way to run one program. */
interface Case {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  /** What must be in its output, which is looked at before anything is timed. */
  readonly says?: string;
  /** What is run before it, untimed. */
  readonly before?: () => Promise<void>;
}

type Measure = keyof Run;
type Runs = ReadonlyMap<string, readonly Run[]>;

function indexUrl(number: number): string {
  return `sparse+https://registry-${number}.example/index/`;
}

function request(url: string, name: string): string {
  return `${
    JSON.stringify({
      v: 1,
      registry: { "index-url": url, name, headers: [] },
      kind: "get",
      operation: "read",
      args: [],
    })
  }\n`;
}

/** A cargo home with so many registries, and a bus with as many items. */
async function sizedHome(
  root: string,
  size: number,
  provider: string,
): Promise<{ readonly cargoHome: string; readonly bus: SessionBus }> {
  const cargoHome = `${root}/home-${size}`;
  await Deno.mkdir(cargoHome);
  const numbers = Array.from({ length: size }, (_, i) => i);
  await Deno.writeTextFile(
    `${cargoHome}/config.toml`,
    `[registry]\nglobal-credential-providers = ["cargo:token", "${provider}"]\n` +
      numbers.map((i) =>
        `\n[registries.registry-${i}]\nindex = "${indexUrl(i)}"\n`
      ).join(""),
  );
  const bus = await startSessionBus();
  await bus.store(numbers.map((i): NewItem => ({
    attributes: { "xdg:schema": SCHEMA, url: indexUrl(i) },
    secret: i === 0 ? TOKEN : `${TOKEN}-${i}`,
    label: `cargo-registry:registry-${i}`,
  })));
  return { cargoHome, bus };
}

/** Everything that is run, under names that the report knows. */
async function prepare(
  root: string,
  programs: readonly string[],
  stack: AsyncDisposableStack,
): Promise<Map<string, Case>> {
  const [program = ""] = programs;
  const cases = new Map<string, Case>();
  const input = request(indexUrl(0), "registry-0");
  const empty = `${root}/empty.js`;
  await Deno.writeTextFile(empty, "");
  let env: Readonly<Record<string, string>> = {};
  for (const size of SIZES) {
    const { cargoHome, bus } = await sizedHome(root, size, program);
    stack.use(bus);
    const here = { ...bus.env, CARGO_HOME: cargoHome };
    if (size === 1) env = here;
    cases.set(`get-${size}`, {
      command: [program, "--cargo-plugin"],
      env: here,
      input,
      says: TOKEN,
    });
  }
  for (const [number, other] of programs.entries()) {
    cases.set(`program-${number}`, {
      command: [other, "--cargo-plugin"],
      env,
      input,
      says: TOKEN,
    });
  }
  cases.set("empty", {
    command: [Deno.execPath(), "run", "--allow-all", "--no-check", empty],
    env,
  });
  cases.set("empty-compiled", {
    command: [await compileEmpty(`${root}/compiled`)],
    env,
  });
  cases.set("variable", {
    command: [program, "--cargo-plugin"],
    env: { ...env, CARGO_REGISTRIES_REGISTRY_0_TOKEN: TOKEN },
    input,
    says: TOKEN,
  });
  cases.set("not-stored", {
    command: [program, "--cargo-plugin"],
    env,
    input: request(indexUrl(9999), "registry-9999"),
    says: "not-found",
  });
  cases.set("secret-tool", {
    command: [
      "secret-tool",
      "lookup",
      "xdg:schema",
      SCHEMA,
      "url",
      indexUrl(0),
    ],
    env,
    says: TOKEN,
  });

  const docker = "docker-credential-secretservice";
  const login = { ServerURL: "docker.example", Username: "u", Secret: TOKEN };
  await run([docker, "store"], { env, stdin: JSON.stringify(login) });
  cases.set("docker", {
    command: [docker, "get"],
    env,
    input: "docker.example\n",
    says: TOKEN,
  });
  const keyring = ["/usr/bin/python3", "-m", "keyring"] as const;
  await run([...keyring, "set", "bench", "u"], { env, stdin: `${TOKEN}\n` });
  cases.set("python", {
    command: [...keyring, "get", "bench", "u"],
    env,
    says: TOKEN,
  });

  await prepareSystemd(root, program, input, env, cases, stack);
  await prepareCargo(program, cases, stack);
  return cases;
}

/** A credential that systemd decrypts, and no bus. */
async function prepareSystemd(
  root: string,
  program: string,
  input: string,
  env: Readonly<Record<string, string>>,
  cases: Map<string, Case>,
  stack: AsyncDisposableStack,
): Promise<void> {
  const service = stack.use(await startCredentialService());
  if (!service.real) return;
  const cargoHome = `${root}/home-systemd`;
  await Deno.mkdir(cargoHome);
  await Deno.copyFile(
    `${root}/home-1/config.toml`,
    `${cargoHome}/config.toml`,
  );
  const here = {
    PATH: env["PATH"] ?? "",
    HOME: env["HOME"] ?? "",
    CARGO_HOME: cargoHome,
    CARGO_CREDENTIAL_KEYRING_STORE: "systemd",
  };
  const there = onMachineOf(service);
  const login: Case["input"] = `${
    JSON.stringify({ ...JSON.parse(input), kind: "login", token: TOKEN })
  }\n`;
  await run([...there, program, "--cargo-plugin"], { env: here, stdin: login });
  cases.set("systemd", {
    command: [...there, "@", program, "--cargo-plugin"],
    env: here,
    input,
    says: TOKEN,
  });
}

/** The real cargo, with its own provider and with this one. */
async function prepareCargo(
  program: string,
  cases: Map<string, Case>,
  stack: AsyncDisposableStack,
): Promise<void> {
  const bus = stack.use(await startSessionBus());
  const home = stack.use(
    await TestHome.create({
      registries: { alt: { tokens: [TOKEN] } },
      providers: [program],
      bus,
    }),
  );
  const crate = await home.crate("foo");
  const registry = ["--registry", "alt"];
  await home.cargo(["login", ...registry], { stdin: TOKEN });
  await home.cargo(["publish", "--no-verify", ...registry], { cwd: crate });
  const yank = home.command(["yank", "foo@0.1.0", ...registry]);
  const undo = async (): Promise<void> => {
    await home.cargo(["yank", "--undo", "foo@0.1.0", ...registry]);
  };
  for (
    const [name, provider] of [
      ["yank-libsecret", "cargo:libsecret"],
      ["yank", program],
    ] as const
  ) {
    const cargoHome = `${home.root}/${name}`;
    await Deno.mkdir(cargoHome);
    await Deno.writeTextFile(
      `${cargoHome}/config.toml`,
      `[registries.alt]\nindex = "${home.registry().indexUrl}"\n` +
        `[registry]\nglobal-credential-providers = ["${provider}"]\n`,
    );
    cases.set(name, {
      command: yank,
      env: { ...home.env, CARGO_HOME: cargoHome },
      cwd: home.work,
      before: undo,
    });
  }
}

/** Runs all the cases, round by round. */
class Bench {
  readonly #root: string;
  readonly #stopwatch: string;
  readonly #cases: ReadonlyMap<string, Case>;

  constructor(
    root: string,
    stopwatch: string,
    cases: ReadonlyMap<string, Case>,
  ) {
    this.#root = root;
    this.#stopwatch = stopwatch;
    this.#cases = cases;
  }

  /** Makes sure that each case does what it should; this warms up, too. */
  async check(): Promise<void> {
    for (const [name, each] of this.#cases) {
      const { env, input = "", says = "", cwd, before } = each;
      await before?.();
      const { code, stdout, stderr } = await run(
        command(each.command, []),
        { env, stdin: input, ...(cwd === undefined ? {} : { cwd }) },
      );
      if (code !== 0 || !stdout.includes(says)) {
        throw new Error(`${name} failed (${code}): ${stdout}${stderr}`);
      }
      await Deno.writeTextFile(`${this.#root}/input-${name}`, input);
    }
  }

  async rounds(count: number): Promise<Runs> {
    const runs = new Map<string, Run[]>();
    for (let round = 0; round < count; round++) {
      const order = [...this.#cases].map((each) =>
        [Math.random(), each] as const
      )
        .sort(([a], [b]) => a - b);
      for (const [, [name, each]] of order) {
        const list = runs.get(name) ?? [];
        runs.set(name, list);
        await each.before?.();
        list.push(await this.#time(name, each));
      }
    }
    return runs;
  }

  async #time(name: string, { command: given, env, cwd }: Case): Promise<Run> {
    const [program, ...args] = command(given, [
      this.#stopwatch,
      `${this.#root}/input-${name}`,
    ]);
    const { stdout } = await new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    const taken: Run & { readonly ok: boolean } = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    if (!taken.ok) throw new Error(`${name} failed`);
    return taken;
  }

  /** Where the time of one case goes: the medians of its phases. */
  async phases(name: string, count: number): Promise<readonly number[]> {
    const each = this.#cases.get(name);
    if (each === undefined) return [];
    const all: (readonly number[])[] = [];
    for (let i = 0; i < count; i++) {
      all.push(
        await readPhases(
          each.command,
          each.env,
          `${this.#root}/input-${name}`,
          `${this.#root}/trace`,
        ),
      );
    }
    return PHASES.map((_, phase) =>
      median(all.map((phases) => phases[phase] ?? NaN))
    );
  }
}

/** A command in which `@` stands for what is put before its program. */
function command(
  given: Case["command"],
  before: readonly string[],
): [string, ...string[]] {
  const at = given.indexOf("@");
  const [first = "", ...rest] = [
    ...given.slice(0, Math.max(at, 0)),
    ...before,
    ...given.slice(at + 1),
  ];
  return [first, ...rest];
}

function report(runs: Runs): void {
  const values = (name: string, measure: Measure = "total"): number[] =>
    (runs.get(name) ?? []).map((run) => run[measure]);
  const sum = (one: string, other: string): number[] => {
    const more = values(other);
    return values(one).map((value, i) => value + (more[i] ?? NaN));
  };
  const line = (what: string, { middle, low, high }: Span, bar = ""): void => {
    if (Number.isNaN(middle)) return;
    const spread = `${low.toFixed(2)} to ${high.toFixed(2)}`;
    print(
      `${what.padEnd(62)}${middle.toFixed(2).padStart(7)}  ${
        spread.padEnd(16)
      }${bar}`,
    );
  };

  print(styled("bold", "\nMedians"));
  print(
    `${"".padEnd(22)}${"ms".padStart(8)}${"first byte".padStart(12)}${
      "CPU ms".padStart(9)
    }${"peak MiB".padStart(10)}`,
  );
  const names = [...runs.keys()]
    .sort((a, b) => median(values(a)) - median(values(b)));
  for (const name of names) {
    const cell = (measure: Measure, width: number): string =>
      median(values(name, measure)).toFixed(1).padStart(width);
    print(
      name.padEnd(22) + cell("total", 8) + cell("first", 12) + cell("cpu", 9) +
        cell("rss", 10),
    );
  }

  print(styled("bold", "\nRatios within a round: median, 95 % of it, bar"));
  const deno = sum("empty", "secret-tool");
  line(
    "get / (empty Deno script + secret-tool lookup)",
    ratio(values("get-1"), deno),
    "1.1",
  );
  line(
    "get / docker-credential-secretservice get",
    ratio(values("get-1"), values("docker")),
    "2.2",
  );
  line(
    "get / keyring get (Python)",
    ratio(values("get-1"), values("python")),
    "0.25",
  );
  line(
    "get from a variable / empty Deno script",
    ratio(values("variable"), values("empty")),
    "1.15",
  );
  line(
    "get with 10 registries and items / with one",
    ratio(values("get-10"), values("get-1")),
  );
  line("get with 100", ratio(values("get-100"), values("get-1")));
  line("get with 1,000", ratio(values("get-1000"), values("get-1")), "1.3");
  line(
    "get, not stored / get, stored",
    ratio(values("not-stored"), values("get-1")),
  );
  line("get from systemd / get", ratio(values("systemd"), values("get-1")));
  line(
    "peak memory of get / of a compiled empty program",
    ratio(values("get-1", "rss"), values("empty-compiled", "rss")),
    "1.35",
  );
  line(
    "time to hello / empty Deno script",
    ratio(values("get-1", "first"), values("empty")),
  );
  const cargo = values("yank-libsecret");
  const more = values("yank").map((value, i) => value - (cargo[i] ?? NaN));
  line(
    "cargo yank, ms more than with cargo:libsecret",
    ratio(more, more.map(() => 1)),
    `${(median(values("empty")) + 10).toFixed(1)} (an empty script + 10)`,
  );

  const others = [...runs.keys()].filter((name) => name.startsWith("program-"));
  if (others.length < 2) return;
  print(styled("bold", "\nThe programs, each to the first one"));
  for (const name of others) {
    line(name, ratio(values(name), values("program-0")));
    line(`${name} / (empty + secret-tool)`, ratio(values(name), deno));
  }
}

async function main(): Promise<number> {
  const { rounds: [rounds = "40"], program: given, only, _: rest } = parseArgs(
    Deno.args,
    {
      string: ["rounds", "program", "only"],
      collect: ["rounds", "program", "only"],
    },
  );
  if (rest.length > 0 || !(Number(rounds) > 0)) {
    printError(
      "usage: deno task bench [--rounds N] [--program FILE]… [--only CASE]…",
    );
    return 2;
  }
  try {
    await setUp(PACKAGES);
    const root = await Deno.makeTempDir({ prefix: "bench-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(root, { recursive: true }));
    const target = "x86_64-unknown-linux-gnu";
    const programs = given.length > 0
      ? given
      : [await compile({ target, directory: `${root}/program` })];
    const compiler = await findProgram("cc") ?? missing("cc", "install gcc");
    const stopwatch = `${root}/stopwatch`;
    await run([
      compiler,
      "-O2",
      "-o",
      stopwatch,
      fileURLToPath(new URL("bench/stopwatch.c", import.meta.url)),
    ], { env: { PATH: Deno.env.get("PATH") ?? "" } });
    const cases = await prepare(root, programs, stack);
    for (const name of cases.keys()) {
      if (only.length > 0 && !only.includes(name)) cases.delete(name);
    }
    const bench = new Bench(root, stopwatch, cases);
    await bench.check();
    report(await bench.rounds(Number(rounds)));
    const phases = await bench.phases("get-1", Math.min(Number(rounds), 20));
    if (phases.length > 0) {
      print(
        styled("bold", "\nWhere the ms of a get go (strace adds to each)"),
      );
    }
    for (const [i, phase] of phases.entries()) {
      print(`${PHASES[i]?.padEnd(62)}${phase.toFixed(1).padStart(7)}`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof BaseError || error instanceof SetUpError)) {
      throw error;
    }
    printError(`error: ${error.message}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
