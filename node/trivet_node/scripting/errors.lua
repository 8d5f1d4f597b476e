-- Errors as scripts see them: what Python raises is put into words, and positions are found.
--
-- Our own functions raise errors at level 1. Where an error happened is found as the C libraries would find it: by the level of the function that raised it. Frames of
-- our own chunks, which are all named host.PRELUDE, count as C. Messages that C functions raise on behalf of our functions
-- begin with that name, too, and get the position of who has called ours.
-- (Redis: __redis__err__handler in eval.c and function_lua.c; Lua: luaL_where.)

local host = ...
local PRELUDE, null = host.PRELUDE, host.null
local PREFIX = PRELUDE:sub(2) .. ':'
local getinfo, type, tostring, next = debug.getinfo, type, tostring, next
local sub, match = string.sub, string.match

-- The kinds of errors that Python raises: see faults.py.
local REPLY, COUNTED_REPLY, ARGUMENT, PLAIN = 1, 2, 3, 4

-- Returns three frames: of the function that has raised the error that is being handled, or that has ended `thread`; of
-- who called that; and of the first function above it that is not ours. Our own frames on top are the handler's.
local function trace(thread)
  local function frame(level)
    local info
    if thread then info = getinfo(thread, level, 'nSl') else info = getinfo(level, 'nSl') end
    return info
  end
  local level = thread and 0 or 1
  local raiser = frame(level)
  while not thread and raiser and raiser.source == PRELUDE do
    level = level + 1
    raiser = frame(level)
  end
  local caller = frame(level + 1)
  local outer = raiser
  if raiser and raiser.what == 'C' then
    level = level + 1
    outer = caller
  end
  while outer and outer.source == PRELUDE do
    level = level + 1
    outer = frame(level)
  end
  return raiser, caller, outer
end

-- Returns where a function is defined and its last line: what is known of an error whose own place a tail call has
-- overwritten, nothing for a function of C.
local function place_of(body)
  if type(body) ~= 'function' then return nil end
  local info = getinfo(body, 'SL')
  if info.what == 'C' then return nil end
  info.currentline = 0
  for line in next, info.activelines do
    if line > info.currentline then info.currentline = line end
  end
  return info
end

-- Returns the position that the C libraries write before a message.
local function position(info)
  if info and info.what == 'tail' then info = place_of(host.running) end
  if info and info.currentline > 0 and info.source ~= PRELUDE then
    return info.short_src .. ':' .. info.currentline .. ': '
  end
  return ''
end

-- Tables of several fields are filled one by one, as Redis fills them: the order of pairs() depends on it.
local function counted_error(text)
  local err = {}
  err.err = text
  err.ignore_error_stats_update = true
  return err
end

-- Returns what stands for an exception of Python.
local function describe(err, thread)
  local text, kind, argument = host.describe(err)
  if kind == REPLY then return {err = text} end
  if kind == COUNTED_REPLY then return counted_error(text) end
  if kind == PLAIN then return text end
  local raiser, caller = trace(thread)
  if kind == ARGUMENT then
    text = 'bad argument #' .. argument .. " to '" .. (raiser and raiser.name or '?') .. "' (" .. text .. ')'
  end
  return position(caller) .. text
end

-- Counts arguments as the C libraries do where one of our functions, `caller`, was called as a method.
local function for_method(text, caller)
  if not caller or caller.namewhat ~= 'method' then return text end
  local number, name, rest = match(text, "^bad argument #(%d+) to '(.-)' (.*)$")
  if not number then return text end
  if number == '1' then return "calling '" .. name .. "' on bad self " .. rest end
  return 'bad argument #' .. number - 1 .. " to '" .. name .. "' " .. rest
end

-- Returns what a script is to see of an error that is being handled, or that has ended `thread`.
local function explain(err, thread)
  local explained = err
  if type(err) == 'userdata' and err ~= null then
    explained = describe(err, thread)
  elseif type(err) == 'string' and sub(err, 1, #PREFIX) == PREFIX then
    local text = match(err, '^%d+: (.*)$', #PREFIX + 1)
    local _, caller, outer = trace(thread)
    if text then explained = position(outer) .. for_method(text, caller) end
  end
  return explained
end

-- Makes a table of any error, with its source and line.
local function fail(err)
  err = explain(err)
  local _, _, info = trace()
  if not info or info.what == 'tail' or info.what == 'C' then info = place_of(host.running) end
  if type(err) ~= 'table' then err = {err = 'ERR ' .. tostring(err)} end
  if info then
    err.source = info.source
    err.line = info.currentline
  end
  return err
end

host.explain, host.fail, host.interface.counted_error = explain, fail, counted_error
