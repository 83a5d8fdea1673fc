import { assert, assertEquals } from "@std/assert";
import {
  gatherSurroundings,
  type Surroundings,
  type SurroundingsOptions,
} from "../../src/tokens/surroundings.ts";
import { onlyOn, type Platform } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);
const modes = onlyOn("unix", "users, modes and root are Unix's");

const LOCAL = { kind: "local", name: "0xef53" } as const;

/** A home with a cargo home, and a root for markers, gone when disposed of. */
class Folders implements Disposable {
  readonly #root = Deno.realPathSync(
    Deno.makeTempDirSync({ prefix: "surroundings-test-" }),
  );
  readonly home = `${this.#root}/home`;
  readonly cargoHome = `${this.home}/.cargo`;
  readonly credentials = `${this.cargoHome}/credentials.toml`;
  readonly markers = `${this.#root}/markers`;

  constructor() {
    Deno.mkdirSync(this.cargoHome, { recursive: true });
    Deno.mkdirSync(`${this.markers}/run`, { recursive: true });
    Deno.writeTextFileSync(this.credentials, "[registry]\n", { mode: 0o600 });
  }

  gather(
    env: Readonly<Record<string, string>> = {},
    options: Partial<SurroundingsOptions> = {},
  ): Promise<Surroundings> {
    return gatherSurroundings({
      credentialsPath: this.credentials,
      cargoHome: this.cargoHome,
      env: { HOME: this.home, ...env },
      os: "linux",
      root: this.markers,
      fileSystemOf: () => Promise.resolve(LOCAL),
      ...options,
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#root, { recursive: true });
  }
}

Deno.test("gatherSurroundings() finds nothing wrong with a plain file", async () => {
  using folders = new Folders();
  assertEquals(await folders.gather(), {
    file: {
      path: folders.credentials,
      isRegular: true,
      isOurs: true,
      isWritable: true,
      links: 1,
      fileSystem: LOCAL,
      trackedIn: "none",
    },
    sudo: false,
    sandbox: "none",
    container: "none",
    ci: false,
  });
});

Deno.test("gatherSurroundings() asks the system for the file system", async () => {
  using folders = new Folders();
  const { file } = await gatherSurroundings({
    credentialsPath: folders.credentials,
    cargoHome: folders.cargoHome,
    env: {},
    os: Deno.build.os,
  });
  assertEquals(file.fileSystem.kind, "local");
});

links.test("gatherSurroundings() looks at the file behind a link", async () => {
  using folders = new Folders();
  const target = `${folders.home}/target`;
  await Deno.rename(folders.credentials, target);
  await Deno.symlink(target, folders.credentials);
  await Deno.link(target, `${folders.home}/second`);
  const { file } = await folders.gather();
  assertEquals([file.isRegular, file.isWritable, file.links], [true, true, 2]);
});

for (
  const [name, put, { test } = Deno] of [
    ["a folder", (path) => Deno.mkdir(path)],
    ["a FIFO", async (path) => {
      const { success } = await new Deno.Command("mkfifo", { args: [path] })
        .output();
      assert(success, "mkfifo failed");
    }, links],
    ["a link to nowhere", (path) => Deno.symlink(`${path}.none`, path), links],
    ["nothing", () => Promise.resolve()],
  ] as const satisfies readonly (readonly [
    string,
    (path: string) => Promise<void>,
    Platform?,
  ])[]
) {
  test(`gatherSurroundings() does not open ${name}`, async () => {
    using folders = new Folders();
    await Deno.remove(folders.credentials);
    await put(folders.credentials);
    const { file } = await folders.gather();
    assertEquals([file.isRegular, file.isWritable], [false, false]);
  });
}

modes.test("gatherSurroundings() tells whose the file is", async () => {
  using folders = new Folders();
  let credentialsPath = "/etc/passwd";
  if (Deno.uid() === 0) {
    credentialsPath = folders.credentials;
    await Deno.chown(credentialsPath, 12345, 12345);
  }
  const { file } = await folders.gather({}, { credentialsPath });
  assertEquals(file.isOurs, false);
});

Deno.test("gatherSurroundings() tells what cannot be written", async () => {
  using folders = new Folders();
  // Root may write everything but a program that runs.
  const credentialsPath = Deno.execPath();
  const { file } = await folders.gather({}, { credentialsPath });
  assertEquals([file.isRegular, file.isWritable], [true, false]);
});

Deno.test("gatherSurroundings() does not change the file", async () => {
  using folders = new Folders();
  await Deno.utime(folders.credentials, 1000, 1000);
  await folders.gather();
  const { mtime, size } = await Deno.stat(folders.credentials);
  assertEquals([mtime?.getTime(), size], [1_000_000, 11]);
});

/** An index of git's that lists one path. */
function gitIndex(path: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(path);
  const entry = Math.floor((62 + name.length) / 8 + 1) * 8;
  const bytes = new Uint8Array(12 + entry + 20);
  bytes.set(new TextEncoder().encode("DIRC"));
  new DataView(bytes.buffer).setUint32(4, 2);
  new DataView(bytes.buffer).setUint32(8, 1);
  bytes.set(name, 12 + 62);
  return bytes;
}

async function track(git: string, path: string): Promise<void> {
  await Deno.mkdir(git, { recursive: true });
  await Deno.writeFile(`${git}/index`, gitIndex(path));
}

links.test("gatherSurroundings() finds out whether git tracks the file, a link to it or its target", async () => {
  using folders = new Folders();
  const trackedIn = async (): Promise<string> =>
    (await folders.gather()).file.trackedIn;

  // A home in git that ignores `.cargo`.
  await track(`${folders.home}/.git`, ".bashrc");
  assertEquals(await trackedIn(), "none");
  await track(`${folders.home}/.git`, ".cargo/credentials.toml");
  assertEquals(await trackedIn(), folders.home);
  await Deno.remove(`${folders.home}/.git`, { recursive: true });
  // No commit yet.
  await Deno.mkdir(`${folders.home}/.git`);
  assertEquals(await trackedIn(), "none");
  // A worktree or a submodule has its index elsewhere.
  await track(`${folders.home}/elsewhere`, "credentials.toml");
  for (const place of [`${folders.home}/elsewhere`, "../elsewhere"]) {
    await Deno.writeTextFile(`${folders.cargoHome}/.git`, `gitdir: ${place}\n`);
    assertEquals(await trackedIn(), folders.cargoHome);
  }
  await Deno.remove(`${folders.cargoHome}/.git`);
  assertEquals(await trackedIn(), "none");

  // The file is a link into a clone.
  const dotfiles = `${folders.home}/dotfiles`;
  await track(`${dotfiles}/.git`, "cargo/credentials.toml");
  await Deno.mkdir(`${dotfiles}/cargo`);
  await Deno.rename(folders.credentials, `${dotfiles}/cargo/credentials.toml`);
  await Deno.symlink(
    `${dotfiles}/cargo/credentials.toml`,
    folders.credentials,
  );
  assertEquals(await trackedIn(), dotfiles);
  // So is cargo's home.
  await Deno.remove(folders.cargoHome, { recursive: true });
  await Deno.symlink(`${dotfiles}/cargo`, folders.cargoHome);
  assertEquals(await trackedIn(), dotfiles);
  // A link in a clone leads out of it.
  await Deno.remove(folders.cargoHome);
  await track(`${folders.cargoHome}/.git`, "credentials.toml");
  await Deno.writeTextFile(`${folders.home}/target`, "");
  await Deno.symlink(`${folders.home}/target`, folders.credentials);
  assertEquals(await trackedIn(), folders.cargoHome);
});

Deno.test("gatherSurroundings() knows containers and sandboxes on Linux alone", async () => {
  using folders = new Folders();
  await Deno.writeTextFile(`${folders.markers}/.dockerenv`, "");
  await Deno.writeTextFile(`${folders.markers}/.flatpak-info`, "");
  const env = { container: "x" };
  for (const os of ["linux", "darwin", "freebsd"] as const) {
    const { container, sandbox } = await folders.gather(env, { os });
    assertEquals(
      [container, sandbox],
      os === "linux" ? ["foreign-home", "flatpak"] : ["none", "none"],
    );
  }
});

const uid = String(Deno.uid());

for (
  const [env, expected, { test } = Deno] of [
    [{}, { sudo: false }],
    [{ SUDO_UID: uid }, { sudo: false }],
    [{ SUDO_UID: "4711" }, { sudo: true }, modes],
    [{ SUDO_UID: "" }, { sudo: true }, modes],
    [{ PKEXEC_UID: "4711" }, { sudo: true }, modes],
    [{ DOAS_USER: "somebody" }, { sudo: true }, modes],
    [{ CI: "" }, { ci: false }],
    [{ CI: "0" }, { ci: false }],
    [{ CI: "false" }, { ci: false }],
    [{ CI: "true" }, { ci: true }],
    [{ CI: "woodpecker" }, { ci: true }],
    // An editor that is a snap, and its terminal on the host.
    [{ SNAP: "/snap/code/1", SNAP_USER_DATA: "/users/me/snap/code/1" }, {
      sandbox: "none",
    }],
    [{ SNAP: "/snap/ide/1", SNAP_USER_DATA: "/s", HOME: "/s" }, {
      sandbox: "snap",
    }],
    [{ FLATPAK_ID: "com.example.Editor" }, { sandbox: "none" }],
  ] as const satisfies readonly (readonly [
    Readonly<Record<string, string>>,
    Partial<Surroundings>,
    Platform?,
  ])[]
) {
  const title = JSON.stringify(env).replace(`"${uid}"`, "OUR_UID");
  test(`gatherSurroundings() answers ${JSON.stringify(expected)} for ${title}`, async () => {
    using folders = new Folders();
    const surroundings = await folders.gather(env);
    assertEquals({ ...surroundings, ...expected }, surroundings);
  });
}

Deno.test("gatherSurroundings() knows a flatpak by its file", async () => {
  using folders = new Folders();
  await Deno.writeTextFile(`${folders.markers}/.flatpak-info`, "");
  assertEquals((await folders.gather()).sandbox, "flatpak");
});

/** What is put where the home's keyrings are. */
type Keyrings = "own" | "elsewhere" | "none";

for (
  const [name, marker, env, keyrings, expected] of [
    ["no marker", "", {}, "none", "none"],
    ["an empty variable", "", { container: "" }, "none", "none"],
    ["Docker, a home of its own", ".dockerenv", {}, "own", "own-home"],
    ["Docker, no keyrings", ".dockerenv", {}, "none", "foreign-home"],
    ["Docker, a mounted home", ".dockerenv", {}, "elsewhere", "foreign-home"],
    ["Podman", "run/.containerenv", {}, "elsewhere", "foreign-home"],
    ["toolbox", "run/.containerenv", {}, "own", "own-home"],
    ["systemd-nspawn", "", { container: "x" }, "elsewhere", "foreign-home"],
    [
      "XDG_DATA_HOME elsewhere",
      ".dockerenv",
      { XDG_DATA_HOME: "/dev" },
      "own",
      "foreign-home",
    ],
    [
      "a relative XDG_DATA_HOME",
      ".dockerenv",
      { XDG_DATA_HOME: "x" },
      "own",
      "own-home",
    ],
    ["no home", ".dockerenv", { HOME: "" }, "own", "foreign-home"],
  ] as const satisfies readonly (readonly [
    string,
    string,
    Readonly<Record<string, string>>,
    Keyrings,
    Surroundings["container"],
  ])[]
) {
  Deno.test(`gatherSurroundings() answers ${expected} for ${name}`, async () => {
    using folders = new Folders();
    if (marker !== "") {
      await Deno.writeTextFile(`${folders.markers}/${marker}`, "");
    }
    const share = `${folders.home}/.local/share`;
    await Deno.mkdir(share, { recursive: true });
    if (keyrings === "own") await Deno.mkdir(`${share}/keyrings`);
    // Another file system, wherever this runs.
    if (keyrings === "elsewhere") {
      await Deno.symlink("/dev", `${share}/keyrings`);
    }
    assertEquals((await folders.gather(env)).container, expected);
  });
}

links.test("gatherSurroundings() sees a single file from elsewhere in a container", async () => {
  using folders = new Folders();
  await Deno.writeTextFile(`${folders.markers}/.dockerenv`, "");
  await Deno.mkdir(`${folders.home}/.local/share/keyrings`, {
    recursive: true,
  });
  await Deno.remove(folders.credentials);
  await Deno.symlink("/dev/null", folders.credentials);
  assertEquals((await folders.gather()).container, "foreign-home");
});
