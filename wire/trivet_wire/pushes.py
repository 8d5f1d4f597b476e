"""What subscribers receive: messages, and confirmations of their subscriptions. (Redis: "Redis Pub/Sub".)"""

from trivet_wire.replies import ReplyBuffer


def push_message(reply: ReplyBuffer, kind: bytes, parts: list[bytes]) -> None:
    """Append a message: `kind` is message or pmessage, `parts` are the pattern that matched, the channel, the text."""
    reply.push(1 + len(parts))
    reply.bulk(kind)
    for part in parts:
        reply.bulk(part)


def push_confirmation(reply: ReplyBuffer, kind: bytes, name: bytes | None, subscriptions: int) -> None:
    """Append the confirmation that `kind` (subscribe, punsubscribe ...) was done for `name` (None: for nothing).

    `subscriptions` is how many channels and patterns the client listens to now.
    """
    reply.push(3)
    reply.bulk(kind)
    if name is None:
        reply.null()
    else:
        reply.bulk(name)
    reply.integer(subscriptions)
