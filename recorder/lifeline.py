"""How a process learns that its supervisor has died: standard input is a pipe that the supervisor holds.

PR_SET_PDEATHSIG, which the supervisor sets where there is one, is the second rope.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress


def watch(died: Callable[[], object], descriptor: int = 0) -> None:
    """Call `died` in a thread of its own at the end of `descriptor`, where that is a pipe or a socket.

    A thread, because epoll takes neither files nor /dev/null, and because `died` may have to end a
    process whose loop hangs.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=_wait, args=(died, descriptor), name="lifeline", daemon=True).start()


def _wait(died: Callable[[], object], descriptor: int) -> None:
    with suppress(OSError):
        while os.read(descriptor, 4096):
            pass
    with suppress(RuntimeError):  # its event loop is closed: the process is ending anyway
        died()
