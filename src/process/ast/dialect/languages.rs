//! Languages by the extensions of their source files.

#[rustfmt::skip]
const LANGUAGES: &[(&str, &[&str])] = &[
    ("python", &["py", "pyi"]), ("javascript", &["js", "mjs", "cjs", "jsx"]),
    ("typescript", &["ts", "tsx", "mts", "cts"]), ("c", &["c"]),
    ("c++", &["cpp", "cc", "cxx", "hpp", "hh", "hxx"]), ("objective-c", &["m"]), ("objective-c++", &["mm"]),
    ("java", &["java"]), ("kotlin", &["kt", "kts"]), ("scala", &["scala"]), ("groovy", &["groovy"]), ("c#", &["cs"]),
    ("rust", &["rs"]), ("go", &["go"]), ("ruby", &["rb"]), ("php", &["php"]), ("bash", &["sh", "bash"]),
    ("swift", &["swift"]), ("lua", &["lua"]),
];

/// Returns the language of files with this extension, in any case.
pub(super) fn language_of(extension: &[u8]) -> Option<&'static str> {
    let is_it = |known: &&str| known.as_bytes().eq_ignore_ascii_case(extension);
    LANGUAGES.iter().find(|(_, extensions)| extensions.iter().any(&is_it)).map(|&(name, _)| name)
}
