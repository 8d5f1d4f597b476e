-- What scripts see of Lua, and how they are run. This file is the first to run in a new state, and the last that sees
-- all of it: it and those it loads take what they need into local variables, and leave nothing else behind.
--
-- * Scripts live in an environment of their own. Tables that they share (the globals, `string`, `redis`, ...) are faces:
--   empty tables in front of the real one, so that every write meets a metamethod that refuses it.
-- * What Python gives are C closures (python.as_function), never objects. Where Python fails, it raises an exception,
--   which Lua would see as userdata: every function that can catch an error puts a proper error in its place.
-- * A hook counts instructions, in every coroutine, and asks whether the script is to go on.
-- (Redis: script_lua.c, eval.c, function_lua.c.)

local host = ...
-- Instructions between two looks at the clock.
local INSTRUCTIONS = 100000
-- Runs between two steps of the collector, and the size of a step.
local COLLECT_EVERY = 50

local getinfo, sethook, debug_metatable = debug.getinfo, debug.sethook, debug.getmetatable
local setmetatable, setfenv, type, next, error, xpcall = setmetatable, setfenv, type, next, error, xpcall
local tostring, collectgarbage, match = tostring, collectgarbage, string.match
local as_function = python.as_function
local PRELUDE = host.PRELUDE

---------------------------------------------------------------- readonly tables

-- From a face to the table behind it.
local behind = {}

local function refuse()
  error('Attempt to modify a readonly table', 2)
end

local function seal(contents)
  local face = {}
  behind[face] = contents
  setmetatable(face, {__index = contents, __newindex = refuse, __metatable = false})
  return face
end

local function missing(_, name)
  if type(name) ~= 'string' and type(name) ~= 'number' then
    error('Second argument to luaProtectedTableError must be a string or number', 2)
  end
  error("Script attempted to access nonexistent global variable '" .. name .. "'", 2)
end

-- Lets a missing field of `contents` be an error.
local function protected(contents)
  return setmetatable(contents, {__index = missing})
end

local globals = protected({})
local environment = seal(globals)
local null = newproxy(true)
do
  local shown = debug_metatable(null)
  shown.__tostring = function() return 'userdata: (nil)' end
  shown.__metatable = false
end

local interface = {}
host.behind, host.environment, host.null, host.interface = behind, environment, null, interface
function host.contents(object) return behind[object] or object end

---------------------------------------------------------------- interrupting

local killed = false

local function hook(event)
  if not host.running then return end
  if not killed then
    killed = host.interrupt()
    if not killed then
      if event == 'line' then sethook(hook, '', INSTRUCTIONS) end
      return
    end
    sethook(hook, 'l', INSTRUCTIONS)
  end
  -- Whoever catches this meets it again at its next line.
  if getinfo(2, 'S').source ~= PRELUDE then error({err = killed}) end
end

function host.watched(body)
  return function(...)
    sethook(hook, '', INSTRUCTIONS)
    return body(...)
  end
end

---------------------------------------------------------------- globals

host.load('errors.lua')(host)
host.load('base.lua')(host)
host.load('replies.lua')(host)
local json_encoder, decode_json = host.load('cjson.lua')(host)
local pack, unpack_from = host.load('cmsgpack.lua')(host)
local base, fail, explain = host.base, host.fail, host.explain
local unpack = unpack

-- Returns a table of folders, from what is named by paths such as `redis.call`.
local function unfolded(into, functions, constants)
  local function put(path, value)
    local folder, name = match(path, '^(.-)%.(.*)$')
    into[folder] = into[folder] or {}
    into[folder][name] = value
  end
  for path, callable in next, functions do put(path, as_function(callable)) end
  for path, value in next, constants do put(path, value) end
  return into
end

-- The settings of the encoders of all instances of cjson, by numbers that Python knows.
local encoders = setmetatable({}, {__mode = 'v'})

local function store(instance, name, value)
  local settings = encoders[instance]
  if settings then settings[name] = value end
end

-- Completes the table of the instance of cjson with that number.
local function json_instance(into, instance)
  local settings = {converts = false, ratio = 2, safe = 10, depth = 1000, invalid = 0, format = '%.14g'}
  encoders[instance] = settings
  into.encode = json_encoder(settings)
  into.null = null
  return into
end

-- Returns a table for cjson.new().
local function new_json(functions, constants, instance)
  return json_instance(unfolded({}, functions, constants).cjson, instance)
end

-- Returns what cmsgpack.unpack() does: where to go on, if that is asked for, and the values.
local function spread(values, count, place)
  if place then return place, unpack(values, 1, count) end
  return unpack(values, 1, count)
end

local function fill(into, contents)
  for name, value in next, contents do into[name] = type(value) == 'table' and seal(value) or value end
end

unfolded(base, host.functions(decode_json, store, new_json, unpack_from, spread))
json_instance(base.cjson, 1)
base.cmsgpack.pack = pack
fill(globals, base)
if host.is_for_scripts then globals.__redis__err__handler = fail end
globals._G = environment
-- Methods of strings are those of `string`.
debug_metatable('').__index = base.string
debug_metatable('').__metatable = seal({__index = globals.string})
debug_metatable(environment).__metatable = seal({__index = missing})

-- What the code of a library sees while it is loaded.
local loading_globals = protected({})
for name, contents in next, unfolded({}, host.loading_functions()) do
  loading_globals[name] = seal(protected(contents))
end

-- Nothing of this state is left to whoever finds a way to its own globals.
local all = _G
for name in next, all do all[name] = nil end

---------------------------------------------------------------- what Python calls

local runs = 0

-- Ends a run, and collects some garbage now and then.
local function finish()
  host.running = nil
  if killed then
    killed = false
    sethook(hook, '', INSTRUCTIONS)
  end
  runs = runs + 1
  if runs == COLLECT_EVERY then
    runs = 0
    collectgarbage('step', COLLECT_EVERY)
  end
end

-- Returns what a run has given in a form that Python tells apart: a table behind `true`, an error behind `false`.
local function outcome(ok, result)
  finish()
  local kind = type(result)
  if not ok then
    if kind ~= 'table' then return false, false, (kind == 'string' and result or 'execution failure') end
    local text, line = result.err, result.line
    if type(text) ~= 'string' and type(text) ~= 'number' then text = 'ERR unknown error' end
    return false, result.ignore_error_stats_update == true, tostring(text), line and tostring(line) or false,
      result.source or false
  end
  if kind == 'table' then return true, result end
  if kind == 'string' or kind == 'number' or kind == 'boolean' then return result end
  return nil
end

local function one_key(key, ...)
  return {key}, {...}
end

local function some_keys(count, ...)
  local all = {...}
  local keys, arguments = {}, {}
  for index = 1, count do keys[index] = all[index] end
  for index = count + 1, #all do arguments[index - count] = all[index] end
  return keys, arguments
end

-- Runs a script. Its keys, `count` of them, and arguments follow.
function interface.run(script, count, ...)
  if count == 0 then globals.KEYS, globals.ARGV = {}, {...}
  elseif count == 1 then globals.KEYS, globals.ARGV = one_key(...)
  else globals.KEYS, globals.ARGV = some_keys(count, ...) end
  host.running = script
  return outcome(xpcall(script, fail))
end

-- Runs a script whose keys and arguments are tables already.
function interface.run_with(script, keys, arguments)
  globals.KEYS, globals.ARGV = keys, arguments
  host.running = script
  return outcome(xpcall(script, fail))
end

-- Runs a function of a library.
function interface.run_function(body, keys, arguments)
  host.running = body
  return outcome(xpcall(function() return (body(keys, arguments)) end, fail))
end

-- Returns the function that a chunk is, or the message of the compiler.
function interface.compile(text, name)
  local chunk, message = base.loadstring(text, name)
  return chunk or message
end

-- Runs the code of a library; returns an error, or nothing.
function interface.load(text, name)
  local chunk, message = base.loadstring(text, name)
  if not chunk then return 'Error compiling function: ' .. message end
  local environment_metatable = debug_metatable(environment)
  environment_metatable.__index = loading_globals
  host.running = chunk
  local ok, err = xpcall(chunk, explain)
  environment_metatable.__index = globals
  finish()
  if ok then return nil end
  if type(err) == 'table' then message = tostring(err.err) else message = 'ERR ' .. tostring(err) end
  return 'Error registering functions: ' .. message
end

function interface.memory() return collectgarbage('count') * 1024 end

sethook(hook, '', INSTRUCTIONS)
return interface
