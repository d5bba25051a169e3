//! The kinds of clang's nodes.
//!
//! Source: the class names of declarations, statements, types, attributes and comments up to clang 22.

// The order of the roles also shows the language.
words! {
    pub(super) mod role, KINDS;
    FUNCTION = "FunctionDecl",
    RECORD = "RecordDecl",
    ENUM = "EnumDecl",
    TYPE_ALIAS = "TypedefDecl TypeAliasDecl",
    VARIABLE = "VarDecl",
    BRANCH = "IfStmt ForStmt WhileStmt DoStmt CaseStmt ConditionalOperator BinaryConditionalOperator
        SEHExceptStmt",
    BINARY = "BinaryOperator",
    CALL = "CallExpr",
    /// Stands for the expression inside.
    THROUGH = "ImplicitCastExpr ParenExpr ConstantExpr ExprWithCleanups MaterializeTemporaryExpr
        OpaqueValueExpr",
    UNARY = "UnaryOperator",
    REFERENCE = "DeclRefExpr",
    MEMBER = "MemberExpr",
    LOOKUP = "UnresolvedLookupExpr",
    /// A function without a name.
    BLOCK = "BlockExpr BlockDecl",
    IMPORT = "ImportDecl",
    /// Holds a declaration for any types.
    TEMPLATE = "TypeAliasTemplateDecl",
    /// Its first child says what the source says; those after repeat it in the compiler's words.
    FIRST_ONLY = "CoroutineBodyStmt CoreturnStmt ArrayInitLoopExpr CoawaitExpr CoyieldExpr",
    /// A call that may be one token.
    LITERAL_CALL = "UserDefinedLiteral",
    VARIABLE_TEMPLATE = "VarTemplateDecl",
    VARIABLE_SPECIALIZATION = "VarTemplateSpecializationDecl",
    PARTIAL_VARIABLE = "VarTemplatePartialSpecializationDecl",
    /// A name for a part of another variable: its contents show how the part is obtained.
    BINDING = "BindingDecl",
    /// Declarations among statements.
    LOCAL = "DeclStmt",
    /// Declares something that does not belong to its enclosing record.
    FRIEND = "FriendDecl",
    /// A list in braces of what has no constructor.
    LIST = "InitListExpr",
    /// `(T)x`: stands for the expression inside, and calls nothing.
    C_CAST = "CStyleCastExpr",
    /// Of any language, and nothing else.
    PLAIN = "TranslationUnitDecl ExternCContextDecl ParmVarDecl FieldDecl EnumConstantDecl IndirectFieldDecl
        ImplicitParamDecl LabelDecl EmptyDecl FileScopeAsmDecl TopLevelStmtDecl StaticAssertDecl
        FriendTemplateDecl UsingShadowDecl ConstructorUsingShadowDecl UsingEnumDecl UsingPackDecl
        UnresolvedUsingValueDecl UnresolvedUsingTypenameDecl UnresolvedUsingIfExistsDecl NamespaceAliasDecl
        TemplateTypeParmDecl NonTypeTemplateParmDecl TemplateTemplateParmDecl BuiltinTemplateDecl
        ConceptDecl ImplicitConceptSpecializationDecl RequiresExprBodyDecl LifetimeExtendedTemporaryDecl
        DecompositionDecl HoldingVarDecl CapturedDecl ExportDecl MSGuidDecl MSPropertyDecl PragmaCommentDecl
        PragmaDetectMismatchDecl UnnamedGlobalConstantDecl TemplateParamObjectDecl AccessDecl
        TemplateArgument CompoundStmt NullStmt ReturnStmt SwitchStmt DefaultStmt BreakStmt ContinueStmt
        GotoStmt IndirectGotoStmt LabelStmt AttributedStmt GCCAsmStmt MSAsmStmt CapturedStmt SEHTryStmt
        SEHFinallyStmt SEHLeaveStmt MSDependentExistsStmt IntegerLiteral FloatingLiteral CharacterLiteral
        StringLiteral ImaginaryLiteral FixedPointLiteral CompoundLiteralExpr CompoundAssignOperator
        ArraySubscriptExpr MatrixSubscriptExpr DesignatedInitExpr DesignatedInitUpdateExpr
        ImplicitValueInitExpr NoInitExpr ArrayInitIndexExpr ParenListExpr UnaryExprOrTypeTraitExpr
        OffsetOfExpr VAArgExpr StmtExpr ChooseExpr GenericSelectionExpr PredefinedExpr SourceLocExpr
        AddrLabelExpr AtomicExpr ShuffleVectorExpr ConvertVectorExpr ExtVectorElementExpr GNUNullExpr
        BuiltinBitCastExpr RecoveryExpr TypoExpr EmbedExpr ArraySectionExpr OMPArraySectionExpr
        OMPArrayShapingExpr OMPIteratorExpr TypeTraitExpr ArrayTypeTraitExpr ExpressionTraitExpr
        SizeOfPackExpr PackExpansionExpr PackIndexingExpr FunctionParmPackExpr
        SubstNonTypeTemplateParmPackExpr UnresolvedMemberExpr DependentScopeDeclRefExpr DependentCoawaitExpr
        RequiresExpr ConceptSpecializationExpr MSPropertyRefExpr MSPropertySubscriptExpr CUDAKernelCallExpr
        AsTypeExpr SimpleRequirement CompoundRequirement TypeRequirement NestedRequirement DeferStmt
        ResolvedUnexpandedPackExpr OutlinedFunctionDecl SubstBuiltinTemplatePackType CXXBoolLiteralExpr
        CXXNullPtrLiteralExpr BuiltinType PointerType LValueReferenceType RValueReferenceType
        MemberPointerType ConstantArrayType IncompleteArrayType VariableArrayType DependentSizedArrayType
        ArrayParameterType VectorType ExtVectorType DependentVectorType DependentSizedExtVectorType
        DependentAddressSpaceType ConstantMatrixType DependentSizedMatrixType FunctionProtoType
        FunctionNoProtoType ParenType TypedefType UsingType ElaboratedType RecordType EnumType AdjustedType
        DecayedType AttributedType BTFTagAttributedType MacroQualifiedType TypeOfExprType TypeOfType
        DecltypeType UnaryTransformType AutoType DeducedTemplateSpecializationType
        TemplateSpecializationType TemplateTypeParmType SubstTemplateTypeParmType
        SubstTemplateTypeParmPackType InjectedClassNameType DependentNameType
        DependentTemplateSpecializationType UnresolvedUsingType PackExpansionType PackIndexingType QualType
        ComplexType AtomicType BlockPointerType PipeType BitIntType DependentBitIntType CountAttributedType
        PredefinedSugarType FullComment ParagraphComment TextComment BlockCommandComment
        InlineCommandComment ParamCommandComment TParamCommandComment VerbatimBlockComment
        VerbatimBlockLineComment VerbatimLineComment HTMLStartTagComment HTMLEndTagComment CXX11NoReturnAttr
        AbiTagAttr AliasAttr AlignedAttr AlignValueAttr AllocAlignAttr AllocSizeAttr AlwaysInlineAttr
        AnalyzerNoReturnAttr AnnotateAttr ArcWeakrefUnavailableAttr ArtificialAttr AsmLabelAttr
        AssumeAlignedAttr AvailabilityAttr BlocksAttr BuiltinAttr BuiltinAliasAttr CallbackAttr
        CapabilityAttr CarriesDependencyAttr CDeclAttr CFAuditedTransferAttr CFConsumedAttr
        CFReturnsNotRetainedAttr CFReturnsRetainedAttr CFUnknownTransferAttr CleanupAttr ColdAttr CommonAttr
        ConstAttr ConstInitAttr ConstructorAttr ConvergentAttr CPUDispatchAttr CPUSpecificAttr
        CUDADeviceAttr CUDAGlobalAttr CUDAHostAttr CUDASharedAttr DeprecatedAttr DestructorAttr
        DiagnoseAsBuiltinAttr DiagnoseIfAttr DLLExportAttr DLLImportAttr DisableTailCallsAttr EnableIfAttr
        EnumExtensibilityAttr ErrorAttr ExcludeFromExplicitInstantiationAttr ExternalSourceSymbolAttr
        FallThroughAttr FastCallAttr FinalAttr FlagEnumAttr FlattenAttr FormatAttr FormatArgAttr
        FormatMatchesAttr GNUInlineAttr GuardedByAttr HotAttr IBActionAttr IBOutletAttr IFuncAttr
        InitPriorityAttr InternalLinkageAttr LeafAttr LifetimeBoundAttr LikelyAttr LockableAttr LoopHintAttr
        MallocAttr MaxFieldAlignmentAttr MayAliasAttr MinSizeAttr MinVectorWidthAttr ModeAttr MSABIAttr
        MSInheritanceAttr MSStructAttr MustTailAttr NakedAttr NoAliasAttr NoBuiltinAttr NoCommonAttr
        NoDebugAttr NoDestroyAttr NoDuplicateAttr NoEscapeAttr NoInlineAttr NoInstrumentFunctionAttr
        NoMergeAttr NonNullAttr NoReturnAttr NoSanitizeAttr NoSplitStackAttr NoStackProtectorAttr
        NoThreadSafetyAnalysisAttr NoThrowAttr NoUniqueAddressAttr NotTailCalledAttr NoUwtableAttr
        NSConsumedAttr NSConsumesSelfAttr NSErrorDomainAttr NSReturnsAutoreleasedAttr
        NSReturnsNotRetainedAttr NSReturnsRetainedAttr ObjCBoxableAttr ObjCBridgeAttr ObjCBridgeMutableAttr
        ObjCBridgeRelatedAttr ObjCDesignatedInitializerAttr ObjCExceptionAttr ObjCExplicitProtocolImplAttr
        ObjCIndependentClassAttr ObjCMethodFamilyAttr ObjCNSObjectAttr ObjCPreciseLifetimeAttr
        ObjCRequiresSuperAttr ObjCReturnsInnerPointerAttr ObjCRootClassAttr ObjCRuntimeNameAttr
        ObjCSubclassingRestrictedAttr OMPDeclareTargetDeclAttr OptimizeNoneAttr OverloadableAttr
        OverrideAttr OwnerAttr OwnershipAttr PackedAttr PascalAttr PassObjectSizeAttr
        PatchableFunctionEntryAttr PointerAttr PreferredNameAttr PreserveAllAttr PreserveMostAttr
        PtGuardedByAttr PureAttr RegCallAttr ReinitializesAttr RequiresCapabilityAttr RestrictAttr
        RetainAttr ReturnsNonNullAttr ReturnsTwiceAttr ScopedLockableAttr SectionAttr SelectAnyAttr
        SentinelAttr SpeculativeLoadHardeningAttr StandaloneDebugAttr StdCallAttr StrictFPAttr SwiftAttrAttr
        SwiftCallAttr SwiftNameAttr SwiftNewTypeAttr SwiftPrivateAttr SysVABIAttr TargetAttr
        TargetClonesAttr TestTypestateAttr ThisCallAttr TLSModelAttr TransparentUnionAttr TrivialABIAttr
        TypeNonNullAttr TypeNullableAttr TypeNullUnspecifiedAttr TypeVisibilityAttr UnavailableAttr
        UninitializedAttr UnlikelyAttr UnusedAttr UsedAttr UsingIfExistsAttr UuidAttr VecReturnAttr
        VectorCallAttr VisibilityAttr WarnUnusedAttr WarnUnusedResultAttr WeakAttr WeakImportAttr
        WeakRefAttr X86ForceAlignArgPointerAttr XRayInstrumentAttr ZeroCallUsedRegsAttr",
    METHOD = "CXXMethodDecl",
    CONSTRUCTOR = "CXXConstructorDecl CXXDestructorDecl",
    CXX_RECORD = "CXXRecordDecl ClassTemplatePartialSpecializationDecl",
    SPECIALIZATION = "ClassTemplateSpecializationDecl",
    NAMESPACE = "NamespaceDecl",
    ACCESS = "AccessSpecDecl",
    /// Holds its declaration, followed by what the compiler made of it.
    CUT_TEMPLATE = "ClassTemplateDecl FunctionTemplateDecl",
    LAMBDA = "LambdaExpr",
    CXX_CALL = "CXXMemberCallExpr",
    CONSTRUCT = "CXXConstructExpr CXXParenListInitExpr",
    THIS = "CXXThisExpr",
    CXX_THROUGH = "CXXBindTemporaryExpr",
    CXX_BRANCH = "CXXForRangeStmt CXXCatchStmt",
    DEPENDENT_MEMBER = "CXXDependentScopeMemberExpr",
    /// Of C++, and nothing else.
    CXX = "LinkageSpecDecl UsingDecl UsingDirectiveDecl CXXDeductionGuideDecl CXXDynamicCastExpr
        CXXReinterpretCastExpr CXXConstCastExpr CXXAddrspaceCastExpr CXXTypeidExpr CXXUuidofExpr
        CXXThrowExpr CXXTryStmt CXXScalarValueInitExpr CXXStdInitializerListExpr CXXDeleteExpr
        CXXPseudoDestructorExpr CXXNoexceptExpr CXXFoldExpr CXXInheritedCtorInitExpr CXXPropertyRefExpr",
    /// An operator that is a function, or a call of an object.
    OPERATOR_CALL = "CXXOperatorCallExpr",
    /// A construction that names its type.
    NAMED_CONSTRUCT = "CXXTemporaryObjectExpr CXXUnresolvedConstructExpr",
    NEW = "CXXNewExpr",
    /// An operator that is put down to others.
    REWRITTEN = "CXXRewrittenBinaryOperator",
    /// Stands for nothing that is written there.
    UNWRITTEN = "CXXDefaultArgExpr CXXDefaultInitExpr SubstNonTypeTemplateParmExpr",
    /// Stands in front of what is constructed inside.
    NAMING = "CXXCtorInitializer",
    /// A method named by the type that it converts to.
    CONVERSION = "CXXConversionDecl",
    /// The same, as a cast.
    CAST = "CXXFunctionalCastExpr",
    /// A cast with a word in front of its type.
    WORDED_CAST = "CXXStaticCastExpr",
    OBJC_INTERFACE = "ObjCInterfaceDecl",
    OBJC_PROTOCOL = "ObjCProtocolDecl",
    OBJC_METHOD = "ObjCMethodDecl",
    OBJC_IMPLEMENTATION = "ObjCImplementationDecl",
    OBJC_CATEGORY = "ObjCCategoryDecl ObjCCategoryImplDecl",
    OBJC_MESSAGE = "ObjCMessageExpr",
    OBJC_BRANCH = "ObjCForCollectionStmt ObjCAtCatchStmt",
    /// Of Objective-C, and nothing else.
    OBJC = "ObjCIvarDecl ObjCAtDefsFieldDecl ObjCPropertyDecl ObjCPropertyImplDecl ObjCTypeParamDecl
        ObjCCompatibleAliasDecl ObjCAtFinallyStmt ObjCAtSynchronizedStmt ObjCAtThrowStmt ObjCAtTryStmt
        ObjCAutoreleasePoolStmt ObjCArrayLiteral ObjCAvailabilityCheckExpr ObjCBoolLiteralExpr ObjCBoxedExpr
        ObjCBridgedCastExpr ObjCDictionaryLiteral ObjCEncodeExpr ObjCIndirectCopyRestoreExpr ObjCIsaExpr
        ObjCProtocolExpr ObjCSelectorExpr ObjCStringLiteral ObjCSubscriptRefExpr ObjCInterfaceType
        ObjCObjectPointerType ObjCObjectType ObjCTypeParamType",
    /// A variable of an object, and a property, which may be called.
    OBJC_MEMBER = "ObjCIvarRefExpr ObjCPropertyRefExpr",
    /// As `FIRST_ONLY`: it is called by that child's path.
    PSEUDO = "PseudoObjectExpr",
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
