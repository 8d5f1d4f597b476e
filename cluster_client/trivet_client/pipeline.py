"""Several commands at once: split by node, sent to all nodes at the same time, answered in order.

The commands to one slot run in the order of the pipeline (while the slot is being moved to another node, one that is
redirected can be overtaken). A pipeline is not a transaction: other clients' commands run in between.
"""

from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from trivet_client.commands import KeyCommands, ServerCommands, StringCommands
from trivet_client.commands.base import CommandRunner, V, unchanged
from trivet_client.dispatcher import Dispatcher
from trivet_client.router import Call
from trivet_wire.connection import Argument, Reply

T = TypeVar("T")


class Promise(Generic[T]):
    """The reply of a queued command. Awaiting it after execute() gives the reply or raises the error."""

    def __init__(self, call: Call, convert: Callable[[Reply], T]) -> None:
        self.call = call
        self._convert = convert
        self._done = False
        self._result: Any = None

    def settle(self, outcome: Any) -> Any:
        """Take the outcome of the call; return it converted, or the exception that it is or that converting raised."""
        try:
            self._result = outcome if isinstance(outcome, Exception) else self._convert(outcome)
        except (ValueError, TypeError, LookupError) as error:
            self._result = error
        self._done = True
        return self._result

    def result(self) -> T:
        """Return the reply, or raise the error; RuntimeError before execute()."""
        if not self._done:
            raise RuntimeError("the pipeline has not been executed")
        if isinstance(self._result, Exception):
            raise self._result
        return self._result  # type: ignore[no-any-return]

    def __await__(self) -> Generator[Any, Any, T]:
        return self.result()
        yield


class Pipeline(StringCommands[V], KeyCommands[V], ServerCommands[V], CommandRunner[V]):
    """A queue of commands, made by a client's pipeline(). Methods queue; execute() sends all and returns the replies.

    Leaving the `async with` block without having called execute() sends nothing.
    """

    def __init__(self, dispatcher: Dispatcher, decode: Callable[[Reply], Reply]) -> None:
        self._dispatcher = dispatcher
        self._decode = decode
        self._promises: list[Promise[Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._promises.clear()

    def __len__(self) -> int:
        """Return how many commands are queued."""
        return len(self._promises)

    def command(self, *arguments: Argument) -> Awaitable[Any]:
        """Queue any command; its reply comes as the server sends it. Raises CrossSlotError."""
        return self._run(unchanged, *arguments)

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send all queued commands and return their replies in order; the queue is empty then.

        With `raise_on_error` the first error in order is raised, after all commands have been answered; without,
        errors are returned in the places of their replies.
        """
        promises, self._promises = self._promises, []
        outcomes = await self._dispatcher.run([promise.call for promise in promises])
        results = [promise.settle(outcome) for promise, outcome in zip(promises, outcomes, strict=True)]
        if raise_on_error:
            for result in results:
                if isinstance(result, Exception):
                    raise result
        return results

    def _run(self, convert: Callable[[Reply], T], *arguments: Argument) -> Promise[T]:
        promise = Promise(self._dispatcher.router.call(arguments), lambda reply: convert(self._decode(reply)))
        self._promises.append(promise)
        return promise
