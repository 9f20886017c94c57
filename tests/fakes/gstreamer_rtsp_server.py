"""A camera's RTSP server, by GStreamer's: run by the system's Python, which alone has GStreamer's bindings.

`/usr/bin/python3 FILE --launch "( ... name=pay0 )" [--user U --password P]` serves the launch line at
`/live`, prints the port it took and ends with its standard input. It imports nothing of the house.
"""

from __future__ import annotations

import argparse
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PATH = "/live"
REALM = "camera"


def main() -> None:
    options = _options()
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=str(options.port))
    factory = GstRtspServer.RTSPMediaFactory(launch=options.launch, shared=True)
    factory.set_latency(0)
    if options.only_udp:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if options.user:
        _ask_password(server, factory, options.user, options.password)
    server.get_mount_points().add_factory(options.path, factory)
    loop = GLib.MainLoop()
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    threading.Thread(target=_end_with_input, args=(loop,), daemon=True).start()
    loop.run()


def _ask_password(server: object, factory: object, user: str, password: str) -> None:
    """Digest authentication alone, as devices of today ask it."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_realm(REALM)
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    auth.add_digest(user, password, token)
    server.set_auth(auth)  # type: ignore[attr-defined]
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.set_permissions(permissions)  # type: ignore[attr-defined]


def _end_with_input(loop: object) -> None:
    sys.stdin.read()
    loop.quit()  # type: ignore[attr-defined]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="serve a GStreamer launch line by RTSP")
    parser.add_argument("--launch", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--path", default=PATH)
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--only-udp", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
