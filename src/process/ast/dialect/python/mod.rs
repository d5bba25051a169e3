//! Python's own `ast`, dumped with the node's class under `_type`, `ast_type` or `node_type`.
//!
//! Source: the abstract grammar of Python 2.7 and of 3.6 to 3.14; `data/node_types/python` lists its nodes.

mod vyper;

use super::{Description, Dialect, Facts, LanguageHints, Store, language_of};
use crate::process::ast::detect::evidence::Evidence;
use crate::process::ast::facts::frame::{Frame, Span, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;

/// The state of reading one document.
#[derive(Debug, Default)]
pub(super) struct Python {
    /// The document is taken for a contract in Vyper, whose compiler names most nodes as Python does.
    is_vyper: bool,
}

const PLACE: usize = 0;

const UNKNOWN: &str = "unknown";

pub(super) const DESCRIPTION: Description = Description {
    name: "python-ast",
    kinds: KINDS,
    keys: KEYS,
    tags: &[],
    score,
    language,
    read: super::extract::<Python>,
};

/// Returns the language. Some tools write other languages' sources as Python's nodes, such as Bazel's files: then
/// the file's name decides.
fn language(hints: &LanguageHints<'_>) -> &'static str {
    match language_of(hints.path) {
        _ if vyper::is_it(hints) => vyper::LANGUAGE,
        Some(UNKNOWN) => UNKNOWN,
        _ => "python",
    }
}

/// Scores a document. Under the plain names `type` and `kind` other parsers' nodes have the same kinds.
fn score(evidence: &Evidence) -> f64 {
    match evidence.kind_field() {
        Some(("type" | "kind", _)) => evidence.known(PLACE) * 0.9,
        _ => evidence.known(PLACE),
    }
}

words! {
    mod key, KEYS;
    NAME = "name",
    ID = "id",
    ATTR = "attr",
    MODULE = "module",
    ASNAME = "asname alias",
    LEVEL = "level",
    LINE = "lineno",
    END_LINE = "end_lineno",
    FUNC = "func",
    VALUE = "value",
    TARGET = "target targets",
    ELTS = "elts",
    DECORATORS = "decorator_list",
    VALUES = "values",
    DIMS = "dims",
    ANNOTATION = "annotation",
    IMPORTS = "imports",
    IS_PUBLIC = "is_public",
    IS_FIXED = "is_constant is_immutable",
}

words! {
    mod role, KINDS;
    FUNCTION = "FunctionDef",
    ASYNC_FUNCTION = "AsyncFunctionDef",
    CLASS = "ClassDef",
    TYPE_ALIAS = "TypeAlias",
    ASSIGN = "Assign AnnAssign",
    IMPORT = "Import",
    IMPORT_FROM = "ImportFrom",
    ALIAS = "alias",
    CALL = "Call",
    NAME = "Name",
    ATTRIBUTE = "Attribute",
    BOOL_OP = "BoolOp",
    BRANCH = "If IfExp While ExceptHandler match_case",
    LAMBDA = "Lambda",
    /// A branch that binds names which are not declarations.
    LOOP = "For AsyncFor comprehension",
    BINDING = "AugAssign NamedExpr Delete Subscript",
    TUPLE = "Tuple",
    PLAIN = "Module Interactive Expression FunctionType Return With AsyncWith Match Raise Try TryStar Assert
        Global Nonlocal Expr Pass Break Continue BinOp UnaryOp Dict Set ListComp SetComp DictComp
        GeneratorExp Await Yield YieldFrom Compare FormattedValue JoinedStr TemplateStr Interpolation
        Constant Num Str Bytes NameConstant Ellipsis Starred List Slice Index ExtSlice Load Store Del And Or
        Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv Invert Not UAdd USub Eq
        NotEq Lt LtE Gt GtE Is IsNot In NotIn arguments arg keyword withitem MatchValue MatchSingleton
        MatchSequence MatchMapping MatchClass MatchStar MatchAs MatchOr type_ignore TypeIgnore TypeVar
        ParamSpec TypeVarTuple Suite Param AugLoad AugStore Print Exec Repr TryExcept TryFinally",
    /// From here on: nodes that only Vyper has.
    VYPER = "ImplementsDecl UsesDecl InitializesDecl ExportsDecl Log ExtCall StaticCall DocStr Int Decimal
        Hex HexBytes",
    STRUCT = "EventDef StructDef",
    ENUM = "FlagDef EnumDef",
    INTERFACE = "InterfaceDef",
    VARIABLE = "VariableDecl",
}

/// Which text a frame holds where.
mod name {
    /// `name`.
    pub(super) const OWN: usize = 0;
    /// `module`; for an attribute, the value it is taken from.
    pub(super) const FIRST: usize = 1;
    pub(super) const ASNAME: usize = 2;
    /// Of a call.
    pub(super) const CALLEE: usize = 3;
    /// Of an attribute, which calls nothing.
    pub(super) const ATTR: usize = CALLEE;
    /// Of a name. Other nodes may have a number of their own there.
    pub(super) const ID: usize = 4;
}

/// Dots of a relative import; with more it leads nowhere.
const LEVEL_MAX: u32 = 16;

/// Inside what is called.
const IN_CALLEE: u32 = flag::OWN;
/// Inside what is assigned to.
const IN_TARGET: u32 = flag::OWN << 1;
/// The dialect's flags end here.
const NEXT_FLAG: u32 = flag::OWN << 2;

impl Dialect for Python {
    const PLACE: usize = PLACE;
    const LOOKS_DOWN: bool = true;

    fn of(store: &mut Store) -> Self {
        let known = [vyper::LANGUAGE, UNKNOWN].into_iter().find(|&known| store.language == known);
        store.read_as = known.or(Some("python"));
        Self { is_vyper: known == Some(vyper::LANGUAGE) }
    }

    #[inline(always)]
    fn open(&mut self, frame: &mut Frame, parent: &Frame) {
        frame.flags = match frame.slot {
            key::FUNC => IN_CALLEE,
            key::TARGET => IN_TARGET,
            key::VALUE => parent.flags & (IN_CALLEE | IN_TARGET),
            key::ELTS => parent.flags & IN_TARGET,
            _ => 0,
        };
        if self.is_vyper {
            vyper::open(frame, parent);
        }
    }

    #[inline(always)]
    fn text(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, text: Span) {
        match field {
            key::NAME => frame.names[name::OWN] = text,
            key::ID => frame.names[name::ID] = text,
            key::ATTR => frame.names[name::ATTR] = text,
            key::MODULE => frame.names[name::FIRST] = text,
            key::ASNAME => frame.names[name::ASNAME] = text,
            _ => {}
        }
    }

    #[inline(always)]
    fn number(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, number: u32) {
        match field {
            key::LINE => frame.line = number,
            key::END_LINE => frame.end_line = number,
            key::LEVEL => frame.count = number.min(LEVEL_MAX),
            _ => return,
        }
        if field != key::LEVEL && !frame.has(vyper::ELSEWHERE) {
            facts.line(number);
        }
    }

    fn truth(&mut self, _facts: &mut Facts<'_, '_>, frame: &mut Frame, field: u8, truth: bool) {
        if self.is_vyper && truth {
            vyper::mark(frame, field);
        }
    }

    #[inline(always)]
    fn close(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
        if self.is_vyper && vyper::close(facts, frame, parent) {
            return;
        }
        if frame.slot == key::VALUES {
            parent.count += 1;
        }
        match frame.role {
            0 | role::PLAIN => {}
            role::NAME => return close_name(facts, frame, parent),
            role::ATTRIBUTE => close_attribute(facts, frame, parent),
            role::CALL => facts.call(frame.names[name::CALLEE], frame),
            role::BRANCH => frame.branches += 1,
            role::BOOL_OP => frame.branches += frame.count.saturating_sub(1),
            _ => close_statement(facts, frame),
        }
        parent.branches += frame.branches;
        if frame.slot == key::DIMS {
            parent.count += frame.branches;
            facts.may_be_repeated(frame, parent);
        }
    }
}

#[inline(always)]
fn close_name(facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    let own = frame.names[name::ID];
    match frame.slot {
        key::FUNC => parent.names[name::CALLEE] = own,
        key::VALUE if frame.has(IN_CALLEE) => parent.names[name::FIRST] = own,
        key::NAME => parent.names[name::OWN] = own,
        key::DECORATORS if matches!(facts.text(own), b"staticmethod" | b"classmethod") => {
            parent.set(flag::STATIC, true);
        }
        _ => {}
    }
    if frame.has(IN_TARGET) {
        facts.name(own, Span::NONE, frame);
    }
}

/// Closes `a.b` where it is called, or is a part of what is.
#[inline(always)]
fn close_attribute(facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    if frame.has(IN_CALLEE) {
        let path = facts.join(frame.names[name::FIRST], ".", frame.names[name::ATTR]);
        parent.names[if frame.slot == key::FUNC { name::CALLEE } else { name::FIRST }] = path;
    }
    facts.drop_names(frame);
}

/// Closes a statement that declares or binds names.
fn close_statement(facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let own = frame.names[name::OWN];
    match frame.role {
        role::FUNCTION | role::ASYNC_FUNCTION => {
            frame.set(flag::ASYNC, frame.role == role::ASYNC_FUNCTION);
            facts.symbol(SymbolKind::Function, own, frame);
            frame.branches = 0;
        }
        role::CLASS => {
            frame.set(flag::STATIC, false);
            facts.symbol(SymbolKind::Class, own, frame);
            frame.branches = 0;
        }
        role::TYPE_ALIAS => {
            facts.symbol(SymbolKind::TypeAlias, own, frame);
            frame.branches = 0;
        }
        role::ASSIGN => close_assignment(facts, frame),
        role::ALIAS => facts.name(own, frame.names[name::ASNAME], frame),
        role::IMPORT => {
            while let Some(module) = facts.take_name(frame) {
                facts.import_module(module.name, module.alias, frame);
            }
        }
        role::IMPORT_FROM => {
            let dots = facts.make(&[b'.'; LEVEL_MAX as usize][..LEVEL_MAX.min(frame.count) as usize]);
            let module = facts.join(dots, "", frame.names[name::FIRST]);
            facts.import(module, Span::NONE, frame);
        }
        role::LOOP => {
            frame.branches += 1;
            facts.drop_names(frame);
        }
        role::BINDING => facts.drop_names(frame),
        role::LAMBDA => facts.drop_variables(frame),
        role::TUPLE => {
            // `dims` is real in `ExtSlice`. From Python 3.9 on a tuple has it as another name of `elts`, which
            // appears in dumps of all attributes of a node.
            frame.branches = frame.branches.saturating_sub(frame.count);
            facts.drop_repeated(frame);
        }
        _ => {}
    }
}

fn close_assignment(facts: &mut Facts<'_, '_>, frame: &Frame) {
    while let Some(target) = facts.take_name(frame) {
        let text = facts.text(target.name);
        let loud = text.iter().any(u8::is_ascii_uppercase) && !text.iter().any(u8::is_ascii_lowercase);
        let kind = if loud { SymbolKind::Constant } else { SymbolKind::Variable };
        facts.symbol(kind, target.name, frame);
    }
}
