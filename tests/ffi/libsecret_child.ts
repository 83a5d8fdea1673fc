// Goes through the bindings on the bus of its own process, and prints what it
// saw as JSON. Arguments: the scenario, and whether to keep to stable calls.

import {
  GLibError,
  SecretSchema,
  SecretService,
  SecretServiceError,
} from "../../ffi/mod.ts";

const [scenario = "", mode = ""] = Deno.args;
const stable = mode === "stable";
const schema = new SecretSchema("org.example.Test", ["user", "host"]);
const ada = { user: "ada", host: "example.org" };
const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(text);
const text = (secret: Uint8Array | undefined): string | undefined =>
  secret === undefined ? undefined : new TextDecoder().decode(secret);

function describe(error: unknown): string {
  if (error instanceof SecretServiceError) return error.reason;
  if (error instanceof GLibError) return `${error.domain}/${error.code}`;
  throw error;
}

const SCENARIOS: Readonly<Record<string, () => Promise<unknown>>> = {
  async roundTrip(): Promise<unknown> {
    await using service = await SecretService.open({ stable });
    const seen: unknown[] = [];
    seen.push(await service.lookup(schema, ada) ?? "none");
    await service.store(schema, ada, bytes("one"), { label: "Ada" });
    await service.store(schema, ada, bytes("two"), { label: "Ada L." });
    await service.store(schema, { ...ada, user: "bob" }, bytes("\0b\xff"), {
      label: "Bob",
    });
    seen.push(text(await service.lookup(schema, ada)));
    seen.push(text(await service.lookup(schema, { user: "bob" })));
    const { unlocked, locked } = await service.find(schema, {
      host: "example.org",
    });
    const users: (string | undefined)[][] = [];
    for (const item of unlocked) {
      users.push([
        await item.attribute("user"),
        await item.attribute("none") ?? "none",
        await item.label(),
        text(await item.secret()),
      ]);
    }
    users.sort();
    seen.push(users, locked.length);
    seen.push(await service.clear(schema, { host: "example.org" }));
    seen.push(await service.clear(schema, ada));
    return seen;
  },

  async lookup(): Promise<unknown> {
    await using service = await SecretService.open({ stable });
    const seen: unknown[] = [];
    for (const user of ["ada", "nobody"]) {
      seen.push(
        await service.lookup(schema, { user }).then(
          (secret) => text(secret) ?? "none",
          describe,
        ),
      );
    }
    return seen;
  },

  async change(): Promise<unknown> {
    await using service = await SecretService.open({ stable });
    const change = [
      service.store(schema, ada, bytes("new"), { label: "Ada" }),
      service.clear(schema, ada),
    ];
    return await Promise.all(change.map((done) => done.catch(describe)));
  },

  async unlock(): Promise<unknown> {
    await using service = await SecretService.open({ stable });
    const seen: unknown[] = [];
    const { locked } = await service.find(undefined, ada);
    const [item] = locked;
    if (item === undefined) return "no locked item";
    seen.push(await item.secret() ?? "locked");
    seen.push(await service.unlock(item));
    seen.push(text(await item.secret()));
    seen.push((await service.defaultCollection())?.locked);
    return seen;
  },

  async abort(): Promise<unknown> {
    const controller = new AbortController();
    await using service = await SecretService.open({
      stable,
      signal: controller.signal,
    });
    controller.abort();
    return await service.lookup(schema, ada).catch(describe);
  },

  async aborted(): Promise<unknown> {
    return await SecretService.open({ signal: AbortSignal.abort() }).then(
      () => "opened",
      describe,
    );
  },

  async open(): Promise<unknown> {
    return await SecretService.open({ signal: AbortSignal.timeout(300) }).then(
      () => "opened",
      describe,
    );
  },

  async many(): Promise<unknown> {
    const fds = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
    const rss = (): number => Deno.memoryUsage().rss;
    const round = async (): Promise<void> => {
      await using service = await SecretService.open({ stable });
      await service.store(schema, ada, bytes("x".repeat(60_000)), {
        label: "Ada",
      });
      await service.lookup(schema, ada);
      await service.clear(schema, ada);
    };
    for (let i = 0; i < 20; i++) await round();
    const [files, memory] = [fds(), rss()];
    for (let i = 0; i < 100; i++) await round();
    return [fds() - files, Math.round((rss() - memory) / 1024 / 1024)];
  },

  async workers(): Promise<unknown> {
    // Each has bindings of its own, and the first is gone when the next comes.
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(
        new URL("./libsecret_worker.ts", import.meta.url),
        { type: "module" },
      );
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      worker.onmessage = () => resolve();
      worker.onerror = (event) => reject(new Error(event.message));
      await promise;
      worker.terminate();
    }
    return "done";
  },
};

const result = await SCENARIOS[scenario]?.();
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(result)));
