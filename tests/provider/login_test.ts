import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import { EMPTY_STATE } from "../../src/state/state.ts";
import { isPinned, pin } from "../../src/state/pins.ts";
import { isSuperseded, supersede } from "../../src/state/superseded.ts";
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
  /** Which of the tokens above are out of use then. */
  readonly superseded?: readonly string[];
}

/** What happens from the lock on, where nothing is in the way. */
const KEEP = ["store get", "store set", "store verify"];
/** The same where there is an older token. */
const REPLACE = ["store get", "remember", "store set", "store verify"];

const FLOWS: readonly (readonly [string, World, Expected])[] = [
  ["stores the token and reads it back", {}, {
    answer: "logged-in",
    calls: ["store prepare", ...KEEP, "say"],
    stored: NEW,
  }],
  ["removes the older plaintext token only when the new one is read back", {
    file: P,
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      ...REPLACE,
      "remove",
      "say",
      "say",
    ],
    stored: NEW,
    superseded: [P],
  }],
  ["puts both tokens out of use where the two differ already", {
    store: holding(T),
    file: P,
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      ...KEEP,
      "remember",
      "remove",
      "say",
      "say",
    ],
    stored: NEW,
    superseded: [T, P],
  }],
  ["remembers that the stored one is meant where the file is not edited", {
    file: P,
    notEditable: true,
  }, {
    answer: "logged-in",
    calls: ["store prepare", ...REPLACE, "say", "say"],
    stored: NEW,
    file: P,
    superseded: [P],
  }],
  ["leaves the file's token until the store has written the new one", {
    store: new FakeStore({}, { verified: "not-yet-on-disk" }),
    file: P,
  }, {
    answer: "logged-in",
    calls: ["store prepare", ...REPLACE, "say", "say"],
    stored: NEW,
    file: P,
    superseded: [P],
  }],
  ["puts a token into use again", {
    store: holding(T),
    state: await supersede(EMPTY_STATE, URL, [Secret.fromString(NEW)]),
  }, {
    answer: "logged-in",
    calls: ["store prepare", ...REPLACE, "remember", "say"],
    stored: NEW,
    superseded: [T],
  }],
  ["stores all the same where nothing can be remembered", {
    file: P,
    stateIsReadOnly: true,
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      ...REPLACE,
      "remove",
      "say",
      "say",
    ],
    stored: NEW,
  }],
  ["takes the pin away", { state: pin(EMPTY_STATE, URL) }, {
    answer: "logged-in",
    calls: ["store prepare", ...KEEP, "remember", "say"],
    stored: NEW,
  }],
  ["says before and after that a store keeps it in memory alone", {
    store: new FakeStore({}, {}, false),
  }, {
    answer: "logged-in",
    calls: ["store prepare", "say", ...KEEP, "say", "say"],
    stored: NEW,
  }],
  ["says before and after that a keyring is a plaintext file", {
    store: new FakeStore({}, { plaintext: true }),
  }, {
    answer: "logged-in",
    calls: ["store prepare", "say", ...KEEP, "say", "say"],
    stored: NEW,
  }],
  ["names the places that it does not touch", {
    leftovers: ["/a/config.toml"],
  }, {
    answer: "logged-in",
    calls: ["store prepare", ...KEEP, "say", "say"],
    stored: NEW,
  }],
  ["removes nothing when the store refuses", {
    store: new FakeStore({}, { failureOf: { set: DENIED } }),
    file: P,
  }, {
    answer: "other",
    calls: [
      "store prepare",
      "store get",
      "remember",
      "store set",
      "remember",
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
      ...REPLACE,
      "remember",
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
      ...REPLACE,
      "remember",
    ],
    stored: NEW,
    file: P,
  }],
  ["stores nothing while another program moves tokens", {
    busy: true,
    file: P,
  }, { answer: "other", calls: ["store prepare"], file: P }],
  ["warns before the next provider keeps the token in plaintext", {
    store: new FakeStore({}, { failure: MISSING }),
  }, {
    answer: "url-not-supported",
    calls: ["store prepare", "say"],
  }],
  ["puts a token into use again that goes to the file", {
    store: new FakeStore({}, { failure: MISSING }),
    state: await supersede(EMPTY_STATE, URL, [Secret.fromString(NEW)]),
  }, {
    answer: "url-not-supported",
    calls: ["store prepare", "say", "remember"],
    superseded: [],
  }],
  ["remembers nothing where no provider keeps the token", {
    store: new FakeStore({}, { failure: MISSING }),
    chain: ALONE,
  }, { answer: "url-not-supported", calls: ["store prepare", "say"] }],
  ["moves on where the store is locked and nobody is there", {
    store: new FakeStore({}, { failure: LOCKED }),
  }, {
    answer: "url-not-supported",
    calls: ["store prepare", "say"],
  }],
  ["opens the dialog where somebody is there", {
    store: new FakeStore({}, { failure: LOCKED, promptOpens: true }),
    mayPrompt: true,
  }, {
    answer: "logged-in",
    calls: [
      "store prepare",
      "store prepare prompt",
      ...KEEP,
      "say",
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
      ...KEEP,
      "say",
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
    // Until it is stored and the older one is gone, nobody moves that one.
    const isLocked = world.file !== undefined && world.busy !== true;
    assertEquals(
      context.underLock,
      isLocked
        ? expected.calls.filter((call) => /get|set|verify/.test(call))
        : [],
    );
    if (answer.kind === "logged-in") {
      assertEquals(isPinned(await context.state(), URL), false);
    }
    for (const token of [T, P, NEW]) {
      assertEquals(
        await isSuperseded(
          await context.state(),
          URL,
          Secret.fromString(token),
        ),
        expected.superseded?.includes(token) ?? false,
        token,
      );
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
  assertEquals(context.calls.slice(0, 4), [
    "store prepare",
    "wait for a person",
    "ask",
    "restart",
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
  assertEquals((await context.state()).superseded, []);
});

Deno.test("login() says so where an older token in the file will be used", async () => {
  using context = new FakeContext({
    file: P,
    notEditable: true,
    stateIsReadOnly: true,
  });
  assertEquals((await logIn(context)).kind, "logged-in");
  assertStringIncludes(context.lines.join(), "will be used instead");
});

Deno.test("login() takes no argument but one, and repeats none", async () => {
  for (
    const loginArguments of [["planted-token"], ["--migrate-to-keyring", "x"]]
  ) {
    using context = new FakeContext({ loginArguments });
    assertEquals((await logIn(context)).kind, "other");
    assertEquals(context.calls, []);
  }
});

Deno.test("login() with --migrate-to-keyring takes no token", async () => {
  using context = new FakeContext({ ...MIGRATE, file: P });
  assertEquals((await logIn(context)).kind, "other");
  assertEquals(context.file, P);
  assertEquals(context.fakeStore.items.size, 0);
});

const MIGRATE = { loginArguments: ["--migrate-to-keyring"] };

for (
  const [name, world, expected, words] of [
    ["moves the file's token, and asks for none", { file: P }, {
      answer: "logged-in",
      calls: [
        "store prepare",
        "store get",
        "store prepare",
        "store set",
        "store verify",
        "remove",
        "say",
        "say",
        "say",
      ],
      stored: P,
    }, "Moved"],
    ["takes the pin away", { file: P, state: pin(EMPTY_STATE, URL) }, {
      answer: "logged-in",
      calls: [
        "store prepare",
        "store get",
        "store prepare",
        "store set",
        "store verify",
        "remove",
        "remember",
        "say",
        "say",
        "say",
      ],
      stored: P,
    }, "Moved"],
    ["says that there is none", {}, {
      answer: "other",
      calls: ["store prepare"],
    }, "holds no token"],
    ["says that the two differ", { store: holding(T), file: P }, {
      answer: "other",
      calls: ["store prepare", "store get"],
      stored: T,
      file: P,
    }, "--prefer file"],
    ["says why it may not leave the file", {
      file: P,
      eligibility: {
        kind: "not",
        reason: "hard-links",
        path: "F",
        links: 2,
        byHand: false,
      },
    }, {
      answer: "other",
      calls: ["store prepare"],
      file: P,
    }, "F has 2 names"],
    ["says why there is no store", {
      store: new FakeStore({}, { failure: MISSING }),
      file: P,
    }, {
      answer: "other",
      calls: ["store prepare"],
      file: P,
    }, MISSING.reason],
    ["moves nothing to another URL", { file: P, rebinding: REBINDING }, {
      answer: "other",
      calls: ["store prepare"],
      file: P,
    }, REBINDING.userUrl],
  ] satisfies readonly (readonly [string, World, Expected, string])[]
) {
  Deno.test(`login() with --migrate-to-keyring ${name}`, async () => {
    using context = new FakeContext({ ...MIGRATE, ...world });
    const answer = await logIn(context, withoutToken());
    assertEquals(answer.kind, expected.answer);
    assertEquals(context.calls, expected.calls);
    assertEquals(context.fakeStore.items.get(URL), expected.stored);
    assertEquals(context.file, expected.file);
    const message = answer.kind === "other" ? answer.message : "";
    assertStringIncludes(`${context.lines.join("\n")}${message}`, words);
    assertEquals(isPinned(await context.state(), URL), false);
  });
}

Deno.test("login() says under which URL a name's token goes that a project has taken", async () => {
  using context = new FakeContext({ rebinding: REBINDING });
  assertEquals((await logIn(context)).kind, "logged-in");
  const [warning = ""] = context.lines;
  assertStringIncludes(warning, REBINDING.projectUrl);
  assertStringIncludes(warning, REBINDING.userUrl);
  assertStringIncludes(warning, REBINDING.where);
});

Deno.test("login names a token that may be a mistake, and stores it", async () => {
  using context = new FakeContext();
  const given = "cio_tp_planted-short";
  assertEquals(await login(request(given), context), { kind: "logged-in" });
  const [warning] = context.lines.filter((line) => /30 minutes/.test(line));
  assertStringIncludes(warning ?? "", "warning: what was given for `alt`");
  assert(!PLANTED.test(context.lines.join()), context.lines.join());
  assertEquals(context.fakeStore.items.get(URL), given);
});
