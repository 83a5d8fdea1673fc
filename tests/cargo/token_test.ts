import { assertEquals, assertStrictEquals } from "@std/assert";
import { cleanPastedToken } from "../../src/cargo/pasted_token.ts";
import { checkToken, type TokenValidity } from "../../src/cargo/token.ts";
import { Secret } from "../../src/base/secret.ts";

const CHECKED: [token: string, validity: TokenValidity][] = [
  ["", "empty"],
  ["cio0123", "valid"],
  ["Bearer a\tb ~!", "valid"],
  [" ", "valid"],
  ["a\u007f", "invalid"],
  ["a\u0016", "invalid"],
  ["a\0", "invalid"],
  ["a\n", "invalid"],
  ["\u00e9", "invalid"],
  ["\u5927", "invalid"],
  ["\ud83e\udd80", "invalid"],
];

for (const [token, validity] of CHECKED) {
  Deno.test(`checkToken() finds ${JSON.stringify(token)} ${validity}`, () => {
    assertEquals(checkToken(Secret.fromString(token)), validity);
  });
}

const CLEANED: [pasted: string, token: string][] = [
  ["cargo login abc", "abc"],
  ["cargo login", ""],
  ["  cargo login  abc \r\n", "abc"],
  ["a cargo login b", "a  b"],
  ["cargo cargo login login", "cargo  login"],
  ["\t\n", ""],
  ["\u00a0\u2003abc\u3000\u0085", "abc"],
  ["a b", "a b"],
  ["h\u00e9 ", "h\u00e9"],
];

for (const [pasted, token] of CLEANED) {
  Deno.test(`cleanPastedToken() makes ${JSON.stringify(token)} of ${JSON.stringify(pasted)}`, () => {
    const given = Secret.fromString(pasted);
    assertEquals(cleanPastedToken(given).reveal(), token);
    assertEquals(given.reveal(), pasted);
  });
}

Deno.test("cleanPastedToken() gives a clean token back itself", () => {
  const given = Secret.fromString("abc");
  assertStrictEquals(cleanPastedToken(given), given);
});
