// A worker that uses the bindings once.

import { SecretService } from "../../ffi/mod.ts";

declare const self: { postMessage(message: string): void };

await using service = await SecretService.open();
await service.find({ "xdg:schema": "org.example.Test", user: "ada" });
self.postMessage("done");
