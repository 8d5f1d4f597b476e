"""Scripts whose replies, errors and all, are the same in redis-server 7.0: one a line, by what they are about.

Each list runs in order in one state of Lua; the keys are those of SETUP.
"""

from typing import Final

SETUP: Final = ("FLUSHALL", "SET s hello", "HSET h a 1", "SADD set x", "ZADD z 1.5 m", "SCRIPT FLUSH")

ERRORS: Final = r"""
error({err='MYERR hello', x=1})
error('abc')
error('abc',0)
error(nil)
error()
local function f() error('abc',2) end f()
local function f() error('abc') end return f()
local function f() local x = nil + 1 end return f()
error(12)
error(true)
return redis.error_reply('a')
return redis.error_reply('A b')
return redis.error_reply('-A b')
return {err='A b'}
return {err='A'}
return {err='-A'}
return {err='A b\r\nc\n'}
return {err=''}
return {ok='A b'}
return {ok='A\nb'}
return {ok=1}
return {err=1}
return redis.status_reply('x')
return redis.status_reply(1)
return redis.status_reply()
return redis.error_reply()
return redis.sha1hex()
return redis.sha1hex('a')
return redis.sha1hex(1)
syntax error
if true then
return 'a
end
end return 1
return string.find('a','%')
return math.random(10,20,30)
return math.random(0)
return math.random('a')
return math.randomseed()
return pcall(function() error({err='x y'}) end)
return {pcall(function() error({err='x y'}) end)}
return {pcall(function() error({1,2}) end)}
return {pcall(function() error('x') end)}
return {pcall(redis.call)}
return {pcall(redis.call, {})}
return redis.pcall()
return redis.pcall({})
return redis.pcall('get')
return redis.call('get')
return redis.call('config','get','x')
return redis.call('eval','return 1',0)
return redis.call('config','foo')
return redis.call('multi')
return redis.call('lpush','s','a','b')
return redis.call('incr','s')
local x = redis.call('incr','s') return x
return {redis.pcall('incr','s')}
return redis.log(1)
return redis.log('a','b')
return redis.log(7,'b')
return redis.log(3,'b', 1, {}, 'c')
return redis.setresp()
return redis.setresp(4)
return redis.setresp('3')
return redis.set_repl()
return redis.set_repl(9)
return redis.set_repl(3)
return redis.acl_check_cmd()
return redis.acl_check_cmd('foo')
return redis.acl_check_cmd('get','x')
return redis.acl_check_cmd('set',{})
return redis.replicate_commands()
return redis.breakpoint()
return redis.debug('a', {1})
local out = {pcall(error, {})} return {#out, type(out[2])}
local out = {pcall(error, {err = true})} return {#out, type(out[2]), type(out[3])}
return {pcall(setmetatable({}, {__call = function(...) return select('#', ...) end}), 1, 2)}
return {pcall(setmetatable({}, {__call = function(...) return select('#', ...) end}))}
return {pcall({}, 1)}
return {pcall(nil, 1)}
return {select('#', redis.log(0, 'x'))}
return {select('#', redis.setresp(2))}
return {select('#', redis.set_repl(redis.REPL_ALL))}
return {select('#', math.randomseed(1))}
"""

VALUES: Final = r"""
return 3.99
return -3.99
return 1e300
return 0/0
return 1/0
return true
return false
return nil
return
return {1,2,nil,4}
return {1,2.5,'a',false,true,{3}}
return {double=3.5}
return {double='x'}
return {big_number='123'}
return {verbatim_string={format='txt',string='abc'}}
return {verbatim_string={format='txtx',string='abc'}}
return {verbatim_string={format='t',string='abc'}}
return {map={a=1}}
return {set={a=true}}
return {map={}}
return function() end
return redis.call
return coroutine.create(function() end)
return cjson.null
return {1,cjson.null,2}
return tostring(cjson.null)
return tostring(redis.call) == nil
return type(redis.call)
redis.setresp(3) return true
redis.setresp(3) return false
redis.setresp(3) return {true,false,nil,1}
redis.setresp(3) return redis.call('hgetall','h')
redis.setresp(3) return cjson.encode(redis.call('hgetall','h'))
redis.setresp(3) return cjson.encode(redis.call('smembers','set'))
redis.setresp(3) return cjson.encode(redis.call('zscore','z','m'))
redis.setresp(3) return tostring(redis.call('get','nokey'))
redis.setresp(3) return cjson.encode({redis.call('mget','nokey','s','nokey')})
return cjson.encode({redis.call('mget','nokey','s','nokey')})
return tostring(redis.call('get','nokey'))
return tostring(redis.call('blpop','nokey',0))
redis.setresp(3) return tostring(redis.call('blpop','nokey',0))
redis.setresp(3) return cjson.encode(redis.call('debug','protocol','verbatim'))
redis.setresp(3) return cjson.encode(redis.call('lolwut'))
"""

SANDBOX: Final = r"""
return next(5)
return setmetatable(5)
return pairs()
local a = next(5)
local t = {} t[1]=t return 1
return _G[{}]
return _G[1]
return KEYS[1]
return #ARGV
_G.KEYS = 5
KEYS = 5
string.foo = 1
redis.call = 1
return redis.foo
return redis.call('ping')
return redis.call('echo', 3.5, 1)
return redis.call('echo', 1e20)
return redis.call('echo', 3.1)
return redis.call('echo', 1e15)
return redis.call('echo', 100000000000000000)
return redis.call('echo', 0/0)
return redis.call('echo', true)
return redis.call('echo', nil)
return redis.call('PING', 'a\0b')
return redis.call('select', 1)
return print(1)
return getfenv
return load(function() return nil end)
return {load(function() error('x') end)}
return {load(function() return redis.call('foo') end)}
return {load(5)}
return {loadstring('return x y')}
return {loadstring('return x y','@foo')}
return {loadstring('\27abc', 'n')}
return loadstring('return x')()
return loadstring('x=1')()
return {coroutine.resume(coroutine.create(function() error('x') end))}
return {coroutine.resume(coroutine.create(function() error({err='x'}) end))}
return {coroutine.resume(coroutine.create(function() redis.call('foo') end))}
return coroutine.wrap(function() error('x') end)()
return coroutine.wrap(function() redis.call('foo') end)()
return coroutine.wrap(redis.call)
return {pcall(coroutine.wrap, redis.call)}
return coroutine.yield(1)
return {xpcall(function() error('x') end, function(e) return e .. '!' end)}
return {xpcall(function() redis.call('foo') end, function(e) return e end)}
return {xpcall(function() redis.call('foo') end, function(e) return type(e) end)}
return string.rep('a', -1)
return string.find()
local x = ('a'):find()
local x = ('a'):find({})
local x = string.find({}, 'a')
local x = ('a'):gsub('a')
local x = string.gsub('a', '(', 'b')
local x = ('a'):match('[a')
local x = string.find.x
return {string.find('a+b', '+', 1, true)}
return {string.find('abc', 'b(c)')}
return {('hello world'):gsub('o', '0', 1)}
return ('x'):bad()
return ('x'):rep(3)
return ('x').y
return table.concat({1,{},3})
return unpack({1,2,3})
local function f() return f() end return 5
local function f() return 1 + f() end return f()
return tostring(1e15) .. ' ' .. tostring(2^53) .. ' ' .. tostring(0.1)
return 9007199254740993
return -9223372036854775808
return #tostring(table)
"""

JSON: Final = r"""
return {cjson._VERSION, cjson._NAME, cmsgpack._VERSION, cmsgpack._NAME, cmsgpack._COPYRIGHT, cmsgpack._DESCRIPTION}
return {cjson.encode_sparse_array()}
return {cjson.encode_max_depth(), cjson.decode_max_depth(), cjson.encode_number_precision()}
return {cjson.encode_keep_buffer(), cjson.encode_invalid_numbers(), cjson.decode_invalid_numbers()}
return cjson.encode_number_precision(18)
return cjson.encode_number_precision(15)
return cjson.encode_number_precision(14)
return cjson.encode_number_precision(17)
return cjson.encode_max_depth(0)
return cjson.encode_max_depth(1,2)
return cjson.encode_keep_buffer('x')
return cjson.encode_keep_buffer('on')
return cjson.encode_invalid_numbers('null')
return cjson.encode_invalid_numbers(5)
return cjson.encode_invalid_numbers({})
return cjson.encode_invalid_numbers(false)
return cjson.encode(0/0)
return cjson.encode({[1.5]=1})
return cjson.encode({[true]=1})
return cjson.encode(print)
return cjson.encode(redis.call)
return cjson.encode({1,nil,3})
return cjson.encode({[100]=1})
return cjson.encode({[10]=1})
return cjson.encode({[11]=1})
return cjson.encode(0.1)
return cjson.encode(1e100)
return cjson.encode(-0)
return cjson.encode('/\127\1"\\')
return cjson.encode({})
return cjson.encode(_G)
return cjson.encode(redis)
return #cjson.encode(cjson.new())
return type(cjson.new().encode)
local t={} t[1]=t return cjson.encode(t)
return cjson.decode('{"a":1')
return cjson.decode('{"a" 1')
return cjson.decode('{a')
return cjson.decode('{1')
return cjson.decode('{ }}')
return cjson.decode('[1 2')
return cjson.decode('[')
return cjson.decode('')
return cjson.decode('  ]')
return cjson.decode('"abc')
return cjson.decode('"\\x"')
return cjson.decode('"\\u12"')
return cjson.decode('"\\ud800"')
return cjson.decode('"\\ud83d\\ude00 \\u00e9"')
return cjson.decode('nul')
return cjson.decode('nullx')
return cjson.decode('tru')
return cjson.decode('truee')
return cjson.decode('-')
return tostring(cjson.decode('-.5'))
return tostring(cjson.decode('1.'))
return tostring(cjson.decode('1e'))
return tostring(cjson.decode('0x1F'))
return tostring(cjson.decode('inf'))
return tostring(cjson.decode('-Infinity'))
return tostring(cjson.decode('NaN'))
return tostring(cjson.decode('+1'))
return tostring(cjson.decode('01'))
return tostring(cjson.decode('1.5.2'))
return tostring(cjson.decode('1 \0 xx'))
return tostring(cjson.decode('\0'))
return tostring(cjson.decode('1\0'))
return cjson.decode(string.rep('[',1001))
return cjson.decode(5)
return cjson.decode({})
return cjson.decode('[1,]')
return cjson.decode('{"a":1,}')
return cjson.decode('{"a":}')
return cjson.decode('{"a":1}}')
return cjson.decode('{"a":1,"b"}')
return cjson.decode('[{},[]]')
return cjson.encode(cjson.decode('[null,true,{"x":null}]'))
return cjson.encode(cjson.decode('{"a":1,"a":2}'))
cjson.decode_invalid_numbers(false) return cjson.decode('[0x10]')
return cjson.decode('[01]')
return cjson.decode('[inf]')
cjson.decode_invalid_numbers(true) return 1
"""

MESSAGE_PACK: Final = r"""
return cmsgpack.pack()
return cmsgpack.unpack()
return {cmsgpack.unpack('')}
return cmsgpack.unpack('\145')
return cmsgpack.unpack('\196\1a')
return cmsgpack.unpack('\193')
return {cmsgpack.unpack('\1\2\3')}
return {cmsgpack.unpack_one('\1\2\3')}
return {cmsgpack.unpack_one('\1\2\3', 2)}
return {cmsgpack.unpack_one('\1\2\3', 3)}
return {cmsgpack.unpack_one('\1\2\3', 4)}
return {cmsgpack.unpack_one('\1\2\3', -1)}
return {cmsgpack.unpack_limit('\1\2\3', 2)}
return {cmsgpack.unpack_limit('\1\2\3', 2, 1)}
return {cmsgpack.unpack_limit('\1\2\3')}
return {cmsgpack.unpack_limit('\1\2\3', 0, 0)}
return {cmsgpack.unpack_limit('\1\2\3', -1, 0)}
return cmsgpack.pack(1,-1,-33,255,65536,2^32,2^63,1.5,0.1,1/0,nil,true,'a',{1,2},{a=1},print)
return cmsgpack.pack({1,nil,3})
return cmsgpack.pack({[2]=1})
return cmsgpack.pack({})
local t={} t[1]=t return cmsgpack.pack(t)
local t={} t.x=t return cmsgpack.pack(t)
return cmsgpack.unpack('\129\192\1')
return tostring(cmsgpack.unpack('\207\255\255\255\255\255\255\255\255'))
return tostring(cmsgpack.unpack('\211\255\255\255\255\255\255\255\255'))
return {cmsgpack.unpack('\212\1\1')}
return cmsgpack.pack(nil, nil)
return cmsgpack.pack(redis.call, cjson.null, coroutine.create(function() end))
return #cmsgpack.pack(unpack({}, 1, 4000))
return #cmsgpack.pack(unpack({}, 1, 4001))
return {pcall(cmsgpack.pack, unpack({}, 1, 5000))}
return {pcall(cmsgpack.unpack_limit, 'x', -1)}
return {cmsgpack.unpack_limit('\1\2\3', 1, -1)}
return {cmsgpack.unpack_limit('\1\2\3', 0, 3)}
return {cmsgpack.unpack_limit('\1\2\3', 1, 4)}
return {cmsgpack.unpack_limit('\1\2\3', 1, 2^31)}
return {cmsgpack.unpack_limit('\1\2\3', 1, 2^32 + 1)}
return {cmsgpack.unpack_limit('\1\2\3', 1, -2^32 + 1)}
return {cmsgpack.unpack_limit('\1\2\3', 1, 2^63)}
return {cmsgpack.unpack_limit('\1\2\3', 2^32 + 1)}
return {cmsgpack.unpack_one('\1\2\3', 2^33 + 1)}
return {pcall(cmsgpack.unpack, '\129\192\1')}
return {pcall(cmsgpack.unpack, '\145')}
return {pcall(cmsgpack.unpack, '\193')}
return #{cmsgpack.unpack(string.rep('\1', 7997))}
return #{cmsgpack.unpack(string.rep('\1', 8000))}
return #{cmsgpack.unpack_limit(string.rep('\1', 9000), 7997)}
return #{cmsgpack.unpack_limit(string.rep('\1', 9000), 7999)}
return #{cmsgpack.unpack_limit(string.rep('\1', 9000), 8000)}
return {pcall(cmsgpack.unpack, string.rep('\1', 9000))}
return type(cmsgpack.unpack(string.rep('\145', 3999) .. '\1'))
return type(cmsgpack.unpack(string.rep('\145', 4000) .. '\1'))
return type(cmsgpack.unpack(string.rep('\129\1', 3999) .. '\1'))
return type(cmsgpack.unpack(string.rep('\129\1', 4000) .. '\1'))
return type(cmsgpack.unpack(string.rep('\129', 7998) .. string.rep('\1', 8001)))
return type(cmsgpack.unpack(string.rep('\129', 8000) .. string.rep('\1', 8001)))
return {pcall(cmsgpack.unpack, string.rep('\129\1', 100000))}
local thread = coroutine.create(function() end) return {pcall(cmsgpack.unpack, thread)}
"""

STRUCT: Final = r"""
return struct.pack('i', 1) .. struct.pack('>I2', 258) .. struct.pack('s','a')
return struct.pack('c0','abc') .. struct.pack('!8 b d', 1, 1.5)
return struct.pack('c5','abc')
return struct.pack('i33', 1)
return struct.pack('y', 1)
return struct.pack('!3', 1)
return struct.pack('i')
return struct.pack('i', 'x')
return struct.pack('i99999999999', 'x')
return {struct.unpack('i', 'abc')}
return {struct.unpack('b', 'abc', 0)}
return {struct.unpack('b', 'abc', -1)}
return {struct.unpack('b', 'abc', 3)}
return {struct.unpack('bbx', 'abc')}
return {struct.unpack('Bc0', '\2abc')}
return {struct.unpack('c0', '\2abc')}
return {struct.unpack('s', 'abc')}
return {struct.unpack('ss', 'abc\0d\0')}
return struct.size('s')
return struct.size('c0')
return struct.size('!8 b d i')
return struct.size('y')
return struct.size('?')
return {struct.unpack('>i16', string.rep('\255',16))}
return struct.pack('>i16', -2)
return struct.pack('>I8', 2^64)
return struct.pack('>I8', 2^63)
return struct.pack('>i8', -2^70)
"""

BIT: Final = r"""
return bit.band()
return bit.band('x')
return bit.band('12', 6)
return bit.tobit(2^32+5)
return bit.tobit(0.5) .. bit.tobit(1.5) .. bit.tobit(-1.5)
return bit.tohex(255) .. bit.tohex(255,-4) .. bit.tohex(255, 0) .. bit.tohex(255,100)
return {bit.bswap(1), bit.rol(1,33), bit.ror(1,1), bit.arshift(-8,1), bit.rshift(-8,1)}
return bit.lshift(1)
return bit.bnot(1e300)
return bit.bor(1,{})
"""

_ONE: Final = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"

# Whole requests, in order.
REQUESTS: Final[list[tuple[str | int | bytes, ...]]] = [
    ("EVAL", "return 1"),
    ("EVAL", "return 1", "a"),
    ("EVAL", "return 1", -1),
    ("EVAL", "return 1", 1),
    ("EVAL", "return {#KEYS, #ARGV, KEYS[1], ARGV[1], ARGV[2]}", 1, "k", "a", "b"),
    ("EVAL", "return {#KEYS, #ARGV, KEYS[2], ARGV[1]}", 2, "k", "l", "a"),
    ("EVAL", "return {#KEYS, #ARGV, KEYS[700], ARGV[9]}", 700, *range(709)),
    ("EVALSHA", "abc", 0),
    ("EVALSHA", "a" * 40, 0),
    ("EVALSHA", "A" * 40, "x"),
    ("SCRIPT", "LOAD", "return 1"),
    ("EVALSHA", _ONE, 0),
    ("EVALSHA", _ONE.upper(), 0),
    ("EVALSHA_RO", _ONE, 0),
    ("EVAL_RO", 'return redis.call("set","a","b")', 0),
    ("EVAL_RO", 'return redis.call("publish","a","b")', 0),
    ("EVAL_RO", 'return redis.call("pfcount","a")', 0),
    ("EVAL_RO", 'return redis.call("get","s")', 0),
    ("EVAL", "#!lua\nreturn 1", 0),
    ("EVAL", "#!lua", 0),
    ("EVAL", "#!", 0),
    ("EVAL", "#!foo\n", 0),
    ("EVAL", "#! lua\n", 0),
    ("EVAL", '#!lua flags=no-writes,allow-oom\nreturn redis.call("set","a","b")', 0),
    ("EVAL", "#!lua flags=x\nreturn 1", 0),
    ("EVAL", "#!lua name=x\nreturn 1", 0),
    ("EVAL", "#!lua flags=\nreturn 1", 0),
    ("EVAL", "#!lua flags=no-writes, \nreturn 1", 0),
    ("EVAL", '#!lua  flags=no-cluster\nerror("x")', 0),
    ("EVAL_RO", "#!lua\nreturn 1", 0),
    ("EVAL_RO", "#!lua flags=no-writes\nreturn 1", 0),
    ("EVAL", "#!LUA\nreturn 1", 0),
    ("EVAL", "#!lua flags=NO-WRITES\nreturn 1", 0),
    ("SCRIPT", "LOAD", "bad bad"),
    ("SCRIPT", "LOAD"),
    ("SCRIPT", "EXISTS"),
    ("SCRIPT", "EXISTS", _ONE, _ONE.upper(), "x"),
    ("SCRIPT", "FLUSH", "foo"),
    ("SCRIPT", "FLUSH", "async"),
    ("SCRIPT", "EXISTS", _ONE),
    ("SCRIPT", "FLUSH", "sync", "x"),
    ("SCRIPT", "FLUSH"),
    ("SCRIPT", "KILL"),
    ("SCRIPT", "DEBUG", "no"),
    ("SCRIPT", "DEBUG", "foo"),
    ("SCRIPT", "HELP"),
    ("SCRIPT", "foo"),
    ("EVAL", b"\x1bLua", 0),
    ("SCRIPT", "LOAD", b"\x1bLua"),
    ("SELECT", 3),
    ("EVAL", 'redis.call("set","k","v") redis.call("select",5) return redis.call("get","k")', 0),
    ("GET", "k"),
    ("FLUSHDB",),
    ("SELECT", 0),
    ("MULTI",),
    ("EVAL", "return redis.call('incr', KEYS[1])", 1, "counter"),
    ("EVAL", "return redis.call('incr', 's')", 0),
    ("EVAL", "return redis.call('incr', KEYS[1])", 1, "counter"),
    ("EXEC",),
    ("CONFIG", "RESETSTAT"),
    ("EVAL", "return redis.call('foo')", 0),
    ("EVAL", "return redis.call('incr','s')", 0),
    ("EVAL", "return redis.pcall('incr','s')", 0),
    ("EVAL", "return {err='MY x'}", 0),
    ("EVAL", "error('x')", 0),
    ("EVAL", "return redis.call('get')", 0),
    ("EVAL", "return {{err='MY2 x'}}", 0),
    ("EVAL", "return redis.call('config')", 0),
    ("INFO", "errorstats"),
]

# The code of a library, behind its first line: it is loaded, and function `x` called.
LIBRARIES: Final = r"""
redis.register_function()
redis.register_function(1,2,3)
redis.register_function('x')
redis.register_function('x', 1)
redis.register_function({}, function() end)
redis.register_function('x-y', function() end)
redis.register_function('', function() end)
redis.register_function{}
redis.register_function{function_name='a'}
redis.register_function{function_name={}, callback=function() end}
redis.register_function{function_name='a', callback=1}
redis.register_function{function_name='a', callback=function() end, flags=1}
redis.register_function{function_name='a', callback=function() end, flags={'x'}}
redis.register_function{function_name='a', callback=function() end, flags={1}}
redis.register_function{function_name='a', callback=function() end, description={}}
redis.register_function{function_name='a', callback=function() end, foo=1}
redis.register_function{function_name='a', callback=function() end, [1]=1}
redis.register_function{function_name='a', callback=function() end, [true]=1}
redis.register_function{function_name='a', callback=function() end, flags={'no-writes','allow-stale'}, description='de'}
redis.register_function('a', function() end) redis.register_function('a', function() end)
redis.call('get','x')
redis.foo()
return foo
x = 1
local a = string.rep('x', 3) redis.register_function(a, function() return 1 end)
local a = math.floor(3) redis.register_function('x', function() return 1 end)
local a = cjson.encode(3) redis.register_function('x', function() return 1 end)
redis.log(redis.LOG_NOTICE, 'hi') redis.register_function('x', function() return 1 end)
redis.setresp(3)
error('x')
error({err='x y'})
local t = nil + 1
local ok = pcall(function() end)
local t = tostring(1)
local t = {} for k,v in pairs(_G) do t[#t+1]=k end
local t = {} for k,v in pairs(redis) do t[#t+1]=k end error(table.concat(t,','))
local t = _G
local x = type(1)
local s = ('x'):rep(2) redis.register_function(s, function() return 1 end)
redis.register_function('x', function() return redis.register_function('y', function() end) end)
redis.register_function('x', function() return y end)
redis.register_function('x', function() y = 1 end)
redis.register_function('x', function() local t={} for k in pairs(_G) do t[#t+1]=k end table.sort(t) return t end)
redis.register_function('x', function() local t={} for k in pairs(redis) do t[#t+1]=k end table.sort(t) return t end)
redis.register_function('x', function() return redis.call('incr','s') end)
redis.register_function('x', function() error('boo') end)
redis.register_function('x', function() return redis.REDIS_VERSION end)
redis.register_function('x', redis.log)
local n = 0 redis.register_function('x', function() n = n + 1 return n end)
redis.register_function('x', function() return redis.breakpoint() end)
redis.register_function('x', function(k,a,...) return {#k,#a,select('#',...), tostring(KEYS)} end)
"""

_L1: Final = '#!lua name=l1\nredis.register_function("f1", function(k,a) return {k,a} end)'
FUNCTION_REQUESTS: Final[list[tuple[str | int | bytes, ...]]] = [
    ("FUNCTION", "HELP"),
    ("FUNCTION", "KILL"),
    ("FUNCTION", "STATS"),
    ("FUNCTION", "DUMP"),
    ("FUNCTION", "LOAD"),
    ("FUNCTION", "LOAD", "x"),
    ("FUNCTION", "LOAD", "x", "y"),
    ("FUNCTION", "LOAD", "replace"),
    ("FUNCTION", "LOAD", "#!lua name=foo\nreturn 1"),
    ("FUNCTION", "LOAD", '#!lua\nredis.register_function("a", function() end)'),
    ("FUNCTION", "LOAD", "#!lua name=a b=c\nx"),
    ("FUNCTION", "LOAD", "#!js name=a\nx"),
    ("FUNCTION", "LOAD", "#!lua name=a-b\nx"),
    ("FUNCTION", "LOAD", "#!lua name=a name=b\nx"),
    ("FUNCTION", "LOAD", "#!lua name=\nx"),
    ("FUNCTION", "LOAD", '#!lua name=a "x\nfoo'),
    ("FUNCTION", "LOAD", "#!\n"),
    ("FUNCTION", "LOAD", "#!lua"),
    ("FUNCTION", "LOAD", ""),
    ("FUNCTION", "LOAD", "#! lua name=a\nx"),
    ("FUNCTION", "LOAD", '#!lua name="a b"\nx'),
    ("FUNCTION", "LOAD", b"#!lua name=a\n\x1bLua"),
    ("FUNCTION", "LOAD", "#!lua name=l1\nx x"),
    ("FUNCTION", "LOAD", _L1),
    ("FUNCTION", "LOAD", _L1),
    ("FUNCTION", "LOAD", _L1.replace("l1", "l2")),
    ("FUNCTION", "LOAD", "replace", _L1),
    ("FUNCTION", "LIST"),
    ("FUNCTION", "STATS"),
    ("FCALL", "f1", 1, "k", "v"),
    ("FCALL", "F1", 0),
    ("FCALL", "f1", 300, *range(305)),
    ("FCALL", "f1", "x"),
    ("FCALL", "f1", -1),
    ("FCALL", "f1", 2, "a"),
    ("FCALL", "nof", 0),
    ("FCALL_RO", "f1", 0),
    ("FUNCTION", "DELETE", "nolib"),
    ("FUNCTION", "LIST", "x"),
    ("FUNCTION", "LIST", "libraryname"),
    ("FUNCTION", "LIST", "libraryname", "L*", "withcode"),
    ("FUNCTION", "LIST", "libraryname", "x*"),
    ("FUNCTION", "LIST", "withcode", "withcode"),
    ("FUNCTION", "DUMP"),
    ("FUNCTION", "RESTORE"),
    ("FUNCTION", "RESTORE", "x"),
    ("FUNCTION", "RESTORE", "x", "y"),
    ("FUNCTION", "RESTORE", "x", "append", "y"),
    ("FUNCTION", "FLUSH", "x"),
    ("FUNCTION", "FLUSH", "sync", "x"),
    ("FUNCTION", "DELETE", "L1"),
    ("FUNCTION", "DELETE", "l1"),
    ("FCALL", "f1", 0),
    ("FUNCTION", "LOAD", "#!LUA NAME=q\nredis.register_function('q', function() return redis.call('incr', 's') end)"),
    ("FCALL", "q", 0),
    ("FUNCTION", "FLUSH", "async"),
    ("FUNCTION", "LIST"),
]
