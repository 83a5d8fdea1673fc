import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { readPlaintext } from "../../src/credentials/file.ts";
import { credentialsPath } from "../../src/credentials/place.ts";
import {
  type EditOutcome,
  type LockOutcome,
  withCredentialsLock,
} from "../../src/credentials/lock.ts";
import { Secret } from "../../src/base/secret.ts";
import { onlyOn } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);
const modes = onlyOn("unix", "users, modes and root are Unix's");
const openFiles = onlyOn("unix", "an open file cannot be replaced on Windows");
const unix = onlyOn("unix", "another program of Unix takes part");

const CRATES_IO = ["registry"] as const;

/** Runs a test with a directory of its own. */
async function inDirectory(
  test: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "credentials-" });
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function run(program: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args }).output();
  assert(success, `${program} failed`);
}

function removeFrom(path: string): Promise<LockOutcome<EditOutcome>> {
  return withCredentialsLock(path, (file) => file.remove(CRATES_IO));
}

function insertInto(
  path: string,
  token: string,
  create = false,
): Promise<LockOutcome<EditOutcome>> {
  return withCredentialsLock(
    path,
    (file) => file.insert(CRATES_IO, Secret.fromString(token)),
    { create },
  );
}

const EDITED = { kind: "done", value: { kind: "edited" } } as const;

links.test("withCredentialsLock() edits in place and keeps link and inode", () =>
  inDirectory(async (directory) => {
    const file = `${directory}/elsewhere.toml`;
    const path = `${directory}/credentials.toml`;
    await Deno.writeTextFile(file, '# a\n[registry]\ntoken = "abc"\n', {
      mode: 0o644,
    });
    await Deno.symlink(file, path);
    const before = await Deno.stat(file);
    assertEquals(await removeFrom(path), EDITED);
    assertEquals(await Deno.readTextFile(file), "# a\n[registry]\n");
    assertEquals(await insertInto(path, "def"), EDITED);
    assertEquals(
      await Deno.readTextFile(file),
      '# a\n[registry]\ntoken = "def"\n',
    );
    const after = await Deno.stat(file);
    assertEquals([after.ino, after.uid], [before.ino, before.uid]);
    assertEquals((after.mode ?? 0) & 0o777, 0o600);
    assert((await Deno.lstat(path)).isSymlink);
    // No backup, no temporary file.
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name);
    assertEquals(names.sort(), ["credentials.toml", "elsewhere.toml"]);
  }));

Deno.test("withCredentialsLock() makes several edits under one lock", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/credentials`;
    await Deno.writeTextFile(
      path,
      '[registry]\ntoken = "a"\n[registries.b]\ntoken = "b"\n[registries.c]\ntoken = "c"\n',
    );
    const outcome = await withCredentialsLock(path, async (file) => {
      const first = await file.remove(["registries", "b"]);
      const second = await file.remove(CRATES_IO);
      const third = await file.remove(["registries", "b"]);
      return [first.kind, second.kind, third.kind, file.document.text];
    });
    const text = '[registry]\n[registries.b]\n[registries.c]\ntoken = "c"\n';
    assertEquals(outcome, {
      kind: "done",
      value: ["edited", "edited", "unchanged", text],
    });
    assertEquals(await Deno.readTextFile(path), text);
  }));

modes.test("withCredentialsLock() creates a file only when asked to", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/new/credentials.toml`;
    assertEquals(await insertInto(path, "abc"), { kind: "absent" });
    assertEquals(await insertInto(path, "abc", true), EDITED);
    assertEquals(await Deno.readTextFile(path), '[registry]\ntoken = "abc"\n');
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);

    // There is no empty file where nothing came of it.
    const unwritten = `${directory}/unwritten/credentials.toml`;
    const kinds = await withCredentialsLock(
      unwritten,
      async (file) => [
        file.document.text,
        (await file.remove(CRATES_IO)).kind,
      ],
      { create: true },
    );
    assertEquals(kinds, { kind: "done", value: ["", "unchanged"] });
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), [
      "new",
    ]);
    // Nor is one written over that came meanwhile.
    const late = await withCredentialsLock(unwritten, async (file) => {
      await Deno.mkdir(`${directory}/unwritten`);
      await Deno.writeTextFile(unwritten, "# cargo's\n");
      return await file.insert(CRATES_IO, Secret.fromString("abc"));
    }, { create: true });
    assertEquals(late, {
      kind: "done",
      value: { kind: "failed", reason: "changed-meanwhile" },
    });
    assertEquals(await Deno.readTextFile(unwritten), "# cargo's\n");

    const dangling = `${directory}/dangling`;
    await Deno.symlink(`${directory}/nowhere`, dangling);
    assertEquals(await removeFrom(dangling), { kind: "absent" });
    assertEquals(await insertInto(dangling, "abc", true), {
      kind: "failed",
      reason: "dangling-link",
    });
  }));

unix.test("withCredentialsLock() does not wait for a lock", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/credentials.toml`;
    const text = '[registry]\ntoken = "abc"\n';
    await Deno.writeTextFile(path, text);
    const holder = new Deno.Command("flock", {
      args: [path, "sh", "-c", "echo locked; exec cat"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = holder.stdout.getReader();
    await reader.read();
    assertEquals(await removeFrom(path), { kind: "busy" });
    // Reading takes no lock: cargo's own readers take none.
    const found = await readPlaintext(path, [CRATES_IO]);
    assertEquals(found.kind, "found");
    await holder.stdin.close();
    await holder.status;
    await reader.cancel();
    assertEquals(await Deno.readTextFile(path), text);
  }));

Deno.test("withCredentialsLock() keeps the lock until the work is done", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/credentials.toml`;
    await Deno.writeTextFile(path, "");
    const outer = await withCredentialsLock(path, () => removeFrom(path));
    assertEquals(outer, { kind: "done", value: { kind: "busy" } });
    await assertRejects(
      () => withCredentialsLock(path, () => Promise.reject(new TypeError("x"))),
      TypeError,
    );
    assertEquals((await removeFrom(path)).kind, "done");
  }));

links.test("withCredentialsLock() and readPlaintext() open nothing that blocks", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/credentials.toml`;
    const unusable = {
      kind: "unusable",
      reason: "not-a-regular-file",
    } as const;
    await run("mkfifo", [path]);
    assertEquals(await removeFrom(path), unusable);
    assertEquals(await readPlaintext(path, [CRATES_IO]), unusable);
    assertEquals(await credentialsPath(directory), path);
    await Deno.remove(path);
    await Deno.mkdir(path);
    assertEquals(await removeFrom(path), unusable);
    assertEquals(await readPlaintext(path, [CRATES_IO]), unusable);
    await Deno.remove(path);
    await Deno.symlink("/dev/zero", path);
    assertEquals(await removeFrom(path), unusable);
    assertEquals(await readPlaintext(path, [CRATES_IO]), unusable);
    await Deno.remove(path);
    using file = await Deno.create(path);
    await file.truncate(17 * 1024 * 1024);
    const large = { kind: "unusable", reason: "too-large" } as const;
    assertEquals(await removeFrom(path), large);
    assertEquals(await readPlaintext(path, [CRATES_IO]), large);
  }));

Deno.test("withCredentialsLock() leaves what is no TOML alone and repeats none of it", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/credentials.toml`;
    const secret = "cio0123456789";
    const cases: [string, unknown][] = [
      [`[registry]\ntoken = '${secret}\n`, {
        reason: "malformed",
        line: 2,
      }],
      [`[registry]\ntoken = ${secret}\n`, {
        reason: "malformed",
        line: 2,
      }],
    ];
    for (const [text, expected] of cases) {
      await Deno.writeTextFile(path, text);
      const outcomes = [
        await removeFrom(path),
        await readPlaintext(path, [CRATES_IO]),
      ];
      for (const outcome of outcomes) {
        assertEquals<unknown>(outcome, {
          kind: "unusable",
          ...Object(expected),
        });
        assert(!JSON.stringify(outcome).includes("cio"));
      }
      assertEquals(await Deno.readTextFile(path), text);
    }
    await Deno.writeFile(path, new Uint8Array([0x23, 0xff, 0x0a]));
    const notText = { kind: "unusable", reason: "not-utf-8" } as const;
    assertEquals(await removeFrom(path), notText);
    assertEquals(await readPlaintext(path, [CRATES_IO]), notText);
  }));

openFiles.test("withCredentialsLock() edits no file that was replaced meanwhile", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/credentials.toml`;
    const text = '[registry]\ntoken = "abc"\n';
    const changed = { kind: "failed", reason: "changed-meanwhile" } as const;
    for (
      const meddle of [
        async () => {
          await Deno.writeTextFile(`${path}.new`, text);
          await Deno.rename(`${path}.new`, path);
        },
        () => Deno.writeTextFile(path, text.replace("abc", "xyz")),
      ]
    ) {
      await Deno.writeTextFile(path, text);
      let after = "";
      const outcome = await withCredentialsLock(path, async (file) => {
        await meddle();
        after = await Deno.readTextFile(path);
        return [
          await file.remove(CRATES_IO),
          await file.insert(["registries", "a"], Secret.fromString("T")),
        ];
      });
      assertEquals(outcome, { kind: "done", value: [changed, changed] });
      assertEquals(await Deno.readTextFile(path), after);
    }
  }));

modes.test("withCredentialsLock() says what the system has against it", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/credentials.toml`;
    const text = '[registry]\ntoken = "abc"\n';
    await Deno.writeTextFile(path, text);
    await run("chattr", ["+i", path]).catch(() => Deno.chmod(path, 0o400));
    try {
      const outcome = await removeFrom(path);
      assert(
        outcome.kind === "failed" && outcome.reason === "denied",
        JSON.stringify(outcome),
      );
    } finally {
      await run("chattr", ["-i", path]).catch(() => {});
    }
    assertEquals(await Deno.readTextFile(path), text);
  }));

Deno.test("credentialsPath() prefers the file without an extension", () =>
  inDirectory(async (directory) => {
    const named = join(directory, "credentials.toml");
    const plain = join(directory, "credentials");
    assertEquals(await credentialsPath(directory), named);
    await Deno.writeTextFile(named, "");
    await Deno.writeTextFile(plain, "");
    assertEquals(await credentialsPath(directory), plain);
  }));

links.test("credentialsPath() takes a link to nowhere for no file", () =>
  inDirectory(async (directory) => {
    await Deno.symlink("nowhere", `${directory}/credentials`);
    assertEquals(
      await credentialsPath(directory),
      `${directory}/credentials.toml`,
    );
  }));
