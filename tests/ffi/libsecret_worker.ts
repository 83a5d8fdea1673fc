// A worker that uses the bindings once.

import { SecretSchema, SecretService } from "../../ffi/mod.ts";

declare const self: { postMessage(message: string): void };

await using service = await SecretService.open();
await service.lookup(new SecretSchema("org.example.Test", ["user"]), {
  user: "ada",
});
self.postMessage("done");
