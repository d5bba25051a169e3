use std::collections::BTreeMap;
use std::fmt;

/// More was taken than there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfStock {
    pub code: String,
    pub missing: u64,
}

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} missing", self.code, self.missing)
    }
}

#[derive(Debug, Default)]
pub struct Stock {
    counts: BTreeMap<String, u64>,
}

impl Stock {
    pub fn put(&mut self, code: &str, count: u64) {
        *self.counts.entry(code.to_owned()).or_default() += count;
    }

    pub fn take(&mut self, code: &str, count: u64) -> Result<u64, OutOfStock> {
        let there = self.counts.get_mut(code).ok_or_else(|| OutOfStock { code: code.into(), missing: count })?;
        match there.checked_sub(count) {
            Some(left) => {
                *there = left;
                Ok(left)
            }
            None => Err(OutOfStock { code: code.into(), missing: count - *there }),
        }
    }
}
