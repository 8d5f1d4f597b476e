"""The clock that commands are measured by. The shell has a real one (shell/clock.py); this one stands still."""

from mypy_extensions import i64, mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Clock:
    """Shows the time of day in Unix microseconds: always the same here, until somebody sets `shown_us`."""

    def __init__(self, shown_us: int = 0) -> None:
        self.shown_us: i64 = shown_us

    def now_us(self) -> i64:
        """Return the time of day in Unix microseconds."""
        return self.shown_us
