import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { readState, updateState } from "../../src/state/file.ts";
import {
  forgetKept,
  keepNotice,
  type NoticeOccasion,
  shouldTell,
  told,
} from "../../src/state/notices.ts";
import { addScoped, hasScoped, removeScoped } from "../../src/state/scoped.ts";
import { isPinned, pin, unpin } from "../../src/state/pins.ts";
import {
  isSuperseded,
  supersede,
  unsupersede,
} from "../../src/state/superseded.ts";
import { formatState, parseState } from "../../src/state/format.ts";
import { EMPTY_STATE, type State } from "../../src/state/state.ts";
import { Secret } from "../../src/base/secret.ts";
import { onlyOn, type Platform } from "../support/platform.ts";

const links = onlyOn(
  "unix",
  "making FIFOs and symbolic links takes privileges on Windows",
);
const modes = onlyOn("unix", "users, modes and root are Unix's");

const URL = "sparse+https://example.com/index/";
const OTHER = "https://github.com/rust-lang/crates.io-index";
const HOUR = 60 * 60 * 1000;
const NOW = Date.UTC(2026, 0, 31);

/** A cargo home of its own, gone when it is disposed of. */
class Home implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "state-test-" });
  readonly file = `${this.path}/.credential-keyring-state.json`;
  readonly lock = `${this.path}/.credential-keyring-state.lock`;

  names(): readonly string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

const pinUrl = (state: State): State => pin(state, URL);

/** A state file as another version might have written it. */
function parse(text: string): State {
  const parsed = parseState(text);
  assert(parsed.kind === "state", parsed.kind);
  return parsed.state;
}

// --- Pins ----------------------------------------------------------------

Deno.test("pin() and unpin() change one index URL", () => {
  const pinned = pin(pin(EMPTY_STATE, URL), OTHER);
  assertEquals(isPinned(pinned, URL), true);
  assertEquals(isPinned(EMPTY_STATE, URL), false);
  assertEquals(pin(pinned, URL), pinned);
  const unpinned = unpin(pinned, URL);
  assertEquals(isPinned(unpinned, URL), false);
  assertEquals(isPinned(unpinned, OTHER), true);
  assertEquals(unpin(unpinned, URL), unpinned);
});

Deno.test("isPinned() holds for what cannot be remembered", () => {
  for (const url of ["", "a".repeat(501), "https://h\u00fc.example/", "a\nb"]) {
    assertEquals(isPinned(EMPTY_STATE, url), true, url);
    assertEquals(pin(EMPTY_STATE, url), EMPTY_STATE);
    assertEquals(unpin(EMPTY_STATE, url), EMPTY_STATE);
  }
});

// --- Superseded tokens ---------------------------------------------------

const token = (text: string): Secret => Secret.fromString(text);

Deno.test("supersede() is the only way for a token to be out of use", async () => {
  const state = await supersede(EMPTY_STATE, URL, [token("a"), token("b")]);
  assertEquals(await isSuperseded(state, URL, token("a")), true);
  assertEquals(await isSuperseded(state, URL, token("b")), true);
  assertEquals(await isSuperseded(state, URL, token("c")), false);
  assertEquals(await isSuperseded(state, OTHER, token("a")), false);
  assertEquals(await isSuperseded(EMPTY_STATE, URL, token("a")), false);
  assertEquals(await supersede(EMPTY_STATE, URL, []), EMPTY_STATE);
});

Deno.test("unsupersede() puts one token of one registry into use again", async () => {
  let state = await supersede(EMPTY_STATE, URL, [token("a"), token("b")]);
  state = await supersede(state, OTHER, [token("a")]);
  const one = await unsupersede(state, URL, token("a"));
  assertEquals(await isSuperseded(one, URL, token("a")), false);
  assertEquals(await isSuperseded(one, URL, token("b")), true);
  assertEquals(await isSuperseded(one, OTHER, token("a")), true);
  assertEquals(await unsupersede(one, URL, token("never")), one);
  const none = await unsupersede(one, URL, token("b"));
  assertEquals(await isSuperseded(none, URL, token("b")), false);
  assertEquals(await isSuperseded(none, OTHER, token("a")), true);
  assertEquals(await unsupersede(none, URL, token("b")), none);
});

Deno.test("supersede() writes 40 bits with a salt that is made once", async () => {
  const state = await supersede(EMPTY_STATE, URL, [token("a")]);
  assertMatch(state.salt, /^[0-9a-f]{32}$/);
  assertMatch(state.superseded[0]?.digests[0] ?? "", /^[0-9a-f]{10}$/);
  const again = await supersede(state, OTHER, [token("a")]);
  assertEquals(again.salt, state.salt);
  const elsewhere = await supersede(EMPTY_STATE, URL, [token("a")]);
  assertNotEquals(elsewhere.salt, state.salt);
  assertNotEquals(elsewhere.superseded, state.superseded);
});

Deno.test("supersede() forgets the oldest of many, and repeats none", async () => {
  let state = EMPTY_STATE;
  for (const text of ["a", "b", "a", "c", "d", "e", "f", "g", "h", "i"]) {
    state = await supersede(state, URL, [token(text)]);
  }
  assertEquals(state.superseded[0]?.digests.length, 8);
  assertEquals(await isSuperseded(state, URL, token("b")), false);
  assertEquals(await isSuperseded(state, URL, token("a")), true);
  for (let i = 0; i < 100; i++) {
    state = await supersede(state, `${OTHER}/${i}`, [token("a")]);
  }
  assertEquals(state.superseded.length, 100);
  assertEquals(await isSuperseded(state, URL, token("i")), false);
});

// --- Notices -------------------------------------------------------------

const occasion = (
  frequency: NoticeOccasion["frequency"],
  now = NOW,
): NoticeOccasion => ({ indexUrl: URL, topic: "locked", frequency, now });

for (
  const [words, before, due, expected] of [
    ["each time", occasion("each"), occasion("each"), true],
    ["never", undefined, occasion("never"), false],
    ["once, for the first time", undefined, occasion("once"), true],
    [
      "once, a year later",
      occasion("once"),
      occasion("once", NOW + 365 * 24 * HOUR),
      false,
    ],
    ["daily, for the first time", undefined, occasion("daily"), true],
    [
      "daily, an hour later",
      occasion("daily"),
      occasion("daily", NOW + HOUR),
      false,
    ],
    [
      "daily, a day later",
      occasion("daily"),
      occasion("daily", NOW + 24 * HOUR),
      true,
    ],
    [
      "daily, after the clock was set back",
      occasion("daily"),
      occasion("daily", NOW - HOUR),
      true,
    ],
    [
      "daily, of another topic",
      { ...occasion("daily"), topic: "x" },
      occasion(
        "daily",
      ),
      true,
    ],
    [
      "once, of another registry",
      { ...occasion("once"), indexUrl: OTHER },
      occasion("once"),
      true,
    ],
  ] as const satisfies readonly (readonly [
    string,
    NoticeOccasion | undefined,
    NoticeOccasion,
    boolean,
  ])[]
) {
  Deno.test(`shouldTell() answers ${expected}: ${words}`, () => {
    const state = before === undefined
      ? EMPTY_STATE
      : told(EMPTY_STATE, before);
    assertEquals(shouldTell(state, due), expected);
    assertEquals(shouldTell(state, due, { ci: true }), false);
    assertEquals(
      shouldTell(state, due, { ci: true, changesAnswer: true }),
      expected,
    );
  });
}

Deno.test("told() forgets daily notices of the day before, and no others", () => {
  let state = told(EMPTY_STATE, occasion("once"));
  state = told(state, { ...occasion("daily"), topic: "denied" });
  state = told(state, { ...occasion("daily", NOW + HOUR), topic: "timeout" });
  state = told(state, occasion("each", NOW + 25 * HOUR));
  assertEquals(state.notices.map(({ topic }) => topic), [
    "locked",
    "denied",
    "timeout",
  ]);
  const later = { ...occasion("daily", NOW + 24 * HOUR), indexUrl: OTHER };
  assertEquals(
    told(state, later).notices.map(({ topic, indexUrl }) => [topic, indexUrl]),
    [["locked", URL], ["timeout", URL], ["locked", OTHER]],
  );
});

Deno.test("keepNotice() keeps the last of each topic, and not too many", () => {
  const notice = (topic: string, at: number): State["kept"][number] => ({
    indexUrl: URL,
    topic,
    text: `it is ${at}`,
    at,
  });
  let state = keepNotice(EMPTY_STATE, notice("migrated", 1));
  state = keepNotice(state, notice("migrated", 2));
  assertEquals(state.kept, [notice("migrated", 2)]);
  for (let i = 0; i < 30; i++) state = keepNotice(state, notice(`${i}`, i));
  assertEquals(state.kept.length, 20);
  assertEquals(state.kept.at(-1), notice("29", 29));

  const given = state.kept;
  state = keepNotice(state, notice("29", 31));
  state = forgetKept(state, given);
  assertEquals(state.kept, [notice("29", 31)]);
  assertEquals(forgetKept(state, given), state);
});

// --- The format ----------------------------------------------------------

const text = fc.string({ unit: "binary" }).filter((s) => s.isWellFormed());
const time = fc.integer({ min: 0, max: 2 ** 48 });
const states: fc.Arbitrary<State> = fc.record({
  scoped: fc.uniqueArray(fc.string()),
  salt: text,
  superseded: fc.array(
    fc.record({ indexUrl: text, digests: fc.array(text) }),
  ),
  pins: fc.array(text),
  notices: fc.array(fc.record({
    indexUrl: text,
    topic: text,
    frequency: fc.constantFrom<"daily" | "once">("daily", "once"),
    at: time,
  })),
  kept: fc.array(
    fc.record({ indexUrl: text, topic: text, text, at: time }),
  ),
}, { noNullPrototype: true });

Deno.test("parseState() reads every state that formatState() writes", () => {
  fc.assert(
    fc.property(states, (state) => {
      assertEquals(parse(formatState(state)), state);
    }),
    { seed: 3981, numRuns: 300 },
  );
});

Deno.test("parseState() never throws, and reads no torn file", () => {
  const whole = formatState(
    told(pin(EMPTY_STATE, "h\u00fc\u{1f512}"), occasion("once")),
  );
  const bytes = new TextEncoder().encode(whole);
  for (let length = 0; length < bytes.length - 1; length++) {
    const torn = new TextDecoder().decode(bytes.subarray(0, length));
    assertEquals(parseState(torn).kind, "corrupt", torn);
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assertNotEquals(parseState(text).kind, "state");
    }),
    { seed: 3981, numRuns: 500 },
  );
});

Deno.test("parseState() keeps pins and notices of version 1, and nothing else", () => {
  const notice = { indexUrl: URL, topic: "t", frequency: "once", at: 1 };
  const state = parse(JSON.stringify({
    version: 1,
    future: { a: [1] },
    intents: [{ indexUrl: OTHER, kind: "logged-out", fileStamp: "none" }],
    pins: [URL, { indexUrl: URL, until: 5 }],
    rebindings: [{ name: "mine", indexUrl: URL }],
    settling: [{ indexUrl: URL, until: 5 }],
    notices: [notice, { ...notice, frequency: "weekly" }],
  }));
  const expected = { ...EMPTY_STATE, pins: [URL], notices: [notice] };
  assertEquals(JSON.parse(formatState(state)), { version: 2, ...expected });
});

Deno.test("the state is bounded whatever a request names", async () => {
  using home = new Home();
  const long = "sparse+https://example.com/" + "\u{1f4a5}".repeat(75_000);
  const text = "\u0000".repeat(100_000);
  assertEquals(await updateState(home.path, pinUrl), true);
  for (let i = 0; i < 30; i++) {
    const wide = `${URL}${i}`.padEnd(500, '"');
    const change = async (state: State): Promise<State> => {
      for (const indexUrl of [`${long}${i}`, wide]) {
        state = await supersede(state, indexUrl, [token(`${i}`)]);
        state = keepNotice(state, { indexUrl, topic: "t", text, at: NOW });
        for (let topic = 0; topic < 50; topic++) {
          state = told(state, {
            ...occasion("daily"),
            indexUrl,
            topic: `${topic}`,
          });
        }
      }
      return state;
    };
    assertEquals(await updateState(home.path, change), true);
  }
  const state = readState(home.path);
  assertEquals(isPinned(state, URL), true);
  assertEquals(state.notices.length, 500);
  assertEquals(
    shouldTell(state, { ...occasion("once"), indexUrl: long }),
    true,
  );
});

Deno.test("updateState() drops notices first, and writes nothing it cannot read again", async () => {
  using home = new Home();
  const pins = Array.from({ length: 1_800 }, (_, i) => `${i}`.padEnd(500, "x"));
  const noticed = told(EMPTY_STATE, occasion("once"));
  const notices = Array.from({ length: 500 }, (_, i) => ({
    indexUrl: `${i}`.padEnd(500, "y"),
    topic: "t",
    frequency: "once" as const,
    at: 1,
  }));
  const fits = (): State => ({ ...noticed, pins, notices });
  assertEquals(await updateState(home.path, fits), true);
  const state = readState(home.path);
  assertEquals(state.pins, pins);
  assertEquals(state.notices, []);
  const tooMany = (): State => ({ ...state, pins: [...pins, ...pins] });
  assertEquals(await updateState(home.path, tooMany), false);
  assertEquals(readState(home.path), state);
});

// --- The file ------------------------------------------------------------

modes.test("updateState() writes what readState() reads, for its owner alone", async () => {
  using home = new Home();
  assertEquals(await readState(home.path), EMPTY_STATE);
  assertEquals(await updateState(home.path, pinUrl), true);
  assertEquals(await readState(home.path), pin(EMPTY_STATE, URL));
  for (const path of [home.file, home.lock]) {
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  }
  assertEquals(home.names(), [
    ".credential-keyring-state.json",
    ".credential-keyring-state.lock",
  ]);
});

Deno.test("updateState() writes nothing where nothing changes", async () => {
  using home = new Home();
  assertEquals(await updateState(home.path, (state) => state), true);
  assertEquals(home.names(), [".credential-keyring-state.lock"]);
});

Deno.test("updateState() replaces a corrupt file, and leaves a newer version's alone", async () => {
  using home = new Home();
  for (const corrupt of ["", "{", "[]", "\0\0\0", `{"version":1,"pins":3}`]) {
    Deno.writeTextFileSync(home.file, corrupt);
    assertEquals(await readState(home.path), EMPTY_STATE);
    assertEquals(await updateState(home.path, pinUrl), true);
    assertEquals(isPinned(await readState(home.path), URL), true);
  }
  const newer = `{"version":3,"pins":["${URL}"]}`;
  Deno.writeTextFileSync(home.file, newer);
  assertEquals(await readState(home.path), EMPTY_STATE);
  assertEquals(await updateState(home.path, pinUrl), false);
  assertEquals(Deno.readTextFileSync(home.file), newer);
});

Deno.test("updateState() removes what a killed process has left", async () => {
  using home = new Home();
  Deno.writeTextFileSync(`${home.path}/.credential-keyring-state.new`, "torn");
  assertEquals(await updateState(home.path, pinUrl), true);
  assertEquals(isPinned(await readState(home.path), URL), true);
  assertEquals(home.names().length, 2);
});

Deno.test("updateState() does not wait for the lock, unless it is asked to", async () => {
  using home = new Home();
  Deno.writeTextFileSync(home.lock, "");
  const held = await Deno.open(home.lock, { write: true });
  await held.lock(true);
  assertEquals(await updateState(home.path, pinUrl), false);
  assertEquals(
    await updateState(home.path, pinUrl, { patienceMs: 30 }),
    false,
  );
  const patient = updateState(home.path, pinUrl, { patienceMs: 60_000 });
  held.close();
  assertEquals(await patient, true);
  assertEquals(await readState(home.path), pin(EMPTY_STATE, URL));
});

Deno.test("updateState() lets a mistake in the change through", async () => {
  using home = new Home();
  let thrown: unknown;
  try {
    await updateState(home.path, () => {
      throw new TypeError("a mistake");
    });
  } catch (error) {
    thrown = error;
  }
  assert(thrown instanceof TypeError);
  assertEquals(await updateState(home.path, pinUrl), true);
});

async function mkfifo(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] })
    .output();
  assert(success, "mkfifo failed");
}

for (
  const [name, put, { test } = Deno] of [
    ["a FIFO", mkfifo, links],
    ["a folder", (path) => Deno.mkdir(path)],
    ["a link to a file", async (path) => {
      await Deno.writeTextFile(`${path}.target`, `{"version":1}`);
      await Deno.symlink(`${path}.target`, path);
    }, links],
    [
      "a link to nowhere",
      (path) => Deno.symlink(`${path}.nowhere`, path),
      links,
    ],
    ["a link to itself", (path) => Deno.symlink(path, path), links],
    ["a file of a gigabyte", async (path) => {
      await Deno.writeTextFile(path, "");
      await Deno.truncate(path, 1 << 30);
    }],
  ] as const satisfies readonly (readonly [
    string,
    (path: string) => Promise<void>,
    Platform?,
  ])[]
) {
  test(`updateState() has no memory with ${name} in the state's place`, async () => {
    using home = new Home();
    await put(home.file);
    const before = home.names();
    assertEquals(await readState(home.path), EMPTY_STATE);
    assertEquals(await updateState(home.path, pinUrl), false);
    assertEquals(
      home.names().filter((name) => !name.endsWith(".lock")),
      before,
    );
  });
}

for (
  const [name, put, { test } = Deno] of [
    ["a FIFO", mkfifo, links],
    ["a folder", (path) => Deno.mkdir(path)],
    [
      "a link to nowhere",
      (path) => Deno.symlink(`${path}.nowhere`, path),
      links,
    ],
  ] as const satisfies readonly (readonly [
    string,
    (path: string) => Promise<void>,
    Platform?,
  ])[]
) {
  test(`updateState() records nothing with ${name} in the lock's place`, async () => {
    using home = new Home();
    await put(home.lock);
    assertEquals(await updateState(home.path, pinUrl), false);
    assertEquals(home.names(), [".credential-keyring-state.lock"]);
  });
}

Deno.test("updateState() records nothing where cargo's home is missing or no folder", async () => {
  using home = new Home();
  Deno.writeTextFileSync(home.file, "");
  for (const path of [`${home.path}/none`, home.file]) {
    assertEquals(await readState(path), EMPTY_STATE);
    assertEquals(await updateState(path, pinUrl), false);
  }
  assertEquals(home.names(), [".credential-keyring-state.json"]);
});

// --- Several processes ---------------------------------------------------

const SCRIPT = import.meta.resolve("./_update_state.ts");
const CONFIG = fileURLToPath(import.meta.resolve("../../deno.json"));

function updater(home: Home, ...args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--frozen",
      `--config=${CONFIG}`,
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-ffi",
      "--allow-sys=uid",
      SCRIPT,
      home.path,
      ...args,
    ],
    // That of the tests is none for a child under Wine.
    cwd: home.path,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

Deno.test("updateState() loses nothing when processes write at once", async () => {
  using home = new Home();
  const names = ["a", "b", "c", "d", "e", "f"];
  const outputs = await Promise.all(
    names.map((name) => updater(home, name, "10", "30000").output()),
  );
  for (const { code, stdout, stderr } of outputs) {
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(code, 0);
    assertEquals(new TextDecoder().decode(stdout), "1".repeat(10));
  }
  assertEquals(
    [...(await readState(home.path)).pins].sort(),
    names.flatMap((name) =>
      Array.from({ length: 10 }, (_, i) => `${name}/${i}`)
    ),
  );
});

Deno.test("updateState() records what it says it has, without any patience", async () => {
  using home = new Home();
  const names = ["a", "b", "c", "d"];
  const outputs = await Promise.all(
    names.map((name) => updater(home, name, "20", "0").output()),
  );
  assertEquals(outputs.map(({ code }) => code), [0, 0, 0, 0]);
  const recorded = outputs.flatMap(({ stdout }, n) =>
    [...new TextDecoder().decode(stdout)].flatMap((c, i) =>
      c === "1" ? [`${names[n]}/${i}`] : []
    )
  );
  assertEquals([...(await readState(home.path)).pins].sort(), recorded.sort());
});

Deno.test("updateState() leaves a whole file wherever it is killed", async () => {
  using home = new Home();
  let before = 0;
  for (let round = 0; round < 8; round++) {
    const child = updater(home, `${round}`, "100000", "1000").spawn();
    const reader = child.stdout.getReader();
    // Killed somewhere behind its first few updates.
    let done = 0;
    while (done < 3 + round) {
      const { value } = await reader.read();
      assert(value !== undefined, "it ended by itself");
      done += value.length;
    }
    child.kill("SIGKILL");
    while (true) {
      const { value } = await reader.read();
      if (value === undefined) break;
      done += value.length;
    }
    await child.stderr.cancel();
    await child.status;
    const { pins } = await readState(home.path);
    const extra = pins.length - before - done;
    // The last update may be done and not yet told.
    assert(extra === 0 || extra === 1, `${pins.length} of ${before} + ${done}`);
    before = pins.length;
  }
});

// --- Scoped tokens ---------------------------------------------------------

Deno.test("hasScoped() knows every spelling of a URL", () => {
  const url = "https://git.example/index";
  const state = addScoped(EMPTY_STATE, url);
  assert(hasScoped(state, url));
  assert(hasScoped(state, `${url}.git`));
  assert(!hasScoped(state, "https://git.example/other"));
  assertStrictEquals(addScoped(state, `${url}/`), state);
  assertEquals(removeScoped(state, `${url}.git`), EMPTY_STATE);
  assertStrictEquals(removeScoped(state, "https://git.example/other"), state);
  assertStrictEquals(addScoped(EMPTY_STATE, "x".repeat(501)), EMPTY_STATE);
});
