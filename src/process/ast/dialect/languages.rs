//! Languages by the extensions of their source files.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Each language with the extensions of its source files. Where two have the same one, the first counts.
const LANGUAGES: &[(&str, &str)] = &[
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
    ("vyper", "vy vyi"),
    // Languages without rules whose trees resemble those of a language with rules.
    (
        "unknown",
        "cu cuh cl glsl vert frag geom comp tesc tese hlsl hlsli fx metal wgsl ispc isph \
        bzl bazel star sky bb bbappend bbclass pyx pxd pxi mojo hy gd nim nims coco xsh sage svelte vue astro marko riot qml as hx \
        coffee ls elm purs res resi sol cairo move fc tact apex cls d di odin v c3 ha pony gleam cr rbs luau fnl moon nut \
        tl fish ps1 psm1 nu elv awk tcl hack hhi vala vapi scss sass less styl proto thrift pde",
    ),
];

/// The length of the longest known extension, in bytes.
const EXTENSION_LEN_MAX: usize = 16;

/// Returns the language of source files with an extension, in any case; `unknown` where its trees resemble those of
/// another language.
pub(crate) fn language_of_extension(extension: &[u8]) -> Option<&'static str> {
    static ALL: LazyLock<BTreeMap<&[u8], &str>> = LazyLock::new(|| {
        let known = LANGUAGES.iter().rev();
        known.flat_map(|&(language, all)| all.split(' ').map(move |one| (one.as_bytes(), language))).collect()
    });
    if extension.is_empty() || extension.len() > EXTENSION_LEN_MAX {
        return None;
    }
    ALL.get(extension).or_else(|| ALL.get(&extension.to_ascii_lowercase()[..])).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::ast::dialect::class_model::WITHOUT_MODELS;
    use crate::process::ast::{AstProcessor, AstResult};
    use crate::process::{FileContent, Processor, ResultWriter};

    fn language_in(path: &str, doc: &str) -> String {
        let mut result = ResultWriter::default();
        let content = FileContent { path: path.as_bytes(), bytes: doc.as_bytes() };
        AstProcessor::new().process(&content, &mut result).unwrap();
        serde_json::from_slice::<AstResult<'_>>(result.as_bytes()).unwrap().language.into_owned()
    }

    #[test]
    fn every_extension_tells_the_language_of_a_syntax_tree_and_of_a_class_model() {
        let tree = r#"{"type":"x","start_point":[0,0],"end_point":[0,1],"text":"x","children":[]}"#;
        for (language, extension) in
            LANGUAGES.iter().flat_map(|(name, all)| all.split(' ').map(move |one| (name, one)))
        {
            for extension in [extension.to_owned(), extension.to_ascii_uppercase()] {
                let dump = format!("a.{extension}.ast.json");
                assert_eq!(language_in(&dump, tree), *language, "{dump}");
                let of_model = if WITHOUT_MODELS.contains(language) { "unknown" } else { language };
                assert_eq!(language_in(&dump, r#"{"filePath":"b","classes":[]}"#), of_model, "{dump}");
                let named = format!(r#"{{"filePath":"/srv/b.{extension}","classes":[]}}"#);
                assert_eq!(language_in("a.ast.json", &named), of_model, "{named}");
            }
        }
    }
}
