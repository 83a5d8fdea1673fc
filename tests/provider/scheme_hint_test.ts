import { assertEquals, assertStringIncludes } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import { describeRegistry } from "../../src/tokens/about.ts";
import {
  describeMissingScheme,
  missingScheme,
} from "../../src/provider/scheme_hint.ts";

/** The headers of a 401, the token, and the scheme that it lacks. */
const CASES: readonly (readonly [
  readonly string[],
  string | undefined,
  string | undefined,
])[] = [
  [["WWW-Authenticate: Bearer"], "abc", "Bearer"],
  [['www-authenticate: bearer realm="x"'], "abc", "bearer"],
  [["www-authenticate: Bearer"], undefined, "Bearer"],
  [["WWW-Authenticate: Bearer"], "Bearer abc", undefined],
  [['WWW-Authenticate: Basic realm="x"'], "Bearer abc", undefined],
  [['WWW-Authenticate: Basic realm="x"'], "abc", "Basic"],
  [
    ['WWW-Authenticate: Cargo login_url="https://x.example/me"'],
    "abc",
    undefined,
  ],
  [["WWW-Authenticate: Bearer", "www-authenticate: cargo"], "abc", undefined],
  [["X-WWW-Authenticate: Bearer", "Content-Type: text/html"], "abc", undefined],
  [[], "abc", undefined],
];

for (const [headers, token, scheme] of CASES) {
  Deno.test(`missingScheme() is ${scheme} for ${headers} and ${token}`, () => {
    assertEquals(
      missingScheme(
        headers,
        token === undefined ? "none" : Secret.fromString(token),
      ),
      scheme,
    );
  });
}

Deno.test("describeMissingScheme() says how to log in", () => {
  const about = describeRegistry(
    { indexUrl: "sparse+https://corp.example/", name: "corp" },
    "the fake store",
    "/home/ada/.cargo/credentials.toml",
  );
  const { text } = describeMissingScheme("Bearer", about);
  assertStringIncludes(text, "`cargo login --registry corp`");
  assertStringIncludes(text, "`Bearer TOKEN`");
});
