import { assert, assertEquals } from "@std/assert";
import type { CredentialsTable } from "../../src/credentials/file.ts";
import { withCredentialsLock } from "../../src/credentials/lock.ts";
import {
  type FileToken,
  type MoveOptions,
  type MoveOutcome,
  moveToken,
  type RemovalOutcome,
  removeLocked,
  type RemoveOptions,
  removeStored,
} from "../../src/tokens/move.ts";
import { Secret } from "../../src/base/secret.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";
import { onlyOn } from "../support/platform.ts";

const openFiles = onlyOn("unix", "an open file cannot be replaced on Windows");

const URL = "sparse+https://alt.example/index/";
const KEY = { indexUrl: URL, name: "alt" };
const ALT: CredentialsTable = ["registries", "alt"];
const P = "planted-plain-token-P2";
const T = "planted-stored-token-T1";
const FILE = `# mine
[registries.alt]
token = "${P}"
[registries.one]
token = "other"
`;
const FILE_WITHOUT = `# mine
[registries.alt]
[registries.one]
token = "other"
`;

const DENIED: StoreFailure = {
  kind: "denied",
  cause: "access-denied",
  reason: "the fake store refuses",
  remedy: "Ask it nicely.",
  storeExists: true,
};

const CHANGED = { kind: "failed", reason: "changed-meanwhile" } as const;

/** A credentials file of its own, and a store. */
class Place implements AsyncDisposable {
  readonly path: string;
  readonly store: FakeStore;
  /** Whatever happens, in its order. */
  readonly calls: string[] = [];
  readonly #folder: string;

  private constructor(folder: string, store: FakeStore) {
    this.#folder = folder;
    this.path = `${folder}/credentials.toml`;
    this.store = store;
    store.before = (call) => {
      this.calls.push(`${call}, ${this.#where()}`);
    };
  }

  static async create(
    text: string | undefined = FILE,
    store: FakeStore = new FakeStore(),
  ): Promise<Place> {
    const place = new Place(await Deno.makeTempDir(), store);
    if (text !== undefined) await Deno.writeTextFile(place.path, text);
    return place;
  }

  /** Where the token is at this moment. */
  #where(): string {
    const inFile = Deno.readTextFileSync(this.path).includes(P);
    const stored = this.store.items.get(URL) === P;
    return [inFile ? "file" : "", stored ? "store" : ""].filter(Boolean)
      .join(" and ") || "nowhere";
  }

  from(token = P): FileToken {
    return {
      path: this.path,
      table: ALT,
      token: Secret.fromString(token),
    };
  }

  move(options: Partial<MoveOptions> = {}): Promise<MoveOutcome> {
    return moveToken(this.from(), this.store, KEY, {
      signal: new AbortController().signal,
      ...options,
    });
  }

  remove(options: Partial<RemoveOptions> = {}): Promise<RemovalOutcome> {
    return removeStored(this.from(), this.store, KEY, {
      signal: new AbortController().signal,
      ...options,
    });
  }

  text(): Promise<string> {
    return Deno.readTextFile(this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function holding(token: string, faults: FakeStoreFaults = {}): FakeStore {
  return new FakeStore({ [URL]: token }, faults);
}

Deno.test("moveToken() stores, reads back, and only then edits", async () => {
  await using place = await Place.create();
  assertEquals(await place.move(), { kind: "moved" });
  assertEquals(place.calls, [
    "get, file",
    "prepare, file",
    "set, file",
    "verify, file and store",
  ]);
  assertEquals(place.store.items.get(URL), P);
  assertEquals(
    place.store.calls.some((call) => call.includes("prompt")),
    false,
  );
});

Deno.test("moveToken() leaves everything else in the file as it was", async () => {
  await using place = await Place.create();
  await place.move();
  assertEquals(await place.text(), FILE_WITHOUT);
});

Deno.test("moveToken() holds cargo's lock all the while", async () => {
  await using place = await Place.create();
  const record = place.store.before;
  const seen: string[] = [];
  place.store.before = async (call) => {
    await record(call);
    using other = await Deno.open(place.path, { read: true, write: true });
    seen.push(`${call} ${await other.tryLock(true) ? "free" : "held"}`);
  };
  assertEquals((await place.move()).kind, "moved");
  assertEquals(seen, ["get held", "prepare held", "set held", "verify held"]);
  using after = await Deno.open(place.path, { read: true, write: true });
  assert(await after.tryLock(true));
});

Deno.test("moveToken() with keepFile stores and edits nothing", async () => {
  await using place = await Place.create();
  assertEquals(await place.move({ keepFile: true }), {
    kind: "stored",
    why: { kind: "as-asked" },
  });
  assertEquals(place.store.items.get(URL), P);
  assertEquals(await place.text(), FILE);
});

Deno.test("moveToken() leaves the file to a store that writes to disk later", async () => {
  const store = new FakeStore({}, { verified: "not-yet-on-disk" });
  await using place = await Place.create(FILE, store);
  assertEquals(await place.move(), {
    kind: "stored",
    why: { kind: "not-yet-on-disk" },
  });
  assertEquals(place.store.items.get(URL), P);
  assertEquals(await place.text(), FILE);
});

Deno.test("moveToken() edits nothing while the store has the token in memory alone", async () => {
  await using place = await Place.create(FILE, new FakeStore({}, {}, false));
  const outcome = await place.move();
  assert(outcome.kind === "stored");
  assertEquals(outcome.why, { kind: "in-memory" });
  assertEquals(await place.text(), FILE);
});

Deno.test("moveToken() stores once more what the store has in another place", async () => {
  await using place = await Place.create(FILE, holding(P));
  assertEquals(await place.move(), { kind: "moved" });
  assertEquals(place.store.calls, ["get", "prepare", "set", "verify"]);
});

Deno.test("moveToken() writes over what it is told to, and nothing else", async () => {
  await using place = await Place.create(FILE, holding(T));
  assertEquals(
    await place.move({ over: Secret.fromString("another") }),
    { kind: "store-changed" },
  );
  assertEquals(await place.move(), { kind: "store-changed" });
  assertEquals(place.store.items.get(URL), T);
  assertEquals(await place.text(), FILE);
  assert(
    place.store.handedOut.every((secret) =>
      secret.bytes.every((byte) => byte === 0)
    ),
  );

  assertEquals(
    await place.move({ over: Secret.fromString(T) }),
    { kind: "moved" },
  );
  assertEquals(place.store.items.get(URL), P);
});

Deno.test("moveToken() writes over nothing that has gone", async () => {
  await using place = await Place.create();
  const outcome = await place.move({ over: Secret.fromString(T) });
  assertEquals(outcome, { kind: "moved" });
});

Deno.test("moveToken() does not wait for somebody else's lock", async () => {
  await using place = await Place.create();
  using other = await Deno.open(place.path, { read: true, write: true });
  await other.lock(true);
  assertEquals(await place.move(), { kind: "busy" });
  assertEquals(place.store.calls, []);
  assertEquals(await place.text(), FILE);
});

for (
  const [name, text] of [
    ["another token", FILE.replace(P, "newer")],
    ["no such token", FILE_WITHOUT],
    ["nothing", ""],
  ] as const
) {
  Deno.test(`moveToken() moves nothing if the file has ${name} by now`, async () => {
    await using place = await Place.create(text);
    assertEquals(await place.move(), { kind: "file-changed" });
    assertEquals(place.store.calls, []);
    assertEquals(await place.text(), text);
  });
}

Deno.test("moveToken() moves nothing if the file has gone", async () => {
  await using place = await Place.create();
  await Deno.remove(place.path);
  assertEquals(await place.move(), { kind: "file-changed" });
  assertEquals(place.store.calls, []);
});

for (const call of ["get", "prepare", "set", "verify"] as const) {
  Deno.test(`moveToken() edits nothing if the store fails in ${call}`, async () => {
    const store = new FakeStore({}, { failureOf: { [call]: DENIED } });
    await using place = await Place.create(FILE, store);
    assertEquals(await place.move(), { kind: "not-stored", failure: DENIED });
    assertEquals(place.store.calls.at(-1), call);
    assertEquals(await place.text(), FILE);
  });

  Deno.test(`moveToken() edits nothing if the store hangs in ${call}`, async () => {
    await using place = await Place.create();
    const controller = new AbortController();
    place.store.before = (name) => {
      if (name !== call) return;
      place.store.faults.hangs = true;
      queueMicrotask(() => controller.abort());
    };
    const outcome = await place.move({ signal: controller.signal });
    assertEquals(outcome.kind, "not-stored");
    assertEquals(await place.text(), FILE);
    // The lock is free again.
    using other = await Deno.open(place.path, { read: true, write: true });
    assert(await other.tryLock(true));
  });
}

Deno.test("moveToken() edits nothing if the store forgets", async () => {
  const store = new FakeStore({}, { forgets: true });
  await using place = await Place.create(FILE, store);
  const outcome = await place.move();
  assert(outcome.kind === "not-stored");
  assertEquals(outcome.failure.cause, "not-kept");
  assertEquals(await place.text(), FILE);
});

for (
  const [how, { test }] of [
    ["in place", Deno],
    ["by a rename", openFiles],
  ] as const
) {
  test(`moveToken() does not write over an editor that saves ${how}`, async () => {
    await using place = await Place.create();
    const edited = `# edited\n${FILE}`;
    place.store.before = async (call) => {
      if (call !== "verify") return;
      if (how === "in place") {
        await Deno.writeTextFile(place.path, edited);
      } else {
        await Deno.writeTextFile(`${place.path}~`, edited);
        await Deno.rename(`${place.path}~`, place.path);
      }
    };
    assertEquals(await place.move(), {
      kind: "stored",
      why: CHANGED,
    });
    assertEquals(await place.text(), edited);
    assertEquals(place.store.items.get(URL), P);
  });
}

Deno.test("moveToken() says why a file cannot be opened, and shows none of it", async () => {
  await using malformed = await Place.create(`${FILE}\nplanted = "no end`);
  const outcome = await malformed.move();
  assert(outcome.kind === "no-file");
  assertEquals(outcome.why, {
    kind: "unusable",
    reason: "malformed",
    line: 7,
  });
  assertEquals(malformed.store.calls, []);

  await using folder = await Place.create();
  await Deno.remove(folder.path);
  await Deno.mkdir(folder.path);
  assertEquals(await folder.move(), {
    kind: "no-file",
    why: { kind: "unusable", reason: "not-a-regular-file" },
  });

  await using binary = await Place.create();
  await Deno.writeFile(binary.path, new Uint8Array([0xff, 0xfe]));
  assertEquals(await binary.move(), {
    kind: "no-file",
    why: { kind: "unusable", reason: "not-utf-8" },
  });
});

Deno.test("removeStored() removes what the store has", async () => {
  await using place = await Place.create(FILE, holding(P));
  assertEquals(await place.remove(), { kind: "removed" });
  assert(!(await place.text()).includes(P));
  assertEquals(place.store.calls, ["get"]);
  assert(
    place.store.handedOut.every((secret) =>
      secret.bytes.every((byte) => byte === 0)
    ),
  );
});

Deno.test("removeStored() removes a superseded token, and without evidence nothing", async () => {
  await using place = await Place.create(FILE, holding(T));
  assertEquals(await place.remove(), {
    kind: "left",
    why: CHANGED,
  });
  assertEquals(await place.text(), FILE);
  assertEquals(await place.remove({ superseded: true }), { kind: "removed" });
  assertEquals(place.store.items.get(URL), T);
});

for (
  const [name, store, why] of [
    ["has nothing by now", new FakeStore(), undefined],
    ["holds an empty token by now", holding(""), undefined],
    ["holds what is no token by now", holding("a\nb"), undefined],
    [
      "cannot be read by now",
      holding(P, { failure: DENIED }),
      DENIED,
    ],
    [
      "has it in memory alone",
      new FakeStore({ [URL]: P }, {}, false),
      { kind: "in-memory" },
    ],
    [
      "has yet to write it",
      holding(P, { keeps: "not-yet-on-disk" }),
      { kind: "not-yet-on-disk" },
    ],
  ] as const
) {
  for (const superseded of [false, true]) {
    Deno.test(`removeStored() removes nothing if the store ${name}, superseded: ${superseded}`, async () => {
      await using place = await Place.create(FILE, store);
      assertEquals(await place.remove({ superseded }), {
        kind: "left",
        why: why ?? CHANGED,
      });
      assertEquals(await place.text(), FILE);
    });
  }
}

Deno.test("removeStored() removes no other token", async () => {
  const text = FILE.replace(P, "newer");
  await using place = await Place.create(text, holding(P));
  assertEquals((await place.remove()).kind, "left");
  assertEquals(await place.text(), text);
});

Deno.test("removeStored() has nothing to do where there is no token", async () => {
  await using place = await Place.create(FILE_WITHOUT, holding(P));
  assertEquals(await place.remove(), { kind: "none" });
  assertEquals(place.store.calls, []);
  await Deno.remove(place.path);
  assertEquals(await place.remove(), { kind: "none" });
});

Deno.test("removeStored() does not wait for somebody else's lock", async () => {
  await using place = await Place.create(FILE, holding(P));
  using other = await Deno.open(place.path, { read: true, write: true });
  await other.lock(true);
  assertEquals((await place.remove()).kind, "left");
  assertEquals(await place.text(), FILE);
});

Deno.test("removeStored() ends at the deadline", async () => {
  await using place = await Place.create(FILE, holding(P, { hangs: true }));
  const outcome = await place.remove({ signal: AbortSignal.timeout(20) });
  assertEquals(outcome.kind, "left");
  assertEquals(await place.text(), FILE);
});

Deno.test("removeLocked() removes the token of a registry, once", async () => {
  await using place = await Place.create();
  const outcome = await withCredentialsLock(place.path, async (file) => [
    await removeLocked(file, ALT),
    await removeLocked(file, ALT),
  ]);
  assertEquals(outcome, {
    kind: "done",
    value: [{ kind: "removed" }, { kind: "none" }],
  });
  assert(!(await place.text()).includes(P));
});

Deno.test("removeLocked() says why it was left", async () => {
  await using place = await Place.create();
  const outcome = await withCredentialsLock(place.path, async (file) => {
    await Deno.writeTextFile(place.path, `${FILE}# edited`);
    return await removeLocked(file, ALT);
  });
  assertEquals(outcome, {
    kind: "done",
    value: { kind: "left", why: CHANGED },
  });
});
