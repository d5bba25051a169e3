//! Tiny documents that hold a node where its role counts.

use serde_json::{Value, json};

/// Returns a program with a node of a type, and what the node shows by its role.
pub(super) fn shown(kind: &str, role: &str) -> (Value, Value) {
    let found = declared(kind, role).or_else(|| member(kind, role)).or_else(|| place(kind, role));
    let found = found.or_else(|| taken(kind, role)).or_else(|| specifier(kind, role));
    let found = found.or_else(|| used(kind, role)).or_else(|| name(kind, role));
    found.unwrap_or_else(|| match role {
        "-" => (everywhere(kind), json!(["function f", "complexity 1"])),
        other => panic!("{kind}: no role is called {other}"),
    })
}

fn id(name: &str) -> Value {
    json!({"type": "Identifier", "name": name})
}

fn string() -> Value {
    json!({"type": "StringLiteral", "value": "m"})
}

fn program(node: Value) -> Value {
    json!({"type": "Program", "body": [node]})
}

fn class(members: Value) -> Value {
    program(
        json!({"type": "ClassDeclaration", "id": id("C"), "body": {"type": "ClassBody", "body": members}}),
    )
}

fn function(node: Value) -> Value {
    let body = json!({"type": "BlockStatement", "body": [node]});
    program(json!({"type": "FunctionDeclaration", "id": id("f"), "body": body}))
}

fn variables(declarator: Value) -> Value {
    json!({"type": "VariableDeclaration", "declarations": [declarator]})
}

fn declarator() -> Value {
    json!({"type": "VariableDeclarator", "id": id("n")})
}

/// Nodes with a name of their own.
fn declared(kind: &str, role: &str) -> Option<(Value, Value)> {
    let value =
        |init: Value| program(variables(json!({"type": "VariableDeclarator", "id": id("n"), "init": init})));
    let (document, symbol) = match role {
        "function" | "class" | "interface" | "enum" | "type_alias" | "module" => {
            let body = json!({"type": "BlockStatement", "body": []});
            (program(json!({"type": kind, "id": id("n"), "body": body})), format!("{role} n"))
        }
        "variables" if kind == "DeclareVariable" => {
            (program(json!({"type": kind, "id": id("n")})), "variable n".to_owned())
        }
        "variables" => {
            (program(json!({"type": kind, "declarations": [declarator()]})), "variable n".to_owned())
        }
        "declarator" => (program(variables(json!({"type": kind, "id": id("n")}))), "variable n".to_owned()),
        "function value" => (value(json!({"type": kind, "params": []})), "function n".to_owned()),
        "class value" => (value(json!({"type": kind})), "class n".to_owned()),
        "pattern" => {
            let pattern = json!({"type": "ObjectPattern", "properties": [{"type": kind, "key": id("n")}]});
            let declarator = json!({"type": "VariableDeclarator", "id": pattern});
            (program(variables(declarator)), "variable n".to_owned())
        }
        _ => return None,
    };
    Some((document, json!([symbol])))
}

/// Members of classes.
fn member(kind: &str, role: &str) -> Option<(Value, Value)> {
    let one = match role {
        "method" => class(json!([{"type": kind, "key": id("n")}])),
        "field" | "static field" => {
            let arrow = json!({"type": "ArrowFunctionExpression", "params": []});
            class(
                json!([{"type": kind, "key": id("n"), "value": arrow}, {"type": kind, "key": id("o"), "value": string()}]),
            )
        }
        "decorator" => {
            let line = |line: u32| json!({"start": {"line": line}, "end": {"line": 9}});
            let member = json!({"type": "MethodDefinition", "key": id("n"), "loc": line(5),
                "decorators": [{"type": kind, "loc": line(4)}]});
            return Some((class(json!([member])), json!(["class C", "method C.n from 4"])));
        }
        "type member" | "type body" => {
            let member = if role == "type member" { kind } else { "ObjectTypeProperty" };
            let member = json!({"type": member, "key": id("n"), "method": true});
            let of = |body: &str| json!({"type": body, "properties": [member]});
            let body = if role == "type member" { "ObjectTypeAnnotation" } else { kind };
            let declared = json!({"type": "DeclareClass", "id": id("C"), "body": of("ObjectTypeAnnotation")});
            let alias = json!({"type": "TypeAlias", "id": id("T"), "right": of(body)});
            let expected = json!(["class C", "method C.n", "type_alias T"]);
            return Some((json!({"type": "Program", "body": [declared, alias]}), expected));
        }
        _ => return None,
    };
    let method = if role == "static field" { "static method C.n" } else { "method C.n" };
    Some((one, json!(["class C", method])))
}

/// Nodes that decide whether variables in them are symbols.
fn place(kind: &str, role: &str) -> Option<(Value, Value)> {
    let declaration = variables(declarator());
    match role {
        "top" => {
            let program = json!({"type": kind, "body": [declaration]});
            Some((json!({"type": "File", "program": program}), json!(["variable n"])))
        }
        "wrapper" => {
            Some((program(json!({"type": kind, "declaration": declaration})), json!(["variable n"])))
        }
        "block" => {
            let block = json!({"type": kind, "body": [declaration]});
            let module = json!({"type": "DeclareModule", "id": id("M"), "body": block});
            let program = json!({"type": "Program", "body": [module, block]});
            Some((program, json!(["module M", "variable M.n"])))
        }
        _ => None,
    }
}

/// Nodes that import.
fn taken(kind: &str, role: &str) -> Option<(Value, Value)> {
    let (node, import) = match role {
        "import" => (json!({"type": kind, "source": string()}), "import m"),
        "import equals" => {
            let reference = json!({"type": "TSExternalModuleReference", "expression": string()});
            (json!({"type": kind, "id": id("n"), "moduleReference": reference}), "import m as n")
        }
        "import word" => {
            let callee = json!({"type": kind});
            (json!({"type": "CallExpression", "callee": callee, "arguments": [string()]}), "import m")
        }
        "export" => {
            let import = if kind.contains("All") { "import m: *" } else { "import m" };
            (json!({"type": kind, "source": string(), "specifiers": []}), import)
        }
        "string" if kind.ends_with("Literal") => {
            let source = json!({"type": kind, "value": "m"});
            (json!({"type": "ImportDeclaration", "source": source}), "import m")
        }
        "string" if kind.ends_with("LiteralType") => {
            let literal = json!({"type": kind, "literal": string()});
            (json!({"type": "TSImportType", "argument": literal}), "import m")
        }
        "string" => {
            let reference = json!({"type": kind, "expression": string()});
            let import =
                json!({"type": "TSImportEqualsDeclaration", "id": id("n"), "moduleReference": reference});
            (import, "import m as n")
        }
        _ => return None,
    };
    Some((program(node), json!([import])))
}

fn specifier(kind: &str, role: &str) -> Option<(Value, Value)> {
    if role != "specifier" {
        return None;
    }
    let name = match kind {
        _ if kind.contains("Default") => "default",
        _ if kind.contains("Namespace") => "*",
        _ => "n",
    };
    let (specifier, around) = match kind {
        "ExportSpecifier" => {
            (json!({"type": kind, "local": id("n"), "exported": id("o")}), "ExportNamedDeclaration")
        }
        _ if kind.starts_with("Export") => {
            (json!({"type": kind, "exported": id("o")}), "ExportNamedDeclaration")
        }
        _ => (json!({"type": kind, "local": id("o"), "imported": id("n")}), "ImportDeclaration"),
    };
    let statement = json!({"type": around, "source": string(), "specifiers": [specifier]});
    Some((program(statement), json!([format!("import m: {name} as o")])))
}

/// Calls and branches.
fn used(kind: &str, role: &str) -> Option<(Value, Value)> {
    let called = |callee: Value| program(json!({"type": "CallExpression", "callee": callee}));
    let complexity = |branches: u32| json!(["function f", format!("complexity {}", branches + 1)]);
    Some(match role {
        "call" => (program(json!({"type": kind, "callee": id("n")})), json!(["call n"])),
        "branch" => {
            let node = json!({"type": kind, "test": id("a"), "operator": "&&", "pattern": id("a")});
            (function(node), complexity(1))
        }
        "wildcard" => {
            (function(json!({"type": "MatchStatementCase", "pattern": {"type": kind}})), complexity(0))
        }
        "through" => {
            let through = json!({"type": kind, "expression": id("a")});
            let callee = json!({"type": "MemberExpression", "object": through, "property": id("b")});
            (called(callee), json!(["call a.b"]))
        }
        "path" => {
            let path = match kind {
                "ThisExpression" => "this",
                "Super" => "super",
                _ => "a.b",
            };
            let node = json!({"type": kind, "object": id("a"), "property": id("b")});
            (called(node), json!([format!("call {path}")]))
        }
        _ => return None,
    })
}

/// Nodes that give their name to the enclosing node.
fn name(kind: &str, role: &str) -> Option<(Value, Value)> {
    Some(match role {
        "name" => {
            let name = json!({"type": kind, "name": "n"});
            (program(json!({"type": "ClassDeclaration", "id": name})), json!(["class n"]))
        }
        "private name" => {
            let key = json!({"type": kind, "name": "n"});
            (class(json!([{"type": "MethodDefinition", "key": key}])), json!(["class C", "method C.#n"]))
        }
        "qualified name" => {
            let name = json!({"type": kind, "left": id("a"), "right": id("b")});
            (program(json!({"type": "TSModuleDeclaration", "id": name})), json!(["module a.b"]))
        }
        _ => return None,
    })
}

/// Puts a node in the places, and with the members, that give a role to others.
fn everywhere(kind: &str) -> Value {
    let node = json!({"type": kind, "id": id("n"), "key": id("n"), "name": "n", "callee": id("c"), "value": string(),
        "method": true, "operator": "&&", "test": id("a"), "body": [], "source": string()});
    let body = json!({"type": "BlockStatement", "body": [node,
        {"type": "ExpressionStatement", "expression": node},
        {"type": "ClassDeclaration", "body": {"type": "ClassBody", "body": [node]}}]});
    let function = json!({"type": "FunctionDeclaration", "id": id("f"), "body": body});
    json!({"type": "Program", "body": [function, node]})
}
