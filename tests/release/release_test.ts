// A release of small stand-ins for the compiled programs: what is packed, how it
// is installed, and that a wrong file is refused.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { unzipSync } from "fflate";
import { buildRelease } from "../../scripts/release/build.ts";
import { renderInstallSh } from "../../scripts/release/install_sh.ts";
import { renderInstallPs1 } from "../../scripts/release/install_ps1.ts";
import { PROGRAM, type Release } from "../../scripts/release/release.ts";
import { TARGETS } from "../../scripts/program.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run, type RunResult } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the tools are those of Linux");

const HOST = Deno.build.target;

/** Programs of all systems, as `deno task compile` leaves them. */
async function programs(folder: string, version = "1"): Promise<void> {
  for (const target of TARGETS) {
    const ending = target.includes("windows") ? ".exe" : "";
    await Deno.mkdir(`${folder}/${target}`, { recursive: true });
    await Deno.writeTextFile(
      `${folder}/${target}/${PROGRAM}${ending}`,
      `#!/bin/sh\n# ${target}\necho "${version} $*"\n`,
      { mode: 0o755 },
    );
  }
}

/** A release on a loopback server, and an empty home. */
class Scene implements AsyncDisposable {
  readonly root: string;
  readonly out: string;
  readonly home: string;
  #server: Deno.HttpServer<Deno.NetAddr>;
  #release: Release | undefined;

  private constructor(root: string) {
    this.root = root;
    this.out = `${root}/out`;
    this.home = `${root}/home`;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const name = new URL(request.url).pathname.slice(1);
        const bytes = await Deno.readFile(`${this.out}/${name}`)
          .catch(() => undefined);
        return bytes === undefined
          ? new Response("none", { status: 404 })
          : new Response(bytes);
      },
    );
  }

  static async create(version?: string): Promise<Scene> {
    const scene = new Scene(await Deno.makeTempDir({ prefix: "release-" }));
    await Deno.mkdir(scene.home);
    await programs(`${scene.root}/dist`, version);
    scene.#release = await buildRelease({
      programs: `${scene.root}/dist`,
      out: scene.out,
      baseUrl: scene.url,
    });
    return scene;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  get release(): Release {
    if (this.#release === undefined) throw new Error("not built yet");
    return this.#release;
  }

  get program(): string {
    return `${this.home}/.cargo/bin/${PROGRAM}`;
  }

  async install(
    env: Readonly<Record<string, string>> = {},
  ): Promise<RunResult> {
    return await run(["sh", `${this.out}/install.sh`], {
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: this.home, ...env },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await Deno.remove(this.root, { recursive: true });
  }
}

unix.test("a release has an archive of every system, and the sums of everything", async () => {
  await using scene = await Scene.create();
  const names = [...Deno.readDirSync(scene.out)].map(({ name }) => name).sort();
  const { version } = scene.release;
  for (const { archive } of scene.release.files) {
    assert(names.includes(archive));
  }
  assertEquals(scene.release.files.length, TARGETS.length);
  for (
    const name of [
      "SHA256SUMS",
      "binstall.toml",
      `${PROGRAM}.json`,
      `${PROGRAM}.rb`,
      `${PROGRAM}-${version}.spdx.json`,
      `${PROGRAM}_${version}_amd64.deb`,
      `${PROGRAM}_${version}_arm64.deb`,
      "install.ps1",
      "install.sh",
    ]
  ) assert(names.includes(name), name);
  const { code, stdout } = await run(["sha256sum", "--check", "SHA256SUMS"], {
    cwd: scene.out,
    env: { PATH: Deno.env.get("PATH") ?? "" },
  });
  assertEquals(code, 0, stdout);
  assertEquals(stdout.trim().split("\n").length, names.length - 1);
});

unix.test("an archive holds the program, its licences, man page and completions", async () => {
  await using scene = await Scene.create();
  const inside = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    `completions/_${PROGRAM}`,
    `completions/${PROGRAM}.bash`,
    `completions/${PROGRAM}.fish`,
    `completions/${PROGRAM}.ps1`,
    `man/${PROGRAM}.1`,
  ];
  for (const { target, archive } of scene.release.files) {
    const path = `${scene.out}/${archive}`;
    const top = archive.replace(/\.(?:zip|tar\.gz)$/, "");
    const windows = target.includes("windows");
    const names = windows
      ? Object.keys(unzipSync(await Deno.readFile(path)))
      : (await run(["tar", "-tzf", path], {
        env: { PATH: Deno.env.get("PATH") ?? "" },
      })).stdout.trim().split("\n").filter((name) => !name.endsWith("/"));
    assertEquals(
      names.sort(),
      [...inside, `${PROGRAM}${windows ? ".exe" : ""}`]
        .map((name) => `${top}/${name}`).sort(),
    );
  }
});

unix.test("the same programs make the same release, byte for byte", async () => {
  await using scene = await Scene.create();
  const again = `${scene.root}/again`;
  await buildRelease({
    programs: `${scene.root}/dist`,
    out: again,
    baseUrl: scene.url,
  });
  assertEquals(
    await Deno.readTextFile(`${again}/SHA256SUMS`),
    await Deno.readTextFile(`${scene.out}/SHA256SUMS`),
  );
});

unix.test("install.sh installs for one user, says what it did, and upgrades", async () => {
  await using scene = await Scene.create("old");
  const first = await scene.install();
  assertEquals(first.code, 0, first.stderr);
  assertStringIncludes(first.stdout, `Installed ${scene.program}`);
  assertStringIncludes(first.stdout, "setup");
  await using newer = await Scene.create("new");
  await Deno.copyFile(`${newer.out}/install.sh`, `${scene.out}/install.sh`);
  assertEquals((await scene.install()).code, 0);
  const { stdout } = await run([scene.program, "x"], { env: {} });
  assertEquals(stdout, "new x\n");
  assertEquals(
    [...Deno.readDirSync(`${scene.home}/.cargo/bin`)].map(({ name }) => name),
    [PROGRAM],
  );
  const elsewhere = `${scene.root}/cargo`;
  assertEquals((await scene.install({ CARGO_HOME: elsewhere })).code, 0);
  assert((await Deno.stat(`${elsewhere}/bin/${PROGRAM}`)).isFile);
});

unix.test("install.sh refuses a file that is not what was released", async () => {
  await using scene = await Scene.create();
  const { archive } =
    scene.release.files.find(({ target }) => target === HOST) ??
      { archive: "" };
  await Deno.writeTextFile(`${scene.out}/${archive}`, "tampered", {
    append: true,
  });
  const { code, stderr } = await scene.install();
  assertEquals(code, 1);
  assertStringIncludes(stderr, "is not what was released");
  assertEquals([...Deno.readDirSync(scene.home)], []);

  await Deno.remove(`${scene.out}/${archive}`);
  const gone = await scene.install();
  assertEquals(gone.code, 1);
  assertStringIncludes(gone.stderr, "cannot be downloaded");
});

unix.test("install.sh says where there is no program for a system", async () => {
  await using scene = await Scene.create();
  const bin = `${scene.root}/bin`;
  await Deno.mkdir(bin);
  await Deno.writeTextFile(`${bin}/uname`, "#!/bin/sh\necho Plan9\n", {
    mode: 0o755,
  });
  const { code, stderr } = await scene.install({
    PATH: `${bin}:${Deno.env.get("PATH")}`,
  });
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    "there is no cargo-credential-keyring for Plan9",
  );
});

unix.test("install.sh does nothing if it was cut short", async () => {
  await using scene = await Scene.create();
  const text = await Deno.readTextFile(`${scene.out}/install.sh`);
  for (const part of [0.3, 0.6, 0.9]) {
    await Deno.writeTextFile(
      `${scene.out}/install.sh`,
      text.slice(0, Math.floor(text.length * part)),
    );
    await scene.install();
    assertEquals([...Deno.readDirSync(scene.home)], []);
  }
});

unix.test("shellcheck has nothing against install.sh", async () => {
  const shellcheck = await findProgram("shellcheck") ??
    missing("shellcheck", "apt-get install shellcheck");
  await using scene = await Scene.create();
  const { code, stdout } = await run(
    [shellcheck, "--shell=sh", `${scene.out}/install.sh`],
    { env: {} },
  );
  assertEquals(code, 0, stdout);
});

unix.test("the installers have every sum of their systems in them", () => {
  const release: Release = {
    version: "1.2.3",
    baseUrl: "https://example.com/v1.2.3",
    files: TARGETS.map((target, i) => ({
      target,
      archive: `${PROGRAM}-1.2.3-${target}.x`,
      sha256: `${i}`.repeat(64),
    })),
  };
  const sh = renderInstallSh(release);
  const ps1 = renderInstallPs1(release);
  for (const { target, archive, sha256 } of release.files) {
    const text = target.includes("windows") ? ps1 : sh;
    assertStringIncludes(text, archive);
    assertStringIncludes(text, sha256);
  }
  // Braces and quotes that close: no PowerShell is here to say more.
  for (const [open, close] of ["{}", "()", "[]"]) {
    assertEquals(
      ps1.split(open ?? "").length,
      ps1.split(close ?? "").length,
      open,
    );
  }
  assert(!/[^\r]\n/.test(ps1));
});

unix.test("the Debian package is installed, listed and removed by dpkg", async () => {
  const dpkg = await findProgram("dpkg") ??
    missing("dpkg", "a Debian or Ubuntu system");
  await using scene = await Scene.create();
  const { version } = scene.release;
  const root = `${scene.root}/root`;
  await Deno.mkdir(`${root}/var/lib/dpkg`, { recursive: true });
  await Deno.writeTextFile(`${root}/var/lib/dpkg/status`, "");
  const call = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(
      [dpkg, `--root=${root}`, "--force-depends", "--force-not-root", ...args],
      { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } },
    );
    assertEquals(code, 0, stderr);
    return stdout;
  };
  const architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
  await call(
    "--install",
    `${scene.out}/${PROGRAM}_${version}_${architecture}.deb`,
  );
  const listed = (await call("--listfiles", PROGRAM)).split("\n");
  for (
    const path of [
      `/usr/bin/${PROGRAM}`,
      `/usr/share/man/man1/${PROGRAM}.1.gz`,
      `/usr/share/bash-completion/completions/${PROGRAM}`,
      `/usr/share/zsh/vendor-completions/_${PROGRAM}`,
      `/usr/share/fish/vendor_completions.d/${PROGRAM}.fish`,
    ]
  ) {
    assert(listed.includes(path), path);
    assert((await Deno.stat(`${root}${path}`)).isFile);
  }
  await call("--purge", PROGRAM);
  await Deno.stat(`${root}/usr/bin/${PROGRAM}`).then(
    () => assert(false, "it is still there"),
    () => {},
  );
});

unix.test("the manifests name every archive with its sum", async () => {
  await using scene = await Scene.create();
  const formula = await Deno.readTextFile(`${scene.out}/${PROGRAM}.rb`);
  const scoop = JSON.parse(
    await Deno.readTextFile(`${scene.out}/${PROGRAM}.json`),
  );
  for (const { target, archive, sha256 } of scene.release.files) {
    if (target.includes("windows")) {
      const key = target.startsWith("x86_64") ? "64bit" : "arm64";
      assertEquals(scoop.architecture[key].hash, sha256);
      assertStringIncludes(scoop.architecture[key].url, archive);
    } else {
      assertStringIncludes(formula, archive);
      assertStringIncludes(formula, sha256);
    }
  }
  const binstall = await Deno.readTextFile(`${scene.out}/binstall.toml`);
  assertStringIncludes(binstall, scene.url);
});

unix.test("the bill of materials names what is in the program, and nothing of its tests", async () => {
  await using scene = await Scene.create();
  const sbom = JSON.parse(
    await Deno.readTextFile(
      `${scene.out}/${PROGRAM}-${scene.release.version}.spdx.json`,
    ),
  );
  assertEquals(sbom.spdxVersion, "SPDX-2.3");
  const names: string[] = sbom.packages.map(({ name }: { name: string }) =>
    name
  );
  for (const name of [PROGRAM, "deno", "@optique/core", "toml-eslint-parser"]) {
    assert(names.includes(name), name);
  }
  assert(!names.includes("fast-check"));
  const ids = new Set(
    sbom.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID),
  );
  assertEquals(ids.size, names.length);
  for (const { relatedSpdxElement } of sbom.relationships) {
    assert(ids.has(relatedSpdxElement));
  }
  assertMatch(sbom.creationInfo.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});
