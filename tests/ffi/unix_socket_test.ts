import { assertEquals, assertRejects } from "@std/assert";
import { SocketError, UnixSocket } from "../../ffi/unix_socket.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "the sockets are Linux's");

/** Runs a test with the path of a socket in a folder of its own. */
async function withPath(test: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "socket-" });
  try {
    await test(`${directory}/socket`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function codeOf(attempt: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(attempt, SocketError)).code;
}

const never = new AbortController().signal;

linux.test("UnixSocket sends more than the system holds, and gets it back", async () => {
  await withPath(async (path) => {
    using listener = Deno.listen({ transport: "unix", path });
    const served = (async () => {
      using connection = await listener.accept();
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      const buffer = new Uint8Array(10_000);
      for (let length = 0; length < 3_000_000;) {
        const read = await connection.read(buffer) ?? 0;
        chunks.push(buffer.slice(0, read));
        length += read;
      }
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length;) {
          at += await connection.write(chunk.subarray(at));
        }
      }
    })();
    const sent = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);
    using socket = await UnixSocket.connect(path, never);
    await socket.write(sent);
    const received = new Uint8Array(sent.length);
    let length = 0;
    for (;;) {
      const read = await socket.read(received.subarray(length));
      if (read === 0) break;
      length += read;
    }
    await served;
    assertEquals(length, sent.length);
    assertEquals(received, sent);
  });
});

linux.test("UnixSocket tells why it cannot connect", async () => {
  await withPath(async (path) => {
    const connect = (to: string): Promise<UnixSocket> =>
      UnixSocket.connect(to, never);
    assertEquals(await codeOf(() => connect(path)), "ENOENT");
    await Deno.writeTextFile(path, "");
    assertEquals(await codeOf(() => connect(path)), "ECONNREFUSED");
    assertEquals(await codeOf(() => connect(`${path}/x`)), "ENOTDIR");
    assertEquals(
      await codeOf(() => connect(`/${"x".repeat(107)}`)),
      "ENAMETOOLONG",
    );
    const aborted = AbortSignal.abort();
    assertEquals(
      await codeOf(() => UnixSocket.connect(path, aborted)),
      "ECANCELED",
    );
  });
});

linux.test("UnixSocket.connect() gives up where nobody takes the connection", async () => {
  await withPath(async (path) => {
    // Nobody calls accept(), and the queue of connections is full at last.
    using _ = Deno.listen({ transport: "unix", path });
    const sockets: UnixSocket[] = [];
    const connect = async (): Promise<void> => {
      for (;;) {
        const signal = AbortSignal.timeout(200);
        sockets.push(await UnixSocket.connect(path, signal));
      }
    };
    assertEquals(await codeOf(connect), "ECANCELED");
    for (const socket of sockets) socket[Symbol.dispose]();
  });
});

linux.test("UnixSocket.read() and write() end with the signal", async () => {
  await withPath(async (path) => {
    using _ = Deno.listen({ transport: "unix", path });
    using reading = await UnixSocket.connect(path, AbortSignal.timeout(100));
    assertEquals(
      await codeOf(() => reading.read(new Uint8Array(1))),
      "ECANCELED",
    );
    using writing = await UnixSocket.connect(path, AbortSignal.timeout(100));
    const much = new Uint8Array(10_000_000);
    assertEquals(await codeOf(() => writing.write(much)), "ECANCELED");
  });
});

linux.test("UnixSocket.write() tells that the other side has gone", async () => {
  await withPath(async (path) => {
    const listener = Deno.listen({ transport: "unix", path });
    using socket = await UnixSocket.connect(path, never);
    (await listener.accept()).close();
    listener.close();
    const code = await codeOf(() => socket.write(new Uint8Array(10_000)));
    assertEquals(code, "EPIPE");
  });
});
