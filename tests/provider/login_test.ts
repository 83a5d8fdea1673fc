import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import { EMPTY_STATE, intend, pin } from "../../src/migration/state.ts";
import type { LoginAnswer, LoginRequest } from "../../src/protocol/messages.ts";
import { login } from "../../src/provider/login.ts";
import { Secret } from "../../src/base/secret.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
} from "../../src/settings/settings.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeContext, FILE, URL, type World } from "../support/fake_context.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const T = "planted-stored-token-T1";
const P = "planted-plain-token-P2";
const NEW = "planted-newer-token-N3";
const PLANTED = /planted-/;

const BROKEN: StoreFailure = {
  kind: "unreachable",
  cause: "service-failed",
  reason: "the fake store is broken",
  remedy: "Mend it.",
  storeExists: true,
};
const DENIED: StoreFailure = {
  ...BROKEN,
  kind: "denied",
  cause: "access-denied",
};
const LOCKED: StoreFailure = { ...BROKEN, kind: "locked", cause: "locked" };
const MISSING: StoreFailure = {
  ...BROKEN,
  cause: "library-missing",
  storeExists: false,
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

function request(
  token: string | undefined = NEW,
): LoginRequest & { readonly token?: Secret } {
  return {
    kind: "login",
    registry: { indexUrl: URL, name: "alt", headers: [] },
    args: [],
    ...(token === undefined ? {} : { token: Secret.fromString(token) }),
  };
}

function withoutToken(): LoginRequest {
  const { token: _, ...rest } = request();
  return rest;
}

function wrong(): SettingsOutcome {
  return {
    kind: "wrong",
    where: "the environment",
    key: "migrate",
    message: "`migrate` is wrong",
    system: false,
  };
}

function isWiped(secret: Secret): boolean {
  return secret.bytes.every((byte) => byte === 0);
}

/** Logs in; nobody reads a token, and whoever had one has wiped it. */
async function logIn(
  context: FakeContext,
  asked: LoginRequest = request(),
): Promise<LoginAnswer> {
  const answer = await login(asked, context);
  const text = [
    ...context.lines,
    ...context.questions,
    JSON.stringify(answer),
  ].join("\n");
  assert(!PLANTED.test(text), text);
  if (asked.token !== undefined) assert(isWiped(asked.token));
  assert(context.fakeStore.handedOut.every(isWiped));
  return answer;
}

/** What happened, and what came of it. */
interface Expected {
  readonly answer: LoginAnswer["kind"];
  readonly calls: readonly string[];
  /** What the store holds then. */
  readonly stored?: string;
  /** What the file holds then. */
  readonly file?: string;
  /** What is meant to happen to it then. */
  readonly intent?: string;
}

const FLOWS: readonly (readonly [string, World, Expected])[] = [
  ["stores the token and reads it back", {}, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "hold",
      "intend login-stored",
      "store set",
      "store verify",
      "intend none",
      "say",
      "release",
    ],
    stored: NEW,
  }],
  ["removes the older plaintext token only when the new one is read back", {
    file: P,
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "hold",
      "store get",
      "intend login-stored",
      "store set",
      "store verify",
      "remove",
      "intend none",
      "say",
      "say",
      "release",
    ],
    stored: NEW,
  }],
  ["lets no older token win where the two differ already", {
    store: holding(T),
    file: P,
    state: intend(EMPTY_STATE, URL, "login-went-to-file", "an older stamp"),
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "hold",
      "store get",
      "intend none",
      "store set",
      "store verify",
      "intend login-stored",
      "remove",
      "intend none",
      "say",
      "say",
      "release",
    ],
    stored: NEW,
  }],
  ["remembers that the stored one wins where the file is not edited", {
    file: P,
    notEditable: "it is so",
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "hold",
      "store get",
      "intend login-stored",
      "store set",
      "store verify",
      "say",
      "say",
      "release",
    ],
    stored: NEW,
    file: P,
    intent: "login-stored",
  }],
  ["forgets an earlier logout, which would erase the new token", {
    store: holding(T),
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "hold",
      "intend login-stored",
      "store set",
      "store verify",
      "intend none",
      "say",
      "release",
    ],
    stored: NEW,
  }],
  ["stores nothing where an earlier logout cannot be forgotten", {
    store: holding(T),
    state: intend(EMPTY_STATE, URL, "logged-out", "stamp 1"),
    stateIsReadOnly: true,
  }, {
    answer: "other",
    calls: ["store prepare", "hold", "intend login-stored", "release"],
    stored: T,
    intent: "logged-out",
  }],
  ["stores all the same where nothing can be remembered", {
    stateIsReadOnly: true,
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "hold",
      "intend login-stored",
      "store set",
      "store verify",
      "say",
      "release",
    ],
    stored: NEW,
  }],
  ["takes the pin away", { state: pin(EMPTY_STATE, URL) }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "hold",
      "intend login-stored",
      "store set",
      "store verify",
      "unpin",
      "intend none",
      "say",
      "release",
    ],
    stored: NEW,
  }],
  ["removes nothing when the store refuses", {
    store: new FakeStore({}, { failureOf: { set: DENIED } }),
    file: P,
  }, {
    answer: "other",
    calls: [
      "store prepare",
      "hold",
      "store get",
      "intend login-stored",
      "store set",
      "intend none",
      "release",
    ],
    file: P,
  }],
  ["removes nothing when the store forgets", {
    store: new FakeStore({}, { forgets: true }),
    file: P,
  }, {
    answer: "other",
    calls: [
      "store prepare",
      "hold",
      "store get",
      "intend login-stored",
      "store set",
      "store verify",
      "intend none",
      "release",
    ],
    file: P,
  }],
  ["removes nothing when the store fails while it is read back", {
    store: new FakeStore({}, { failureOf: { verify: BROKEN } }),
    file: P,
  }, {
    answer: "other",
    calls: [
      "store prepare",
      "hold",
      "store get",
      "intend login-stored",
      "store set",
      "store verify",
      "intend none",
      "release",
    ],
    stored: NEW,
    file: P,
  }],
  ["stores nothing while another program moves tokens", {
    busy: true,
    file: P,
  }, { answer: "other", calls: ["store prepare", "hold"], file: P }],
  ["warns before the next provider keeps the token in plaintext", {
    store: new FakeStore({}, { failure: MISSING }),
  }, {
    answer: "url-not-supported",
    calls: ["store prepare", "say", "intend login-went-to-file"],
  }],
  ["takes the pin away where the file gets a new token", {
    store: new FakeStore({}, { failure: MISSING }),
    file: P,
    state: pin(EMPTY_STATE, URL),
  }, {
    answer: "url-not-supported",
    calls: ["store prepare", "say", "intend login-went-to-file", "unpin"],
    file: P,
  }],
  ["remembers nothing where no provider keeps the token", {
    store: new FakeStore({}, { failure: MISSING }),
    chain: ALONE,
  }, { answer: "url-not-supported", calls: ["store prepare", "say"] }],
  ["moves on where the store is locked and nobody is there", {
    store: new FakeStore({}, { failure: LOCKED }),
  }, {
    answer: "url-not-supported",
    calls: ["store prepare", "say", "intend login-went-to-file"],
  }],
  ["opens the dialog where somebody is there", {
    store: new FakeStore({}, { failure: LOCKED, promptOpens: true }),
    mayPrompt: true,
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "store prepare prompt",
      "hold",
      "intend login-stored",
      "store set",
      "store verify",
      "intend none",
      "say",
      "release",
    ],
    stored: NEW,
  }],
  ["ends when the dialog is dismissed", {
    store: new FakeStore({}, { failure: LOCKED, promptFailure: DENIED }),
    mayPrompt: true,
    file: P,
  }, {
    answer: "other",
    calls: ["store prepare", "store prepare prompt"],
    file: P,
  }],
  ["does not let a project's file take the place of the user's token", {
    store: new FakeStore({}, { failure: MISSING }),
    file: P,
    rebinding: REBINDING,
  }, { answer: "other", calls: ["store prepare"], file: P }],
  ["says whose URL it is before it stores a token under a taken name", {
    file: P,
    rebinding: REBINDING,
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "say",
      "hold",
      "store get",
      "intend login-stored",
      "store set",
      "store verify",
      "intend none",
      "say",
      "release",
    ],
    stored: NEW,
    file: P,
  }],
  ["does nothing with a wrong setting", { settings: wrong() }, {
    answer: "other",
    calls: [],
  }],
];

for (const [name, world, expected] of FLOWS) {
  Deno.test(`login() ${name}`, async () => {
    using context = new FakeContext(world);
    const answer = await logIn(context);
    assertEquals(answer.kind, expected.answer);
    assertEquals(context.calls, expected.calls);
    assertEquals(context.fakeStore.items.get(URL), expected.stored);
    assertEquals(context.file, expected.file);
    if (expected.intent !== undefined) {
      assertEquals(context.intent, expected.intent);
    }
  });
}

for (const call of ["prepare", "set", "verify"] as const) {
  Deno.test(`login() ends at the deadline when the store hangs in ${call}`, async () => {
    const store = new FakeStore();
    using context = new FakeContext({ store, file: P, deadlineMs: 50 });
    const record = store.before;
    store.before = async (name) => {
      await record(name);
      store.faults.hangs = name === call;
    };
    const answer = await logIn(context);
    assertEquals(
      answer.kind,
      call === "prepare" ? "url-not-supported" : "other",
    );
    assertEquals(context.file, P);
  });
}

Deno.test("login() warns in plain words, and names the file", async () => {
  const store = new FakeStore({}, { failure: MISSING });
  using context = new FakeContext({ store });
  await logIn(context);
  const [warning = ""] = context.lines;
  assertStringIncludes(warning, "PLAINTEXT");
  assertStringIncludes(warning, FILE);
  assertStringIncludes(warning, MISSING.reason);
  assertStringIncludes(warning, MISSING.remedy);
});

Deno.test("login() names the way to a file only where that is allowed", async () => {
  for (const fallback of ["file", "deny", "strict"] as const) {
    const store = new FakeStore({}, { failure: DENIED });
    using context = new FakeContext({
      store,
      settings: {
        kind: "settings",
        ...DEFAULT_SETTINGS,
        fallback,
        notices: [],
      },
    });
    const answer = await logIn(context);
    if (answer.kind !== "other") throw new Error(answer.kind);
    assertEquals(
      answer.message.includes("CARGO_CREDENTIAL_KEYRING_STORE=off"),
      fallback === "file",
    );
  }
});

Deno.test("login() asks for the token once it knows where that can go", async () => {
  const line = Secret.fromString(`  cargo login ${NEW}\r`);
  using context = new FakeContext({ typed: { kind: "line", line } });
  const answer = await logIn(context, {
    ...withoutToken(),
    loginUrl: "https://alt.example/me\x1b[2J\u202e",
  });
  assertEquals(answer.kind, "logged-in");
  assertEquals(context.fakeStore.items.get(URL), NEW);
  assert(isWiped(line));
  assertEquals(context.calls.slice(0, 5), [
    "store prepare",
    "wait for a person",
    "ask",
    "restart",
    "hold",
  ]);
  assertEquals(context.questions, [
    "please paste the token for `alt` found on https://alt.example/me " +
    "(it is not shown): ",
  ]);
});

Deno.test("login() asks nobody where the token cannot be kept", async () => {
  const line = Secret.fromString(NEW);
  for (const failure of [MISSING, DENIED, LOCKED]) {
    using context = new FakeContext({
      store: new FakeStore({}, { failure }),
      typed: { kind: "line", line },
    });
    await logIn(context, withoutToken());
    assertEquals(context.questions, []);
  }
});

for (
  const kind of [
    "no-terminal",
    "end-of-input",
    "interrupted",
    "timeout",
  ] as const
) {
  Deno.test(`login() stores nothing when the question ends with ${kind}`, async () => {
    using context = new FakeContext({ typed: { kind } });
    const answer = await logIn(context, withoutToken());
    assertEquals(answer.kind, "other");
    assertEquals(context.fakeStore.items.size, 0);
    assert(!context.calls.includes("hold"));
  });
}

Deno.test("login() without a terminal names the way that needs none", async () => {
  using context = new FakeContext();
  const answer = await logIn(context, withoutToken());
  if (answer.kind !== "other") throw new Error(answer.kind);
  assertMatch(answer.message, /standard input/);
});

for (
  const [name, token] of [
    ["an empty token", ""],
    ["white space", " \t\n"],
    ["a pasted command without a token", "cargo login "],
    ["a line break", "planted-a\nb"],
    ["a character that is not ASCII", "planted-\u00e9"],
    ["a control character behind a pasted command", "cargo login planted-\x01"],
  ] as const
) {
  Deno.test(`login() refuses ${name} and repeats nothing of it`, async () => {
    using given = new FakeContext({ store: holding(T), file: P });
    assertEquals((await logIn(given, request(token))).kind, "other");
    assertEquals(given.fakeStore.items.get(URL), T);
    assertEquals(given.file, P);

    const line = Secret.fromString(token);
    using typed = new FakeContext({ typed: { kind: "line", line } });
    assertEquals((await logIn(typed, withoutToken())).kind, "other");
    assertEquals(typed.fakeStore.items.size, 0);
    assert(isWiped(line));
  });
}

Deno.test("login() that fails leaves nothing behind that speaks for it", async () => {
  const store = new FakeStore({}, { failureOf: { set: DENIED } });
  using context = new FakeContext({ store, file: P });
  assertEquals((await logIn(context)).kind, "other");
  assertEquals(context.intent, "none");
  // Another program stores something: the file's token is not removed for it.
  store.items.set(URL, T);
  assertEquals(context.file, P);
});

Deno.test("login() says under which URL a name's token goes that a project has taken", async () => {
  using context = new FakeContext({ rebinding: REBINDING });
  assertEquals((await logIn(context)).kind, "logged-in");
  const [warning = ""] = context.lines;
  assertStringIncludes(warning, REBINDING.projectUrl);
  assertStringIncludes(warning, REBINDING.userUrl);
  assertStringIncludes(warning, REBINDING.where);
});
