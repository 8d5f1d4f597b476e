-- Errors as scripts see them: what Python raises is put into words, and positions are found.
--
-- Our own functions raise errors at level 1. Where an error happened is found as the C libraries would find it: by the
-- level of the function that raised it. Frames of our own chunks, which are all named host.PRELUDE, count as C. Messages
-- that C functions raise on behalf of our functions begin with that name, too, and get the position of who has called
-- ours, and the name that ours was called by.
-- (Redis: __redis__err__handler in eval.c and function_lua.c; Lua: luaL_where.)

local host = ...
local PRELUDE, null = host.PRELUDE, host.null
local PREFIX = PRELUDE:sub(2) .. ':'
local getinfo, type, tostring, tonumber, next = debug.getinfo, type, tostring, tonumber, next
local sub, match = string.sub, string.match

-- The kinds of errors that Python raises: see faults.py.
local REPLY, COUNTED_REPLY, ARGUMENT, PLAIN = 1, 2, 3, 4

-- Returns four frames: of the function that has raised the error that is being handled, or that has ended `thread`; of
-- who called that; of the first function above it that is not ours; and of ours that this one has called, if any. Our
-- own frames on top are the handler's.
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
  local outer, ours = raiser, nil
  if raiser and raiser.what == 'C' then
    level = level + 1
    outer = caller
  end
  while outer and outer.source == PRELUDE do
    level = level + 1
    ours = outer
    outer = frame(level)
  end
  return raiser, caller, outer, ours
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

-- Returns the message about an argument of the function in a frame, which is named as it was called. (luaL_argerror)
local function argument_message(number, frame, reason)
  local name = frame and frame.name or '?'
  if frame and frame.namewhat == 'method' then
    number = number - 1
    if number == 0 then return "calling '" .. name .. "' on bad self (" .. reason .. ')' end
  end
  return 'bad argument #' .. number .. " to '" .. name .. "' (" .. reason .. ')'
end

-- Returns what stands for an exception of Python.
local function describe(err, thread)
  local text, kind, argument = host.describe(err)
  if kind == REPLY then return {err = text} end
  if kind == COUNTED_REPLY then return counted_error(text) end
  if kind == PLAIN then return text end
  local raiser, caller = trace(thread)
  if kind == ARGUMENT then text = argument_message(argument, raiser, text) end
  return position(caller) .. text
end

-- Returns a message of C as it were if C had been called instead of our function in front of it, whose frame is `ours`.
-- A tail call leaves no trace of what ours was called.
local function in_front(text, ours, outer)
  local number, reason = match(text, "^bad argument #(%d+) to '.-' %((.*)%)$")
  if not number or not outer or outer.what == 'tail' then return text end
  return argument_message(tonumber(number), ours, reason)
end

-- Returns what a script is to see of an error that is being handled, or that has ended `thread`.
local function explain(err, thread)
  local explained = err
  if type(err) == 'userdata' and err ~= null then
    explained = describe(err, thread)
  elseif type(err) == 'string' and sub(err, 1, #PREFIX) == PREFIX then
    local text = match(err, '^%d+: (.*)$', #PREFIX + 1)
    local _, _, outer, ours = trace(thread)
    if text then explained = position(outer) .. in_front(text, ours, outer) end
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
