"""The Secret portal of xdg-desktop-portal, as far as libsecret uses it.

It writes one and the same password into the pipe that it is given.
"""

import os

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

XML = """
<node><interface name="org.freedesktop.portal.Secret">
  <method name="RetrieveSecret"><arg type="h" direction="in"/>
    <arg type="a{sv}" direction="in"/><arg type="o" direction="out"/></method>
  <property name="version" type="u" access="read"/>
</interface></node>"""

bus = Gio.bus_get_sync(Gio.BusType.SESSION)


def on_call(connection, sender, path, interface, method, args, invocation):
    print(method, flush=True)
    index, options = args.unpack()
    descriptor = invocation.get_message().get_unix_fd_list().steal_fds()[index]
    os.write(descriptor, b"k" * 64)
    os.close(descriptor)
    token = options.get("handle_token", "t")
    name = sender[1:].replace(".", "_")
    request = "/org/freedesktop/portal/desktop/request/%s/%s" % (name, token)
    invocation.return_value(GLib.Variant("(o)", (request,)))
    # libsecret listens for it from when it has the answer on.
    GLib.timeout_add(200, respond, sender, request)


def respond(sender, request):
    bus.emit_signal(
        sender,
        request,
        "org.freedesktop.portal.Request",
        "Response",
        GLib.Variant("(ua{sv})", (0, {})),
    )
    return False


bus.register_object(
    "/org/freedesktop/portal/desktop",
    Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0],
    on_call,
    lambda *_: GLib.Variant("u", 1),
    None,
)
Gio.bus_own_name_on_connection(
    bus,
    "org.freedesktop.portal.Desktop",
    Gio.BusNameOwnerFlags.NONE,
    lambda *_: print("ready", flush=True),
    None,
)
GLib.MainLoop().run()
