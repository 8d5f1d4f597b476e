-- What scripts give back as replies, and replies of commands as values. (Redis: script_lua.c luaReplyToRedisReply.)

local host = ...
-- How deep a reply may be nested: what the stack of a C function holds.
local DEPTH_MAX = 7995
local type, next, rawget, select, unpack = type, next, rawget, select, unpack
local sub, match, format, gsub, concat = string.sub, string.match, string.format, string.gsub, table.concat

local encode_table

-- Appends `value` to `out` as a reply; errors met on the way are appended to `errors`.
local function encode(out, value, protocol, script_protocol, errors, depth)
  local kind = type(value)
  if kind == 'string' then
    out[#out + 1] = '$' .. #value .. '\r\n' .. value .. '\r\n'
  elseif kind == 'number' then
    out[#out + 1] = format(':%d\r\n', value)
  elseif kind == 'table' then
    return encode_table(out, value, protocol, script_protocol, errors, depth + 1)
  elseif kind == 'boolean' and script_protocol == 3 then
    if protocol == 3 then out[#out + 1] = value and '#t\r\n' or '#f\r\n'
    else out[#out + 1] = value and ':1\r\n' or ':0\r\n' end
  elseif value == true then
    out[#out + 1] = ':1\r\n'
  else
    out[#out + 1] = protocol == 3 and '_\r\n' or '$-1\r\n'
  end
end

local function field(value, name, kind)
  local found = rawget(value, name)
  return type(found) == kind and found or nil
end

-- What C takes of a string: all before the first NUL.
local function c_string(text)
  return match(text, '^%Z*')
end

local function spaced(text)
  return (gsub(text, '[\r\n]', ' '))
end

local function encode_text(out, text, protocol, mark)
  if protocol == 3 then out[#out + 1] = mark .. text .. '\r\n'
  else out[#out + 1] = '$' .. #text .. '\r\n' .. text .. '\r\n' end
end

local function encode_verbatim(out, text, kind, protocol)
  if protocol == 3 then
    kind = sub(c_string(kind) .. '   ', 1, 3)
    out[#out + 1] = '=' .. #text + 4 .. '\r\n' .. kind .. ':' .. text .. '\r\n'
  else
    encode_text(out, text, protocol)
  end
end

local function encode_elements(out, value, protocol, script_protocol, errors, depth, is_map)
  local head = #out + 1
  local count = 0
  out[head] = ''
  for key, element in next, value do
    count = count + 1
    encode(out, key, protocol, script_protocol, errors, depth)
    if is_map then encode(out, element, protocol, script_protocol, errors, depth) end
  end
  if protocol == 3 then out[head] = (is_map and '%' or '~') .. count .. '\r\n'
  else out[head] = '*' .. (is_map and count * 2 or count) .. '\r\n' end
end

local function encode_array(out, value, protocol, script_protocol, errors, depth)
  local head = #out + 1
  local count = 0
  out[head] = ''
  local element = rawget(value, 1)
  while element ~= nil do
    count = count + 1
    encode(out, element, protocol, script_protocol, errors, depth)
    element = rawget(value, count + 1)
  end
  out[head] = '*' .. count .. '\r\n'
end

local function encode_error(out, text, errors, is_counted)
  text = spaced(match(c_string(text), '^(.-)[\r\n]*$'))
  out[#out + 1] = '-' .. text .. '\r\n'
  if not is_counted then errors[#errors + 1] = text end
end

function encode_table(out, value, protocol, script_protocol, errors, depth)
  if depth > DEPTH_MAX then return encode_error(out, 'ERR reached lua stack limit', errors) end
  local found = field(value, 'err', 'string')
  if found then return encode_error(out, found, errors, value.ignore_error_stats_update == true) end
  found = field(value, 'ok', 'string')
  if found then
    out[#out + 1] = '+' .. spaced(c_string(found)) .. '\r\n'
    return
  end
  found = field(value, 'double', 'number')
  if found then return encode_text(out, format('%.17g', found), protocol, ',') end
  found = field(value, 'big_number', 'string')
  if found then return encode_text(out, spaced(found), protocol, '(') end
  found = field(value, 'verbatim_string', 'table')
  local kind = found and field(found, 'format', 'string')
  local text = kind and field(found, 'string', 'string')
  if text then return encode_verbatim(out, text, kind, protocol) end
  found = field(value, 'map', 'table')
  if found then return encode_elements(out, found, protocol, script_protocol, errors, depth, true) end
  found = field(value, 'set', 'table')
  if found then return encode_elements(out, found, protocol, script_protocol, errors, depth, false) end
  return encode_array(out, value, protocol, script_protocol, errors, depth)
end

local interface = host.interface

-- Returns a table as a reply, and behind it the errors in it that were not counted yet.
function interface.encode(value, protocol, script_protocol)
  local out, errors = {}, {}
  encode(out, value, protocol, script_protocol, errors, 0)
  return concat(out), unpack(errors)
end

function interface.pack(...) return {...} end

function interface.append(list, count, ...)
  local items = {...}
  for index = 1, select('#', ...) do list[count + index] = items[index] end
end

-- Adds pairs, whose members are `count` together, to the map or set in `found`.
function interface.extend(found, kind, count, ...)
  local members = {...}
  local contents = found[kind]
  for index = 1, count, 2 do
    if members[index] ~= nil then contents[members[index]] = members[index + 1] end
  end
end

function interface.mapped(kind, ...)
  local found = {[kind] = {}}
  interface.extend(found, kind, ...)
  return found
end

function interface.tagged(kind, value) return {[kind] = value} end

function interface.verbatim(kind, text)
  local found = {}
  found.string = text
  found.format = kind
  return {verbatim_string = found}
end

function interface.statuses()
  local function make(count, ...)
    if count == 0 then return ... end
    return make(count - 1, {ok = 'OK'}, ...)
  end
  return make(64)
end
