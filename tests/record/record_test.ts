import { assert, assertEquals } from "@std/assert";
import {
  appendRecord,
  readRecord,
  type RecordEntry,
} from "../../src/record/record.ts";
import { describeRequest } from "../../src/record/record_request.ts";

const ENTRY: RecordEntry = {
  time: "2026-11-25T17:00:00.000Z",
  registry: "crates-io",
  index_url: "https://github.com/rust-lang/crates.io-index",
  operation: "publish",
  crate: "foo",
  version: "1.2.3",
  cksum: "0123456789abcdef",
  source: "store",
  outcome: "handed-over",
  directory: "/checkout",
};

const NAME = ".credential-keyring-record.jsonl";

async function inHome(test: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "record-" });
  try {
    await test(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("describeRequest() says what a token is for", () => {
  const registry = { indexUrl: ENTRY.index_url, headers: ["secret: header"] };
  const now = new Date(ENTRY.time);
  assertEquals(
    describeRequest({
      kind: "get",
      registry: { ...registry, name: "crates-io" },
      operation: {
        kind: "publish",
        name: "foo",
        vers: "1.2.3",
        cksum: "0123456789abcdef0123456789abcdef",
      },
      args: [],
    }, now),
    {
      time: ENTRY.time,
      registry: "crates-io",
      index_url: ENTRY.index_url,
      operation: "publish",
      crate: "foo",
      version: "1.2.3",
      cksum: "0123456789abcdef",
    },
  );
  assertEquals(
    describeRequest({
      kind: "get",
      registry,
      operation: { kind: "unknown" },
      args: [],
    }, now),
    {
      time: ENTRY.time,
      registry: null,
      index_url: ENTRY.index_url,
      operation: "unknown",
      crate: null,
      version: null,
      cksum: null,
    },
  );
});

Deno.test("appendRecord() adds a line that readRecord() reads", () =>
  inHome(async (home) => {
    assertEquals(readRecord(home), []);
    const other = { ...ENTRY, crate: null, version: null, cksum: null };
    assert(await appendRecord(home, ENTRY));
    assert(await appendRecord(home, other));
    assertEquals(readRecord(home), [ENTRY, other]);
    const { mode } = await Deno.stat(`${home}/${NAME}`);
    if (Deno.build.os !== "windows") assertEquals((mode ?? 0) & 0o777, 0o600);
  }));

Deno.test("appendRecord() is not interrupted by what is not its own", async () => {
  await inHome(async (home) => {
    await Deno.writeTextFile(`${home}/${NAME}`, '{"time":\n[]\n7\n"x"\n');
    assert(await appendRecord(home, ENTRY));
    assertEquals(readRecord(home).at(-1), ENTRY);
  });
});

Deno.test("appendRecord() fails in no way", async () => {
  assert(!await appendRecord("/there/is/no/such/home", ENTRY));
  await inHome(async (home) => {
    await Deno.mkdir(`${home}/${NAME}`);
    assert(!await appendRecord(home, ENTRY));
    assertEquals(readRecord(home), []);
  });
  if (Deno.build.os === "windows") return;
  await inHome(async (home) => {
    await Deno.symlink(`${home}/elsewhere`, `${home}/${NAME}`);
    assert(!await appendRecord(home, ENTRY));
    assertEquals(await Deno.lstat(`${home}/elsewhere`).catch(() => 0), 0);
  });
});

Deno.test("appendRecord() keeps the record within bounds", () =>
  inHome(async (home) => {
    const long = { ...ENTRY, crate: "x".repeat(100_000) };
    for (let i = 0; i < 1_600; i++) await appendRecord(home, long);
    let bytes = 0;
    for await (const { name } of Deno.readDir(home)) {
      bytes += (await Deno.stat(`${home}/${name}`)).size;
    }
    assert(bytes < 1_100_000, `${bytes}`);
    assert(bytes > 524_288, `${bytes}`);
    assertEquals(readRecord(home).at(-1)?.crate?.length, 500);
  }));
