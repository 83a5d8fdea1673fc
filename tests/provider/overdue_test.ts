import { assert, assertEquals } from "@std/assert";
import type { Rebinding } from "../../src/cargo/rebinding.ts";
import { whenOverdue } from "../../src/provider/overdue.ts";
import { FakeContext, URL } from "../support/fake_context.ts";

const GRACE = 20;
const REBINDING: Rebinding = {
  name: "alt",
  userUrl: "sparse+https://good.example/",
  projectUrl: URL,
  where: "/checkout/.cargo/config.toml",
};

Deno.test("whenOverdue() has no answer before the deadline", async () => {
  using context = new FakeContext();
  const early = await Promise.race([
    whenOverdue("get", context, GRACE),
    new Promise((resolve) => setTimeout(resolve, 100, "none yet")),
  ]);
  assertEquals(early, "none yet");
});

Deno.test("whenOverdue() sends a get to the next provider", async () => {
  using context = new FakeContext({ deadlineMs: 1 });
  assertEquals(await whenOverdue("get", context, GRACE), {
    kind: "url-not-supported",
  });
});

Deno.test("whenOverdue() answers a request whose deadline has passed already", async () => {
  using context = new FakeContext({ deadlineMs: 1 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert(context.deadline.signal.aborted);
  assertEquals(
    (await whenOverdue("get", context, GRACE)).kind,
    "url-not-supported",
  );
});

Deno.test("whenOverdue() lets no other provider have a token for a project's URL", async () => {
  using rebound = new FakeContext({
    deadlineMs: 1,
    rebinding: REBINDING,
    sendable: true,
  });
  assertEquals((await whenOverdue("get", rebound, GRACE)).kind, "other");
});

Deno.test("whenOverdue() goes on where there is no token to send", async () => {
  using rebound = new FakeContext({
    deadlineMs: 1,
    rebinding: REBINDING,
    sendable: false,
  });
  assertEquals(
    (await whenOverdue("get", rebound, GRACE)).kind,
    "url-not-supported",
  );
});

for (
  const [name, rebinding] of [
    ["cannot be found out", () => Promise.reject(new Error("no"))],
    ["is not found out either", () => new Promise<never>(() => {})],
  ] as const
) {
  Deno.test(`whenOverdue() ends a get where whose URL it is ${name}`, async () => {
    using context = new FakeContext({ deadlineMs: 1 });
    Object.assign(context.registry, { rebinding });
    assertEquals((await whenOverdue("get", context, GRACE)).kind, "other");
  });
}

for (const kind of ["login", "logout"] as const) {
  Deno.test(`whenOverdue() never hands a ${kind} on`, async () => {
    using context = new FakeContext({ deadlineMs: 1 });
    assertEquals((await whenOverdue(kind, context, GRACE)).kind, "other");
  });
}
