"""MONITOR, line for line as redis-server 7.0 shows it."""

from pathlib import Path
from typing import Final

import pytest

from tests.conftest import require_redis_server
from tests.differential.dialogue import dialogue, fresh_dialogues
from tests.processes import ServerProcess, start_redis_server, start_trivet_node

DIALOGUES: Final = {
    "what is shown": [
        "m: MONITOR",
        "a: SET k 1",
        "a: set K 10",
        "a: SELECT 5",
        "a: SET k 'x\\n\"y'",
        'a: SET k "a\\r\\n\\t\\a\\b\\x00\\xff\\\\ ~"',
        "a: SET k ''",
        "a: GET",
        "a: NONSENSE",
        "a: GET k",
        "a: INCR k",
        "a: LPUSH k 1",
        "a: AUTH p",
        "a: AUTH u p",
        "a: HELLO 3 AUTH u p SETNAME x",
        "a: HELLO 3 AUTH default p SETNAME 'a b'",
        "a: HELLO 3",
        "a: CONFIG GET hz",
        "a: DEBUG SLEEP 0",
        "a: CLIENT LIST ID 55555",
        "a: CLIENT KILL 1.2.3.4:5",
        "a: CLIENT SETNAME x",
        "a: SAVE x",
        "a: MIGRATE 127.0.0.1 1 k 0 10 AUTH pw KEYS a",
        "a: PUBLISH c 1",
        "a: SUBSCRIBE c",
        "a: RESET",
        "a: QUIT",
    ],
    "transactions": [
        "m: MONITOR",
        "a: MULTI",
        "a: DISCARD",
        "a: MULTI",
        "a: NONSENSE",
        "a: SET k 1",
        "a: EXEC",
        "a: WATCH k",
        "b: SET k 2",
        "a: MULTI",
        "a: SET k 1",
        "a: EXEC",
        "a: MULTI",
        "a: CLIENT ID",
        "a: SELECT 3",
        "a: GET x",
        "a: CONFIG GET nothing",
        "a: EXEC",
        "a: MULTI",
        "a: MONITOR",
        "a: EXEC",
        "a: EXEC",
    ],
    "scripts": [
        "m: MONITOR",
        "a: EVAL \"redis.call('set', 'k', 'v') return redis.call('get', 'k')\" 0",
        "a: EVAL \"return redis.call('select', '4')\" 0",
        "a: EVAL \"return redis.call('nothing')\" 0",
        "a: EVAL \"return redis.call('lpush', 'k', '1')\" 0",
        "a: EVAL_RO \"return redis.call('get', 'k')\" 1 k",
        'a: SCRIPT LOAD "return 1"',
        "a: EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
        "a: EVAL 'not Lua' 0",
        "a: EVAL 'return 1' x",
        "a: EVAL 'return 1' 2 a",
        'a: EVAL "#!lua flags=nonsense\\nreturn 1" 0',
        "a: EVAL_RO \"return redis.call('set', 'k', 'v')\" 0",
        "a: EVALSHA aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0",
        "a: EVALSHA_RO short 0",
        "a: FCALL nothing 0",
        "a: FCALL_RO nothing x",
        "a: EVAL",
        "a: MULTI",
        "a: EVAL 'not Lua' 0",
        "a: EVAL \"return redis.call('get', 'k')\" 0",
        "a: EXEC",
        "a: SCRIPT FLUSH",
    ],
    "who looks on": [
        "m: HELLO 3",
        "m: MONITOR",
        "m~ MONITOR",
        "m: PING",
        "m: GET k",
        "m: SET k 1",
        "m: EXISTS k",
        "m: PUBLISH c 1",
        "m: CLIENT LIST TYPE replica",
        "a: CLIENT LIST TYPE master",
        "a: CLIENT KILL TYPE replica",
        "m~ CLIENT REPLY OFF",
        "a: PING",
        "m: CLIENT REPLY ON",
        "m: ECHO x",
        "n: MONITOR",
        "a: PING",
        "n: RESET",
        "n: GET k",
        "m: SUBSCRIBE c",
        "a: PUBLISH c 1",
        "m: QUIT",
        "a: PING",
    ],
    "who waits": [
        "m: MONITOR",
        "a: PING",
        "m: RESET",
        "b! BLPOP l 0",
        "m: MONITOR",
        "a: RPUSH l 1",
        "a: MULTI",
        "a: BLPOP l 1",
        "a: EXEC",
    ],
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_shows_what_redis_shows(pair: tuple[ServerProcess, ServerProcess], name: str) -> None:
    ours, real = fresh_dialogues(pair, DIALOGUES[name])
    assert ours == real


def test_a_unix_socket_is_named_by_its_path(tmp_path: Path) -> None:
    require_redis_server()
    lines = []
    for start in (start_trivet_node, start_redis_server):
        path = tmp_path / f"{start.__name__}.sock"
        with start(tmp_path, "--unixsocket", str(path)) as server:
            answers = dialogue(server, ["m: MONITOR", f"a: ECHO {path}"], unix_path=str(path))
            lines.append([str(reply.value).replace(str(path), "PATH") for reply in answers["m"]])
    assert lines[0] == lines[1]
    assert any('[0 unix:PATH] "ECHO" "PATH"' in line for line in lines[0])
