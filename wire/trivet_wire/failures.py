"""The one failure that matters out of an exception group: a nursery wraps whatever ends it, users want the cause."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def first_of(*kinds: type[BaseException]) -> Iterator[None]:
    """Where the block ends by an exception group that holds an exception of `kinds`, raise that one alone."""
    try:
        yield
    except BaseExceptionGroup as group:
        for error in _leaves(group):
            if isinstance(error, kinds):
                raise error from None
        raise


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
