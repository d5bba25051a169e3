//! Decides what a node is: a symbol, a call, a branch, or a part of a callee.

use super::kinds::role;
use super::lines::{Late, Line};
use super::written::{self, Extent};
use super::{
    Clang, HAS_BRACES, HAS_CONSTRUCTED, HAS_LISTED, IN_CALLEE, IS_CLASS, IS_CLOSURE, IS_COMPLETE,
    IS_IMPLICIT, IS_LIST, IS_LOGICAL, IS_POINTER, IS_SUPER, LEFT_OUT, Node, name, paths,
};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::{Frame, Span, Visibility, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;

pub(super) fn is_function(role: u8) -> bool {
    matches!(role, role::FUNCTION | role::METHOD | role::CONVERSION | role::CONSTRUCTOR | role::OBJC_METHOD)
}

fn is_record(role: u8) -> bool {
    matches!(role, role::RECORD | role::CXX_RECORD | role::SPECIALIZATION)
}

/// Returns whether variables inside are not the file's.
fn is_body(role: u8) -> bool {
    is_function(role) || is_record(role) || matches!(role, role::LAMBDA | role::BLOCK)
}

fn is_written_call(node: &Node) -> bool {
    Extent::of(&node.places).is_call(node.first_extent)
}

/// Returns the path of an expression that may be called, or a part of one: empty if it is computed.
pub(super) fn path(facts: &mut Facts<'_, '_>, frame: &Frame, is_implied: bool) -> Span {
    if !frame.has(IN_CALLEE) || frame.flags & LEFT_OUT != 0 {
        return Span::NONE;
    }
    let own = frame.names[name::OWN];
    let first = frame.names[name::FIRST];
    match frame.role {
        role::THROUGH | role::CXX_THROUGH | role::C_CAST => first,
        role::UNARY if frame.has(IS_POINTER) => first,
        role::REFERENCE => frame.names[name::OTHER],
        role::LOOKUP => own,
        role::PSEUDO => first,
        role::OBJC_MEMBER if is_implied => frame.names[name::OTHER],
        role::OBJC_MEMBER if frame.names[name::OTHER].is_some() => {
            facts.join(first, ".", frame.names[name::OTHER])
        }
        role::MEMBER | role::DEPENDENT_MEMBER if own.is_some() => facts.join(first, ".", own),
        role::THIS if !is_implied => facts.make(b"this"),
        _ => Span::NONE,
    }
}

/// Passes what a construction constructs to the enclosing node, through the nodes that stand for it.
pub(super) fn hand_constructed(frame: &Frame, parent: &mut Frame) {
    parent.flags |= if frame.role == role::LIST { HAS_BRACES } else { 0 };
    let constructed = match frame.role {
        role::CONSTRUCT | role::LIST => frame.names[name::TYPE],
        role::THROUGH | role::CXX_THROUGH => frame.names[name::OTHER],
        _ => return,
    };
    parent.flags |= frame.flags & (HAS_CONSTRUCTED | HAS_LISTED);
    parent.names[name::OTHER] = parent.names[name::OTHER].or(constructed);
}

impl Clang {
    /// Records a node as what it is.
    #[inline(always)]
    pub(super) fn declare(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, node: &Node) {
        self.settle_access(facts, frame);
        if is_body(frame.role) {
            facts.drop_variables(frame);
        }
        match frame.role {
            0 | role::PLAIN | role::CXX | role::OBJC | role::THROUGH | role::REFERENCE | role::MEMBER => {}
            role::LIST | role::PSEUDO | role::OBJC_MEMBER => {}
            role::C_CAST | role::WORDED_CAST if !frame.has(HAS_CONSTRUCTED) => {}
            role::C_CAST | role::WORDED_CAST => facts.drop_newest_call(frame.at),
            role::BRANCH | role::CXX_BRANCH | role::OBJC_BRANCH => self.branch(facts, frame, node),
            role::BINARY if frame.has(IS_LOGICAL) => self.branch(facts, frame, node),
            role::BINARY | role::UNWRITTEN => {}
            role::CALL | role::CXX_CALL | role::OPERATOR_CALL if !is_written_call(node) => {}
            role::CALL | role::CXX_CALL | role::LITERAL_CALL => {
                self.call(facts, frame, node, frame.names[name::FIRST]);
            }
            role::OPERATOR_CALL => self.operator_call(facts, frame, node),
            role::CONSTRUCT | role::NAMED_CONSTRUCT => self.construct(facts, frame, node),
            role::NEW if !frame.has(HAS_CONSTRUCTED) => self.construct_new(facts, frame, node),
            // A variable or member with such a list may be of any type.
            role::CAST if frame.has(HAS_BRACES) => {
                self.construct_named(facts, frame, node, frame.names[name::OTHER]);
            }
            role::NAMING | role::CAST if frame.has(HAS_LISTED) => {
                self.construct_named(facts, frame, node, frame.names[name::OTHER]);
            }
            // Of `a < b` that becomes `(a <=> b) < 0`, the second operator.
            role::REWRITTEN => facts.drop_call(node.first, |callee| callee != b"operator=="),
            role::OBJC_MESSAGE => self.message(facts, frame, node),
            _ => self.symbol(facts, frame, node),
        }
    }

    fn is_first_use(&mut self, facts: &Facts<'_, '_>, frame: &Frame, node: &Node) -> bool {
        self.once.is_first_use(frame.at, facts.text(node.id), frame.role, &node.places)
    }

    fn branch(&mut self, facts: &Facts<'_, '_>, frame: &mut Frame, node: &Node) {
        frame.branches += u32::from(self.is_first_use(facts, frame, node));
    }

    fn call(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame, node: &Node, callee: Span) {
        let is_unwritten = written::is_of_coroutine(facts.text(callee));
        if callee.is_some() && !is_unwritten && self.is_first_use(facts, frame, node) {
            facts.call(callee, frame);
        }
    }

    /// Records an operator call by the operator's name, a call of an object by the object's.
    fn operator_call(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame, node: &Node) {
        let operator = frame.names[name::FIRST];
        let is_object = facts.text(operator) == b"operator()";
        let callee = if is_object { frame.names[name::SECOND] } else { operator };
        self.call(facts, frame, node, callee);
    }

    /// Records a construction. For a list in braces, and where there are no brackets, the enclosing node knows
    /// whether a name precedes it.
    fn construct(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, node: &Node) {
        let is_written = Extent::of(&node.places).is_construction(node.first_extent);
        match frame.role {
            role::NAMED_CONSTRUCT => self.construct_named(facts, frame, node, frame.names[name::TYPE]),
            _ if frame.has(IS_LIST) => frame.flags |= HAS_LISTED,
            _ if is_written => {
                frame.flags |= HAS_CONSTRUCTED;
                self.construct_named(facts, frame, node, frame.names[name::TYPE]);
            }
            _ => {}
        }
    }

    /// Records what `new` constructs if the construction itself does not show it: its type points there.
    fn construct_new(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame, node: &Node) {
        let written = frame.names[name::TYPE];
        let pointed = facts.text(written).strip_suffix(b"*").map_or(&b""[..], <[u8]>::trim_ascii);
        if !pointed.ends_with(b"*") {
            let constructed = facts.part(written, 0, pointed.len());
            self.construct_named(facts, frame, node, constructed);
        }
    }

    fn construct_named(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame, node: &Node, written: Span) {
        let callee = self.type_path(facts, written);
        let dot = facts.text(callee).iter().rposition(|&byte| byte == b'.');
        let callee = facts.part(callee, dot.map_or(0, |dot| dot + 1), usize::from(callee.len));
        if !paths::is_plain(facts.text(callee)) {
            self.call(facts, frame, node, callee);
        }
    }

    /// Notes the names that structs, classes and namespaces give to what is defined outside of them.
    pub(super) fn declare_left_out(&mut self, frame: &Frame, node: &Node) {
        // What is defined elsewhere may name the first declaration, which may not be the definition.
        let is_type = is_record(frame.role) && (frame.has(IS_COMPLETE) || !frame.has(IS_IMPLICIT));
        if frame.role == role::NAMESPACE || is_type {
            self.scopes.add(frame, node, frame.names[name::OWN], None);
        }
    }

    /// Gives members of a record before its first access specifier the default visibility.
    fn settle_access(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame) {
        let around = self.nodes.last().map_or(Visibility::Unknown, |around| around.access);
        let access = match frame.role {
            role::CXX_RECORD | role::SPECIALIZATION if frame.has(IS_CLASS) => Visibility::Private,
            role::CXX_RECORD | role::SPECIALIZATION => Visibility::Public,
            role::TEMPLATE | role::CUT_TEMPLATE if around == Visibility::Unknown => return,
            role::TEMPLATE | role::CUT_TEMPLATE => around,
            _ => Visibility::Unknown,
        };
        self.late_access.give(frame.at + 1, &mut facts.store.symbols, |_, symbol| symbol.visibility = access);
    }

    fn type_path(&mut self, facts: &mut Facts<'_, '_>, written: Span) -> Span {
        paths::type_path(facts.text(written), &mut self.text);
        facts.make(&self.text)
    }

    fn message(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame, node: &Node) {
        let receiver = match frame {
            _ if frame.has(IS_SUPER) => facts.make(b"super"),
            _ if frame.has(IS_CLASS) => self.type_path(facts, frame.names[name::OTHER]),
            _ => frame.names[name::FIRST],
        };
        let selector = frame.names[name::OWN];
        if selector.is_some() {
            let callee = facts.join(receiver, ".", selector);
            self.call(facts, frame, node, callee);
        }
    }

    /// Records a declaration.
    fn symbol(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, node: &Node) {
        let own = frame.names[name::OWN];
        match frame.role {
            _ if frame.has(IS_CLOSURE) => {}
            role::METHOD if node.places.begins_behind() && facts.text(own) == b"operator()" => {}
            role::FUNCTION => {
                frame.set(flag::FREE, true);
                self.add(facts, frame, node, SymbolKind::Function, own);
            }
            role::METHOD | role::OBJC_METHOD => self.add(facts, frame, node, SymbolKind::Method, own),
            role::CONVERSION => {
                paths::conversion(facts.text(frame.names[name::TYPE]), &mut self.text);
                let own = facts.make(&self.text);
                self.add(facts, frame, node, SymbolKind::Method, own);
            }
            role::CONSTRUCTOR => {
                // A template's name is followed by its parameters.
                let end = facts.text(own).iter().position(|&byte| byte == b'<');
                let own = facts.part(own, 0, end.unwrap_or(usize::from(own.len)));
                self.add(facts, frame, node, SymbolKind::Method, own);
            }
            role::RECORD | role::CXX_RECORD | role::SPECIALIZATION if frame.has(IS_COMPLETE) => {
                let kind = if frame.has(IS_CLASS) { SymbolKind::Class } else { SymbolKind::Struct };
                self.add(facts, frame, node, kind, own);
            }
            // Without a body, one that only says `enum E` in front of its name is defined elsewhere.
            role::RECORD | role::CXX_RECORD | role::SPECIALIZATION => self.declare_left_out(frame, node),
            role::ENUM if node.first == 0 && node.places.end.at == node.places.loc.at => {}
            role::ENUM => self.add(facts, frame, node, SymbolKind::Enum, own),
            role::TYPE_ALIAS => self.add(facts, frame, node, SymbolKind::TypeAlias, own),
            role::NAMESPACE => self.add(facts, frame, node, SymbolKind::Module, own),
            // `@class A;` and `@protocol B;` only name what is declared elsewhere.
            role::OBJC_INTERFACE | role::OBJC_PROTOCOL
                if node.first == 0 && node.places.end.at == node.places.loc.at => {}
            role::OBJC_INTERFACE => self.add(facts, frame, node, SymbolKind::Class, own),
            role::OBJC_PROTOCOL => self.add(facts, frame, node, SymbolKind::Interface, own),
            role::OBJC_IMPLEMENTATION => facts.symbol(SymbolKind::Scope, own, frame),
            role::OBJC_CATEGORY => facts.symbol(SymbolKind::Scope, frame.names[name::OTHER], frame),
            role::VARIABLE | role::VARIABLE_SPECIALIZATION | role::PARTIAL_VARIABLE | role::BINDING => {
                if frame.has(IS_LIST) && frame.has(HAS_LISTED) {
                    self.construct_named(facts, frame, node, frame.names[name::OTHER]);
                }
                let written = facts.text(frame.names[name::TYPE]);
                let constant = frame.role != role::BINDING && paths::is_constant(written);
                let kind = if constant { SymbolKind::Constant } else { SymbolKind::Variable };
                self.add(facts, frame, node, kind, own);
            }
            // A function that is declared among statements is not the file's, as its variables are not.
            role::LOCAL => facts.drop_if(frame, |symbol| symbol.kind == SymbolKind::Function),
            role::FRIEND => facts.each_waiting(frame, |symbol| symbol.flags |= flag::OUTSIDE),
            role::ACCESS => self.nodes.last_mut().into_iter().for_each(|node| node.access = frame.visibility),
            role::IMPORT => facts.import_module(own.or(frame.names[name::OTHER]), Span::NONE, frame),
            _ => {}
        }
    }

    /// Adds a symbol, and notes what will be known later.
    fn add(
        &mut self,
        facts: &mut Facts<'_, '_>,
        frame: &mut Frame,
        node: &Node,
        kind: SymbolKind,
        name: Span,
    ) {
        if !kind.is_variable() && !self.once.is_first(frame.at, facts.text(node.id)) {
            return;
        }
        let may_have_access = !kind.is_variable() && frame.role != role::FUNCTION;
        frame.visibility = match self.nodes.last() {
            Some(around) if may_have_access => around.access,
            _ => Visibility::Unknown,
        };
        let first = node.places.first();
        let last = node.places.end.own_line();
        frame.line = first.number();
        frame.end_line = if first == Line::NONE { 0 } else { last.number() };
        let number = facts.store.symbols.len();
        facts.symbol(kind, name, frame);
        if facts.store.symbols.len() == number {
            return;
        }
        let first_late = first == Line::BEFORE;
        let last_late = last == Line::BEFORE && first != Line::NONE;
        let late = Late { number: number as u32, at: frame.at, first: first_late, last: last_late };
        if first_late || last_late {
            self.late_lines.add(late);
        }
        if may_have_access && frame.visibility == Visibility::Unknown {
            self.late_access.add(late);
        }
        if kind == SymbolKind::Module || is_record(frame.role) {
            self.scopes.add(frame, node, name, Some(late.number));
        }
        if node.context.is_some() && frame.role != role::NAMESPACE {
            self.scopes.add_stray(late.number, frame.at, node.context);
        }
        frame.branches = if kind.is_variable() { frame.branches } else { 0 };
    }
}
