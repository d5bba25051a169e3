//! Lends things, with most of what Rust's grammar has.
#![allow(dead_code)]

extern crate alloc;
extern crate core as kernel;

use std::collections::{BTreeMap as Map, HashMap, hash_map::{self, Entry}};
use std::fmt::*;
use ::serde::Serialize as _;
use super::clock;
pub use self::deep::run as start;
pub(crate) use crate::errors::Late;

pub const MAX_DAYS: u32 = 14;
static mut COUNT: u32 = 0;
pub type Days = Option<u32>;
const _: () = assert!(MAX_DAYS > 1);

macro_rules! shout { ($text:expr) => { println!("{}!", $text) }; }

#[derive(Debug, Clone)]
pub struct Shelf<'a, T: Clone = u32, const N: usize = 4> where T: Debug {
    pub name: &'a str,
    items: [T; N],
}
struct Unit;
pub(super) struct Pair(u32, pub u64);
pub union Word { number: u32, bytes: [u8; 4] }
pub enum Level { Low = 1, High(u32), Named { days: u32 } }

pub unsafe trait Lender: Send + 'static {
    type Thing;
    const MOST: usize = 3;
    fn lend(&mut self, thing: Self::Thing) -> bool;
    fn open() -> Self where Self: Sized { Self::default_open() }
    async fn fetch(&self) -> Result<(), Error> { self.read().await?; Ok(()) }
}

impl<'a, T: Clone + Debug> Shelf<'a, T, 4> {
    pub const ROOM: usize = 4;
    pub fn new(name: &'a str, first: T) -> Self { Self { name, items: [first.clone(), first.clone(), first.clone(), first] } }
    pub(crate) async fn walk<F>(&self, mut visit: F) -> Option<usize> where F: FnMut(&T) -> bool {
        let mut count = 0usize;
        for item in &self.items {
            if visit(item) && count < Self::ROOM || !self.name.is_empty() { count += 1; } else if count > 9 { break; }
        }
        while let Some(_) = self.items.get(count) { count += 1; }
        'outer: loop { if count > 3 { break 'outer; } count *= 2; }
        match count {
            0 | 1 => None,
            n @ 2..=5 if n % 2 == 0 => Some(n as usize),
            _ => Some(clock::now().elapsed(count)),
        }
    }
}

unsafe impl Lender for Unit {
    type Thing = String;
    fn lend(&mut self, thing: String) -> bool {
        fn inner(text: &str) -> usize { text.chars().filter(|c| c.is_alphabetic()).count() }
        let Some(first) = thing.get(0..1) else { return false };
        shout!(first);
        let twice = |n: usize| n * 2;
        (twice)(inner(&thing)) > 2 && unsafe { COUNT == 0 }
    }
}

impl Display for self::deep::Label {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result { write!(out, "{}", self.0) }
}

pub mod deep {
    pub struct Label(pub &'static str);
    pub fn run(map: &mut super::HashMap<String, u32>) -> Result<u32, Box<dyn std::error::Error>> {
        let total: u32 = "12".trim().parse::<u32>()?;
        *map.entry("étagère".to_owned()).or_insert_with(Default::default) += total;
        Ok(Vec::<u32>::with_capacity(1).into_iter().map(|n| n + 1).sum::<u32>() + i64::from(total) as u32)
    }
    pub(in crate::deep) mod deeper { const fn twice(n: u8) -> u8 { n << 1 } }
}
mod elsewhere;

unsafe extern "C" {
    fn strlen(text: *const u8) -> usize;
    static errno: i32;
}
extern "C" fn exported(n: i32) -> i32 { n + 0xff - 1_000 }
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn it_lends() { assert!(Unit.lend("a".into())); }
}
