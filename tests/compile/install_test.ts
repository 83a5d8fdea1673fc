import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { run, type RunResult } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "a launcher is a script of the shell");

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Installs into an empty home; `denortBin` is where the base is said to be. */
async function install(
  home: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const env: Record<string, string> = { ...more, CARGO_HOME: home };
  for (const name of ["PATH", "HOME", "DENO_DIR", "DENORT_BIN"]) {
    const value = Deno.env.get(name);
    if (value !== undefined && env[name] === undefined) env[name] = value;
  }
  return await run(
    [
      Deno.execPath(),
      "run",
      "--allow-all",
      `${ROOT}scripts/install.ts`,
      ...args,
    ],
    { cwd: ROOT, env },
  );
}

unix.test("install puts a program that runs into cargo's folder, and replaces it", async () => {
  const home = await Deno.makeTempDir();
  try {
    for (let i = 0; i < 2; i++) {
      const { code, stdout, stderr } = await install(home, []);
      assertEquals(code, 0, stderr);
      const path = `${home}/bin/cargo-credential-keyring`;
      assertStringIncludes(stdout, `Installed ${path}`);
      assertStringIncludes(stdout, "cargo-credential-keyring setup");
      const { stdout: version } = await run([path, "--version"], { env: {} });
      assertStringIncludes(version, "cargo-credential-keyring ");
    }
    const names = [...Deno.readDirSync(`${home}/bin`)].map(({ name }) => name);
    assertEquals(names, ["cargo-credential-keyring"]);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

unix.test("install says so where it can only put a launcher there", async () => {
  const home = await Deno.makeTempDir();
  try {
    const { code, stdout, stderr } = await install(home, [], {
      DENORT_BIN: `${home}/none`,
    });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "DENORT_BIN");
    assertStringIncludes(stdout, "a launcher");
    const { stdout: version } = await run(
      [`${home}/bin/cargo-credential-keyring`, "--version"],
      { env: {} },
    );
    assertStringIncludes(version, "(not compiled)");
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

unix.test("install refuses what it does not know", async () => {
  const home = await Deno.makeTempDir();
  try {
    for (const args of [["--set-up"], ["here"]]) {
      const { code, stderr } = await install(home, args);
      assertEquals(code, 2);
      assertStringIncludes(stderr, "usage: deno task install");
    }
    assert([...Deno.readDirSync(home)].length === 0);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
