"""tree-sitter's trees: a table for each grammar, and what tables can't say."""

import re

import tree_sitter_imports
from common import Found, Path, Scope, language_of, name_of
from tree_sitter_nodes import children, field, first, generic_callee, kind_of, kinds_in, last_operand, lines_of, operand_of, path_of, text, tokens
from tree_sitter_tables import (
    ARGUMENTS, BRANCHES, CALLS, CLOSURES, CLOSURES_ONLY, COMMENTS, DEFAULTS, OPERATIONS, OPERATORS, RELATIVES, ROOTS, SYMBOLS, TELLTALES)
from tree_sitter_c import HOMES
from tree_sitter_symbols import Symbols, decorators


def walk(document, path, found):
    language = language_of(path) or OTHERS.get(path.removesuffix(".ast.json").rpartition(".")[2]) or telltale(document)
    grammar = {"typescript": "javascript", "c++": "c"}.get(language, language)
    walker = Walk(grammar, language, found)
    if grammar == "c":
        first_time = Walk(grammar, language, Found())
        first_time.visit(document, Scope(), [])
        told = first_time.found.symbols
        walker.symbols.homes = {symbol["qualified_name"]: symbol["kind"] for symbol in told if symbol["kind"] in HOMES}
    walker.visit(document, Scope(), [])
    return language


def telltale(document):
    """The language with the most distinct kinds that only it has; `unknown` at a tie."""
    kinds = kinds_in(document)
    scores = sorted(((len(kinds & set(told.split())), language) for language, told in TELLTALES.items()), reverse=True)
    if scores[0][0] == 0 or scores[0][0] == scores[1][0]:
        return "unknown"
    language = scores[0][1]
    foreign = set(RELATIVES.get(language, "").split()) | {root for root, told in ROOTS.items() if language not in told.split()}
    return "unknown" if kinds & foreign else language


# What C and C++ have in front of brackets that calls nothing.
CASTS = {"static_cast", "dynamic_cast", "const_cast", "reinterpret_cast"}
C_WORDS = {"short", "long", "signed", "unsigned", "noexcept", "_Static_assert", "static_assert", "typeid", "__builtin_va_arg", "__builtin_choose_expr", "__builtin_types_compatible_p"}

# Children that belong to another child.
BESIDE = {"decorated_definition": ("decorator",)}


# Extensions of languages without a table.
OTHERS = {"html": "html", "htm": "html", "css": "css", "json": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml", "sql": "sql", "hs": "haskell",
          "ex": "elixir", "exs": "elixir", "ml": "ocaml", "mli": "ocaml", "dart": "dart", "zig": "zig", "jl": "julia"}


class Walk:
    def __init__(self, grammar, language, found):
        self.grammar, self.found = grammar, found
        self.symbols = Symbols(grammar, language, found)
        self.branches = set(BRANCHES.get(grammar, "").split())
        self.calls = CALLS.get(grammar, {})

    def visit(self, node, scope, around):
        """`around`: the nodes around, the nearest last."""
        kind, grammar = kind_of(node), self.grammar
        for line in lines_of(node):
            self.found.line(line)
        if self.grammar == "c" and kind == "attribute_specifier":
            self.visit_lines(node)
            return scope
        if children(node):  # A leaf is a keyword where its type is that of a node.
            self.branch(node, kind, scope)
            imported = tree_sitter_imports.imports(grammar, node, kind, self.found)
            if kind in self.calls and not imported and not self.no_call(node):
                self.found.call(scope, self.callee(node, self.calls[kind]))
            if grammar in ("kotlin", "c#"):
                self.found.call(scope, generic_callee(node))
            inner = self.symbols.opened(node, kind, scope, around)
            if inner is scope and kind in CLOSURES and CLOSURES_ONLY.get(kind, grammar) == grammar:
                inner = Scope(scope, function=True)
            self.visit_all(node, kind, inner, around)
            return inner
        return scope

    def visit_lines(self, node):
        """What neither calls nor declares: only its lines count."""
        for line in lines_of(node):
            self.found.line(line)
        for child in children(node):
            self.visit_lines(child)

    def visit_all(self, node, kind, scope, around):
        """Visits the children; decorators as a part of what they decorate."""
        definition = self.grammar == "python" and kind in ("function_definition", "class_definition")
        outer, around, waiting = around, around + [node], []
        directive = False
        for child in children(node) + (decorators(outer) if definition else []):
            if self.grammar == "c":
                directive = kind_of(child) in ("#if", "#elif") or directive and kind_of(child) != "\n"
                if directive:
                    self.visit_lines(child)
                    continue
            if not definition and kind_of(child) in BESIDE.get(kind, ()):
                continue
            if self.grammar == "javascript" and kind_of(child) == "decorator":
                waiting.append(child)
                continue
            known = len(self.found.symbols)
            inner = self.visit(child, scope, around)
            if waiting and children(child):
                owner = inner if inner is not scope and inner.symbol else scope
                if owner is not scope and lines_of(waiting[0])[0]:
                    self.found.symbols[known]["line"] = lines_of(waiting[0])[0]
                waiting = [self.visit(one, owner, around) for one in waiting] and []
        for one in waiting:
            self.visit(one, scope, around)

    def branch(self, node, kind, scope):
        if kind in self.branches:
            labels = {kind_of(child) for child in children(node)} & {"case_switch_label", "case_pattern_switch_label", "default_switch_label"}
            if kind == "catch_clause" and self.grammar == "scala" and "case" not in tokens(node):
                return
            if DEFAULTS.get(kind) not in tokens(node) and not (kind == "switch_section" and labels):
                self.found.branch(scope)
        elif kind in OPERATIONS and OPERATORS & (tokens(node) | {text(child) for child in children(node) if kind_of(child) == "operator_identifier"}):
            self.found.branch(scope)
        elif self.grammar in ("kotlin", "scala") and kind == "call_expression":
            self.found.branch(scope, text(children(node)[0]) in ("for", "while"))
        elif kind == "let_chain" and self.grammar == "rust":
            self.found.branch(scope, sum(kind_of(child) == "&&" for child in children(node)))
        elif kind == "match_block" and self.grammar == "rust":
            arms = sum(kind_of(child) == "match_arm" for child in children(node))
            self.found.branch(scope, max(0, arms - 1))

    def no_call(self, node):
        """Casts of C++, C#'s `nameof`, Swift's `defer` and subscripts, which their grammars read as calls."""
        if self.grammar == "c":
            callee = children(node)[0]
            cast = kind_of(callee) == "template_function" and text(children(callee)[0]) in CASTS
            if kind_of(node) == "new_expression":
                return first(node, "primitive_type") is not None
            return cast or kind_of(callee) == "primitive_type" or kind_of(callee) == "identifier" and text(callee) in C_WORDS
        if self.grammar == "c#":
            told = children(node)[0]
            inner = kind_of(children(told)[1]) if kind_of(told) == "parenthesized_expression" else None
            types = ("identifier", "generic_name", "qualified_name", "member_access_expression")
            cast = inner in types and len(children(first(node, "argument_list"))) == 3
            return kind_of(node) == "invocation_expression" and (cast or text(told) == "nameof")
        if self.grammar in ("kotlin", "scala"):
            return text(children(node)[0]) in ("for", "while", "do")
        if self.grammar == "swift":
            given = first(first(node, "call_suffix"), "value_arguments")
            return "[" in tokens(given) if given else text(children(node)[0]) == "defer"
        return False

    def callee(self, node, mode):
        parts = [part for part in children(node) if kind_of(part) not in COMMENTS]
        if mode == "command":
            return path_of(first(node, "command_name"))
        if mode == "first":
            return path_of(last_operand(parts[0])) if self.grammar == "javascript" else operand_of(parts[0])
        if mode == "new":
            told = field(node, "constructor") or field(node, "type")
            named = [part for part in parts if kind_of(part).isidentifier() and kind_of(part) != "new" and kind_of(part) not in ARGUMENTS]
            return path_of(told or (named[0] if named else None))
        before = []
        for part in parts:
            if kind_of(part) in ARGUMENTS - {"type_arguments"}:
                break
            before.append(part)
        named = [part for part in before if re.fullmatch(r"\w+", kind_of(part)) and kind_of(part) != "type_arguments"]
        if not named:
            return Path()
        return path_of(named[0]) if len(named) == 1 else path_of(named[0]) + text(named[-1])
