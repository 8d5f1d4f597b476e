"""What scripts cause beyond their replies: effects for replicas, clients that are served, watches that break."""

from typing import Final

import pytest

from tests.differential.peers import SocketPeer
from tests.differential.scenes import assert_same

SCENES: Final[dict[str, str]] = {
    "one effect": """
        0 EVAL "return redis.call('set', KEYS[1], ARGV[1])" 1 a 1
        0 EVAL "return redis.call('get', KEYS[1])" 1 a
        0 EVAL "redis.call('get', 'a') return redis.call('incr', 'a')" 0
    """,
    "many effects": """
        0 EVAL "redis.call('set', 'a', 1) redis.call('incr', 'a') return redis.call('lpush', 'l', 1, 2)" 0
        0 EVAL "for i = 1, 3 do redis.call('rpush', 'l', i) redis.call('lrange', 'l', 0, -1) end" 0
        0 EVAL "redis.call('setex', 'b', 1000, 'x') redis.call('getex', 'b', 'persist') redis.call('spop', 'none')" 0
    """,
    "an error behind an effect": """
        0 EVAL "redis.call('set', 'a', 'x') redis.call('incr', 'a')" 0
        0 EVAL "redis.call('set', 'a', 'x') redis.call('append', 'a', 'y') error('end')" 0
        0 EVAL "pcall(redis.call, 'incr', 'a') return redis.call('get', 'a')" 0
        0 EVAL_RO "return redis.call('set', 'a', 'x')" 0
    """,
    "in a transaction": """
        0 MULTI
        0 SET a 1
        0 EVAL "redis.call('incr', 'a') redis.call('incr', 'a')" 0
        0 EVAL "return redis.call('nosuch')" 0
        0 EVAL "return redis.call('get', 'a')" 0
        0 EXEC
        0 MULTI
        0 EVAL "return 1" 0
        0 EXEC
    """,
    "another database": """
        0 SELECT 2
        0 EVAL "redis.call('set', 'a', 1) redis.call('select', 3) redis.call('set', 'b', 2)" 0
        0 GET a
        0 SELECT 3
        0 GET b
    """,
    "not propagated": """
        0 EVAL "redis.set_repl(redis.REPL_NONE) redis.call('set', 'a', 1)" 0
        0 EVAL "redis.call('set', 'b', 1) redis.set_repl(redis.REPL_AOF) redis.call('set', 'c', 1)" 0
        0 EVAL "redis.set_repl(redis.REPL_REPLICA) redis.call('set', 'd', 1)" 0
        0 SET e 1
    """,
    "keys that expire": """
        0 SET a 1 PX 1
        0 SET b 1 PX 1
        pause 5
        0 EVAL "return {redis.call('get', 'a'), redis.call('set', 'c', 1), redis.call('exists', 'b')}" 0
    """,
    "somebody waits": """
        1~ BLPOP l 0
        0 EVAL "redis.call('rpush', 'l', 'a') redis.call('rpush', 'l', 'b') return redis.call('lpop', 'l')" 0
        2~ BLMOVE l m LEFT RIGHT 0
        0 EVAL "redis.call('rpush', 'l', 'c') redis.call('set', 'after', 1)" 0
        0 EVAL "return redis.call('xread', 'block', 0, 'streams', 's', '$')" 0
        0 EVAL "return redis.call('XReadGroup', 'group', 'g', 'c', 'block', 0, 'streams', 's', '>')" 0
        0 EVAL "return redis.call('blmpop', 0, 1, 'nokey', 'left')" 0
    """,
    "somebody watches": """
        1 WATCH a
        0 EVAL "redis.call('set', 'a', 1)" 0
        1 MULTI
        1 PING
        1 EXEC
        1 WATCH a
        0 EVAL "return redis.call('get', 'a')" 0
        1 MULTI
        1 PING
        1 EXEC
    """,
    "somebody listens": """
        1 SUBSCRIBE c
        0 EVAL "return redis.call('publish', 'c', 'm')" 0
        0 EVAL "redis.call('publish', 'c', 'm') redis.call('set', 'a', 1)" 0
    """,
    "somebody tracks": """
        0 HELLO 3
        1 HELLO 3
        0 CLIENT TRACKING on
        1 CLIENT TRACKING on
        0 EVAL "return redis.call('get', 'a')" 0
        0 EVAL "return redis.call('get', 'b')" 2 c d
        2 MSET c 1 b 2
        1 GET a
        0 EVAL "return redis.call('set', 'a', 1)" 0
        2 EVAL "return redis.call('set', 'a', 2)" 0
        0 GET a
        1 EVAL "redis.call('get', 'a') return redis.call('set', 'a', 3)" 0
    """,
    "silence": """
        0~ CLIENT REPLY OFF
        0~ EVAL "return redis.call('set', 'a', 1)" 0
        0 CLIENT REPLY ON
        0~ CLIENT REPLY SKIP
        0~ EVAL "return redis.call('incr', 'a')" 0
        0 GET a
    """,
    "libraries": """
        0 FUNCTION LOAD "#!lua name=l\\nredis.register_function('f', function(k, a) redis.call('incrby', k[1], 5) end)"
        0 FCALL f 1 a 5
        0 MULTI
        0 FCALL f 1 a 6
        0 FCALL f 1 b 7
        0 EXEC
        0 FUNCTION LOAD x
        0 FUNCTION LOAD REPLACE "#!lua name=l\\nredis.register_function('g', function() return 1 end)"
        0 FUNCTION DELETE nolib
        0 FUNCTION DELETE l
        0 FUNCTION FLUSH
        0 FUNCTION FLUSH ASYNC
        0 SCRIPT LOAD "return 1"
        0 SCRIPT FLUSH
    """,
}


@pytest.mark.parametrize("name", SCENES)
def test_scene(real: SocketPeer, name: str) -> None:
    assert_same(real, SCENES[name])
