"""How long things take: the clock that commands are measured by, and what is kept of what it showed.

`stopwatch.py` measures one command after the other; `histogram.py` counts the durations of each, `slow_log.py` keeps
the slow ones, and `events.py` the pauses of every kind. Nothing here reads a clock by itself: the shell gives one.
"""
