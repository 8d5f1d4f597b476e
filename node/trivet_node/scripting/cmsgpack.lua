-- MessagePack, as the cmsgpack library of Redis writes and reads it. Errors are raised as tables that hold the message;
-- see cjson.lua. (Redis: deps/lua/src/lua_cmsgpack.c, version 0.4.0.)

local host = ...
local byte, char, sub, concat, floor = string.byte, string.char, string.sub, table.concat, math.floor
local type, next, error, pcall, select = type, next, error, pcall, select
local pack_float, unpack_float = host.pack_float, host.unpack_float

-- Tables nested deeper are written as nil.
local NESTING_MAX = 16
-- So many values are on the stack of a C function at most, its arguments among them. (Lua: LUAI_MAXCSTACK)
local STACK_MAX = 8000

local function fault(message)
  error({message})
end

---------------------------------------------------------------- packing

-- Returns a whole number that is not negative as `size` bytes, the high ones first.
local function big_endian(number, size)
  local bytes = ''
  for _ = 1, size do
    bytes = char(number % 256) .. bytes
    number = floor(number / 256)
  end
  return bytes
end

local function packed_integer(number)
  if number >= 0 then
    if number <= 127 then return char(number) end
    if number <= 0xff then return '\204' .. big_endian(number, 1) end
    if number <= 0xffff then return '\205' .. big_endian(number, 2) end
    if number <= 0xffffffff then return '\206' .. big_endian(number, 4) end
    return '\207' .. big_endian(number, 8)
  end
  if number >= -32 then return char(256 + number) end
  if number >= -128 then return '\208' .. big_endian(2 ^ 8 + number, 1) end
  if number >= -32768 then return '\209' .. big_endian(2 ^ 16 + number, 2) end
  if number >= -2147483648 then return '\210' .. big_endian(2 ^ 32 + number, 4) end
  local high = floor(number / 2 ^ 32)
  return '\211' .. big_endian(2 ^ 32 + high, 4) .. big_endian(number - high * 2 ^ 32, 4)
end

local function packed_number(number)
  if number == floor(number) and number >= -2 ^ 63 and number < 2 ^ 63 then return packed_integer(number) end
  return pack_float(number)
end

-- Returns the head of something of `length`, whose marks are those for short, 8-bit, 16-bit and 32-bit lengths.
local function head(length, short, short_max, mark8, mark16, mark32)
  if length <= short_max then return char(short + length) end
  if mark8 and length <= 0xff then return mark8 .. big_endian(length, 1) end
  if length <= 0xffff then return mark16 .. big_endian(length, 2) end
  return mark32 .. big_endian(length, 4)
end

-- Says whether the keys are 1, 2, ... without a gap, and how many there are.
local function measure(value)
  local count, largest, is_array = 0, 0, true
  for key in next, value do
    count = count + 1
    if is_array and type(key) == 'number' and key > 0 and key == floor(key) and key <= 2147483647 then
      if key > largest then largest = key end
    else
      is_array = false
    end
  end
  return is_array and largest == count, count
end

local append

local function append_table(out, value, depth)
  local is_array, count = measure(value)
  if is_array then
    out[#out + 1] = head(count, 0x90, 15, nil, '\220', '\221')
    for index = 1, count do append(out, value[index], depth) end
  else
    out[#out + 1] = head(count, 0x80, 15, nil, '\222', '\223')
    for key, element in next, value do
      append(out, key, depth)
      append(out, element, depth)
    end
  end
end

function append(out, value, depth)
  local kind = type(value)
  if kind == 'string' then
    out[#out + 1] = head(#value, 0xa0, 31, '\217', '\218', '\219')
    out[#out + 1] = value
  elseif kind == 'number' then
    out[#out + 1] = packed_number(value)
  elseif kind == 'boolean' then
    out[#out + 1] = value and '\195' or '\194'
  elseif kind == 'table' and depth < NESTING_MAX then
    append_table(out, host.contents(value), depth + 1)
  else
    out[#out + 1] = '\192'
  end
end

-- Called by scripts directly: on the way through Python values would change.
local function pack(...)
  local count = select('#', ...)
  if count == 0 then error("bad argument #0 to 'pack' (MessagePack pack needs input.)") end
  if count > STACK_MAX / 2 then error("bad argument #0 to 'pack' (Too many arguments for MessagePack pack.)") end
  local out = {}
  local values = {...}
  for index = 1, count do append(out, values[index], 0) end
  return concat(out)
end

---------------------------------------------------------------- unpacking

-- What is unpacked, where the next value begins, and how many values the C library has on its stack by then.
local text, place, height

local function check_room(purpose)
  if height >= STACK_MAX then fault('stack overflow (' .. purpose .. ')') end
end

-- Returns where the next `count` bytes begin, and passes them.
local function take(count)
  local begin = place
  if begin + count - 1 > #text then fault('Missing bytes in input.') end
  place = begin + count
  return begin
end

local function read_unsigned(size)
  local begin = take(size)
  local number = 0
  for index = begin, begin + size - 1 do number = number * 256 + byte(text, index) end
  return number
end

local function read_signed(size)
  -- Eight bytes do not fit into a number: the high half has the sign.
  if size == 8 then
    local high = read_signed(4)
    return high * 2 ^ 32 + read_unsigned(4)
  end
  local number = read_unsigned(size)
  if number >= 2 ^ (size * 8 - 1) then number = number - 2 ^ (size * 8) end
  return number
end

local function read_string(length)
  local begin = take(length)
  return sub(text, begin, begin + length - 1)
end

local read

-- The C library has the array and the index on its stack while it reads an element.
local function read_array(length)
  local array = {}
  height = height + 1
  check_room('in function mp_decode_to_lua_array')
  for index = 1, length do
    height = height + 1
    array[index] = read()
    height = height - 2
  end
  height = height - 1
  return array
end

local function read_map(length)
  local map = {}
  height = height + 1
  for _ = 1, length do
    local key = read()
    local value = read()
    height = height - 2
    if key == nil then fault({'table index is nil'}) end
    if key ~= key then fault({'table index is NaN'}) end
    map[key] = value
  end
  height = height - 1
  return map
end

local READERS = {
  [0xc0] = function() return nil end, [0xc2] = function() return false end, [0xc3] = function() return true end,
  [0xca] = function() return unpack_float(read_string(4)) end, [0xcb] = function() return unpack_float(read_string(8)) end,
  [0xcc] = function() return read_unsigned(1) end, [0xcd] = function() return read_unsigned(2) end,
  -- Lua takes 64 bits as signed.
  [0xce] = function() return read_unsigned(4) end, [0xcf] = function() return read_signed(8) end,
  [0xd0] = function() return read_signed(1) end, [0xd1] = function() return read_signed(2) end,
  [0xd2] = function() return read_signed(4) end, [0xd3] = function() return read_signed(8) end,
  [0xd9] = function() return read_string(read_unsigned(1)) end,
  [0xda] = function() return read_string(read_unsigned(2)) end,
  [0xdb] = function() return read_string(read_unsigned(4)) end,
  [0xdc] = function() return read_array(read_unsigned(2)) end, [0xdd] = function() return read_array(read_unsigned(4)) end,
  [0xde] = function() return read_map(read_unsigned(2)) end, [0xdf] = function() return read_map(read_unsigned(4)) end,
}

local function read_marked(mark)
  if mark <= 0x7f then return mark end
  if mark >= 0xe0 then return mark - 256 end
  if mark <= 0x8f then return read_map(mark - 0x80) end
  if mark <= 0x9f then return read_array(mark - 0x90) end
  if mark <= 0xbf then return read_string(mark - 0xa0) end
  local reader = READERS[mark]
  if not reader then fault('Bad data format in input.') end
  return reader()
end

function read()
  local mark = byte(text, take(1))
  check_room('too many return values at once; use unpack_one or unpack_limit instead.')
  local value = read_marked(mark)
  height = height + 1
  return value
end

local function unpack_some(limit, tells_place)
  local found = {}
  local count = 0
  while place <= #text and count < limit do
    count = count + 1
    found[count] = read()
  end
  if tells_place then check_room('in function mp_unpack_full') end
  return found, count
end

local function outcome(ok, result, count)
  if ok then return true, result, count end
  local message = type(result) == 'table' and result[1] or 'stack overflow'
  if type(message) == 'table' then return false, message[1], true end
  return false, message, false
end

-- Unpacks at most `limit` values from the byte at `begin` on; returns them in a table, their number and where it ended.
-- The C library puts that in front of the values if `tells_place`.
local function unpack_from(source, begin, limit, tells_place)
  text, place, height = source, begin, 1
  local ok, result, count = outcome(pcall(unpack_some, limit, tells_place))
  text = nil
  return ok, result, count, place
end

return pack, unpack_from
