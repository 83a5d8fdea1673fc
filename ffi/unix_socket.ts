import { errno, libcName } from "./libc.ts";

// <sys/socket.h>, <poll.h> and <errno.h> of Linux, on every machine that Deno
// runs on.
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SHUT_RDWR = 2;
const POLLIN = 1;
const POLLOUT = 4;
const EINTR = 4;
const EAGAIN = 11;

/** `struct sockaddr_un`: the family, and a path that a NUL ends. */
const PATH_OFFSET = 2;
const PATH_SIZE = 108;

/** Between two tries where a queue of connections is full. */
const RETRY_MS = 10;

const SYMBOLS = {
  socket: {
    parameters: [
      "i32", // int domain
      "i32", // int type
      "i32", // int protocol
    ],
    result: "i32",
  },
  connect: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const struct sockaddr *addr
      "u32", // socklen_t addrlen
    ],
    result: "i32",
  },
  send: {
    parameters: [
      "i32", // int sockfd
      "buffer", // const void *buf
      "usize", // size_t len
      "i32", // int flags
    ],
    result: "isize",
  },
  recv: {
    parameters: [
      "i32", // int sockfd
      "buffer", // void *buf
      "usize", // size_t len
      "i32", // int flags
    ],
    result: "isize",
  },
  shutdown: {
    parameters: [
      "i32", // int sockfd
      "i32", // int how
    ],
    result: "i32",
  },
  close: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
  // The only call that waits: on a thread of its own.
  poll: {
    parameters: [
      "buffer", // struct pollfd *fds
      "usize", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

interface Sockets {
  readonly call: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly errno: Deno.UnsafePointerView;
}

let opened: Sockets | undefined;

function sockets(): Sockets {
  if (opened === undefined) {
    if (Deno.build.os !== "linux") {
      throw new Deno.errors.NotSupported(
        `Sockets of ${Deno.build.os} are not known`,
      );
    }
    opened = {
      call: Deno.dlopen(libcName(), SYMBOLS).symbols,
      errno: errno(),
    };
  }
  return opened;
}

/** Why a socket did not do what it was asked. */
export type SocketErrorCode =
  | "EPERM"
  | "ENOENT"
  | "EACCES"
  | "ENOTDIR"
  | "EPIPE"
  | "ENAMETOOLONG"
  | "ECONNRESET"
  | "ECONNREFUSED"
  /** The signal was aborted. */
  | "ECANCELED"
  | "other";

/** Numbers of errors, errno(3). */
const CODES: ReadonlyMap<number, SocketErrorCode> = new Map([
  [1, "EPERM"],
  [2, "ENOENT"],
  [13, "EACCES"],
  [20, "ENOTDIR"],
  [32, "EPIPE"],
  [36, "ENAMETOOLONG"],
  [104, "ECONNRESET"],
  [111, "ECONNREFUSED"],
]);

/** What the system answered instead of doing what it was asked. */
export class SocketError extends Error {
  /** `SocketError` */
  override readonly name: string = "SocketError";
  /** The code's name; `other` for one that is not expected. */
  readonly code: SocketErrorCode;

  /**
   * An error of a socket's.
   *
   * @param operation The call that failed.
   * @param reason The value of `errno`, or a code's name.
   */
  constructor(operation: string, reason: number | SocketErrorCode) {
    super(`${operation} failed: ${reason}`);
    this.code = typeof reason === "string"
      ? reason
      : CODES.get(reason) ?? "other";
  }
}

/**
 * A connection to a Unix domain socket, for as long as a signal lets it last.
 * No call blocks the event loop, and when the signal is aborted, what waits
 * ends at once.
 *
 * `Deno.connect` does the same with `--allow-net`; this needs `--allow-ffi`.
 */
export class UnixSocket implements Disposable {
  readonly #fd: number;
  readonly #signal: AbortSignal;
  readonly #end: () => void;

  private constructor(fd: number, signal: AbortSignal) {
    this.#fd = fd;
    this.#signal = signal;
    // It wakes whoever waits for the socket.
    this.#end = () => sockets().call.shutdown(fd, SHUT_RDWR);
    signal.addEventListener("abort", this.#end);
  }

  /**
   * Connects.
   *
   * @param path The socket's path.
   * @param signal Ends the connection.
   * @returns The connection; dispose of it.
   * @throws {SocketError} If nobody listens there, or the signal is aborted.
   * @throws {Deno.errors.NotSupported} On another system than Linux.
   *
   * @example
   * ```ts
   * import { UnixSocket } from "./unix_socket.ts";
   *
   * async function greet(path: string): Promise<void> {
   *   using socket = await UnixSocket.connect(path, AbortSignal.timeout(3000));
   *   await socket.write(new TextEncoder().encode("hello\n"));
   * }
   * ```
   */
  static async connect(
    path: string,
    signal: AbortSignal,
  ): Promise<UnixSocket> {
    const { call, errno } = sockets();
    const address = socketAddress(path);
    if (signal.aborted) throw new SocketError("connect", "ECANCELED");
    const fd = call.socket(
      AF_UNIX,
      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
      0,
    );
    if (fd < 0) throw new SocketError("socket", errno.getInt32());
    const socket = new UnixSocket(fd, signal);
    try {
      while (call.connect(fd, address, address.length) !== 0) {
        const number = errno.getInt32();
        if (number !== EAGAIN && number !== EINTR) {
          throw new SocketError("connect", number);
        }
        // Too many wait there already (unix(7)); poll does not tell when.
        await call.poll(new Int32Array(2), 0n, RETRY_MS);
        if (signal.aborted) throw new SocketError("connect", "ECANCELED");
      }
      return socket;
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Writes everything.
   *
   * @param bytes What to write; they stay the caller's.
   * @throws {SocketError} If the other side has gone, or the signal is aborted.
   */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { call, errno } = sockets();
    for (let written = 0; written < bytes.length;) {
      const rest = bytes.subarray(written);
      written += await this.#transfer(POLLOUT, "send", () => {
        const length = call.send(
          this.#fd,
          rest,
          BigInt(rest.length),
          MSG_NOSIGNAL,
        );
        return length < 0n ? -errno.getInt32() : Number(length);
      });
    }
  }

  /**
   * Reads what comes next, and waits for it.
   *
   * @param buffer Where to.
   * @returns How many bytes; 0 if the other side has closed the connection.
   * @throws {SocketError} If the connection broke, or the signal is aborted.
   */
  async read(buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    const { call, errno } = sockets();
    return await this.#transfer(POLLIN, "recv", () => {
      const length = call.recv(this.#fd, buffer, BigInt(buffer.length), 0);
      return length < 0n ? -errno.getInt32() : Number(length);
    });
  }

  /** @param attempt Answers a length, or the number of an error below 0. */
  async #transfer(
    events: number,
    operation: string,
    attempt: () => number,
  ): Promise<number> {
    for (;;) {
      // Before each attempt: a connection that was shut down looks closed.
      if (this.#signal.aborted) throw new SocketError(operation, "ECANCELED");
      const length = attempt();
      if (length >= 0) return length;
      if (length !== -EAGAIN && length !== -EINTR) {
        throw new SocketError(operation, -length);
      }
      // struct pollfd { int fd; short events; short revents; }
      const poll = new Int32Array([this.#fd, events]);
      await sockets().call.poll(poll, 1n, -1);
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#end);
    sockets().call.close(this.#fd);
  }
}

function socketAddress(path: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length >= PATH_SIZE) {
    throw new SocketError("connect", "ENAMETOOLONG");
  }
  const address = new Uint8Array(PATH_OFFSET + bytes.length + 1);
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
  address.set(bytes, PATH_OFFSET);
  return address;
}
