import { assertEquals, assertStringIncludes } from "@std/assert";
import { stepAside, withoutStore } from "../../src/provider/step_aside.ts";
import { Secret } from "../../src/base/secret.ts";
import {
  DEFAULT_SETTINGS,
  type Settings,
  type SettingsOutcome,
} from "../../src/settings/settings.ts";
import { FakeContext, URL, type World } from "../support/fake_context.ts";

const WHY = "something has failed";
const REBOUND = {
  name: "alt",
  userUrl: "sparse+https://good.example/",
  projectUrl: URL,
  where: "/checkout/.cargo/config.toml",
};
const FOLLOWS = { cargoTokenFollows: true, cargoTokenListed: true };
const ALONE = { cargoTokenFollows: false, cargoTokenListed: false };

function withFallback(fallback: Settings["fallback"]): SettingsOutcome {
  return { kind: "settings", ...DEFAULT_SETTINGS, fallback, notices: [] };
}

Deno.test("withoutStore() asks the next provider, and says why", async () => {
  using context = new FakeContext({ chain: FOLLOWS });
  assertEquals(await withoutStore(context, WHY), { kind: "url-not-supported" });
  assertStringIncludes(context.lines.join(), WHY);
});

const FATAL: [what: string, world: World][] = [
  [
    "the settings are strict",
    { chain: FOLLOWS, settings: withFallback("strict") },
  ],
  ["no provider follows", { chain: ALONE }],
  ["a project has taken the name", {
    chain: FOLLOWS,
    rebinding: REBOUND,
    sendable: true,
  }],
];

for (const [what, world] of FATAL) {
  Deno.test(`withoutStore() fails in words where ${what}`, async () => {
    using context = new FakeContext(world);
    const answer = await withoutStore(context, WHY);
    assertEquals(answer.kind, "other");
    assertStringIncludes("message" in answer ? answer.message : "", WHY);
  });
}

const broken = () => Promise.reject(new Error("no"));
for (
  const part of [
    { settings: broken },
    { registry: { chain: broken } },
    { notice: broken },
  ]
) {
  Deno.test(`withoutStore() survives a failure of: ${Object.keys(part.registry ?? part)}`, async () => {
    using context = new FakeContext({ chain: FOLLOWS });
    const { registry = {}, ...own } = part;
    Object.assign(context.registry, registry);
    Object.assign(context, own);
    assertEquals(await withoutStore(context, WHY), {
      kind: "url-not-supported",
    });
  });
}

Deno.test("stepAside() leaves every request to the next provider", async () => {
  for (const kind of ["get", "login", "logout"] as const) {
    // Which providers there are is not known.
    using context = new FakeContext({ chain: ALONE });
    assertEquals(await stepAside(kind, context, WHY), {
      kind: "url-not-supported",
    });
    const said = context.lines.join();
    assertStringIncludes(said, WHY);
    assertEquals(said.includes("PLAINTEXT"), kind === "login");
  }
});

Deno.test("stepAside() lets no login end in plaintext against the settings", async () => {
  for (const fallback of ["deny", "strict"] as const) {
    using context = new FakeContext({ settings: withFallback(fallback) });
    assertEquals((await stepAside("login", context, WHY)).kind, "other");
  }
});

Deno.test("stepAside() answers an environment token, but not to a checkout", async () => {
  const environment = {
    kind: "token",
    variable: "CARGO_REGISTRIES_ALT_TOKEN",
    token: Secret.fromString("tok"),
  } as const;
  using context = new FakeContext({ environment });
  assertEquals((await stepAside("get", context, WHY)).kind, "token");
  using rebound = new FakeContext({
    environment,
    rebinding: REBOUND,
    sendable: true,
  });
  assertEquals((await stepAside("get", rebound, WHY)).kind, "other");
});
