import { SocketError, UnixSocket } from "../../ffi/unix_socket.ts";

/** Parameters of a call or of its answer, as JSON has them. */
export type VarlinkParameters = Readonly<Record<string, unknown>>;

/** What a service answers to a call. */
export type VarlinkReply =
  | { readonly kind: "reply"; readonly parameters: VarlinkParameters }
  | {
    readonly kind: "error";
    /** The error's whole name, such as `org.varlink.service.MethodNotFound`. */
    readonly error: string;
    readonly parameters: VarlinkParameters;
  }
  /** It closed the connection without an answer. */
  | { readonly kind: "closed" }
  /** What it said is no answer. */
  | { readonly kind: "garbled" };

/** No answer that is asked for here is longer. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024;

/** One object and a NUL each way (varlink.org/Method-Call). */
const NUL = 0;

/**
 * Calls one method over a connection of its own. The bytes that went over it
 * are wiped.
 *
 * @throws {SocketError} If nobody listens there, the connection breaks, or the
 * signal is aborted.
 */
export async function callVarlink(
  path: string,
  method: string,
  parameters: VarlinkParameters,
  signal: AbortSignal,
): Promise<VarlinkReply> {
  using socket = await UnixSocket.connect(path, signal);
  const call = new TextEncoder().encode(
    JSON.stringify({ method, parameters }) + "\0",
  );
  try {
    await socket.write(call);
    return await readReply(socket);
  } catch (error) {
    // It went away before it had read the call.
    if (
      error instanceof SocketError &&
      (error.code === "EPIPE" || error.code === "ECONNRESET")
    ) return { kind: "closed" };
    throw error;
  } finally {
    call.fill(NUL);
  }
}

async function readReply(socket: UnixSocket): Promise<VarlinkReply> {
  let bytes = new Uint8Array(4096);
  let length = 0;
  try {
    for (;;) {
      const read = await socket.read(bytes.subarray(length));
      if (read === 0) return { kind: length === 0 ? "closed" : "garbled" };
      const end = bytes.indexOf(NUL, length);
      if (end >= 0 && end < length + read) {
        return parseReply(new TextDecoder().decode(bytes.subarray(0, end)));
      }
      length += read;
      if (length > MAX_REPLY_BYTES) return { kind: "garbled" };
      if (length === bytes.length) {
        const longer = new Uint8Array(length * 2);
        longer.set(bytes);
        bytes.fill(NUL);
        bytes = longer;
      }
    }
  } finally {
    bytes.fill(NUL);
  }
}

function parseReply(text: string): VarlinkReply {
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    return { kind: "garbled" };
  }
  if (!isObject(reply)) return { kind: "garbled" };
  const { error, parameters = {} } = reply;
  if (!isObject(parameters)) return { kind: "garbled" };
  if (error === undefined) return { kind: "reply", parameters };
  return typeof error === "string"
    ? { kind: "error", error, parameters }
    : { kind: "garbled" };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
