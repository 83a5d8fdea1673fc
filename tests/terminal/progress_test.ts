import { assertEquals } from "@std/assert";
import { showProgress } from "../../src/terminal/progress.ts";

async function progress(
  isTerminal: boolean,
  work: (said: Promise<void>) => Promise<void>,
  afterMs = 1,
): Promise<readonly string[]> {
  const written: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  {
    using _ = showProgress("Asking\x1b[31m the keyring", {
      isTerminal,
      afterMs,
      write: (text) => {
        written.push(text);
        resolve();
      },
    });
    await work(promise);
  }
  return written;
}

Deno.test("showProgress() says what takes long, and takes it away on a terminal", async () => {
  assertEquals(await progress(true, (said) => said), [
    "Asking the keyring ...",
    "\r\x1b[K",
  ]);
});

Deno.test("showProgress() says at once what no timer could interrupt", async () => {
  assertEquals(await progress(true, () => Promise.resolve(), 0), [
    "Asking the keyring ...",
    "\r\x1b[K",
  ]);
});

Deno.test("showProgress() says nothing where nobody looks", async () => {
  assertEquals(await progress(false, () => Promise.resolve(), 0), []);
});

Deno.test("showProgress() says nothing of what is done at once", async () => {
  assertEquals(await progress(true, () => Promise.resolve(), 60_000), []);
});
