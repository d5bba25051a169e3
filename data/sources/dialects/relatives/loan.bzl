load("//tools:defs.bzl", "rule_a", b = "rule_b")
LIMIT = 3
def _impl(ctx):
    files = [f for f in ctx.files if f.size > LIMIT]
    if not files:
        fail("none")
    elif len(files) > 2 and LIMIT:
        pass
    return struct(files = files)
my_rule = rule(implementation = _impl)
