//! The state of an object while it is open.

use std::ops::Range;

/// A short text in the document, or one built from its parts. Empty means none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) at: u32,
    pub(crate) len: u16,
    /// Whether it is in the store of built texts.
    pub(crate) made: bool,
}

impl Span {
    /// Maximum length of a name, in bytes.
    pub(crate) const LEN_MAX: usize = 1_024;
    pub(crate) const NONE: Self = Self { at: 0, len: 0, made: false };

    /// Creates a span of the document's text. None if it is too long for a name.
    #[inline(always)]
    pub(crate) fn of(text: Range<usize>) -> Self {
        match u16::try_from(text.len()) {
            Ok(len) if usize::from(len) <= Self::LEN_MAX => Self { at: text.start as u32, len, made: false },
            _ => Self::NONE,
        }
    }

    /// Returns the text, or another one if there is none.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.is_none() { other } else { self }
    }

    pub(crate) fn is_none(self) -> bool {
        self.len == 0
    }

    pub(crate) fn is_some(self) -> bool {
        self.len > 0
    }
}

/// An open object: what its members have given so far, and what its children left with it.
///
/// Members come in any order, so what an object is may be known only when it closes: then its dialect makes a
/// symbol, a call or an import of it, or passes parts of it on to the parent. What `names` hold is each dialect's
/// own convention.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Frame {
    /// Texts of the members, by the dialect's own numbers.
    pub(crate) names: [Span; 5],
    /// Byte of the opening brace, plus one. Everything that began inside has a greater one.
    pub(crate) at: u32,
    /// First and last line of the source, 0 if unknown.
    pub(crate) line: u32,
    pub(crate) end_line: u32,
    /// Branches inside that belong to no function yet.
    pub(crate) branches: u32,
    /// Children of one kind, as the dialect counts them.
    pub(crate) count: u32,
    /// Bits of `flag`, and of the dialect's own.
    pub(crate) flags: u32,
    /// Its key in its parent, by the dialect's number; 0 for others.
    pub(crate) slot: u8,
    /// The role of its kind in the dialect; 0 if unknown.
    pub(crate) role: u8,
    /// Its tag, as the dialect numbers it; 0 for none.
    pub(crate) tag: u8,
    /// How many keys it has so far, repetitions not counted; only in dialects that have tags.
    pub(crate) members: u32,
    pub(crate) visibility: Visibility,
    /// Level of the enclosing object.
    pub(crate) outer: u32,
    /// Where its keys begin among those of all open objects.
    pub(crate) keys_at: u32,
}

/// Bits of [`Frame::flags`] that mean the same in each dialect. A dialect's own begin at `OWN`.
pub(crate) mod flag {
    pub(in crate::process::ast) const ASYNC: u32 = 1;
    pub(in crate::process::ast) const STATIC: u32 = 2;
    /// A function that is not a method, wherever it is.
    pub(in crate::process::ast) const FREE: u32 = 4;
    /// Belongs to what is around its enclosing type.
    pub(in crate::process::ast) const OUTSIDE: u32 = 8;
    pub(in crate::process::ast) const OWN: u32 = 16;
    /// The bits that are copied to the symbol.
    pub(in crate::process::ast) const OF_SYMBOLS: u32 = ASYNC | STATIC | FREE;
}

impl Frame {
    pub(crate) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u32, on: bool) {
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }
}

/// The visibility of a symbol, if the dialect states it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Visibility {
    #[default]
    Unknown,
    Public,
    Protected,
    Private,
    Package,
}

impl Visibility {
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::Public => Some("public"),
            Self::Protected => Some("protected"),
            Self::Private => Some("private"),
            Self::Package => Some("package"),
        }
    }

    /// Returns the visibility that a word names, in any case.
    pub(crate) fn of_word(word: &[u8]) -> Self {
        let known = [Self::Public, Self::Protected, Self::Private, Self::Package];
        let same = |one: &Self| one.name().is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(word));
        known.into_iter().find(same).unwrap_or_default()
    }
}
