const std = @import("std");

pub const Loan = struct {
    days: u32,

    pub fn late(self: Loan) bool {
        return self.days > 28;
    }
};

pub fn main() void {
    std.debug.print("lend\n", .{});
}
