"""A county's week over a virtual clock: real lessons, rooms and rows; acted media, pages and faults."""
