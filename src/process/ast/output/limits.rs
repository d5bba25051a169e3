//! How much of a document is read and reported.

use std::ops::RangeInclusive;

/// How much of a document goes into its record, and how deep it may be nested.
///
/// The totals in a record are always of the whole document.
///
/// ```
/// use outlast::{AstProcessor, Limits, Processor};
///
/// let limits = Limits { calls: 0, ..Limits::default() };
/// assert_ne!(AstProcessor::with_limits(limits).identity(), AstProcessor::new().identity());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of objects and arrays; a deeper document fails. Memory per level is about 200 bytes.
    pub depth: usize,
    /// Symbols that are listed.
    pub symbols: usize,
    /// Imports that are listed, and names of one import.
    pub imports: usize,
    /// Pairs of caller and callee that are listed.
    pub calls: usize,
    /// Kinds that are listed.
    pub kinds: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 10_000, symbols: 10_000, imports: 2_000, calls: 10_000, kinds: 1_000 }
    }
}

/// An invalid limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is no limit of this name.
    #[error("there is no limit {0:?}; the limits are {names}", names = Limits::NAMES.join(", "))]
    Unknown(String),
    /// Outside its bounds.
    #[error("{name} is {value}, and must be {} to {}", bounds.start(), bounds.end())]
    Outside {
        /// The limit.
        name: &'static str,
        /// The given value.
        value: u64,
        /// The allowed range.
        bounds: RangeInclusive<u64>,
    },
}

impl Limits {
    /// The names of the limits.
    pub const NAMES: [&'static str; 5] = ["depth", "symbols", "imports", "calls", "kinds"];

    /// Sets the limit of this name: 1 to 1,000,000 for `depth`, 0 to 1,000,000 for the others.
    ///
    /// ```
    /// let mut limits = outlast::Limits::default();
    /// limits.set("symbols", 500).unwrap();
    /// assert_eq!(limits.symbols, 500);
    /// assert_eq!(limits.set("depth", 0).unwrap_err().to_string(), "depth is 0, and must be 1 to 1000000");
    /// ```
    ///
    /// # Errors
    /// Where there is none of this name, or the value is outside.
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), LimitError> {
        let Self { depth, symbols, imports, calls, kinds } = self;
        let limits = Self::NAMES.into_iter().zip([depth, symbols, imports, calls, kinds]);
        let Some((name, limit)) = limits.into_iter().find(|(known, _)| *known == name) else {
            return Err(LimitError::Unknown(name.to_owned()));
        };
        let bounds = if name == "depth" { 1..=1_000_000 } else { 0..=1_000_000 };
        match usize::try_from(value) {
            Ok(within) if bounds.contains(&value) => *limit = within,
            _ => return Err(LimitError::Outside { name, value, bounds }),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_sets_its_own_limit() {
        let mut limits = Limits::default();
        for (name, value) in Limits::NAMES.into_iter().zip(1..) {
            limits.set(name, value).unwrap();
        }
        assert_eq!(limits, Limits { depth: 1, symbols: 2, imports: 3, calls: 4, kinds: 5 });
    }

    #[test]
    fn what_is_no_limit_is_told_with_what_is_allowed() {
        let mut limits = Limits::default();
        let mut refused = |name, value| limits.set(name, value).unwrap_err().to_string();
        assert_eq!(
            refused("level", 1),
            "there is no limit \"level\"; the limits are depth, symbols, imports, calls, kinds"
        );
        assert_eq!(refused("kinds", 1_000_001), "kinds is 1000001, and must be 0 to 1000000");
        assert_eq!(limits, Limits::default());
    }
}
