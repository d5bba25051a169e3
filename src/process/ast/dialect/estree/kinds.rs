//! The kinds of nodes. Of those that begin with `TS`, `Ts` and `JSX` only the useful ones are listed: the score
//! recognises the others by their prefix.

pub(super) mod role {
    /// A word that all kinds of documents use: tokens, comments.
    pub(in super::super) const ANYBODYS: u8 = 1;
    pub(in super::super) const PLAIN: u8 = 2;
    pub(in super::super) const PROGRAM: u8 = 3;
    pub(in super::super) const MODULE_OR_SCRIPT: u8 = 4;
    /// What SWC has around an exported declaration.
    pub(in super::super) const EXPORT_OF: u8 = 5;
    pub(in super::super) const IDENTIFIER: u8 = 6;
    pub(in super::super) const STRING: u8 = 7;
    pub(in super::super) const MEMBER_EXPRESSION: u8 = 8;
    pub(in super::super) const CALL: u8 = 9;
    pub(in super::super) const NEW: u8 = 10;
    pub(in super::super) const BRANCH: u8 = 11;
    pub(in super::super) const FUNCTION: u8 = 12;
    pub(in super::super) const CLASS: u8 = 13;
    pub(in super::super) const INTERFACE: u8 = 14;
    pub(in super::super) const ENUM: u8 = 15;
    pub(in super::super) const TYPE_ALIAS: u8 = 16;
    pub(in super::super) const NAMESPACE: u8 = 17;
    pub(in super::super) const DECLARATION: u8 = 18;
    pub(in super::super) const DECLARATOR: u8 = 19;
    pub(in super::super) const METHOD: u8 = 20;
    pub(in super::super) const CONSTRUCTOR: u8 = 21;
    /// A member that is a method where its value is a function.
    pub(in super::super) const FIELD: u8 = 22;
    pub(in super::super) const FUNCTION_EXPRESSION: u8 = 23;
    pub(in super::super) const CLASS_EXPRESSION: u8 = 24;
    pub(in super::super) const THIS: u8 = 25;
    pub(in super::super) const SUPER: u8 = 26;
    /// The word in `import("x")`. Python has a node of this name, too.
    pub(in super::super) const IMPORT_WORD: u8 = 27;
    pub(in super::super) const IMPORT_EXPRESSION: u8 = 28;
    pub(in super::super) const IMPORT: u8 = 29;
    pub(in super::super) const EXPORT: u8 = 30;
    pub(in super::super) const EXPORT_ALL: u8 = 31;
    pub(in super::super) const IMPORT_EQUALS: u8 = 32;
    pub(in super::super) const IMPORT_SPECIFIER: u8 = 33;
    pub(in super::super) const DEFAULT_SPECIFIER: u8 = 34;
    pub(in super::super) const NAMESPACE_SPECIFIER: u8 = 35;
    /// What is called through it is its contents.
    pub(in super::super) const THROUGH: u8 = 36;
    pub(in super::super) const PRIVATE_NAME: u8 = 37;
    pub(in super::super) const QUALIFIED_NAME: u8 = 38;
    /// SWC's `{a = 1}`.
    pub(in super::super) const PROPERTY_PATTERN: u8 = 39;
    pub(in super::super) const CASE: u8 = 40;
    pub(in super::super) const BINARY: u8 = 41;
    pub(in super::super) const EXPORT_SPECIFIER: u8 = 42;
    /// A field of a record's type, not of its values.
    pub(in super::super) const STATIC_FIELD: u8 = 43;
    /// A member of an object type: a method if it belongs to a declared class.
    pub(in super::super) const TYPE_MEMBER: u8 = 44;
    pub(in super::super) const OBJECT_TYPE: u8 = 45;
    /// An interface without a name.
    pub(in super::super) const INTERFACE_TYPE: u8 = 46;
    pub(in super::super) const BLOCK: u8 = 47;
    pub(in super::super) const MATCH_CASE: u8 = 48;
    /// The pattern that everything fits.
    pub(in super::super) const WILDCARD: u8 = 49;
    /// `import("x")` as a type.
    pub(in super::super) const IMPORT_TYPE: u8 = 50;
    /// Stands for the string in it.
    pub(in super::super) const OF_STRING: u8 = 51;
    pub(in super::super) const DECORATOR: u8 = 52;
    /// Some parsers leave them out: they change nothing.
    pub(in super::super) const PARENTHESES: u8 = 53;
}

#[rustfmt::skip]
pub(super) const KINDS: &[(&str, u8)] = &[
    ("Program", role::PROGRAM), ("TSModuleBlock", role::PROGRAM), ("TsModuleBlock", role::PROGRAM),
    ("Module", role::MODULE_OR_SCRIPT), ("Script", role::MODULE_OR_SCRIPT), ("ExportDeclaration", role::EXPORT_OF),
    ("Identifier", role::IDENTIFIER), ("Literal", role::STRING), ("StringLiteral", role::STRING),
    ("MemberExpression", role::MEMBER_EXPRESSION), ("OptionalMemberExpression", role::MEMBER_EXPRESSION),
    ("SuperPropExpression", role::MEMBER_EXPRESSION), ("StaticMemberExpression", role::MEMBER_EXPRESSION),
    ("PrivateFieldExpression", role::MEMBER_EXPRESSION), ("CallExpression", role::CALL),
    ("OptionalCallExpression", role::CALL), ("TaggedTemplateExpression", role::CALL), ("NewExpression", role::NEW),
    ("ThisExpression", role::THIS), ("Super", role::SUPER), ("IfStatement", role::BRANCH),
    ("ConditionalExpression", role::BRANCH), ("ForStatement", role::BRANCH), ("ForInStatement", role::BRANCH),
    ("ForOfStatement", role::BRANCH), ("ForAwaitStatement", role::BRANCH), ("WhileStatement", role::BRANCH), ("DoWhileStatement", role::BRANCH),
    ("CatchClause", role::BRANCH), ("LogicalExpression", role::BRANCH), ("BinaryExpression", role::BINARY),
    ("SwitchCase", role::CASE), ("MatchExpressionCase", role::MATCH_CASE), ("MatchStatementCase", role::MATCH_CASE),
    ("MatchWildcardPattern", role::WILDCARD),

    ("FunctionDeclaration", role::FUNCTION), ("TSDeclareFunction", role::FUNCTION), ("DeclareFunction", role::FUNCTION),
    ("ComponentDeclaration", role::FUNCTION), ("HookDeclaration", role::FUNCTION), ("DeclareComponent", role::FUNCTION),
    ("DeclareHook", role::FUNCTION), ("ClassDeclaration", role::CLASS), ("DeclareClass", role::CLASS),
    ("RecordDeclaration", role::CLASS), ("TSInterfaceDeclaration", role::INTERFACE),
    ("TsInterfaceDeclaration", role::INTERFACE), ("InterfaceDeclaration", role::INTERFACE),
    ("DeclareInterface", role::INTERFACE), ("TSEnumDeclaration", role::ENUM), ("TsEnumDeclaration", role::ENUM),
    ("EnumDeclaration", role::ENUM), ("DeclareEnum", role::ENUM), ("TSTypeAliasDeclaration", role::TYPE_ALIAS),
    ("TsTypeAliasDeclaration", role::TYPE_ALIAS), ("TypeAlias", role::TYPE_ALIAS), ("OpaqueType", role::TYPE_ALIAS),
    ("DeclareOpaqueType", role::TYPE_ALIAS), ("DeclareTypeAlias", role::TYPE_ALIAS),
    ("TSModuleDeclaration", role::NAMESPACE), ("TsModuleDeclaration", role::NAMESPACE),
    ("DeclareModule", role::NAMESPACE), ("DeclareNamespace", role::NAMESPACE),
    ("TsNamespaceDeclaration", role::NAMESPACE), ("VariableDeclaration", role::DECLARATION), ("UsingDeclaration", role::DECLARATION),
    ("DeclareVariable", role::DECLARATION), ("VariableDeclarator", role::DECLARATOR),
    ("FunctionExpression", role::FUNCTION_EXPRESSION), ("ArrowFunctionExpression", role::FUNCTION_EXPRESSION),
    ("ClassExpression", role::CLASS_EXPRESSION), ("MethodDefinition", role::METHOD),
    ("TSAbstractMethodDefinition", role::METHOD), ("ClassMethod", role::METHOD), ("ClassPrivateMethod", role::METHOD),
    ("TSDeclareMethod", role::METHOD), ("PrivateMethod", role::METHOD), ("AbstractMethodDefinition", role::METHOD),
    ("DeclareMethodDefinition", role::METHOD), ("Constructor", role::CONSTRUCTOR), ("PropertyDefinition", role::FIELD),
    ("ClassProperty", role::FIELD), ("ClassPrivateProperty", role::FIELD), ("PrivateProperty", role::FIELD),
    ("AccessorProperty", role::FIELD), ("ClassAccessorProperty", role::FIELD),
    ("RecordDeclarationProperty", role::FIELD), ("AutoAccessor", role::FIELD),
    ("RecordDeclarationStaticProperty", role::STATIC_FIELD), ("ObjectTypeProperty", role::TYPE_MEMBER),
    ("ObjectTypeAnnotation", role::OBJECT_TYPE), ("InterfaceTypeAnnotation", role::INTERFACE_TYPE),
    ("BlockStatement", role::BLOCK), ("Decorator", role::DECORATOR), ("PrivateIdentifier", role::PRIVATE_NAME), ("PrivateName", role::PRIVATE_NAME), ("TSPrivateIdentifier", role::PRIVATE_NAME),
    ("TSQualifiedName", role::QUALIFIED_NAME), ("TsQualifiedName", role::QUALIFIED_NAME),
    ("AssignmentPatternProperty", role::PROPERTY_PATTERN),

    ("Import", role::IMPORT_WORD), ("ImportExpression", role::IMPORT_EXPRESSION), ("TSImportType", role::IMPORT_TYPE),
    ("TsImportType", role::IMPORT_TYPE), ("ImportType", role::IMPORT_TYPE), ("TSLiteralType", role::OF_STRING),
    ("ExternalModuleReference", role::OF_STRING), ("TSExternalModuleReference", role::OF_STRING),
    ("TsExternalModuleReference", role::OF_STRING), ("ImportDeclaration", role::IMPORT),
    ("ExportNamedDeclaration", role::EXPORT), ("DeclareExportDeclaration", role::EXPORT),
    ("ExportAllDeclaration", role::EXPORT_ALL), ("DeclareExportAllDeclaration", role::EXPORT_ALL),
    ("TSImportEqualsDeclaration", role::IMPORT_EQUALS), ("TsImportEqualsDeclaration", role::IMPORT_EQUALS),
    ("ImportEqualsDeclaration", role::IMPORT_EQUALS), ("ImportSpecifier", role::IMPORT_SPECIFIER),
    ("ExportSpecifier", role::EXPORT_SPECIFIER), ("ImportDefaultSpecifier", role::DEFAULT_SPECIFIER),
    ("ExportDefaultSpecifier", role::DEFAULT_SPECIFIER), ("ImportNamespaceSpecifier", role::NAMESPACE_SPECIFIER),
    ("ExportNamespaceSpecifier", role::NAMESPACE_SPECIFIER),

    ("ChainExpression", role::THROUGH), ("ParenthesizedExpression", role::PARENTHESES),
    ("TypeCastExpression", role::THROUGH), ("ParenthesisExpression", role::PARENTHESES),
    ("OptionalChainingExpression", role::THROUGH), ("TSNonNullExpression", role::THROUGH),
    ("TSAsExpression", role::THROUGH), ("TSSatisfiesExpression", role::THROUGH), ("TSTypeAssertion", role::THROUGH),
    ("TSInstantiationExpression", role::THROUGH), ("TsNonNullExpression", role::THROUGH),
    ("TsAsExpression", role::THROUGH), ("TsSatisfiesExpression", role::THROUGH), ("TsTypeAssertion", role::THROUGH),
    ("TsConstAssertion", role::THROUGH), ("TsInstantiation", role::THROUGH), ("AsExpression", role::THROUGH),
    ("AsConstExpression", role::THROUGH), ("SatisfiesExpression", role::THROUGH), ("NonNullExpression", role::THROUGH),

    ("File", role::ANYBODYS), ("Line", role::ANYBODYS), ("Block", role::ANYBODYS), ("Hashbang", role::ANYBODYS),
    ("Shebang", role::ANYBODYS), ("Punctuator", role::ANYBODYS), ("Keyword", role::ANYBODYS),
    ("String", role::ANYBODYS), ("Numeric", role::ANYBODYS), ("Boolean", role::ANYBODYS), ("Null", role::ANYBODYS),
    ("Template", role::ANYBODYS), ("RegularExpression", role::ANYBODYS), ("Parameter", role::ANYBODYS),
    ("Computed", role::ANYBODYS), ("Invalid", role::ANYBODYS), ("Variance", role::ANYBODYS),
    ("Placeholder", role::ANYBODYS),

    ("ExpressionStatement", role::PLAIN), ("Directive", role::PLAIN), ("DirectiveLiteral", role::PLAIN),
    ("FunctionBody", role::PLAIN), ("EmptyStatement", role::PLAIN), ("DebuggerStatement", role::PLAIN),
    ("WithStatement", role::PLAIN), ("ReturnStatement", role::PLAIN), ("LabeledStatement", role::PLAIN),
    ("BreakStatement", role::PLAIN), ("ContinueStatement", role::PLAIN), ("SwitchStatement", role::PLAIN),
    ("ThrowStatement", role::PLAIN), ("TryStatement", role::PLAIN), ("ArrayExpression", role::PLAIN),
    ("ObjectExpression", role::PLAIN), ("Property", role::PLAIN), ("UnaryExpression", role::PLAIN),
    ("UpdateExpression", role::PLAIN), ("AssignmentExpression", role::PLAIN), ("SequenceExpression", role::PLAIN),
    ("YieldExpression", role::PLAIN), ("AwaitExpression", role::PLAIN), ("TemplateLiteral", role::PLAIN),
    ("TemplateElement", role::PLAIN), ("SpreadElement", role::PLAIN), ("ObjectPattern", role::PLAIN),
    ("ArrayPattern", role::PLAIN), ("RestElement", role::PLAIN), ("AssignmentPattern", role::PLAIN),
    ("ClassBody", role::PLAIN), ("StaticBlock", role::PLAIN), ("MetaProperty", role::PLAIN),
    ("ExportDefaultDeclaration", role::PLAIN), ("ImportAttribute", role::PLAIN),
    ("ExperimentalSpreadProperty", role::PLAIN), ("ExperimentalRestProperty", role::PLAIN),
    ("SpreadProperty", role::PLAIN), ("RestProperty", role::PLAIN), ("CommentLine", role::PLAIN),
    ("CommentBlock", role::PLAIN), ("InterpreterDirective", role::PLAIN), ("NumericLiteral", role::PLAIN),
    ("BigIntLiteral", role::PLAIN), ("DecimalLiteral", role::PLAIN), ("NullLiteral", role::PLAIN),
    ("BooleanLiteral", role::PLAIN), ("RegExpLiteral", role::PLAIN), ("ObjectProperty", role::PLAIN),
    ("ObjectMethod", role::PLAIN), ("BindExpression", role::PLAIN), ("DoExpression", role::PLAIN),
    ("ModuleExpression", role::PLAIN), ("TopicReference", role::PLAIN), ("PipelineTopicExpression", role::PLAIN),
    ("PipelineBareFunction", role::PLAIN), ("PipelinePrimaryTopicReference", role::PLAIN),
    ("ArgumentPlaceholder", role::PLAIN), ("V8IntrinsicIdentifier", role::PLAIN), ("ParenthesizedPattern", role::PLAIN),
    ("VoidPattern", role::PLAIN), ("ExportDefaultExpression", role::PLAIN), ("KeyValueProperty", role::PLAIN),
    ("AssignmentProperty", role::PLAIN), ("GetterProperty", role::PLAIN), ("SetterProperty", role::PLAIN),
    ("MethodProperty", role::PLAIN), ("KeyValuePatternProperty", role::PLAIN), ("V8IntrinsicExpression", role::PLAIN),
    ("Noop", role::PLAIN), ("FormalParameters", role::PLAIN), ("FormalParameter", role::PLAIN),
    ("BindingProperty", role::PLAIN), ("CatchParameter", role::PLAIN), ("ComputedMemberExpression", role::PLAIN),

    ("AbstractPropertyDefinition", role::PLAIN), ("AnyTypeAnnotation", role::PLAIN),
    ("ArrayTypeAnnotation", role::PLAIN), ("BigIntLiteralTypeAnnotation", role::PLAIN),
    ("BigIntTypeAnnotation", role::PLAIN), ("BooleanLiteralTypeAnnotation", role::PLAIN),
    ("BooleanTypeAnnotation", role::PLAIN), ("ClassImplements", role::PLAIN), ("ComponentParameter", role::PLAIN),
    ("ComponentTypeAnnotation", role::PLAIN), ("ComponentTypeParameter", role::PLAIN),
    ("ConditionalTypeAnnotation", role::PLAIN), ("ConstructorTypeAnnotation", role::PLAIN),
    ("DeclareClassExtendsCall", role::PLAIN), ("DeclareModuleExports", role::PLAIN), ("DeclaredPredicate", role::PLAIN),
    ("EmptyTypeAnnotation", role::PLAIN), ("EnumBigIntBody", role::PLAIN), ("EnumBigIntMember", role::PLAIN),
    ("EnumBody", role::PLAIN), ("EnumBooleanBody", role::PLAIN), ("EnumBooleanMember", role::PLAIN),
    ("EnumDefaultedMember", role::PLAIN), ("EnumNumberBody", role::PLAIN), ("EnumNumberMember", role::PLAIN),
    ("EnumStringBody", role::PLAIN), ("EnumStringMember", role::PLAIN), ("EnumSymbolBody", role::PLAIN),
    ("ExistentialTypeParam", role::PLAIN), ("ExistsTypeAnnotation", role::PLAIN), ("ExportAssignment", role::PLAIN),
    ("FunctionTypeAnnotation", role::PLAIN),
    ("FunctionTypeParam", role::PLAIN), ("GenericTypeAnnotation", role::PLAIN), ("HookTypeAnnotation", role::PLAIN),
    ("IndexedAccessType", role::PLAIN), ("InferTypeAnnotation", role::PLAIN), ("InferredPredicate", role::PLAIN),
    ("InterfaceExtends", role::PLAIN), ("IntersectionTypeAnnotation", role::PLAIN),
    ("KeyofTypeAnnotation", role::PLAIN), ("MatchArrayPattern", role::PLAIN), ("MatchAsPattern", role::PLAIN),
    ("MatchBindingPattern", role::PLAIN), ("MatchExpression", role::PLAIN), ("MatchIdentifierPattern", role::PLAIN),
    ("MatchInstanceObjectPattern", role::PLAIN), ("MatchInstancePattern", role::PLAIN),
    ("MatchLiteralPattern", role::PLAIN), ("MatchMemberPattern", role::PLAIN), ("MatchObjectPattern", role::PLAIN),
    ("MatchObjectPatternProperty", role::PLAIN), ("MatchOrPattern", role::PLAIN), ("MatchRestPattern", role::PLAIN),
    ("MatchStatement", role::PLAIN), ("MatchUnaryPattern", role::PLAIN), ("MixedTypeAnnotation", role::PLAIN),
    ("NamespaceExportDeclaration", role::PLAIN), ("NeverTypeAnnotation", role::PLAIN),
    ("NullLiteralTypeAnnotation", role::PLAIN), ("NullableTypeAnnotation", role::PLAIN),
    ("NumberLiteralTypeAnnotation", role::PLAIN), ("NumberTypeAnnotation", role::PLAIN),
    ("ObjectTypeCallProperty", role::PLAIN), ("ObjectTypeIndexer", role::PLAIN),
    ("ObjectTypeInternalSlot", role::PLAIN), ("ObjectTypeMappedTypeProperty", role::PLAIN),
    ("ObjectTypePrivateField", role::PLAIN), ("ObjectTypeSpreadProperty", role::PLAIN),
    ("OptionalIndexedAccessType", role::PLAIN), ("ParameterProperty", role::PLAIN),
    ("QualifiedTypeIdentifier", role::PLAIN), ("QualifiedTypeofIdentifier", role::PLAIN),
    ("RecordDeclarationBody", role::PLAIN), ("RecordDeclarationImplements", role::PLAIN),
    ("RecordExpression", role::PLAIN), ("RecordExpressionProperties", role::PLAIN),
    ("StringLiteralTypeAnnotation", role::PLAIN), ("StringTypeAnnotation", role::PLAIN),
    ("SymbolTypeAnnotation", role::PLAIN), ("TemplateLiteralTypeAnnotation", role::PLAIN),
    ("ThisTypeAnnotation", role::PLAIN), ("TupleExpression", role::PLAIN), ("TupleTypeAnnotation", role::PLAIN),
    ("TupleTypeElement", role::PLAIN), ("TupleTypeLabeledElement", role::PLAIN),
    ("TupleTypeSpreadElement", role::PLAIN), ("TypeAnnotation", role::PLAIN), ("TypeOperator", role::PLAIN),
    ("TypeParameter", role::PLAIN), ("TypeParameterDeclaration", role::PLAIN),
    ("TypeParameterInstantiation", role::PLAIN), ("TypePredicate", role::PLAIN), ("TypeofTypeAnnotation", role::PLAIN),
    ("UndefinedTypeAnnotation", role::PLAIN), ("UnionTypeAnnotation", role::PLAIN),
    ("UnknownTypeAnnotation", role::PLAIN), ("VoidTypeAnnotation", role::PLAIN),
];
