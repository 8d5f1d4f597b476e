"""Up to which size collections are kept packed: the settings that OBJECT ENCODING shows the effect of.

Values are given these limits by whoever changes them, since they know no configuration.
(Redis: redis.conf, "ADVANCED CONFIG".)
"""

from typing import final

from mypy_extensions import i64


@final
class PackingLimits:
    """Numbers of entries and sizes in bytes, named as in redis.conf, with Redis' defaults."""

    def __init__(self) -> None:
        self.hash_max_listpack_entries: i64 = 512
        self.hash_max_listpack_value: i64 = 64
        # Positive: entries of one node; -1 to -5: a node of 4, 8, 16, 32 or 64 KiB.
        self.list_max_listpack_size: i64 = -2
        self.set_max_intset_entries: i64 = 512
        self.zset_max_listpack_entries: i64 = 128
        self.zset_max_listpack_value: i64 = 64
        self.hll_sparse_max_bytes: i64 = 3000
        self.stream_node_max_bytes: i64 = 4096
        self.stream_node_max_entries: i64 = 100
