import { assert, assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";

Deno.test("Secret prints as [redacted], however it is printed", () => {
  const secret = Secret.fromString("planted");
  const printed = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    Deno.inspect(secret),
    Deno.inspect({ deep: [secret] }, { depth: 9, showHidden: true }),
    new Error("failed", { cause: secret }).cause?.toString() ?? "",
    Object.entries(secret).join(),
  ];
  for (const text of printed) assert(!text.includes("planted"), text);
  assertEquals(String(secret), "[redacted]");
});

Deno.test("Secret.equals() compares bytes", () => {
  const secret = Secret.fromString("abc");
  assert(secret.equals(Secret.fromString("abc")));
  assert(!secret.equals(Secret.fromString("abd")));
  assert(!secret.equals(Secret.fromString("abcd")));
  assert(Secret.fromString("").equals(Secret.fromString("")));
});

Deno.test("Secret.wipe() leaves zeros", () => {
  const bytes = new TextEncoder().encode("abc");
  const secret = new Secret(bytes);
  secret.wipe();
  assertEquals([...bytes], [0, 0, 0]);
});
