"""Conversations of several clients with one server, step by step, so that two servers can be compared word for word.

A step is `name: request`; each name is a connection of its own, made when it is first heard. The next step begins when
the last one was answered; a step marked `name! request` begins to wait instead (the server counts its blocked clients),
and one marked `name~ request` is not answered at all. Pushes, messages and lines of MONITOR answer nothing.
"""

import re
import socket
from typing import Final

from tests.differential.replies import Reply, ReplyReader
from tests.processes import ServerProcess, wait_until

_TIMEOUT_S: Final = 20.0
_STEP: Final = re.compile(r"(\w+)([:!~]) (.*)")
_MARK: Final = b"the-last-one"
_MONITOR_LINE: Final = re.compile(rb"\d+\.\d{6} \[")
_MESSAGES: Final = frozenset([b"message", b"pmessage", b"smessage"])


class _Speaker:
    """One connection and all that came through it."""

    def __init__(self, server: ServerProcess) -> None:
        self.socket = socket.create_connection(server.address, _TIMEOUT_S)
        self.heard: list[Reply] = []
        self._reader = ReplyReader()
        self._answers_due = 0
        self._closed = False

    def say(self, line: str, answers: int = 1) -> None:
        self._answers_due += answers
        self.socket.sendall(line.encode() + b"\r\n")

    def listen(self) -> None:
        """Read until all that was said is answered."""
        while not self._closed and sum(not _is_pushed(reply) for reply in self.heard) < self._answers_due:
            self._read()

    def listen_to_the_end(self) -> list[Reply]:
        """Read all that the server has sent up to now and return it; a transaction under way ends with an error."""
        if not self._closed:
            self.socket.sendall(b"PING " + _MARK + b"\r\n")
        while not self._closed and not (self.heard and _is_mark(self.heard[-1])):
            self._read()
        return self.heard

    def _read(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self._closed = True
            self.heard.append(Reply(b"", b"closed"))
        self._reader.feed(data)
        self.heard += self._reader.replies()


def dialogue(server: ServerProcess, steps: list[str]) -> dict[str, list[Reply]]:
    """Hold a conversation and return, by name, everything that each client was sent.

    In a request `{name}` stands for the id of that client, `{name.address}` for its address. What differs by nature is
    taken out: those ids and addresses become the names, times of MONITOR a `T`.
    """
    speakers: dict[str, _Speaker] = {}
    ids: dict[str, bytes] = {}
    try:
        for step in steps:
            parts = _STEP.fullmatch(step)
            assert parts is not None, step
            name, kind, line = parts.groups()
            for each in (name, *re.findall(r"\{(\w+)", line)):
                if each not in speakers:
                    speakers[each] = _Speaker(server)
                    ids[each] = _ask_for_id(speakers[each])
            for each, speaker in speakers.items():
                address = "{}:{}".format(*speaker.socket.getsockname())
                line = line.replace(f"{{{each}}}", ids[each].decode()).replace(f"{{{each}.address}}", address)
            _take_step(server, speakers[name], kind, line)
        heard = {name: speaker.listen_to_the_end() for name, speaker in speakers.items()}
        names = {ids[name]: name.encode() for name in ids}
        addresses = {
            b"%s:%d" % (speaker.socket.getsockname()[0].encode(), speaker.socket.getsockname()[1]): name.encode()
            for name, speaker in speakers.items()
        }
        return {name: [_known(reply, names, addresses) for reply in replies] for name, replies in heard.items()}
    finally:
        for speaker in speakers.values():
            speaker.socket.close()


def blocked_count(server: ServerProcess) -> int:
    """Return how many clients wait."""
    for line in server.call("INFO", "clients").splitlines():
        if line.startswith(b"blocked_clients:"):
            return int(line.partition(b":")[2])
    raise AssertionError("INFO clients has no blocked_clients")


def _take_step(server: ServerProcess, speaker: _Speaker, kind: str, line: str) -> None:
    if kind == "~":
        speaker.say(line, answers=0)
    elif kind == "!":
        before = blocked_count(server)
        speaker.say(line)
        wait_until(lambda: blocked_count(server) > before, _TIMEOUT_S, f"{line} waits")
    else:
        speaker.say(line)
        speaker.listen()


def _ask_for_id(speaker: _Speaker) -> bytes:
    speaker.socket.sendall(b"CLIENT ID\r\n")
    return speaker.socket.recv(100).strip(b":\r\n")


def _is_pushed(reply: Reply) -> bool:
    """Say whether a reply answers nothing: confirmations of subscriptions do."""
    if isinstance(reply.value, bytes):
        return reply.kind == b"+" and _MONITOR_LINE.match(reply.value) is not None
    kind = reply.items()[0].value if reply.items() else None
    if reply.kind == b">":
        return isinstance(kind, bytes) and not kind.endswith(b"subscribe")
    return reply.kind == b"*" and isinstance(kind, bytes) and kind in _MESSAGES


def _is_mark(reply: Reply) -> bool:
    return reply.value == _MARK or reply.words()[1:] == [_MARK]


def _known(reply: Reply, names: dict[bytes, bytes], addresses: dict[bytes, bytes]) -> Reply:
    if isinstance(reply.value, list):
        return Reply(reply.kind, [_known(item, names, addresses) for item in reply.value])
    value = reply.value
    if value is None:
        return reply
    if reply.kind == b":" and value in names:
        value = names[value]
    for address, name in addresses.items():
        value = value.replace(address, name)
    return Reply(reply.kind, re.sub(rb"^\d+\.\d{6} \[", b"T [", value))
