"""What the machine wants done, in the order in which it must be done, and what may happen to it.

A SaveConfig stands before every message that relies on what it saves: an epoch that was promised to others must be on
disk first. (Redis Cluster specification, "Persistence of configuration epochs".)
"""

from typing import final

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Event:
    """Something that happened."""


@final
class Tick(Event):
    """Time has passed: next_deadline() is reached, or an operator changed something."""


@final
class LinkUp(Event):
    """The connection that Connect asked for is made."""

    def __init__(self, link: int) -> None:
        self.link: int = link


@final
class LinkDown(Event):
    """A link is closed, or the connection that Connect asked for could not be made."""

    def __init__(self, link: int) -> None:
        self.link: int = link


@final
class Received(Event):
    """A message came. Links that others made to us have negative numbers, which the shell gives."""

    def __init__(self, link: int, arguments: list[bytes], peer_host: str, local_host: str) -> None:
        self.link: int = link
        self.arguments: list[bytes] = arguments
        self.peer_host: str = peer_host
        self.local_host: str = local_host


@mypyc_attr(allow_interpreted_subclasses=True)
class Effect:
    """Something to do."""


@final
class SaveConfig(Effect):
    """Write nodes.conf; `durably` means that it must have reached the disk before anything further is done."""

    def __init__(self, durably: bool) -> None:
        self.durably: bool = durably


@final
class Connect(Effect):
    """Connect to a bus port; LinkUp or LinkDown follows."""

    def __init__(self, link: int, host: str, port: int) -> None:
        self.link: int = link
        self.host: str = host
        self.port: int = port


@final
class Send(Effect):
    """Send bytes over a link; silently nothing where it is gone."""

    def __init__(self, link: int, data: bytes) -> None:
        self.link: int = link
        self.data: bytes = data


@final
class Disconnect(Effect):
    """Close a link; no LinkDown follows."""

    def __init__(self, link: int) -> None:
        self.link: int = link


@final
class Wake(Effect):
    """Ask for next_deadline() again: something may be due earlier than it said before."""


@final
class Deliver(Effect):
    """Give a message that was published on another node to our own subscribers."""

    def __init__(self, channel: bytes, message: bytes) -> None:
        self.channel: bytes = channel
        self.message: bytes = message


@final
class DeliverToShard(Effect):
    """The same for a message to a channel of a shard."""

    def __init__(self, channel: bytes, message: bytes) -> None:
        self.channel: bytes = channel
        self.message: bytes = message


@final
class ReviewChannels(Effect):
    """End the subscriptions to channels of shards whose slots this node serves no longer: slots have changed hands."""


@final
class FollowPrimary(Effect):
    """Replicate from a primary."""

    def __init__(self, host: str, port: int) -> None:
        self.host: str = host
        self.port: int = port


@final
class BecomePrimary(Effect):
    """Stop replicating and keep the data."""


@final
class EmptyData(Effect):
    """Delete every key: they belonged to a cluster that this node has left."""


@final
class DropSlots(Effect):
    """Delete the keys of slots that now belong to somebody else; `slots` is a set of slots."""

    def __init__(self, slots: int) -> None:
        self.slots: int = slots


@final
class Log(Effect):
    """Write a line to the log; `level` is debug, verbose, notice or warning."""

    def __init__(self, level: str, text: str) -> None:
        self.level: str = level
        self.text: str = text
