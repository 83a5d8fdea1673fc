import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import { EMPTY_STATE } from "../../src/state/state.ts";
import { pin } from "../../src/state/pins.ts";
import { supersede } from "../../src/state/superseded.ts";
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
      "store get",
      "store prepare",
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
      "store get",
      "store prepare",
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
      "store get",
      "store prepare",
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
      "store get",
      "store prepare",
      "store set",
      "store verify",
      "notice move/service-failed",
    ],
    stored: P,
    file: P,
  }],
  ["says so where the token is stored and the file cannot be edited", {
    file: P,
    notEditable: true,
  }, {
    answer: P,
    calls: [
      "store get",
      "store get",
      "store prepare",
      "store set",
      "store verify",
      "notice move/not-edited",
    ],
    stored: P,
    file: P,
  }],
  [
    "answers from the file, in silence, while somebody else has the lock",
    { file: P, busy: true },
    { answer: P, calls: ["store get"], file: P },
  ],
  ["removes what the store has as well", { store: holding(P), file: P }, {
    answer: P,
    calls: ["store get", "store get", "remove", "notice removal/removed"],
    stored: P,
  }],
  ["lets the file win in a conflict, changes nothing and says so", {
    store: holding(T),
    file: P,
  }, {
    answer: P,
    calls: ["store get", "notice conflict"],
    stored: T,
    file: P,
  }],
  ["removes what a login has put out of use", {
    store: holding(T),
    file: P,
    state: await supersede(EMPTY_STATE, URL, [Secret.fromString(P)]),
  }, {
    answer: T,
    calls: ["store get", "store get", "remove", "notice removal/removed"],
    stored: T,
  }],
  ["leaves what a login has put out of use where it is pinned", {
    store: holding(T),
    file: P,
    state: pin(
      await supersede(EMPTY_STATE, URL, [Secret.fromString(P)]),
      URL,
    ),
  }, {
    answer: P,
    calls: ["store get", "notice conflict"],
    stored: T,
    file: P,
  }],
  ["stores where it lasts what the store has in memory alone", {
    store: holding(P, { keeps: "in-memory" }),
    file: P,
  }, {
    answer: P,
    calls: [
      "store get",
      "store get",
      "store prepare",
      "store set",
      "store verify",
      "remove",
      "announce",
    ],
    stored: P,
  }],
  ["leaves the file's token until the store has written its own", {
    store: new FakeStore({}, { verified: "not-yet-on-disk" }),
    file: P,
  }, {
    answer: P,
    calls: [
      "store get",
      "store get",
      "store prepare",
      "store set",
      "store verify",
      "notice move/not-yet-on-disk",
    ],
    stored: P,
    file: P,
  }],
  ["writes nothing over what is no token", {
    store: holding(""),
    file: P,
  }, {
    answer: P,
    calls: ["store get", "notice stored-unusable"],
    stored: "",
    file: P,
  }],
  ["names the URL that a token of that name is stored under", {
    elsewhere: ["sparse+https://b.example/"],
  }, {
    answer: "not-found",
    calls: ["store get", "list", "notice stored-elsewhere"],
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
    // Nobody moves a token meanwhile: all but the first look is under the lock.
    assertEquals(
      context.underLock,
      expected.calls.filter((call) =>
        call.startsWith("store ") && !call.endsWith("prompt")
      ).slice(1),
    );
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
      if (effect === "eligibility") moving = true;
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

Deno.test("get() decides again when another program has moved the token", async () => {
  const store = new FakeStore();
  using context = new FakeContext({ store, file: P });
  context.before = (call) => {
    if (call !== "eligibility" || context.file === undefined) return;
    store.items.set(URL, P);
    context.file = undefined;
  };
  assertEquals(await ask(context), P);
  assertEquals(context.calls, ["store get", "store get"]);
  assertEquals(store.items.get(URL), P);
});

Deno.test("get() decides again when somebody has logged in to the file", async () => {
  using context = new FakeContext({ file: P });
  context.before = (call) => {
    if (call === "eligibility" && context.file === P) context.file = NEW;
  };
  assertEquals(await ask(context), NEW);
  assertEquals(context.fakeStore.items.get(URL), NEW);
  assertEquals(context.file, undefined);
});

Deno.test("get() decides again when somebody has logged in to the store", async () => {
  const store = new FakeStore();
  using context = new FakeContext({ store, file: P });
  context.before = (call) => {
    if (call === "eligibility") store.items.set(URL, NEW);
  };
  assertEquals(await ask(context), P);
  assertEquals(store.items.get(URL), NEW);
  assertEquals(context.file, P);
  assertEquals(context.calls.at(-1), "notice conflict");
});

Deno.test("get() ends although everything changes all the time", async () => {
  using context = new FakeContext({ file: P });
  let writes = 0;
  context.before = (call) => {
    if (call === "eligibility") context.file = `planted-${writes++}`;
  };
  const answer = await get(context);
  assertEquals(answer.kind, "token");
  assert(context.calls.filter((call) => call === "move").length <= 3);
  assertEquals(context.fakeStore.items.size, 0);
});

Deno.test("get() wipes every token but the one that it answers", async () => {
  const superseded = await supersede(EMPTY_STATE, URL, [Secret.fromString(P)]);
  for (
    const [state, answer] of [[EMPTY_STATE, P], [superseded, T]] as const
  ) {
    const store = holding(T);
    using context = new FakeContext({ store, file: P, state });
    const answered = await get(context);
    assertEquals(inWords(answered), answer);
    for (const secret of store.handedOut) {
      if (answered.kind === "token" && secret === answered.token) continue;
      assert(secret.equals(zeros(secret)));
    }
  }
});

Deno.test("get() wipes what it has seen when it answers with none", async () => {
  const store = holding("planted-h\u00e9");
  using context = new FakeContext({ store });
  assertEquals((await get(context)).kind, "not-found");
  assert(store.handedOut.every((secret) => secret.equals(zeros(secret))));
});

function zeros(secret: Secret): Secret {
  return new Secret(new Uint8Array(secret.length));
}

Deno.test("get() knows whether the command ends without a token", async () => {
  const unreachable = { failure: UNREACHABLE };
  for (
    const [world, isLast] of [
      [{ store: holding(T, unreachable) }, true],
      [{ store: holding(T, unreachable), file: P }, false],
      [{ store: holding(T), file: P }, false],
      [{ store: holding(""), file: P }, false],
      [{ store: holding("") }, true],
      [{ file: P, state: pin(EMPTY_STATE, URL) }, false],
      [{ file: P, state: pin(EMPTY_STATE, URL), chain: ALONE }, true],
      [{ elsewhere: ["sparse+https://b.example/"] }, true],
    ] as const satisfies readonly (readonly [World, boolean])[]
  ) {
    using context = new FakeContext(world);
    await ask(context);
    assertEquals(context.notices.map((given) => given.isLast), [isLast]);
  }
});

Deno.test("get() that fails for a mistake of its own leaves no token behind", async () => {
  const store = holding(P, { keeps: "in-memory" });
  using context = new FakeContext({ store, file: P });
  context.before = (call) => {
    if (call === "eligibility") throw new RangeError("a mistake");
  };
  await assertRejects(() => get(context), RangeError);
  assert(store.handedOut.every((secret) => secret.equals(zeros(secret))));
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
