-- JSON, as the cjson library of Redis writes and reads it.
--
-- Errors are raised as tables that hold the message. Those of the decoder reach Python, which raises them once more in the
-- place of the C function that scripts see; the encoder is called by scripts directly, because on the way through Python
-- values would change. (Redis: deps/lua/src/lua_cjson.c, version 2.1.0.)

local host = ...
local null = host.null
local find, sub, byte, char, gsub, format = string.find, string.sub, string.byte, string.char, string.gsub, string.format
local concat, floor = table.concat, math.floor
local type, next, rawget, tonumber, error, pcall, select = type, next, rawget, tonumber, error, pcall, select
local strtod = host.strtod

---------------------------------------------------------------- encoding

local ESCAPES = {['"'] = '\\"', ['\\'] = '\\\\', ['/'] = '\\/', ['\127'] = '\\u007f'}
for code = 0, 31 do ESCAPES[char(code)] = format('\\u%04x', code) end
for letter, code in next, {b = 8, t = 9, n = 10, f = 12, r = 13} do ESCAPES[char(code)] = '\\' .. letter end

local function quoted(text)
  if find(text, '[%z\1-\31"\\/\127]') then text = gsub(text, '[%z\1-\31"\\/\127]', ESCAPES) end
  return '"' .. text .. '"'
end

local function fault(message)
  error({message})
end

local function refuse(value, reason)
  fault('Cannot serialise ' .. type(value) .. ': ' .. reason)
end

-- The settings of the encoder that runs: see serializers.py.
local settings

local function number(value)
  if value ~= value or value == 1 / 0 or value == -1 / 0 then
    if settings.invalid == 0 then refuse(value, 'must not be NaN or Inf') end
    if settings.invalid == 2 then return 'null' end
    if value ~= value then return 'nan' end
  end
  return format(settings.format, value)
end

-- Returns the length of a table that is an array, or -1.
local function array_length(value)
  local largest, count = 0, 0
  for key in next, value do
    if type(key) ~= 'number' or key < 1 or floor(key) ~= key then return -1 end
    if key > largest then largest = key end
    count = count + 1
  end
  if settings.ratio > 0 and largest > count * settings.ratio and largest > settings.safe then
    if not settings.converts then refuse(value, 'excessively sparse array') end
    return -1
  end
  return largest
end

local append

local function append_object(out, value, depth)
  out[#out + 1] = '{'
  local comma = ''
  for key, element in next, value do
    if type(key) == 'string' then out[#out + 1] = comma .. quoted(key) .. ':'
    elseif type(key) == 'number' then out[#out + 1] = comma .. '"' .. number(key) .. '":'
    else refuse(key, 'table key must be a number or string') end
    append(out, element, depth)
    comma = ','
  end
  out[#out + 1] = '}'
end

local function append_table(out, value, depth)
  if depth > settings.depth then fault('Cannot serialise, excessive nesting (' .. depth .. ')') end
  local length = array_length(value)
  if length <= 0 then return append_object(out, value, depth) end
  out[#out + 1] = '['
  for index = 1, length do
    if index > 1 then out[#out + 1] = ',' end
    append(out, rawget(value, index), depth)
  end
  out[#out + 1] = ']'
end

function append(out, value, depth)
  local kind = type(value)
  if kind == 'string' then out[#out + 1] = quoted(value)
  elseif kind == 'number' then out[#out + 1] = number(value)
  elseif kind == 'table' then return append_table(out, host.contents(value), depth + 1)
  elseif kind == 'boolean' then out[#out + 1] = value and 'true' or 'false'
  elseif value == nil or value == null then out[#out + 1] = 'null'
  else refuse(value, 'type not supported') end
end

local function encode(value)
  local out = {}
  append(out, value, 0)
  return concat(out)
end

local function outcome(ok, result)
  if ok then return true, result end
  -- Values nested too deep for Lua itself.
  return false, type(result) == 'table' and result[1] or 'stack overflow'
end

-- Returns an encoder with settings of its own.
local function encoder(own)
  return function(...)
    if select('#', ...) ~= 1 then error("bad argument #1 to 'encode' (expected 1 argument)") end
    settings = own
    local ok, result = outcome(pcall(encode, (...)))
    if not ok then error(result) end
    return result
  end
end

---------------------------------------------------------------- decoding

-- The text that is read, where the reader stands, what a number may be, and how deep values may be nested.
local text, place, accepts_invalid, depth_max
-- Where the last token begins.
local mark

local NAMES = {
  ['{'] = 'T_OBJ_BEGIN', ['}'] = 'T_OBJ_END', ['['] = 'T_ARR_BEGIN', [']'] = 'T_ARR_END', [':'] = 'T_COLON',
  [','] = 'T_COMMA', string = 'T_STRING', number = 'T_NUMBER', boolean = 'T_BOOLEAN', null = 'T_NULL', ['end'] = 'T_END',
}
local PLAIN = {['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', f = '\f', n = '\n', r = '\r', t = '\t'}

local function expected(what, found, at)
  fault('Expected ' .. what .. ' but found ' .. (NAMES[found] or found) .. ' at character ' .. at)
end

local function utf8(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64) end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- Returns the character that an escape at `at` means and how long the escape is, or nothing.
local function unicode(at)
  local _, _, digits = find(text, '^\\u(%x%x%x%x)', at)
  if not digits then return nil end
  local code = tonumber(digits, 16)
  if code < 0xD800 or code > 0xDFFF then return utf8(code), 6 end
  local _, _, low = find(text, '^\\u(%x%x%x%x)', at + 6)
  low = low and tonumber(low, 16)
  if code >= 0xDC00 or not low or low < 0xDC00 or low > 0xDFFF then return nil end
  return utf8((code - 0xD800) * 1024 + (low - 0xDC00) + 0x10000), 12
end

-- Reads a string behind its opening quote; `what` was expected where it is malformed.
local function read_string(what)
  local from = place + 1
  local stop = find(text, '["\\%z]', from)
  if stop and byte(text, stop) == 34 then
    place = stop + 1
    return sub(text, from, stop - 1)
  end
  local pieces = {}
  while true do
    stop = find(text, '["\\%z]', from)
    local code = stop and byte(text, stop)
    if not stop or code == 0 then expected(what, 'unexpected end of string', stop or #text + 1) end
    pieces[#pieces + 1] = sub(text, from, stop - 1)
    if code == 34 then break end
    local letter = sub(text, stop + 1, stop + 1)
    local length = 2
    local meant = PLAIN[letter]
    if letter == 'u' then
      meant, length = unicode(stop)
      if not meant then expected(what, 'invalid unicode escape code', stop) end
    elseif not meant then
      expected(what, 'invalid escape code', stop)
    end
    pieces[#pieces + 1] = meant
    from = stop + length
  end
  place = stop + 1
  return concat(pieces)
end

local function is_invalid_number()
  return find(text, '^%+', place) or find(text, '^%-?0[xX%d]', place) or find(text, '^%-?[iI][nN][fF]', place)
    or find(text, '^%-?[nN][aA][nN]', place)
end

local function read_number(what)
  if not accepts_invalid and is_invalid_number() then expected(what, 'invalid number', place) end
  local _, stop = find(text, '^-?%d+', place)
  if not stop or find(text, '^[xX]', stop + 1) then
    local value
    value, stop = strtod(text, place)
    if not value then expected(what, 'invalid number', place) end
    place = stop
    return value
  end
  if byte(text, stop + 1) == 46 then _, stop = find(text, '^%.%d*', stop + 1) end
  local _, exponent = find(text, '^[eE][+-]?%d+', stop + 1)
  local value = tonumber(sub(text, place, exponent or stop))
  place = (exponent or stop) + 1
  return value
end

-- Reads the next token: returns its kind and, where it has one, its value. `what` is expected here.
local function token(what)
  local _, last = find(text, '^[ \t\r\n]*', place)
  place = last + 1
  mark = place
  local code = byte(text, place)
  if code == 34 then return 'string', read_string(what) end
  if not code or code == 0 then return 'end' end
  local letter = char(code)
  if NAMES[letter] then
    place = place + 1
    return letter
  end
  if (code >= 48 and code <= 57) or code == 45 then return 'number', read_number(what) end
  local _, stop, word = find(text, '^(%l%l%l%l?e?)', place)
  if stop then
    if sub(word, 1, 4) == 'true' then
      place = place + 4
      return 'boolean', true
    elseif word == 'false' then
      place = place + 5
      return 'boolean', false
    elseif sub(word, 1, 4) == 'null' then
      place = place + 4
      return 'null', null
    end
  end
  if accepts_invalid and find(letter, '[iInN+]') and is_invalid_number() then return 'number', read_number(what) end
  expected(what, 'invalid token', place)
end

local read_value

local function descend(depth)
  if depth > depth_max then fault('Found too many nested data structures (' .. depth .. ') at character ' .. place - 1) end
end

local function read_object(depth)
  descend(depth)
  local object = {}
  local kind, key = token('object key string')
  if kind == '}' then return object end
  while true do
    if kind ~= 'string' then expected('object key string', kind, mark) end
    kind = token('colon')
    if kind ~= ':' then expected('colon', kind, mark) end
    object[key] = read_value(depth)
    kind = token('comma or object end')
    if kind == '}' then return object end
    if kind ~= ',' then expected('comma or object end', kind, mark) end
    kind, key = token('object key string')
  end
end

local function read_array(depth)
  descend(depth)
  local array = {}
  local count = 0
  local kind, value = token('value')
  if kind == ']' then return array end
  while true do
    count = count + 1
    array[count] = read_value(depth, kind, value)
    kind = token('comma or array end')
    if kind == ']' then return array end
    if kind ~= ',' then expected('comma or array end', kind, mark) end
    kind, value = token('value')
  end
end

function read_value(depth, kind, value)
  if not kind then kind, value = token('value') end
  if kind == '{' then return read_object(depth + 1) end
  if kind == '[' then return read_array(depth + 1) end
  if not NAMES[kind] or #kind == 1 or kind == 'end' then expected('value', kind, mark) end
  return value
end

local function decode()
  if #text >= 2 and (byte(text, 1) == 0 or byte(text, 2) == 0) then
    fault('JSON parser does not support UTF-16 or UTF-32')
  end
  local value = read_value(0)
  local kind = token('the end')
  if kind ~= 'end' then expected('the end', kind, mark) end
  return value
end

-- Returns whether that went well, and the value of a text or a message. (Called by Python.)
local function decode_with(source, depth, invalid)
  text, place, depth_max, accepts_invalid = source, 1, depth, invalid
  local ok, result = outcome(pcall(decode))
  text = nil
  return ok, result
end

return encoder, decode_with
