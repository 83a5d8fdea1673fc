import { assert, assertEquals } from "@std/assert";
import { isInIndex } from "../../src/tokens/git_index.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "git is the judge, and missing in Wine");

const PATH = ".cargo/credentials.toml";

/** A work tree with git as the judge, gone when it is disposed of. */
class WorkTree implements AsyncDisposable {
  readonly path: string;
  readonly #git: string;

  private constructor(path: string, git: string) {
    this.path = path;
    this.#git = git;
  }

  static async create(...options: readonly string[]): Promise<WorkTree> {
    const git = await findProgram("git") ??
      missing("git", "apt-get install git");
    const tree = new WorkTree(await Deno.makeTempDir(), git);
    await tree.git("init", "-q", ...options);
    for (const name of [PATH, ".cargo/config.toml", "a/b", "z"]) {
      await Deno.mkdir(`${tree.path}/${name}`.replace(/\/[^/]*$/, ""), {
        recursive: true,
      });
      await Deno.writeTextFile(`${tree.path}/${name}`, name);
    }
    return tree;
  }

  async git(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await run([
      this.#git,
      "-c",
      "user.email=a@b.example",
      "-c",
      "user.name=a",
      ...args,
    ], { cwd: this.path, env: { HOME: this.path } });
    assertEquals(code, 0, stderr);
  }

  lists(path = PATH): boolean {
    return isInIndex(`${this.path}/.git/index`, path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

unix.test("isInIndex() knows a new work tree, an ignored file and a tracked one", async () => {
  await using tree = await WorkTree.create();
  assertEquals(tree.lists(), false);
  await Deno.writeTextFile(`${tree.path}/.gitignore`, "/.cargo\n");
  await tree.git("add", ".");
  assertEquals(tree.lists(), false);
  assertEquals(tree.lists("z"), true);
  await tree.git("add", "--force", PATH);
  assertEquals(tree.lists(), true);
  // Some file systems take two cases of a name for one.
  assertEquals(tree.lists(".Cargo/Credentials.toml"), true);
  await tree.git("rm", "-q", "--cached", PATH);
  assertEquals(tree.lists(), false);
});

for (
  const [name, options] of [
    ["version 2", []],
    ["version 4", ["-c", "index.version=4"]],
  ] as const
) {
  for (const format of ["sha1", "sha256"] as const) {
    unix.test(`isInIndex() reads ${name} with ${format}`, async () => {
      await using tree = await WorkTree.create(`--object-format=${format}`);
      await tree.git(...options, "add", "a", "z", ".cargo/config.toml");
      await tree.git("commit", "-qm", "one");
      assertEquals(tree.lists(), false);
      assertEquals(tree.lists("a/b"), true);
      assertEquals(tree.lists("z"), true);
      await tree.git(...options, "add", "--intent-to-add", PATH);
      assertEquals(tree.lists(), true);
      assertEquals(tree.lists("z"), true);
    });
  }
}

unix.test("isInIndex() takes a split index for one that may list anything", async () => {
  await using tree = await WorkTree.create();
  await tree.git("add", "z");
  await tree.git("update-index", "--split-index");
  assertEquals(tree.lists(), true);
});

unix.test("isInIndex() sees whole folders in a sparse index", async () => {
  await using tree = await WorkTree.create();
  await tree.git("add", ".");
  await tree.git("commit", "-qm", "one");
  await tree.git("sparse-checkout", "set", "--cone", "--sparse-index", "a");
  assertEquals(tree.lists(), true);
  assertEquals(tree.lists("other"), false);
});

unix.test("isInIndex() takes what it cannot read for the worse, and ends", async () => {
  await using tree = await WorkTree.create();
  const index = `${tree.path}/.git/index`;
  for (const bytes of [[], [1], Array(64).fill(0xff)]) {
    await Deno.writeFile(index, new Uint8Array(bytes));
    assertEquals(tree.lists(), true);
  }
  await Deno.remove(index);
  await tree.git("add", ".");
  const whole = await Deno.readFile(index);
  for (let length = 0; length < whole.length; length++) {
    await Deno.writeFile(index, whole.subarray(0, length));
    assert(tree.lists("no/such"), `${length} of ${whole.length} bytes`);
  }
  await Deno.remove(index);
  await Deno.mkdir(index);
  assertEquals(tree.lists(), true);
});
