/** What {@linkcode findSessionBus} says. */
export type SessionBusFinding =
  /** A socket is there, and ours; GDBus can use no other. */
  | { readonly kind: "ours" }
  /**
   * Who listens shows only when GDBus has connected: a name in the abstract
   * namespace is no file, and of a list it takes the first that answers.
   */
  | { readonly kind: "unproven" }
  | {
    readonly kind: "none";
    /**
     * - `unset`: no address, and no socket where one is looked for then
     * - `unusable`: an address that names no `unix:` socket to connect to;
     *   `autolaunch:` would start a bus
     * - `gone`: the address names a socket that is not there
     */
    readonly why: "unset" | "unusable" | "gone";
  }
  /** A socket of the address belongs to another user, as under sudo. */
  | { readonly kind: "foreign" };

/** What is known of a file that may be a socket. */
export interface SocketInfo {
  /** Whether it is one. */
  readonly isSocket: boolean;
  /** Whose it is; `null` where the system does not say. */
  readonly uid: number | null;
}

/**
 * Finds out whether there is a session bus to talk to, before anything is
 * loaded that would start one: given no usable address, GIO runs `dbus-launch`.
 *
 * The rules are those of GIO's `g_dbus_address_get_for_bus_sync()`, without
 * what starts a process: `DBUS_SESSION_BUS_ADDRESS` counts even if it is
 * empty, else the socket `bus` in `XDG_RUNTIME_DIR`. The syntax of addresses:
 * the D-Bus specification, "Server Addresses".
 *
 * `uid`: our user id; `null` where the system has none.
 * `statSocket`: says what a path is; `undefined` for nothing.
 */
export function findSessionBus(
  env: (name: string) => string | undefined,
  uid: number | null,
  statSocket: (path: string) => SocketInfo | undefined,
): SessionBusFinding {
  const address = env("DBUS_SESSION_BUS_ADDRESS");
  if (address === undefined) {
    const directory = env("XDG_RUNTIME_DIR");
    if (!directory) return { kind: "none", why: "unset" };
    const info = statSocket(`${directory}/bus`);
    if (!info?.isSocket) return { kind: "none", why: "unset" };
    return { kind: info.uid === uid ? "ours" : "foreign" };
  }
  const sockets = parseAddresses(address);
  if (sockets === undefined) return { kind: "none", why: "unusable" };
  let mayAnswer = false;
  for (const socket of sockets) {
    if (socket.kind === "abstract") {
      mayAnswer = true;
      continue;
    }
    const info = statSocket(socket.path);
    if (!info?.isSocket) continue;
    if (info.uid !== uid) return { kind: "foreign" };
    mayAnswer = true;
  }
  if (!mayAnswer) return { kind: "none", why: "gone" };
  const [socket, ...more] = sockets;
  return {
    kind: socket?.kind === "path" && more.length === 0 ? "ours" : "unproven",
  };
}

/**
 * Finds a running bus of ours where a desktop session has it, whatever the
 * environment says.
 *
 * `statSocket`: says what a path is; `undefined` for nothing.
 * Returns the path of its socket; `undefined` if there is none.
 */
export function findLiveBus(
  env: (name: string) => string | undefined,
  uid: number | null,
  statSocket: (path: string) => SocketInfo | undefined,
): string | undefined {
  for (const directory of [env("XDG_RUNTIME_DIR"), `/run/user/${uid}`]) {
    if (!directory) continue;
    const path = `${directory}/bus`;
    const info = statSocket(path);
    if (info?.isSocket && info.uid === uid) return path;
  }
  return undefined;
}

/**
 * What a path is.
 *
 * Returns `undefined` if it is missing, or in a folder that we may not look
 * into: either way there is no bus here that we could talk to.
 */
export function statSocket(path: string): SocketInfo | undefined {
  try {
    const { isSocket, uid } = Deno.statSync(path);
    return { isSocket: isSocket === true, uid };
  } catch {
    return undefined;
  }
}

/**
 * Reads a variable of the environment.
 *
 * Returns its value, `undefined` if it is unset; empty if it is not UTF-8,
 * which leads nowhere.
 */
export function readVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return "";
  }
}

type Socket =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "abstract" };

/** The sockets of an address list; `undefined` if anything else is in it. */
function parseAddresses(list: string): Socket[] | undefined {
  const sockets: Socket[] = [];
  for (const address of list.split(";")) {
    if (address === "") continue;
    const socket = parseAddress(address);
    if (socket === undefined) return undefined;
    sockets.push(socket);
  }
  return sockets.length === 0 ? undefined : sockets;
}

function parseAddress(address: string): Socket | undefined {
  const prefix = "unix:";
  if (!address.startsWith(prefix)) return undefined;
  for (const pair of address.slice(prefix.length).split(",")) {
    const equals = pair.indexOf("=");
    const value = unescape(pair.slice(equals + 1));
    if (equals < 1 || !value) return undefined;
    switch (pair.slice(0, equals)) {
      case "path":
        return { kind: "path", path: value };
      case "abstract":
        return { kind: "abstract" };
    }
  }
  return undefined;
}

/** Undoes the escapes of an address value, which are those of URLs. */
function unescape(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
