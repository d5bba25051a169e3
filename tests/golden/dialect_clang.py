"""clang -ast-dump=json."""

import re

from common import Path, Scope, language_of, line_of, name_of

FUNCTIONS = {"FunctionDecl": "function", "CXXMethodDecl": "method", "CXXConstructorDecl": "method", "CXXDestructorDecl": "method",
             "CXXConversionDecl": "method", "ObjCMethodDecl": "method"}
RECORDS = {"RecordDecl", "CXXRecordDecl", "ClassTemplateSpecializationDecl", "ClassTemplatePartialSpecializationDecl"}
OTHERS = {"EnumDecl": "enum", "TypedefDecl": "type_alias", "TypeAliasDecl": "type_alias", "NamespaceDecl": "module",
          "ObjCInterfaceDecl": "class", "ObjCProtocolDecl": "interface"}
BRANCHES = {"IfStmt", "ForStmt", "WhileStmt", "DoStmt", "CXXForRangeStmt", "CaseStmt", "CXXCatchStmt", "ConditionalOperator",
            "BinaryConditionalOperator", "ObjCForCollectionStmt", "ObjCAtCatchStmt", "SEHExceptStmt"}
CALLS = {"CallExpr", "CXXMemberCallExpr", "CXXOperatorCallExpr", "UserDefinedLiteral"}
CONSTRUCTS = {"CXXConstructExpr", "CXXParenListInitExpr", "CXXTemporaryObjectExpr", "CXXUnresolvedConstructExpr"}
# Nodes of which the first child alone is written, and those of which nothing is.
FIRST_ONLY = {"CoroutineBodyStmt", "CoreturnStmt", "CoawaitExpr", "CoyieldExpr", "PseudoObjectExpr", "ArrayInitLoopExpr"}
UNWRITTEN = {"CXXDefaultArgExpr", "CXXDefaultInitExpr", "SubstNonTypeTemplateParmExpr"}
# Constructions that may stand for nothing that is written.
SHOWN = {"CXXConstructExpr", "CXXParenListInitExpr"}
PLAIN = set("""void bool _Bool char short int long float double signed unsigned wchar_t char8_t char16_t char32_t __int128 auto size_t
ssize_t ptrdiff_t intptr_t uintptr_t charptr_t nullptr_t max_align_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t
half _Float16 __float128 __bf16 decltype""".split())
VARIABLES = {"VarDecl", "BindingDecl", "VarTemplateSpecializationDecl", "VarTemplatePartialSpecializationDecl"}
THROUGH = {"OpaqueValueExpr", "ImplicitCastExpr", "ParenExpr", "CStyleCastExpr", "ExprWithCleanups", "MaterializeTemporaryExpr", "CXXBindTemporaryExpr", "ConstantExpr"}
PLUS = re.compile("CXX(?!BoolLiteralExpr|NullPtrLiteralExpr|11NoReturnAttr)|ClassTemplate|(NamespaceDecl|LinkageSpecDecl|FunctionTemplateDecl|AccessSpecDecl|UsingDecl|UsingDirectiveDecl|LambdaExpr)$")


class Walk:
    def __init__(self, found):
        self.found, self.line, self.scopes = found, None, {}
        self.plus = self.objc = False
        self.seen, self.templates = set(), set()

    def place(self, place):
        """The line of a place, and whether it is in an included file."""
        if not isinstance(place, dict):
            return None, False
        if "spellingLoc" in place or "expansionLoc" in place:
            self.place(place.get("spellingLoc"))
            return self.place(place.get("expansionLoc"))
        if "offset" not in place:
            return None, "includedFrom" in place
        self.line = place.get("line", self.line)
        return line_of(self.line), "includedFrom" in place

    def once(self, node):
        """Whether a node is met for the first time."""
        own = node.get("id")
        if own in self.seen:
            return False
        if own:
            self.seen.add(own)
        return True

    def once_written(self, node):
        """Whether what stands in an argument of a macro is met for the first time: the macro may repeat it."""
        span = node.get("range") or {}
        places = [span.get("begin") or {}, span.get("end") or {}]
        for place in places:
            told = [place.get("spellingLoc") or {}, place.get("expansionLoc") or {}]
            if any("includedFrom" in one for one in told) or told[0].get("offset", -1) <= told[1].get("offset", -1):
                return True
        return self.once({"id": (node.get("kind"), *map(offset, places))})

    def construct(self, made, node, scope):
        """A call of the type, where it is none that all sources have."""
        path = constructed(made)
        plain = not path.names or "*" in path.names[0] or all(word in PLAIN for word in path.names[0].split(" "))
        if not plain and self.once(node) and self.once_written(node):
            self.found.call(scope, path)

    def is_made(self, node, kind):
        """Whether a template's instance stands here, made by the compiler."""
        if "TemplateInstantiationPattern" in node and kind != "VarDecl":
            return True
        if kind in ("VarTemplateDecl", "VarTemplatePartialSpecializationDecl"):
            self.templates.add(offset(node.get("loc")))
        if kind == "VarTemplateSpecializationDecl":
            return offset(node.get("loc")) in self.templates
        begin = (node.get("range") or {}).get("begin") or {}
        if kind != "ClassTemplateSpecializationDecl" or "offset" not in begin:
            return False
        inside = [(part.get("range") or {}).get("begin") or {} for part in node.get("inner") or [] if isinstance(part, dict)]
        elsewhere = any("includedFrom" in ((part.get("loc") or {}).get("expansionLoc") or part.get("loc") or {}) for part in node.get("inner") or [])
        return elsewhere or any(part["offset"] < begin["offset"] for part in inside if "offset" in part)

    def visit(self, node, scope, out=False, implicit=False, access=None, first=True):
        """`out`: left out. `access`: a list with what members of the record around are now; `first`: no earlier function in its template."""
        if not isinstance(node, dict):
            return
        kind = node.get("kind") if isinstance(node.get("kind"), str) else ""
        place, extent = node.get("loc"), node.get("range") or {}
        loc, begin, end = self.place(place), self.place(extent.get("begin")), self.place(extent.get("end"))
        closure = (node.get("definitionData") or {}).get("isLambda") is True
        own_implicit = node.get("isImplicit") is True and not closure
        goes_through = own_implicit and kind == "VarDecl" and (node.get("name") or "").startswith("__range")
        implicit = implicit or own_implicit
        included = loc[1] or loc[0] is None and begin[1] and kind != "VarDecl"
        out = out or own_implicit and not goes_through or included or not first and kind in FUNCTIONS
        out = out or kind in UNWRITTEN or self.is_made(node, kind)
        if not implicit:
            self.plus = self.plus or bool(PLUS.match(kind))
            self.objc = self.objc or kind.startswith("ObjC") and not kind.endswith("Attr")
        inner, held = scope, access
        if not out:
            for line, included in (loc, begin, end):
                if not included:
                    self.found.line(line)
            if kind == "AccessSpecDecl" and access:
                access[0] = node.get("access", access[0])
            self.uses(node, kind, scope)
            inner = self.opened(node, kind, scope, (begin[0] or loc[0], end[0]), access)
        elif kind == "NamespaceDecl" or kind in RECORDS and (node.get("completeDefinition") or not own_implicit):
            inner = Scope(self.home(node, kind, scope), name_of(node.get("name")))
            inner.in_type = inner.in_type or kind in RECORDS
            self.scopes[node.get("id")] = inner
        if kind in RECORDS:
            held = ["private" if node.get("tagUsed") == "class" else "public"] if kind != "RecordDecl" else None
        elif kind not in ("ClassTemplateDecl", "FunctionTemplateDecl", "TypeAliasTemplateDecl"):
            held = None
        functions = 0
        inside_out = out or bool(node.get("explicitlyDefaulted")) or kind == "BindingDecl"
        for number, part in enumerate(node.get("inner") or node.get("array_filler") or []):
            what = part.get("kind") if isinstance(part, dict) else None
            instance = kind in ("ClassTemplateDecl", "VarTemplateDecl") and what in ("ClassTemplateSpecializationDecl", "VarTemplateSpecializationDecl")
            instance = instance or kind in FIRST_ONLY and number > 0
            extra = kind == "FunctionTemplateDecl" and what in FUNCTIONS and functions > 0
            functions += what in FUNCTIONS
            if kind == "FriendDecl":
                inner = around_types(scope)
            if kind == "DeclStmt" and what == "FunctionDecl":
                inner, instance = Scope(scope, function=True), True
            self.visit(part, inner, inside_out or instance, implicit, held, not extra)

    def home(self, node, kind, scope):
        """What a declaration belongs to."""
        return scope if kind == "NamespaceDecl" else self.scopes.get(node.get("parentDeclContextId"), scope)

    def opened(self, node, kind, scope, lines, access):
        name, own, visibility = node.get("name"), node.get("id"), access[0] if access else None
        home = self.home(node, kind, scope)
        if (node.get("definitionData") or {}).get("isLambda") is True or name == "operator()" and before(node):
            return Scope(scope, function=True)
        if (kind in FUNCTIONS or kind in RECORDS and node.get("completeDefinition") or kind in OTHERS) and not self.once(node):
            return Scope(scope, function=True)
        if kind in FUNCTIONS:
            if isinstance(name, str) and kind in ("CXXConstructorDecl", "CXXDestructorDecl"):
                name = name.partition("<")[0]
            if kind == "CXXConversionDecl":
                name = conversion((node.get("type") or {}).get("qualType") or "")
            static = node.get("storageClass") == "static" or kind == "ObjCMethodDecl" and node.get("instance") is False
            if kind == "FunctionDecl":
                visibility = None
            qualified = f"{home.qualified}.{name}" if home.qualified else name
            inner = self.found.symbol(scope, "method", name, *lines, visibility=visibility, static=static, qualified=qualified)
            if inner.symbol:
                inner.kind = inner.symbol["kind"] = FUNCTIONS[kind]
        elif kind in RECORDS:
            if not node.get("completeDefinition"):
                self.scopes[own] = Scope(home, name_of(name))
                self.scopes[own].in_type = True
                return scope
            what = "class" if node.get("tagUsed") == "class" else "struct"
            inner = self.found.symbol(home, what, name, *lines, visibility=visibility)
            inner.in_type = True
        elif kind in ("EnumDecl", "ObjCInterfaceDecl", "ObjCProtocolDecl") and not node.get("inner") and offset(node.get("loc")) == offset((node.get("range") or {}).get("end")):
            return scope
        elif kind in OTHERS:
            inner = self.found.symbol(home, OTHERS[kind], name, *lines, visibility=visibility)
        elif kind in ("ObjCImplementationDecl", "ObjCCategoryDecl", "ObjCCategoryImplDecl"):
            inner = Scope(scope, name if kind == "ObjCImplementationDecl" else (node.get("interface") or {}).get("name"))
            inner.in_type = True
        elif kind in ("LambdaExpr", "BlockExpr", "BlockDecl"):
            return Scope(scope, function=True)
        else:
            if kind in VARIABLES and not scope.in_function and not scope.in_type and not home.in_type:
                what = "constant" if kind != "BindingDecl" and constant((node.get("type") or {}).get("qualType") or "") else "variable"
                self.found.symbol(home, what, name, *lines, static=node.get("storageClass") == "static")
            return scope
        if own:
            self.scopes[own] = inner
        return inner

    def uses(self, node, kind, scope):
        found, inner = self.found, node.get("inner") or node.get("array_filler") or [None]
        if kind in BRANCHES or kind == "BinaryOperator" and node.get("opcode") in ("&&", "||"):
            if self.once(node) and self.once_written(node):
                found.branch(scope)
        elif kind in CALLS:
            path = called(node, kind, inner)
            names = path.names
            if names and names[0] != "__promise" and not names[-1].endswith("operator co_await") and self.once(node) and self.once_written(node):
                found.call(scope, path)
        elif kind in CONSTRUCTS:
            if kind not in SHOWN or not node.get("list") and constructs(node, inner[0]):
                self.construct(node, node, scope)
        elif kind == "CXXNewExpr":
            shown = [part for part in map(behind_casts, inner) if isinstance(part, dict) and part.get("kind") in SHOWN]
            pointed = ((node.get("type") or {}).get("qualType") or "").removesuffix("*").rstrip()
            if not pointed.endswith("*") and all(part.get("list") or not constructs(part, (part.get("inner") or [None])[0]) for part in shown):
                self.construct({"type": {"qualType": pointed}}, node, scope)
        elif kind in ("CXXCtorInitializer", "CXXFunctionalCastExpr") or kind in VARIABLES and node.get("init") == "list":
            for part in map(behind_casts, inner):
                told = part.get("kind") if isinstance(part, dict) else None
                if told == "CXXConstructExpr" and part.get("list") or told == "InitListExpr" and kind == "CXXFunctionalCastExpr":
                    self.construct(part, node, scope)
        elif kind in ("CStyleCastExpr", "CXXStaticCastExpr"):
            made = behind_casts(inner[0])
            if isinstance(made, dict) and made.get("kind") in SHOWN:
                self.seen.add(made.get("id"))
        elif kind == "CXXRewrittenBinaryOperator":
            # Of `(a <=> b) < 0`, the second operator is not written.
            outer = inner[0] if isinstance(inner[0], dict) else {}
            if outer.get("kind") == "CXXOperatorCallExpr" and callee((outer.get("inner") or [None])[0]).names[-1:] != ["operator=="]:
                self.seen.add(outer.get("id"))
        elif kind == "ObjCMessageExpr":
            if self.once(node) and self.once_written(node):
                found.call(scope, receiver(node, inner[0]) + node.get("selector"))
        elif kind == "ImportDecl":
            found.import_(node.get("name") or (node.get("importedModule") or {}).get("name"), (), None, None)


def walk(document, path, found):
    walker = Walk(found)
    walker.visit(document, Scope())
    if walker.objc:
        return "objective-c++" if walker.plus else "objective-c"
    spoken = language_of(path)
    return "c++" if walker.plus else spoken if spoken in ("c++", "objective-c", "objective-c++") else "c"


def behind_casts(node):
    while isinstance(node, dict) and node.get("kind") in THROUGH:
        node = (node.get("inner") or [None])[0]
    return node


def around_types(scope):
    """The scope of what is around the record."""
    while scope.parent and not (scope.symbol and scope.kind not in ("class", "struct", "enum", "interface")):
        scope = scope.parent
    return scope


def offset(place):
    place = place if isinstance(place, dict) else {}
    return (place.get("spellingLoc") or ({} if "expansionLoc" in place else place)).get("offset")


def before(node):
    """Whether a node's name stands before it."""
    loc, begin = node.get("loc") or {}, (node.get("range") or {}).get("begin") or {}
    return ("expansionLoc" in loc) == ("expansionLoc" in begin) and (offset(loc) or 0) < (offset(begin) or 0)


def extent(node):
    """The first and last byte that a node is written at, plus one; None where it is not told."""
    span = node.get("range") or {} if isinstance(node, dict) else {}
    begin, end = offset(span.get("begin")), offset(span.get("end"))
    return (None if begin is None else begin + 1, None if end is None else end + 1)


def called(node, kind, inner):
    """What a call calls: nothing, where it has no text of its own. An object is called by its name."""
    if kind != "UserDefinedLiteral" and all(extent(node)) and extent(node) == extent(inner[0]):
        return Path()
    path = callee(inner[0])
    if kind == "CXXOperatorCallExpr" and path.names == ["operator()"]:
        return callee(inner[1]) if len(inner) > 1 else Path()
    return path


def constructs(node, argument):
    """Whether a construction is written: with brackets, or its type in front."""
    own, inside = extent(node), extent(argument)
    return not all(own) or not (own[0] == own[1] and not all(inside)) and own != inside


def constant(written):
    while (shorter := re.sub(r"<[^<>]*>|\[[^][]*\]", "", written)) != written:
        written = shorter
    while "(" in written:
        inside = re.search(r"\(((?:[*&^]|[\w:]*::\*).*)", written)
        before = written.partition("(")[0]
        if not inside or inside.start() != len(before):
            written = before
            break
        written = inside[1]
    return re.search(r"\bconst\b", re.split(r"[*&^]", written.partition(")")[0])[-1]) is not None


def type_path(written):
    while (shorter := re.sub(r"<[^<>]*>|\[[^][]*\]", "", written)) != written:
        written = shorter
    name = re.sub(r"\b(const|volatile|struct|class|union)\b", "", written).strip().replace("::", ".")
    return Path() if "(" in name or not name else Path(*name.split("."))


def constructed(node):
    """The type that is constructed, by its last name."""
    return Path(*type_path((node.get("type") or {}).get("qualType") or "").names[-1:])


def conversion(written):
    """The name of a conversion, of the type `T () const`."""
    depth, end = 0, len(written)
    for place, letter in enumerate(written):
        if depth == 0 and written[place:place + 2] == "()":
            end = place
            break
        depth += letter in "<([{"
        depth -= letter in ">)]}"
    told = re.sub(r"\b(struct|class|union|enum|typename)\b", "", written[:end])
    while (shorter := re.sub(r"<[^<>]*>", "", told)) != told:
        told = shorter
    told = re.sub(r"\w*::", "", told)
    return re.sub(r"(?<=\w) +(?=\w)", "\0", f"operator {told}").replace(" ", "").replace("\0", " ")


def receiver(node, first):
    told = node.get("receiverKind") or ""
    if told.startswith("super"):
        return Path("super")
    if told.startswith("class"):
        return type_path((node.get("classType") or {}).get("qualType") or "")
    return callee(first)


def callee(node):
    if not isinstance(node, dict):
        return Path()
    kind, first = node.get("kind"), (node.get("inner") or node.get("array_filler") or [None])[0]
    if kind in THROUGH or kind == "UnaryOperator" and node.get("opcode") in ("*", "&"):
        return callee(first)
    if kind == "DeclRefExpr":
        return Path() + (node.get("referencedDecl") or {}).get("name")
    if kind == "PseudoObjectExpr":
        return callee(first)
    if kind in ("ObjCIvarRefExpr", "ObjCPropertyRefExpr"):
        told = (node.get("decl") or node.get("property") or node.get("getter") or {}).get("name")
        return Path() + told if node.get("isFreeIvar") is True else callee(first) + told
    if kind == "MemberExpr":
        return callee(first) + node.get("name")
    if kind == "CXXThisExpr":
        return Path() if node.get("implicit") is True else Path("this")
    if kind == "UnresolvedLookupExpr":
        return Path() + node.get("name")
    return callee(first) + node.get("member") if kind == "CXXDependentScopeMemberExpr" else Path()
