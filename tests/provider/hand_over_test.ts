import { assert, assertEquals } from "@std/assert";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { checkToken } from "../../src/cargo/token.ts";
import { Secret } from "../../src/base/secret.ts";
import { PLACEHOLDER } from "../../src/protocol/encode_answer.ts";
import type {
  GetAnswer,
  GetRequest,
  Operation,
} from "../../src/protocol/messages.ts";
import { needsConfirmation } from "../../src/provider/confirm.ts";
import { handOver, isHandedOverLater } from "../../src/provider/hand_over.ts";
import {
  type Confirmable,
  DEFAULT_SETTINGS,
  type SettingValues,
} from "../../src/settings/settings.ts";
import { readRecord } from "../../src/record/record.ts";
import { FakeContext, type World } from "../support/fake_context.ts";

const ALT = "sparse+https://alt.example/index/";
const READ: Operation = { kind: "read" };
const PUBLISH: Operation = {
  kind: "publish",
  name: "foo",
  vers: "1.0.0",
  cksum: "00",
};

function asked(
  indexUrl: string,
  operation: Operation = READ,
  headers: readonly string[] = [],
): GetRequest {
  return {
    kind: "get",
    registry: { indexUrl, headers },
    operation,
    args: [],
  };
}

Deno.test("isHandedOverLater()", async (t) => {
  const rows: [
    string,
    GetRequest,
    Parameters<typeof isHandedOverLater>[1],
    boolean,
  ][] = [
    ["crates.io by itself", asked(CRATES_IO_INDEX), "auto", true],
    ["crates.io, early", asked(CRATES_IO_INDEX), "early", false],
    ["another registry by itself", asked(ALT), "auto", false],
    ["another registry, late", asked(ALT), "late", true],
    ["a publish", asked(ALT, PUBLISH), "late", false],
    ["a yank", asked(ALT, { ...PUBLISH, kind: "yank" }), "late", false],
    [
      "owners",
      asked(CRATES_IO_INDEX, { kind: "owners", name: "foo" }),
      "auto",
      false,
    ],
    ["another operation", asked(ALT, { kind: "unknown" }), "late", false],
    [
      "the index has refused",
      asked(ALT, READ, ["www-authenticate: Cargo"]),
      "late",
      false,
    ],
  ];
  for (const [name, request, setting, expected] of rows) {
    await t.step(name, () => {
      assertEquals(isHandedOverLater(request, setting, "store"), expected);
      assertEquals(isHandedOverLater(request, setting, "file"), expected);
      assertEquals(isHandedOverLater(request, setting, "environment"), false);
    });
  }
});

Deno.test("cargo accepts the placeholder as a token", () => {
  assertEquals(checkToken(Secret.fromString(PLACEHOLDER)), "valid");
});

const OWNERS: Operation = { kind: "owners", name: "foo" };
const YANK: Operation = { kind: "yank", name: "foo", vers: "1.0.0" };

Deno.test("needsConfirmation()", () => {
  const rows: [Operation, readonly Confirmable[], boolean][] = [
    [READ, ["publish", "yank", "owners"], false],
    [PUBLISH, ["publish"], true],
    [PUBLISH, ["yank", "owners"], false],
    [YANK, ["yank"], true],
    [{ ...YANK, kind: "unyank" }, ["yank"], true],
    [YANK, ["publish"], false],
    [OWNERS, ["owners"], true],
    [OWNERS, [], false],
    [{ kind: "unknown" }, ["owners"], true],
    [{ kind: "unknown" }, [], false],
  ];
  for (const [operation, confirm, expected] of rows) {
    assertEquals(needsConfirmation(operation, confirm), expected);
  }
});

/** What cargo gets of a token where these settings hold. */
async function handedOver(
  operation: Operation,
  set: Partial<SettingValues>,
  world: World = {},
  source: "store" | "environment" = "store",
): Promise<
  { readonly answer: GetAnswer; readonly context: FakeContext }
> {
  const context = new FakeContext({
    ...world,
    settings: {
      kind: "settings",
      ...DEFAULT_SETTINGS,
      ...set,
      notices: [],
    },
  });
  const token = Secret.fromString("t0k");
  const found = { kind: "token", token, source } as const;
  const answer = await handOver(asked(ALT, operation), found, context);
  return { answer, context };
}

function typed(text: string): World {
  return { typed: { kind: "line", line: Secret.fromString(text) } };
}

Deno.test("handOver() asks what the settings say", async (t) => {
  const confirm = ["publish"] as const;
  await t.step("yes", async () => {
    const { answer, context } = await handedOver(
      PUBLISH,
      { confirm },
      typed("y"),
    );
    using _ = context;
    assertEquals(answer.kind, "token");
    assertEquals(context.questions, [
      "hand over the token of `alt` to publish foo 1.0.0 (sha256 00…)? [y/N] ",
    ]);
  });
  for (const text of ["", "n", "yess", "no y"]) {
    await t.step(`"${text}" is a no`, async () => {
      const { answer, context } = await handedOver(
        PUBLISH,
        { confirm },
        typed(text),
      );
      using _ = context;
      assertEquals(answer, {
        kind: "other",
        message: "the token of `alt` was not handed over to publish foo " +
          "1.0.0 (sha256 00…): it was not confirmed (setting `confirm`)",
      });
    });
  }
  await t.step("nobody is there", async () => {
    const { answer, context } = await handedOver(PUBLISH, { confirm });
    using _ = context;
    assertEquals(answer, {
      kind: "other",
      message: "the token of `alt` was not handed over to publish foo 1.0.0 " +
        "(sha256 00…): the setting `confirm` wants somebody at the terminal " +
        "to confirm it, and nobody is there",
    });
  });
  await t.step("a read is not asked about, and is not the last", async () => {
    const { answer, context } = await handedOver(READ, { confirm });
    using _ = context;
    assertEquals(answer.kind, "token");
    assert("operationIndependent" in answer && !answer.operationIndependent);
  });
  await t.step("another operation is not asked about", async () => {
    const { answer, context } = await handedOver(YANK, { confirm });
    using _ = context;
    assertEquals(answer.kind, "token");
  });
  await t.step("the environment's token is not asked about", async () => {
    const { answer, context } = await handedOver(
      PUBLISH,
      { confirm },
      {},
      "environment",
    );
    using _ = context;
    assertEquals(answer.kind, "token");
  });
});

async function recordedIn(context: FakeContext): Promise<readonly string[]> {
  const home = await context.registry.session.home();
  return readRecord(home ?? "").map(({ source, outcome }) =>
    `${source} ${outcome}`
  );
}

Deno.test("handOver() records what the settings say", async (t) => {
  for (
    const [name, set, world, recorded] of [
      ["nothing", {}, {}, []],
      ["a token", { record: "on" }, {}, ["store handed-over"]],
      [
        "a refusal",
        { record: "on", confirm: ["publish"] },
        {},
        ["store refused"],
      ],
    ] as const
  ) {
    await t.step(name, async () => {
      const { context } = await handedOver(PUBLISH, set, world);
      using _ = context;
      assertEquals(await recordedIn(context), [...recorded]);
    });
  }
  await t.step("no placeholder", async () => {
    const set = { record: "on", handOver: "late" } as const;
    const { answer, context } = await handedOver(READ, set);
    using _ = context;
    assertEquals(answer, { kind: "placeholder" });
    assertEquals(await recordedIn(context), []);
  });
});
