use std::collections::{BTreeMap as Map, HashSet};

pub const MAX_DAYS: u32 = 14;
static COUNT: u32 = 0;
type Days = Option<u32>;

pub trait Lender {
    fn lend(&mut self, name: &str) -> bool;
}

#[derive(Debug)]
pub struct Shelf {
    items: Map<String, u32>,
}

pub(crate) enum Level {
    Low,
    High(u32),
}

impl Lender for Shelf {
    fn lend(&mut self, name: &str) -> bool {
        match self.items.get(name) {
            Some(0) | None => false,
            Some(days) if *days > MAX_DAYS && COUNT == 0 => name.trim().is_empty(),
            _ => true,
        }
    }
}

mod deep {
    pub async fn run(names: &[&str]) -> usize {
        let set: super::HashSet<_> = names.iter().collect();
        println!("{}", set.len());
        helper(set.len()).await
    }
}
