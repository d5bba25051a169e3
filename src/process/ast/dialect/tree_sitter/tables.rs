//! The roles of each grammar's nodes.

use super::kinds::Action::{self, Call, Change, Closer, Closure, Import, Operation, Variables};
use super::kinds::{Callee, Grammar};
use crate::process::ast::facts::symbol_kind::SymbolKind::{
    self, Class, Enum, Function, Interface, Method, Module, Struct, TypeAlias,
};

/// The kinds of a grammar that have an action.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) symbols: &'static [(SymbolKind, &'static str)],
    pub(super) branches: &'static str,
    pub(super) rest: &'static [(Action, &'static str)],
}

/// Words that are not names although their kinds look so.
pub(super) const WORDS: &str = "import from as use type typeof extern crate pub using package global unsafe given static async
public protected private internal interface enum struct extension for const readonly val let default else default_keyword
new function await case && || ?? ?: and or = ( ) [ , . : :: -> * ! !! bang < >";

/// Comments occur anywhere, and are not parts of their surroundings.
pub(super) const COMMENTS: &str = "comment line_comment block_comment multiline_comment";

/// Nodes that the enclosing ones look for.
pub(super) const LOOKED_FOR: &str = "alias asterisk blank_identifier block body_statement call_suffix class_body
class_expression command_substitution declaration_list dot enumerator_list expansion formal_parameters
function_value_parameters interface_type struct_type match_arm number optional_chain parameter self_parameter simple_expansion
source_file type_arguments type_parameters shorthand_property_identifier_pattern
tuple_type array_type dynamic_type function_type abstract_type unit_type never_type
modifiers modifier visibility_modifier function_modifiers accessibility_modifier class_modifier member_modifier
function_modifier property_modifier inheritance_modifier parameter_modifier ownership_modifier mutation_modifier
static_modifier abstract_modifier readonly_modifier final_modifier var_modifier access_modifier platform_modifier
override_modifier storage_class_specifier
placeholder_type_specifier decltype trailing_return_type abstract_function_declarator template default_switch_label simple_symbol";

/// Names, one by one.
pub(super) const NAMES: &str = "identifier simple_identifier type_identifier field_identifier property_identifier
private_property_identifier constant name word namespace_identifier package_identifier shorthand_property_identifier this
this_expression super super_expression self self_expression crate instance_variable global_variable class_variable
command_name destructor_name operator_name predefined_type primitive_type relative_scope base base_expression";

/// Tokens around what only C's preprocessor reads; the last is the end of a line.
pub(super) const DIRECTIVES: [&str; 3] = ["#if", "#elif", "\n"];

/// Nodes that join names.
pub(super) const JOINING: &str = "attribute member_binding_expression member_expression selector_expression field_expression
field_access member_access_expression nullsafe_member_access_expression navigation_expression navigation_suffix
dot_index_expression method_index_expression scoped_identifier scoped_type_identifier qualified_identifier qualified_name
qualified_type nested_identifier scope_resolution stable_identifier stable_type_identifier dotted_name user_type dependent_name
scoped_property_access_expression nested_namespace_specifier identifier conditional_access_expression variable relative_name
namespace_name alias_qualified_name";

/// Nodes that stand for one of their children.
pub(super) const THROUGH: &str =
    "parenthesized_expression non_null_expression as_expression satisfies_expression pointer_expression cast_expression
type_assertion instantiation_expression generic_function generic_type generic_name template_function template_method template_type
try_expression bracketed_type constructor_invocation dependent_type list_splat namespace_name_as_prefix";

/// Nodes that stand for their operand if they assert that it is there.
pub(super) const ASSERTING: &str = "unary_expression postfix_expression postfix_unary_expression";

/// Operations. Some grammars read them as what is called, or as what has a member, where their last operand is:
/// `!a.b()`.
pub(super) const OPERANDS: &str = "binary_expression prefix_expression range_expression additive_expression
multiplicative_expression comparison_expression equality_expression infix_expression conjunction_expression
disjunction_expression nil_coalescing_expression elvis_expression await_expression";

/// Nodes whose children the enclosing nodes inspect.
pub(super) const STAYING: &str = "string string_literal interpreted_string_literal raw_string_literal encapsed_string
system_lib_string raw_string word identifier command_name variable_name
dotted_name scoped_identifier scoped_type_identifier qualified_name namespace_name qualified_identifier stable_identifier
nested_identifier alias_qualified_name relative_import import_prefix aliased_import wildcard_import import_clause namespace_import
import named_imports import_specifier import_require_clause export_clause export_specifier namespace_export import_alias
namespace_aliasing_clause namespace_use_group namespace_use_clause namespace_use_group_clause use_as_clause use_list
scoped_use_list use_wildcard name_equals namespace_selectors import_selectors arrow_renamed_identifier as_renamed_identifier
renamed_identifier namespace_wildcard arguments argument_list
pattern_list tuple_pattern case_class_pattern typed_pattern capture_pattern infix_pattern identifiers list_pattern list_splat_pattern object_pattern array_pattern rest_pattern expression_list
variable_list assignment_pattern object_assignment_pattern pair_pattern pattern variable_declaration value_binding_pattern
value_binding variable_declarator const_element property_binding_pattern
function_declarator pointer_declarator reference_declarator parenthesized_declarator init_declarator array_declarator
template_declaration template_parameter_list attributed_declarator pointer_type_declarator structured_binding_declarator abstract_pointer_declarator abstract_reference_declarator
sized_type_specifier type_qualifier operator_name operator_cast destructor_name access_specifier
decorator parameter parameter_list parameter_declaration parameters pointer_type reference_type parenthesized_type user_type
scope_resolution nested_namespace_specifier dot_index_expression method_index_expression type computed_property_name
navigation_suffix type_identifier simple_identifier member_binding_expression dot operator setter binding_pattern_kind qualified_type
multi_variable_declaration left_assignment_list rest_assignment destructured_left_assignment call_suffix value_arguments wildcard
variable function_definition";

/// One branch where an operator is among the children.
pub(super) const OPERATIONS: &str = "binary_expression binary infix_expression list";

/// Root nodes, which do not show the language.
pub(super) const ROOTS: &str = "module program source_file translation_unit compilation_unit chunk source document stream stylesheet ERROR";

/// Other content of a source that declares and does nothing, so that it is known to be read.
pub(super) const PLAIN: &[(&str, &str)] = &[
    ("python", "expression_statement pass_statement"),
    ("javascript", "expression_statement empty_statement debugger_statement export_statement"),
    ("go", "package_clause"),
    ("rust", "attribute_item inner_attribute_item macro_definition macro_invocation expression_statement"),
    ("java", "package_declaration module_declaration"),
    (
        "c",
        "preproc_def preproc_function_def preproc_call preproc_if preproc_ifdef expression_statement linkage_specification",
    ),
    (
        "c#",
        "global_statement extern_alias_directive attribute_list global_attribute global_attribute_list
        preproc_region region_directive",
    ),
    ("ruby", "string identifier"),
    ("php", "php_tag text text_interpolation expression_statement echo_statement"),
    ("bash", "command subshell test_command"),
    ("kotlin", "package_header file_annotation"),
    ("swift", "statements directive"),
    ("scala", "package_clause parenthesized_expression"),
    ("lua", "return_statement empty_statement"),
];

/// Functions without a name, in all grammars.
pub(super) const CLOSURES: &str = "lambda function_expression arrow_function generator_function func_literal closure_expression
lambda_expression lambda_literal anonymous_function anonymous_function_creation_expression anonymous_method_expression";

/// JavaScript's functions that are values.
pub(super) const VALUES: &str = "arrow_function function_expression generator_function function";

pub(super) const GRAMMARS: &[(Grammar, Rules)] = &[
    (Grammar::Python, PYTHON),
    (Grammar::JavaScript, JAVASCRIPT),
    (Grammar::Go, GO),
    (Grammar::Rust, RUST),
    (Grammar::Java, JAVA),
    (Grammar::C, C),
    (Grammar::CSharp, C_SHARP),
    (Grammar::Ruby, RUBY),
    (Grammar::Php, PHP),
    (Grammar::Bash, BASH),
    (Grammar::Kotlin, KOTLIN),
    (Grammar::Swift, SWIFT),
    (Grammar::Scala, SCALA),
    (Grammar::Lua, LUA),
];

const PYTHON: Rules = Rules {
    symbols: &[
        (Function, "function_definition"),
        (Class, "class_definition"),
        (TypeAlias, "type_alias_statement"),
    ],
    branches: "if_statement elif_clause conditional_expression for_statement while_statement except_clause
        except_group_clause for_in_clause case_clause boolean_operator",
    rest: &[
        (Call(Callee::First), "call"),
        (Import, "import_statement import_from_statement future_import_statement"),
        (Variables, "assignment"),
        (Change, "decorated_definition"),
    ],
};

const JAVASCRIPT: Rules = Rules {
    symbols: &[
        (Function, "function_declaration generator_function_declaration function_signature"),
        (Class, "class_declaration abstract_class_declaration"),
        (Interface, "interface_declaration"),
        (Enum, "enum_declaration"),
        (TypeAlias, "type_alias_declaration"),
        (Module, "internal_module module"),
        (Method, "abstract_method_signature"),
    ],
    branches: "",
    rest: &[
        (Closer, "method_definition method_signature public_field_definition field_definition variable_declarator"),
        (Call(Callee::First), "call_expression"),
        (Call(Callee::New), "new_expression"),
        (Import, "import_statement export_statement"),
        (Variables, "lexical_declaration variable_declaration"),
        (Action::Branch, "ternary_expression"),
        (Closure, "function"),
        (Change, "if_statement for_statement for_in_statement while_statement do_statement catch_clause switch_case
            else_clause try_statement finally_clause switch_default labeled_statement with_statement class_static_block
            ambient_declaration interface_body object_type class_body object program statement_block"),
    ],
};

const GO: Rules = Rules {
    symbols: &[
        (Function, "function_declaration"),
        (Method, "method_declaration method_elem method_spec"),
        (TypeAlias, "type_alias"),
    ],
    branches: "if_statement for_statement expression_case type_case communication_case",
    rest: &[
        (Closer, "type_spec"),
        (Call(Callee::First), "call_expression type_conversion_expression"),
        (Import, "import_spec"),
        (Variables, "const_spec var_spec"),
    ],
};

const RUST: Rules = Rules {
    symbols: &[
        (Function, "function_item function_signature_item"),
        (Struct, "struct_item union_item"),
        (Enum, "enum_item"),
        (Interface, "trait_item"),
        (TypeAlias, "type_item associated_type"),
        (Module, "mod_item"),
    ],
    branches: "if_expression while_expression for_expression",
    rest: &[
        (Closer, "impl_item"),
        (Operation, "match_block let_chain"),
        (Call(Callee::First), "call_expression"),
        (Import, "use_declaration extern_crate_declaration"),
        (Variables, "const_item static_item"),
    ],
};

const JAVA: Rules = Rules {
    symbols: &[
        (Class, "class_declaration record_declaration"),
        (Interface, "interface_declaration annotation_type_declaration"),
        (Enum, "enum_declaration"),
        (
            Method,
            "method_declaration constructor_declaration compact_constructor_declaration annotation_type_element_declaration",
        ),
    ],
    branches:
        "if_statement ternary_expression for_statement enhanced_for_statement while_statement do_statement
        catch_clause switch_label",
    rest: &[
        (Call(Callee::Parts), "method_invocation explicit_constructor_invocation"),
        (Call(Callee::New), "object_creation_expression"),
        (Import, "import_declaration"),
    ],
};

const C: Rules = Rules {
    symbols: &[
        (Struct, "struct_specifier union_specifier"),
        (Class, "class_specifier"),
        (Enum, "enum_specifier"),
        (TypeAlias, "alias_declaration"),
    ],
    branches: "if_statement for_statement for_range_loop while_statement do_statement case_statement
        conditional_expression catch_clause seh_except_clause",
    rest: &[
        (
            Closer,
            "function_definition declaration field_declaration type_definition namespace_definition
            friend_declaration template_declaration translation_unit",
        ),
        (Change, "field_declaration_list attribute_specifier"),
        (Call(Callee::First), "call_expression compound_literal_expression"),
        (Call(Callee::New), "new_expression"),
        (Import, "preproc_include"),
    ],
};

const C_SHARP: Rules = Rules {
    symbols: &[
        (Class, "class_declaration"),
        (Struct, "struct_declaration record_struct_declaration"),
        (Interface, "interface_declaration"),
        (Enum, "enum_declaration"),
        (Module, "namespace_declaration file_scoped_namespace_declaration"),
        (Method, "method_declaration constructor_declaration destructor_declaration"),
        (Function, "local_function_statement"),
        (TypeAlias, "delegate_declaration"),
    ],
    branches: "if_statement for_statement foreach_statement for_each_statement while_statement do_statement catch_clause
        conditional_expression switch_section case_switch_label case_pattern_switch_label switch_expression_arm",
    rest: &[
        (Closer, "record_declaration"),
        (Call(Callee::First), "invocation_expression"),
        (Call(Callee::New), "object_creation_expression"),
        (Import, "using_directive"),
    ],
};

const RUBY: Rules = Rules {
    symbols: &[(Class, "class"), (Module, "module"), (Function, "method singleton_method")],
    branches: "if unless while until for elsif conditional if_modifier unless_modifier while_modifier until_modifier when
        in_clause rescue rescue_modifier",
    rest: &[
        (Closure, "block do_block"),
        (Call(Callee::Parts), "call"),
        (Variables, "assignment"),
        (Change, "singleton_class"),
    ],
};

const PHP: Rules = Rules {
    symbols: &[
        (Function, "function_definition"),
        (Class, "class_declaration trait_declaration"),
        (Interface, "interface_declaration"),
        (Enum, "enum_declaration"),
        (Method, "method_declaration"),
        (Module, "namespace_definition"),
    ],
    branches: "if_statement else_if_clause for_statement foreach_statement while_statement do_statement case_statement
        catch_clause conditional_expression match_conditional_expression",
    rest: &[
        (Call(Callee::First), "function_call_expression"),
        (Call(Callee::Parts), "member_call_expression nullsafe_member_call_expression scoped_call_expression"),
        (Call(Callee::New), "object_creation_expression"),
        (Import, "namespace_use_declaration require_expression require_once_expression include_expression
            include_once_expression"),
        (Variables, "const_declaration"),
    ],
};

const BASH: Rules = Rules {
    symbols: &[(Function, "function_definition")],
    branches: "if_statement elif_clause for_statement c_style_for_statement while_statement case_item",
    rest: &[
        (Call(Callee::Command), "command"),
        (Variables, "variable_assignment"),
        (Change, "declaration_command"),
    ],
};

const KOTLIN: Rules = Rules {
    symbols: &[
        (Class, "object_declaration"),
        (Function, "function_declaration"),
        (Method, "secondary_constructor"),
        (TypeAlias, "type_alias"),
    ],
    branches: "if_expression for_statement while_statement do_while_statement when_entry catch_block
        conjunction_expression disjunction_expression elvis_expression",
    rest: &[
        (Closer, "class_declaration class_body enum_class_body"),
        (Call(Callee::First), "call_expression"),
        (Import, "import_header import"),
        (Variables, "property_declaration"),
    ],
};

const SWIFT: Rules = Rules {
    symbols: &[
        (Interface, "protocol_declaration"),
        (Function, "function_declaration protocol_function_declaration"),
        (Method, "init_declaration deinit_declaration"),
        (TypeAlias, "typealias_declaration"),
    ],
    branches: "if_statement guard_statement for_statement while_statement repeat_while_statement switch_entry catch_block
        ternary_expression conjunction_expression disjunction_expression nil_coalescing_expression",
    rest: &[
        (Closer, "class_declaration"),
        (Call(Callee::First), "call_expression"),
        (Import, "import_declaration"),
        (Variables, "property_declaration"),
    ],
};

const SCALA: Rules = Rules {
    symbols: &[
        (Class, "class_definition object_definition package_object"),
        (Interface, "trait_definition"),
        (Enum, "enum_definition"),
        (Function, "function_definition function_declaration"),
        (TypeAlias, "type_definition"),
    ],
    branches: "if_expression for_expression while_expression do_while_expression case_clause catch_clause",
    rest: &[
        (Call(Callee::First), "call_expression"),
        (Closer, "template_body with_template_body"),
        (Call(Callee::New), "instance_expression"),
        (Import, "import_declaration"),
        (Variables, "val_definition var_definition"),
    ],
};

const LUA: Rules = Rules {
    symbols: &[(
        Function,
        "function_declaration function_definition_statement local_function_definition_statement",
    )],
    branches:
        "if_statement elseif_statement elseif_clause for_statement for_numeric_statement for_generic_statement
        while_statement repeat_statement",
    rest: &[
        (Closure, "function_definition"),
        (Call(Callee::First), "function_call call"),
        (
            Variables,
            "assignment_statement variable_assignment variable_declaration local_variable_declaration",
        ),
        (Change, "block"),
    ],
};
