"""Attacks on the sandbox of scripts: they get hold of nothing of Python, and the next script is as before."""

import gc
from typing import Any

import pytest

from tests.node.engines import Node
from trivet_node.scripting.gateway import Gateway
from trivet_node.scripting.machine import Failure, Machine

# All that a script may reach, from every table that it is given; each value is visited once.
CRAWL = """
local seen, found = {}, {}
local function visit(value, path)
  local kind = type(value)
  if kind == 'userdata' and value ~= cjson.null then found[#found + 1] = path end
  if kind ~= 'table' or seen[value] then return end
  seen[value] = true
  for key, element in pairs(value) do
    visit(key, path .. '.' .. tostring(key))
    visit(element, path .. '.' .. tostring(key))
  end
  visit(getmetatable(value), path .. '#')
end
visit(_G, '_G')
visit(getmetatable(''), 'string#')
visit(getmetatable(cjson.null), 'null#')
return found
"""

# What the ways of catching an error give for an error that Python has raised.
CATCHERS = [
    "select(2, pcall(function() FUNCTION(ARGUMENT) end))",
    "select(3, pcall(pcall, function() FUNCTION(ARGUMENT) end))",
    "select(2, pcall(function() error(select(2, pcall(function() FUNCTION(ARGUMENT) end))) end))",
    "select(2, xpcall(function() FUNCTION(ARGUMENT) end, function(e) return e end))",
    "select(2, xpcall(function() FUNCTION(ARGUMENT) end, function(e) return {e} end))",
    "select(2, coroutine.resume(coroutine.create(function() FUNCTION(ARGUMENT) end)))",
    "select(2, pcall(coroutine.wrap(function() FUNCTION(ARGUMENT) end)))",
    "select(2, load(function() FUNCTION(ARGUMENT) end))",
    "select(2, pcall(string.gsub, 'x', 'x', function() FUNCTION(ARGUMENT) end))",
    "select(2, pcall(table.sort, {1, 2, 3}, function() FUNCTION(ARGUMENT) end))",
    "select(2, pcall(function() return setmetatable({}, {__index = function() FUNCTION(ARGUMENT) end}).x end))",
    "select(2, pcall(tostring, setmetatable({}, {__tostring = function() FUNCTION(ARGUMENT) end})))",
]
CALLS = [
    ("redis.call", "'nosuch'"),
    ("redis.call", "{}"),
    ("cjson.decode", "'bad'"),
    ("cjson.decode", "{}"),
    ("cmsgpack.unpack", "'\\193'"),
    ("struct.pack", "'y'"),
    ("bit.band", "{}"),
    ("math.random", "0"),
    ("redis.log", "{}"),
    ("redis.setresp", "function() end"),
    ("redis.sha1hex", ""),
]

# Each is to end in an error, or to give nothing; none may change what another script sees.
ATTACKS = [
    "return python",
    "return io",
    "return os",
    "return debug",
    "return package",
    "return require",
    "return dofile",
    "return loadfile",
    "return newproxy",
    "return getfenv",
    "return setfenv",
    "return module",
    "return POBJECT",
    "return loadstring('return python')()",
    "return loadstring('return debug')()",
    "return load(function() return nil end)()",
    "return coroutine.wrap(function() return python end)()",
    "return redis.call.__class__",
    "return redis.call.__globals__",
    "return (redis.call)['__init__']",
    "return cjson.null.__class__",
    "return getmetatable(redis.call)",
    "return getmetatable(cjson.null)",
    "return setmetatable(cjson.null, {})",
    "return string.dump(redis.call)",
    "return loadstring(string.dump(function() return 1 end))",
    "local d = string.dump(function() end) return load(function() local piece = d d = nil return piece end)",
    "_G.x = 1",
    "rawset(_G, 'x', 1)",
    "setmetatable(_G, nil)",
    "setmetatable(_G, {__index = {}})",
    "getmetatable(_G).__index = nil",
    "rawset(getmetatable(_G), '__index', nil)",
    "getmetatable('').__index = {}",
    "rawset(getmetatable(''), '__index', {})",
    "getmetatable('').__gc = 1",
    "string.upper = nil",
    "rawset(string, 'upper', nil)",
    "table.insert(string, 1)",
    "table.insert(redis, 1, 1)",
    "table.setn(redis, 1)",
    "redis.call = nil",
    "local _, t = pairs(redis) t.call = nil",
    "local n, t = pairs(string) rawset(t, 'upper', nil)",
    "next(redis, 'nosuchkey')",
    "for k in pairs(redis) do redis[k] = nil end",
    "table.foreach(redis, function(k) redis[k] = nil end)",
    "error(redis)",
    "error(_G)",
    "error(setmetatable({}, {__newindex = function() error('x') end}))",
    "error(setmetatable({}, {__index = function(t, k) return function() end end}))",
    "error(setmetatable({}, {__tostring = function() error('x') end}))",
    "error(cjson.null)",
    "error(function() end)",
    "error(coroutine.create(function() end))",
    "error({err = {}})",
    "error({err = 'x', line = {}, source = {}})",
    "error({err = 'x', line = 'a\\nb', source = 'c\\r\\nd'})",
    "return {err = setmetatable({}, {__tostring = function() return 'x' end})}",
    "return setmetatable({}, {__index = function() return 'x' end})",
    "local t = setmetatable({}, {__index = function(t, k) return 1 end}) return #cjson.encode(t)",
    "__redis__err__handler(nil)",
    "__redis__err__handler(redis)",
    "xpcall(error, __redis__err__handler)",
    "return string.find(string.rep('a', 300000), string.rep('a?', 300000))",
    "return string.match(string.rep('a', 300000), string.rep('a-', 300000))",
    "return ('a'):rep(300000):gsub(('a*'):rep(300000), '')",
    "for _ in string.gmatch(string.rep('a', 300000), string.rep('a+', 300000)) do end",
    "return string.rep('x', 2^40)",
    "return unpack({}, 1, 1e8)",
    "local function f() return f() + 1 end return f()",
    "local function f() return pcall(f) end return f()",
    "local function f(n) return string.gsub('x', 'x', function() return f(n + 1) end) end return f(1)",
    "local function f() return coroutine.wrap(f)() end return f()",
    "local t = {} for i = 1, 1e4 do t = {t} end return cjson.encode(t)",
    "local t = {} for i = 1, 1e4 do t = {t} end return #cmsgpack.pack(t)",
    "return cmsgpack.unpack(string.rep('\\145', 1e5))",
    "return cjson.decode(string.rep('[', 1e5))",
    "cjson.decode_max_depth(1e9) return cjson.decode(string.rep('[', 1e6))",
    "return loadstring('return ' .. string.rep('(', 1e5))",
    "return loadstring(string.rep('a.', 1e5) .. 'b = 1')",
    "return table.concat({}, 'x', 1, 1e8)",
    "return string.format('%99999d', 1)",
    "return string.format('%s', redis.call)",
    "return struct.pack('i' .. string.rep('9', 100), 1)",
    "return struct.unpack('c999999999', 'x')",
    "return struct.pack(string.rep('x', 1e5))",
    "return struct.unpack(string.rep('b', 9000), string.rep('x', 9000))",
    "return redis.call(unpack({}, 1, 7000))",
    "return redis.call(redis.call, redis, cjson.null, coroutine.create(function() end))",
    "return redis.sha1hex(redis)",
    "return redis.log(3, redis, cjson.null)",
    "redis.setresp(1/0)",
    "redis.set_repl(0/0)",
    "return bit.tohex(1, -2^31)",
    "return math.random(-2^31, 2^31 - 1)",
    "return collectgarbage('nosuch')",
    "return tostring(setmetatable({}, {__tostring = redis.call}))",
    "return coroutine.wrap(function() coroutine.yield(redis.call('nosuch')) end)()",
    "local c = coroutine.create(function() error({err = 'x'}) end) coroutine.resume(c) return coroutine.resume(c)",
    "return coroutine.resume(coroutine.running())",
    "return pcall(pcall)",
    "return pcall()",
    "return xpcall()",
    "return xpcall(redis.call, redis.call)",
    "return select(-1)",
    "return next({}, redis.call)",
]
PROBE = """
return {type(redis.call), string.upper('x'), ('x'):upper(), #KEYS, tostring(1), cjson.encode({1}),
  redis.call('PING').ok}
"""


@pytest.fixture(scope="module")
def node() -> Node:
    """One state of Lua: an attack meets what those before it have left."""
    return Node()


def probe(node: Node) -> Any:
    return node.ask("EVAL", PROBE, 0)


def test_no_userdata_is_in_reach(node: Node) -> None:
    assert node.ask("EVAL", CRAWL, 0) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_changes_nothing(node: Node, attack: str) -> None:
    before = probe(node)
    reply = node.ask("EVAL", attack, 0)
    assert "<" not in str(reply), "this may be an object of Python"
    assert "Traceback" not in str(reply)
    assert "PRELUDE" not in str(reply)
    assert "\x01" not in str(reply)
    assert node.ask("EVAL", CRAWL, 0) == []
    assert probe(node) == before


@pytest.mark.parametrize("catcher", CATCHERS)
@pytest.mark.parametrize(("function", "argument"), CALLS)
def test_errors_of_python_are_never_caught_as_such(node: Node, catcher: str, function: str, argument: str) -> None:
    expression = catcher.replace("FUNCTION", function).replace("ARGUMENT", argument)
    script = f"local e = {expression} while type(e) == 'table' do e = e[1] or e.err end return type(e)"
    assert node.ask("EVAL", script, 0) == b"string"


def test_tables_of_dead_coroutines_are_not_held(node: Node) -> None:
    # An object for a Lua table that outlives its coroutine crashes the process when it goes.
    script = """
        for i = 1, 1000 do
          local body = coroutine.wrap(function(t)
            coroutine.yield(redis.call('ECHO', i))
            pcall(redis.call, t, {}, function() end)
            pcall(bit.band, t)
            pcall(cjson.decode, t)
            pcall(cmsgpack.unpack, cmsgpack.pack({t}))
            redis.call('SET', 'k', i)
            redis.call('MGET', 'k', 'l')
            cjson.new().encode_max_depth(5)
            cjson.decode('{"a":[1,{"b":2}]}')
          end)
          body({})
          body()
        end
        collectgarbage() collectgarbage()
        return redis.call('GET', 'k')
    """
    assert node.ask("EVAL", script, 0) == b"1000"
    gc.collect()
    assert node.ask("EVAL", "return redis.call('SET', 'k', 1)", 0) == b"OK"


def test_strings_are_any_bytes(node: Node) -> None:
    data = bytes(range(256)) * 3
    assert node.ask("EVAL", "return redis.call('ECHO', ARGV[1]) .. KEYS[1]", 1, data, data) == data + data
    assert node.ask("EVAL", "return cjson.decode(cjson.encode(ARGV[1])) == ARGV[1]", 0, data) == 1
    assert node.ask("EVAL", "return cmsgpack.unpack(cmsgpack.pack(ARGV[1])) == ARGV[1]", 0, data) == 1


def test_scripts_leave_no_garbage_behind(node: Node) -> None:
    script = "local t = {} for i = 1, 1000 do t[i] = {i, tostring(i)} end redis.call('SET', 'k', 'v') return #t"
    used = []
    for _ in range(6):
        for _ in range(100):
            node.ask("EVAL", script, 0)
        machine = node.server.programs.machine(Gateway())
        used.append(machine.memory_bytes())
    assert used[-1] < 4_000_000
    assert used[-1] < 2 * max(used[:3])


def test_a_fault_of_ours_is_an_error_in_the_script() -> None:
    faults: list[str] = []

    class FaultyGateway(Gateway):
        def call(self, arguments: list[bytes]) -> bytes:
            raise ZeroDivisionError

        def log(self, level: int, text: bytes) -> None:
            raise ZeroDivisionError

        def interrupt(self) -> bytes:
            raise ZeroDivisionError

        def fault(self) -> None:
            faults.append("fault")

    machine = Machine(FaultyGateway())
    for body in (b"return redis.call('GET', 'k')", b"return redis.log(1, 'x')", b"while true do end"):
        result = machine.run(machine.compile(body), 0, [])
        assert isinstance(result, Failure)
        assert result.text == b"ERR internal error, see the log of the server"
    assert machine.run(machine.compile(b"return redis.pcall('GET', 'k').err"), 0, [])
    assert faults == ["fault"] * 4
