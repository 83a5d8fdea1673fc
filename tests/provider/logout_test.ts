import { printable } from "../../src/base/printable.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EMPTY_STATE } from "../../src/state/state.ts";
import { isPinned, pin } from "../../src/state/pins.ts";
import type { LogoutAnswer } from "../../src/protocol/messages.ts";
import { logout } from "../../src/provider/logout.ts";
import { DEFAULT_SETTINGS } from "../../src/settings/settings.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { FakeContext, FILE, URL, type World } from "../support/fake_context.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const T = "planted-stored-token-T1";
const P = "planted-plain-token-P2";
const PLANTED = /planted-/;

const BROKEN: StoreFailure = {
  kind: "unreachable",
  cause: "service-failed",
  reason: "the fake store is broken",
  remedy: "Mend it.",
  storeExists: true,
};
const LOCKED: StoreFailure = {
  ...BROKEN,
  kind: "locked",
  cause: "locked",
  reason: "the fake store is locked",
};
const DENIED: StoreFailure = {
  ...BROKEN,
  kind: "denied",
  cause: "access-denied",
};
const OFF: StoreFailure = {
  ...BROKEN,
  cause: "switched-off",
  reason: "the fake store is switched off",
  storeExists: false,
};
const ALONE = { cargoTokenFollows: false, cargoTokenListed: false };

function holding(token: string, faults: FakeStoreFaults = {}): FakeStore {
  return new FakeStore({ [URL]: token }, faults);
}

async function logOut(context: FakeContext): Promise<LogoutAnswer> {
  const answer = await logout(context);
  const text = [...context.lines, JSON.stringify(answer)].join("\n");
  assert(!PLANTED.test(text), text);
  return answer;
}

/** What happened, and what came of it. */
interface Expected {
  readonly answer: LogoutAnswer["kind"];
  readonly calls: readonly string[];
  /** What the store holds then. */
  readonly stored?: string;
  /** What the file holds then. */
  readonly file?: string;
}

const FLOWS: readonly (readonly [string, World, Expected])[] = [
  ["erases and removes", {
    store: holding(T),
    file: P,
  }, {
    answer: "logged-out",
    calls: [
      "store erase",
      "remove",
      "say",
      "say",
      "say",
      "say",
    ],
  }],
  ["removes what lies in the file alone", { file: P }, {
    answer: "logged-out",
    calls: [
      "store erase",
      "remove",
      "say",
      "say",
      "say",
    ],
  }],
  ["takes the pin away", { file: P, state: pin(EMPTY_STATE, URL) }, {
    answer: "logged-out",
    calls: [
      "store erase",
      "remove",
      "remember",
      "say",
      "say",
      "say",
    ],
  }],
  ["leaves it to cargo to say that nobody was logged in", {}, {
    answer: "not-found",
    calls: [
      "store erase",
    ],
  }],
  ["does not call itself done while a locked store has a token", {
    store: holding(T, { failure: LOCKED }),
    file: P,
  }, {
    answer: "other",
    calls: ["store erase", "remove"],
    stored: T,
  }],
  ["opens the dialog where somebody is there, but not under the lock", {
    store: holding(T, { failure: LOCKED, promptOpens: true }),
    file: P,
    mayPrompt: true,
  }, {
    answer: "logged-out",
    calls: [
      "store erase",
      "remove",
      "store erase prompt",
      "say",
      "say",
      "say",
      "say",
    ],
  }],
  ["is not done when the dialog is dismissed", {
    store: holding(T, { failure: LOCKED, promptFailure: DENIED }),
    mayPrompt: true,
  }, {
    answer: "other",
    calls: [
      "store erase",
      "store erase prompt",
    ],
    stored: T,
  }],
  ["erases although another program keeps the file, and is not done", {
    store: holding(T),
    file: P,
    busy: true,
  }, {
    answer: "other",
    calls: ["store erase"],
    file: P,
  }],
  ["is not done while another program may be moving a token", {
    file: P,
    busy: true,
  }, { answer: "other", calls: ["store erase"], file: P }],
  ["says so where it could not look, and nobody seems to be logged in", {
    store: holding(T, { failure: { ...BROKEN, storeExists: false } }),
  }, {
    answer: "not-found",
    calls: ["store erase", "say"],
    stored: T,
  }],
  ["says nothing of a store that is switched off", {
    store: holding(T, { failure: OFF }),
    settings: {
      kind: "settings",
      ...DEFAULT_SETTINGS,
      store: "off",
      notices: [],
    },
  }, {
    answer: "not-found",
    calls: ["store erase"],
    stored: T,
  }],
  ["leaves a token of another registry where it is", {
    file: P,
    foreign: true,
  }, {
    answer: "other",
    calls: [
      "store erase",
    ],
    file: P,
  }],
  ["lets `cargo:token` try what could not be removed", {
    file: P,
    notEditable: true,
  }, {
    answer: "not-found",
    calls: [
      "store erase",
    ],
    file: P,
  }],
  ["says so itself where no `cargo:token` follows", {
    file: P,
    notEditable: true,
    chain: ALONE,
  }, {
    answer: "other",
    calls: [
      "store erase",
    ],
    file: P,
  }],
  ["names the places that it does not touch", {
    store: holding(T),
    leftovers: ["the environment variable `V`", "/a/config.toml"],
  }, {
    answer: "logged-out",
    calls: [
      "store erase",
      "say",
      "say",
      "say",
      "say",
      "say",
    ],
  }],
  ["does nothing with a wrong setting", {
    store: holding(T),
    file: P,
    settings: {
      kind: "wrong",
      where: "the environment",
      key: "migrate",
      message: "`migrate` is wrong",
      system: false,
    },
  }, { answer: "other", calls: [], stored: T, file: P }],
];

for (const [name, world, expected] of FLOWS) {
  Deno.test(`logout() ${name}`, async () => {
    using context = new FakeContext(world);
    const answer = await logOut(context);
    assertEquals(answer.kind, expected.answer);
    assertEquals(context.calls, expected.calls);
    assertEquals(context.fakeStore.items.get(URL), expected.stored);
    assertEquals(context.file, expected.file);
    // Nobody moves a token meanwhile, and a dialog keeps nobody waiting.
    const isLocked = world.file !== undefined && world.busy !== true;
    const erased = expected.calls.includes("store erase");
    assertEquals(context.underLock, isLocked && erased ? ["store erase"] : []);
    if (answer.kind === "logged-out") {
      assertEquals(isPinned(await context.state(), URL), false);
    }
  });
}

Deno.test("logout() ends at the deadline when the store hangs, and removes what it can", async () => {
  const store = holding(T, { hangs: true });
  using context = new FakeContext({ store, file: P, deadlineMs: 20 });
  const answer = await logOut(context);
  if (answer.kind !== "other") throw new Error(answer.kind);
  assertStringIncludes(answer.message, "may still hold");
  assertEquals(context.file, undefined);
});

Deno.test("logout() names every place, and that the registry still knows the token", async () => {
  using context = new FakeContext({
    store: holding(T, { remaining: ["old \x1b]0;x\x07\u202eone"] }),
    file: P,
  });
  await logOut(context);
  const text = context.lines.join("\n");
  assertStringIncludes(text, context.fakeStore.title);
  assertStringIncludes(text, FILE);
  assertStringIncludes(text, "does not revoke");
  assertStringIncludes(printable(text), "still holds, locked: old ]0;xone");
});

Deno.test("logout() is no success while the file keeps its token", async () => {
  using context = new FakeContext({
    store: holding(T),
    file: P,
    notEditable: true,
  });
  const answer = await logOut(context);
  if (answer.kind !== "other") throw new Error(answer.kind);
  assertStringIncludes(
    answer.message,
    `erased from ${context.fakeStore.title}`,
  );
  assertStringIncludes(answer.message, `${FILE} still holds`);
  assertStringIncludes(answer.message, "out by hand");
});

Deno.test("logout() names a store that is switched off", async () => {
  using context = new FakeContext({
    store: holding(T, { failure: OFF }),
    file: P,
  });
  assertEquals((await logOut(context)).kind, "logged-out");
  assertStringIncludes(context.lines.join("\n"), "may still hold a token");
});
