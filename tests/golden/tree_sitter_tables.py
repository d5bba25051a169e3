"""What the nodes of each grammar are. README.md says how names are found."""

# Node type -> kind of symbol. "*" asks for a closer look, which README.md tells.
SYMBOLS = {
    "python": {"function_definition": "function", "class_definition": "class", "type_alias_statement": "type_alias"},
    "javascript": {
        "function_declaration": "function", "generator_function_declaration": "function", "function_signature": "function",
        "class_declaration": "class", "abstract_class_declaration": "class", "interface_declaration": "interface",
        "enum_declaration": "enum", "type_alias_declaration": "type_alias", "internal_module": "module", "module": "module",
        "method_definition": "*", "ambient_declaration": "*", "abstract_method_signature": "method", "method_signature": "*",
        "public_field_definition": "*", "field_definition": "*", "variable_declarator": "*"},
    "go": {"function_declaration": "function", "method_declaration": "method", "method_elem": "method", "method_spec": "method",
           "type_spec": "*", "type_alias": "type_alias"},
    "rust": {"function_item": "function", "function_signature_item": "function", "struct_item": "struct", "union_item": "struct",
             "enum_item": "enum", "trait_item": "interface", "type_item": "type_alias", "associated_type": "type_alias", "mod_item": "module"},
    "java": {"class_declaration": "class", "record_declaration": "class", "interface_declaration": "interface",
             "annotation_type_declaration": "interface", "enum_declaration": "enum", "method_declaration": "method",
             "constructor_declaration": "method", "compact_constructor_declaration": "method",
             "annotation_type_element_declaration": "method"},
    "c": {"function_definition": "*", "declaration": "*", "field_declaration": "*", "struct_specifier": "struct",
          "union_specifier": "struct", "class_specifier": "class", "enum_specifier": "enum", "type_definition": "*",
          "alias_declaration": "type_alias", "namespace_definition": "*"},
    "c#": {"class_declaration": "class", "record_declaration": "*", "struct_declaration": "struct", "record_struct_declaration": "struct",
           "interface_declaration": "interface", "enum_declaration": "enum", "namespace_declaration": "module",
           "file_scoped_namespace_declaration": "module", "method_declaration": "method", "constructor_declaration": "method",
           "destructor_declaration": "method", "local_function_statement": "function", "delegate_declaration": "type_alias"},
    "ruby": {"class": "class", "module": "module", "method": "function", "singleton_method": "function"},
    "php": {"function_definition": "function", "class_declaration": "class", "trait_declaration": "class",
            "interface_declaration": "interface", "enum_declaration": "enum", "method_declaration": "method",
            "namespace_definition": "module"},
    "bash": {"function_definition": "function"},
    "kotlin": {"class_declaration": "*", "object_declaration": "class", "function_declaration": "function",
               "secondary_constructor": "method", "type_alias": "type_alias"},
    "swift": {"class_declaration": "*", "protocol_declaration": "interface", "function_declaration": "function",
              "protocol_function_declaration": "function", "init_declaration": "method", "deinit_declaration": "method",
              "typealias_declaration": "type_alias"},
    "scala": {"class_definition": "class", "object_definition": "class", "package_object": "class", "trait_definition": "interface",
              "enum_definition": "enum", "function_definition": "function", "function_declaration": "function",
              "type_definition": "type_alias"},
    "lua": {"function_declaration": "function", "function_definition_statement": "function",
            "local_function_definition_statement": "function"},
}
# Bodies of types, also of those without a name: what is a function directly in them is a method.
TYPE_BODIES = {"kotlin": {"class_body", "enum_class_body"}, "scala": {"template_body", "with_template_body"}}
# Functions without a name: only for "inside a function".
CLOSURES = {"lambda", "function_expression", "arrow_function", "generator_function", "func_literal", "closure_expression",
            "lambda_expression", "lambda_literal", "anonymous_function", "anonymous_function_creation_expression",
            "anonymous_method_expression", "block", "do_block", "function_definition"}
# By language, those of CLOSURES that count there ("block" is Ruby's, "function_definition" Lua's).
CLOSURES_ONLY = {"block": "ruby", "do_block": "ruby", "function_definition": "lua"}

BRANCHES = {
    "python": "if_statement elif_clause conditional_expression for_statement while_statement except_clause except_group_clause "
              "for_in_clause case_clause boolean_operator",
    "javascript": "if_statement ternary_expression for_statement for_in_statement while_statement do_statement catch_clause switch_case",
    "go": "if_statement for_statement expression_case type_case communication_case",
    "rust": "if_expression while_expression for_expression",
    "java": "if_statement ternary_expression for_statement enhanced_for_statement while_statement do_statement catch_clause switch_label",
    "c": "if_statement for_statement for_range_loop while_statement do_statement case_statement conditional_expression catch_clause "
         "seh_except_clause",
    "c#": "if_statement for_statement foreach_statement for_each_statement while_statement do_statement catch_clause "
          "conditional_expression switch_section case_switch_label case_pattern_switch_label switch_expression_arm",
    "ruby": "if unless while until for elsif conditional if_modifier unless_modifier while_modifier until_modifier when in_clause "
            "rescue rescue_modifier",
    "php": "if_statement else_if_clause for_statement foreach_statement while_statement do_statement case_statement catch_clause "
           "conditional_expression match_conditional_expression",
    "bash": "if_statement elif_clause for_statement c_style_for_statement while_statement case_item",
    "kotlin": "if_expression for_statement while_statement do_while_statement when_entry catch_block conjunction_expression "
              "disjunction_expression elvis_expression",
    "swift": "if_statement guard_statement for_statement while_statement repeat_while_statement switch_entry catch_block "
             "ternary_expression conjunction_expression disjunction_expression nil_coalescing_expression",
    "scala": "if_expression for_expression while_expression do_while_expression case_clause catch_clause",
    "lua": "if_statement elseif_statement elseif_clause for_statement for_numeric_statement for_generic_statement while_statement "
           "repeat_statement",
}
# Of these a node with one of the leaves is no branch: `default:`, `else ->`.
DEFAULTS = {"switch_label": "default", "case_statement": "default", "switch_section": "default", "when_entry": "else",
            "switch_entry": "default_keyword"}
# One branch where a child is one of the operators.
OPERATIONS = {"binary_expression", "binary", "infix_expression", "list"}
OPERATORS = {"&&", "||", "??", "?:", "and", "or"}

# Node type -> where the callee is: "first" child; "parts": the children before the arguments; "new": the first child that is a type.
CALLS = {
    "python": {"call": "first"},
    "javascript": {"call_expression": "first", "new_expression": "new"},
    "go": {"call_expression": "first", "type_conversion_expression": "first"},
    "rust": {"call_expression": "first"},
    "java": {"method_invocation": "parts", "object_creation_expression": "new", "explicit_constructor_invocation": "parts"},
    "c": {"call_expression": "first", "compound_literal_expression": "first", "new_expression": "new"},
    "c#": {"invocation_expression": "first", "object_creation_expression": "new"},
    "ruby": {"call": "parts"},
    "php": {"function_call_expression": "first", "member_call_expression": "parts", "nullsafe_member_call_expression": "parts",
            "scoped_call_expression": "parts", "object_creation_expression": "new"},
    "bash": {"command": "command"},
    "kotlin": {"call_expression": "first"},
    "swift": {"call_expression": "first"},
    "scala": {"call_expression": "first", "instance_expression": "new"},
    "lua": {"function_call": "first", "call": "first"},
}
ARGUMENTS = {"arguments", "argument_list", "block", "do_block", "call_suffix", "type_arguments"}
# Parts of a path: leaves that are names, and nodes that join two of them.
NAMES = set("""identifier simple_identifier type_identifier field_identifier property_identifier private_property_identifier constant
name word namespace_identifier package_identifier shorthand_property_identifier this this_expression super super_expression self
self_expression crate instance_variable global_variable class_variable command_name variable_name destructor_name operator_name
predefined_type primitive_type relative_scope base base_expression""".split())
JOINS = set("""attribute member_binding_expression member_expression selector_expression field_expression field_access member_access_expression
nullsafe_member_access_expression navigation_expression navigation_suffix dot_index_expression method_index_expression
scoped_identifier scoped_type_identifier qualified_identifier qualified_name qualified_type nested_identifier scope_resolution
stable_identifier stable_type_identifier dotted_name user_type dependent_name scoped_property_access_expression nested_namespace_specifier identifier
conditional_access_expression variable relative_name namespace_name alias_qualified_name""".split())
# These stand for one of their children: the first that isn't a token.
THROUGH = set("""type_assertion instantiation_expression parenthesized_expression non_null_expression as_expression satisfies_expression generic_function generic_type
generic_name template_function template_method template_type try_expression constructor_invocation
dependent_type list_splat namespace_name_as_prefix pointer_expression cast_expression""".split())
# These do where the last child is one of the signs.
ASSERTING = {"unary_expression", "postfix_expression", "postfix_unary_expression"}
SIGNS = {"!", "!!", "bang"}
# Some grammars read an operation as what is called, or as what has a member: its last operand is.
OPERANDS = set("""binary_expression prefix_expression range_expression additive_expression multiplicative_expression
comparison_expression equality_expression infix_expression conjunction_expression disjunction_expression nil_coalescing_expression
elvis_expression await_expression""".split())
COMMENTS = {"comment", "line_comment", "block_comment", "multiline_comment"}

# Kinds that tell a language where the file name doesn't.
TELLTALES = {
    "python": "import_from_statement function_definition class_definition dotted_name module expression_list elif_clause except_clause boolean_operator with_statement",
    "javascript": "lexical_declaration variable_declarator arrow_function member_expression statement_block formal_parameters program template_string",
    "typescript": "lexical_declaration variable_declarator arrow_function member_expression statement_block formal_parameters program template_string "
                  "type_annotation interface_declaration type_alias_declaration predefined_type accessibility_modifier required_parameter",
    "go": "package_clause func_literal short_var_declaration import_spec selector_expression source_file type_spec method_declaration",
    "rust": "function_item use_declaration impl_item struct_item enum_item trait_item let_declaration macro_invocation source_file match_arm",
    "java": "package_declaration method_invocation import_declaration local_variable_declaration class_body field_access formal_parameters program method_declaration",
    "c": "translation_unit preproc_include function_declarator init_declarator struct_specifier declaration preproc_def pointer_declarator",
    "c++": "translation_unit preproc_include function_declarator init_declarator struct_specifier declaration preproc_def pointer_declarator "
           "class_specifier namespace_definition template_declaration access_specifier qualified_identifier reference_declarator using_declaration",
    "c#": "compilation_unit using_directive invocation_expression member_access_expression namespace_declaration file_scoped_namespace_declaration declaration_list modifier",
    "ruby": "body_statement singleton_method instance_variable method method_parameters do_block superclass simple_symbol constant program",
    "php": "php_tag function_call_expression member_call_expression namespace_use_declaration variable_name compound_statement program",
    "bash": "command command_name variable_assignment simple_expansion word program test_command compound_statement",
    "kotlin": "source_file import_header simple_identifier navigation_suffix function_body class_parameter when_expression value_arguments",
    "swift": "source_file simple_identifier navigation_suffix function_body protocol_declaration guard_statement pattern value_arguments value_binding_pattern",
    "scala": "compilation_unit package_clause object_definition val_definition template_body function_definition case_clause stable_identifier",
    "lua": "chunk function_call dot_index_expression method_index_expression table_constructor local_function variable_list",
}

# Kinds that a relative of a language has, and it has not.
RELATIVES = {
    "c": "kernel_call_syntax launch_bounds layout_specification layout_qualifiers extension_storage_class "
         "cbuffer_specifier hlsl_attribute discard_statement semantics foreach_statement soa_qualifier "
         "unmasked_statement foreach_instance_statement launch_expression sync_expression message_expression "
         "class_interface class_implementation implementation_definition protocol_declaration method_identifier "
         "at_expression block_pointer_declarator",
    "c++": "kernel_call_syntax launch_bounds layout_specification layout_qualifiers extension_storage_class "
         "cbuffer_specifier hlsl_attribute discard_statement semantics foreach_statement soa_qualifier "
         "unmasked_statement foreach_instance_statement launch_expression sync_expression message_expression "
         "class_interface class_implementation implementation_definition protocol_declaration method_identifier "
         "at_expression block_pointer_declarator",
    "javascript": "ui_import ui_object_definition ui_binding ui_property ui_object_initializer ui_signal ui_pragma class_attribut "
         "property_attribut interface_attribut descendant_expression for_each_in_statement",
    "typescript": "ui_import ui_object_definition ui_binding ui_property ui_object_initializer ui_signal ui_pragma class_attribut "
         "property_attribut interface_attribut descendant_expression for_each_in_statement",
    "python": "assert_keyword assert_builtin export_variable_statement extends_statement inherit_directive "
         "python_function_definition package_statement type_trace_expression runtime_type_check_expression",
    "lua": "builtin_type object_field_type literal_type empty_type generic_type_list intersection_type update_statement",
    "rust": "value_identifier value_identifier_path",
    "bash": "conditional_execution double_quote_string single_quote_string variable_expansion home_dir_expansion "
         "begin_statement command_elements command_invokation_operator generic_token script_block pipeline_chain",
    "go": "function_return_type_declaration global_variable_declaration type_constructor_or_function_call_expression "
         "variable_qualifier proc_declaration type_section discard_statement procedure_declaration function_attribute "
         "imports",
}
# What a whole tree is a node of; a language that isn't named with a kind has none of it.
ROOTS = {
    "program": "javascript typescript java ruby php bash lua dart sql",
    "source_file": "go rust kotlin swift dart sql",
    "translation_unit": "c c++",
    "compilation_unit": "c# scala ocaml",
    "chunk": "lua",
    "document": "html toml yaml",
    "source": "elixir",
    "parser_output": "",
    "recipe": "",
    "script": "",
}
