//! Languages without rules whose trees resemble those of a language with rules, and must not be reported as that
//! one.
//!
//! If a grammar has no node of its own, as Starlark's beside Python's, only the file's name decides.

/// Nodes that the grammars of such languages have, and the one that they grew from does not.
const OWN_KINDS: &[(&[&str], &str)] = &[
    (
        &["c", "c++"],
        "kernel_call_syntax launch_bounds layout_specification layout_qualifiers extension_storage_class cbuffer_specifier \
         hlsl_attribute discard_statement semantics foreach_statement soa_qualifier unmasked_statement foreach_instance_statement launch_expression \
         sync_expression message_expression class_interface class_implementation implementation_definition \
         protocol_declaration method_identifier at_expression block_pointer_declarator",
    ),
    (
        &["javascript", "typescript"],
        "ui_import ui_object_definition ui_binding ui_property ui_object_initializer ui_signal ui_pragma class_attribut \
         property_attribut interface_attribut descendant_expression for_each_in_statement",
    ),
    (
        &["python"],
        "assert_keyword assert_builtin export_variable_statement extends_statement inherit_directive \
         python_function_definition package_statement type_trace_expression runtime_type_check_expression",
    ),
    (
        &["lua"],
        "builtin_type object_field_type literal_type empty_type generic_type_list intersection_type update_statement",
    ),
    (
        &["bash"],
        "conditional_execution double_quote_string single_quote_string variable_expansion home_dir_expansion begin_statement \
         command_elements command_invokation_operator generic_token script_block pipeline_chain",
    ),
    (
        &["html"],
        "each_statement await_statement key_statement snippet_statement expr_attribute_value component directive_attribute \
         template_element frontmatter html_interpolation attribute_interpolation",
    ),
    (&["css"], "mixin_statement include_statement each_statement extend_statement placeholder use_statement"),
    (&["haskell"], "purescript"),
    (&["rust"], "value_identifier value_identifier_path"),
    (
        &["go"],
        "function_return_type_declaration global_variable_declaration type_constructor_or_function_call_expression \
         variable_qualifier proc_declaration type_section discard_statement procedure_declaration function_attribute imports",
    ),
];

/// Root nodes that only these languages have.
const ROOTS: &[(&str, &[&str])] = &[
    ("program", &["javascript", "typescript", "java", "ruby", "php", "bash", "lua", "dart", "sql"]),
    ("source_file", &["go", "rust", "kotlin", "swift", "dart", "sql"]),
    ("translation_unit", &["c", "c++"]),
    ("compilation_unit", &["c#", "scala", "ocaml"]),
    ("chunk", &["lua"]),
    ("document", &["html", "toml", "yaml"]),
    ("source", &["elixir"]),
    ("parser_output", &[]),
    ("recipe", &[]),
    ("script", &[]),
];

/// Returns every kind that rules languages out, each with a predicate for which.
pub(super) fn kinds() -> impl Iterator<Item = (&'static str, impl Fn(&str) -> bool)> {
    let own = OWN_KINDS
        .iter()
        .flat_map(|&(bases, kinds)| kinds.split_ascii_whitespace().map(move |kind| (kind, bases, true)));
    let roots = ROOTS.iter().map(|&(root, languages)| (root, languages, false));
    own.chain(roots)
        .map(|(kind, named, rules_out)| (kind, move |language: &str| named.contains(&language) == rules_out))
}
