import { assert, assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import type { Answer, CredentialRequest } from "../../src/protocol/messages.ts";
import { serve } from "../../src/protocol/serve.ts";

const LOGOUT = `{"v":1,"registry":{"index-url":"u"},"kind":"logout"}`;
const HELLO = `{"v":[1]}`;
const DONE = `{"Ok":{"kind":"logout"}}`;

interface ConversationOptions {
  /** How many bytes one read gives at most. */
  readonly chunk?: number;
  readonly handle?: (request: CredentialRequest) => Promise<Answer>;
}

/** Serves the input and gives the lines of output. */
async function conversation(
  input: string | Uint8Array,
  options: ConversationOptions = {},
): Promise<string[]> {
  let rest = typeof input === "string"
    ? new TextEncoder().encode(input)
    : input;
  const sent: Uint8Array[] = [];
  await serve({
    input: {
      read(buffer): Promise<number | null> {
        if (rest.length === 0) return Promise.resolve(null);
        const count = Math.min(
          options.chunk ?? 65536,
          buffer.length,
          rest.length,
        );
        buffer.set(rest.subarray(0, count));
        rest = rest.subarray(count);
        return Promise.resolve(count);
      },
    },
    output: {
      // Three bytes at a time: a pipe may take less than it is given.
      writeSync(bytes): number {
        sent.push(bytes.slice(0, 3));
        return Math.min(3, bytes.length);
      },
    },
    handle: options.handle ??
      (() => Promise.resolve({ kind: "logged-out" } as const)),
  });
  const text = await new Blob(sent.map((b) => new Uint8Array(b))).text();
  assert(text.endsWith("\n"));
  return text.slice(0, -1).split("\n");
}

Deno.test("serve() says hello before it reads", async () => {
  assertEquals(await conversation(""), [HELLO]);
});

Deno.test("serve() answers several requests in one process", async () => {
  assertEquals(await conversation(`${LOGOUT}\n${LOGOUT}\n`), [
    HELLO,
    DONE,
    DONE,
  ]);
});

Deno.test("serve() takes CRLF, a last line without an ending, and any split", async () => {
  for (const chunk of [1, 2, 7, 65536]) {
    assertEquals(
      await conversation(`${LOGOUT}\r\n${LOGOUT}\n${LOGOUT}`, { chunk }),
      [HELLO, DONE, DONE, DONE],
    );
  }
});

Deno.test("serve() reads a line of 1 MB", async () => {
  const long = LOGOUT.replace(
    `"kind"`,
    `"padding":"${"x".repeat(1_000_000)}","kind"`,
  );
  assertEquals(await conversation(`${long}\n${LOGOUT}\n`, { chunk: 60_000 }), [
    HELLO,
    DONE,
    DONE,
  ]);
});

Deno.test("serve() throws a line over 16 MiB away and lives on", async () => {
  const lines = await conversation(`${"x".repeat(17 << 20)}\n${LOGOUT}\n`);
  assertEquals(lines.length, 3);
  assert(lines[1]?.includes("over 16 MiB"));
  assertEquals(lines[2], DONE);
});

Deno.test("serve() answers malformed input and lives on", async () => {
  const lines = await conversation(`nonsense\n\n${LOGOUT}\n`);
  assertEquals(lines.length, 4);
  assert(lines[1]?.startsWith(`{"Err":{"kind":"other","message":"malformed`));
  assert(lines[2]?.startsWith(`{"Err":{"kind":"other","message":"malformed`));
  assertEquals(lines[3], DONE);
});

Deno.test("serve() shows nothing of an exception but its class", async () => {
  const lines = await conversation(`${LOGOUT}\n${LOGOUT}\n`, {
    handle: () => Promise.reject(new TypeError("planted-secret")),
  });
  assertEquals(lines.length, 3);
  assert(lines[1]?.includes("TypeError"));
  assert(!lines.join().includes("planted"));
});

Deno.test("serve() ends quietly when nobody reads", async () => {
  let handled = 0;
  let writes = 0;
  const input = new TextEncoder().encode(`${LOGOUT}\n`.repeat(3));
  await serve({
    input: {
      read(buffer): Promise<number | null> {
        buffer.set(input);
        return Promise.resolve(input.length);
      },
    },
    output: {
      writeSync(bytes): number {
        if (++writes > 1) throw new Deno.errors.BrokenPipe();
        return bytes.length;
      },
    },
    handle: () => {
      handled++;
      return Promise.resolve({ kind: "logged-out" });
    },
  });
  assertEquals(handled, 1);
});

/** Every answer, as cargo reads it (cargo-credential, `lib.rs` and `error.rs`). */
const ANSWERS: readonly [answer: Answer, line: string][] = [
  [{ kind: "logged-in" }, `{"Ok":{"kind":"login"}}`],
  [{ kind: "logged-out" }, `{"Ok":{"kind":"logout"}}`],
  [{ kind: "not-found" }, `{"Err":{"kind":"not-found"}}`],
  [{ kind: "url-not-supported" }, `{"Err":{"kind":"url-not-supported"}}`],
  [
    { kind: "operation-not-supported" },
    `{"Err":{"kind":"operation-not-supported"}}`,
  ],
  [
    { kind: "other", message: "E3" },
    `{"Err":{"kind":"other","message":"E3"}}`,
  ],
  [
    { kind: "other", message: "two\nlines" },
    `{"Err":{"kind":"other","message":"two lines"}}`,
  ],
];

for (const [answer, line] of ANSWERS) {
  Deno.test(`serve() writes ${line}`, async () => {
    const lines = await conversation(`${LOGOUT}\n`, {
      handle: () => Promise.resolve(answer),
    });
    assertEquals(lines[1], line);
  });
}

Deno.test("serve() writes a token so that JSON gives it back, then wipes it", async () => {
  for (
    const text of [
      "plain",
      `q"u\\o`,
      "tab\there",
      " ~!",
      "\u0001",
      "h\u00e9\u{1f980}",
    ]
  ) {
    const token = Secret.fromString(text);
    const lines = await conversation(`${LOGOUT}\n`, {
      handle: () => Promise.resolve({ kind: "token", token }),
    });
    assertEquals(JSON.parse(lines[1] ?? ""), {
      Ok: {
        kind: "get",
        token: text,
        cache: "session",
        operation_independent: true,
      },
    });
    assert(token.bytes.every((byte) => byte === 0));
  }
});

Deno.test("serve() writes a placeholder for one operation alone", async () => {
  const lines = await conversation(`${LOGOUT}\n`, {
    handle: () => Promise.resolve({ kind: "placeholder" }),
  });
  assertEquals(JSON.parse(lines[1] ?? ""), {
    Ok: {
      kind: "get",
      token: "cargo-credential-keyring:the-token-is-given-at-upload",
      cache: "session",
      operation_independent: false,
    },
  });
});
