"""Counters of a node since its start, or since CONFIG RESETSTAT. (Redis: INFO stats, INFO errorstats.)"""

from typing import Final, final

from mypy_extensions import i64

# Redis stops counting errors by code when there are this many codes: scripts can invent them.
_ERROR_CODES_MAX: Final = 128


@final
class Stats:
    """What INFO stats shows and nobody else counts."""

    def __init__(self) -> None:
        self.connections_received: i64 = 0
        self.connections_rejected: i64 = 0
        self.commands_processed: i64 = 0
        self.input_bytes: i64 = 0
        self.output_bytes: i64 = 0
        self.error_replies: i64 = 0
        self.errors: dict[bytes, int] = {}
        self.full_syncs: i64 = 0
        self.partial_syncs_accepted: i64 = 0
        self.partial_syncs_refused: i64 = 0
        self.output_buffer_limit_disconnections: i64 = 0
        self.query_buffer_limit_disconnections: i64 = 0

    def count_error(self, text: bytes) -> None:
        """Count an error reply under its code, the first word of `text`."""
        self.error_replies += 1
        code = text.partition(b" ")[0]
        if code in self.errors or len(self.errors) < _ERROR_CODES_MAX:
            self.errors[code] = self.errors.get(code, 0) + 1
