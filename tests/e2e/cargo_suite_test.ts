// The cases of cargo's own test suite that an external provider can be held
// to. The name in parentheses is the name of cargo's test, in
// `tests/testsuite/credential_process.rs`, `login.rs`, `logout.rs`,
// `registry_auth.rs`, and `credential/cargo-credential`.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { askProvider } from "../support/ask_provider.ts";
import { writeCannedProvider } from "../support/canned_provider.ts";
import { openRealStore, type RealStore } from "../support/real_store.ts";
import {
  CRATES_IO_INDEX,
  PROVIDER,
  TestHome,
  type TestHomeOptions,
} from "../support/test_home.ts";

const TOKEN = "suite-token-77b1";

let store: RealStore;
Deno.test.beforeAll(async () => {
  store = await openRealStore();
});
Deno.test.afterAll(async () => {
  await store[Symbol.asyncDispose]();
});

/** A home whose `alt` wants a token for everything, and takes {@linkcode TOKEN}. */
function privateRegistry(options: TestHomeOptions = {}): Promise<TestHome> {
  return TestHome.create({
    registries: {
      alt: {
        authRequired: true,
        tokens: [TOKEN],
        loginUrl: "https://alt.example/me",
      },
    },
    ...store.session,
    ...options,
  });
}

async function logIn(
  home: TestHome,
  registry = "alt",
  token = TOKEN,
): Promise<void> {
  const { code, stderr } = await home.cargo(["login", "--registry", registry], {
    stdin: `${token}\n`,
  });
  assertEquals(code, 0, stderr);
}

async function logOut(home: TestHome, registry = "alt"): Promise<void> {
  await home.cargo(["logout", "--registry", registry]);
}

/** Kind, operation and crate of the last requests. */
async function lastRequests(
  home: TestHome,
  count: number,
): Promise<Record<string, unknown>[]> {
  return (await home.requests()).slice(-count);
}

Deno.test("publish asks once, with the 401's headers (publish)", async () => {
  await using home = await privateRegistry({ traffic: true });
  await logIn(home);
  const cwd = await home.crate("foo");
  const { code, launches, stderr } = await home.cargo(
    ["publish", "--no-verify", "--registry", "alt"],
    { cwd },
  );
  assertEquals(code, 0, stderr);
  assertEquals(launches, 1);
  const [request] = await lastRequests(home, 1);
  assertEquals(request?.["kind"], "get");
  assertEquals(request?.["operation"], "read");
  assertStringIncludes(
    JSON.stringify(request?.["registry"]),
    'WWW-Authenticate: Cargo login_url=\\"https://alt.example/me\\"',
  );
  await logOut(home);
});

Deno.test("login gets the provider's arguments, then its own (login)", async () => {
  await using home = await TestHome.create({
    cratesIo: {},
    traffic: true,
    ...store.session,
  });
  await home.configure(
    ["keyring"],
    `[credential-alias]\nkeyring = ["${home.provider}", "--timeout=4"]\n`,
  );
  const { code, stderr } = await home.cargo(
    ["login", "abcdefg", "--", "--prompt=never"],
  );
  // They are no settings, and what comes with a login may be a token.
  assertEquals(code, 101, stderr);
  assertStringIncludes(
    stderr,
    "`cargo login --` takes `--migrate-to-keyring`, or",
  );
  const [request] = await lastRequests(home, 1);
  assertEquals(request?.["args"], ["--timeout=4", "--prompt=never"]);
  assertEquals(request?.["registry"], {
    "index-url": CRATES_IO_INDEX,
    name: "crates-io",
  });
  assertMatch(String(request?.["login-url"]), /\/me$/);
  assertEquals(await store.token(home, CRATES_IO_INDEX), undefined);
});

Deno.test("logout is asked once and erases the item (logout)", async () => {
  await using home = await TestHome.create({
    cratesIo: {},
    traffic: true,
    ...store.session,
  });
  await home.cargo(["login"], { stdin: TOKEN });
  const { code, launches, stderr } = await home.cargo(["logout"]);
  assertEquals(code, 0, stderr);
  assertEquals(launches, 1);
  assertEquals(await lastRequests(home, 1), [{
    v: 1,
    registry: { "index-url": CRATES_IO_INDEX, name: "crates-io" },
    kind: "logout",
  }]);
  assertEquals(await store.token(home, CRATES_IO_INDEX), undefined);
});

for (
  const [operation, args] of [
    ["yank", ["yank", "--registry", "alt", "foo@0.1.0"]],
    ["owner", ["owner", "--registry", "alt", "--add", "ann", "foo"]],
  ] as const
) {
  Deno.test(`${operation} reuses the token of the index (${operation})`, async () => {
    await using home = await privateRegistry({ traffic: true });
    await logIn(home);
    const cwd = await home.crate("foo");
    await home.cargo(["publish", "--no-verify", "--registry", "alt"], { cwd });
    const { code, launches, stderr } = await home.cargo(args);
    assertEquals(code, 0, stderr);
    assertEquals(launches, 1);
    const [request] = await lastRequests(home, 1);
    assertEquals(request?.["operation"], "read");
    await logOut(home);
  });
}

Deno.test("a provider of one registry that finds nothing (not_found)", async () => {
  await using home = await TestHome.create({
    cratesIo: { authRequired: true },
    ...store.session,
  });
  const { code, stderr } = await home.cargo(["install", "foo"], {
    env: { CARGO_REGISTRY_CREDENTIAL_PROVIDER: home.provider },
  });
  assertEquals(code, 101);
  assertStringIncludes(stderr, "no token found, please run `cargo login`\n");
  assertEquals(stderr.includes("CARGO_REGISTRY_TOKEN"), false);
});

Deno.test("a list of providers that finds nothing (all_not_found)", async () => {
  await using home = await TestHome.create({
    cratesIo: { authRequired: true, loginUrl: "https://alt.example/me" },
    traffic: true,
    ...store.session,
  });
  await home.configure(
    ["keyring"],
    `[credential-alias]\nkeyring = ["${home.provider}"]\n`,
  );
  const { code, stderr } = await home.cargo(["install", "-v", "foo"]);
  assertEquals(code, 101);
  assertMatch(stderr, /^ +Credential .*keyring get crates-io$/m);
  assertStringIncludes(stderr, "no token found, please run `cargo login`");
  assertStringIncludes(
    JSON.stringify(await home.requests()),
    "WWW-Authenticate: Cargo login_url=",
  );
});

Deno.test("a store that is switched off (all_not_supported)", async () => {
  await using home = await TestHome.create({
    cratesIo: { authRequired: true },
    env: { CARGO_CREDENTIAL_KEYRING_STORE: "off" },
    ...store.session,
  });
  const { code, stderr } = await home.cargo(["install", "foo"]);
  assertEquals(code, 101);
  assertStringIncludes(
    stderr,
    "no credential providers could handle the request",
  );
});

Deno.test("the last provider is asked first (multiple_providers)", async (t) => {
  await using home = await TestHome.create({
    registries: { alt: { tokens: [TOKEN] } },
    ...store.session,
  });
  const { indexUrl } = home.registry();
  const success = await writeCannedProvider(
    home,
    "success",
    `{"Ok":{"kind":"login"}}`,
  );
  const unsupported = await writeCannedProvider(
    home,
    "unsupported",
    `{"Err":{"kind":"url-not-supported"}}`,
  );

  await t.step("ours keeps what one above passes on", async () => {
    await home.configure([success.path, PROVIDER, unsupported.path]);
    await logIn(home);
    assertEquals(await store.token(home, indexUrl), TOKEN);
    assertEquals(await unsupported.requests(), 1);
    assertEquals(await success.requests(), 0);
    await logOut(home);
  });

  await t.step("ours passes on what it cannot keep", async () => {
    await home.configure([success.path, PROVIDER]);
    const { code, launches, stderr } = await home.cargo(
      ["login", "--registry", "alt"],
      {
        stdin: `${TOKEN}\n`,
        env: { CARGO_CREDENTIAL_KEYRING_STORE: "off" },
      },
    );
    assertEquals(code, 0, stderr);
    assertEquals(launches, 1);
    assertEquals(await success.requests(), 1);
    assertEquals(await store.token(home, indexUrl), undefined);
  });
});

Deno.test("one answer serves a whole command (token_caching)", async () => {
  await using home = await TestHome.create({
    registries: { alt: { tokens: [TOKEN] } },
    traffic: true,
    ...store.session,
  });
  await logIn(home);
  const cwd = await home.crate("foo");
  const { launches } = await home.cargo(
    ["publish", "--no-verify", "--registry", "alt"],
    { cwd },
  );
  assertEquals(launches, 1);
  const { answers: [answer] } = await askProvider(home, [{
    v: 1,
    registry: { "index-url": home.registry().indexUrl },
    kind: "get",
    operation: "read",
  }]);
  assertEquals(answer, {
    Ok: {
      kind: "get",
      token: TOKEN,
      cache: "session",
      operation_independent: true,
    },
  });
  await logOut(home);
});

Deno.test("the provider greets with version 1 (unsupported_version)", async () => {
  await using home = await TestHome.create({ ...store.session });
  const { hello, answers, code, stderr } = await askProvider(home, [
    `{"v":999,"registry":{"index-url":"x"},"kind":"logout"}`,
  ]);
  assertEquals(code, 0, stderr);
  assertEquals(hello, { v: [1] });
  assertEquals(answers.length, 1);
  assertMatch(
    JSON.stringify(answers[0]),
    /^\{"Err":\{"kind":"other","message":".*unsupported protocol version 999"/,
  );
});

Deno.test("what surrounds a token is cut off (login_token_from_stdin)", async () => {
  await using home = await TestHome.create({ ...store.session });
  const { indexUrl } = home.registry();
  await home.cargo(["login", "--registry", "alt"], {
    stdin: ` \t${TOKEN}  \r\nanother line\n`,
  });
  assertEquals(await store.token(home, indexUrl), TOKEN);
  await home.cargo(["login", "--registry", "alt"], {
    stdin: `cargo login pasted-token\n`,
  });
  assertEquals(await store.token(home, indexUrl), "pasted-token");
  await logOut(home);
});

Deno.test("registries do not share tokens (registry_credentials)", async () => {
  await using home = await TestHome.create({
    registries: { a: {}, b: {} },
    cratesIo: {},
    ...store.session,
  });
  await logIn(home, "a", "token-of-a");
  await logIn(home, "b", "token-of-b");
  await logIn(home, "crates-io", "token-of-crates-io");
  const stored = async (): Promise<(string | undefined)[]> => [
    await store.token(home, home.registry("a").indexUrl),
    await store.token(home, home.registry("b").indexUrl),
    await store.token(home, CRATES_IO_INDEX),
  ];
  assertEquals(await stored(), [
    "token-of-a",
    "token-of-b",
    "token-of-crates-io",
  ]);
  await logOut(home, "b");
  assertEquals(await stored(), ["token-of-a", undefined, "token-of-crates-io"]);
  await logOut(home, "a");
  await home.cargo(["logout"]);
  assertEquals(await stored(), [undefined, undefined, undefined]);
});

Deno.test("an empty token is refused (empty_login_token)", async () => {
  await using home = await TestHome.create({ ...store.session });
  const login = (args: string[], stdin: string): Promise<{ code: number }> =>
    home.cargo(["login", "--registry", "alt", ...args], { stdin });
  assertEquals((await login([], "\t\n")).code, 101);
  assertEquals((await login([], "")).code, 101);
  const positional = await home.cargo(["login", "--registry", "alt", ""]);
  assertEquals(positional.code, 101);
  assertStringIncludes(positional.stderr, "please provide a non-empty token");
  assertEquals(await store.token(home, home.registry().indexUrl), undefined);
});

Deno.test("a token that no header carries is refused (invalid_login_token)", async () => {
  await using home = await TestHome.create({ ...store.session });
  const { indexUrl } = home.registry();
  const login = (token: string): Record<string, unknown> => ({
    v: 1,
    registry: { "index-url": indexUrl, name: "alt" },
    kind: "login",
    token,
  });
  const refused = ["\u{1f4a9}", "\u0016", "\u0000", "\u4f60\u597d", "a\u00e9"];
  const { answers } = await askProvider(home, refused.map(login));
  assertEquals(answers.length, refused.length);
  for (const [i, answer] of answers.entries()) {
    assertMatch(
      JSON.stringify(answer),
      /^\{"Err":\{"kind":"other"/,
      JSON.stringify(refused[i]),
    );
  }
  assertEquals(await store.token(home, indexUrl), undefined);

  const printable = Array.from(
    { length: 0x7f - 0x21 },
    (_, i) => String.fromCharCode(0x21 + i),
  ).join("");
  for (const token of ["foo\tbar", "foo bar", printable]) {
    const accepted = await askProvider(home, [login(token)]);
    assertEquals(accepted.answers, [{ Ok: { kind: "login" } }], token);
    assertEquals(await store.token(home, indexUrl), token);
  }
  await logOut(home);
});

Deno.test("cargo's home need not be there (login_with_no_cargo_dir)", async () => {
  await using home = await TestHome.create({ ...store.session });
  const { indexUrl } = home.registry();
  const { code, stderr } = await home.cargo(["login", "--registry", "alt"], {
    stdin: TOKEN,
    env: {
      CARGO_HOME: `${home.root}/nowhere/.cargo`,
      CARGO_REGISTRIES_ALT_INDEX: indexUrl,
      CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: home.provider,
    },
  });
  assertEquals(code, 0, stderr);
  assertEquals(await store.token(home, indexUrl), TOKEN);
  await logOut(home);
});

Deno.test("longer and shorter tokens replace one another (login_with_differently_sized_token)", async () => {
  await using home = await TestHome.create({ ...store.session });
  for (const token of ["lmaolmaolmao", "lmao", "lmaolmaolmaolmao".repeat(50)]) {
    await logIn(home, "alt", token);
    assertEquals(await store.token(home, home.registry().indexUrl), token);
  }
  await logOut(home);
});

Deno.test("login and logout use the default registry (default_registry_configured)", async () => {
  await using home = await TestHome.create({
    cratesIo: {},
    config: `default = "alt"\n`,
    ...store.session,
  });
  const { indexUrl } = home.registry();
  await home.cargo(["login"], { stdin: TOKEN });
  assertEquals(await store.token(home, indexUrl), TOKEN);
  assertEquals(await store.token(home, CRATES_IO_INDEX), undefined);
  await home.cargo(["logout"]);
  assertEquals(await store.token(home, indexUrl), undefined);
});

Deno.test("logout leaves the other registries alone (other_registry)", async () => {
  await using home = await TestHome.create({ cratesIo: {}, ...store.session });
  await logIn(home);
  await home.cargo(["login"], { stdin: "token-of-crates-io" });
  await logOut(home);
  assertEquals(await store.token(home, home.registry().indexUrl), undefined);
  assertEquals(await store.token(home, CRATES_IO_INDEX), "token-of-crates-io");
  const again = await home.cargo(["logout", "--registry", "alt"]);
  assertEquals(again.code, 0);
  assertStringIncludes(again.stderr, "not currently logged in to `alt`");
  await home.cargo(["logout"]);
});

Deno.test("a registry without a name is known by its index (anonymous_alt_registry)", async () => {
  await using home = await privateRegistry({ traffic: true });
  const { indexUrl } = home.registry();
  const search = ["search", "--index", indexUrl, "foo"];
  const before = await home.cargo(search);
  assertEquals(before.code, 101);
  assertStringIncludes(before.stderr, "[registries]");
  await logIn(home);
  const after = await home.cargo(search);
  assertEquals(after.code, 0, after.stderr);
  const [request] = await lastRequests(home, 1);
  assertEquals(JSON.stringify(request).includes('"name"'), false);
  await logOut(home);
});

Deno.test("login asks for the token of the index first (login)", async () => {
  await using home = await privateRegistry({ traffic: true });
  await logIn(home);
  const [get, login] = await home.requests();
  assertEquals([get?.["kind"], get?.["operation"]], ["get", "read"]);
  assertEquals(login?.["kind"], "login");
  assertEquals(login?.["login-url"], "https://alt.example/me");
  await logOut(home);
});

Deno.test("a rejected token can be replaced (login_existing_token)", async () => {
  await using home = await privateRegistry({ traffic: true });
  await logIn(home, "alt", "an-expired-token");
  await logIn(home);
  assertEquals(await store.token(home, home.registry().indexUrl), TOKEN);
  assertEquals(
    (await home.requests()).map(({ kind }) => kind),
    ["get", "login", "get", "login"],
  );
  await logOut(home);
});

Deno.test("two requests in one process (file_provider)", async () => {
  await using home = await TestHome.create({ ...store.session });
  const registry = { "index-url": home.registry().indexUrl, name: "alt" };
  const { answers, code } = await askProvider(home, [
    { v: 1, registry, kind: "login", token: TOKEN },
    { v: 1, registry, kind: "get", operation: "owners", name: "foo" },
    { v: 1, registry, kind: "logout" },
    { v: 1, registry, kind: "get", operation: "read" },
  ]);
  assertEquals(code, 0);
  assertEquals(answers, [
    { Ok: { kind: "login" } },
    {
      Ok: {
        kind: "get",
        token: TOKEN,
        cache: "session",
        operation_independent: true,
      },
    },
    { Ok: { kind: "logout" } },
    { Err: { kind: "not-found" } },
  ]);
});

Deno.test("what is unknown is ignored or not supported (credential_request_unknown)", async () => {
  await using home = await TestHome.create({ ...store.session });
  const registry = {
    "index-url": home.registry().indexUrl,
    name: "alt",
    colour: "blue",
  };
  const { answers } = await askProvider(home, [
    { v: 1, registry, kind: "tidy", "extra-1": true },
    { v: 1, registry, kind: "get", operation: "dance", "extra-2": [] },
    { v: 1, registry, kind: "logout", "extra-3": {} },
  ]);
  assertEquals(answers, [
    { Err: { kind: "operation-not-supported" } },
    { Err: { kind: "not-found" } },
    { Err: { kind: "not-found" } },
  ]);
});

Deno.test("words for people go to standard error (stdout_redirected)", async () => {
  await using home = await TestHome.create({ ...store.session });
  const registry = { "index-url": home.registry().indexUrl, name: "alt" };
  const { stdout, stderr } = await askProvider(home, [
    { v: 1, registry, kind: "login", token: TOKEN },
    { v: 1, registry, kind: "logout" },
  ]);
  assertEquals(
    stdout,
    `{"v":[1]}\n{"Ok":{"kind":"login"}}\n{"Ok":{"kind":"logout"}}\n`,
  );
  assertMatch(stderr, /^ +Login /m);
  assertMatch(stderr, /^ +Logout /m);
});
