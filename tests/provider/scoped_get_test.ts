import { assert, assertEquals } from "@std/assert";
import type {
  GetAnswer,
  GetRequest,
  Operation,
} from "../../src/protocol/messages.ts";
import { answerGet } from "../../src/provider/hand_over.ts";
import { DEFAULT_SETTINGS } from "../../src/settings/settings.ts";
import { EMPTY_STATE } from "../../src/state/state.ts";
import { Secret } from "../../src/base/secret.ts";
import type { StoreFailure } from "../../src/stores/credential_store.ts";
import { type Grant, scopedUrl } from "../../src/tokens/scoped.ts";
import { FakeContext, URL, type World } from "../support/fake_context.ts";
import { FakeStore, type FakeStoreFaults } from "../support/fake_store.ts";

const READ: Operation = { kind: "read" };
const PUBLISH: Operation = {
  kind: "publish",
  name: "foo",
  vers: "1.0.0",
  cksum: "00",
};
const OWNERS: Operation = { kind: "owners", name: "foo" };

const PUBLISHES = scopedUrl(URL, { scopes: ["publish-update"], crates: [] });
const OF_FOO = scopedUrl(URL, { scopes: ["publish-update"], crates: ["foo"] });
const KNOWN = { ...EMPTY_STATE, scoped: [URL] };
const LATE: World["settings"] = {
  kind: "settings",
  ...DEFAULT_SETTINGS,
  handOver: "late",
  notices: [],
};

function ended(grant: Omit<Grant, "expires">, days: number): string {
  const expires = new Date(Date.now() + days * 86_400_000).toISOString()
    .slice(0, 10);
  return scopedUrl(URL, { ...grant, expires });
}

const LOCKED: StoreFailure = {
  kind: "locked",
  cause: "locked",
  reason: "it is locked",
  remedy: "Open it.",
  storeExists: true,
  item: "none",
};

interface Row {
  readonly items: Readonly<Record<string, string>>;
  readonly operation?: Operation;
  readonly world?: World;
  readonly faults?: FakeStoreFaults;
  readonly indexUrl?: string;
  /** The token, or the kind of answer. */
  readonly answer: string;
  /** Whether cargo uses it for more; absent: not looked at. */
  readonly forAll?: boolean;
  readonly calls: readonly string[];
  readonly says?: string;
}

const ROWS: Readonly<Record<string, Row>> = {
  "nothing scoped costs nothing": {
    items: { [URL]: "own" },
    operation: PUBLISH,
    answer: "own",
    forAll: true,
    calls: ["get"],
  },
  "nothing scoped costs nothing for a read": {
    items: { [URL]: "own" },
    operation: READ,
    answer: "own",
    forAll: true,
    calls: ["get"],
  },
  "S1: the environment's": {
    items: { [URL]: "own", [PUBLISHES]: "scoped" },
    world: {
      state: KNOWN,
      environment: {
        kind: "token",
        variable: "V",
        token: Secret.fromString("env"),
      },
    },
    answer: "env",
    forAll: true,
    calls: [],
  },
  "S2: the narrowest": {
    items: { [URL]: "own", [PUBLISHES]: "wide", [OF_FOO]: "narrow" },
    world: { state: KNOWN },
    answer: "narrow",
    forAll: false,
    calls: ["list scoped", "get"],
  },
  "S2: one that ends soon": {
    items: { [ended({ scopes: ["publish-new"], crates: [] }, 2)]: "soon" },
    world: { state: KNOWN },
    answer: "soon",
    calls: ["list scoped", "get"],
    says: "expires on",
  },
  "S3: none serves": {
    items: { [URL]: "own", [PUBLISHES]: "scoped" },
    operation: OWNERS,
    world: { state: KNOWN },
    answer: "own",
    forAll: false,
    calls: ["list scoped", "get"],
  },
  "S3: it has expired": {
    items: {
      [URL]: "own",
      [ended({ scopes: ["publish-new"], crates: [] }, -1)]: "expired",
    },
    world: { state: KNOWN },
    answer: "own",
    calls: ["list scoped", "get"],
    says: "has expired on",
  },
  "S4: a read gets its own": {
    items: { [URL]: "own", [PUBLISHES]: "scoped" },
    operation: READ,
    world: { state: KNOWN },
    answer: "own",
    forAll: false,
    calls: ["get"],
  },
  "S4: or the placeholder": {
    items: { [URL]: "own", [PUBLISHES]: "scoped" },
    operation: READ,
    world: { state: KNOWN, settings: LATE },
    answer: "placeholder",
    calls: ["get"],
  },
  "S5: a read where there is no other": {
    items: { [PUBLISHES]: "scoped" },
    operation: READ,
    world: { state: KNOWN },
    answer: "scoped",
    forAll: false,
    calls: ["get", "list scoped", "get"],
  },
  "S5: late": {
    items: { [PUBLISHES]: "scoped" },
    operation: READ,
    world: { state: KNOWN, settings: LATE },
    answer: "placeholder",
    calls: ["get", "list scoped", "get"],
  },
  "S6: none serves, and no other": {
    items: { [PUBLISHES]: "scoped" },
    operation: OWNERS,
    world: { state: KNOWN },
    answer: "not-found",
    calls: ["list scoped", "get"],
  },
  "S6: it has expired": {
    items: { [ended({ scopes: ["publish-new"], crates: [] }, -1)]: "expired" },
    world: { state: KNOWN },
    answer: "not-found",
    calls: ["list scoped", "get"],
    says: "has expired on",
  },
  "S7: locked": {
    items: { [PUBLISHES]: "scoped" },
    world: { state: KNOWN },
    faults: { failure: LOCKED },
    answer: "other",
    calls: ["list scoped", "get"],
  },
  "S7: a dialog opens it": {
    items: { [PUBLISHES]: "scoped" },
    world: { state: KNOWN, mayPrompt: true },
    faults: { failure: LOCKED, promptOpens: true },
    answer: "scoped",
    calls: ["list scoped", "prepare prompt", "list scoped", "get"],
  },
  "S8: the name of a scoped token": {
    items: { [PUBLISHES]: "scoped" },
    indexUrl: PUBLISHES,
    answer: "not-found",
    calls: [],
  },
  "not remembered, and no other": {
    items: { [PUBLISHES]: "scoped" },
    answer: "scoped",
    calls: ["get", "list scoped", "get"],
  },
  "not remembered, and another in the file": {
    items: { [PUBLISHES]: "scoped" },
    world: {
      file: "plain",
      settings: {
        kind: "settings",
        ...DEFAULT_SETTINGS,
        migrate: "never",
        notices: [],
      },
    },
    answer: "not-found",
    calls: ["get"],
  },
};

for (
  const [
    name,
    {
      items,
      operation = PUBLISH,
      world,
      faults,
      indexUrl = URL,
      answer,
      forAll,
      calls,
      says,
    },
  ] of Object.entries(ROWS)
) {
  Deno.test(`answerGet(): ${name}`, async () => {
    const store = new FakeStore(items, faults);
    using context = new FakeContext({ ...world, store });
    const request: GetRequest = {
      kind: "get",
      registry: { indexUrl, headers: [] },
      operation,
      args: [],
    };
    const given: GetAnswer = await answerGet(request, context);
    assertEquals(
      given.kind === "token" ? given.token.reveal() : given.kind,
      answer,
    );
    if (forAll !== undefined) {
      assert(given.kind === "token");
      assertEquals(given.operationIndependent ?? true, forAll);
    }
    assertEquals(store.calls, calls);
    const lines = context.lines.join("\n");
    if (says === undefined) assert(!/expire/.test(lines), lines);
    else assert(lines.includes(says), lines);
    // Nothing that was looked at and not given is left in memory.
    for (const token of store.handedOut) {
      const isGiven = given.kind === "token" && given.token === token;
      assert(isGiven || token.bytes.every((byte) => byte === 0));
    }
  });
}
