//! Which documents are tree-sitter's, and of which language.

use std::sync::LazyLock;

use super::kinds::{Grammar, kinds};
use super::relatives;
use super::tables::ROOTS;
use crate::process::ast::detect::evidence::Evidence;
use crate::process::ast::detect::vocabulary::marker;
use crate::process::ast::dialect::{LanguageHints, language_of};
use crate::process::ast::interner::{ByName, NameDigest};

/// Scores a document: nodes have a `type`, two points, and children or a text; and kinds in lower case, as all but
/// few grammars have them, since other trees also name the points like this.
pub(super) fn score(evidence: &Evidence) -> f64 {
    let Some(("type", tally)) = evidence.kind_field() else { return 0.0 };
    let mut points = evidence.count(const { &[marker("start_point"), marker("startPosition")] });
    let children = evidence.count(const { &[marker("children"), marker("namedChildren")] });
    let is_told = points > 0;
    if !is_told && children > 0 {
        // Other trees have these, too, but neither text nor children of their leaves; those of unist have a
        // `position` that holds them.
        points = evidence.marker(const { marker("start") }).min(evidence.marker(const { marker("end") }));
        points = points.saturating_sub(evidence.marker(const { marker("position") }));
    }
    let nodes = tally.total() as f64;
    let share = |count: u64| (count as f64 / nodes).min(1.0);
    let fits = share(points) * share(children + evidence.marker(const { marker("text") }));
    if fits < 0.5 {
        return 0.0;
    }
    if is_told {
        return fits;
    }
    let is_small = |kind: &[u8]| !kind.first().is_some_and(u8::is_ascii_uppercase) || kind.len() < 2;
    let small = tally.kinds().filter(|kind| is_small(kind.name)).map(|kind| kind.count).sum();
    fits * share(small)
}

/// Returns the language that the file's name indicates, or else the one that most of its own kinds indicate.
pub(super) fn language(hints: &LanguageHints<'_>) -> &'static str {
    language_of(hints.path).unwrap_or_else(|| of_kinds(hints))
}

/// Returns whether a document has content but no kind of node that the tables know for its language: it is of
/// another grammar, or its language has no table.
pub(in crate::process::ast::dialect) fn is_foreign(hints: &LanguageHints<'_>) -> bool {
    let (Some((_, tally)), Some(language)) = (hints.evidence.kind_field(), hints.store.read_as) else {
        return false;
    };
    let grammar = Grammar::of_language(language);
    if tally.kinds().any(|kind| kinds().get(kind.name).is_known(grammar)) {
        return false;
    }
    tally.kinds().any(|kind| {
        let is_name = kinds().get(kind.name).is_worded;
        is_name && !is_root(kind.name) && !is_comment(kind.name)
    })
}

fn is_root(kind: &[u8]) -> bool {
    ROOTS.split_ascii_whitespace().any(|root| root.as_bytes() == kind)
}

/// Returns whether it is a comment, a part of one, or the line that names an interpreter.
fn is_comment(kind: &[u8]) -> bool {
    let has = |word: &[u8]| kind.windows(word.len()).any(|part| part == word);
    has(b"comment") || has(b"shebang") || has(b"hash_bang") || has(b"haddock")
}

/// Returns the kinds that indicate each language.
pub(super) fn telltale_kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    TELLTALES.iter().map(|&(language, _, kinds)| (language, kinds))
}

/// Returns the language with the most kinds of its own: two at least, and more than any other has.
fn of_kinds(hints: &LanguageHints<'_>) -> &'static str {
    let Some((_, tally)) = hints.evidence.kind_field() else { return "unknown" };
    let mut own = [0; TELLTALES.len()];
    let mut ruled_out = 0;
    for kind in tally.kinds() {
        let told = telltales().get(kind.name, NameDigest::of(kind.name)).copied();
        let Telltale { speaks_for, rules_out } = told.unwrap_or_default();
        own.iter_mut().enumerate().for_each(|(place, count)| *count += speaks_for >> place & 1);
        ruled_out |= rules_out;
    }
    let mut best = "unknown";
    let mut most = 1;
    let mut is_tie = false;
    for (&(language, base, _), &count) in TELLTALES.iter().zip(&own) {
        // A document with only the base language's kinds is of that one.
        let more = TELLTALES.iter().zip(&own).find(|(one, _)| one.0 == base).map_or(0, |(_, &more)| more);
        let count = if count > 0 { count + more } else { 0 };
        is_tie = count == most || is_tie && count < most;
        if count > most {
            best = language;
            most = count;
        }
    }
    let is_other =
        TELLTALES.iter().position(|one| one.0 == best).is_some_and(|place| ruled_out >> place & 1 > 0);
    if is_tie || is_other { "unknown" } else { best }
}

/// What a kind shows: a bit for each of the languages that it indicates, and that it rules out.
#[derive(Debug, Clone, Copy, Default)]
struct Telltale {
    speaks_for: u32,
    rules_out: u32,
}

fn telltales() -> &'static ByName<Telltale> {
    static ALL: LazyLock<ByName<Telltale>> = LazyLock::new(|| {
        let mut all = ByName::default();
        for (place, &(_, _, kinds)) in TELLTALES.iter().enumerate() {
            let kinds = kinds.split_ascii_whitespace();
            kinds.for_each(|kind| all.get_or_add(kind, Telltale::default).speaks_for |= 1 << place);
        }
        for (kind, rules_out) in relatives::kinds() {
            let places = TELLTALES.iter().enumerate().filter(|(_, one)| rules_out(one.0));
            let bits = places.fold(0, |bits, (place, _)| bits | 1 << place);
            all.get_or_add(kind, Telltale::default).rules_out |= bits;
        }
        all
    });
    &ALL
}

/// Kinds that indicate a language, which also has those of the base language if one is named.
#[rustfmt::skip]
const TELLTALES: &[(&str, &str, &str)] = &[
    ("python", "", "import_from_statement function_definition class_definition dotted_name module expression_list \
        elif_clause except_clause boolean_operator with_statement \
        import_statement future_import_statement aliased_import string_start string_end"),
    ("javascript", "", "lexical_declaration variable_declarator arrow_function member_expression statement_block \
        formal_parameters program template_string import_statement"),
    ("typescript", "javascript", "type_annotation interface_declaration type_alias_declaration predefined_type \
        accessibility_modifier required_parameter"),
    ("go", "", "package_clause func_literal short_var_declaration import_spec selector_expression source_file type_spec \
        method_declaration import_declaration import_spec_list interpreted_string_literal struct_type type_declaration"),
    ("rust", "", "function_item use_declaration impl_item struct_item enum_item trait_item let_declaration \
        macro_invocation source_file match_arm scoped_identifier \
        doc_comment inner_doc_comment_marker outer_doc_comment_marker attribute_item inner_attribute_item token_tree \
        scoped_use_list use_list use_wildcard mod_item type_item"),
    ("java", "", "package_declaration method_invocation import_declaration local_variable_declaration class_body \
        field_access formal_parameters program method_declaration scoped_identifier"),
    ("c", "", "translation_unit preproc_include function_declarator init_declarator struct_specifier declaration \
        preproc_def pointer_declarator"),
    ("c++", "c", "class_specifier namespace_definition template_declaration access_specifier qualified_identifier \
        reference_declarator using_declaration namespace_identifier template_type template_function destructor_name \
        field_initializer_list base_class_clause for_range_loop lambda_capture_specifier delete_expression \
        placeholder_type_specifier optional_parameter_declaration virtual_specifier default_method_clause \
        delete_method_clause alias_declaration friend_declaration operator_name condition_clause"),
    ("c#", "", "compilation_unit using_directive invocation_expression member_access_expression namespace_declaration \
        file_scoped_namespace_declaration declaration_list modifier"),
    ("ruby", "", "body_statement singleton_method instance_variable method method_parameters do_block superclass \
        simple_symbol constant program"),
    ("php", "", "php_tag function_call_expression member_call_expression namespace_use_declaration variable_name \
        compound_statement program name namespace_name namespace_definition namespace_use_clause base_clause simple_parameter \
        require_once_expression"),
    ("bash", "", "command command_name variable_assignment simple_expansion word program test_command compound_statement \
        variable_name raw_string"),
    ("kotlin", "", "source_file import_header simple_identifier navigation_suffix function_body class_parameter \
        when_expression value_arguments"),
    ("swift", "", "source_file simple_identifier navigation_suffix function_body protocol_declaration guard_statement \
        pattern value_arguments value_binding_pattern"),
    ("scala", "", "compilation_unit package_clause object_definition val_definition template_body function_definition \
        case_clause stable_identifier"),
    ("lua", "", "chunk function_call dot_index_expression method_index_expression table_constructor local_function \
        variable_list"),
    ("html", "", "doctype element start_tag end_tag tag_name self_closing_tag script_element style_element attribute_name \
        quoted_attribute_value"),
    ("css", "", "stylesheet rule_set selectors class_selector id_selector property_name plain_value integer_value \
        color_value media_statement"),
    ("yaml", "", "stream block_node block_mapping block_mapping_pair flow_node plain_scalar string_scalar block_sequence \
        block_sequence_item"),
    ("toml", "", "table bare_key dotted_key quoted_key table_array_element inline_table"),
    ("sql", "", "keyword_select keyword_from keyword_create keyword_where select_expression object_reference relation \
        column_definition column_definitions create_table"),
    ("haskell", "", "haskell signature exp_apply exp_infix data_type data_constructor patterns bind declarations"),
    ("elixir", "", "source stab_clause access_call sigil unary_operator keywords"),
    ("ocaml", "", "value_definition let_binding value_path application_expression module_definition open_module \
        constructor_path module_path"),
    ("dart", "", "import_or_export library_import initialized_variable_definition initialized_identifier \
        unconditional_assignable_selector formal_parameter_list"),
];
