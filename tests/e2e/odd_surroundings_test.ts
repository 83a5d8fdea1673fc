// A directory or a variable whose bytes are no text, and a home that Deno does
// not open: cargo alone works there, and goes on working. Linux, where names
// are bytes.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { compilePreload } from "../support/preload.ts";
import { LoopbackRegistry } from "../support/registry.ts";
import { run, type RunResult } from "../support/run.ts";
import { startSessionBus } from "../support/session_bus.ts";
import type { TestHome } from "../support/test_home.ts";
import {
  assertGoesOn,
  CREDENTIALS,
  notices,
  PLAINTEXT,
  plaintextBehind,
  SEARCH,
} from "./_plaintext_behind.ts";

/** `$odd` is a name that no Deno program could give to another. */
const ODD = `odd=$(printf 'caf\\351')`;

/** Runs cargo behind a line of shell. */
function cargoAfter(
  home: TestHome,
  shell: string,
  args: readonly string[],
  stdin = "",
): Promise<RunResult> {
  return run(
    ["sh", "-c", `${ODD}; ${shell} && exec "$@"`, "sh", ...home.command(args)],
    { env: home.env, cwd: home.work, stdin },
  );
}

if (Deno.build.os === "linux") {
  const LOGIN = ["login", "--registry", "alt"];
  const LOGOUT = ["logout", "--registry", "alt"];
  const THERE = 'mkdir -p "$odd" && cd "$odd"';

  Deno.test("everything works in a directory whose name is no text", async (t) => {
    await using bus = await startSessionBus();
    await using home = await plaintextBehind({ bus });
    await using other = LoopbackRegistry.start({ authRequired: true });
    const project = `${home.work}/.cargo`;

    await t.step("a token from the environment", async () => {
      const variable = `CARGO_REGISTRIES_ALT_TOKEN=${PLAINTEXT}`;
      const { code, stderr } = await cargoAfter(
        home,
        `${THERE} && export ${variable}`,
        SEARCH,
      );
      assertEquals(code, 0, stderr);
      assertEquals(notices(stderr), []);
    });
    await t.step("login, use and logout", async () => {
      const login = await cargoAfter(home, THERE, LOGIN, `${PLAINTEXT}\n`);
      assertEquals(login.code, 0, login.stderr);
      assertEquals((await bus.items()).length, 1);
      const search = await cargoAfter(home, THERE, SEARCH);
      assertEquals(search.code, 0, search.stderr);
      const logout = await cargoAfter(home, THERE, LOGOUT);
      assertEquals(logout.code, 0, logout.stderr);
      assertEquals(await bus.items(), []);
    });
    await t.step("the commands", async () => {
      for (const command of ["migrate", "restore"]) {
        const { code, stdout, stderr } = await run(
          [
            "sh",
            "-c",
            `${ODD}; ${THERE} && exec "$@"`,
            "sh",
            home.provider,
            command,
            "--dry-run",
            "--json",
          ],
          { env: home.env, cwd: home.work },
        );
        assertEquals(code, 0, stderr);
        assertEquals(typeof JSON.parse(stdout), "object");
      }
    });
    await t.step("a checkout above it gets no token of another's", async () => {
      await home.writeCredentials(CREDENTIALS);
      await Deno.mkdir(project);
      await Deno.writeTextFile(
        `${project}/config.toml`,
        `[registries.alt]\nindex = "${other.indexUrl}"\n`,
      );
      const { code, stderr } = await cargoAfter(home, THERE, SEARCH);
      assertEquals(code, 101);
      assert(!other.sawToken(PLAINTEXT));
      assertMatch(
        stderr,
        /\.\.\/\.cargo\/config\.toml binds the registry `alt`/,
      );
    });
  });

  for (
    const variable of [
      "DBUS_SESSION_BUS_ADDRESS",
      "XDG_RUNTIME_DIR",
      "XDG_DATA_HOME",
      "CI",
      "NAME",
    ]
  ) {
    Deno.test(`cargo goes on where ${variable} is no text`, async () => {
      await using home = await plaintextBehind();
      const { code, stderr } = await cargoAfter(
        home,
        `export ${variable}="unix:path=/$odd"`,
        SEARCH,
      );
      assertEquals(code, 0, stderr);
      assert(home.registry().sawToken(PLAINTEXT));
      assertEquals(await home.credentials(), CREDENTIALS);
      assertEquals(notices(stderr).length, 1, stderr);
    });
  }

  for (
    const [what, move] of [
      [
        "CARGO_HOME is no text",
        '[ -d "$odd" ] || mv "$CARGO_HOME" "$odd"; export CARGO_HOME="$PWD/$odd"',
      ],
      [
        "HOME is no text",
        '[ -d "$odd" ] || { mkdir "$odd"; mv "$CARGO_HOME" "$odd/.cargo"; }; export HOME="$PWD/$odd"; unset CARGO_HOME',
      ],
      [
        "cargo's home is below /dev",
        '[ -d "$shm" ] || mv "$CARGO_HOME" "$shm"; export CARGO_HOME="$shm"',
      ],
      [
        "cargo's home is a link to below /dev",
        '[ -d "$shm" ] || { mv "$CARGO_HOME" "$shm"; ln -s "$shm" "$CARGO_HOME"; }',
      ],
    ] as const
  ) {
    Deno.test(`cargo works as if alone where ${what}`, async (t) => {
      await using bus = await startSessionBus();
      await using home = await plaintextBehind({ bus });
      const shm = `/dev/shm/${home.root.split("/").at(-1)}`;
      const there = `shm=${shm}; ${move}`;
      try {
        await t.step("reading", async () => {
          const { code, stderr } = await cargoAfter(home, there, SEARCH);
          assertEquals(code, 0, stderr);
          assert(home.registry().sawToken(PLAINTEXT));
          assertMatch(notices(stderr).join(), /cargo's home .*cannot be used/);
        });
        await t.step("logging in, after a warning", async () => {
          const { code, stderr } = await cargoAfter(
            home,
            there,
            LOGIN,
            "newer\n",
          );
          assertEquals(code, 0, stderr);
          assertMatch(stderr, /warning: cargo's home .*PLAINTEXT[^]*saved/);
          assertEquals(await bus.items(), []);
        });
        await t.step("not against a setting of the environment", async () => {
          const { code, stderr } = await cargoAfter(
            home,
            `${there}; export CARGO_CREDENTIAL_KEYRING_FALLBACK=deny`,
            LOGIN,
            "newest\n",
          );
          assertEquals(code, 101);
          assertMatch(stderr, /cargo's home .*nothing was stored/);
        });
        await t.step("a token from the environment", async () => {
          const { code, stderr } = await cargoAfter(
            home,
            `${there}; export CARGO_REGISTRIES_ALT_TOKEN=${PLAINTEXT}`,
            SEARCH,
          );
          assertEquals(code, 0, stderr);
        });
        await t.step("logging out", async () => {
          const { code, stderr } = await cargoAfter(home, there, LOGOUT);
          assertEquals(code, 0, stderr);
          assertMatch(stderr, /a token in a keyring stays there/);
        });
        await t.step(
          "a checkout's name for its own URL: no token",
          async () => {
            const login = await cargoAfter(
              home,
              there,
              LOGIN,
              `${PLAINTEXT}\n`,
            );
            assertEquals(login.code, 0, login.stderr);
            await Deno.mkdir(`${home.work}/.cargo`);
            await Deno.writeTextFile(
              `${home.work}/.cargo/config.toml`,
              `[registries.alt]\nindex = "${home.registry().indexUrl}"\n`,
            );
            const { code, stderr } = await cargoAfter(home, there, SEARCH);
            assertEquals(code, 101, stderr);
            assertMatch(stderr, /nobody can tell/);
          },
        );
      } finally {
        await Deno.remove(shm, { recursive: true }).catch(() => {});
      }
    });
  }

  Deno.test("cargo goes on, and is told, where the credentials file is a link to below /dev", async () => {
    await using bus = await startSessionBus();
    await using home = await plaintextBehind({ bus });
    const file = await Deno.makeTempFile({ dir: "/dev/shm" });
    try {
      await Deno.writeTextFile(file, CREDENTIALS);
      await Deno.remove(`${home.cargoHome}/credentials.toml`);
      await Deno.symlink(file, `${home.cargoHome}/credentials.toml`);
      await assertGoesOn(home, /credentials\.toml cannot be read/);
      assertEquals(await bus.items(), []);
    } finally {
      await Deno.remove(file);
    }
  });
}

if (Deno.build.os === "linux") {
  Deno.test("cargo goes on where no library opens at all", async (t) => {
    await using bus = await startSessionBus();
    await using home = await plaintextBehind({ bus });
    const env = {
      LD_PRELOAD: await compilePreload("hide_library.c", home.root),
      HIDDEN_LIBRARY: "lib",
    };
    await t.step("reading", async () => {
      await assertGoesOn(home, /cannot be read/, { env });
    });
    await t.step("without a variable for the home", async () => {
      const { HOME: _home, CARGO_HOME: _cargoHome, ...rest } = home.env;
      const request = {
        v: 1,
        registry: { "index-url": home.registry().indexUrl, name: "alt" },
        kind: "get",
        operation: "read",
      };
      // The C library would know the user's own home: it is hidden.
      const { stdout } = await run([home.provider, "--cargo-plugin"], {
        cwd: home.work,
        env: { ...rest, ...env },
        stdin: `${JSON.stringify(request)}\n`,
      });
      assertEquals(
        stdout.split("\n")[1],
        '{"Err":{"kind":"url-not-supported"}}',
      );
    });
  });
}
