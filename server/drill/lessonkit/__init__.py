"""A lesson whose every fact is known.

`media` plays it (numbered pictures, a voice with sync tones), `files` writes it for a browser's fake
camera and microphone, `stamps` and `tones` read single pictures and sounds, `report` judges a recording.
"""
