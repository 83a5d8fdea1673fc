"""A Secret Service that does what gnome-keyring does not.

fake_secret_service.py MODE, on the bus in DBUS_SESSION_BUS_ADDRESS:

dies             ends in the middle of SearchItems
unknown-method   has no SearchItems
not-found        answers GetSecrets with an error that is no error of its own
went             lists an item that is gone when its secret is asked for
ghost            goes on listing it
opaque           shows nothing while it is locked, unlocks with a prompt, and
                 confirms each deletion with another (as KeePassXC does)

It prints a line per method call; `ready` is the first.
"""

import os
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

ROOT = "/org/freedesktop/secrets"
COLLECTION = ROOT + "/collection/box"
ITEM = COLLECTION + "/1"
PROMPT = ROOT + "/prompt/p1"
SESSION = ROOT + "/session/s1"

XML = """
<node>
  <interface name="org.freedesktop.Secret.Service">
    <method name="OpenSession"><arg type="s" direction="in"/><arg type="v" direction="in"/>
      <arg type="v" direction="out"/><arg type="o" direction="out"/></method>
    <method name="SearchItems"><arg type="a{ss}" direction="in"/>
      <arg type="ao" direction="out"/><arg type="ao" direction="out"/></method>
    <method name="Unlock"><arg type="ao" direction="in"/>
      <arg type="ao" direction="out"/><arg type="o" direction="out"/></method>
    <method name="GetSecrets"><arg type="ao" direction="in"/><arg type="o" direction="in"/>
      <arg type="a{o(oayays)}" direction="out"/></method>
    <method name="ReadAlias"><arg type="s" direction="in"/><arg type="o" direction="out"/></method>
    <property name="Collections" type="ao" access="read"/>
  </interface>
  <interface name="org.freedesktop.Secret.Collection">
    <property name="Items" type="ao" access="read"/>
    <property name="Label" type="s" access="read"/>
    <property name="Locked" type="b" access="read"/>
    <property name="Created" type="t" access="read"/>
    <property name="Modified" type="t" access="read"/>
  </interface>
  <interface name="org.freedesktop.Secret.Item">
    <method name="Delete"><arg type="o" direction="out"/></method>
    <property name="Attributes" type="a{ss}" access="read"/>
    <property name="Label" type="s" access="read"/>
    <property name="Locked" type="b" access="read"/>
    <property name="Created" type="t" access="read"/>
    <property name="Modified" type="t" access="read"/>
  </interface>
  <interface name="org.freedesktop.Secret.Prompt">
    <method name="Prompt"><arg type="s" direction="in"/></method>
    <method name="Dismiss"/>
    <signal name="Completed"><arg type="b"/><arg type="v"/></signal>
  </interface>
  <interface name="org.freedesktop.Secret.Session"><method name="Close"/></interface>
</node>"""

mode = sys.argv[1]
locked = mode == "opaque"
items = {ITEM: {"url": "stored", "xdg:schema": "org.rust-lang.cargo.registry"}}
pending = None
bus = Gio.bus_get_sync(Gio.BusType.SESSION)


def complete(result):
    bus.emit_signal(
        None,
        PROMPT,
        "org.freedesktop.Secret.Prompt",
        "Completed",
        GLib.Variant("(bv)", (False, result)),
    )


def answer(method, args):
    global locked, pending
    if method == "OpenSession":
        if args[0] != "plain":
            raise LookupError("org.freedesktop.DBus.Error.NotSupported")
        return GLib.Variant("(vo)", (GLib.Variant("s", ""), SESSION))
    if method == "SearchItems":
        if mode == "dies":
            os._exit(0)
        if mode == "unknown-method":
            raise LookupError("org.freedesktop.DBus.Error.UnknownMethod")
        found = [
            path
            for path, attributes in items.items()
            if not locked and args[0].items() <= attributes.items()
        ]
        return GLib.Variant("(aoao)", (found, []))
    if method == "Unlock":
        pending = ("unlock", args[0])
        return GLib.Variant("(aoo)", ([], PROMPT))
    if method == "GetSecrets":
        if mode == "not-found":
            raise LookupError("org.example.Error.Odd")
        if mode in ("went", "ghost"):
            if mode == "went":
                items.clear()
            raise LookupError("org.freedesktop.Secret.Error.NoSuchObject")
        secret = (SESSION, b"", b"fake token", "text/plain")
        return GLib.Variant(
            "(a{o(oayays)})", ({path: secret for path in args[0]},)
        )
    if method == "ReadAlias":
        return GLib.Variant("(o)", (COLLECTION,))
    if method == "Delete":
        pending = ("delete", [ITEM])
        return GLib.Variant("(o)", (PROMPT,))
    if method == "Prompt":
        what, paths = pending
        if what == "unlock":
            locked = False
            complete(GLib.Variant("ao", paths))
        else:
            items.pop(ITEM, None)
            complete(GLib.Variant("s", ""))
    return None


def on_call(connection, sender, path, interface, method, args, invocation):
    print(method, flush=True)
    try:
        invocation.return_value(answer(method, args.unpack()))
    except LookupError as error:
        invocation.return_dbus_error(str(error).strip("'"), "so it is")


def on_get(connection, sender, path, interface, name):
    return {
        "Collections": GLib.Variant("ao", [COLLECTION]),
        "Items": GLib.Variant("ao", [] if locked else list(items)),
        "Attributes": GLib.Variant("a{ss}", items.get(ITEM, {})),
        "Label": GLib.Variant("s", "fake"),
        "Locked": GLib.Variant("b", locked),
        "Created": GLib.Variant("t", 0),
        "Modified": GLib.Variant("t", 0),
    }[name]


node = Gio.DBusNodeInfo.new_for_xml(XML)
for path, name in {
    ROOT: "Service",
    COLLECTION: "Collection",
    ITEM: "Item",
    PROMPT: "Prompt",
    SESSION: "Session",
}.items():
    interface = node.lookup_interface("org.freedesktop.Secret." + name)
    bus.register_object(path, interface, on_call, on_get, None)
Gio.bus_own_name_on_connection(
    bus,
    "org.freedesktop.secrets",
    Gio.BusNameOwnerFlags.NONE,
    lambda *_: print("ready", flush=True),
    None,
)
GLib.MainLoop().run()
