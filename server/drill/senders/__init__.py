"""Devices that are not there, for drills and tests: what a recording room's boxes send, over real sockets."""
