//! Lending.
use std::collections::{self, /* keyed */ HashMap as Map, hash_map::{Entry, *}};
use crate::shelf;
pub(crate) use super::books::Book;
pub use self::inner::*;
use serde as s;
extern crate alloc;
extern crate core as base;

pub const LIMIT: usize = 3;
pub(crate) static mut TOTAL: u32 = 0;
const _: () = check();
type Rule = fn(&Loan) -> bool;

macro_rules! twice { ($x:expr) => { $x * 2 }; }

#[derive(Debug, Clone)]
pub struct Loan<'a, T: ?Sized = str> { title: &'a T, days: u32 }
struct Unit;
struct Pair(u32, pub u32);
union Bits { a: u32, b: f32 }
#[repr(u8)]
pub(super) enum State { Open = 1, Closed { at: u32 }, Other(Box<State>) }

pub trait Lender: Send {
    type Item;
    const MAX: usize = 3;
    fn lend(&mut self, days: u32) -> Option<Self::Item>;
    fn close(&self) { log("close"); }
    fn make() -> Self where Self: Sized;
}

impl<'a> Loan<'a> {
    pub const SIZE: usize = 4;
    pub fn new(title: &'a str) -> Self { Self { title, days: days() } }
    pub async fn renew(mut self: Box<Self>) -> u32 { self.later().await }
    pub(crate) unsafe extern "C" fn raw(&self) {}
}

impl<T> Lender for Vec<T> where T: Clone {
    type Item = T;
    fn lend(&mut self, days: u32) -> Option<T> {
        if days > 3 && self.len() > 0 || days == 0 { return None; }
        if let Some(x) = self.first() && days > 1 { drop(x); }
        for i in 0..3 { step(i); }
        while let Some(x) = self.pop() { use_it(x) }
        loop { break; }
        match days { 0 => zero(), 1 | 2 if days > 1 => few(), n @ 3..=9 => many(n), _ => other() }
        let Some(y) = self.get(0) else { return None };
        let twice = |x: u32| double(x);
        let made = vec![run(1); 3];
        println!("{}", twice(2));
        std::mem::take(self);
        self.iter().map(|x| x.clone()).collect::<Vec<_>>();
        Vec::<u32>::with_capacity(3);
        <T as Default>::default();
        <Vec<T>>::new();
        (self.rule)(days);
        self.rules[0](days);
        helper::<u32>(1)?.go();
        async move { later().await };
        const INSIDE: u32 = 1;
        fn nested(x: u32) -> u32 { x }
        struct Local;
        impl Local { fn run(&self) {} }
        None
    }
    fn make() -> Self { Vec::new() }
}

impl Lender for &mut dyn std::fmt::Debug { fn x(&self) {} }
impl fmt::Display for inner::Thing<u8> { fn fmt(&self) {} }
unsafe impl Send for (u32, u8) {}
impl<T> Trait for [T; 3] { fn arr(&self) {} }

mod inner { pub struct Thing<T>(T); pub fn run() { super::helper(); } pub mod deep { static X: u8 = 1; } }
mod outside;
extern "C" { fn abs(x: i32) -> i32; static environ: u8; }
#[cfg(test)]
mod tests { use super::*; #[test] fn it_works() { assert_eq!(helper(1), 1); } }
pub fn helper<T: Into<u32>>(x: T) -> u32 where T: Copy { x.into() }
async fn waits(x: Loan) -> Result<(), Error> { x.open().await?.close(); x.await.close(); (x.late).await?.rule.check(); f(1).await.done().await }
impl<'a> Lender for &'a str { fn named(&self) {} }
use crate::{desks::Open, desks::Closed as Shut, rules::{late::*, Rule}, self as all};
fn cast<T: Lender>(x: T) -> u32 { <T as Lender>::rule::<u8>(x); <T>::close(); <[u8]>::len() }
extern crate self as lending;
use crate::{identifier, late as identifier};
