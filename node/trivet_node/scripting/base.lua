-- The library of scripts: Lua's own where it can do no harm, and functions in front of it where it could.
--
-- The C functions behind these are called by their own names: error messages quote them. (Lua 5.1: lbaselib.c, ltablib.c.)

local host = ...
local behind, environment = host.behind, host.environment
local explain, watched = host.explain, host.watched
local getinfo = debug.getinfo
local setfenv, error, unpack, select, type, xpcall, next = setfenv, error, unpack, select, type, xpcall, next
local sub, byte, gsub = string.sub, string.byte, string.gsub

-- How deep the recursion of a pattern may be: about a megabyte of stack.
local LEVELS_MAX = 5000

local base = {
  assert = assert, error = error, gcinfo = gcinfo, ipairs = ipairs, rawequal = rawequal, select = select,
  tonumber = tonumber, tostring = tostring, type = type, unpack = unpack, collectgarbage = collectgarbage,
  _VERSION = _VERSION,
}

do
  local getmetatable = getmetatable
  function base.getmetatable(object) return getmetatable(object) or nil end
end

do
  local setmetatable = setmetatable
  function base.setmetatable(object, ...)
    if behind[object] then error('Attempt to modify a readonly table', 0) end
    return setmetatable(object, ...)
  end
end

do
  local rawget, rawset = rawget, rawset
  function base.rawget(object, ...) return rawget(behind[object] or object, ...) end
  function base.rawset(object, ...)
    if behind[object] then error('Attempt to modify a readonly table', 0) end
    return rawset(object, ...)
  end
end

do
  local next, pairs = next, pairs
  function base.next(object, ...) return next(behind[object] or object, ...) end
  function base.pairs(...)
    local object = ...
    if behind[object] then return base.next, object, nil end
    return pairs(...)
  end
end

-- Errors with an `err` field are caught as that text, as they were in older versions.
local function settle(ok, ...)
  if ok then return true, ... end
  local err = ...
  if type(err) == 'table' then
    local text = err.err
    if type(text) == 'string' or type(text) == 'number' then err = text end
  end
  return false, err
end

-- What is called in the arguments of this is no tail call: its frame stays below that of its caller.
local function passed(...)
  return ...
end

function base.pcall(body, ...)
  local count = select('#', ...)
  if count == 0 then return settle(xpcall(body, explain)) end
  -- Called out of a table, a function has no name that messages could quote, as when C calls it.
  local arguments = {...}
  local callee = {body}
  return settle(xpcall(function() return passed(callee[1](unpack(arguments, 1, count))) end, explain))
end

do
  local xpcall = xpcall
  function base.xpcall(body, handler, ...)
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
  function base.loadstring(text, ...)
    if type(text) == 'string' and byte(text) == 27 then
      local chunk, message = loadstring('\1' .. sub(text, 2), (...) or text)
      return in_sandbox(chunk, message, true)
    end
    return in_sandbox(loadstring(text, ...))
  end
  function base.load(reader, ...)
    if type(reader) ~= 'function' then return load(reader) end
    local first, refused = true, nil
    local name = (...) or '=(load)'
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
    end, name)
    return in_sandbox(chunk, message, refused)
  end
end

do
  local coroutine = coroutine
  local resume, create, wrap = coroutine.resume, coroutine.create, coroutine.wrap
  local function check(body, name)
    if type(body) ~= 'function' or getinfo(body, 'S').what == 'C' then
      error("bad argument #1 to '" .. (getinfo(2, 'n').name or name) .. "' (Lua function expected)")
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
    resume = function(thread, ...) return settled(thread, resume(thread, ...)) end,
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
  function base.table.insert(list, ...)
    if behind[list] then error('Attempt to modify a readonly table', 0) end
    return insert(list, ...)
  end
  function base.table.foreach(list, ...) return foreach(behind[list] or list, ...) end
end

host.base = base
