// Whatever stands on a line, the provider answers with one line of the
// protocol, repeats nothing of it, and goes on.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { askProvider, type JsonLine } from "../support/ask_provider.ts";
import { openRealStore } from "../support/real_store.ts";
import { TestHome } from "../support/test_home.ts";

const LINES = 10_000;
const PER_PROCESS = 2_500;
const SEED = 0x5eed;
const PLANTED = "planted-in-bad-input";

const GOOD = JSON.stringify({
  v: 1,
  registry: { "index-url": "sparse+https://registry.invalid/", name: "alt" },
  kind: "get",
  operation: "read",
});

/** Numbers that are the same in every run (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

/** Values that do not belong where they are put. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  "",
  "\u0000",
  "\u001b[2J",
  "\ud800",
  "x".repeat(5000),
  [],
  {},
  [[["x"]]],
  { __proto__: 1 },
  "__proto__",
];

function requests(): JsonLine[] {
  const registry = {
    "index-url": "sparse+https://registry.invalid/",
    name: "alt",
    headers: ['WWW-Authenticate: Cargo login_url="https://x.invalid/me"'],
  };
  const crate = { name: "foo", vers: "1.0.0", cksum: "00" };
  return [
    ...["read", "publish", "yank", "unyank", "owners"]
      .map((operation) => ({
        v: 1,
        registry,
        kind: "get",
        operation,
        ...crate,
      })),
    {
      v: 1,
      registry,
      kind: "login",
      token: PLANTED,
      "login-url": "https://x/",
    },
    { v: 1, registry, kind: "logout", args: ["--flag"] },
  ];
}

function fuzzedLine(random: (below: number) => number): Uint8Array {
  const pick = <T>(list: readonly T[]): T => {
    const value = list[random(list.length)];
    if (value === undefined) throw new RangeError("an empty list");
    return value;
  };
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const request: Record<string, unknown> = structuredClone(pick(requests()));
  switch (random(10)) {
    case 0: // bytes
      return Uint8Array.from(
        { length: random(200) },
        () => random(256),
      ).map((byte) => byte === 0x0a || byte === 0x0d ? 0x20 : byte);
    case 1: { // a byte changed
      const bytes = encode(JSON.stringify(request));
      const byte = random(256);
      bytes[random(bytes.length)] = byte === 0x0a ? 0x20 : byte;
      return bytes;
    }
    case 2: { // cut off
      const bytes = encode(JSON.stringify(request));
      return bytes.subarray(0, 1 + random(bytes.length - 1));
    }
    case 3: // a field of another type
      request[pick(Object.keys(request))] = pick(STRANGE);
      return encode(JSON.stringify(request));
    case 4: { // the same in the registry
      const registry: Record<string, unknown> = Object.assign(
        {},
        request["registry"],
      );
      registry[pick(Object.keys(registry))] = pick(STRANGE);
      return encode(JSON.stringify({ ...request, registry }));
    }
    case 5: // a field missing
      delete request[pick(Object.keys(request))];
      return encode(JSON.stringify(request));
    case 6: // another version, an unknown kind
      return encode(JSON.stringify({
        ...request,
        ...pick<JsonLine>([{ v: 2 }, { v: 999 }, { kind: "tidy" }]),
      }));
    case 7: // deep
      return encode("[".repeat(1 + random(5000)));
    case 8: // more than one value
      return encode(`${JSON.stringify(request)} {"token":"${PLANTED}"}`);
    default: // not an object
      return encode(JSON.stringify(pick(STRANGE)));
  }
}

function isAnswer(line: JsonLine): boolean {
  const keys = Object.keys(line);
  if (keys.length !== 1) return false;
  const { Err: error, Ok: ok } = line;
  if (typeof ok === "object" && ok !== null && "kind" in ok) {
    return ["get", "login", "logout"].includes(String(ok.kind));
  }
  if (typeof error !== "object" || error === null || !("kind" in error)) {
    return false;
  }
  return error.kind === "other"
    ? "message" in error && typeof error.message === "string"
    : ["not-found", "url-not-supported", "operation-not-supported"].includes(
      String(error.kind),
    );
}

Deno.test(`the provider answers each of ${LINES} fuzzed lines`, async () => {
  await using store = await openRealStore();
  await using home = await TestHome.create({ ...store.session });
  const random = generator(SEED);
  for (let done = 0; done < LINES; done += PER_PROCESS) {
    const lines = Array.from({ length: PER_PROCESS }, () => fuzzedLine(random));
    const input = new Uint8Array(
      [...lines, new TextEncoder().encode(GOOD)]
        .flatMap((line) => [...line, 0x0a]),
    );
    const { code, hello, answers, stderr } = await askProvider(home, input, {
      limit: 180_000,
    });
    assertEquals(code, 0, stderr);
    assertEquals(hello, { v: [1] });
    assertEquals(answers.length, PER_PROCESS + 1, stderr);
    for (const [i, answer] of answers.entries()) {
      assert(
        isAnswer(answer),
        `${JSON.stringify(answer)} for ${
          new TextDecoder().decode(lines[i]).slice(0, 300)
        }`,
      );
    }
    assertMatch(
      JSON.stringify(answers.at(-1)),
      /"not-found"|"Ok":\{"kind":"get"/,
    );
    // A good login among the lines stores it, and a get then answers it.
    const errors = answers.filter((answer) => "Err" in answer);
    assert(!JSON.stringify(errors).includes(PLANTED), "repeated a token");
    assert(!stderr.includes(PLANTED), "printed a token");
  }
});
