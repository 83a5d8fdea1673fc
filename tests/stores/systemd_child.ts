// One call of the store, as a process of its own; prints the outcome.
import { Secret } from "../../src/base/secret.ts";
import { SystemdStore } from "../../src/stores/systemd.ts";

const [operation, cargoHome = "", socket = "", indexUrl = "", text = ""] =
  Deno.args;
const store = new SystemdStore(cargoHome, { socket });
const key = { indexUrl };
const options = { signal: AbortSignal.timeout(20_000) };
const token = Secret.fromString(text);

async function run(): Promise<unknown> {
  switch (operation) {
    case "get": {
      const outcome = await store.get(key, options);
      return outcome.kind === "found" ? outcome.token.reveal() : outcome;
    }
    case "prepare":
      return await store.prepare(options);
    case "set":
      return await store.set(key, token, options);
    case "erase":
      return await store.erase(key, options);
    default:
      throw new TypeError("No such operation");
  }
}

await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(await run())));
