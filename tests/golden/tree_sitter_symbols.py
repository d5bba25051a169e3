"""The symbols of tree-sitter's trees."""

from common import Path, Scope, name_of
from tree_sitter_nodes import (
    children, field, first, kind_of, lines_of, path_of, string, text, tokens, without_comments)
from tree_sitter_tables import COMMENTS, NAMES, SYMBOLS, THROUGH, TYPE_BODIES
from tree_sitter_variables import variables
import tree_sitter_c

WORDS = ("public", "protected", "private")
JS_FUNCTIONS = {"arrow_function", "function_expression", "generator_function", "function"}
JS_CLASSES = {"class", "class_expression"}
BODY = ("parameters", "formal_parameters", "parameter_list", "function_value_parameters", "parameter", "block", "declaration_list", "class_body",
        "struct_type", "interface_type", "=", "->", ":")


class Symbols:
    def __init__(self, grammar, language, found):
        self.grammar, self.language, self.found = grammar, language, found
        # C and C++: the kinds of what can hold others, by qualified names.
        self.homes = {}

    def opened(self, node, kind, scope, around):
        """Notes the node's symbol or variables; the scope of what is in it."""
        table = SYMBOLS.get(self.grammar, {})
        if self.grammar == "rust" and kind == "impl_item":
            return self.rust_impl(node, scope)
        if self.grammar == "swift" and kind == "class_declaration" and "extension" in tokens(node):
            named = first(node, "user_type", "type_identifier")
            inner = Scope(scope, path_of(named).callee() if named else None)
            inner.in_type, inner.member = True, True
            return inner
        if kind == "access_specifier" and getattr(scope, "access", None) and kind_of(around[-1]) == "field_declaration_list":
            scope.access[0] = next((word for word in WORDS if word in (text(node) or "")), scope.access[0])
        if self.grammar == "c" and kind in table:
            return tree_sitter_c.opened(self, node, kind, scope, around)
        if kind in TYPE_BODIES.get(self.grammar, ()):
            inner = Scope(scope)
            inner.in_type, inner.member = True, True
            return inner
        if self.grammar == "ruby" and kind == "singleton_class":
            scope = Scope(scope)
            scope.in_type, scope.singleton = True, True
            return scope
        if self.grammar == "ruby" and kind == "call" and defined_method(node):
            return self.note(node, kind, scope, around, "function", defined_method(node), None)
        if self.grammar == "lua" and not named_function(node, kind) is None:
            return self.note(node, kind, scope, around, "function", named_function(node, kind), None)
        if kind not in table:
            if not scope.in_function and not scope.in_type:
                variables(self.grammar, node, kind, scope, around, self.found)
            return scope
        if calls_type(node, kind):
            self.found.call(scope, Path("type"))
            return scope
        what = self.closer(node, kind, scope, around) if table[kind] == "*" else (table[kind], self.name(node, kind), None)
        if not what and kind == "variable_declarator" and not scope.in_function and not scope.in_type:
            variables(self.grammar, node, kind, scope, around, self.found)
        return self.note(node, kind, scope, around, *what) if what else scope

    def note(self, node, kind, scope, around, what, name, within):
        grammar, qualified = self.grammar, None
        lines = without_comments(node) if grammar == "python" else lines_of(node)
        if grammar == "go" and kind == "method_declaration":
            within = self.go_receiver(node)
        if grammar == "javascript" and first(node, "nested_identifier") and name:
            within, _, name = name.rpartition(".")
        if grammar == "lua" and name and "." in name:
            within, _, name = name.rpartition(".")
        if within and name:
            base = Scope(scope, within)
            qualified = f"{base.qualified}.{name}"
        member = getattr(scope, "member", False)
        if what == "function" and member:
            what = "method"
        if kind == "file_scoped_namespace_declaration":
            self.found.symbol(scope, what, name, lines[0], lines[0])
            return scope
        inner = self.found.symbol(scope, what, name, *lines, qualified=qualified, is_async=self.is_async(node),
                                  visibility=self.visibility(node, kind, scope, around, name), static=self.static(node, kind, what, around, scope))
        if inner.symbol:
            told = first(node, "method_index_expression", "variable")
            if grammar == "lua" and kind.startswith("function_d") and told and (kind_of(told) != "variable" or ":" in tokens(told)):
                inner.kind = inner.symbol["kind"] = "method"
            if kind == "trait_item":
                inner.trait = True
        return inner

    def name(self, node, kind):
        grammar = self.grammar
        if kind in ("init_declaration", "deinit_declaration"):
            return kind.partition("_")[0]
        if kind == "secondary_constructor":
            return "constructor"
        told = field(node, "name") or (left_side(node) if kind == "type_alias_statement" else None)
        if not told:
            told = self.unfielded(node, kind)
        if kind_of(told) in ("string", "string_literal"):
            return string(told)
        if kind_of(told) in ("computed_property_name", "number"):
            return None
        if kind_of(told) == "nested_identifier":
            return path_of(told).callee()
        if kind_of(told) == "type" and kind_of(children(told)[0]) in THROUGH:
            told = children(told)[0]
        if kind_of(told) in THROUGH | {"type"} and children(told):
            told = first(told, *NAMES) or told
        name = text(told)
        if grammar == "c#" and kind == "destructor_declaration" and name:
            return f"~{name}"
        return name.replace("::", ".").replace("\\", ".").replace(":", ".").lstrip(".") if name and grammar in ("php", "lua", "ruby") else name

    def unfielded(self, node, kind):
        """Without field names: the last name before parameters and body."""
        before = []
        for child in children(node):
            if kind_of(child) in BODY and before:
                break
            before.append(child)
        fits = [child for child in before if kind_of(child) in NAMES | {"scope_resolution", "nested_namespace_specifier", "qualified_name",
                                                                        "namespace_name", "dot_index_expression", "method_index_expression", "string",
                                                                        "variable", "operator", "setter", "nested_identifier"}]
        return fits[-1] if fits and self.grammar in ("c#", "java", "kotlin") else fits[0] if fits else None

    def words(self, node):
        """Tokens of the node and of its modifiers."""
        words = set()
        for child in children(node):
            if self.grammar == "scala" and kind_of(child) in NAMES:
                break
            if not children(child):
                words |= {kind_of(child), text(child) or ""} if len(text(child) or "") < 20 else {kind_of(child)}
            elif "modifier" in kind_of(child) or kind_of(child) == "storage_class_specifier":
                words |= set((text(child) or "").split()) | self.words(child)
        return words

    def is_async(self, node):
        if self.grammar == "javascript" and kind_of(value_of(node)) in JS_FUNCTIONS and "async" in tokens(value_of(node)):
            return True
        return "async" in self.words(node)

    def static(self, node, kind, what, around, scope):
        if self.grammar == "rust":
            member = what == "method" or scope.nearest() and scope.nearest().kind == "interface"
            return what in ("function", "method") and bool(member) and not any(kind_of(one) == "self_parameter" or first(one, "self") for one in children(first(node, "parameters")))
        if self.grammar == "python":
            marks = [path_of(part).callee() for child in decorators(around) for part in children(child)]
            return what == "function" and any(mark in ("staticmethod", "classmethod") for mark in marks)
        if self.grammar == "ruby" and (getattr(scope, "singleton", False) or text(children(node)[0]) == "define_singleton_method"):
            return True
        return kind == "singleton_method" or self.grammar != "go" and what not in ("module",) and "static" in self.words(node)

    def visibility(self, node, kind, scope, around, name):
        grammar, words = self.grammar, self.words(node)
        if grammar == "go":
            return ("public" if name[:1].isupper() else "package") if name else None
        if grammar == "rust":
            if getattr(scope, "trait", False):
                return None
            seen = text(first(node, "visibility_modifier"))
            return "private" if not seen else "public" if seen == "pub" else "package"
        if grammar in ("python", "ruby", "bash", "lua"):
            return None
        if name and name.startswith("#"):
            return "private"
        told = next((word for word in WORDS if word in words), None)
        if told or grammar != "java":
            return told or ("package" if words & {"internal"} and grammar in ("c#", "kotlin", "swift") else None)
        near = scope.nearest()
        return "public" if near and near.kind == "interface" else "package"

    def go_receiver(self, node):
        """The type of the method's receiver."""
        receiver = first(node, "parameter_list")
        declared_ = first(receiver, "parameter_declaration") if receiver else None
        told = children(declared_)[-1] if declared_ and children(declared_) else None
        while told and kind_of(told) not in ("type_identifier",):
            told = first(told, "type_identifier", "generic_type", "pointer_type", "parenthesized_type")
        return text(told) if told else None

    def rust_impl(self, node, scope):
        told = field(node, "type") or [child for child in children(node) if "type" in kind_of(child) and kind_of(child) != "type_parameters"][-1:]
        told = told[0] if isinstance(told, list) and told else told or None
        while kind_of(told) in ("reference_type", "pointer_type", "generic_type"):
            told = first(told, "primitive_type", "type_identifier", "scoped_type_identifier", "generic_type", "reference_type")
        names = path_of(told).names if told else []
        inner = Scope(scope, names[-1] if names else None)
        inner.in_type, inner.member, inner.trait = True, True, "for" in tokens(node)
        return inner

    def closer(self, node, kind, scope, around):
        """Kind, name, and type around of a node whose type doesn't say it; None for no symbol."""
        grammar, name = self.grammar, None
        if grammar == "go":
            what = {"struct_type": "struct", "interface_type": "interface"}
            kinds = [what[kind_of(child)] for child in children(node) if kind_of(child) in what]
            return (kinds or ["type_alias"])[0], self.name(node, kind), None
        if grammar == "c#":
            return "struct" if "struct" in self.words(node) else "class", self.name(node, kind), None
        if grammar in ("kotlin", "swift"):
            words = self.words(node)
            what = "interface" if "interface" in words else "enum" if "enum" in words else "struct" if "struct" in words else "class"
            return what, self.name(node, kind), None
        return self.javascript(node, kind, around)

    def javascript(self, node, kind, around):
        value = value_of(node)
        if kind == "ambient_declaration":
            return ("module", "global", None) if "global" in tokens(node) else None
        if kind == "method_definition":
            return None if around and kind_of(around[-1]) == "object" else ("method", self.name(node, kind), None)
        if kind == "method_signature":
            return ("method", self.name(node, kind), None) if around and kind_of(around[-1]) == "class_body" else None
        if kind_of(value) not in JS_FUNCTIONS | JS_CLASSES or not children(value):
            return None
        if kind == "variable_declarator":
            told = children(node)[0]
            what = "class" if kind_of(value) in JS_CLASSES else "function"
            return (what, text(told), None) if kind_of(told) == "identifier" else None
        told = field(node, "name") or field(node, "property") or first(node, "property_identifier", "private_property_identifier")
        return ("method", text(told), None) if kind_of(value) in JS_FUNCTIONS else None


def defined_method(node):
    """Ruby: the name that `define_method` gives its block."""
    given = [child for child in children(first(node, "argument_list")) if kind_of(child) != "("]
    if not first(node, "block", "do_block") or text(children(node)[0]) not in ("define_method", "define_singleton_method") or not given:
        return None
    return {"simple_symbol": (text(given[0]) or "")[1:], "string": string(given[0])}.get(kind_of(given[0]))


def named_function(node, kind):
    """Lua: the name that the node assigns a function to, alone; else None."""
    if kind not in ("assignment_statement", "variable_assignment", "local_variable_declaration"):
        return None
    names, values = first(node, "variable_list", "identifier"), children(first(node, "expression_list"))
    if not names or len(values) != 1 or kind_of(values[0]) != "function_definition" or len(children(names)) > 1:
        return None
    return path_of((children(names) or [names])[0]).callee()


def decorators(around):
    """Those that stand beside a node of Python."""
    beside = children(around[-1]) if around and kind_of(around[-1]) == "decorated_definition" else []
    return [child for child in beside if kind_of(child) == "decorator"]


def calls_type(node, kind):
    """Whether a type alias is `type(a).b = c`."""
    if kind != "type_alias_statement" or text(children(node)[0]) != "type":
        return False
    left = left_side(node)
    return kind_of(left) != "identifier" and kind_of(children(left)[0]) not in ("identifier", "generic_type")


def left_side(node):
    """Of a type alias: the name, with its parameters."""
    return field(node, "left") or next(child for child in children(node) if kind_of(child) == "identifier" or kind_of(child) == "type" and children(child))


def value_of(node):
    """JavaScript's value of a declarator or member, without parentheses."""
    value = ([child for child in children(node) if kind_of(child) != "comment"] or [None])[-1]
    while kind_of(value) == "parenthesized_expression":
        value = next((child for child in children(value) if kind_of(child) not in ("(", ")", "comment")), None)
    return value
