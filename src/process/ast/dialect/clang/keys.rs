//! The keys of clang's objects that matter.

use crate::process::ast::json::PlaceKey;

/// A key's number.
pub(super) mod key {
    pub(in super::super) const ID: u8 = 1;
    pub(in super::super) const NAME: u8 = 2;
    pub(in super::super) const INNER: u8 = 3;
    pub(in super::super) const LOC: u8 = 4;
    pub(in super::super) const RANGE: u8 = 5;
    pub(in super::super) const BEGIN: u8 = 6;
    pub(in super::super) const END: u8 = 7;
    pub(in super::super) const OFFSET: u8 = 8;
    pub(in super::super) const LINE: u8 = 9;
    pub(in super::super) const INCLUDED_FROM: u8 = 10;
    pub(in super::super) const SPELLING: u8 = 11;
    pub(in super::super) const EXPANSION: u8 = 12;
    pub(in super::super) const TYPE: u8 = 13;
    /// Objects whose name counts.
    pub(in super::super) const OTHER: u8 = 14;
    pub(in super::super) const IS_IMPLICIT: u8 = 15;
    pub(in super::super) const IMPLICIT: u8 = 16;
    pub(in super::super) const COMPLETE: u8 = 17;
    pub(in super::super) const TAG: u8 = 18;
    pub(in super::super) const STORAGE: u8 = 19;
    pub(in super::super) const INSTANCE: u8 = 20;
    pub(in super::super) const ACCESS: u8 = 21;
    pub(in super::super) const OPCODE: u8 = 22;
    pub(in super::super) const RECEIVER: u8 = 23;
    pub(in super::super) const DEFAULTED: u8 = 24;
    /// How a variable is initialised.
    pub(in super::super) const INIT: u8 = 25;
    /// Whether a construction is one by a list.
    pub(in super::super) const LIST: u8 = 26;
    pub(in super::super) const CONTEXT: u8 = 27;
    /// What a template's instance is made of.
    pub(in super::super) const PATTERN: u8 = 28;
    pub(in super::super) const DEFINITION: u8 = 29;
    /// Of a definition: whether it is the class of a lambda.
    pub(in super::super) const IS_LAMBDA: u8 = 30;
}

pub(super) const KEYS: &[(&str, u8)] = &[
    ("id", key::ID),
    ("name", key::NAME),
    ("member", key::NAME),
    ("selector", key::NAME),
    ("qualType", key::NAME),
    ("inner", key::INNER),
    // Stands for `inner` where the first child is what fills an array.
    ("array_filler", key::INNER),
    ("loc", key::LOC),
    ("range", key::RANGE),
    ("begin", key::BEGIN),
    ("end", key::END),
    ("offset", key::OFFSET),
    ("line", key::LINE),
    ("includedFrom", key::INCLUDED_FROM),
    ("spellingLoc", key::SPELLING),
    ("expansionLoc", key::EXPANSION),
    ("type", key::TYPE),
    ("referencedDecl", key::OTHER),
    ("classType", key::OTHER),
    ("interface", key::OTHER),
    ("importedModule", key::OTHER),
    ("decl", key::OTHER),
    ("property", key::OTHER),
    ("getter", key::OTHER),
    ("isImplicit", key::IS_IMPLICIT),
    ("implicit", key::IMPLICIT),
    ("isFreeIvar", key::IMPLICIT),
    ("completeDefinition", key::COMPLETE),
    ("tagUsed", key::TAG),
    ("storageClass", key::STORAGE),
    ("instance", key::INSTANCE),
    ("access", key::ACCESS),
    ("opcode", key::OPCODE),
    ("receiverKind", key::RECEIVER),
    ("explicitlyDefaulted", key::DEFAULTED),
    ("init", key::INIT),
    ("list", key::LIST),
    ("parentDeclContextId", key::CONTEXT),
    ("TemplateInstantiationPattern", key::PATTERN),
    ("definitionData", key::DEFINITION),
    ("isLambda", key::IS_LAMBDA),
];

/// What most types have alone.
pub(super) const QUAL_TYPE: PlaceKey = PlaceKey::of("\"qualType\":");

/// Which text a frame holds where.
pub(super) mod name {
    /// `name`, `member`, `selector`, `qualType`.
    pub(in super::super) const OWN: usize = 0;
    /// The path of the first child.
    pub(in super::super) const FIRST: usize = 1;
    pub(in super::super) const TYPE: usize = 2;
    /// The name of what is referred to, or the type that is constructed inside.
    pub(in super::super) const OTHER: usize = 3;
    /// The path of the second child.
    pub(in super::super) const SECOND: usize = 4;
}
