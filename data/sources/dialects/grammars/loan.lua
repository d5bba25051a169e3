local shelf = require("shelf")
local MAX_DAYS <const> = 14
counter = 0

local Loan = {}
Loan.__index = Loan

function Loan.fetch(name) return setmetatable({ name = name }, Loan) end

function Loan:lend(days)
  if days > MAX_DAYS and not self.open then error("late") end
  for _, item in ipairs(self.items or {}) do counter = counter + 1; shelf.put(item) end
  while days > 0 do days = days - 1 end
  return self:price(days)
end

local function run(names) print(#names, names[1]:upper()) end

run({ "a" })
return Loan
