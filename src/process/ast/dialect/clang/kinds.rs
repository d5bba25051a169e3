//! The kinds of clang's nodes.
//!
//! Source: the class names of declarations, statements, types, attributes and comments up to clang 22.

/// The role of a kind. The numbers also show the language.
pub(super) mod role {
    /// Of any language, and nothing else.
    pub(in super::super) const PLAIN: u8 = 1;
    pub(in super::super) const FUNCTION: u8 = 2;
    pub(in super::super) const RECORD: u8 = 3;
    pub(in super::super) const ENUM: u8 = 4;
    pub(in super::super) const TYPE_ALIAS: u8 = 5;
    pub(in super::super) const VARIABLE: u8 = 6;
    pub(in super::super) const BRANCH: u8 = 7;
    pub(in super::super) const BINARY: u8 = 8;
    pub(in super::super) const CALL: u8 = 9;
    /// Stands for the expression inside.
    pub(in super::super) const THROUGH: u8 = 10;
    pub(in super::super) const UNARY: u8 = 11;
    pub(in super::super) const REFERENCE: u8 = 12;
    pub(in super::super) const MEMBER: u8 = 13;
    pub(in super::super) const LOOKUP: u8 = 14;
    /// A function without a name.
    pub(in super::super) const BLOCK: u8 = 15;
    pub(in super::super) const IMPORT: u8 = 16;
    /// Holds a declaration for any types.
    pub(in super::super) const TEMPLATE: u8 = 17;
    /// Its first child says what the source says; those after repeat it in the compiler's words.
    pub(in super::super) const FIRST_ONLY: u8 = 18;
    /// A call that may be one token.
    pub(in super::super) const LITERAL_CALL: u8 = 19;
    pub(in super::super) const VARIABLE_TEMPLATE: u8 = 20;
    pub(in super::super) const VARIABLE_SPECIALIZATION: u8 = 21;
    pub(in super::super) const PARTIAL_VARIABLE: u8 = 22;
    /// A name for a part of another variable: its contents show how the part is obtained.
    pub(in super::super) const BINDING: u8 = 23;
    /// Declarations among statements.
    pub(in super::super) const LOCAL: u8 = 24;
    /// Declares something that does not belong to its enclosing record.
    pub(in super::super) const FRIEND: u8 = 25;
    /// A list in braces of what has no constructor.
    pub(in super::super) const LIST: u8 = 26;
    /// `(T)x`: stands for the expression inside, and calls nothing.
    pub(in super::super) const C_CAST: u8 = 27;
    pub(in super::super) const METHOD: u8 = 40;
    pub(in super::super) const CONSTRUCTOR: u8 = 41;
    pub(in super::super) const CXX_RECORD: u8 = 42;
    pub(in super::super) const SPECIALIZATION: u8 = 43;
    pub(in super::super) const NAMESPACE: u8 = 44;
    pub(in super::super) const ACCESS: u8 = 45;
    /// Holds its declaration, followed by what the compiler made of it.
    pub(in super::super) const CUT_TEMPLATE: u8 = 46;
    pub(in super::super) const LAMBDA: u8 = 47;
    pub(in super::super) const CXX_CALL: u8 = 48;
    pub(in super::super) const CONSTRUCT: u8 = 49;
    pub(in super::super) const THIS: u8 = 50;
    pub(in super::super) const CXX_THROUGH: u8 = 51;
    pub(in super::super) const CXX_BRANCH: u8 = 52;
    pub(in super::super) const DEPENDENT_MEMBER: u8 = 53;
    /// Of C++, and nothing else.
    pub(in super::super) const CXX: u8 = 54;
    /// An operator that is a function, or a call of an object.
    pub(in super::super) const OPERATOR_CALL: u8 = 55;
    /// A construction that names its type.
    pub(in super::super) const NAMED_CONSTRUCT: u8 = 56;
    pub(in super::super) const NEW: u8 = 57;
    /// An operator that is put down to others.
    pub(in super::super) const REWRITTEN: u8 = 58;
    /// Stands for nothing that is written there.
    pub(in super::super) const UNWRITTEN: u8 = 59;
    /// Stands in front of what is constructed inside.
    pub(in super::super) const NAMING: u8 = 60;
    /// The same, as a cast.
    pub(in super::super) const CAST: u8 = 62;
    /// A cast with a word in front of its type.
    pub(in super::super) const WORDED_CAST: u8 = 63;
    /// A method named by the type that it converts to.
    pub(in super::super) const CONVERSION: u8 = 61;
    pub(in super::super) const OBJC_INTERFACE: u8 = 80;
    pub(in super::super) const OBJC_PROTOCOL: u8 = 81;
    pub(in super::super) const OBJC_METHOD: u8 = 82;
    pub(in super::super) const OBJC_IMPLEMENTATION: u8 = 83;
    pub(in super::super) const OBJC_CATEGORY: u8 = 84;
    pub(in super::super) const OBJC_MESSAGE: u8 = 85;
    pub(in super::super) const OBJC_BRANCH: u8 = 86;
    /// Of Objective-C, and nothing else.
    pub(in super::super) const OBJC: u8 = 87;
    /// A variable of an object, and a property, which may be called.
    pub(in super::super) const OBJC_MEMBER: u8 = 88;
    /// As `FIRST_ONLY`: it is called by that child's path.
    pub(in super::super) const PSEUDO: u8 = 89;
}

use role::*;

/// First role of C++ and of Objective-C.
const FIRST_CXX: u8 = METHOD;
const FIRST_OBJC: u8 = OBJC_INTERFACE;

/// Bits for the languages that a role indicates.
pub(super) const SAW_CXX: u8 = 1;
pub(super) const SAW_OBJC: u8 = 2;

/// Returns the languages that a role indicates.
pub(super) fn saw(role: u8) -> u8 {
    match role {
        FIRST_OBJC.. => SAW_OBJC,
        FIRST_CXX.. => SAW_CXX,
        _ => 0,
    }
}

#[rustfmt::skip]
pub(super) const KINDS: &[(&str, u8)] = &[
    ("FunctionDecl", FUNCTION),
    ("RecordDecl", RECORD),
    ("EnumDecl", ENUM),
    ("TypedefDecl", TYPE_ALIAS), ("TypeAliasDecl", TYPE_ALIAS),
    ("VarDecl", VARIABLE),
    ("IfStmt", BRANCH), ("ForStmt", BRANCH), ("WhileStmt", BRANCH), ("DoStmt", BRANCH), ("CaseStmt", BRANCH),
    ("ConditionalOperator", BRANCH), ("BinaryConditionalOperator", BRANCH),
    ("BinaryOperator", BINARY),
    ("CallExpr", CALL), ("UserDefinedLiteral", LITERAL_CALL),
    ("ImplicitCastExpr", THROUGH), ("ParenExpr", THROUGH), ("CStyleCastExpr", C_CAST), ("ConstantExpr", THROUGH),
    ("ExprWithCleanups", THROUGH), ("MaterializeTemporaryExpr", THROUGH),
    ("UnaryOperator", UNARY),
    ("DeclRefExpr", REFERENCE),
    ("MemberExpr", MEMBER),
    ("UnresolvedLookupExpr", LOOKUP),
    ("BlockExpr", BLOCK), ("BlockDecl", BLOCK),
    ("ImportDecl", IMPORT),
    ("TypeAliasTemplateDecl", TEMPLATE),
    ("CXXMethodDecl", METHOD), ("CXXConversionDecl", CONVERSION),
    ("CXXConstructorDecl", CONSTRUCTOR), ("CXXDestructorDecl", CONSTRUCTOR),
    ("CXXRecordDecl", CXX_RECORD), ("ClassTemplatePartialSpecializationDecl", CXX_RECORD),
    ("ClassTemplateSpecializationDecl", SPECIALIZATION),
    ("NamespaceDecl", NAMESPACE),
    ("AccessSpecDecl", ACCESS),
    ("ClassTemplateDecl", CUT_TEMPLATE), ("FunctionTemplateDecl", CUT_TEMPLATE),
    ("LambdaExpr", LAMBDA),
    ("CXXMemberCallExpr", CXX_CALL), ("CXXOperatorCallExpr", OPERATOR_CALL),
    ("CXXConstructExpr", CONSTRUCT), ("CXXTemporaryObjectExpr", NAMED_CONSTRUCT), ("CXXUnresolvedConstructExpr", NAMED_CONSTRUCT),
    ("CXXThisExpr", THIS),
    ("CXXBindTemporaryExpr", CXX_THROUGH),
    ("CXXForRangeStmt", CXX_BRANCH), ("CXXCatchStmt", CXX_BRANCH),
    ("CXXDependentScopeMemberExpr", DEPENDENT_MEMBER),
    ("LinkageSpecDecl", CXX), ("UsingDecl", CXX), ("UsingDirectiveDecl", CXX), ("CXXDeductionGuideDecl", CXX),
    ("CXXStaticCastExpr", WORDED_CAST), ("CXXDynamicCastExpr", CXX), ("CXXReinterpretCastExpr", CXX), ("CXXConstCastExpr", CXX),
    ("CXXAddrspaceCastExpr", CXX), ("CXXFunctionalCastExpr", CAST), ("CXXTypeidExpr", CXX), ("CXXUuidofExpr", CXX),
    ("CXXThrowExpr", CXX), ("CXXTryStmt", CXX), ("CXXDefaultArgExpr", UNWRITTEN), ("CXXDefaultInitExpr", UNWRITTEN),
    ("CXXScalarValueInitExpr", CXX), ("CXXStdInitializerListExpr", CXX), ("CXXNewExpr", NEW), ("CXXDeleteExpr", CXX),
    ("CXXPseudoDestructorExpr", CXX), ("CXXNoexceptExpr", CXX), ("CXXFoldExpr", CXX), ("CXXInheritedCtorInitExpr", CXX),
    ("CXXPropertyRefExpr", CXX), ("CXXRewrittenBinaryOperator", REWRITTEN), ("CXXParenListInitExpr", CONSTRUCT),
    ("CXXCtorInitializer", NAMING),
    ("ObjCInterfaceDecl", OBJC_INTERFACE),
    ("ObjCProtocolDecl", OBJC_PROTOCOL),
    ("ObjCMethodDecl", OBJC_METHOD),
    ("ObjCImplementationDecl", OBJC_IMPLEMENTATION),
    ("ObjCCategoryDecl", OBJC_CATEGORY), ("ObjCCategoryImplDecl", OBJC_CATEGORY),
    ("ObjCMessageExpr", OBJC_MESSAGE),
    ("ObjCForCollectionStmt", OBJC_BRANCH), ("ObjCAtCatchStmt", OBJC_BRANCH),
    ("ObjCIvarDecl", OBJC), ("ObjCAtDefsFieldDecl", OBJC), ("ObjCPropertyDecl", OBJC), ("ObjCPropertyImplDecl", OBJC),
    ("ObjCTypeParamDecl", OBJC), ("ObjCCompatibleAliasDecl", OBJC), ("ObjCAtFinallyStmt", OBJC),
    ("ObjCAtSynchronizedStmt", OBJC), ("ObjCAtThrowStmt", OBJC), ("ObjCAtTryStmt", OBJC),
    ("ObjCAutoreleasePoolStmt", OBJC), ("ObjCArrayLiteral", OBJC), ("ObjCAvailabilityCheckExpr", OBJC),
    ("ObjCBoolLiteralExpr", OBJC), ("ObjCBoxedExpr", OBJC), ("ObjCBridgedCastExpr", OBJC),
    ("ObjCDictionaryLiteral", OBJC), ("ObjCEncodeExpr", OBJC), ("ObjCIndirectCopyRestoreExpr", OBJC),
    ("ObjCIsaExpr", OBJC), ("ObjCIvarRefExpr", OBJC_MEMBER), ("ObjCPropertyRefExpr", OBJC_MEMBER), ("ObjCProtocolExpr", OBJC),
    ("ObjCSelectorExpr", OBJC), ("ObjCStringLiteral", OBJC), ("ObjCSubscriptRefExpr", OBJC), ("ObjCInterfaceType", OBJC),
    ("ObjCObjectPointerType", OBJC), ("ObjCObjectType", OBJC), ("ObjCTypeParamType", OBJC),
    ("TranslationUnitDecl", PLAIN), ("ExternCContextDecl", PLAIN), ("ParmVarDecl", PLAIN), ("FieldDecl", PLAIN),
    ("EnumConstantDecl", PLAIN), ("IndirectFieldDecl", PLAIN), ("ImplicitParamDecl", PLAIN), ("LabelDecl", PLAIN),
    ("EmptyDecl", PLAIN), ("FileScopeAsmDecl", PLAIN), ("TopLevelStmtDecl", PLAIN), ("StaticAssertDecl", PLAIN),
    ("FriendDecl", FRIEND), ("FriendTemplateDecl", PLAIN), ("UsingShadowDecl", PLAIN),
    ("ConstructorUsingShadowDecl", PLAIN), ("UsingEnumDecl", PLAIN), ("UsingPackDecl", PLAIN),
    ("UnresolvedUsingValueDecl", PLAIN), ("UnresolvedUsingTypenameDecl", PLAIN), ("UnresolvedUsingIfExistsDecl", PLAIN),
    ("NamespaceAliasDecl", PLAIN), ("VarTemplateDecl", VARIABLE_TEMPLATE), ("VarTemplateSpecializationDecl", VARIABLE_SPECIALIZATION),
    ("VarTemplatePartialSpecializationDecl", PARTIAL_VARIABLE), ("TemplateTypeParmDecl", PLAIN), ("NonTypeTemplateParmDecl", PLAIN),
    ("TemplateTemplateParmDecl", PLAIN), ("BuiltinTemplateDecl", PLAIN), ("ConceptDecl", PLAIN),
    ("ImplicitConceptSpecializationDecl", PLAIN), ("RequiresExprBodyDecl", PLAIN),
    ("LifetimeExtendedTemporaryDecl", PLAIN), ("DecompositionDecl", PLAIN), ("BindingDecl", BINDING),
    ("HoldingVarDecl", PLAIN), ("CapturedDecl", PLAIN), ("ExportDecl", PLAIN), ("MSGuidDecl", PLAIN),
    ("MSPropertyDecl", PLAIN), ("PragmaCommentDecl", PLAIN), ("PragmaDetectMismatchDecl", PLAIN),
    ("UnnamedGlobalConstantDecl", PLAIN), ("TemplateParamObjectDecl", PLAIN), ("AccessDecl", PLAIN),
    ("TemplateArgument", PLAIN), ("CompoundStmt", PLAIN), ("DeclStmt", LOCAL), ("NullStmt", PLAIN), ("ReturnStmt", PLAIN),
    ("SwitchStmt", PLAIN), ("DefaultStmt", PLAIN), ("BreakStmt", PLAIN), ("ContinueStmt", PLAIN), ("GotoStmt", PLAIN),
    ("IndirectGotoStmt", PLAIN), ("LabelStmt", PLAIN), ("AttributedStmt", PLAIN), ("GCCAsmStmt", PLAIN),
    ("MSAsmStmt", PLAIN), ("CapturedStmt", PLAIN), ("CoroutineBodyStmt", FIRST_ONLY), ("CoreturnStmt", FIRST_ONLY),
    ("SEHTryStmt", PLAIN), ("SEHExceptStmt", BRANCH), ("SEHFinallyStmt", PLAIN), ("SEHLeaveStmt", PLAIN),
    ("MSDependentExistsStmt", PLAIN), ("IntegerLiteral", PLAIN), ("FloatingLiteral", PLAIN), ("CharacterLiteral", PLAIN),
    ("StringLiteral", PLAIN), ("ImaginaryLiteral", PLAIN), ("FixedPointLiteral", PLAIN), ("CompoundLiteralExpr", PLAIN),
    ("CompoundAssignOperator", PLAIN), ("ArraySubscriptExpr", PLAIN), ("MatrixSubscriptExpr", PLAIN),
    ("InitListExpr", LIST), ("DesignatedInitExpr", PLAIN), ("DesignatedInitUpdateExpr", PLAIN),
    ("ImplicitValueInitExpr", PLAIN), ("NoInitExpr", PLAIN), ("ArrayInitLoopExpr", FIRST_ONLY), ("ArrayInitIndexExpr", PLAIN),
    ("ParenListExpr", PLAIN), ("UnaryExprOrTypeTraitExpr", PLAIN), ("OffsetOfExpr", PLAIN), ("VAArgExpr", PLAIN),
    ("StmtExpr", PLAIN), ("ChooseExpr", PLAIN), ("GenericSelectionExpr", PLAIN), ("PredefinedExpr", PLAIN),
    ("SourceLocExpr", PLAIN), ("OpaqueValueExpr", THROUGH), ("PseudoObjectExpr", PSEUDO), ("AddrLabelExpr", PLAIN),
    ("AtomicExpr", PLAIN), ("ShuffleVectorExpr", PLAIN), ("ConvertVectorExpr", PLAIN), ("ExtVectorElementExpr", PLAIN),
    ("GNUNullExpr", PLAIN), ("BuiltinBitCastExpr", PLAIN), ("RecoveryExpr", PLAIN), ("TypoExpr", PLAIN),
    ("EmbedExpr", PLAIN), ("ArraySectionExpr", PLAIN), ("OMPArraySectionExpr", PLAIN), ("OMPArrayShapingExpr", PLAIN),
    ("OMPIteratorExpr", PLAIN), ("TypeTraitExpr", PLAIN), ("ArrayTypeTraitExpr", PLAIN), ("ExpressionTraitExpr", PLAIN),
    ("SizeOfPackExpr", PLAIN), ("PackExpansionExpr", PLAIN), ("PackIndexingExpr", PLAIN), ("FunctionParmPackExpr", PLAIN),
    ("SubstNonTypeTemplateParmExpr", UNWRITTEN), ("SubstNonTypeTemplateParmPackExpr", PLAIN), ("UnresolvedMemberExpr", PLAIN),
    ("DependentScopeDeclRefExpr", PLAIN), ("DependentCoawaitExpr", PLAIN), ("CoawaitExpr", FIRST_ONLY), ("CoyieldExpr", FIRST_ONLY),
    ("RequiresExpr", PLAIN), ("ConceptSpecializationExpr", PLAIN), ("MSPropertyRefExpr", PLAIN),
    ("MSPropertySubscriptExpr", PLAIN), ("CUDAKernelCallExpr", PLAIN), ("AsTypeExpr", PLAIN),
    ("SimpleRequirement", PLAIN), ("CompoundRequirement", PLAIN), ("TypeRequirement", PLAIN), ("NestedRequirement", PLAIN),
    ("DeferStmt", PLAIN), ("ResolvedUnexpandedPackExpr", PLAIN), ("OutlinedFunctionDecl", PLAIN),
    ("SubstBuiltinTemplatePackType", PLAIN), ("CXXBoolLiteralExpr", PLAIN), ("CXXNullPtrLiteralExpr", PLAIN), ("BuiltinType", PLAIN), ("PointerType", PLAIN),
    ("LValueReferenceType", PLAIN), ("RValueReferenceType", PLAIN), ("MemberPointerType", PLAIN),
    ("ConstantArrayType", PLAIN), ("IncompleteArrayType", PLAIN), ("VariableArrayType", PLAIN),
    ("DependentSizedArrayType", PLAIN), ("ArrayParameterType", PLAIN), ("VectorType", PLAIN), ("ExtVectorType", PLAIN),
    ("DependentVectorType", PLAIN), ("DependentSizedExtVectorType", PLAIN), ("DependentAddressSpaceType", PLAIN),
    ("ConstantMatrixType", PLAIN), ("DependentSizedMatrixType", PLAIN), ("FunctionProtoType", PLAIN),
    ("FunctionNoProtoType", PLAIN), ("ParenType", PLAIN), ("TypedefType", PLAIN), ("UsingType", PLAIN),
    ("ElaboratedType", PLAIN), ("RecordType", PLAIN), ("EnumType", PLAIN), ("AdjustedType", PLAIN),
    ("DecayedType", PLAIN), ("AttributedType", PLAIN), ("BTFTagAttributedType", PLAIN), ("MacroQualifiedType", PLAIN),
    ("TypeOfExprType", PLAIN), ("TypeOfType", PLAIN), ("DecltypeType", PLAIN), ("UnaryTransformType", PLAIN),
    ("AutoType", PLAIN), ("DeducedTemplateSpecializationType", PLAIN), ("TemplateSpecializationType", PLAIN),
    ("TemplateTypeParmType", PLAIN), ("SubstTemplateTypeParmType", PLAIN), ("SubstTemplateTypeParmPackType", PLAIN),
    ("InjectedClassNameType", PLAIN), ("DependentNameType", PLAIN), ("DependentTemplateSpecializationType", PLAIN),
    ("UnresolvedUsingType", PLAIN), ("PackExpansionType", PLAIN), ("PackIndexingType", PLAIN), ("QualType", PLAIN),
    ("ComplexType", PLAIN), ("AtomicType", PLAIN), ("BlockPointerType", PLAIN), ("PipeType", PLAIN),
    ("BitIntType", PLAIN), ("DependentBitIntType", PLAIN), ("CountAttributedType", PLAIN), ("PredefinedSugarType", PLAIN),
    ("FullComment", PLAIN), ("ParagraphComment", PLAIN), ("TextComment", PLAIN), ("BlockCommandComment", PLAIN),
    ("InlineCommandComment", PLAIN), ("ParamCommandComment", PLAIN), ("TParamCommandComment", PLAIN),
    ("VerbatimBlockComment", PLAIN), ("VerbatimBlockLineComment", PLAIN), ("VerbatimLineComment", PLAIN),
    ("HTMLStartTagComment", PLAIN), ("HTMLEndTagComment", PLAIN), ("CXX11NoReturnAttr", PLAIN), ("AbiTagAttr", PLAIN),
    ("AliasAttr", PLAIN), ("AlignedAttr", PLAIN), ("AlignValueAttr", PLAIN), ("AllocAlignAttr", PLAIN),
    ("AllocSizeAttr", PLAIN), ("AlwaysInlineAttr", PLAIN), ("AnalyzerNoReturnAttr", PLAIN), ("AnnotateAttr", PLAIN),
    ("ArcWeakrefUnavailableAttr", PLAIN), ("ArtificialAttr", PLAIN), ("AsmLabelAttr", PLAIN),
    ("AssumeAlignedAttr", PLAIN), ("AvailabilityAttr", PLAIN), ("BlocksAttr", PLAIN), ("BuiltinAttr", PLAIN),
    ("BuiltinAliasAttr", PLAIN), ("CallbackAttr", PLAIN), ("CapabilityAttr", PLAIN), ("CarriesDependencyAttr", PLAIN),
    ("CDeclAttr", PLAIN), ("CFAuditedTransferAttr", PLAIN), ("CFConsumedAttr", PLAIN),
    ("CFReturnsNotRetainedAttr", PLAIN), ("CFReturnsRetainedAttr", PLAIN), ("CFUnknownTransferAttr", PLAIN),
    ("CleanupAttr", PLAIN), ("ColdAttr", PLAIN), ("CommonAttr", PLAIN), ("ConstAttr", PLAIN), ("ConstInitAttr", PLAIN),
    ("ConstructorAttr", PLAIN), ("ConvergentAttr", PLAIN), ("CPUDispatchAttr", PLAIN), ("CPUSpecificAttr", PLAIN),
    ("CUDADeviceAttr", PLAIN), ("CUDAGlobalAttr", PLAIN), ("CUDAHostAttr", PLAIN), ("CUDASharedAttr", PLAIN),
    ("DeprecatedAttr", PLAIN), ("DestructorAttr", PLAIN), ("DiagnoseAsBuiltinAttr", PLAIN), ("DiagnoseIfAttr", PLAIN),
    ("DLLExportAttr", PLAIN), ("DLLImportAttr", PLAIN), ("DisableTailCallsAttr", PLAIN), ("EnableIfAttr", PLAIN),
    ("EnumExtensibilityAttr", PLAIN), ("ErrorAttr", PLAIN), ("ExcludeFromExplicitInstantiationAttr", PLAIN),
    ("ExternalSourceSymbolAttr", PLAIN), ("FallThroughAttr", PLAIN), ("FastCallAttr", PLAIN), ("FinalAttr", PLAIN),
    ("FlagEnumAttr", PLAIN), ("FlattenAttr", PLAIN), ("FormatAttr", PLAIN), ("FormatArgAttr", PLAIN),
    ("FormatMatchesAttr", PLAIN), ("GNUInlineAttr", PLAIN), ("GuardedByAttr", PLAIN), ("HotAttr", PLAIN),
    ("IBActionAttr", PLAIN), ("IBOutletAttr", PLAIN), ("IFuncAttr", PLAIN), ("InitPriorityAttr", PLAIN),
    ("InternalLinkageAttr", PLAIN), ("LeafAttr", PLAIN), ("LifetimeBoundAttr", PLAIN), ("LikelyAttr", PLAIN),
    ("LockableAttr", PLAIN), ("LoopHintAttr", PLAIN), ("MallocAttr", PLAIN), ("MaxFieldAlignmentAttr", PLAIN),
    ("MayAliasAttr", PLAIN), ("MinSizeAttr", PLAIN), ("MinVectorWidthAttr", PLAIN), ("ModeAttr", PLAIN),
    ("MSABIAttr", PLAIN), ("MSInheritanceAttr", PLAIN), ("MSStructAttr", PLAIN), ("MustTailAttr", PLAIN),
    ("NakedAttr", PLAIN), ("NoAliasAttr", PLAIN), ("NoBuiltinAttr", PLAIN), ("NoCommonAttr", PLAIN),
    ("NoDebugAttr", PLAIN), ("NoDestroyAttr", PLAIN), ("NoDuplicateAttr", PLAIN), ("NoEscapeAttr", PLAIN),
    ("NoInlineAttr", PLAIN), ("NoInstrumentFunctionAttr", PLAIN), ("NoMergeAttr", PLAIN), ("NonNullAttr", PLAIN),
    ("NoReturnAttr", PLAIN), ("NoSanitizeAttr", PLAIN), ("NoSplitStackAttr", PLAIN), ("NoStackProtectorAttr", PLAIN),
    ("NoThreadSafetyAnalysisAttr", PLAIN), ("NoThrowAttr", PLAIN), ("NoUniqueAddressAttr", PLAIN),
    ("NotTailCalledAttr", PLAIN), ("NoUwtableAttr", PLAIN), ("NSConsumedAttr", PLAIN), ("NSConsumesSelfAttr", PLAIN),
    ("NSErrorDomainAttr", PLAIN), ("NSReturnsAutoreleasedAttr", PLAIN), ("NSReturnsNotRetainedAttr", PLAIN),
    ("NSReturnsRetainedAttr", PLAIN), ("ObjCBoxableAttr", PLAIN), ("ObjCBridgeAttr", PLAIN),
    ("ObjCBridgeMutableAttr", PLAIN), ("ObjCBridgeRelatedAttr", PLAIN), ("ObjCDesignatedInitializerAttr", PLAIN),
    ("ObjCExceptionAttr", PLAIN), ("ObjCExplicitProtocolImplAttr", PLAIN), ("ObjCIndependentClassAttr", PLAIN),
    ("ObjCMethodFamilyAttr", PLAIN), ("ObjCNSObjectAttr", PLAIN), ("ObjCPreciseLifetimeAttr", PLAIN),
    ("ObjCRequiresSuperAttr", PLAIN), ("ObjCReturnsInnerPointerAttr", PLAIN), ("ObjCRootClassAttr", PLAIN),
    ("ObjCRuntimeNameAttr", PLAIN), ("ObjCSubclassingRestrictedAttr", PLAIN), ("OMPDeclareTargetDeclAttr", PLAIN),
    ("OptimizeNoneAttr", PLAIN), ("OverloadableAttr", PLAIN), ("OverrideAttr", PLAIN), ("OwnerAttr", PLAIN),
    ("OwnershipAttr", PLAIN), ("PackedAttr", PLAIN), ("PascalAttr", PLAIN), ("PassObjectSizeAttr", PLAIN),
    ("PatchableFunctionEntryAttr", PLAIN), ("PointerAttr", PLAIN), ("PreferredNameAttr", PLAIN),
    ("PreserveAllAttr", PLAIN), ("PreserveMostAttr", PLAIN), ("PtGuardedByAttr", PLAIN), ("PureAttr", PLAIN),
    ("RegCallAttr", PLAIN), ("ReinitializesAttr", PLAIN), ("RequiresCapabilityAttr", PLAIN), ("RestrictAttr", PLAIN),
    ("RetainAttr", PLAIN), ("ReturnsNonNullAttr", PLAIN), ("ReturnsTwiceAttr", PLAIN), ("ScopedLockableAttr", PLAIN),
    ("SectionAttr", PLAIN), ("SelectAnyAttr", PLAIN), ("SentinelAttr", PLAIN), ("SpeculativeLoadHardeningAttr", PLAIN),
    ("StandaloneDebugAttr", PLAIN), ("StdCallAttr", PLAIN), ("StrictFPAttr", PLAIN), ("SwiftAttrAttr", PLAIN),
    ("SwiftCallAttr", PLAIN), ("SwiftNameAttr", PLAIN), ("SwiftNewTypeAttr", PLAIN), ("SwiftPrivateAttr", PLAIN),
    ("SysVABIAttr", PLAIN), ("TargetAttr", PLAIN), ("TargetClonesAttr", PLAIN), ("TestTypestateAttr", PLAIN),
    ("ThisCallAttr", PLAIN), ("TLSModelAttr", PLAIN), ("TransparentUnionAttr", PLAIN), ("TrivialABIAttr", PLAIN),
    ("TypeNonNullAttr", PLAIN), ("TypeNullableAttr", PLAIN), ("TypeNullUnspecifiedAttr", PLAIN),
    ("TypeVisibilityAttr", PLAIN), ("UnavailableAttr", PLAIN), ("UninitializedAttr", PLAIN), ("UnlikelyAttr", PLAIN),
    ("UnusedAttr", PLAIN), ("UsedAttr", PLAIN), ("UsingIfExistsAttr", PLAIN), ("UuidAttr", PLAIN),
    ("VecReturnAttr", PLAIN), ("VectorCallAttr", PLAIN), ("VisibilityAttr", PLAIN), ("WarnUnusedAttr", PLAIN),
    ("WarnUnusedResultAttr", PLAIN), ("WeakAttr", PLAIN), ("WeakImportAttr", PLAIN), ("WeakRefAttr", PLAIN),
    ("X86ForceAlignArgPointerAttr", PLAIN), ("XRayInstrumentAttr", PLAIN), ("ZeroCallUsedRegsAttr", PLAIN),
];
