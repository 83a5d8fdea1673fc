import { assert, assertEquals } from "@std/assert";
import { Deadline } from "../../src/base/deadline.ts";

function passed(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve());
  return promise;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("Deadline aborts its signal when the time is up", async () => {
  const deadline = new Deadline(10);
  assert(!deadline.signal.aborted);
  await passed(deadline.signal);
  assertEquals(deadline.remaining, 0);
});

Deno.test("Deadline tells what is left", () => {
  using deadline = new Deadline(60_000);
  assert(deadline.remaining > 50_000 && deadline.remaining <= 60_000);
});

Deno.test("restart() moves the end away", async () => {
  using deadline = new Deadline(20);
  deadline.restart(60_000);
  await delay(100);
  assert(!deadline.signal.aborted);
  assert(deadline.remaining > 50_000);
});

Deno.test("restart() moves the end nearer", async () => {
  const deadline = new Deadline(60_000);
  deadline.restart(10);
  await passed(deadline.signal);
});

Deno.test("restart() wakes nothing that is over", async () => {
  const deadline = new Deadline(1);
  await passed(deadline.signal);
  deadline.restart(60_000);
  assert(deadline.signal.aborted);
  assertEquals(deadline.remaining, 0);
});

Deno.test("a Deadline keeps its signal over a restart", async () => {
  const deadline = new Deadline(60_000);
  const { signal } = deadline;
  deadline.restart(1);
  await passed(signal);
  assertEquals(deadline.signal, signal);
});

Deno.test("a Deadline that is disposed of never ends", async () => {
  const deadline = new Deadline(10);
  deadline[Symbol.dispose]();
  await delay(100);
  assert(!deadline.signal.aborted);
});

Deno.test("a Deadline takes a fraction of a millisecond", async () => {
  await passed(new Deadline(0.5).signal);
});
