// What `doctor` and `status` say of real stores, and what real cargo does where
// they say that something is wrong.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  onMachineOf,
  startCredentialService,
} from "../support/credential_service.ts";
import { startKeePassXc } from "../support/other_services.ts";
import { mountOverNetwork } from "../support/network_mount.ts";
import { runInPty } from "../support/pty.ts";
import { run, type RunResult } from "../support/run.ts";
import {
  type SessionBusOptions,
  startSessionBus,
} from "../support/session_bus.ts";
import {
  type CargoResult,
  PROVIDER,
  TestHome,
  type TestHomeOptions,
} from "../support/test_home.ts";

const TOKEN = "planted-token-3c11";

const SEARCH = ["search", "--registry", "alt", "anything"];

interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly what: string;
  readonly fix: string;
}

function home(options: TestHomeOptions = {}): Promise<TestHome> {
  return TestHome.create({
    registries: { alt: { authRequired: true, tokens: [TOKEN] } },
    providers: ["cargo:token", PROVIDER],
    ...options,
  });
}

async function program(
  home: TestHome,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  before: readonly string[] = [],
): Promise<RunResult> {
  const [first = home.provider, ...rest] = [...before, home.provider];
  const result = await run([first, ...rest, ...args], {
    cwd: home.work,
    env: { ...home.env, ...env },
  });
  assertEquals(result.stderr, "");
  assert(!result.stdout.includes("planted"), result.stdout);
  return result;
}

async function doctor(
  home: TestHome,
  env: Readonly<Record<string, string>> = {},
  before: readonly string[] = [],
): Promise<{ codes: string[]; findings: Finding[]; code: number }> {
  const { stdout, code } = await program(
    home,
    ["doctor", "--json"],
    env,
    before,
  );
  const { findings } = JSON.parse(stdout);
  const codes = findings.map(({ code }: Finding) => code);
  return { codes, findings, code };
}

async function exitOf(home: TestHome): Promise<number> {
  return (await program(home, ["status", "--registry", "alt"])).code;
}

if (Deno.build.os === "linux") {
  /** A bus, what is found there, and what `status --registry` ends with. */
  const BUSES: readonly (readonly [SessionBusOptions, string[], number])[] = [
    [{ keyring: "unlocked" }, [], 3],
    [{ keyring: "locked" }, ["store-locked"], 3],
    [{ keyring: "empty" }, ["store-unreachable"], 4],
    [{ keyring: "plaintext" }, ["store-plaintext"], 3],
    [{ keyring: "in-memory" }, ["store-in-memory"], 3],
    [{ keyring: "none" }, ["store-unreachable"], 4],
    [{ keyring: "slow" }, ["store-timeout"], 4],
    [{ denied: "secrets" }, ["store-denied"], 4],
  ];
  for (const [options, found, exit] of BUSES) {
    const what = options.keyring ?? "forbidden";
    Deno.test(`doctor and status tell of a keyring that is ${what}`, async () => {
      await using bus = await startSessionBus(options);
      await using place = await home({ bus });
      const { codes, code } = await doctor(place);
      assertEquals(codes, found);
      const isSerious = found.length > 0 && found[0] !== "store-locked";
      assertEquals(code, isSerious ? 1 : 0);
      assertEquals(await exitOf(place), exit);
    });
  }

  Deno.test("status finds what cargo login has stored", async () => {
    await using bus = await startSessionBus();
    await using place = await home({ bus });
    const login = await place.cargo(["login", "--registry", "alt"], {
      stdin: TOKEN,
    });
    assertEquals(login.code, 0, login.stderr);
    assertEquals(await exitOf(place), 0);
    await bus.restartKeyringLocked();
    assertEquals(await exitOf(place), 4);
    assertEquals((await doctor(place)).codes, ["store-locked"]);
  });

  Deno.test("a registry that asks for a scheme gets a hint at it", async () => {
    await using bus = await startSessionBus();
    await using place = await home({
      bus,
      registries: {
        alt: {
          authRequired: true,
          scheme: "Bearer",
          tokens: [TOKEN, `Bearer ${TOKEN}`],
        },
      },
    });
    const login = (token: string): Promise<CargoResult> =>
      place.cargo(["login", "--registry", "alt"], { stdin: token });
    const first = await login(TOKEN);
    assertEquals(first.code, 0, first.stderr);
    // Said before the token is asked for, and not again on the same day.
    const hint =
      /note: `alt` asks for the scheme `Bearer`.*paste `Bearer TOKEN`/;
    assertMatch(first.stderr, hint);
    const search = await place.cargo(SEARCH);
    assertEquals(search.code, 0, search.stderr);
    assert(!hint.test(search.stderr), search.stderr);

    await Deno.remove(`${place.cargoHome}/.credential-keyring-state.json`);
    assertEquals((await login(`Bearer ${TOKEN}`)).code, 0);
    await Deno.remove(`${place.cargoHome}/.credential-keyring-state.json`);
    await Deno.remove(`${place.cargoHome}/registry`, { recursive: true });
    const again = await place.cargo(SEARCH);
    assertEquals(again.code, 0, again.stderr);
    assert(!hint.test(again.stderr), again.stderr);
  });

  Deno.test("doctor says that KeePassXC asks for each process", async () => {
    await using service = await startKeePassXc();
    await using place = await home({ bus: service.bus });
    assertEquals((await doctor(place)).codes, []);
    const login = await place.cargo(["login", "--registry", "alt"], {
      stdin: TOKEN,
    });
    assertEquals(login.code, 0, login.stderr);
    const { codes, findings } = await doctor(place);
    assertEquals(codes, ["store-asks-each-process"]);
    assertStringIncludes(findings[0]?.fix ?? "", "Confirm when passwords");
    assertEquals(await exitOf(place), 4);
  });

  Deno.test("doctor offers systemd where there is no Secret Service", async () => {
    await using service = await startCredentialService();
    await using place = await home();
    const machine = onMachineOf(service);
    const { codes, findings } = await doctor(place, {}, machine);
    assertEquals(codes, ["store-unreachable", "systemd-offered"]);
    // What it says to write is what it takes.
    const [, setting = "", path = ""] =
      /`(.*)` into (.*)$/.exec(findings[1]?.fix ?? "") ?? [];
    await Deno.writeTextFile(path, `${setting}\n`);
    assertEquals((await doctor(place, {}, machine)).codes, []);
  });

  Deno.test("doctor finds a token that systemd cannot decrypt", async () => {
    await using service = await startCredentialService();
    await using place = await home({
      env: { CARGO_CREDENTIAL_KEYRING_STORE: "systemd" },
    });
    const machine = onMachineOf(service);
    const login = await run([
      ...machine,
      ...place.command(["login", "--registry", "alt"]),
    ], { cwd: place.work, env: place.env, stdin: TOKEN });
    assertEquals(login.code, 0, login.stderr);
    assertEquals((await doctor(place, {}, machine)).codes, []);
    const [file] = [...Deno.readDirSync(place.cargoHome)]
      .filter(({ name }) => /^\.credential-keyring-[0-9a-f]{64}/.test(name));
    const path = `${place.cargoHome}/${file?.name}`;
    const stored = JSON.parse(await Deno.readTextFile(path));
    const blob = Uint8Array.fromBase64(stored.blob);
    blob[blob.length - 1] = (blob.at(-1) ?? 0) ^ 1;
    await Deno.writeTextFile(
      path,
      JSON.stringify({ ...stored, blob: blob.toBase64() }),
    );
    const { codes, findings } = await doctor(place, {}, machine);
    assertEquals(codes, ["item-denied"]);
    assertStringIncludes(findings[0]?.fix ?? "", "`cargo login` replaces it");
  });

  Deno.test("doctor finds credentials on another machine, and cargo leaves them there", async () => {
    await using bus = await startSessionBus();
    await using place = await home({ bus });
    const credentials = `[registries.alt]\ntoken = "${TOKEN}"\n`;
    await place.writeCredentials(credentials);
    const mount = `${place.root}/mount`;
    await Deno.mkdir(mount);
    await using _ = await mountOverNetwork(place.cargoHome, mount);
    const { codes, findings } = await doctor(place, { CARGO_HOME: mount });
    assertEquals(codes, ["not-local", "token-in-file"]);
    assertStringIncludes(findings[0]?.what ?? "", "FUSE");
    const search = await place.cargo(SEARCH, { env: { CARGO_HOME: mount } });
    assertEquals(search.code, 0, search.stderr);
    assertStringIncludes(search.stderr, "may be on another machine");
    assertEquals(await place.credentials(), credentials);

    // The same folder without the network between.
    assertEquals((await doctor(place)).codes, ["token-in-file"]);
    const local = await place.cargo(SEARCH);
    assertEquals(local.code, 0, local.stderr);
    assert(!(await place.credentials() ?? "").includes(TOKEN));
  });

  Deno.test("doctor has colours on a terminal, and fits it", async () => {
    await using place = await home();
    await place.writeCredentials(`[registries.alt]\ntoken = "${TOKEN}"\n`);
    const { output } = await runInPty([place.provider, "doctor"], {
      cwd: place.work,
      env: { ...place.env, TERM: "xterm", CARGO_TERM_COLOR: "auto" },
      steps: [],
    });
    assertStringIncludes(output, "\x1b[31mSerious\x1b[39m");
    assert(!output.includes("planted"), output);
  });
}

Deno.test("cargo fails where doctor says that it does", async (t) => {
  await using place = await home({
    env: { CARGO_CREDENTIAL_KEYRING_STORE: "off" },
  });
  const credentials = `[registries.alt]\ntoken = "${TOKEN}"\n`;
  await place.writeCredentials(credentials);
  const fine = await place.cargo(SEARCH);
  assertEquals(fine.code, 0, fine.stderr);
  const before = (await doctor(place)).codes;

  const fails = async (
    finding: string,
    message: RegExp,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const { codes } = await doctor(place, env);
    assertEquals(codes.filter((code) => !before.includes(code)), [finding]);
    const { code, stderr } = await place.cargo(SEARCH, { env });
    assert(code !== 0, stderr);
    assertMatch(stderr, message);
  };

  await t.step("a variable that cargo takes for its own", async () => {
    // With a token in the file it does not look further.
    await place.writeCredentials("");
    await fails("token-file-variable", /missing config key/, {
      CARGO_REGISTRIES_ALT_TOKEN_FILE: "/run/secrets/token",
    });
    await place.writeCredentials(credentials);
  });

  await t.step("a variable that is set to nothing", async () => {
    await fails("environment-empty", /non-empty token/, {
      CARGO_REGISTRIES_ALT_TOKEN: "",
    });
  });

  await t.step("two names for one registry", async () => {
    const { indexUrl } = place.registry();
    await place.configure(
      ["cargo:token", PROVIDER],
      `[registries.twin]\nindex = "${indexUrl}"\n`,
    );
    await fails("two-names", /multiple registries/);
    await place.configure(["cargo:token", PROVIDER]);
  });

  await t.step("a provider that has moved away", async () => {
    const moved = `${place.root}/moved/cargo-credential-keyring`;
    await place.configure(["cargo:token", moved]);
    await fails("program-missing", /failed to spawn|could not|No such file/);
    await place.configure(["cargo:token", PROVIDER]);
  });
});

Deno.test("cargo login writes plaintext where doctor says that it does", async (t) => {
  const login = async (place: TestHome): Promise<void> => {
    const { code, stderr } = await place.cargo(["login", "--registry", "alt"], {
      stdin: TOKEN,
    });
    assertEquals(code, 0, stderr);
    assertStringIncludes(await place.credentials() ?? "", TOKEN);
  };
  const WAYS:
    readonly (readonly [string, (home: TestHome) => Promise<void>])[] = [
      ["asked-first", (home) => home.configure([PROVIDER, "cargo:token"])],
      ["not-listed", (home) => home.configure(["cargo:token"])],
      ["own-provider", async (home) => {
        await home.configure(["cargo:token", PROVIDER]);
        const path = `${home.cargoHome}/config.toml`;
        const text = await Deno.readTextFile(path);
        await Deno.writeTextFile(
          path,
          text.replace(
            "[registries.alt]\n",
            '[registries.alt]\ncredential-provider = "cargo:token"\n',
          ),
        );
      }],
      ["asked-first", async (home) => {
        await Deno.mkdir(`${home.work}/.cargo`);
        await Deno.writeTextFile(
          `${home.work}/.cargo/config.toml`,
          '[registry]\nglobal-credential-providers = ["cargo:token"]\n',
        );
      }],
    ];
  for (const [finding, prepare] of WAYS) {
    await t.step(finding, async () => {
      await using place = await home({ registries: { alt: {} } });
      const before = (await doctor(place)).codes;
      await prepare(place);
      const { codes } = await doctor(place);
      assertEquals(codes.filter((code) => !before.includes(code)), [finding]);
      await login(place);
    });
  }
});
