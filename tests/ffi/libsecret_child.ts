// Goes through the bindings on the bus of its own process, and prints what it
// saw as JSON. Argument: the scenario.

import { GLibError, SecretService } from "../../ffi/mod.ts";

const [scenario = ""] = Deno.args;
const schema = { "xdg:schema": "org.example.Test" };
const ada = { ...schema, user: "ada", host: "example.org" };
const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(text);
const text = (secret: Uint8Array | undefined): string | undefined =>
  secret === undefined ? undefined : new TextDecoder().decode(secret);

function describe(error: unknown): string {
  if (error instanceof GLibError) return `${error.domain}/${error.code}`;
  throw error;
}

async function store(
  service: SecretService,
  attributes: Readonly<Record<string, string>>,
  secret: string,
  label: string,
): Promise<void> {
  const collection = await service.defaultCollection();
  if (collection === undefined) throw new Error("no default collection");
  await service.store(collection.path, attributes, bytes(secret), { label });
}

const SCENARIOS: Readonly<Record<string, () => Promise<unknown>>> = {
  async roundTrip(): Promise<unknown> {
    await using service = await SecretService.open();
    await store(service, ada, "one", "Ada");
    await store(service, ada, "two", 'Ada "the \\first\'" \u{1f511}');
    await store(service, { ...ada, user: "bob" }, "\0b\xff", "");
    const { unlocked, locked } = await service.find({
      ...schema,
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
    const erased: boolean[] = [];
    for (const item of unlocked) erased.push(await item.erase());
    return [users, locked.length, erased];
  },

  async odd(): Promise<unknown> {
    await using service = await SecretService.open();
    const seen: unknown[] = [];
    for (
      const user of ["", "'", '"', "\\", "\n\t\r\b\f", "<'x'>", "%s", "\ud800"]
    ) {
      await store(service, { ...ada, user }, user, user);
      const { unlocked } = await service.find({ ...schema, user });
      const [item] = unlocked;
      seen.push([
        unlocked.length,
        await item?.attribute("user") === user.toWellFormed(),
        await item?.label() === user.toWellFormed(),
        await item?.erase(),
      ]);
    }
    return seen;
  },

  async times(): Promise<unknown> {
    await using service = await SecretService.open();
    const before = Math.floor(Date.now() / 1000);
    await store(service, ada, "one", "Ada");
    const [item] = (await service.find(ada)).unlocked;
    const modified = await item?.modified() ?? 0;
    return modified >= before && modified <= Date.now() / 1000;
  },

  async locked(): Promise<unknown> {
    await using service = await SecretService.open();
    const { unlocked, locked } = await service.find({ user: "ada" });
    return [
      unlocked.length,
      locked.length,
      await locked[0]?.secret() ?? "no secret",
      (await service.defaultCollection())?.locked,
    ];
  },

  async unlock(): Promise<unknown> {
    await using service = await SecretService.open();
    const [item] = (await service.find({ user: "ada" })).locked;
    if (item === undefined) return "no locked item";
    return [
      await service.unlock(item.path),
      await service.unlock(item.path, { prompt: true }),
      text(await item.secret()),
      (await service.defaultCollection())?.locked,
    ];
  },

  async abort(): Promise<unknown> {
    const controller = new AbortController();
    await using service = await SecretService.open({
      signal: controller.signal,
    });
    controller.abort();
    return await service.find(ada).catch(describe);
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
      await using service = await SecretService.open();
      await store(service, ada, "x".repeat(60_000), "Ada");
      for (const item of (await service.find(ada)).unlocked) {
        await item.secret();
        await item.label();
        await item.erase();
      }
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
