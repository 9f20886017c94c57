"""Devices that are not there, for drills: what a recording room's boxes send, over real sockets."""


class NoSender(Exception):
    """A sender cannot be started here; the words say what to install."""
