import { assert, assertEquals } from "@std/assert";
import { parseRequest } from "../../src/protocol/parse_request.ts";
import type { CredentialRequest } from "../../src/protocol/messages.ts";

const CRATES_IO = "https://github.com/rust-lang/crates.io-index";

function parse(line: string): ReturnType<typeof parseRequest> {
  return parseRequest(new TextEncoder().encode(line));
}

function request(line: string): CredentialRequest {
  const parsed = parse(line);
  assert(parsed.kind === "request", JSON.stringify(parsed));
  return parsed.request;
}

/** Requests as cargo 1.95 was seen to write them. */
const SEEN: readonly [line: string, request: CredentialRequest][] = [
  [
    `{"v":1,"registry":{"index-url":"sparse+http://127.0.0.1:7802/index/","name":"priv","headers":["WWW-Authenticate: Cargo login_url=\\"https://reg.example/login\\"","X-Extra: hello"]},"kind":"get","operation":"read","args":["--flag1","val"]}`,
    {
      kind: "get",
      registry: {
        indexUrl: "sparse+http://127.0.0.1:7802/index/",
        name: "priv",
        headers: [
          'WWW-Authenticate: Cargo login_url="https://reg.example/login"',
          "X-Extra: hello",
        ],
      },
      operation: { kind: "read" },
      args: ["--flag1", "val"],
    },
  ],
  [
    `{"v":1,"registry":{"index-url":"sparse+http://r/","name":"alt"},"kind":"get","operation":"publish","name":"foo","vers":"0.1.7696","cksum":"00ff"}`,
    {
      kind: "get",
      registry: { indexUrl: "sparse+http://r/", name: "alt", headers: [] },
      operation: {
        kind: "publish",
        name: "foo",
        vers: "0.1.7696",
        cksum: "00ff",
      },
      args: [],
    },
  ],
  [
    `{"v":1,"registry":{"index-url":"sparse+http://r/"},"kind":"get","operation":"yank","name":"foo","vers":"1.0.0"}`,
    {
      kind: "get",
      registry: { indexUrl: "sparse+http://r/", headers: [] },
      operation: { kind: "yank", name: "foo", vers: "1.0.0" },
      args: [],
    },
  ],
  [
    `{"v":1,"registry":{"index-url":"sparse+http://r/"},"kind":"get","operation":"unyank","name":"foo","vers":"1.0.0"}`,
    {
      kind: "get",
      registry: { indexUrl: "sparse+http://r/", headers: [] },
      operation: { kind: "unyank", name: "foo", vers: "1.0.0" },
      args: [],
    },
  ],
  [
    `{"v":1,"registry":{"index-url":"sparse+http://r/"},"kind":"get","operation":"owners","name":"foo"}`,
    {
      kind: "get",
      registry: { indexUrl: "sparse+http://r/", headers: [] },
      operation: { kind: "owners", name: "foo" },
      args: [],
    },
  ],
  [
    `{"v":1,"registry":{"index-url":"${CRATES_IO}","name":"crates-io"},"kind":"logout"}`,
    {
      kind: "logout",
      registry: { indexUrl: CRATES_IO, name: "crates-io", headers: [] },
      args: [],
    },
  ],
];

for (const [line, expected] of SEEN) {
  const name = expected.kind === "get"
    ? `get/${expected.operation.kind}`
    : expected.kind;
  Deno.test(`parseRequest() reads cargo's ${name}`, () => {
    assertEquals(request(line), expected);
  });
}

Deno.test("parseRequest() reads cargo's login with a token", () => {
  const login = request(
    `{"v":1,"registry":{"index-url":"${CRATES_IO}","name":"crates-io"},"kind":"login","token":"mytoken","login-url":"https://crates.io/me","args":["--flag1","extra"]}`,
  );
  assert(login.kind === "login" && login.token !== undefined);
  assertEquals(login.token.reveal(), "mytoken");
  assertEquals(login.loginUrl, "https://crates.io/me");
  assertEquals(login.args, ["--flag1", "extra"]);
});

Deno.test("parseRequest() reads a login without a token", () => {
  for (const token of ["", `,"token":null`]) {
    const login = request(
      `{"v":1,"registry":{"index-url":"u"},"kind":"login"${token}}`,
    );
    assert(login.kind === "login");
    assertEquals(login.token, undefined);
    assertEquals(login.loginUrl, undefined);
  }
});

Deno.test("parseRequest() keeps an empty token apart from none", () => {
  const login = request(
    `{"v":1,"registry":{"index-url":"u"},"kind":"login","token":""}`,
  );
  assert(login.kind === "login");
  assertEquals(login.token?.length, 0);
});

// cargo: credential/cargo-credential/src/lib.rs, credential_request_logout
// and credential_request_unknown
Deno.test("parseRequest() ignores fields that it does not know", () => {
  const logout = request(
    `{"v":1,"extra-1":"x","registry":{"index-url":"u","extra-2":[]},"kind":"logout","extra-3":{}}`,
  );
  assertEquals(logout.kind, "logout");
});

Deno.test("parseRequest() answers an unknown kind with operation-not-supported", () => {
  assertEquals(
    parse(`{"v":1,"registry":{"index-url":"u"},"kind":"rotate","x":1}`),
    { kind: "refused", answer: { kind: "operation-not-supported" } },
  );
});

Deno.test("parseRequest() takes an unknown operation for an ordinary get", () => {
  const get = request(
    `{"v":1,"registry":{"index-url":"u"},"kind":"get","operation":"transfer","to":"x"}`,
  );
  assert(get.kind === "get");
  assertEquals(get.operation, { kind: "unknown" });
});

/** Each is answered with `other`, and with none of what stands in it. */
const MALFORMED: readonly [line: string, says: string][] = [
  ["", "not a line of JSON"],
  ["SECRET", "not a line of JSON"],
  [`{"token":"SECRET"`, "not a line of JSON"],
  [`"SECRET"`, "must be an object"],
  [`["SECRET"]`, "must be an object"],
  ["null", "must be an object"],
  [`{"kind":"SECRET"}`, "`v` must be"],
  [`{"v":"SECRET"}`, "`v` must be"],
  [
    `{"v":999,"registry":{"index-url":"SECRET"},"kind":"logout"}`,
    "unsupported protocol version 999",
  ],
  [`{"v":1,"kind":"SECRET"}`, "`registry` must be an object"],
  [`{"v":1,"registry":{},"kind":"logout"}`, "`index-url` is missing"],
  [`{"v":1,"registry":{"index-url":""},"kind":"logout"}`, "is empty"],
  [`{"v":1,"registry":{"index-url":7},"kind":"logout"}`, "must be a string"],
  [
    `{"v":1,"registry":{"index-url":"SECRET\\u0000"},"kind":"logout"}`,
    "without NUL",
  ],
  [
    `{"v":1,"registry":{"index-url":"SECRET\\ud800"},"kind":"logout"}`,
    "without NUL",
  ],
  [`{"v":1,"registry":{"index-url":"u"}}`, "`kind` is missing"],
  [`{"v":1,"registry":{"index-url":"u"},"kind":["SECRET"]}`, "`kind` must be"],
  [
    `{"v":1,"registry":{"index-url":"u"},"kind":"get"}`,
    "`operation` is missing",
  ],
  [
    `{"v":1,"registry":{"index-url":"u"},"kind":"get","operation":"publish","name":"SECRET"}`,
    "`vers` is missing",
  ],
  [
    `{"v":1,"registry":{"index-url":"u"},"kind":"login","token":["SECRET"]}`,
    "`token` must be a string",
  ],
  [
    `{"v":1,"registry":{"index-url":"u"},"kind":"login","args":"SECRET"}`,
    "`args` must be a list",
  ],
  [
    `{"v":1,"registry":{"index-url":"u","headers":["SECRET",1]},"kind":"logout"}`,
    "`headers` must be a string",
  ],
];

for (const [line, says] of MALFORMED) {
  Deno.test(`parseRequest() refuses ${line || "an empty line"}`, () => {
    const parsed = parse(line);
    assert(parsed.kind === "refused" && parsed.answer.kind === "other");
    assert(parsed.answer.message.includes(says), parsed.answer.message);
    assert(!JSON.stringify(parsed).includes("SECRET"));
  });
}

Deno.test("parseRequest() refuses what is not UTF-8", () => {
  const parsed = parseRequest(new Uint8Array([0x22, 0xff, 0x22]));
  assert(parsed.kind === "refused" && parsed.answer.kind === "other");
});
