// Asks the Secret Service store what standard input says, one JSON object per
// line, and prints the answers: a process of its own has a session bus of its
// own.

import { Secret } from "../../src/base/secret.ts";
import { openLibsecret } from "../../src/stores/open_libsecret.ts";

interface Question {
  readonly method: "get" | "prepare" | "set" | "verify" | "erase" | "list";
  readonly url?: string;
  readonly name?: string;
  readonly token?: string;
  readonly prompt?: boolean;
  readonly limit?: number;
}

const store = await openLibsecret();

async function answer(question: Question): Promise<unknown> {
  const { method, url = "", name, token = "", prompt = false, limit } =
    question;
  const key = {
    indexUrl: url,
    ...(name === undefined ? {} : { name }),
  };
  const options = { signal: AbortSignal.timeout(limit ?? 10_000), prompt };
  switch (method) {
    case "get": {
      const outcome = await store.get(key, options);
      if (outcome.kind !== "found") return outcome;
      return { ...outcome, token: outcome.token.reveal() };
    }
    case "prepare":
      return await store.prepare(options);
    case "set":
      return await store.set(key, Secret.fromString(token), options);
    case "verify":
      return await store.verify(key, Secret.fromString(token), options);
    case "erase":
      return await store.erase(key, options);
    case "list":
      return await store.list(options);
  }
}

const encoder = new TextEncoder();
let rest = "";
for await (
  const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const start = performance.now();
    const outcome = await answer(JSON.parse(line));
    const ms = performance.now() - start;
    await Deno.stdout.write(
      encoder.encode(JSON.stringify({ outcome, ms }) + "\n"),
    );
  }
}
// As the program does: a call that does not come back must not hold it.
Deno.exit(0);
