"""What readers make of servers' replies, as hiredis gives them."""

from typing import Any


def info_fields(reply: bytes | str) -> dict[str, str]:
    """Return the fields of an INFO or CLUSTER INFO reply."""
    text = reply if isinstance(reply, str) else reply.decode(errors="replace")
    fields = (line.partition(":") for line in text.splitlines() if ":" in line and not line.startswith("#"))
    return {name: value for name, _, value in fields}


def as_dict(reply: Any) -> dict[Any, Any]:
    """Return a map as a dict: RESP2 sends it as a flat list of keys and values."""
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
