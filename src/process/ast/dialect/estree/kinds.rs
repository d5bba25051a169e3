//! The kinds of nodes. Of those that begin with `TS`, `Ts` and `JSX` only the useful ones are listed: the score
//! recognises the others by their prefix.

words! {
    pub(super) mod role, KINDS;
    /// A word that all kinds of documents use: tokens, comments.
    ANYBODYS = "File Line Block Hashbang Shebang Punctuator Keyword String Numeric Boolean Null Template
        RegularExpression Parameter Computed Invalid Variance Placeholder",
    PROGRAM = "Program TSModuleBlock TsModuleBlock",
    MODULE_OR_SCRIPT = "Module Script",
    /// What SWC has around an exported declaration.
    EXPORT_OF = "ExportDeclaration",
    IDENTIFIER = "Identifier",
    STRING = "Literal StringLiteral",
    MEMBER_EXPRESSION = "MemberExpression OptionalMemberExpression SuperPropExpression
        StaticMemberExpression PrivateFieldExpression",
    CALL = "CallExpression OptionalCallExpression TaggedTemplateExpression",
    NEW = "NewExpression",
    BRANCH = "IfStatement ConditionalExpression ForStatement ForInStatement ForOfStatement ForAwaitStatement
        WhileStatement DoWhileStatement CatchClause LogicalExpression",
    FUNCTION = "FunctionDeclaration TSDeclareFunction DeclareFunction ComponentDeclaration HookDeclaration
        DeclareComponent DeclareHook",
    CLASS = "ClassDeclaration DeclareClass RecordDeclaration",
    INTERFACE = "TSInterfaceDeclaration TsInterfaceDeclaration InterfaceDeclaration DeclareInterface",
    ENUM = "TSEnumDeclaration TsEnumDeclaration EnumDeclaration DeclareEnum",
    TYPE_ALIAS = "TSTypeAliasDeclaration TsTypeAliasDeclaration TypeAlias OpaqueType DeclareOpaqueType
        DeclareTypeAlias",
    NAMESPACE = "TSModuleDeclaration TsModuleDeclaration DeclareModule DeclareNamespace
        TsNamespaceDeclaration",
    DECLARATION = "VariableDeclaration UsingDeclaration DeclareVariable",
    DECLARATOR = "VariableDeclarator",
    METHOD = "MethodDefinition TSAbstractMethodDefinition ClassMethod ClassPrivateMethod TSDeclareMethod
        PrivateMethod AbstractMethodDefinition DeclareMethodDefinition",
    CONSTRUCTOR = "Constructor",
    /// A member that is a method where its value is a function.
    FIELD = "PropertyDefinition ClassProperty ClassPrivateProperty PrivateProperty AccessorProperty
        ClassAccessorProperty RecordDeclarationProperty AutoAccessor",
    FUNCTION_EXPRESSION = "FunctionExpression ArrowFunctionExpression",
    CLASS_EXPRESSION = "ClassExpression",
    THIS = "ThisExpression",
    SUPER = "Super",
    /// The word in `import("x")`. Python has a node of this name, too.
    IMPORT_WORD = "Import",
    IMPORT_EXPRESSION = "ImportExpression",
    IMPORT = "ImportDeclaration",
    EXPORT = "ExportNamedDeclaration DeclareExportDeclaration",
    EXPORT_ALL = "ExportAllDeclaration DeclareExportAllDeclaration",
    IMPORT_EQUALS = "TSImportEqualsDeclaration TsImportEqualsDeclaration ImportEqualsDeclaration",
    IMPORT_SPECIFIER = "ImportSpecifier",
    DEFAULT_SPECIFIER = "ImportDefaultSpecifier ExportDefaultSpecifier",
    NAMESPACE_SPECIFIER = "ImportNamespaceSpecifier ExportNamespaceSpecifier",
    /// What is called through it is its contents.
    THROUGH = "ChainExpression TypeCastExpression OptionalChainingExpression TSNonNullExpression
        TSAsExpression TSSatisfiesExpression TSTypeAssertion TSInstantiationExpression TsNonNullExpression
        TsAsExpression TsSatisfiesExpression TsTypeAssertion TsConstAssertion TsInstantiation AsExpression
        AsConstExpression SatisfiesExpression NonNullExpression",
    PRIVATE_NAME = "PrivateIdentifier PrivateName TSPrivateIdentifier",
    QUALIFIED_NAME = "TSQualifiedName TsQualifiedName",
    /// SWC's `{a = 1}`.
    PROPERTY_PATTERN = "AssignmentPatternProperty",
    CASE = "SwitchCase",
    BINARY = "BinaryExpression",
    EXPORT_SPECIFIER = "ExportSpecifier",
    /// A field of a record's type, not of its values.
    STATIC_FIELD = "RecordDeclarationStaticProperty",
    /// A member of an object type: a method if it belongs to a declared class.
    TYPE_MEMBER = "ObjectTypeProperty",
    OBJECT_TYPE = "ObjectTypeAnnotation",
    /// An interface without a name.
    INTERFACE_TYPE = "InterfaceTypeAnnotation",
    BLOCK = "BlockStatement",
    MATCH_CASE = "MatchExpressionCase MatchStatementCase",
    /// The pattern that everything fits.
    WILDCARD = "MatchWildcardPattern",
    /// `import("x")` as a type.
    IMPORT_TYPE = "TSImportType TsImportType ImportType",
    /// Stands for the string in it.
    OF_STRING = "TSLiteralType ExternalModuleReference TSExternalModuleReference TsExternalModuleReference",
    DECORATOR = "Decorator",
    /// Some parsers leave them out: they change nothing.
    PARENTHESES = "ParenthesizedExpression ParenthesisExpression",
    PLAIN = "ExpressionStatement Directive DirectiveLiteral FunctionBody EmptyStatement DebuggerStatement
        WithStatement ReturnStatement LabeledStatement BreakStatement ContinueStatement SwitchStatement
        ThrowStatement TryStatement ArrayExpression ObjectExpression Property UnaryExpression
        UpdateExpression AssignmentExpression SequenceExpression YieldExpression AwaitExpression
        TemplateLiteral TemplateElement SpreadElement ObjectPattern ArrayPattern RestElement
        AssignmentPattern ClassBody StaticBlock MetaProperty ExportDefaultDeclaration ImportAttribute
        ExperimentalSpreadProperty ExperimentalRestProperty SpreadProperty RestProperty CommentLine
        CommentBlock InterpreterDirective NumericLiteral BigIntLiteral DecimalLiteral NullLiteral
        BooleanLiteral RegExpLiteral ObjectProperty ObjectMethod BindExpression DoExpression
        ModuleExpression TopicReference PipelineTopicExpression PipelineBareFunction
        PipelinePrimaryTopicReference ArgumentPlaceholder V8IntrinsicIdentifier ParenthesizedPattern
        VoidPattern ExportDefaultExpression KeyValueProperty AssignmentProperty GetterProperty
        SetterProperty MethodProperty KeyValuePatternProperty V8IntrinsicExpression Noop FormalParameters
        FormalParameter BindingProperty CatchParameter ComputedMemberExpression AbstractPropertyDefinition
        AnyTypeAnnotation ArrayTypeAnnotation BigIntLiteralTypeAnnotation BigIntTypeAnnotation
        BooleanLiteralTypeAnnotation BooleanTypeAnnotation ClassImplements ComponentParameter
        ComponentTypeAnnotation ComponentTypeParameter ConditionalTypeAnnotation ConstructorTypeAnnotation
        DeclareClassExtendsCall DeclareModuleExports DeclaredPredicate EmptyTypeAnnotation EnumBigIntBody
        EnumBigIntMember EnumBody EnumBooleanBody EnumBooleanMember EnumDefaultedMember EnumNumberBody
        EnumNumberMember EnumStringBody EnumStringMember EnumSymbolBody ExistentialTypeParam
        ExistsTypeAnnotation ExportAssignment FunctionTypeAnnotation FunctionTypeParam GenericTypeAnnotation
        HookTypeAnnotation IndexedAccessType InferTypeAnnotation InferredPredicate InterfaceExtends
        IntersectionTypeAnnotation KeyofTypeAnnotation MatchArrayPattern MatchAsPattern MatchBindingPattern
        MatchExpression MatchIdentifierPattern MatchInstanceObjectPattern MatchInstancePattern
        MatchLiteralPattern MatchMemberPattern MatchObjectPattern MatchObjectPatternProperty MatchOrPattern
        MatchRestPattern MatchStatement MatchUnaryPattern MixedTypeAnnotation NamespaceExportDeclaration
        NeverTypeAnnotation NullLiteralTypeAnnotation NullableTypeAnnotation NumberLiteralTypeAnnotation
        NumberTypeAnnotation ObjectTypeCallProperty ObjectTypeIndexer ObjectTypeInternalSlot
        ObjectTypeMappedTypeProperty ObjectTypePrivateField ObjectTypeSpreadProperty
        OptionalIndexedAccessType ParameterProperty QualifiedTypeIdentifier QualifiedTypeofIdentifier
        RecordDeclarationBody RecordDeclarationImplements RecordExpression RecordExpressionProperties
        StringLiteralTypeAnnotation StringTypeAnnotation SymbolTypeAnnotation TemplateLiteralTypeAnnotation
        ThisTypeAnnotation TupleExpression TupleTypeAnnotation TupleTypeElement TupleTypeLabeledElement
        TupleTypeSpreadElement TypeAnnotation TypeOperator TypeParameter TypeParameterDeclaration
        TypeParameterInstantiation TypePredicate TypeofTypeAnnotation UndefinedTypeAnnotation
        UnionTypeAnnotation UnknownTypeAnnotation VoidTypeAnnotation",
}
