"""A county that never was, at the size of a real one: to try Lianke with, and to measure it by."""
