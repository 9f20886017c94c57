"""The media worker: one process, one core, one UDP port. Campus sees `contract` and `client` only."""
