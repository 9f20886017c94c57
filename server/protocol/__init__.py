"""The languages Lianke speaks, as pure values: SDP parameters and the signalling messages.

Nothing here awaits, opens, logs or asks the time.
"""
