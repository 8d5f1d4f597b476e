"""A process that goes to the background, as `daemonize yes` asks for. (Redis: server.c daemonize.)"""

import os
import sys


def go_to_background() -> None:
    """Go on in a child that has no terminal; the process that was started ends with status 0.

    Standard input and output lead nowhere from then on. Only for a process of one thread.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.close(nowhere)
