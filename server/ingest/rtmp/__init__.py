"""Encoders that push by RTMP: one port, a key for each source. The protocol is pure; `door` has sockets."""
