//! Kinds of symbols.

/// The kind of a symbol, in one vocabulary for all languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SymbolKind {
    Class,
    Constant,
    Enum,
    Function,
    Interface,
    Method,
    Module,
    Struct,
    TypeAlias,
    Variable,
    /// Gives its name to its contents, without being a symbol.
    Scope,
    /// Turned out not to be a symbol.
    Dropped,
}

impl SymbolKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Constant => "constant",
            Self::Enum => "enum",
            Self::Function => "function",
            Self::Interface => "interface",
            Self::Method => "method",
            Self::Module => "module",
            Self::Struct => "struct",
            Self::TypeAlias => "type_alias",
            Self::Variable => "variable",
            Self::Scope | Self::Dropped => "",
        }
    }

    pub(crate) fn is_callable(self) -> bool {
        matches!(self, Self::Function | Self::Method)
    }

    /// Returns whether functions inside are methods.
    pub(crate) fn has_methods(self) -> bool {
        matches!(self, Self::Class | Self::Interface | Self::Struct | Self::Enum | Self::Scope)
    }

    pub(crate) fn is_variable(self) -> bool {
        matches!(self, Self::Variable | Self::Constant)
    }
}
