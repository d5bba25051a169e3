"""clang -ast-dump=json."""

import re

from common import Path, Scope, language_of, line_of, name_of

FUNCTIONS = {"FunctionDecl": "function", "CXXMethodDecl": "method", "CXXConstructorDecl": "method", "CXXDestructorDecl": "method",
             "CXXConversionDecl": "method", "ObjCMethodDecl": "method"}
RECORDS = {"RecordDecl", "CXXRecordDecl", "ClassTemplateSpecializationDecl", "ClassTemplatePartialSpecializationDecl"}
OTHERS = {"EnumDecl": "enum", "TypedefDecl": "type_alias", "TypeAliasDecl": "type_alias", "NamespaceDecl": "module",
          "ObjCInterfaceDecl": "class", "ObjCProtocolDecl": "interface"}
BRANCHES = {"IfStmt", "ForStmt", "WhileStmt", "DoStmt", "CXXForRangeStmt", "CaseStmt", "CXXCatchStmt", "ConditionalOperator",
            "BinaryConditionalOperator", "ObjCForCollectionStmt", "ObjCAtCatchStmt"}
CALLS = {"CallExpr", "CXXMemberCallExpr", "CXXOperatorCallExpr", "UserDefinedLiteral"}
CONSTRUCTS = {"CXXConstructExpr", "CXXTemporaryObjectExpr", "CXXUnresolvedConstructExpr"}
THROUGH = {"ImplicitCastExpr", "ParenExpr", "CStyleCastExpr", "ExprWithCleanups", "MaterializeTemporaryExpr", "CXXBindTemporaryExpr", "ConstantExpr"}
PLUS = re.compile("CXX(?!BoolLiteralExpr|NullPtrLiteralExpr|11NoReturnAttr)|ClassTemplate|(NamespaceDecl|LinkageSpecDecl|FunctionTemplateDecl|AccessSpecDecl|UsingDecl|UsingDirectiveDecl|LambdaExpr)$")


class Walk:
    def __init__(self, found):
        self.found, self.line, self.scopes = found, None, {}
        self.plus = self.objc = False

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

    def visit(self, node, scope, out=False, implicit=False, access=None, first=True):
        """`out`: left out. `access`: a list with what members of the record around are now; `first`: no earlier function in its template."""
        if not isinstance(node, dict):
            return
        kind = node.get("kind") if isinstance(node.get("kind"), str) else ""
        place, extent = node.get("loc"), node.get("range") or {}
        loc, begin, end = self.place(place), self.place(extent.get("begin")), self.place(extent.get("end"))
        implicit = implicit or node.get("isImplicit") is True
        out = out or implicit or loc[1] or not first and kind in FUNCTIONS
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
        elif kind == "NamespaceDecl" or kind in RECORDS and node.get("completeDefinition"):
            inner = Scope(scope, name_of(node.get("name")))
            inner.in_type = inner.in_type or kind in RECORDS
            self.scopes[node.get("id")] = inner
        if kind in RECORDS:
            held = ["private" if node.get("tagUsed") == "class" else "public"] if kind != "RecordDecl" else None
        elif kind not in ("ClassTemplateDecl", "FunctionTemplateDecl", "TypeAliasTemplateDecl"):
            held = None
        functions = 0
        for part in node.get("inner") or node.get("array_filler") or []:
            what = part.get("kind") if isinstance(part, dict) else None
            instance = kind == "ClassTemplateDecl" and what == "ClassTemplateSpecializationDecl"
            extra = kind == "FunctionTemplateDecl" and what in FUNCTIONS and functions > 0
            functions += what in FUNCTIONS
            self.visit(part, inner, out or instance, implicit, held, not extra)

    def opened(self, node, kind, scope, lines, access):
        name, own, visibility = node.get("name"), node.get("id"), access[0] if access else None
        if kind in FUNCTIONS:
            if isinstance(name, str) and kind in ("CXXConstructorDecl", "CXXDestructorDecl"):
                name = name.partition("<")[0]
            home = self.scopes.get(node.get("parentDeclContextId"), scope)
            static = node.get("storageClass") == "static" or kind == "ObjCMethodDecl" and node.get("instance") is False
            if kind == "FunctionDecl":
                visibility = None
            qualified = f"{home.qualified}.{name}" if home.qualified else name
            inner = self.found.symbol(scope, "method", name, *lines, visibility=visibility, static=static, qualified=qualified)
            if inner.symbol:
                inner.kind = inner.symbol["kind"] = FUNCTIONS[kind]
        elif kind in RECORDS:
            if not node.get("completeDefinition"):
                return scope
            what = "class" if node.get("tagUsed") == "class" else "struct"
            inner = self.found.symbol(scope, what, name, *lines, visibility=visibility)
            inner.in_type = True
        elif kind in OTHERS:
            inner = self.found.symbol(scope, OTHERS[kind], name, *lines, visibility=visibility)
        elif kind in ("ObjCImplementationDecl", "ObjCCategoryDecl", "ObjCCategoryImplDecl"):
            inner = Scope(scope, name if kind == "ObjCImplementationDecl" else (node.get("interface") or {}).get("name"))
            inner.in_type = True
        elif kind in ("LambdaExpr", "BlockExpr", "BlockDecl"):
            return Scope(scope, function=True)
        else:
            home = self.scopes.get(node.get("parentDeclContextId"), scope)
            if kind == "VarDecl" and not scope.in_function and not scope.in_type and not home.in_type:
                what = "constant" if constant((node.get("type") or {}).get("qualType") or "") else "variable"
                self.found.symbol(scope, what, name, *lines, static=node.get("storageClass") == "static")
            return scope
        if own:
            self.scopes[own] = inner
        return inner

    def uses(self, node, kind, scope):
        found, inner = self.found, node.get("inner") or node.get("array_filler") or [None]
        if kind in BRANCHES or kind == "BinaryOperator" and node.get("opcode") in ("&&", "||"):
            found.branch(scope)
        elif kind in CALLS:
            found.call(scope, callee(inner[0]))
        elif kind in CONSTRUCTS:
            found.call(scope, type_path((node.get("type") or {}).get("qualType") or ""))
        elif kind == "ObjCMessageExpr":
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


def constant(written):
    return re.search(r"\bconst\b", re.split(r"[*&]", re.sub(r"\[[^]]*\]", "", written))[-1]) is not None


def type_path(written):
    while (shorter := re.sub(r"<[^<>]*>|\[[^][]*\]", "", written)) != written:
        written = shorter
    name = re.sub(r"\b(const|volatile|struct|class|union)\b", "", written).strip().replace("::", ".")
    return Path() if "(" in name else Path() + name


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
    if kind == "MemberExpr":
        return callee(first) + node.get("name")
    if kind == "CXXThisExpr":
        return Path() if node.get("implicit") is True else Path("this")
    if kind == "UnresolvedLookupExpr":
        return Path() + node.get("name")
    return callee(first) + node.get("member") if kind == "CXXDependentScopeMemberExpr" else Path()
