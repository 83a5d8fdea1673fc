// One call of the store, as a process of its own; prints the outcome.
import { Secret } from "../../src/base/secret.ts";
import { Keyutils } from "../../src/stores/keyutils.ts";

const [operation, indexUrl = ""] = Deno.args;
const store = new Keyutils();
const key = { indexUrl };
const options = { signal: AbortSignal.timeout(10_000) };
const token = Secret.fromString("planted-keyutils-token");

async function run(): Promise<unknown> {
  switch (operation) {
    case "get":
      return await store.get(key, options);
    case "prepare":
      return await store.prepare(options);
    case "set":
      return await store.set(key, token, options);
    case "verify":
      return await store.verify(key, token, options);
    case "erase":
      return await store.erase(key, options);
    case "list":
      return await store.list(options);
    default:
      throw new TypeError("No such operation");
  }
}

await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(await run())));
