"""How fields of INFO are written."""

from typing import Final

Fields = list[tuple[str, str]]

_KIB: Final = 1024
_UNITS: Final = "KMGTP"


def human_size(size: int) -> str:
    """Return a number of bytes as people read it: `1.50M`. (Redis: bytesToHuman.)"""
    if size < _KIB:
        return f"{size}B"
    value = float(size)
    for unit in _UNITS:
        value /= _KIB
        if value < _KIB:
            return f"{value:.2f}{unit}"
    return f"{value:.2f}{_UNITS[-1]}"


def size_fields(name: str, size: int) -> Fields:
    """Return a number of bytes for programs, and for people."""
    return [(name, str(size)), (f"{name}_human", human_size(size))]


def flag(is_so: bool) -> str:
    """Return 1 or 0."""
    return "1" if is_so else "0"


def ratio(part: float, whole: float) -> float:
    """Return `part / whole`, zero where there is no whole."""
    return part / whole if whole else 0.0
