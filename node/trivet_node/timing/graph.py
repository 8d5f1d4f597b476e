"""LATENCY GRAPH: the samples of an event as bars of characters, with their age below. (Redis: sparkline.c.)"""

from typing import Final

from trivet_node.timing.events import Series

_COLUMNS: Final = 80
_ROWS: Final = 4
# Thirds of a row, from the lowest to the highest; a whole row that a bar only passes is a line.
_HEIGHTS: Final = "_o#"
_PASSED: Final = "|"


def graph(event: str, series: Series, now_s: int) -> str:
    """Return the graph of an event, which has samples."""
    durations = [duration_ms for _, duration_ms in series.samples]
    lines = [
        f"{event} - high {max(durations)} ms, low {min(durations)} ms (all time high {series.worst_ms} ms)",
        "-" * _COLUMNS,
    ]
    steps = [_step(duration_ms, min(durations), max(durations)) for duration_ms in durations]
    labels = [_age(now_s - time_s) for time_s, _ in series.samples]
    for first in range(0, len(steps), _COLUMNS):
        if first:
            lines.append("")
        lines += _bars(steps[first : first + _COLUMNS])
        lines.append(" " * len(steps[first : first + _COLUMNS]))
        lines += _upright(labels[first : first + _COLUMNS])
    return "".join([line + "\n" for line in lines])


def _step(value: int, lowest: int, highest: int) -> int:
    """Return how many thirds of a row are below the top of a bar."""
    steps = _ROWS * len(_HEIGHTS)
    return min(steps - 1, (value - lowest) * steps // max(1, highest - lowest))


def _bars(steps: list[int]) -> list[str]:
    rows: list[str] = []
    for row in range(_ROWS):
        below = (_ROWS - row - 1) * len(_HEIGHTS)
        rows.append("".join([_character(step - below) for step in steps]))
    return rows


def _character(height: int) -> str:
    if height < 0:
        return " "
    return _HEIGHTS[height] if height < len(_HEIGHTS) else _PASSED


def _upright(labels: list[str]) -> list[str]:
    """Return lines in which the labels stand from the top to the bottom."""
    height = max([len(label) for label in labels])
    return ["".join([label[row : row + 1] or " " for label in labels]) for row in range(height)]


def _age(seconds: int) -> str:
    for unit, length_s in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length_s:
            return f"{seconds // length_s}{unit}"
    return f"{seconds}s"
