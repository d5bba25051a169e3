//! Handles a node when it closes.

use super::kinds::role;
use super::{Estree, Unsettled, bit, key, name};
use crate::process::ast::dialect::Facts;
use crate::process::ast::facts::frame::{Frame, Span, Visibility, flag};
use crate::process::ast::facts::symbol_kind::SymbolKind;

/// Returns which of the parent's texts a name sets, by its position.
#[inline(always)]
fn place(slot: u8) -> Option<usize> {
    match slot {
        // The right of a qualified name; a type alias has an `id` beside its `right`.
        key::NAME | key::RIGHT => Some(name::NAME),
        key::KEY | key::PROPERTY | key::LOCAL | key::LEFT => Some(name::FIRST),
        key::ID | key::EXTERN => Some(name::SECOND),
        _ => None,
    }
}

/// Closes an object without a kind: places in the source, and SWC's wrappers of arguments and functions.
#[inline(always)]
pub(super) fn close_bare(facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    match frame.slot {
        key::START => parent.line = frame.line,
        key::END => parent.end_line = frame.line,
        key::LOC => {
            parent.line = frame.line;
            parent.end_line = frame.end_line;
            facts.line(frame.line.max(frame.end_line));
        }
        key::ARGUMENTS if parent.count == 0 && !frame.has(bit::SPREAD) => {
            parent.names[name::STRING] = frame.names[name::STRING];
        }
        key::SPREAD => parent.set(bit::SPREAD, true),
        key::FUNCTION | key::VALUE => parent.set(bit::INNER_ASYNC, frame.has(flag::ASYNC)),
        _ => {}
    }
}

#[inline(always)]
pub(super) fn close_identifier(facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    let own = frame.names[name::NAME].or(frame.names[name::VALUE]);
    if let Some(place) = place(frame.slot) {
        parent.names[place] = own;
    } else {
        pass_path(own, frame, parent);
        if frame.slot == key::CALLEE {
            parent.set(bit::CALLS_NAME, true);
        }
    }
    if frame.has(bit::IN_PATTERN) && frame.slot != key::ID {
        facts.name(own, Span::NONE, frame);
    }
}

/// Passes on the path of what is called, or of a part of it.
#[inline(always)]
fn pass_path(path: Span, frame: &Frame, parent: &mut Frame) {
    if frame.has(bit::IN_CALLEE) && frame.slot != key::PROPERTY {
        parent.names[name::SECOND] = path;
    }
}

#[inline(always)]
pub(super) fn close_string(frame: &Frame, parent: &mut Frame) {
    let own = frame.names[name::VALUE];
    match frame.slot {
        key::SOURCE | key::EXPRESSION | key::ARGUMENT | key::LITERAL => parent.names[name::STRING] = own,
        key::ARGUMENTS if parent.count == 0 => parent.names[name::STRING] = own,
        key::KEY | key::LOCAL => parent.names[name::FIRST] = own,
        key::ID | key::EXTERN => parent.names[name::SECOND] = own,
        _ => {}
    }
}

/// Closes `a.b` where it is called, or is a part of what is.
#[inline(always)]
pub(super) fn close_member_expression(facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    if frame.has(bit::IN_CALLEE) {
        let property = frame.names[name::FIRST];
        let path = if property.is_none() || frame.has(bit::COMPUTED) {
            Span::NONE
        } else {
            facts.join(frame.names[name::SECOND], ".", property)
        };
        pass_path(path, frame, parent);
    }
}

#[inline(always)]
pub(super) fn close_call(facts: &mut Facts<'_, '_>, frame: &Frame) {
    let callee = frame.names[name::SECOND];
    let string = frame.names[name::STRING];
    let requires = string.is_some()
        && frame.role == role::CALL
        && frame.has(bit::CALLS_NAME)
        && frame.count == 1
        && facts.text(callee) == b"require";
    if requires || frame.has(bit::CALLS_IMPORT) {
        facts.import_module(string, Span::NONE, frame);
    } else {
        facts.call(callee, frame);
    }
}

impl Estree {
    pub(super) fn close_other(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
        match frame.role {
            role::BINARY => frame.branches += u32::from(frame.has(bit::LOGICAL)),
            role::CASE => frame.branches += u32::from(frame.has(bit::HAS_TEST)),
            role::FUNCTION => symbol(facts, SymbolKind::Function, name::SECOND, frame),
            role::FUNCTION_EXPRESSION => close_function_expression(facts, frame, parent),
            role::DECLARATOR => self.close_declarator(facts, frame),
            role::MATCH_CASE => {
                frame.branches += u32::from(!frame.has(bit::FITS_ALL) || frame.has(bit::HAS_TEST));
            }
            role::WILDCARD if frame.slot == key::PATTERN => parent.set(bit::FITS_ALL, true),
            role::DECLARATION => self.close_declaration(facts, frame),
            role::THROUGH => pass_path(frame.names[name::SECOND], frame, parent),
            role::PARENTHESES => {
                pass_path(frame.names[name::SECOND], frame, parent);
                if is_value(frame.slot) {
                    parent.flags |= frame.flags & (bit::INNER_FUNCTION | bit::INNER_CLASS | bit::INNER_ASYNC);
                }
            }
            role::THIS | role::SUPER if frame.has(bit::IN_CALLEE) => {
                let word: &[u8] = if frame.role == role::THIS { b"this" } else { b"super" };
                pass_path(facts.make(word), frame, parent);
            }
            role::IMPORT_WORD => parent.set(bit::CALLS_IMPORT, frame.slot == key::CALLEE),
            role::PRIVATE_NAME => close_private_name(facts, frame, parent),
            role::METHOD | role::CONSTRUCTOR | role::FIELD | role::STATIC_FIELD => close_member(facts, frame),
            role::TYPE_MEMBER => close_type_member(facts, frame),
            // Some parsers begin an exported class after its decorators.
            role::DECORATOR if frame.line > 0 => {
                parent.count = if parent.count == 0 { frame.line } else { parent.count.min(frame.line) };
            }
            role::OBJECT_TYPE if frame.slot != key::BODY => drop_type_members(facts, frame),
            role::INTERFACE_TYPE => drop_type_members(facts, frame),
            role::CLASS => {
                begin_with_decorators(frame);
                symbol(facts, SymbolKind::Class, name::SECOND, frame);
            }
            role::CLASS_EXPRESSION => close_class_expression(facts, frame, parent),
            role::INTERFACE => {
                drop_type_members(facts, frame);
                symbol(facts, SymbolKind::Interface, name::SECOND, frame);
            }
            role::ENUM => symbol(facts, SymbolKind::Enum, name::SECOND, frame),
            role::TYPE_ALIAS => symbol(facts, SymbolKind::TypeAlias, name::SECOND, frame),
            role::NAMESPACE => close_namespace(facts, frame, parent),
            _ => close_binding(facts, frame, parent),
        }
    }

    /// Closes a declaration of variables; Flow's `declare var x` has the name itself.
    fn close_declaration(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
        let own = frame.names[name::SECOND];
        if own.is_some() && !frame.has(bit::NOT_TOP) {
            facts.symbol(SymbolKind::Variable, own, frame);
            self.unsettled.add(frame.at);
        }
        if frame.has(bit::CONST) && self.unsettled.last >= frame.at {
            let around = Frame { at: frame.at - 1, ..*frame };
            facts.each_variable(&around, |symbol| {
                if symbol.kind == SymbolKind::Variable {
                    symbol.kind = SymbolKind::Constant;
                }
            });
        }
    }

    fn close_declarator(&mut self, facts: &mut Facts<'_, '_>, frame: &mut Frame) {
        let own = frame.names[name::SECOND];
        if own.is_some() && frame.has(bit::INNER_FUNCTION | bit::INNER_CLASS) {
            let is_function = frame.has(bit::INNER_FUNCTION);
            frame.set(flag::ASYNC, frame.has(bit::INNER_ASYNC));
            let kind = if is_function { SymbolKind::Function } else { SymbolKind::Class };
            symbol(facts, kind, name::SECOND, frame);
        } else if !frame.has(bit::NOT_TOP) {
            facts.symbol(SymbolKind::Variable, own, frame);
            while let Some(bound) = facts.take_name(frame) {
                facts.symbol(SymbolKind::Variable, bound.name, frame);
            }
            self.unsettled.add(frame.at);
        }
    }
}

impl Unsettled {
    fn add(&mut self, at: u32) {
        self.first = if self.first == 0 { at } else { self.first.min(at) };
        self.last = self.last.max(at);
    }

    /// Settles variables that began inside a closing object: they are kept if it is a module's top, and dropped
    /// otherwise. The block that is a module's body in Flow looks like one inside a body.
    #[inline(never)]
    pub(super) fn settle(&mut self, facts: &mut Facts<'_, '_>, frame: &Frame) {
        match frame.role {
            role::PROGRAM | role::MODULE_OR_SCRIPT => drop_in_blocks(facts, frame),
            role::BLOCK if frame.slot == key::BODY => {
                drop_in_blocks(facts, frame);
                facts.each_variable(frame, |symbol| symbol.flags |= bit::IN_BLOCK);
                return;
            }
            role::DECLARATOR | role::DECLARATION | role::EXPORT | role::EXPORT_OF | role::NAMESPACE | 0
                if frame.outer > 0 =>
            {
                return;
            }
            _ => facts.drop_variables(frame),
        }
        // What is left began before this object.
        *self = if self.first > frame.at { Self::default() } else { Self { last: frame.at, ..*self } };
    }
}

fn drop_in_blocks(facts: &mut Facts<'_, '_>, frame: &Frame) {
    facts.drop_if(frame, |symbol| symbol.flags & bit::IN_BLOCK != 0);
}

/// Makes a symbol that takes its branches. Without a name there is no symbol, and they go to the enclosing node.
fn symbol(facts: &mut Facts<'_, '_>, kind: SymbolKind, place: usize, frame: &mut Frame) {
    let own = frame.names[place];
    if own.is_some() {
        facts.symbol(kind, own, frame);
        frame.branches = 0;
    }
}

/// Returns whether a function here may be the value of a declarator or a member, perhaps in parentheses.
fn is_value(slot: u8) -> bool {
    matches!(slot, key::VALUE | key::INIT | key::EXPRESSION)
}

#[inline(always)]
fn close_function_expression(facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
    match frame.slot {
        slot if is_value(slot) => {
            parent.set(bit::INNER_FUNCTION, true);
            parent.set(bit::INNER_ASYNC, frame.has(flag::ASYNC));
        }
        // Other parsers write this as a declaration.
        key::DEFAULT => symbol(facts, SymbolKind::Function, name::SECOND, frame),
        _ => {}
    }
}

fn close_class_expression(facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
    match frame.slot {
        key::INIT | key::EXPRESSION => parent.set(bit::INNER_CLASS, true),
        key::DEFAULT => symbol(facts, SymbolKind::Class, name::SECOND, frame),
        _ => {}
    }
}

/// Closes `#x`, where it is a member's name or called.
fn close_private_name(facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    let is_key = frame.slot == key::KEY;
    if is_key || frame.has(bit::IN_CALLEE) && frame.slot == key::PROPERTY {
        let own = frame.names[name::NAME].or(frame.names[name::VALUE]).or(frame.names[name::SECOND]);
        if facts.text(own).starts_with(b"#") {
            parent.names[name::FIRST] = own;
        } else if own.is_some() {
            let sign = facts.make(b"#");
            parent.names[name::FIRST] = facts.join(sign, "", own);
        }
        parent.set(bit::PRIVATE_KEY, is_key);
    }
}

/// Sets the first line of a decorated node to that of its first decorator.
fn begin_with_decorators(frame: &mut Frame) {
    if frame.count > 0 && frame.line > 0 {
        frame.line = frame.line.min(frame.count);
    }
}

fn close_member(facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    let is_field = matches!(frame.role, role::FIELD | role::STATIC_FIELD);
    if is_field && !frame.has(bit::INNER_FUNCTION) || frame.has(bit::COMPUTED) {
        return;
    }
    frame.set(flag::STATIC, frame.has(flag::STATIC) || frame.role == role::STATIC_FIELD);
    if frame.role == role::CONSTRUCTOR && frame.names[name::FIRST].is_none() {
        frame.names[name::FIRST] = facts.make(b"constructor");
    }
    if frame.has(bit::PRIVATE_KEY) {
        frame.visibility = Visibility::Private;
    }
    frame.set(flag::ASYNC, frame.has(flag::ASYNC | bit::INNER_ASYNC));
    begin_with_decorators(frame);
    symbol(facts, SymbolKind::Method, name::FIRST, frame);
}

/// Closes a method in an object type of Flow, which the object type drops unless it may be the body of a class.
fn close_type_member(facts: &mut Facts<'_, '_>, frame: &mut Frame) {
    if frame.has(bit::TYPE_METHOD | bit::TYPE_ACCESSOR) {
        symbol(facts, SymbolKind::Method, name::FIRST, frame);
        if let Some(method) = facts.newest(frame) {
            method.flags |= bit::TYPE_METHOD;
        }
    }
}

fn drop_type_members(facts: &mut Facts<'_, '_>, frame: &Frame) {
    facts.drop_if(frame, |symbol| symbol.flags & bit::TYPE_METHOD != 0);
}

/// Closes a namespace, whose name may have parts: `A.B` is one symbol `B` in the scope `A`. Some parsers nest a
/// namespace for each part, one as the body of the other.
fn close_namespace(facts: &mut Facts<'_, '_>, frame: &mut Frame, parent: &mut Frame) {
    let own = frame.names[name::SECOND];
    if own.is_none() {
        return;
    }
    // An array's namespaces leave this with a block, for which it means nothing.
    parent.set(bit::IS_PREFIX, parent.has(bit::IS_PREFIX) || frame.slot == key::BODY);
    let dot =
        frame.has(bit::HAS_PARTS).then(|| facts.text(own).iter().rposition(|&byte| byte == b'.')).flatten();
    if frame.has(bit::IS_PREFIX) {
        symbol(facts, SymbolKind::Scope, name::SECOND, frame);
    } else if let Some(dot) = dot {
        let last = facts.part(own, dot + 1, usize::from(own.len));
        facts.symbol(SymbolKind::Module, last, &Frame { at: frame.at + 1, ..*frame });
        frame.names[name::SECOND] = facts.part(own, 0, dot);
        symbol(facts, SymbolKind::Scope, name::SECOND, frame);
    } else {
        symbol(facts, SymbolKind::Module, name::SECOND, frame);
    }
}

/// Closes what binds names: imports, exports, and parts of patterns.
fn close_binding(facts: &mut Facts<'_, '_>, frame: &Frame, parent: &mut Frame) {
    let [named, first, second, string, ..] = frame.names;
    match frame.role {
        role::IMPORT => facts.import(string, Span::NONE, frame),
        role::EXPORT if string.is_some() => facts.import(string, Span::NONE, frame),
        role::EXPORT => facts.drop_names(frame),
        role::EXPORT_ALL => {
            let all = facts.make(b"*");
            // Its name belongs to it as if it began inside.
            facts.name(all, second, &Frame { at: frame.at + 1, ..*frame });
            facts.import(string, Span::NONE, frame);
        }
        role::IMPORT_EXPRESSION | role::IMPORT_TYPE => facts.import_module(string, Span::NONE, frame),
        role::OF_STRING if matches!(frame.slot, key::ARGUMENT | key::MODULE_REFERENCE) => {
            parent.names[name::STRING] = string;
        }
        role::IMPORT_EQUALS => facts.import_module(string, second, frame),
        role::IMPORT_SPECIFIER => close_specifier(facts, second.or(first), first, frame),
        role::EXPORT_SPECIFIER => close_specifier(facts, first, second, frame),
        role::DEFAULT_SPECIFIER => {
            let default = facts.make(b"default");
            facts.name(default, first.or(second), frame);
        }
        role::NAMESPACE_SPECIFIER => {
            let all = facts.make(b"*");
            facts.name(all, first.or(second).or(named), frame);
        }
        role::QUALIFIED_NAME => {
            facts.drop_names(frame);
            if let Some(place) = place(frame.slot).filter(|_| first.is_some() && named.is_some()) {
                parent.names[place] = facts.join(first, ".", named);
                parent.set(bit::HAS_PARTS, true);
            }
        }
        role::PROPERTY_PATTERN if frame.has(bit::IN_PATTERN) => {
            facts.drop_names(frame);
            facts.name(first, Span::NONE, frame);
        }
        _ => {}
    }
}

/// Closes `{a as b}`: the alias counts only if it differs from the name.
fn close_specifier(facts: &mut Facts<'_, '_>, own: Span, alias: Span, frame: &Frame) {
    let alias = if facts.text(own) == facts.text(alias) { Span::NONE } else { alias };
    facts.name(own, alias, frame);
}
