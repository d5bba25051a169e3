//! The keys of clang's objects that matter.

use crate::process::ast::json::PlaceKey;

words! {
    pub(super) mod key, KEYS;
    ID = "id",
    NAME = "name member selector qualType",
    /// `array_filler` stands for `inner` where the first child is what fills an array.
    INNER = "inner array_filler",
    LOC = "loc",
    RANGE = "range",
    BEGIN = "begin",
    END = "end",
    OFFSET = "offset",
    LINE = "line",
    INCLUDED_FROM = "includedFrom",
    SPELLING = "spellingLoc",
    EXPANSION = "expansionLoc",
    TYPE = "type",
    /// Objects whose name counts.
    OTHER = "referencedDecl classType interface importedModule decl property getter",
    IS_IMPLICIT = "isImplicit",
    IMPLICIT = "implicit isFreeIvar",
    COMPLETE = "completeDefinition",
    TAG = "tagUsed",
    STORAGE = "storageClass",
    INSTANCE = "instance",
    ACCESS = "access",
    OPCODE = "opcode",
    RECEIVER = "receiverKind",
    DEFAULTED = "explicitlyDefaulted",
    /// How a variable is initialised.
    INIT = "init",
    /// Whether a construction is one by a list.
    LIST = "list",
    CONTEXT = "parentDeclContextId",
    /// What a template's instance is made of.
    PATTERN = "TemplateInstantiationPattern",
    DEFINITION = "definitionData",
    /// Of a definition: whether it is the class of a lambda.
    IS_LAMBDA = "isLambda",
}

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
