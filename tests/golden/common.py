"""What all dialects share: names, symbols, calls, and the result's order."""

LANGUAGES = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript", "jsx": "javascript",
    "ts": "typescript", "tsx": "typescript", "mts": "typescript", "cts": "typescript", "c": "c", "cpp": "c++", "cc": "c++",
    "cxx": "c++", "hpp": "c++", "hh": "c++", "hxx": "c++", "m": "objective-c", "mm": "objective-c++", "java": "java",
    "kt": "kotlin", "kts": "kotlin", "scala": "scala", "groovy": "groovy", "cs": "c#", "rs": "rust", "go": "go",
    "rb": "ruby", "php": "php", "sh": "bash", "bash": "bash", "swift": "swift", "lua": "lua",
}
# Languages without rules, whose trees resemble those of a language that has some.
OTHERS = set("""
cu cuh cl glsl vert frag geom comp tesc tese hlsl hlsli fx metal wgsl ispc isph bzl bazel star sky bb bbappend bbclass pyx pxd pxi
mojo hy gd nim nims coco xsh sage svelte vue astro marko riot qml as hx coffee ls elm purs res resi sol cairo move fc tact apex
cls d di odin v c3 ha pony gleam cr rbs luau fnl moon nut tl fish ps1 psm1 nu elv awk tcl hack hhi vala vapi scss sass less styl
proto thrift pde
""".split())
NAME_BYTES_MAX = 1024
VISIBILITIES = (None, "public", "protected", "private", "package")


def language_of(path):
    """The language that a file's name speaks of, or None."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
    for suffix in (".ast.json", ".syntax.json", "_ast.json"):
        name = name.removesuffix(suffix)
    ending = name.rpartition(".")[2] if "." in name else None
    return "unknown" if ending in OTHERS else LANGUAGES.get(ending)


def name_of(value):
    """A usable name, or None."""
    if isinstance(value, str) and value and len(value.encode("utf-8", "surrogatepass")) <= NAME_BYTES_MAX:
        return value
    return None


def line_of(value):
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1 else None


class Path:
    """A callee while it is put together: the names behind the last computed part."""

    def __init__(self, *names):
        self.names = list(names)

    def __add__(self, name):
        return Path(*self.names, name) if name_of(name) else Path()

    def callee(self):
        return name_of(".".join(self.names))


class Scope:
    """Where the walk stands. A named scope that isn't a symbol has `kind` None."""

    def __init__(self, parent=None, name=None, kind=None, symbol=None, function=False):
        self.parent, self.kind, self.symbol = parent, kind, symbol
        around = parent.qualified if parent else ""
        self.qualified = f"{around}.{name}" if around and name else name or around
        self.in_function = function or bool(parent and parent.in_function)
        self.in_type = kind in ("class", "interface", "struct", "enum") or bool(parent and parent.in_type)

    def nearest(self):
        """The nearest enclosing symbol's scope, or None."""
        scope = self
        while scope and not scope.symbol:
            scope = scope.parent
        return scope


class Found:
    """What the walk finds."""

    def __init__(self):
        self.symbols, self.imports, self.calls, self.lines = [], [], {}, 0

    def line(self, value):
        self.lines = max(self.lines, line_of(value) or 0)

    def symbol(self, scope, kind, name, line=None, end_line=None, visibility=None, is_async=False, static=False,
               qualified=None, complexity=True):
        """Notes a symbol inside `scope`, and returns the scope that it opens; without a name, `scope`'s child without one."""
        function = kind in ("function", "method")
        if not name_of(name):
            return Scope(scope, function=function)
        if kind == "function":
            around = scope.nearest()
            kind = "method" if around and around.kind in ("class", "interface", "struct", "enum") else kind
        inner = Scope(scope, name, kind, symbol={}, function=function)
        inner.qualified = qualified or inner.qualified
        symbol = inner.symbol
        symbol |= {"kind": kind, "name": name, "qualified_name": inner.qualified}
        if line_of(line):
            symbol["line"] = line
            if line_of(end_line):
                symbol["end_line"] = end_line
        if visibility:
            symbol["visibility"] = visibility
        if is_async:
            symbol["async"] = True
        if static:
            symbol["static"] = True
        if function and complexity:
            symbol["complexity"] = 1
        self.symbols.append(symbol)
        return inner

    def branch(self, scope, count=1):
        around = scope.nearest()
        if around and "complexity" in around.symbol:
            around.symbol["complexity"] += count

    def import_(self, module, names=(), alias=None, line=None):
        """`names` are pairs of a name and its alias or None."""
        if not name_of(module):
            return
        entry = {"module": module, "names": [
            {"name": name} | ({"alias": other} if name_of(other) else {}) for name, other in names if name_of(name)]}
        if name_of(alias):
            entry["alias"] = alias
        if line_of(line):
            entry["line"] = line
        self.imports.append(entry)

    def call(self, scope, path):
        callee = path.callee() if path else None
        if callee:
            around = scope.nearest()
            key = (around.symbol["qualified_name"] if around else None, callee)
            self.calls[key] = self.calls.get(key, 0) + 1


def finish(found):
    """The members `symbols`, `imports`, `calls` and `totals`."""
    once, symbols = {}, []
    for symbol in found.symbols:
        if symbol["kind"] in ("variable", "constant"):
            key = (symbol["kind"], symbol["qualified_name"])
            if key in once:
                if symbol.get("line", 0) < once[key].get("line", 0):
                    once[key].clear()
                    once[key].update(symbol)
                continue
            once[key] = symbol
        symbols.append(symbol)
    symbols.sort(key=lambda symbol: (
        symbol.get("line", 0), symbol["qualified_name"], symbol["kind"], symbol["name"], symbol.get("end_line", 0),
        VISIBILITIES.index(symbol.get("visibility")), symbol.get("static", False), symbol.get("async", False), symbol.get("complexity", 0)))
    pairs = lambda entry: [(name["name"], name.get("alias", "")) for name in entry["names"]]
    imports = sorted(found.imports, key=lambda entry: (entry.get("line", 0), entry["module"], pairs(entry), entry.get("alias", "")))
    calls = [({"caller": caller} if caller else {}) | {"callee": callee, "count": count}
             for (caller, callee), count in found.calls.items()]
    calls.sort(key=lambda call: (-call["count"], call.get("caller", ""), call["callee"]))
    totals = {"symbols": len(symbols), "imports": len(imports), "calls": sum(found.calls.values())}
    return ({"lines": found.lines} if found.lines else {}) | {
        "symbols": symbols, "imports": imports, "calls": calls, "totals": totals}
