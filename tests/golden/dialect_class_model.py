"""A class model: what a Java tool says of a file's classes."""

import re

from common import Path, Scope, language_of, line_of, name_of

CLASSES = ("classes", "innerClasses", "nestedClasses")
TAGS = {f"{key}[]": "class" for key in CLASSES} | {
    "fields[]": "field", "constructors[]": "constructor", "methods[]": "method", "methodCalls[]": "method_call"}
WORDS = ("public", "protected", "private", "package")
JAVA = ("java.", "javax.", "jakarta.", "android.")


def tag(value, key):
    return TAGS.get(key)


def walk(document, path, found):
    lines(document, found)
    for item in document.get("imports") or []:
        import_(item, found)
    for model in objects(document, *CLASSES):
        class_(model, Scope(), found)
    java = any(entry["module"].startswith(JAVA) for entry in found.imports)
    file_path = document.get("filePath")
    spoken = language_of(file_path) if isinstance(file_path, str) else None
    return spoken or language_of(path) or ("java" if java else "unknown")


def objects(model, *keys):
    return [item for key in keys for item in model.get(key) or [] if isinstance(item, dict)]


def lines(value, found):
    if isinstance(value, dict):
        for key in ("startLine", "line", "lineNumber", "endLine"):
            found.line(value.get(key))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        lines(item, found)


def import_(item, found):
    line = None
    if isinstance(item, dict):
        line = next(filter(line_of, (item.get("startLine"), item.get("line"), item.get("lineNumber"))), None)
        item = item.get("name")
    if not isinstance(item, str):
        return
    text = item.strip().removesuffix(";").strip()
    if text.startswith("using "):
        return found.import_(text.removeprefix("using ").strip(), (), None, line)
    text = text.removeprefix("import ").strip().removeprefix("static ").strip()
    text, _, alias = (part.strip() for part in text.partition(" as "))
    module, dot, name = text.rpartition(".")
    if dot:
        found.import_(module, [(name, alias)], None, line)
    else:
        found.import_(text, (), alias, line)


def members(model, scope):
    """What symbols of all kinds say of themselves."""
    modifiers = model.get("modifiers")
    held = modifiers if isinstance(modifiers, (list, str)) else None
    words = re.findall(r"\w+", held if isinstance(held, str) else " ".join(word for word in held or [] if isinstance(word, str)))
    told = str(model.get("visibility")).lower()
    visibility = told if told in WORDS else next((word for word in WORDS[:3] if word in words), held is not None and "package")
    line = next(filter(line_of, (model.get("startLine"), model.get("line"), model.get("lineNumber"))), None)
    return {
        "name": model.get("name"), "line": line, "end_line": model.get("endLine"), "visibility": visibility,
        "static": model.get("isStatic") is True or "static" in words, "qualified": name_of(model.get("qualifiedName")),
    }


def class_(model, scope, found):
    kind = "class"
    if model.get("isEnum") is True:
        kind = "enum"
    elif model.get("isInterface") is True or model.get("isAnnotation") is True:
        kind = "interface"
    inner = found.symbol(scope, kind, **members(model, scope))
    for method in objects(model, "constructors", "methods"):
        around = found.symbol(inner, "method", **members(method, inner), complexity=False)
        complexity = method.get("cyclomaticComplexity")
        if around.symbol and line_of(complexity):
            around.symbol["complexity"] = complexity
        for call in objects(method, "methodCalls"):
            found.call(around, callee(call))
    for nested in objects(model, *CLASSES):
        class_(nested, inner, found)


def callee(call):
    name = name_of(call.get("methodName")) or name_of(call.get("name"))
    around = call.get("object")
    if name and isinstance(around, str) and re.fullmatch(r"[^\W\d][\w$]*(\.[^\W\d][\w$]*)*|\$[\w$.]*", around):
        return Path(around, name)
    return Path() + name
