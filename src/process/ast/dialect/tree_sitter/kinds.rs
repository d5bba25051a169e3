//! Kinds of nodes, each with its role in each grammar.

use std::sync::LazyLock;

use super::languages;
use super::tables::{self, Rules};
use crate::process::ast::facts::symbol_kind::SymbolKind;
use crate::process::ast::interner::{ByName, NameDigest};

/// Grammars with rules of their own. Where none fits, a tree has no symbols, imports or calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    None,
    Python,
    JavaScript,
    Go,
    Rust,
    Java,
    C,
    CSharp,
    Ruby,
    Php,
    Bash,
    Kotlin,
    Swift,
    Scala,
    Lua,
}

pub(super) const GRAMMARS: usize = 15;

impl Grammar {
    pub(super) fn of_language(language: &str) -> Self {
        match language {
            "python" => Self::Python,
            "javascript" | "typescript" => Self::JavaScript,
            "go" => Self::Go,
            "rust" => Self::Rust,
            "java" => Self::Java,
            "c" | "c++" => Self::C,
            "c#" => Self::CSharp,
            "ruby" => Self::Ruby,
            "php" => Self::Php,
            "bash" => Self::Bash,
            "kotlin" => Self::Kotlin,
            "swift" => Self::Swift,
            "scala" => Self::Scala,
            "lua" => Self::Lua,
            _ => Self::None,
        }
    }
}

/// The role of a kind in paths of names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shape {
    #[default]
    None,
    Name,
    /// Joins the path of its first child and the name of its last.
    Join,
    /// A name where it is a leaf.
    NameOrJoin,
    /// Stands for its first child that is not a token.
    Through,
    /// A name after a dollar sign.
    Variable,
    /// Stands for its first child if a sign asserts that there is a value; otherwise an operation.
    Assert,
    /// An operation: visible only when searching for its operand.
    Operation,
}

impl Shape {
    pub(super) fn is_name(self) -> bool {
        matches!(self, Self::Name | Self::NameOrJoin | Self::Variable)
    }
}

/// The role of a node in one grammar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Action {
    #[default]
    None,
    Symbol(SymbolKind),
    /// A symbol of a kind, or none, decided by a closer check.
    Closer,
    Variables,
    Branch,
    /// A branch for each operator, or for each arm but the first.
    Operation,
    /// A call, or an import if the callee is one.
    Call(Callee),
    Import,
    /// A function without a name.
    Closure,
    /// Changes what began inside.
    Change,
}

/// Where the callee of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callee {
    First,
    /// The children before the arguments.
    Parts,
    /// The first child that is a type.
    New,
    /// The command's name, possibly after variables that are set for it.
    Command,
}

/// Bits for the words of declarations.
pub(super) mod word {
    pub(in super::super) const PUBLIC: u16 = 1;
    pub(in super::super) const PROTECTED: u16 = 1 << 1;
    pub(in super::super) const PRIVATE: u16 = 1 << 2;
    pub(in super::super) const INTERNAL: u16 = 1 << 3;
    pub(in super::super) const STATIC: u16 = 1 << 4;
    pub(in super::super) const ASYNC: u16 = 1 << 5;
    pub(in super::super) const INTERFACE: u16 = 1 << 6;
    pub(in super::super) const ENUM: u16 = 1 << 7;
    pub(in super::super) const STRUCT: u16 = 1 << 8;
    pub(in super::super) const OPERATOR: u16 = 1 << 9;
    /// A comparison, or the beginning of type arguments.
    pub(in super::super) const LESS: u16 = 1 << 10;
    /// An operation, whose path is that of an operand.
    pub(in super::super) const OPERATION: u16 = 1 << 11;

    /// Returns the bit of a word, 0 for others.
    pub(in super::super) fn of(word: &[u8]) -> u16 {
        match word {
            b"public" => PUBLIC,
            b"protected" => PROTECTED,
            b"private" => PRIVATE,
            b"internal" => INTERNAL,
            b"static" => STATIC,
            b"async" => ASYNC,
            b"interface" => INTERFACE,
            b"enum" => ENUM,
            b"struct" => STRUCT,
            b"&&" | b"||" | b"??" | b"?:" | b"and" | b"or" => OPERATOR,
            _ => 0,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Kind {
    pub(crate) name: &'static str,
    /// Whether the parts below stay.
    pub(super) stays: bool,
    pub(super) is_worded: bool,
    pub(super) is_modifier: bool,
    /// Passes its words to the node whose value it is.
    pub(super) is_function: bool,
    pub(super) is_directive: bool,
    pub(super) shape: Shape,
    /// The bit of `word` that it is itself.
    pub(super) word: u16,
    /// A bit for each grammar that has it, according to the tables.
    known: u32,
    actions: [Action; GRAMMARS],
}

impl Kind {
    #[inline(always)]
    pub(super) fn action(&self, grammar: Grammar) -> Action {
        self.actions.get(grammar as usize).copied().unwrap_or_default()
    }

    /// Returns whether the grammar is known to have it.
    pub(super) fn is_known(&self, grammar: Grammar) -> bool {
        self.known >> grammar as usize & 1 != 0
    }

    fn new(name: &'static str) -> Self {
        let is_modifier = name.contains("modifier") || name == "storage_class_specifier";
        let is_worded = is_worded(name.as_bytes());
        Self {
            name,
            is_worded,
            is_modifier,
            stays: is_modifier,
            word: word::of(name.as_bytes()),
            ..Self::default()
        }
    }
}

fn is_worded(name: &[u8]) -> bool {
    name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80)
        && name.first().is_some_and(|byte| !byte.is_ascii_digit())
}

/// Kinds without rules: tokens, and others.
static UNKNOWN: [Kind; 2] = [unknown(false), unknown(true)];

const fn unknown(is_worded: bool) -> Kind {
    Kind {
        name: "",
        stays: false,
        is_worded,
        is_modifier: false,
        is_function: false,
        is_directive: false,
        shape: Shape::None,
        word: 0,
        known: 0,
        actions: [Action::None; GRAMMARS],
    }
}

/// Returns the placeholder for a node whose kind has not come yet.
pub(super) fn no_kind() -> &'static Kind {
    &UNKNOWN[0]
}

#[derive(Debug, Default)]
pub(super) struct Kinds(ByName<Kind>);

impl Kinds {
    #[inline(always)]
    pub(super) fn get(&'static self, name: &[u8]) -> &'static Kind {
        self.0
            .get(name, NameDigest::of(name))
            .unwrap_or_else(|| if is_worded(name) { &UNKNOWN[1] } else { &UNKNOWN[0] })
    }

    fn kind(&mut self, name: &'static str) -> &mut Kind {
        self.0.get_or_add(name, || Kind::new(name))
    }

    fn each(&mut self, names: &'static str, mut change: impl FnMut(&mut Kind)) {
        names.split_ascii_whitespace().for_each(|name| change(self.kind(name)));
    }

    fn new() -> Self {
        let mut all = Self::default();
        all.each(tables::WORDS, |_| {});
        all.each(tables::LOOKED_FOR, |_| {});
        all.each(tables::COMMENTS, |kind| kind.is_worded = false);
        all.each(tables::STAYING, |kind| kind.stays = true);
        all.each(tables::NAMES, |kind| kind.shape = Shape::Name);
        all.each(tables::JOINING, |kind| {
            kind.shape = if kind.shape == Shape::Name { Shape::NameOrJoin } else { Shape::Join };
        });
        all.each(tables::THROUGH, |kind| {
            kind.shape = Shape::Through;
            kind.stays = true;
        });
        all.each(tables::OPERANDS, |kind| kind.shape = Shape::Operation);
        all.each(tables::ASSERTING, |kind| kind.shape = Shape::Assert);
        all.each(tables::VALUES, |kind| kind.is_function = true);
        tables::DIRECTIVES.iter().for_each(|name| all.kind(name).is_directive = true);
        // Scala's `&&` is a name like others.
        all.kind("operator_identifier").is_modifier = true;
        all.kind("variable_name").shape = Shape::Variable;
        all.each(tables::OPERATIONS, |kind| kind.actions = [Action::Operation; GRAMMARS]);
        all.each(tables::CLOSURES, |kind| kind.actions = [Action::Closure; GRAMMARS]);
        for &(grammar, Rules { symbols, branches, rest }) in tables::GRAMMARS {
            let mut set = |names, action| {
                all.each(names, |kind| {
                    kind.actions[grammar as usize] = action;
                    kind.known |= 1 << grammar as usize;
                });
            };
            set(branches, Action::Branch);
            symbols.iter().for_each(|&(symbol, names)| set(names, Action::Symbol(symbol)));
            rest.iter().for_each(|&(action, names)| set(names, action));
        }
        for (language, names) in tables::PLAIN.iter().copied().chain(languages::telltale_kinds()) {
            let grammar = Grammar::of_language(language);
            let known = u32::from(grammar != Grammar::None) << grammar as usize;
            all.each(names, |kind| kind.known |= known);
        }
        // Any tree begins with these.
        all.each(tables::ROOTS, |kind| kind.known = 0);
        all
    }
}

/// Returns the kinds of all grammars, built once.
pub(super) fn kinds() -> &'static Kinds {
    static ALL: LazyLock<Kinds> = LazyLock::new(Kinds::new);
    &ALL
}
