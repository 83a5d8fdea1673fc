import { assertEquals } from "@std/assert";
import {
  findLiveBus,
  findSessionBus,
  type SessionBusFinding,
  type SocketInfo,
} from "../../src/stores/session_bus.ts";

const OURS = 1000;
const SOCKETS: Readonly<Record<string, SocketInfo>> = {
  "/run/user/1000/bus": { isSocket: true, uid: OURS },
  "/tmp/a bus": { isSocket: true, uid: OURS },
  "/run/user/0/bus": { isSocket: true, uid: 0 },
  "/home/bus": { isSocket: false, uid: OURS },
  "/file/bus": { isSocket: false, uid: OURS },
};

const ours: SessionBusFinding = { kind: "ours" };
const unproven: SessionBusFinding = { kind: "unproven" };
const foreign: SessionBusFinding = { kind: "foreign" };
const none = (
  why: "unset" | "unusable" | "gone",
): SessionBusFinding => ({ kind: "none", why });

const CASES: readonly [
  address: string | undefined,
  runtimeDirectory: string | undefined,
  expected: SessionBusFinding,
][] = [
  ["unix:path=/run/user/1000/bus", undefined, ours],
  ["unix:path=/run/user/1000/bus,guid=0123456789abcdef", undefined, ours],
  ["unix:guid=0123456789abcdef,path=/run/user/1000/bus", undefined, ours],
  ["unix:path=/tmp/a%20bus", undefined, ours],
  ["unix:path=/run/user/1000/bus;", undefined, ours],
  ["unix:path=/gone;unix:path=/run/user/1000/bus", undefined, unproven],
  ["unix:path=/run/user/1000/bus;unix:path=/tmp/a%20bus", undefined, unproven],
  ["unix:path=/gone;unix:path=/gone/too", undefined, none("gone")],
  ["unix:path=/run/user/0/bus;unix:path=/tmp/a%20bus", undefined, foreign],
  ["unix:path=/tmp/a%20bus;unix:path=/run/user/0/bus", undefined, foreign],
  ["unix:abstract=/tmp/dbus-abc", undefined, unproven],
  ["unix:abstract=/a;unix:path=/run/user/1000/bus", undefined, unproven],
  ["unix:path=/gone;unix:abstract=/a", undefined, unproven],
  ["unix:abstract=/a;unix:path=/run/user/0/bus", undefined, foreign],
  ["unix:path=/run/user/0/bus", "/run/user/1000", foreign],
  ["unix:path=/gone", "/run/user/1000", none("gone")],
  ["unix:path=/file/bus", undefined, none("gone")],
  ["", "/run/user/1000", none("unusable")],
  [";", undefined, none("unusable")],
  ["autolaunch:", "/run/user/1000", none("unusable")],
  ["autolaunch:scope=*user", undefined, none("unusable")],
  ["unixexec:path=/bin/sh", undefined, none("unusable")],
  ["tcp:host=localhost,port=1", undefined, none("unusable")],
  ["nonce-tcp:host=localhost,port=1,noncefile=/a", undefined, none("unusable")],
  ["systemd:", undefined, none("unusable")],
  ["launchd:env=X", undefined, none("unusable")],
  ["unix:path=/run/user/1000/bus;autolaunch:", undefined, none("unusable")],
  ["autolaunch:;unix:path=/run/user/1000/bus", undefined, none("unusable")],
  ["unix:", undefined, none("unusable")],
  ["unix:path", undefined, none("unusable")],
  ["unix:path=", undefined, none("unusable")],
  ["unix:path=%zz", undefined, none("unusable")],
  ["unix:runtime=yes", undefined, none("unusable")],
  ["unix:tmpdir=/tmp", undefined, none("unusable")],
  ["UNIX:path=/run/user/1000/bus", undefined, none("unusable")],
  ["/run/user/1000/bus", undefined, none("unusable")],
  [undefined, "/run/user/1000", ours],
  [undefined, "/run/user/0", foreign],
  [undefined, "/home", none("unset")],
  [undefined, "/gone", none("unset")],
  [undefined, "", none("unset")],
  [undefined, undefined, none("unset")],
];

for (const [address, runtimeDirectory, expected] of CASES) {
  Deno.test(
    `findSessionBus() says ${JSON.stringify(expected)} of ` +
      `${JSON.stringify(address)} and ${JSON.stringify(runtimeDirectory)}`,
    () => {
      const env: Readonly<Record<string, string | undefined>> = {
        DBUS_SESSION_BUS_ADDRESS: address,
        XDG_RUNTIME_DIR: runtimeDirectory,
      };
      assertEquals(
        findSessionBus(
          (name) => env[name],
          OURS,
          (path) => SOCKETS[path],
        ),
        expected,
      );
    },
  );
}

Deno.test("findLiveBus() finds the bus of a desktop session, if it is ours", () => {
  const find = (directory?: string): string | undefined =>
    findLiveBus(
      (name) => name === "XDG_RUNTIME_DIR" ? directory : undefined,
      OURS,
      (path) => SOCKETS[path],
    );
  assertEquals(find(), "/run/user/1000/bus");
  assertEquals(find("/run/user/1000"), "/run/user/1000/bus");
  assertEquals(find("/run/user/0"), "/run/user/1000/bus");
  assertEquals(
    findLiveBus(() => undefined, 7, () => undefined),
    undefined,
  );
});
