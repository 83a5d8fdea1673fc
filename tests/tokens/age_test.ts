// Debian's `age` is the judge: what it writes is read here, and the reverse.

import { assert, assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import {
  decrypt,
  encrypt,
  isKey,
  keysOf,
  readKeys,
} from "../../src/tokens/age.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { runInPty } from "../support/pty.ts";
import { run } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the judge is Debian's age");

const TEXT = "nothing that matters";
const BYTES = new TextEncoder().encode(TEXT);
const PASSPHRASE = "correct horse";

function passphrase(text = PASSPHRASE): { readonly passphrase: Secret } {
  return { passphrase: Secret.fromString(text) };
}

async function age(name: "age" | "age-keygen" = "age"): Promise<string> {
  return await findProgram(name) ?? missing("age", "apt-get install age");
}

async function keyPair(): Promise<{ identity: string; recipient: string }> {
  const { stdout } = await run([await age("age-keygen")], { env: {} });
  const identity = /AGE-SECRET-KEY-1\S+/.exec(stdout)?.[0] ?? "";
  const recipient = /age1\S+/.exec(stdout)?.[0] ?? "";
  return { identity, recipient };
}

async function inFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "age-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

unix.test("age decrypts what encrypt() wrote to recipients", () =>
  inFolder(async (folder) => {
    const mine = await keyPair();
    const other = await keyPair();
    const file = await encrypt(BYTES, {
      recipients: [other.recipient, mine.recipient],
    });
    await Deno.writeFile(`${folder}/tokens.age`, file);
    await Deno.writeTextFile(`${folder}/key`, mine.identity);
    const { code, stdout, stderr } = await run(
      [await age(), "-d", "-i", `${folder}/key`, `${folder}/tokens.age`],
      { env: {} },
    );
    assertEquals([code, stdout], [0, TEXT], stderr);
  }));

unix.test("decrypt() reads what age wrote to a recipient", async (t) => {
  const { identity, recipient } = await keyPair();
  for (const options of [[], ["--armor"]]) {
    await t.step(options.join() || "binary", () =>
      inFolder(async (folder) => {
        const path = `${folder}/tokens.age`;
        const { code, stderr } = await run(
          [await age(), "-r", recipient, "-o", path, ...options],
          { env: {}, stdin: TEXT },
        );
        assertEquals(code, 0, stderr);
        const file = await Deno.readFile(path);
        assertEquals(keysOf(file), "identity");
        const read = await decrypt(file, { identities: [identity] });
        assert(read.kind === "decrypted", read.kind);
        assertEquals(read.bytes, BYTES);
      }));
  }
});

unix.test("age decrypts what encrypt() wrote with a passphrase", () =>
  inFolder(async (folder) => {
    const path = `${folder}/tokens.age`;
    await Deno.writeFile(path, await encrypt(BYTES, passphrase()));
    const { code, output } = await runInPty([await age(), "-d", path], {
      env: {},
      steps: [{ expect: "passphrase:", send: `${PASSPHRASE}\r` }],
    });
    assertEquals(code, 0, output);
    assert(output.includes(TEXT), output);
  }));

unix.test("decrypt() reads what age wrote with a passphrase", () =>
  inFolder(async (folder) => {
    const path = `${folder}/tokens.age`;
    await Deno.writeTextFile(`${folder}/text`, TEXT);
    await runInPty([await age(), "-p", "-o", path, `${folder}/text`], {
      env: {},
      steps: [
        { expect: "passphrase", send: `${PASSPHRASE}\r` },
        { expect: "onfirm passphrase:", send: `${PASSPHRASE}\r` },
      ],
    });
    const file = await Deno.readFile(path);
    assertEquals(keysOf(file), "passphrase");
    const read = await decrypt(file, passphrase());
    assert(read.kind === "decrypted", read.kind);
    assertEquals(read.bytes, BYTES);
    const wrong = await decrypt(file, passphrase("wrong"));
    assertEquals(wrong, { kind: "wrong-key" });
  }));

unix.test("decrypt() tells a wrong key from a damaged file", async () => {
  const mine = await keyPair();
  const other = await keyPair();
  const file = new Uint8Array(
    await encrypt(BYTES, { recipients: [mine.recipient] }),
  );
  const open = async (bytes: Uint8Array<ArrayBuffer>, key: string) =>
    (await decrypt(bytes, { identities: [key] })).kind;
  assertEquals(await open(file, mine.identity), "decrypted");
  assertEquals(await open(file, other.identity), "wrong-key");
  for (let length = 0; length < file.length; length++) {
    assertEquals(await open(file.slice(0, length), mine.identity), "damaged");
  }
  for (const at of [30, file.length - 40, file.length - 1]) {
    const changed = file.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert(await open(changed, mine.identity) !== "decrypted", `at ${at}`);
  }
});

unix.test("a passphrase opens nothing that was encrypted to a recipient", async () => {
  const { recipient, identity } = await keyPair();
  const toKey = new Uint8Array(
    await encrypt(BYTES, { recipients: [recipient] }),
  );
  assertEquals(await decrypt(toKey, passphrase()), { kind: "wrong-key" });
  const toPhrase = new Uint8Array(
    await encrypt(BYTES, passphrase(), { workFactor: 10 }),
  );
  assertEquals(await decrypt(toPhrase, { identities: [identity] }), {
    kind: "wrong-key",
  });
});

Deno.test("keysOf() knows an age file by its head", () => {
  for (const text of ["", "{}", "age-encryption.org/v2\n-> scrypt "]) {
    assertEquals(keysOf(new TextEncoder().encode(text)), undefined, text);
  }
  assertEquals(
    keysOf(
      new TextEncoder().encode("-----BEGIN AGE ENCRYPTED FILE-----\n!\n"),
    ),
    undefined,
  );
});

unix.test("readKeys() reads what age-keygen writes", async () => {
  const { stdout } = await run([await age("age-keygen")], { env: {} });
  const [identity] = readKeys(stdout, "identity") as readonly string[];
  assert(identity !== undefined && isKey(identity, "identity"));
});

unix.test("readKeys() names the first line that is no key, and not its content", async () => {
  const { recipient, identity } = await keyPair();
  assertEquals(
    readKeys(`# mine\r\n\n${recipient}\r\n  ${recipient}  \n`, "recipient"),
    [recipient, recipient],
  );
  const cases: readonly [string, "recipient" | "identity", unknown][] = [
    [`\n${recipient.slice(0, -1)}x`, "recipient", { line: 2, ssh: false }],
    [`ssh-ed25519 AAAA me`, "recipient", { line: 1, ssh: true }],
    [identity, "recipient", { line: 1, ssh: false }],
    [recipient, "identity", { line: 1, ssh: false }],
    ["-----BEGIN OPENSSH PRIVATE KEY-----", "identity", { line: 1, ssh: true }],
  ];
  for (const [text, kind, expected] of cases) {
    assertEquals(readKeys(text, kind), expected, kind);
  }
});
