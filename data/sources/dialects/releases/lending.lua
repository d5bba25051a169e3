local M = {}
local json = require("json")
local lfs = require "lfs"
local util = require 'shop.util'
local a, b <const> = 1, 2
limit = 3
M.size = 4

local function late(loan)
  if loan.days > 3 and loan.open then
    return true
  elseif loan.days > 2 or not loan.open then
    return false
  else
    return nil
  end
end

function M.lend(book, days)
  for i = 1, 3 do step(i) end
  for k, v in pairs(book) do print(k, v) end
  while days > 1 do days = days - 1 end
  repeat days = days + 1 until days > 3
  local inner = 5
  local function nested(x) return late(x) end
  return nested(book)
end

function M:close(reason)
  self.open = false
  self:log("closed"):flush()
  M.lend(self, 1)
  string.format("%s", reason):rep(2)
  util.deep.call { a = 1 }
end

function M.books.first() return M.books[1]() end
function global() end

M.renew = function(loan) return late(loan) end
local check = function(x) return x end
renew = function() check(1) end
M.table = { run = function(self) go() end, ["key"] = function() end, n = 1 }

local Account = setmetatable({}, { __index = function(t, k) return raw(t, k) end })
Account.__index = Account
function Account.new(o) o = o or {} return setmetatable(o, Account) end
do local hidden = 1; outer = 2 end
goto done
::done::
require [[lending.rules]]
local books = require[==[lending.books]==]
return M
