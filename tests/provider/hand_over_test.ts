import { assertEquals } from "@std/assert";
import { CRATES_IO_INDEX } from "../../src/cargo/registries.ts";
import { checkToken } from "../../src/cargo/token.ts";
import { Secret } from "../../src/base/secret.ts";
import { PLACEHOLDER } from "../../src/protocol/encode_answer.ts";
import type { GetRequest, Operation } from "../../src/protocol/messages.ts";
import { isHandedOverLater } from "../../src/provider/hand_over.ts";

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
