"""The hot path: one compiled module that owns the worker's sockets, SRTP and packets.

`relay.pyi` is its door; `tables.py` has the values that go through the door.
"""
