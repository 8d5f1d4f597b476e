"""What subscribers receive: messages, and confirmations of their subscriptions. (Redis: "Redis Pub/Sub".)

Both are pushes of RESP3, which in RESP2 look like arrays. They are encoded as a whole, because a message goes out to
many, and because they reach even who wants no replies (CLIENT REPLY).
"""

from trivet_wire.replies import RESP2, ReplyBuffer, encode_command


def encode_message(parts: list[bytes]) -> bytes:
    """Return a message in RESP2: its kind (message, pmessage, smessage), the pattern if any, the channel, the text."""
    return encode_command(parts)


def as_push(encoded: bytes) -> bytes:
    """Return the RESP3 form of what was encoded for RESP2."""
    return b">" + encoded[1:]


def push(reply: ReplyBuffer, encoded: bytes) -> None:
    """Append what was encoded for RESP2, in the form of the protocol that the client speaks."""
    reply.push_encoded(encoded if reply.protocol == RESP2 else as_push(encoded))


def push_confirmation(reply: ReplyBuffer, kind: bytes, name: bytes | None, subscriptions: int) -> None:
    """Append the confirmation that `kind` (subscribe, punsubscribe ...) was done for `name` (None: for nothing).

    `subscriptions` is how many channels and patterns the client listens to now.
    """
    null = b"$-1\r\n" if reply.protocol == RESP2 else b"_\r\n"
    shown = null if name is None else b"$%d\r\n%s\r\n" % (len(name), name)
    push(reply, b"*3\r\n$%d\r\n%s\r\n%s:%d\r\n" % (len(kind), kind, shown, subscriptions))
