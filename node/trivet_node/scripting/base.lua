-- The library of scripts: Lua's own where it can do no harm, and functions in front of it where it could.
--
-- The C functions behind these get all arguments as they came, none for none, and are called by their own names: error
-- messages count and quote them. (Lua 5.1: lbaselib.c, ltablib.c.)

local host = ...
local behind, environment = host.behind, host.environment
local explain, watched = host.explain, host.watched
local getinfo, debug_metatable = debug.getinfo, debug.getmetatable
local PRELUDE = host.PRELUDE
local setfenv, error, unpack, select, type, xpcall = setfenv, error, unpack, select, type, xpcall
local next, tonumber = next, tonumber
local sub, byte, gsub, rawget = string.sub, string.byte, string.gsub, rawget

-- How deep the recursion of a pattern may be: about a megabyte of stack.
local LEVELS_MAX = 5000

local base = {
  assert = assert, error = error, gcinfo = gcinfo, ipairs = ipairs, rawequal = rawequal, select = select,
  tonumber = tonumber, tostring = tostring, type = type, unpack = unpack, collectgarbage = collectgarbage,
  _VERSION = _VERSION,
}

-- Raises what C raises for a write to a table that is readonly.
local function refuse()
  error('Attempt to modify a readonly table', 0)
end

-- Returns its arguments with what is behind the first of them, which is a face.
local function revealed(object, ...)
  return behind[object], ...
end

do
  local getmetatable = getmetatable
  function base.getmetatable(...) return getmetatable(...) or nil end
end

do
  local setmetatable = setmetatable
  function base.setmetatable(...)
    local object, metatable = ...
    if behind[object] and (type(metatable) == 'table' or metatable == nil and select('#', ...) > 1) then refuse() end
    return setmetatable(...)
  end
end

do
  local rawset = rawset
  function base.rawget(...)
    local object = ...
    if behind[object] then return rawget(revealed(...)) end
    return rawget(...)
  end
  function base.rawset(...)
    local object = ...
    if behind[object] and select('#', ...) > 2 then refuse() end
    return rawset(...)
  end
end

do
  local next, pairs = next, pairs
  function base.next(...)
    local object = ...
    if behind[object] then return next(revealed(...)) end
    return next(...)
  end
  function base.pairs(...)
    local object = ...
    if behind[object] then return base.next, object, nil end
    return pairs(...)
  end
end

-- Errors with an `err` field are caught as that text, as they were in older versions; where the field is no text, it
-- comes behind the error. (Redis: luaRedisPcall)
local function settle(ok, ...)
  if ok then return true, ... end
  local err = ...
  if type(err) ~= 'table' then return false, err end
  local text = err.err
  if type(text) == 'string' or type(text) == 'number' then return false, text end
  return false, err, text
end

-- What is called in the arguments of this is no tail call: its frame stays below that of its caller.
local function passed(...)
  return ...
end

-- Says whether a value can be called.
local function is_callable(value)
  if type(value) == 'function' then return true end
  local metatable = debug_metatable(value)
  return metatable ~= nil and rawget(metatable, '__call') ~= nil
end

function base.pcall(...)
  local body = ...
  local count = select('#', ...)
  -- Where there is nothing to call, what is called is the room for the result.
  if count == 0 then body = true end
  if count <= 1 or not is_callable(body) then return settle(xpcall(body, explain)) end
  -- Called out of a table, a function has no name that messages could quote, as when C calls it.
  local all = {...}
  return settle(xpcall(function() return passed(all[1](unpack(all, 2, count))) end, explain))
end

do
  local xpcall = xpcall
  function base.xpcall(...)
    if select('#', ...) < 2 then error("bad argument #2 to 'xpcall' (value expected)") end
    local body, handler = ...
    return xpcall(body, function(err) return handler(explain(err)) end)
  end
end

do
  local loadstring, load = loadstring, load
  -- Compiled code is refused with the words for a character that no chunk begins with.
  local function in_sandbox(chunk, message, is_compiled)
    if chunk then return setfenv(chunk, environment) end
    if is_compiled then message = gsub(message, "'char%(1%)'", "'char(27)'", 1) end
    if type(message) == 'userdata' then message = explain(message) end
    return nil, message
  end
  function base.loadstring(...)
    local text, name = ...
    if type(text) == 'string' and byte(text) == 27 then
      local chunk, message = loadstring('\1' .. sub(text, 2), name or text)
      return in_sandbox(chunk, message, true)
    end
    return in_sandbox(loadstring(...))
  end
  function base.load(...)
    local reader, name = ...
    if type(reader) ~= 'function' then return load(...) end
    local first, refused = true, nil
    local chunk, message = load(function()
      local piece = reader()
      if first and type(piece) == 'string' and piece ~= '' then
        first = false
        if byte(piece) == 27 then
          refused = true
          piece = '\1' .. sub(piece, 2)
        end
      end
      return piece
    end, name or '=(load)')
    return in_sandbox(chunk, message, refused)
  end
end

do
  local coroutine = coroutine
  local resume, create, wrap = coroutine.resume, coroutine.create, coroutine.wrap
  local function check(body, name)
    local info = type(body) == 'function' and getinfo(body, 'S')
    if not info or info.what == 'C' or info.source == PRELUDE then
      error("bad argument #1 to '" .. name .. "' (Lua function expected)")
    end
  end
  local function settled(thread, ok, ...)
    if ok then return true, ... end
    return false, explain((...), thread)
  end
  base.coroutine = {
    status = coroutine.status, running = coroutine.running, yield = coroutine.yield,
    create = function(body)
      check(body, 'create')
      return create(watched(body))
    end,
    wrap = function(body)
      check(body, 'wrap')
      return wrap(watched(body))
    end,
    resume = function(...) return settled((...), resume(...)) end,
  }
end

local function copied(library)
  local copy = {}
  for name, value in next, library do copy[name] = value end
  return copy
end

base.string, base.math, base.table = copied(string), copied(math), copied(table)

-- A pattern is matched by recursion in C, one level for each repetition and capture: too many overflow the stack.
do
  local string = string
  local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub
  local function check(pattern)
    local _, levels = gsub(pattern, '[-*+?()]', '')
    if levels > LEVELS_MAX then error('pattern too complex') end
  end
  function base.string.find(...)
    local _, pattern, _, plain = ...
    if type(pattern) == 'string' and #pattern > LEVELS_MAX and not plain then check(pattern) end
    return find(...)
  end
  function base.string.match(...)
    local _, pattern = ...
    if type(pattern) == 'string' and #pattern > LEVELS_MAX then check(pattern) end
    return match(...)
  end
  function base.string.gmatch(...)
    local _, pattern = ...
    if type(pattern) == 'string' and #pattern > LEVELS_MAX then check(pattern) end
    return gmatch(...)
  end
  function base.string.gsub(...)
    local _, pattern = ...
    if type(pattern) == 'string' and #pattern > LEVELS_MAX then check(pattern) end
    return gsub(...)
  end
end

do
  local insert, foreach = table.insert, table.foreach
  function base.table.insert(...)
    local list, place = ...
    local count = select('#', ...)
    if behind[list] and (count == 2 or count == 3 and tonumber(place)) then refuse() end
    return insert(...)
  end
  function base.table.foreach(...)
    local list = ...
    if behind[list] then return foreach(revealed(...)) end
    return foreach(...)
  end
end

host.base = base
