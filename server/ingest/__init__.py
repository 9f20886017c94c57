"""Cameras and encoders of the recording room: opened, measured, judged. The only PyAV of the server.

What is here knows no lesson and no room: it is given an address and says what comes from there.
"""
