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

mod key {
    pub(super) const NAME: u8 = 1;
    pub(super) const ID: u8 = 2;
    pub(super) const ATTR: u8 = 3;
    pub(super) const MODULE: u8 = 4;
    pub(super) const ASNAME: u8 = 5;
    pub(super) const LEVEL: u8 = 6;
    pub(super) const LINE: u8 = 7;
    pub(super) const END_LINE: u8 = 8;
    pub(super) const FUNC: u8 = 9;
    pub(super) const VALUE: u8 = 10;
    pub(super) const TARGET: u8 = 11;
    pub(super) const ELTS: u8 = 12;
    pub(super) const DECORATORS: u8 = 13;
    pub(super) const VALUES: u8 = 14;
    pub(super) const DIMS: u8 = 15;
    pub(super) const ANNOTATION: u8 = 16;
    pub(super) const IMPORTS: u8 = 17;
    pub(super) const IS_PUBLIC: u8 = 18;
    pub(super) const IS_FIXED: u8 = 19;
}

const KEYS: &[(&str, u8)] = &[
    ("name", key::NAME),
    ("id", key::ID),
    ("attr", key::ATTR),
    ("module", key::MODULE),
    ("asname", key::ASNAME),
    ("level", key::LEVEL),
    ("lineno", key::LINE),
    ("end_lineno", key::END_LINE),
    ("func", key::FUNC),
    ("value", key::VALUE),
    ("target", key::TARGET),
    ("targets", key::TARGET),
    ("elts", key::ELTS),
    ("decorator_list", key::DECORATORS),
    ("values", key::VALUES),
    ("dims", key::DIMS),
    ("annotation", key::ANNOTATION),
    ("alias", key::ASNAME),
    ("imports", key::IMPORTS),
    ("is_public", key::IS_PUBLIC),
    ("is_constant", key::IS_FIXED),
    ("is_immutable", key::IS_FIXED),
];

mod role {
    pub(super) const PLAIN: u8 = 1;
    pub(super) const FUNCTION: u8 = 2;
    pub(super) const ASYNC_FUNCTION: u8 = 3;
    pub(super) const CLASS: u8 = 4;
    pub(super) const TYPE_ALIAS: u8 = 5;
    pub(super) const ASSIGN: u8 = 6;
    pub(super) const IMPORT: u8 = 7;
    pub(super) const IMPORT_FROM: u8 = 8;
    pub(super) const ALIAS: u8 = 9;
    pub(super) const CALL: u8 = 10;
    pub(super) const NAME: u8 = 11;
    pub(super) const ATTRIBUTE: u8 = 12;
    pub(super) const BOOL_OP: u8 = 13;
    pub(super) const BRANCH: u8 = 14;
    pub(super) const LAMBDA: u8 = 15;
    /// A branch that binds names which are not declarations.
    pub(super) const LOOP: u8 = 16;
    pub(super) const BINDING: u8 = 17;
    pub(super) const TUPLE: u8 = 18;
    /// From here on: nodes that only Vyper has.
    pub(super) const VYPER: u8 = 19;
    pub(super) const STRUCT: u8 = 20;
    pub(super) const ENUM: u8 = 21;
    pub(super) const INTERFACE: u8 = 22;
    pub(super) const VARIABLE: u8 = 23;
}

#[rustfmt::skip]
const KINDS: &[(&str, u8)] = &[
    ("FunctionDef", role::FUNCTION), ("AsyncFunctionDef", role::ASYNC_FUNCTION), ("ClassDef", role::CLASS),
    ("TypeAlias", role::TYPE_ALIAS), ("Assign", role::ASSIGN), ("AnnAssign", role::ASSIGN),
    ("Import", role::IMPORT), ("ImportFrom", role::IMPORT_FROM), ("alias", role::ALIAS),
    ("Call", role::CALL), ("Name", role::NAME), ("Attribute", role::ATTRIBUTE), ("BoolOp", role::BOOL_OP),
    ("If", role::BRANCH), ("IfExp", role::BRANCH), ("While", role::BRANCH), ("ExceptHandler", role::BRANCH),
    ("match_case", role::BRANCH), ("For", role::LOOP), ("AsyncFor", role::LOOP), ("comprehension", role::LOOP),
    ("AugAssign", role::BINDING), ("NamedExpr", role::BINDING), ("Delete", role::BINDING), ("Lambda", role::LAMBDA),
    ("Module", role::PLAIN), ("Interactive", role::PLAIN), ("Expression", role::PLAIN), ("FunctionType", role::PLAIN),
    ("Return", role::PLAIN), ("With", role::PLAIN), ("AsyncWith", role::PLAIN), ("Match", role::PLAIN),
    ("Raise", role::PLAIN), ("Try", role::PLAIN), ("TryStar", role::PLAIN), ("Assert", role::PLAIN),
    ("Global", role::PLAIN), ("Nonlocal", role::PLAIN), ("Expr", role::PLAIN), ("Pass", role::PLAIN),
    ("Break", role::PLAIN), ("Continue", role::PLAIN), ("BinOp", role::PLAIN), ("UnaryOp", role::PLAIN),
    ("Dict", role::PLAIN), ("Set", role::PLAIN), ("ListComp", role::PLAIN), ("SetComp", role::PLAIN),
    ("DictComp", role::PLAIN), ("GeneratorExp", role::PLAIN), ("Await", role::PLAIN), ("Yield", role::PLAIN),
    ("YieldFrom", role::PLAIN), ("Compare", role::PLAIN), ("FormattedValue", role::PLAIN), ("JoinedStr", role::PLAIN),
    ("TemplateStr", role::PLAIN), ("Interpolation", role::PLAIN), ("Constant", role::PLAIN), ("Num", role::PLAIN),
    ("Str", role::PLAIN), ("Bytes", role::PLAIN), ("NameConstant", role::PLAIN), ("Ellipsis", role::PLAIN),
    ("Subscript", role::BINDING), ("Starred", role::PLAIN), ("List", role::PLAIN), ("Tuple", role::TUPLE),
    ("Slice", role::PLAIN), ("Index", role::PLAIN), ("ExtSlice", role::PLAIN), ("Load", role::PLAIN),
    ("Store", role::PLAIN), ("Del", role::PLAIN), ("And", role::PLAIN), ("Or", role::PLAIN), ("Add", role::PLAIN),
    ("Sub", role::PLAIN), ("Mult", role::PLAIN), ("MatMult", role::PLAIN), ("Div", role::PLAIN), ("Mod", role::PLAIN),
    ("Pow", role::PLAIN), ("LShift", role::PLAIN), ("RShift", role::PLAIN), ("BitOr", role::PLAIN),
    ("BitXor", role::PLAIN), ("BitAnd", role::PLAIN), ("FloorDiv", role::PLAIN), ("Invert", role::PLAIN),
    ("Not", role::PLAIN), ("UAdd", role::PLAIN), ("USub", role::PLAIN), ("Eq", role::PLAIN), ("NotEq", role::PLAIN),
    ("Lt", role::PLAIN), ("LtE", role::PLAIN), ("Gt", role::PLAIN), ("GtE", role::PLAIN), ("Is", role::PLAIN),
    ("IsNot", role::PLAIN), ("In", role::PLAIN), ("NotIn", role::PLAIN), ("arguments", role::PLAIN),
    ("arg", role::PLAIN), ("keyword", role::PLAIN), ("withitem", role::PLAIN), ("MatchValue", role::PLAIN),
    ("MatchSingleton", role::PLAIN), ("MatchSequence", role::PLAIN), ("MatchMapping", role::PLAIN),
    ("MatchClass", role::PLAIN), ("MatchStar", role::PLAIN), ("MatchAs", role::PLAIN), ("MatchOr", role::PLAIN),
    ("type_ignore", role::PLAIN), ("TypeIgnore", role::PLAIN), ("TypeVar", role::PLAIN),
    ("ParamSpec", role::PLAIN), ("TypeVarTuple", role::PLAIN), ("Suite", role::PLAIN), ("Param", role::PLAIN),
    ("AugLoad", role::PLAIN), ("AugStore", role::PLAIN), ("Print", role::PLAIN), ("Exec", role::PLAIN),
    ("Repr", role::PLAIN), ("TryExcept", role::PLAIN), ("TryFinally", role::PLAIN),
    ("EventDef", role::STRUCT), ("StructDef", role::STRUCT), ("FlagDef", role::ENUM), ("EnumDef", role::ENUM),
    ("InterfaceDef", role::INTERFACE), ("VariableDecl", role::VARIABLE), ("ImplementsDecl", role::VYPER),
    ("UsesDecl", role::VYPER), ("InitializesDecl", role::VYPER), ("ExportsDecl", role::VYPER), ("Log", role::VYPER),
    ("ExtCall", role::VYPER), ("StaticCall", role::VYPER), ("DocStr", role::VYPER), ("Int", role::VYPER),
    ("Decimal", role::VYPER), ("Hex", role::VYPER), ("HexBytes", role::VYPER),
];

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
