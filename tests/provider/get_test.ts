import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import { EMPTY_STATE, intend, pin } from "../../src/migration/state.ts";
import type { GetAnswer } from "../../src/protocol/messages.ts";
import { get } from "../../src/provider/get.ts";
import { Secret } from "../../src/base/secret.ts";
import { DEFAULT_SETTINGS } from "../../src/settings/settings.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeContext, URL, type World } from "../support/fake_context.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const T = "planted-stored-token-T1";
const P = "planted-plain-token-P2";
const NEW = "planted-newer-token-N3";
const PLANTED = /planted-/;

const UNREACHABLE: StoreFailure = {
  kind: "unreachable",
  cause: "service-failed",
  reason: "the fake store is broken",
  remedy: "Mend it.",
  storeExists: true,
};
const DENIED: StoreFailure = {
  ...UNREACHABLE,
  kind: "denied",
  cause: "access-denied",
};
const LOCKED: StoreFailure = {
  ...UNREACHABLE,
  kind: "locked",
  cause: "locked",
  reason: "the fake store is locked",
  item: "visible",
};
const REBINDING = {
  name: "alt",
  userUrl: "sparse+https://good.example/",
  projectUrl: URL,
  where: "/checkout/.cargo/config.toml",
} satisfies Rebinding;
const ALONE = { cargoTokenFollows: false, cargoTokenListed: false };

function holding(token: string, faults: FakeStoreFaults = {}): FakeStore {
  return new FakeStore({ [URL]: token }, faults);
}

/** The answer in words: the token, or the kind of the error. */
function inWords(answer: GetAnswer): string {
  return answer.kind === "token" ? answer.token.reveal() : answer.kind;
}

/** Whatever happened, nobody reads a token. */
function assertNoToken(context: FakeContext, answer: GetAnswer): void {
  const text = [...context.lines, JSON.stringify(answer)].join("\n");
  assert(!PLANTED.test(text), text);
}

async function ask(context: FakeContext): Promise<string> {
  const answer = await get(context);
  assertNoToken(context, answer);
  return inWords(answer);
}

/** What happened, and what came of it. */
interface Expected {
  readonly answer: string;
  readonly calls: readonly string[];
  /** What the store holds then. */
  readonly stored?: string;
  /** What the file holds then. */
  readonly file?: string;
}

const FLOWS: readonly (readonly [string, World, Expected])[] = [
  ["answers from the store and does nothing else", { store: holding(T) }, {
    answer: T,
    calls: ["store get"],
    stored: T,
  }],
  ["asks nobody where the environment has a token", {
    store: holding(T),
    file: P,
    environment: {
      kind: "token",
      variable: "V",
      token: Secret.fromString("env"),
    },
  }, { answer: "env", calls: [], stored: T, file: P }],
  ["moves the file's token: stored, read back, and only then removed", {
    file: P,
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "store set",
      "store verify",
      "remove",
      "announce",
    ],
    stored: P,
  }],
  ["removes nothing when the store refuses to keep a token", {
    store: new FakeStore({}, { failureOf: { set: DENIED } }),
    file: P,
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "store set",
      "notice move/access-denied",
    ],
    file: P,
  }],
  ["removes nothing when the store forgets", {
    store: new FakeStore({}, { forgets: true }),
    file: P,
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "store set",
      "store verify",
      "notice move/not-kept",
    ],
    file: P,
  }],
  ["removes nothing when the store fails while it is read back", {
    store: new FakeStore({}, { failureOf: { verify: UNREACHABLE } }),
    file: P,
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "store set",
      "store verify",
      "notice move/service-failed",
    ],
    stored: P,
    file: P,
  }],
  ["says so where the token is stored and the file cannot be edited", {
    file: P,
    notEditable: "it is so",
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "store set",
      "store verify",
      "notice move/stored",
    ],
    stored: P,
    file: P,
  }],
  [
    "answers from the file, in silence, while somebody else has the lock",
    { file: P, busy: true },
    { answer: P, calls: ["store get", "move"], file: P },
  ],
  ["removes what the store has as well", { store: holding(P), file: P }, {
    answer: P,
    calls: ["store get", "remove", "notice removal/removed"],
    stored: P,
  }],
  ["changes nothing in a conflict, and says so", {
    store: holding(T),
    file: P,
  }, {
    answer: T,
    calls: ["store get", "notice conflict"],
    stored: T,
    file: P,
  }],
  ["lets a login that went to the file win, and forgets it", {
    store: holding(T),
    file: P,
    state: intend(EMPTY_STATE, URL, "login-went-to-file", "an older stamp"),
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "store set",
      "store verify",
      "remove",
      "intend none",
      "announce",
    ],
    stored: P,
  }],
  ["keeps that login in mind where it could not be finished", {
    store: holding(T, { failureOf: { set: DENIED } }),
    file: P,
    state: intend(EMPTY_STATE, URL, "login-went-to-file", "an older stamp"),
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "store set",
      "notice move/access-denied",
    ],
    stored: T,
    file: P,
  }],
  ["finishes a login that was cut short after the store", {
    store: holding(T),
    file: P,
    state: intend(EMPTY_STATE, URL, "login-stored", "stamp 1"),
  }, {
    answer: T,
    calls: ["store get", "remove", "intend none", "notice removal/removed"],
    stored: T,
  }],
  ["finishes a logout that found the store locked", {
    store: holding(T),
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
  }, {
    answer: "not-found",
    calls: ["store get", "hold", "store erase", "intend none", "release"],
  }],
  ["remembers that logout where the store does not erase either", {
    store: holding(T, { failureOf: { erase: DENIED } }),
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
  }, {
    answer: "not-found",
    calls: ["store get", "hold", "store erase", "release"],
    stored: T,
  }],
  ["forgets a logout once the store has nothing any more", {
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
  }, {
    answer: "not-found",
    calls: ["store get", "hold", "store erase", "intend none", "release"],
  }],
  ["moves a token that was logged in after a logout", {
    store: holding(T),
    file: P,
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "intend none",
      "store set",
      "store verify",
      "remove",
      "announce",
    ],
    stored: P,
  }],
  ["does not write over an item while the logout cannot be forgotten", {
    store: holding(T),
    file: P,
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
    stateIsReadOnly: true,
  }, {
    answer: P,
    calls: [
      "store get",
      "move",
      "store get",
      "intend none",
      "notice move/no-file",
    ],
    stored: T,
    file: P,
  }],
  ["leaves a pinned token where it is", {
    file: P,
    state: pin(EMPTY_STATE, URL),
  }, {
    answer: "not-found",
    calls: ["store get", "notice not-moved/pinned"],
    file: P,
  }],
  ["opens the dialog where an item is visible and somebody is there", {
    store: holding(T, { failure: LOCKED, promptOpens: true }),
    mayPrompt: true,
  }, { answer: T, calls: ["store get", "store get prompt"], stored: T }],
  ["moves on when the dialog is dismissed", {
    store: holding(T, {
      failure: LOCKED,
      promptFailure: { ...DENIED, cause: "prompt-dismissed" },
    }),
    mayPrompt: true,
    file: P,
  }, {
    answer: "url-not-supported",
    calls: [
      "store get",
      "store get prompt",
      "notice store-failure/prompt-dismissed",
    ],
    stored: T,
    file: P,
  }],
  ["opens no dialog where nobody is there", {
    store: holding(T, { failure: LOCKED }),
    file: P,
  }, {
    answer: "url-not-supported",
    calls: ["store get", "notice store-failure/locked"],
    stored: T,
    file: P,
  }],
  ["sends nobody to a plaintext token of another registry", {
    file: P,
    rebinding: REBINDING,
  }, { answer: "other", calls: ["store get"], file: P }],
  ["ends in words of its own where no `cargo:token` follows", {
    store: holding(T, { failure: UNREACHABLE }),
    chain: ALONE,
  }, { answer: "other", calls: ["store get"], stored: T }],
];

for (const [name, world, expected] of FLOWS) {
  Deno.test(`get() ${name}`, async () => {
    using context = new FakeContext(world);
    assertEquals(await ask(context), expected.answer);
    assertEquals(context.calls, expected.calls);
    assertEquals(context.fakeStore.items.get(URL), expected.stored);
    assertEquals(context.file, expected.file);
  });
}

Deno.test("get() finishes at the deadline although the store hangs", async () => {
  const store = holding(T, { hangs: true });
  using context = new FakeContext({ store, deadlineMs: 20 });
  assertEquals(await ask(context), "url-not-supported");
  assertEquals(context.calls, ["store get", "notice store-failure/deadline"]);
});

for (const call of ["get", "set", "verify"] as const) {
  Deno.test(`get() answers and removes nothing if a move hangs in ${call}`, async () => {
    const store = new FakeStore();
    using context = new FakeContext({ store, file: P, deadlineMs: 200 });
    context.before = (effect) => {
      if (effect === "move") moving = true;
    };
    let moving = false;
    const record = store.before;
    store.before = async (name) => {
      await record(name);
      store.faults.hangs = moving && name === call;
    };
    assertEquals(await ask(context), P);
    assertEquals(context.file, P);
    assert(!context.calls.includes("remove"));
  });
}

Deno.test("get() decides anew when another program has moved the token", async () => {
  const store = new FakeStore();
  using context = new FakeContext({ store, file: P });
  context.before = (call) => {
    if (call !== "move" || context.file === undefined) return;
    store.items.set(URL, P);
    context.writeFile(undefined);
  };
  assertEquals(await ask(context), P);
  assertEquals(context.calls, ["store get", "move", "store get"]);
  assertEquals(store.items.get(URL), P);
});

Deno.test("get() decides anew when somebody has logged in to the file", async () => {
  using context = new FakeContext({ file: P });
  context.before = (call) => {
    if (call === "move" && context.file === P) context.writeFile(NEW);
  };
  assertEquals(await ask(context), NEW);
  assertEquals(context.fakeStore.items.get(URL), NEW);
  assertEquals(context.file, undefined);
});

Deno.test("get() decides anew when somebody has logged in to the store", async () => {
  const store = new FakeStore();
  using context = new FakeContext({ store, file: P });
  context.before = (call) => {
    if (call === "move") store.items.set(URL, NEW);
  };
  assertEquals(await ask(context), NEW);
  assertEquals(store.items.get(URL), NEW);
  assertEquals(context.file, P);
  assertEquals(context.calls.at(-1), "notice conflict");
});

Deno.test("get() decides anew although a dialog has brought a token", async () => {
  const store = holding(T, { failure: LOCKED, promptOpens: true });
  using context = new FakeContext({
    store,
    file: P,
    mayPrompt: true,
    state: intend(EMPTY_STATE, URL, "login-went-to-file", "an older stamp"),
  });
  // A login to the store: its intent, its token, and the file's is removed.
  context.before = (call) => {
    if (call !== "move" || context.file === undefined) return;
    store.items.set(URL, NEW);
    context.state = EMPTY_STATE;
    context.writeFile(undefined);
  };
  assertEquals(await ask(context), NEW);
});

Deno.test("get() does not erase what was logged in after the logout", async () => {
  const store = holding(T);
  using context = new FakeContext({
    store,
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
  });
  context.before = (call) => {
    if (call !== "hold") return;
    store.items.set(URL, NEW);
    context.state = EMPTY_STATE;
  };
  assertEquals(await ask(context), NEW);
  assertEquals(store.items.get(URL), NEW);
});

Deno.test("get() ends although everything changes all the time", async () => {
  using context = new FakeContext({ file: P });
  let writes = 0;
  context.before = (call) => {
    if (call === "move") context.writeFile(`planted-${writes++}`);
  };
  const answer = await get(context);
  assertEquals(answer.kind, "token");
  assert(context.calls.filter((call) => call === "move").length <= 3);
  assertEquals(context.fakeStore.items.size, 0);
});

Deno.test("get() wipes every token but the one that it answers", async () => {
  for (
    const [state, answer] of [
      [EMPTY_STATE, T],
      [intend(EMPTY_STATE, URL, "login-went-to-file", "an older stamp"), P],
    ] as const
  ) {
    const store = holding(T);
    using context = new FakeContext({ store, file: P, state });
    const answered = await get(context);
    assertEquals(inWords(answered), answer);
    for (const secret of store.handedOut) {
      if (answered.kind === "token" && secret === answered.token) continue;
      assert(secret.bytes.every((byte) => byte === 0));
    }
  }
});

Deno.test("get() wipes what it has seen when it answers with none", async () => {
  const store = holding(T);
  using context = new FakeContext({
    store,
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
  });
  assertEquals((await get(context)).kind, "not-found");
  assert(store.handedOut.every((secret) => secret.equals(zeros(secret))));
});

function zeros(secret: Secret): Secret {
  return new Secret(new Uint8Array(secret.length));
}

Deno.test("get() tells what changes the answer as such", async () => {
  const store = holding(T, { failure: UNREACHABLE });
  using alone = new FakeContext({ store });
  assertEquals(await ask(alone), "url-not-supported");
  assertEquals(alone.notices.map((given) => given.changesAnswer), [true]);
  using withFile = new FakeContext({
    store: holding(T, { failure: UNREACHABLE }),
    file: P,
  });
  assertEquals(await ask(withFile), "url-not-supported");
  assertEquals(withFile.notices.map((given) => given.changesAnswer), [false]);
});

Deno.test("get() says in the error what it would say in a notice", async () => {
  using context = new FakeContext({ file: P, rebinding: REBINDING });
  const answer = await get(context);
  assertNoToken(context, answer);
  if (answer.kind !== "other") throw new Error(answer.kind);
  assertStringIncludes(answer.message, REBINDING.where);
  assertStringIncludes(answer.message, REBINDING.userUrl);
  assertStringIncludes(answer.message, REBINDING.projectUrl);
  assertEquals(context.lines, []);
});

Deno.test("get() with a wrong setting does not let another URL have the token", async () => {
  const settings = {
    kind: "wrong",
    where: "the environment",
    key: "migrate",
    message: "`migrate` is wrong",
    system: false,
  } as const;
  using bound = new FakeContext({ settings, file: P });
  assertEquals(await ask(bound), "url-not-supported");
  using rebound = new FakeContext({ settings, file: P, rebinding: REBINDING });
  assertEquals(await ask(rebound), "other");
});

Deno.test("get() that is strict sends nobody to the file", async () => {
  const settings = {
    kind: "settings",
    ...DEFAULT_SETTINGS,
    fallback: "strict",
    notices: [],
  } as const;
  using context = new FakeContext({
    store: holding(T, { failure: UNREACHABLE }),
    settings,
    file: P,
  });
  assertEquals(await ask(context), "other");
});
