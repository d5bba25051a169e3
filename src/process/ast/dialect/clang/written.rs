//! Which parts of a tree the source says: clang adds calls that are not written, and repeats what it refers to.

use std::collections::HashSet;

use super::lines::Places;

/// Where a node begins and ends, as the bytes of its first and last token, plus one; 0 for unknown. For the product
/// of a macro, the bytes where it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) begin: u32,
    pub(super) end: u32,
}

impl Extent {
    pub(super) fn of(places: &Places) -> Self {
        Self { begin: places.begin.at, end: places.end.at }
    }

    pub(super) fn is_known(self) -> bool {
        self.begin > 0 && self.end > 0
    }

    /// Returns whether a call is written: one that the compiler makes has no text beyond what is called.
    pub(super) fn is_call(self, callee: Self) -> bool {
        !self.is_known() || self != callee
    }

    /// Returns whether a construction is written: with brackets around its arguments, or the type before them. A
    /// conversion or copy has no text beyond its argument, and a construction without arguments has one token.
    pub(super) fn is_construction(self, argument: Self) -> bool {
        let is_one_token = !argument.is_known() && self.begin == self.end;
        !self.is_known() || !is_one_token && self != argument
    }
}

/// Returns whether only the compiler calls this: the promise of a coroutine, and what turns an operand into an
/// awaiter.
pub(super) fn is_of_coroutine(callee: &[u8]) -> bool {
    callee.starts_with(b"__promise.") || callee.ends_with(b"operator co_await")
}

/// Returns a key of what is written in a macro argument, by kind and bytes: above all ids, which are addresses.
fn argument(role: u8, places: &Places) -> Option<u64> {
    let is_argument = places.begin.is_argument && places.end.is_argument && places.begin.at < 1 << 24;
    let begin = u64::from(places.begin.at);
    let end = u64::from(places.end.at);
    is_argument.then_some(1 << 63 | u64::from(role) << 56 | begin << 32 | end)
}

/// The calls and branches counted so far, so that each counts once however often it is repeated.
#[derive(Debug, Default)]
pub(super) struct Once {
    seen: HashSet<u64>,
    /// The same in the order of closing, each with its byte.
    order: Vec<(u32, u64)>,
}

impl Once {
    /// Returns whether a node is met for the first time. One without a usable id always is.
    pub(super) fn is_first(&mut self, at: u32, id: &[u8]) -> bool {
        let digits = id.strip_prefix(b"0x").and_then(|digits| std::str::from_utf8(digits).ok());
        let id = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        id.is_none_or(|id| self.is_new(at, id))
    }

    /// Does the same for a call or branch. A macro may name its argument more than once: what is written there is
    /// then one.
    pub(super) fn is_first_use(&mut self, at: u32, id: &[u8], role: u8, places: &Places) -> bool {
        self.is_first(at, id) && argument(role, places).is_none_or(|written| self.is_new(at, written))
    }

    fn is_new(&mut self, at: u32, id: u64) -> bool {
        let is_new = self.seen.insert(id);
        if is_new {
            self.order.push((at, id));
        }
        is_new
    }

    /// Drops the nodes that began at this byte or later: what repeats them is then the first.
    pub(super) fn forget(&mut self, from: u32) {
        while let Some((_, id)) = self.order.pop_if(|(at, _)| *at >= from) {
            self.seen.remove(&id);
        }
    }

    pub(super) fn clear(&mut self) {
        self.seen.clear();
        self.order.clear();
    }
}
