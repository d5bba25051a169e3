def walk(document, path, found):
    return "unknown"
