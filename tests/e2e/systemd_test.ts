// A server: no desktop, no bus, and systemd's service for encrypted
// credentials. Real cargo, and the real systemd 257 where it can run.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { generateIdentity, identityToRecipient } from "age-encryption";
import {
  ANOTHER_UID,
  type CredentialService,
  onMachineOf,
  startCredentialService,
} from "../support/credential_service.ts";
import { startStandIn } from "../support/credential_service_stand_in.ts";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { runInPty } from "../support/pty.ts";
import { findProgram } from "../support/requirements.ts";
import { run, type RunResult } from "../support/run.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";
import {
  CREDENTIALS,
  notices,
  PLAINTEXT,
  SEARCH,
} from "./_plaintext_behind.ts";

const TOKEN = "systemd-token-77e0";

/** A home on a machine with a credential service. */
interface Server extends AsyncDisposable {
  readonly home: TestHome;
  readonly service: CredentialService;
  cargo(args: readonly string[], stdin?: string): Promise<RunResult>;
  /** Runs the program as a person does. */
  program(...args: readonly string[]): Promise<RunResult>;
  /** The files of this program's in cargo's home, by their text. */
  stored(): Promise<readonly string[]>;
}

async function fileNameOf(indexUrl: string): Promise<string> {
  const bytes = new TextEncoder().encode(indexUrl);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `.credential-keyring-${hash.toHex()}.json`;
}

async function server(
  start: () => Promise<CredentialService> = startCredentialService,
): Promise<Server> {
  const service = await start();
  const home = await TestHome.create({
    registries: {
      alt: { authRequired: true, tokens: [TOKEN, PLAINTEXT] },
    },
    providers: ["cargo:token", PROVIDER],
    env: { CARGO_CREDENTIAL_KEYRING_STORE: "systemd" },
  });
  // In a container the folder of the keyrings tells whose home it is.
  await Deno.mkdir(`${home.home}/.local/share/keyrings`, { recursive: true });
  const there = (
    command: readonly string[],
    stdin = "",
  ): Promise<RunResult> =>
    run([...onMachineOf(service), ...command], {
      env: home.env,
      cwd: home.work,
      stdin,
    });
  return {
    home,
    service,
    cargo: (args, stdin) => there(home.command(args), stdin),
    program: (...args) => there([home.provider, ...args]),
    stored: async () => {
      const paths = [...Deno.readDirSync(home.cargoHome)]
        .filter(({ name }) => /^\.credential-keyring-[0-9a-f]{64}/.test(name))
        .map(({ name }) => `${home.cargoHome}/${name}`);
      return await Promise.all(paths.map((path) => Deno.readTextFile(path)));
    },
    [Symbol.asyncDispose]: async () => {
      await home[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

if (Deno.build.os === "linux") {
  Deno.test({
    name: "setup and doctor offer systemd's store where there is no other",
    // A launcher is not installed: the program under test is no file to copy.
    ignore: !Deno.env.has(PROGRAM_VARIABLE),
    fn: async () => {
      await using at = await server();
      const { home, service } = at;
      const { CARGO_CREDENTIAL_KEYRING_STORE: _, ...env } = home.env;
      const [tool = "", ...args] = onMachineOf(service);
      const there: readonly [string, ...string[]] = [
        await findProgram(tool) ?? tool,
        ...args,
      ];
      const doctor = await run([...there, home.provider, "doctor", "--json"], {
        env,
        cwd: home.work,
      });
      assertStringIncludes(doctor.stdout, "systemd");
      const { code, output } = await runInPty(
        [...there, home.provider, "setup"],
        {
          env: { ...env, TERM: "xterm" },
          cwd: home.work,
          steps: [
            { expect: "Go on? [y/N]", send: "y\r" },
            { expect: "systemd can encrypt", send: "" },
            { expect: "? [y/N]", send: "y\r" },
          ],
        },
      );
      assertEquals(code, 0, output);
      const settings = `${home.cargoHome}/credential-keyring.toml`;
      assertEquals(await Deno.readTextFile(settings), 'store = "systemd"\n');
      const login = await run(
        [...there, ...home.command(["login", "--registry", "alt"])],
        { env, cwd: home.work, stdin: `${TOKEN}\n` },
      );
      assertEquals(login.code, 0, login.stderr);
      assertEquals((await at.stored()).length, 1);
    },
  });

  Deno.test("cargo works with systemd's credentials and no bus", async () => {
    await using at = await server();
    const { home, cargo } = at;
    const login = await cargo(["login", "--registry", "alt"], `${TOKEN}\n`);
    assertEquals(login.code, 0, login.stderr);
    assertMatch(login.stderr, /stored in systemd's .* machine alone/);
    assertEquals(await home.credentials(), undefined);
    const [file = ""] = await at.stored();
    assertStringIncludes(file, home.registry().indexUrl);
    assert(!file.includes(TOKEN));

    const search = await cargo(SEARCH);
    assertEquals(search.code, 0, search.stderr);
    assertEquals(notices(search.stderr), []);
    assert(home.registry().sawToken(TOKEN));
    const crate = await home.crate("foo");
    const manifest = `${crate}/Cargo.toml`;
    const publish = await cargo([
      "publish",
      "--registry=alt",
      "--allow-dirty",
      "--no-verify",
      `--manifest-path=${manifest}`,
    ]);
    assertEquals(publish.code, 0, publish.stderr);

    const logout = await cargo(["logout", "--registry", "alt"]);
    assertEquals(logout.code, 0, logout.stderr);
    assertEquals(await at.stored(), []);
    assertEquals((await cargo(SEARCH)).code, 101);
  });

  Deno.test("systemd's credentials take a plaintext token, and restore gives it back", async () => {
    await using at = await server();
    const { home, cargo, program } = at;
    await home.writeCredentials(CREDENTIALS);
    const first = await cargo(SEARCH);
    assertEquals(first.code, 0, first.stderr);
    assertMatch(first.stderr, /Moved .* to systemd's credential store/);
    assert(!(await home.credentials() ?? "").includes(PLAINTEXT));
    assertEquals((await at.stored()).length, 1);
    const second = await cargo(SEARCH);
    assertEquals(second.code, 0, second.stderr);
    assertEquals(notices(second.stderr), []);

    const restored = await program("restore");
    assertEquals(restored.code, 0, restored.stderr);
    assertStringIncludes(await home.credentials() ?? "", PLAINTEXT);
    assertEquals(await at.stored(), []);

    const migrated = await program("migrate", "--registry", "alt");
    assertEquals(migrated.code, 0, migrated.stderr);
    assert(!(await home.credentials() ?? "").includes(PLAINTEXT));
    assertEquals((await at.stored()).length, 1);
    const logout = await cargo(["logout", "--registry", "alt"]);
    assertEquals(logout.code, 0, logout.stderr);
    assertEquals(await at.stored(), []);
  });

  Deno.test("systemd's credentials go to another machine by export and import", async () => {
    await using here = await server();
    const identity = await generateIdentity();
    const file = `${here.home.root}/tokens.age`;
    const key = `${here.home.root}/key`;
    await Deno.writeTextFile(key, identity, { mode: 0o600 });
    const { indexUrl } = here.home.registry();
    await here.cargo(["login", "--registry", "alt"], `${TOKEN}\n`);
    const recipient = await identityToRecipient(identity);
    const exported = await here.program(
      "export",
      "--recipient",
      recipient,
      file,
    );
    assertEquals(exported.code, 0, exported.stderr);
    const [carried = ""] = await here.stored();

    await using there = await server();
    // The same registry, and the file as a copied home directory has it.
    await Deno.writeTextFile(
      `${there.home.cargoHome}/config.toml`,
      `[registries.alt]\nindex = "${indexUrl}"\n[registry]\n` +
        `global-credential-providers = ["${there.home.provider}"]\n`,
    );
    await Deno.writeTextFile(
      `${there.home.cargoHome}/${await fileNameOf(indexUrl)}`,
      carried,
    );
    const useless = await there.cargo(SEARCH);
    assertEquals(useless.code, 101, useless.stderr);
    assertMatch(useless.stderr, /another machine.*export/);
    await there.cargo(["logout", "--registry", "alt"]);

    const imported = await there.program("import", "--identity", key, file);
    assertEquals(imported.code, 0, imported.stderr);
    const search = await there.cargo(SEARCH);
    assertEquals(search.code, 0, search.stderr);
  });

  Deno.test("cargo goes on with the plaintext token where systemd has no such service", async () => {
    await using at = await server();
    const { home } = at;
    await home.writeCredentials(CREDENTIALS);
    // On this machine, which has an older systemd or none, or in a container.
    const search = await run([
      ...onMachineOf({ socket: "/dev/null" }),
      ...home.command(SEARCH),
    ], { env: home.env, cwd: home.work });
    assertEquals(search.code, 0, search.stderr);
    assert(home.registry().sawToken(PLAINTEXT));
    assertEquals(await home.credentials(), CREDENTIALS);
    assertMatch(search.stderr, /systemd's credential service is not here/);

    const login = await run([
      ...onMachineOf({ socket: "/dev/null" }),
      ...home.command(["login", "--registry", "alt"]),
    ], { env: home.env, cwd: home.work, stdin: `${TOKEN}\n` });
    assertEquals(login.code, 0, login.stderr);
    assertMatch(login.stderr, /PLAINTEXT/);
  });

  Deno.test("cargo goes on where systemd cannot decrypt what is stored", async () => {
    await using at = await server();
    const { home, cargo, service } = at;
    await cargo(["login", "--registry", "alt"], `${TOKEN}\n`);
    const [text = ""] = await at.stored();
    const blob = await service.encrypt("x", TOKEN, ANOTHER_UID);
    await Deno.writeTextFile(
      `${home.cargoHome}/${await fileNameOf(home.registry().indexUrl)}`,
      JSON.stringify({ ...JSON.parse(text), blob }),
    );
    await home.writeCredentials(CREDENTIALS);
    const search = await cargo(SEARCH);
    assertEquals(search.code, 0, search.stderr);
    assert(home.registry().sawToken(PLAINTEXT));
    assertEquals(await home.credentials(), CREDENTIALS);
    assertMatch(search.stderr, /another user or another machine/);
  });

  Deno.test("cargo goes on where systemd's service never answers", async () => {
    await using at = await server(() => startStandIn({ kind: "hang" }));
    const { home, cargo } = at;
    await home.writeCredentials(CREDENTIALS);
    const search = await cargo(SEARCH);
    assertEquals(search.code, 0, search.stderr);
    assert(home.registry().sawToken(PLAINTEXT));
    assertEquals(await home.credentials(), CREDENTIALS);
    assertMatch(search.stderr, /did not answer in time/);
  });
}
