"""Whole lessons without a camera or a person: numbered media, synthetic classrooms, judging, benches.

Behind the command `lianke` and in tests; nothing that serves a lesson imports from here.
"""
