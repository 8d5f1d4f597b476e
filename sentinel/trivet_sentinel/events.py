"""What goes into the sentinel machine and what comes out of it.

The shell turns sockets and time into events and calls `SentinelMachine.step`; it then carries out the effects it gets
back, strictly in their order. The order is a promise: a `SaveState` stands before every `Transmit` (and before every
reply to a client) that speaks of a vote or an epoch, so a sentinel that crashes never contradicts what it once said.
"""

from typing import Any

import attrs

# A reply as hiredis makes it with encoding None: bytes, int, None, a list of those, or an ErrorReply.
Reply = Any


@attrs.frozen
class Tick:
    """The time that `SentinelMachine.next_deadline` named has come."""


@attrs.frozen
class LinkOpened:
    """The link is connected: `local_host` is our address on it, `peer_host` the IP address that answered."""

    link_id: int
    local_host: str
    peer_host: str


@attrs.frozen
class LinkLost:
    """The link could not be opened, or it broke; `reason` is text for people."""

    link_id: int
    reason: str


@attrs.frozen
class Received:
    """One whole reply, or one pub/sub message, arrived on a link."""

    link_id: int
    reply: Reply


Event = Tick | LinkOpened | LinkLost | Received


@attrs.frozen
class OpenLink:
    """Connect to `host`:`port`; answer with LinkOpened or, at the latest after `timeout_ms`, LinkLost."""

    link_id: int
    host: str
    port: int
    timeout_ms: int


@attrs.frozen
class CloseLink:
    """Close the link and forget its id; nothing more is reported about it."""

    link_id: int


@attrs.frozen
class Transmit:
    """Send one request on an open link. A link that takes no more bytes is to be reported lost."""

    link_id: int
    arguments: tuple[str, ...]


@attrs.frozen
class SaveState:
    """Write the state to the configuration file, durably, before the effects that follow."""


@attrs.frozen
class Announce:
    """An event for people and programs: one line in the log and one message on the sentinel's own channel `name`."""

    name: str
    text: str
    warning: bool
    group: str


@attrs.frozen
class LogLine:
    """One line for the log alone."""

    text: str


@attrs.frozen
class RunScript:
    """Run a user's script, with these arguments, beside everything else."""

    path: str
    arguments: tuple[str, ...]


Effect = OpenLink | CloseLink | Transmit | SaveState | Announce | LogLine | RunScript
