"""Conversations of several clients with one server, step by step, so that two servers can be compared word for word.

A step is `name: request`; each name is a connection of its own, made when it is first heard. The next step begins when
the last one was answered; a step marked `name! request` begins to wait instead, and one marked `name~ request` is not
answered at all. Pushes, messages and lines of MONITOR answer nothing.
"""

import re
import socket
from collections.abc import Iterable
from typing import Final

from tests.differential.conversations import MARK, TIMEOUT_S, is_mark
from tests.differential.replies import Reply, ReplyReader
from tests.processes import ServerProcess, wait_until

_STEP: Final = re.compile(r"(\w+)([:!~]) (.*)")
# No smaller number in a reply is taken for the id of a client.
_FIRST_ID: Final = 100
_MONITOR_LINE: Final = re.compile(rb"\d+\.\d{6} \[")
_MESSAGES: Final = frozenset([b"message", b"pmessage", b"smessage"])


class _Speaker:
    """One connection and all that came through it."""

    def __init__(self, server: ServerProcess, unix_path: str) -> None:
        if unix_path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(TIMEOUT_S)
            self.socket.connect(unix_path)
        else:
            self.socket = socket.create_connection(server.address, TIMEOUT_S)
        name = self.socket.getsockname()
        self.address = "{}:{}".format(*name) if isinstance(name, tuple) else ""
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
            self.socket.sendall(b"PING " + MARK + b"\r\n")
        while not self._closed and not any(is_mark(reply) for reply in self.heard):
            self._read()
        # A client that is shown requests is also shown the one that asks for the mark.
        end = [index for index, reply in enumerate(self.heard) if is_mark(reply)]
        return self.heard[: end[0]] if end else self.heard

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


def dialogue(server: ServerProcess, steps: list[str], unix_path: str = "") -> dict[str, list[Reply]]:
    """Hold a conversation, over a unix socket where one is given; return, by name, all that each client was sent.

    In a request `{name}` stands for the id of that client, `{name.address}` for its address. What differs by nature is
    taken out: those ids and addresses become the names, times of MONITOR a `T`.
    """
    while server.call("CLIENT", "ID") < _FIRST_ID:
        pass
    speakers: dict[str, _Speaker] = {}
    ids: dict[str, bytes] = {}
    try:
        for step in steps:
            parts = _STEP.fullmatch(step)
            assert parts is not None, step
            name, kind, line = parts.groups()
            for each in (name, *re.findall(r"\{(\w+)", line)):
                if each not in speakers:
                    speakers[each] = _Speaker(server, unix_path)
                    ids[each] = _ask_for_id(speakers[each])
            for each, speaker in speakers.items():
                line = line.replace(f"{{{each}}}", ids[each].decode())
                line = line.replace(f"{{{each}.address}}", speaker.address)
            _take_step(server, speakers[name], ids[name], kind, line)
        heard = {name: speaker.listen_to_the_end() for name, speaker in speakers.items()}
        names = {ids[name]: name.encode() for name in ids}
        addresses = {speaker.address.encode(): name.encode() for name, speaker in speakers.items() if speaker.address}
        return {name: [_known(reply, names, addresses) for reply in replies] for name, replies in heard.items()}
    finally:
        for speaker in speakers.values():
            speaker.socket.close()


def fresh_dialogues(servers: Iterable[ServerProcess], steps: list[str]) -> list[dict[str, list[Reply]]]:
    """Empty each of the servers, hold the conversation with it, and return what dialogue() does of each."""
    heard = []
    for server in servers:
        server.call("FLUSHALL")
        heard.append(dialogue(server, steps))
    return heard


def _take_step(server: ServerProcess, speaker: _Speaker, client_id: bytes, kind: str, line: str) -> None:
    speaker.say(line, answers=0 if kind == "~" else 1)
    if kind == ":":
        speaker.listen()
    elif kind == "!":
        wait_until(lambda: "b" in _seen(server, client_id)["flags"], TIMEOUT_S, f"{line} waits")
    else:
        name = line.split(maxsplit=1)[0].lower()
        wait_until(lambda: _seen(server, client_id)["cmd"].startswith(name), TIMEOUT_S, f"{line} has come")


def _seen(server: ServerProcess, client_id: bytes) -> dict[str, str]:
    """Return the fields of a client in CLIENT LIST, which monitors are not shown."""
    line = server.call("CLIENT", "LIST", "ID", client_id).decode()
    return dict(field.split("=", 1) for field in line.split())


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
