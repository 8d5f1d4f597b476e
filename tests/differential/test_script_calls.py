"""Every function that scripts find, called in many ways with many arguments, beside redis-server's.

What a message calls a function, how it counts its arguments, and which position it begins with depend on the way.
"""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.differential.test_scripts import Ours, Real
from tests.processes import start_redis_server

# `gcinfo`, `collectgarbage`, `os.clock` and `math.random` without arguments tell of the process they run in;
# redis-server 7.0 ends when a script raises a table without text by `error`.
FUNCTIONS: Final[dict[str, str]] = {
    "_G": "assert ipairs rawequal select tonumber tostring type unpack getmetatable setmetatable rawget rawset next "
    "pairs pcall xpcall loadstring load",
    "coroutine": "status create wrap resume",
    "string": "byte char dump find format gmatch gsub len lower match rep reverse sub upper gfind",
    "math": "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp ldexp log10 max min modf pow rad "
    "randomseed sin sinh sqrt tan tanh mod",
    "table": "concat foreach foreachi getn insert maxn remove setn sort",
    "cjson": "decode encode new encode_sparse_array encode_max_depth decode_max_depth encode_number_precision "
    "encode_keep_buffer encode_invalid_numbers decode_invalid_numbers",
    "cmsgpack": "pack unpack unpack_one unpack_limit",
    "struct": "pack unpack size",
    "bit": "tobit bnot band bor bxor lshift rshift arshift rol ror bswap tohex",
    "redis": "call pcall log sha1hex error_reply status_reply setresp set_repl acl_check_cmd replicate_commands "
    "breakpoint debug register_function",
}
ARGUMENTS: Final = (
    "",
    "nil",
    "{}",
    "true",
    "'x'",
    "3",
    "print",
    "{}, {}",
    "'x', nil",
    "1, {}",
    "{}, 1, {}",
    "'x', 'y', {}",
    "'%d', 'x'",
    "function() error('e') end",
    "function() error({}) end",
    "function() local x = nil + 1 end",
    "coroutine.create(function() end)",
)
# What is behind a table that is readonly is not its own contents here, as it is there.
FACES: Final = ("redis", "redis, 'x'", "redis, 'x', 1", "redis, {}", "redis, nil", "_G, print")
FACED: Final = (
    "getmetatable",
    "setmetatable",
    "rawget",
    "rawset",
    "next",
    "table.insert",
    "table.foreach",
    "table.getn",
)
# No call of a function of ours is returned at once: Lua forgets where such a call is, and C does not.
# F and A are the function and its arguments; L and N the library and the name in it.
CALLS: Final = (
    "return pcall(F, A)",
    "local x = F(A) return x",
    "return (F(A))",
    "local f = F local x = f(A) return x",
    "local t = {F} local x = t[1](A) return x",
    "local x = L:N(A) return x",
    "return pcall(pcall, F, A)",
    "return xpcall(F, function(err) return err end)",
    "return xpcall(function() local x = F(A) return x end, function(err) return err end)",
    "local thread = coroutine.create(function(...) local x = F(...) return x end) return coroutine.resume(thread, A)",
    "return coroutine.wrap(function() return pcall(F, A) end)()",
)
# Runs each of ARGV and describes what it returns or raises, but not what stands in tables.
SCRIPT: Final = """
local function described(...)
  local parts = {}
  for index = 1, select('#', ...) do
    local value = (select(index, ...))
    local kind = type(value)
    if kind == 'table' then value = rawget(value, 'err') and 'error ' .. tostring(value.err) or kind end
    if kind == 'function' or kind == 'thread' or kind == 'userdata' then value = kind end
    parts[index] = tostring(value):gsub('0x%x+', 'address')
  end
  return table.concat(parts, ' ')
end
local out = {}
for index, code in ipairs(ARGV) do out[index] = described(pcall(loadstring(code))) end
return out
"""


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ours, Real]]:
    with start_redis_server(tmp_path_factory.mktemp("calls")) as server:
        real = Real(server)
        yield Ours(), real
        real.close()


@pytest.mark.parametrize(
    ("library", "name"), [(library, name) for library, names in FUNCTIONS.items() for name in names.split()]
)
def test_calls_give_the_same_and_fail_with_the_same_words(sides: tuple[Ours, Real], library: str, name: str) -> None:
    function = name if library == "_G" else f"{library}.{name}"
    arguments = ARGUMENTS + (FACES if function in FACED else ())
    # In which order a table is packed depends on how it was filled.
    calls = [call for call in CALLS if function != "cmsgpack.pack" or "L:N" not in call]
    codes = [_code(call, library, name, given) for call in calls for given in arguments]
    ours, real = (side.ask("EVAL", SCRIPT, 0, *codes) for side in sides)
    assert len(real.items()) == len(codes), real
    for code, one, other in zip(codes, ours.items(), real.items(), strict=True):
        assert one == other, code


def _code(call: str, library: str, name: str, given: str) -> str:
    """Return the code that makes a call."""
    if not given:
        call = call.replace(", A", "")
    # The arguments come last: they are code, too.
    function = name if library == "_G" else f"{library}.{name}"
    return call.replace("F", function).replace("L", library).replace("N", name).replace("A", given)
