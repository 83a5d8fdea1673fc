import { assert, assertEquals } from "@std/assert";
import { Deadline } from "../../src/base/deadline.ts";
import { Patience, type PatienceOptions } from "../../src/provider/patience.ts";

/** Waits without a timer of Node's, and longer than the machine may be late. */
function passed(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve());
  return promise;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Wait {
  readonly deadline: Deadline;
  readonly patience: Patience;
  /** The seconds of every line. */
  readonly told: number[];
}

function wait(options: Partial<PatienceOptions>): Wait {
  const deadline = new Deadline(60_000);
  const told: number[] = [];
  const patience = new Patience(deadline, {
    timeoutMs: 30,
    promptTimeoutMs: 60_000,
    isPersonPresent: () => Promise.resolve(true),
    tell: (seconds) => {
      told.push(seconds);
      return Promise.resolve();
    },
    ...options,
  });
  return { deadline, patience, told };
}

Deno.test("Patience gives nobody more than the timeout", async () => {
  const { deadline, told } = wait({
    isPersonPresent: () => Promise.resolve(false),
  });
  await passed(deadline.signal);
  assertEquals(told, []);
});

Deno.test("Patience gives a person more time, and tells it once", async () => {
  const { deadline, patience, told } = wait({});
  await delay(200);
  assert(!deadline.signal.aborted);
  assertEquals(told, [60]);
  patience[Symbol.dispose]();
  deadline[Symbol.dispose]();
});

Deno.test("Patience says nothing when the work is soon done", async () => {
  const { deadline, patience, told } = wait({});
  patience[Symbol.dispose]();
  await passed(deadline.signal);
  assertEquals(told, []);
});

Deno.test("Patience says nothing when the work is done while it looks for a person", async () => {
  const person = Promise.withResolvers<boolean>();
  const { deadline, patience, told } = wait({
    timeoutMs: 1_000,
    isPersonPresent: () => person.promise,
  });
  await delay(800);
  patience[Symbol.dispose]();
  person.resolve(true);
  await passed(deadline.signal);
  assertEquals(told, []);
});

Deno.test("Patience tells nobody to wait for what is over", async () => {
  const person = Promise.withResolvers<boolean>();
  const { deadline, told } = wait({ isPersonPresent: () => person.promise });
  await passed(deadline.signal);
  person.resolve(true);
  await delay(20);
  assertEquals(told, []);
});

Deno.test("Patience gives a person no less than nobody", async () => {
  const { deadline, patience, told } = wait({
    timeoutMs: 3_000,
    promptTimeoutMs: 1,
  });
  await delay(2_200);
  assert(!deadline.signal.aborted);
  assertEquals(told, [1]);
  patience[Symbol.dispose]();
  await passed(deadline.signal);
});

for (const what of ["isPersonPresent", "tell"] as const) {
  Deno.test(`Patience outlives a ${what} that fails`, async () => {
    const { deadline } = wait({
      promptTimeoutMs: 100,
      [what]: () => Promise.reject(new Error("it cannot be")),
    });
    await passed(deadline.signal);
  });
}
