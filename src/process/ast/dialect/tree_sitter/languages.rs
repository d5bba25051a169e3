//! Which documents are tree-sitter's, and of which language.

use super::super::Clues;
use crate::process::ast::evidence::Evidence;

/// How well a document fits: nodes have a `type`, two points, and children or a text, and their kinds are
/// written small.
pub(super) fn score(evidence: &Evidence) -> f64 {
    let Some(("type", tally)) = evidence.kind_field() else { return 0.0 };
    let count = |names: &[&str]| names.iter().map(|name| evidence.marker(name)).sum::<u64>();
    let mut points = count(&["start_point", "startPosition"]);
    let children = count(&["children", "namedChildren"]);
    if points == 0 && children > 0 {
        // Other trees have these, too, but neither text nor children of their leaves.
        points = evidence.marker("start").min(evidence.marker("end"));
    }
    let nodes = tally.total() as f64;
    let share = |count: u64| (count as f64 / nodes).min(1.0);
    let is_small = |kind: &[u8]| !kind.first().is_some_and(u8::is_ascii_uppercase) || kind.len() < 2;
    let small = tally.kinds().filter(|kind| is_small(kind.name)).map(|kind| kind.count).sum();
    share(points) * share(children + evidence.marker("text")) * share(small)
}

/// The language that the file's name speaks of, else the one that most of its own kinds speak for.
pub(super) fn language(clues: &Clues<'_>) -> &'static str {
    of_extension(clues.path_extension()).unwrap_or_else(|| of_kinds(clues))
}

/// The language of the sources with an extension.
pub(in super::super) fn of_extension(extension: &[u8]) -> Option<&'static str> {
    let is_it =
        |one: &&(&str, &str)| one.1.split(' ').any(|known| known.as_bytes().eq_ignore_ascii_case(extension));
    EXTENSIONS.iter().find(is_it).map(|one| one.0)
}

fn of_kinds(clues: &Clues<'_>) -> &'static str {
    let score =
        |kinds: &str| kinds.split(' ').filter(|kind| clues.has_kind(|one| one == kind.as_bytes())).count();
    let (mut best, mut most, mut is_tie) = ("unknown", 0, false);
    for &(language, base, kinds) in TELLTALES {
        let own = score(kinds);
        let more = TELLTALES.iter().find(|one| one.0 == base).map_or(0, |one| score(one.2));
        // What only has the kinds of the language that it grew from is of that one.
        let found = if own > 0 { own + more } else { 0 };
        if found > most {
            (best, most, is_tie) = (language, found, false);
        } else if found == most {
            is_tie = true;
        }
    }
    if is_tie { "unknown" } else { best }
}

const EXTENSIONS: &[(&str, &str)] = &[
    ("python", "py pyi"),
    ("javascript", "js mjs cjs jsx"),
    ("typescript", "ts tsx mts cts"),
    ("c", "c"),
    ("c++", "cpp cc cxx hpp hh hxx"),
    ("objective-c", "m"),
    ("objective-c++", "mm"),
    ("java", "java"),
    ("kotlin", "kt kts"),
    ("scala", "scala"),
    ("groovy", "groovy"),
    ("c#", "cs"),
    ("rust", "rs"),
    ("go", "go"),
    ("ruby", "rb"),
    ("php", "php"),
    ("bash", "sh bash"),
    ("swift", "swift"),
    ("lua", "lua"),
    ("html", "html htm"),
    ("css", "css"),
    ("json", "json"),
    ("yaml", "yaml yml"),
    ("toml", "toml"),
    ("sql", "sql"),
    ("haskell", "hs"),
    ("elixir", "ex exs"),
    ("ocaml", "ml mli"),
    ("dart", "dart"),
    ("zig", "zig"),
    ("julia", "jl"),
];

/// Kinds that tell a language, which has those of another one as well where one is named.
#[rustfmt::skip]
const TELLTALES: &[(&str, &str, &str)] = &[
    ("python", "", "import_from_statement function_definition class_definition dotted_name module expression_list \
        elif_clause except_clause boolean_operator with_statement"),
    ("javascript", "", "lexical_declaration variable_declarator arrow_function member_expression statement_block \
        formal_parameters program template_string"),
    ("typescript", "javascript", "type_annotation interface_declaration type_alias_declaration predefined_type \
        accessibility_modifier required_parameter"),
    ("go", "", "package_clause func_literal short_var_declaration import_spec selector_expression source_file type_spec \
        method_declaration"),
    ("rust", "", "function_item use_declaration impl_item struct_item enum_item trait_item let_declaration \
        macro_invocation source_file match_arm"),
    ("java", "", "package_declaration method_invocation import_declaration local_variable_declaration class_body \
        field_access formal_parameters program method_declaration"),
    ("c", "", "translation_unit preproc_include function_declarator init_declarator struct_specifier declaration \
        preproc_def pointer_declarator"),
    ("c++", "c", "class_specifier namespace_definition template_declaration access_specifier qualified_identifier \
        reference_declarator using_declaration"),
    ("c#", "", "compilation_unit using_directive invocation_expression member_access_expression namespace_declaration \
        file_scoped_namespace_declaration declaration_list modifier"),
    ("ruby", "", "body_statement singleton_method instance_variable method method_parameters do_block superclass \
        simple_symbol constant program"),
    ("php", "", "php_tag function_call_expression member_call_expression namespace_use_declaration variable_name \
        compound_statement program"),
    ("bash", "", "command command_name variable_assignment simple_expansion word program test_command compound_statement"),
    ("kotlin", "", "source_file import_header simple_identifier navigation_suffix function_body class_parameter \
        when_expression value_arguments"),
    ("swift", "", "source_file simple_identifier navigation_suffix function_body protocol_declaration guard_statement \
        pattern value_arguments value_binding_pattern"),
    ("scala", "", "compilation_unit package_clause object_definition val_definition template_body function_definition \
        case_clause stable_identifier"),
    ("lua", "", "chunk function_call dot_index_expression method_index_expression table_constructor local_function \
        variable_list"),
];

pub(super) const KINDS: &[(&str, u8)] = &[];
