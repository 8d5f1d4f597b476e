"""What the soak does: kinds of operations, each a function of a connection and of chance.

Keys come from a bounded range for each type, and collections are cut back, so the data does not grow by itself. A kind
names the commands that it needs; a node that lacks one that must be there is found out before the load begins.
"""

import random
from collections.abc import Callable
from typing import Final, NamedTuple

import redis

from tests.processes import ServerProcess

Operation = Callable[[redis.Redis, random.Random], object]

_KEYS: Final = 300
_LONGEST: Final = 400
_STREAM_MAX: Final = 200
_SCRIPT: Final = "local n = redis.call('INCR', KEYS[1]) if n % 2 == 0 then redis.call('SET', KEYS[2], n) end return n"
_COUNTERS: Final = ("counter:a", "counter:b")


class Kind(NamedTuple):
    """An operation; `weight` says how often it is chosen, `needs` what COMMAND INFO must know."""

    name: str
    run: Operation
    weight: int
    needs: tuple[str, ...]


def key(kind: str, chance: random.Random) -> str:
    """Return one of the keys of a type."""
    return f"{kind}:{chance.randrange(_KEYS)}"


def value(chance: random.Random) -> bytes:
    """Return a value, rarely a long one."""
    return chance.randbytes(chance.choice((3, 10, 10, 40, 100, 100, 600, 5000)))


def strings(connection: redis.Redis, chance: random.Random) -> None:
    """Write, read and change strings, some of which expire."""
    name = key("string", chance)
    connection.set(name, value(chance), px=chance.choice((None, None, 5, 50, 2000)))
    connection.append(name, b"more")
    connection.getrange(name, 1, 5)
    connection.setrange(key("string", chance), 5, b"x")
    connection.mget([key("string", chance) for _ in range(5)])
    connection.incr(key("number", chance))


def bits(connection: redis.Redis, chance: random.Random) -> None:
    """Set and count bits, and count distinct members."""
    connection.setbit(key("bits", chance), chance.randrange(5000), 1)
    connection.bitcount(key("bits", chance))
    connection.bitop("XOR", key("bits", chance), key("bits", chance), key("bits", chance))
    connection.pfadd(key("sketch", chance), *[value(chance) for _ in range(5)])
    connection.pfcount(key("sketch", chance), key("sketch", chance))


def lists(connection: redis.Redis, chance: random.Random) -> None:
    """Push, pop, cut, and look into lists."""
    name = key("list", chance)
    connection.rpush(name, *[value(chance) for _ in range(chance.choice((1, 3, 30)))])
    connection.lpush(name, value(chance))
    connection.lrange(name, 0, 20)
    connection.lmove(name, key("list", chance), "LEFT", "RIGHT")
    connection.linsert(name, "BEFORE", b"x", b"y")
    connection.ltrim(name, 0, _LONGEST)


def hashes(connection: redis.Redis, chance: random.Random) -> None:
    """Set, read, scan and delete fields."""
    name = key("hash", chance)
    connection.hset(name, mapping={f"f{chance.randrange(_LONGEST)}": value(chance) for _ in range(6)})
    connection.hgetall(name)
    connection.hincrby(name, "count", 1)
    connection.hscan(name)
    connection.hdel(name, f"f{chance.randrange(_LONGEST)}")


def hash_fields(connection: redis.Redis, chance: random.Random) -> None:
    """Let fields of hashes expire."""
    name = key("hash", chance)
    connection.hset(name, "mortal", value(chance))
    connection.execute_command("HPEXPIRE", name, chance.choice((5, 100, 5000)), "FIELDS", 1, "mortal")


def sets(connection: redis.Redis, chance: random.Random) -> None:
    """Add, draw, combine and remove members, integers and others."""
    name = key("set", chance)
    members = [chance.randrange(1000) for _ in range(8)] if chance.random() < 0.5 else [value(chance) for _ in range(8)]
    connection.sadd(name, *members)
    connection.srandmember(name, 3)
    connection.sinterstore(key("set", chance), [name, key("set", chance)])
    if connection.scard(name) > _LONGEST:
        connection.spop(name, _LONGEST // 2)


def sorted_sets(connection: redis.Redis, chance: random.Random) -> None:
    """Add, rank, range and remove members; find places."""
    name = key("zset", chance)
    connection.zadd(name, {f"m{chance.randrange(_LONGEST)}": chance.random() for _ in range(8)})
    connection.zrange(name, 0, 10, withscores=True)
    connection.zrangestore(key("zset", chance), name, 0, 50)
    connection.zremrangebyrank(name, 0, 1)
    connection.geoadd(
        key("geo", chance), (chance.uniform(-180, 180), chance.uniform(-80, 80), f"p{chance.randrange(99)}")
    )
    connection.geosearch(key("geo", chance), longitude=0, latitude=0, radius=5000, unit="km")


def streams(connection: redis.Redis, chance: random.Random) -> None:
    """Add entries, read them as a group, acknowledge some, and trim."""
    name = key("stream", chance)
    for _ in range(5):
        connection.xadd(name, {"f": value(chance), "g": value(chance)}, maxlen=_STREAM_MAX, approximate=False)
    try:
        connection.xgroup_create(name, "group", id="0")
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise
    connection.xreadgroup("group", f"c{chance.randrange(3)}", {name: ">"}, count=10)
    for pending in connection.xpending_range(name, "group", "-", "+", 10):
        connection.xack(name, "group", pending["message_id"])
    connection.xautoclaim(name, "group", "c0", 0, count=5)
    connection.xrange(name, count=10)


def whole_keys(connection: redis.Redis, chance: random.Random) -> None:
    """Rename, copy, dump, restore, expire, delete and look for keys."""
    number = chance.randrange(_KEYS)
    connection.copy(f"list:{number}", f"list:{(number + 1) % _KEYS}", replace=True)
    payload = connection.dump(key("hash", chance))
    if payload:
        connection.restore(key("hash", chance), chance.choice((0, 30)), payload, replace=True)
    connection.pexpire(key("zset", chance), chance.choice((1, 100)))
    # Not a stream with a group: another worker may be between making the group and reading as one of it.
    connection.unlink(f"squeue:{chance.randrange(20)}", key("set", chance))
    connection.scan(chance.randrange(100), count=50)
    connection.sort(key("number-list", chance), alpha=True)


def transactions(connection: redis.Redis, chance: random.Random) -> None:
    """Keep two counters equal in transactions, some of them with WATCH, some given up."""
    with connection.pipeline(transaction=True) as pipeline:
        if chance.random() < 0.3:
            pipeline.watch(key("string", chance))
            if chance.random() < 0.3:
                return
        pipeline.multi()
        for counter in _COUNTERS:
            pipeline.incr(counter)
        try:
            pipeline.execute()
        except redis.WatchError:
            return


def blocking(connection: redis.Redis, chance: random.Random) -> None:
    """Wait for elements that come from others, or in vain."""
    seconds = chance.choice((0.005, 0.02))
    name = f"queue:{chance.randrange(20)}"
    choice = chance.randrange(5)
    if choice == 0:
        connection.blpop([name, f"queue:{chance.randrange(20)}"], seconds)
    elif choice == 1:
        connection.execute_command("BLMOVE", name, "queue:taken", "LEFT", "RIGHT", seconds)
        connection.ltrim("queue:taken", 0, 10)
    elif choice == 2:
        connection.execute_command("BZPOPMIN", f"z{name}", seconds)
    elif choice == 3:
        connection.xread({f"s{name}": "$"}, block=5)
    else:
        connection.lpush(name, value(chance))
        connection.ltrim(name, 0, 10)
        connection.zadd(f"z{name}", {"m": 1})
        connection.xadd(f"s{name}", {"f": "v"}, maxlen=10, approximate=False)


def publishing(connection: redis.Redis, chance: random.Random) -> None:
    """Say something on channels that others listen to."""
    connection.publish(f"news:{chance.randrange(5)}", value(chance))


def sharded_publishing(connection: redis.Redis, chance: random.Random) -> None:
    """Say something on a sharded channel."""
    connection.execute_command("SPUBLISH", f"shard:{chance.randrange(5)}", value(chance))


def tracking(connection: redis.Redis, chance: random.Random) -> None:
    """Read with client-side caching on, then off again."""
    connection.execute_command("CLIENT", "TRACKING", "ON", "NOLOOP")
    for _ in range(5):
        connection.get(key("string", chance))
    connection.execute_command("CLIENT", "TRACKING", "OFF")


def scripts(connection: redis.Redis, chance: random.Random) -> None:
    """Run a script, by its text and by its digest."""
    connection.eval(_SCRIPT, 2, key("number", chance), key("string", chance))
    connection.evalsha(connection.script_load(_SCRIPT), 2, key("number", chance), key("string", chance))


def asking(connection: redis.Redis, chance: random.Random) -> None:
    """Ask what operators ask."""
    connection.info("everything")
    connection.client_list()
    connection.execute_command("OBJECT", "ENCODING", key("list", chance))
    connection.config_get("max*")


KINDS: Final = (
    Kind("strings", strings, 20, ("set", "append", "mget")),
    Kind("bits and sketches", bits, 5, ("setbit", "bitop", "pfadd")),
    Kind("lists", lists, 10, ("rpush", "lmove", "linsert")),
    Kind("hashes", hashes, 10, ("hset", "hscan")),
    Kind("fields that expire", hash_fields, 5, ("hpexpire",)),
    Kind("sets", sets, 10, ("sadd", "sinterstore")),
    Kind("sorted sets and places", sorted_sets, 10, ("zadd", "zrangestore", "geosearch")),
    Kind("streams", streams, 8, ("xadd", "xreadgroup", "xautoclaim")),
    Kind("whole keys", whole_keys, 8, ("copy", "dump", "restore", "sort")),
    Kind("transactions", transactions, 8, ("multi", "watch")),
    Kind("blocking", blocking, 10, ("blpop", "blmove", "bzpopmin", "xread")),
    Kind("publishing", publishing, 5, ("publish", "psubscribe")),
    Kind("sharded publishing", sharded_publishing, 3, ("spublish",)),
    Kind("tracking", tracking, 5, ("client|tracking",)),
    Kind("scripts", scripts, 5, ("eval", "evalsha", "script|load")),
    Kind("questions", asking, 1, ("info", "client|list")),
)


def check_commands(server: ServerProcess) -> None:
    """Raise AssertionError where the node lacks a command that one of the kinds needs."""
    for kind in KINDS:
        rows = server.call("COMMAND", "INFO", *kind.needs)
        missing = [name for name, row in zip(kind.needs, rows, strict=True) if row is None]
        assert not missing, f"the node lacks {missing}: no {kind.name}"


def fill(connection: redis.Redis, seed: int) -> None:
    """Store the same data each time: values of all types, small and large ones."""
    chance = random.Random(seed)
    with connection.pipeline(transaction=False) as pipeline:
        for number in range(_KEYS * 20):
            pipeline.set(f"string:{number}", value(chance))
        for number in range(_KEYS):
            pipeline.rpush(f"list:{number}", *[value(chance) for _ in range(chance.choice((5, 60)))])
            pipeline.hset(f"hash:{number}", mapping={f"f{field}": value(chance) for field in range(20)})
            pipeline.sadd(f"set:{number}", *[chance.randrange(5000) for _ in range(50)])
            pipeline.zadd(f"zset:{number}", {f"m{member}": member for member in range(chance.choice((20, 300)))})
            pipeline.xadd(f"stream:{number}", {"f": value(chance)})
        pipeline.execute()


def counters_are_equal(connection: redis.Redis) -> bool:
    """Say whether the transactions have kept their promise."""
    one, other = connection.mget(_COUNTERS)
    return bool(one == other)
