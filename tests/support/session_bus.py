"""The D-Bus side of session_bus.ts: asks the bus in DBUS_SESSION_BUS_ADDRESS.

session_bus.py wait-owner            until org.freedesktop.secrets has an owner
session_bus.py wait-no-owner         until it has none
session_bus.py wait-unlocked         until the default collection is unlocked
session_bus.py lock PATH | unlock PATH (password on stdin)
session_bus.py alias NAME PATH       SetAlias
session_bus.py owner                 prints true or false
session_bus.py default               prints the default collection's path
session_bus.py items                 prints every item, as JSON
session_bus.py store                 creates the items given as JSON on stdin
session_bus.py collection LABEL      creates a collection (password on stdin), prints its path
session_bus.py open PATH             unlocks a collection that has no password
session_bus.py prompter MODE         answers gnome-keyring's prompts (type, dismiss or ignore)
"""

import ctypes
import json
import sys
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.freedesktop.secrets"
ROOT = "/org/freedesktop/secrets"
SERVICE = "org.freedesktop.Secret.Service"
COLLECTION = "org.freedesktop.Secret.Collection"
ITEM = "org.freedesktop.Secret.Item"
GUILT = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"

bus = Gio.bus_get_sync(Gio.BusType.SESSION)


def call(path, interface, member, args=None, name=NAME):
    return bus.call_sync(
        name, path, interface, member, args, None, Gio.DBusCallFlags.NONE, 10000, None
    ).unpack()


def properties(path, interface):
    return call(
        path,
        "org.freedesktop.DBus.Properties",
        "GetAll",
        GLib.Variant("(s)", (interface,)),
    )[0]


def has_owner():
    return call(
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "NameHasOwner",
        GLib.Variant("(s)", (NAME,)),
        "org.freedesktop.DBus",
    )[0]


def default_collection():
    return call(ROOT, SERVICE, "ReadAlias", GLib.Variant("(s)", ("default",)))[0]


def wait(condition):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if condition():
                return
        except GLib.Error:
            pass
        time.sleep(0.01)
    sys.exit("it did not happen")


def default_unlocked():
    # A call would have the bus start a service that is not there yet.
    if not has_owner():
        return False
    path = default_collection()
    return path != "/" and not properties(path, COLLECTION)["Locked"]


def open_session():
    # A first message that is neither Ping nor GetAll can crash gnome-keyring 42.
    call(ROOT, "org.freedesktop.DBus.Peer", "Ping")
    return call(
        ROOT,
        SERVICE,
        "OpenSession",
        GLib.Variant("(sv)", ("plain", GLib.Variant("s", ""))),
    )[1]


def secret_of(session, text):
    return (session, b"", text.encode(), "text/plain")


def items():
    session = open_session()
    found = []
    for collection in properties(ROOT, SERVICE)["Collections"]:
        for path in properties(collection, COLLECTION)["Items"]:
            item = properties(path, ITEM)
            secret = None
            if not item["Locked"]:
                reply = call(path, ITEM, "GetSecret", GLib.Variant("(o)", (session,)))
                secret = bytes(reply[0][2]).decode("utf-8", "replace")
            found.append(
                {
                    "path": path,
                    "collection": collection,
                    "label": item["Label"],
                    "attributes": item["Attributes"],
                    "locked": item["Locked"],
                    "secret": secret,
                }
            )
    return found


def store():
    session = open_session()
    for item in json.load(sys.stdin):
        call(
            item.get("collection") or default_collection(),
            COLLECTION,
            "CreateItem",
            GLib.Variant(
                "(a{sv}(oayays)b)",
                (
                    {
                        ITEM + ".Label": GLib.Variant("s", item.get("label", "")),
                        ITEM + ".Attributes": GLib.Variant(
                            "a{ss}", item["attributes"]
                        ),
                    },
                    secret_of(session, item["secret"]),
                    item.get("replace", False),
                ),
            ),
        )


def create_collection(label):
    session = open_session()
    return call(
        ROOT,
        GUILT,
        "CreateWithMasterPassword",
        GLib.Variant(
            "(a{sv}(oayays))",
            (
                {COLLECTION + ".Label": GLib.Variant("s", label)},
                secret_of(session, sys.stdin.read()),
            ),
        ),
    )[0]


def unlock(path):
    call(
        ROOT,
        GUILT,
        "UnlockWithMasterPassword",
        GLib.Variant("(o(oayays))", (path, secret_of(open_session(), sys.stdin.read()))),
    )


class Prompter:
    """gcr's prompter protocol (gcr-system-prompter.c): the daemon asks, we answer.

    What travels is encrypted by libgcr's own GcrSecretExchange, which
    gnome-keyring brings along.
    """

    XML = """
    <node><interface name="org.gnome.keyring.internal.Prompter">
      <method name="BeginPrompting"><arg type="o" direction="in"/></method>
      <method name="PerformPrompt"><arg type="o" direction="in"/>
        <arg type="s" direction="in"/><arg type="a{sv}" direction="in"/>
        <arg type="s" direction="in"/></method>
      <method name="StopPrompting"><arg type="o" direction="in"/></method>
    </interface></node>"""

    def __init__(self, mode, password):
        self.mode = mode
        self.password = password.encode()
        self.exchanges = {}
        self.gcr = None
        for library in ("libgcr-base-3.so.1", "libgcr-4.so.4"):
            try:
                self.gcr = ctypes.CDLL(library)
                break
            except OSError:
                continue
        if self.gcr is None:
            sys.exit("libgcr is missing")
        self.gcr.gcr_secret_exchange_new.restype = ctypes.c_void_p
        self.gcr.gcr_secret_exchange_new.argtypes = [ctypes.c_char_p]
        self.gcr.gcr_secret_exchange_begin.restype = ctypes.c_char_p
        self.gcr.gcr_secret_exchange_begin.argtypes = [ctypes.c_void_p]
        self.gcr.gcr_secret_exchange_receive.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
        ]
        self.gcr.gcr_secret_exchange_send.restype = ctypes.c_char_p
        self.gcr.gcr_secret_exchange_send.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_ssize_t,
        ]

    def on_call(self, connection, sender, path, interface, method, args, invocation):
        args = args.unpack()
        callback = args[0]
        key = (sender, callback)
        invocation.return_value(None)
        if method == "BeginPrompting":
            self.exchanges[key] = self.gcr.gcr_secret_exchange_new(None)
            self.ready(key, "", self.gcr.gcr_secret_exchange_begin(self.exchanges[key]))
        elif method == "PerformPrompt":
            print(
                json.dumps(
                    {"type": args[1], "message": str(args[2].get("message", ""))}
                ),
                flush=True,
            )
            exchange = self.exchanges[key]
            self.gcr.gcr_secret_exchange_receive(exchange, args[3].encode())
            if self.mode == "ignore":
                return
            typed = self.mode == "type"
            secret = self.password if typed and args[1] == "password" else None
            sent = self.gcr.gcr_secret_exchange_send(exchange, secret, -1)
            self.ready(key, "yes" if typed else "no", sent)
        elif method == "StopPrompting":
            self.exchanges.pop(key, None)
            self.reply(key, "PromptDone", None)

    def ready(self, key, reply, exchange):
        self.reply(
            key,
            "PromptReady",
            GLib.Variant("(sa{sv}s)", (reply, {}, exchange.decode())),
        )

    def reply(self, key, member, args):
        bus.call(
            key[0],
            key[1],
            "org.gnome.keyring.internal.Prompter.Callback",
            member,
            args,
            None,
            Gio.DBusCallFlags.NO_AUTO_START,
            -1,
            None,
            None,
        )

    def run(self):
        interface = Gio.DBusNodeInfo.new_for_xml(self.XML).interfaces[0]
        bus.register_object("/org/gnome/keyring/Prompter", interface, self.on_call)
        Gio.bus_own_name_on_connection(
            bus,
            "org.gnome.keyring.SystemPrompter",
            Gio.BusNameOwnerFlags.NONE,
            lambda *_: print("ready", flush=True),
            None,
        )
        GLib.MainLoop().run()


def main(command, *args):
    if command == "wait-owner":
        wait(has_owner)
    elif command == "wait-no-owner":
        wait(lambda: not has_owner())
    elif command == "wait-unlocked":
        wait(default_unlocked)
    elif command == "lock":
        call(ROOT, SERVICE, "Lock", GLib.Variant("(ao)", ([args[0]],)))
    elif command == "unlock":
        unlock(args[0])
    elif command == "open":
        call(ROOT, SERVICE, "Unlock", GLib.Variant("(ao)", ([args[0]],)))
    elif command == "alias":
        call(ROOT, SERVICE, "SetAlias", GLib.Variant("(so)", args))
    elif command == "owner":
        print(json.dumps(has_owner()))
    elif command == "default":
        print(json.dumps(default_collection()))
    elif command == "items":
        print(json.dumps(items()))
    elif command == "store":
        store()
    elif command == "collection":
        print(json.dumps(create_collection(args[0])))
    elif command == "prompter":
        Prompter(args[0], sys.stdin.read()).run()
    else:
        sys.exit("unknown command " + command)


main(*sys.argv[1:])
