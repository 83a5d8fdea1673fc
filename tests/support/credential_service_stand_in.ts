import type { CredentialService } from "./credential_service.ts";

/**
 * What a {@linkcode startStandIn} does instead of what it is asked: it gives
 * this text for an answer, `hang` never answers, `close` goes away.
 */
export type Misbehaviour =
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "hang" }
  | {
    readonly kind: "close";
    /** How many connections; the next ones get an answer. */
    readonly times: number;
  };

/** What a blob of the stand-in holds: it encrypts nothing. */
interface Sealed {
  readonly machine: string;
  readonly uid: number;
  readonly name: string;
  readonly data: string;
}

/**
 * A stand-in for systemd's credential service: the same protocol and errors, as
 * far as the store meets them, and no encryption. It is no proof for systemd,
 * which answers the same tests where it can run. It also misbehaves, as the
 * real one does only when something is broken.
 *
 * @param misbehaviour What it does instead of what it is asked.
 * @returns The service; dispose of it.
 */
export async function startStandIn(
  misbehaviour?: Misbehaviour,
): Promise<CredentialService> {
  const directory = await Deno.makeTempDir({ prefix: "credentials-" });
  const socket = `${directory}/socket`;
  const machine = crypto.randomUUID();
  const own = Deno.uid() ?? 0;
  const listener = Deno.listen({ transport: "unix", path: socket });
  let count = 0;
  const served = (async () => {
    const connections: Promise<void>[] = [];
    for await (const connection of listener) {
      connections.push(serve(connection, machine, own, misbehaviour, count++));
    }
    await Promise.all(connections);
  })();
  return {
    real: false,
    socket,
    encrypt: (name, text, uid = own) =>
      Promise.resolve(seal({ machine, uid, name, data: btoa(text) })),
    decrypt: (_name, blob) => Promise.resolve(atob(unseal(blob)?.data ?? "")),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await served;
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function serve(
  stream: Deno.UnixConn,
  machine: string,
  uid: number,
  misbehaviour: Misbehaviour | undefined,
  count: number,
): Promise<void> {
  using connection = stream;
  if (misbehaviour?.kind === "close" && count < misbehaviour.times) return;
  const request = await readRequest(connection);
  if (request === undefined) return;
  if (misbehaviour?.kind === "hang") {
    // Until the other side has had enough.
    await readRequest(connection);
    return;
  }
  const answer = misbehaviour?.kind === "answer"
    ? misbehaviour.text
    : `${JSON.stringify(answerTo(request, machine, uid))}\0`;
  const bytes = new TextEncoder().encode(answer);
  try {
    for (let written = 0; written < bytes.length;) {
      written += await connection.write(bytes.subarray(written));
    }
  } catch (error) {
    // The other side has heard enough.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

interface Call {
  readonly method: string;
  readonly parameters: Readonly<Partial<Record<string, string>>>;
}

async function readRequest(
  connection: Deno.UnixConn,
): Promise<Call | undefined> {
  let text = "";
  const buffer = new Uint8Array(4096);
  const decoder = new TextDecoder();
  while (!text.endsWith("\0")) {
    const length = await connection.read(buffer);
    if (length === null) return undefined;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return JSON.parse(text.slice(0, -1));
}

function answerTo(
  { method, parameters: { name = "", data = "", blob = "", scope } }: Call,
  machine: string,
  uid: number,
): unknown {
  const fail = (error: string): unknown => ({
    error: `io.systemd.Credentials.${error}`,
    parameters: {},
  });
  if (scope !== "user") return fail("BadScope");
  if (method === "io.systemd.Credentials.Encrypt") {
    return { parameters: { blob: seal({ machine, uid, name, data }) } };
  }
  const sealed = unseal(blob);
  if (sealed?.machine !== machine || sealed.uid !== uid) {
    return fail("BadFormat");
  }
  return sealed.name === name
    ? { parameters: { data: sealed.data } }
    : fail("NameMismatch");
}

function seal(sealed: Sealed): string {
  return btoa(JSON.stringify(sealed));
}

function unseal(blob: string): Sealed | undefined {
  try {
    return JSON.parse(atob(blob));
  } catch {
    return undefined;
  }
}
