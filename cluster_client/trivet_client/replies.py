"""Replies with text instead of bytes."""

import hiredis

from trivet_wire.connection import ErrorReply, Reply


def as_text(reply: Reply) -> Reply:
    """Return the reply with all bytes in it decoded as UTF-8; UnicodeDecodeError where they are not."""
    if isinstance(reply, bytes):
        return reply.decode()
    if isinstance(reply, ErrorReply | hiredis.PushNotification):
        return reply
    if isinstance(reply, list):
        return [as_text(each) for each in reply]
    if isinstance(reply, dict):
        return {as_text(key): as_text(value) for key, value in reply.items()}
    if isinstance(reply, set):
        return {as_text(each) for each in reply}
    return reply
