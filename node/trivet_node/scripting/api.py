"""The table `redis` of scripts: what they may ask, as C functions that raise proper errors. (Redis: script_lua.c.)"""

import hashlib
from collections.abc import Callable
from typing import Final, final

from trivet_node.scripting.faults import COUNTED_REPLY, INTERNAL, REPLY, ScriptError
from trivet_node.scripting.gateway import Gateway
from trivet_node.scripting.replies import ReplyReader
from trivet_node.scripting.values import NOTHING, command_argument, number_or_none, text_or_none, truncate
from trivet_wire.version import REDIS_VERSION

_NO_ARGUMENT: Final = b"ERR Please specify at least one argument for this redis lib call"
_BAD_ARGUMENT: Final = b"ERR Lua redis lib command arguments must be strings or integers"
_WRONG_ARGUMENTS: Final = b"ERR wrong number or type of arguments"
_BAD_TARGETS: Final = b"ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."
_ALL_TARGETS: Final = 3
_WARNING: Final = 3
_MINUS: Final = 45
_LOG_CONSTANTS: Final[dict[str, object]] = {
    "redis.LOG_DEBUG": 0,
    "redis.LOG_VERBOSE": 1,
    "redis.LOG_NOTICE": 2,
    "redis.LOG_WARNING": _WARNING,
}
_VERSION_NUMBERS: Final = [int(part) for part in REDIS_VERSION.split(".")]

# What libraries find while they are loaded, and what every script finds.
LOADING_CONSTANTS: Final[dict[str, object]] = {
    **_LOG_CONSTANTS,
    "redis.REDIS_VERSION": REDIS_VERSION.encode(),
    "redis.REDIS_VERSION_NUM": _VERSION_NUMBERS[0] << 16 | _VERSION_NUMBERS[1] << 8 | _VERSION_NUMBERS[2],
}
CONSTANTS: Final[dict[str, object]] = {
    **LOADING_CONSTANTS,
    "redis.REPL_NONE": 0,
    "redis.REPL_AOF": 1,
    "redis.REPL_SLAVE": 2,
    "redis.REPL_REPLICA": 2,
    "redis.REPL_ALL": _ALL_TARGETS,
}


@final
class RedisApi:
    """The functions of `redis` for one state of Lua."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway: Gateway = gateway
        # Set once the state is there.
        self._replies: ReplyReader | None = None
        # Tables {ok="OK"} in stock. They are made outside of scripts, where no coroutine is that could outlive them.
        self.statuses: list[object] = []

    def attach(self, replies: ReplyReader | None) -> None:
        """Make values of Lua through `replies`; None: there is no state any more."""
        self._replies = replies

    def functions(self) -> dict[str, Callable[..., object]]:
        """Return what every script may call, by its name."""
        return {
            "redis.log": self.log,
            "redis.sha1hex": self._sha1hex,
            "redis.error_reply": self._error_reply,
            "redis.status_reply": self._status_reply,
            "redis.setresp": self._setresp,
            "redis.set_repl": self._set_repl,
            "redis.acl_check_cmd": self._acl_check_cmd,
        }

    def calls(self) -> dict[str, Callable[..., object]]:
        """Return those that run commands: they let no exception out but ScriptError, and no argument in its frames."""
        return {"redis.call": self.call, "redis.pcall": self.pcall}

    def eval_functions(self) -> dict[str, Callable[..., object]]:
        """Return what scripts, but not libraries, may call."""
        return {
            "redis.replicate_commands": self._replicate_commands,
            "redis.breakpoint": self._breakpoint,
            "redis.debug": self._debug,
        }

    def call(self, *arguments: object) -> object:
        """redis.call(command, ...): errors are raised."""
        outcome = self._perform(arguments)
        if isinstance(outcome, ScriptError):
            arguments = ()
            raise outcome
        return outcome

    def pcall(self, *arguments: object) -> object:
        """redis.pcall(command, ...): errors are returned."""
        outcome = self._perform(arguments)
        if isinstance(outcome, ScriptError):
            replies = self._replies
            assert replies is not None
            return replies.error(outcome.text, outcome.kind == COUNTED_REPLY)
        return outcome

    def log(self, *arguments: object) -> tuple[object, ...]:
        """redis.log(level, message, ...)."""
        if len(arguments) < 2:
            raise ScriptError(b"ERR redis.log() requires two arguments or more.", REPLY)
        level = number_or_none(arguments[0])
        if level is None:
            raise ScriptError(b"ERR First argument must be a number (log level).", REPLY)
        if not 0 <= truncate(level) <= _WARNING:
            raise ScriptError(b"ERR Invalid debug level.", REPLY)
        texts = [text_or_none(argument) for argument in arguments[1:]]
        self._gateway.log(truncate(level), b" ".join([text for text in texts if text is not None]))
        return NOTHING

    def _perform(self, arguments: tuple[object, ...]) -> object:
        """Run a command and return its reply as a value of Lua, or the error that it met."""
        words: list[bytes] = []
        for argument in arguments:
            word = argument if isinstance(argument, bytes) else command_argument(argument)
            if word is None:
                return ScriptError(_BAD_ARGUMENT, REPLY)
            words.append(word)
        if not words:
            return ScriptError(_NO_ARGUMENT, REPLY)
        try:
            return self._value(self._gateway.call(words))
        except ScriptError as error:
            return ScriptError(error.text, COUNTED_REPLY)
        except Exception:
            self._gateway.fault()
            return ScriptError(INTERNAL, REPLY)

    def _value(self, reply: bytes) -> object:
        if reply[0] == _MINUS:
            return ScriptError(reply[1:-2], COUNTED_REPLY)
        if reply == b"+OK\r\n" and self.statuses:
            return self.statuses.pop()
        replies = self._replies
        assert replies is not None
        return replies.read(reply)

    def _sha1hex(self, *arguments: object) -> bytes:
        if len(arguments) != 1:
            raise ScriptError(b"ERR wrong number of arguments", REPLY)
        return hashlib.sha1(text_or_none(arguments[0]) or b"").hexdigest().encode()

    def _error_reply(self, *arguments: object) -> object:
        replies = self._replies
        assert replies is not None
        if len(arguments) != 1 or not isinstance(arguments[0], bytes):
            return replies.error(_WRONG_ARGUMENTS, False)
        text = arguments[0].split(b"\0", 1)[0].removeprefix(b"-")
        code, space, message = text.partition(b" ")
        if not space:
            code, message = b"ERR", code
        return replies.error(code + b" " + message.strip(b"\r\n"), False)

    def _status_reply(self, *arguments: object) -> object:
        replies = self._replies
        assert replies is not None
        if len(arguments) != 1 or not isinstance(arguments[0], bytes):
            return replies.error(_WRONG_ARGUMENTS, False)
        return replies.status(arguments[0])

    def _setresp(self, *arguments: object) -> tuple[object, ...]:
        if len(arguments) != 1:
            raise ScriptError(b"ERR redis.setresp() requires one argument.", REPLY)
        protocol = truncate(number_or_none(arguments[0]) or 0)
        if protocol not in (2, 3):
            raise ScriptError(b"ERR RESP version must be 2 or 3.", REPLY)
        self._gateway.set_protocol(protocol)
        return NOTHING

    def _set_repl(self, *arguments: object) -> tuple[object, ...]:
        if len(arguments) != 1:
            raise ScriptError(b"ERR redis.set_repl() requires two arguments.", REPLY)
        targets = truncate(number_or_none(arguments[0]) or 0)
        if targets & ~_ALL_TARGETS:
            raise ScriptError(_BAD_TARGETS, REPLY)
        self._gateway.set_propagation(targets)
        return NOTHING

    def _acl_check_cmd(self, *arguments: object) -> bool:
        if not arguments:
            raise ScriptError(_NO_ARGUMENT, REPLY)
        words = [command_argument(argument) for argument in arguments]
        given = [word for word in words if word is not None]
        if len(given) != len(words):
            raise ScriptError(_BAD_ARGUMENT, REPLY)
        return self._gateway.may_run(given)

    def _replicate_commands(self, *arguments: object) -> bool:
        return True

    def _breakpoint(self, *arguments: object) -> bool:
        return False

    def _debug(self, *arguments: object) -> tuple[object, ...]:
        return NOTHING
