"""What a script asks of the server that runs it."""

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Gateway:
    """The server as scripts reach it. Every method may raise ScriptError."""

    def call(self, arguments: list[bytes]) -> bytes:
        """Run a command; return its reply as it would be sent. Its errors are replies, what is refused is raised."""
        raise NotImplementedError

    def is_running(self) -> bool:
        """Say whether a script, or a function, runs now."""
        raise NotImplementedError

    def set_protocol(self, protocol: int) -> None:
        """Reply to this script in RESP 2 or 3 from now on (redis.setresp)."""
        raise NotImplementedError

    def set_propagation(self, targets: int) -> None:
        """Propagate what this script changes to the append-only file (1), to replicas (2), or both (redis.set_repl)."""
        raise NotImplementedError

    def may_run(self, arguments: list[bytes]) -> bool:
        """Say whether the user that runs the script may run a command (redis.acl_check_cmd)."""
        raise NotImplementedError

    def log(self, level: int, text: bytes) -> None:
        """Write a line to the log; `level` counts from 0, debug, to 3, warning (redis.log)."""
        raise NotImplementedError

    def interrupt(self) -> bytes:
        """Look at the clock, and serve other clients if the script takes long; return an error that is to end it."""
        raise NotImplementedError

    def fault(self) -> None:
        """Write the exception that is being handled to the log: one of our functions has failed."""
        raise NotImplementedError
