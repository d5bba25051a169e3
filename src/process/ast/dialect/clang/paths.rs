//! Extracts names from clang's types.

/// Words of a type that are not part of its name.
const WORDS: [&[u8]; 5] = [b"const", b"volatile", b"struct", b"class", b"union"];

/// Writes the dotted path of a type into `out`, without the contents of angle or square brackets. Writes nothing if
/// the type has no name, as that of a lambda.
pub(super) fn type_path(written: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = written;
    while let Some((&byte, behind)) = rest.split_first() {
        if is_word(byte) {
            let end = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            if !WORDS.contains(&word) {
                out.extend_from_slice(word);
            }
            rest = behind;
            continue;
        }
        match byte {
            b'>' => close(b'<', byte, out),
            b']' => close(b'[', byte, out),
            b':' if behind.first() == Some(&b':') => {
                out.push(b'.');
                rest = behind.get(1..).unwrap_or_default();
                continue;
            }
            _ => out.push(byte),
        }
        rest = behind;
    }
    let trimmed = out.trim_ascii();
    let from = out.len() - out.trim_ascii_start().len();
    let len = trimmed.len();
    out.drain(..from);
    out.truncate(len);
    if out.contains(&b'(') {
        out.clear();
    }
}

/// Types that are not records, found in every source; any other construction is a call of its type.
const PLAIN: [&[u8]; 38] = [
    b"void",
    b"bool",
    b"_Bool",
    b"char",
    b"short",
    b"int",
    b"long",
    b"float",
    b"double",
    b"signed",
    b"unsigned",
    b"wchar_t",
    b"char8_t",
    b"char16_t",
    b"char32_t",
    b"__int128",
    b"auto",
    b"size_t",
    b"ssize_t",
    b"ptrdiff_t",
    b"intptr_t",
    b"uintptr_t",
    b"charptr_t",
    b"nullptr_t",
    b"max_align_t",
    b"int8_t",
    b"int16_t",
    b"int32_t",
    b"int64_t",
    b"uint8_t",
    b"uint16_t",
    b"uint32_t",
    b"uint64_t",
    b"half",
    b"_Float16",
    b"__float128",
    b"__bf16",
    b"decltype",
];

/// Returns whether a type is a number, a truth value or the like, or points to something.
pub(super) fn is_plain(path: &[u8]) -> bool {
    path.contains(&b'*') || path.split(|&byte| byte == b' ').all(|word| PLAIN.contains(&word))
}

/// Words before a type that say nothing about it.
const KINDS_OF_TYPES: [&[u8]; 5] = [b"struct", b"class", b"union", b"enum", b"typename"];

/// Writes the name of a conversion to this function type's return type into `out`: `operator`, and the type's words
/// without scopes and template arguments, with a space only between two words. So it is the same whether or not a
/// scope is written.
pub(super) fn conversion(written: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"operator");
    // Where the preceding word begins, which is a scope if `::` follows.
    let mut rest = written;
    let mut depth = 0_usize;
    let mut scope = out.len();
    while let Some((&byte, behind)) = rest.split_first() {
        let end = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
        let (word, behind) = if end > 0 { rest.split_at(end) } else { (&rest[..0], behind) };
        rest = behind;
        match byte {
            b'<' => depth += 1,
            b'>' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            b':' => out.truncate(scope),
            // The parameters, of which a conversion has none.
            b'(' if behind.first() == Some(&b')') => break,
            _ => {
                scope = out.len();
                if word.is_empty() {
                    out.extend((byte != b' ').then_some(byte));
                    scope = out.len();
                } else if !KINDS_OF_TYPES.contains(&word) {
                    let meets = out.last().is_some_and(|&byte| is_word(byte));
                    out.extend_from_slice(if meets { b" " } else { b"" });
                    out.extend_from_slice(word);
                }
            }
        }
    }
}

/// Drops everything since the bracket that this one closes.
fn close(open: u8, close: u8, out: &mut Vec<u8>) {
    match out.iter().rposition(|&byte| byte == open || byte == close) {
        Some(at) if out.get(at) == Some(&open) => out.truncate(at),
        _ => out.push(close),
    }
}

/// Returns whether a type's value is constant: `const` follows its last `*` or `&`. For pointers to functions or to
/// arrays the declarator in round brackets decides.
pub(super) fn is_constant(written: &[u8]) -> bool {
    let mut is_constant = false;
    let mut depth = 0_usize;
    let mut rest = written;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'<' | b'[' => depth += 1,
            b'>' | b']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            b'*' | b'&' | b'^' => is_constant = false,
            b'(' if is_declarator(behind) => {}
            b'(' | b')' => break,
            _ if is_word(byte) => {
                let end = behind.iter().position(|&byte| !is_word(byte)).unwrap_or(behind.len());
                let (word, behind) = behind.split_at(end);
                is_constant |= byte == b'c' && word == b"onst";
                rest = behind;
            }
            _ => {}
        }
    }
    is_constant
}

/// Returns whether a round bracket opens a declarator, rather than parameters or the place of a lambda.
fn is_declarator(behind: &[u8]) -> bool {
    let inside = behind.split(|byte| matches!(byte, b'(' | b')')).next().unwrap_or_default();
    inside.first().is_some_and(|byte| b"*&^".contains(byte)) || inside.windows(3).any(|three| three == b"::*")
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_by_their_path() {
        let cases = [
            ("Shelf", "Shelf"),
            ("const struct shelf", "shelf"),
            ("std::vector<std::pair<int, char>>::iterator", "std.vector.iterator"),
            ("class ns::Item[3]", "ns.Item"),
            ("constant", "constant"),
            ("(lambda at a.cpp:1:2)", ""),
            ("std::function<void (int) const>", "std.function"),
        ];
        let mut out = Vec::new();
        for (written, expected) in cases {
            type_path(written.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{written}");
        }
    }

    #[test]
    fn conversions_are_named_by_their_type() {
        let cases = [
            ("bool () const", "operator bool"),
            ("const char *() const noexcept", "operator const char*"),
            ("T *() const", "operator T*"),
            ("const ::ns::Item ()", "operator const Item"),
            ("std::string ()", "operator string"),
            ("::ns::Box<std::string, 3>::type &() &&", "operator type&"),
            ("unsigned long ()", "operator unsigned long"),
            ("std::function<void ()> () const", "operator function"),
            ("const std::vector<ns::Item *> &()", "operator const vector&"),
            ("struct shelf *()", "operator shelf*"),
        ];
        let mut out = Vec::new();
        for (written, expected) in cases {
            conversion(written.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{written}");
        }
    }

    #[test]
    fn constants_are_told_by_the_outermost_type() {
        for written in [
            "const int",
            "int *const",
            "const char[4]",
            "char *const[8]",
            "const ns::T",
            "const Box<int *>",
            "int (*const)(int)",
            "const (lambda at a.cpp:1:2)",
            "int (*const (*const)(int))(char)",
            "int (Shelf::*const)(int)",
        ] {
            assert!(is_constant(written.as_bytes()), "{written}");
        }
        for written in [
            "int",
            "const char *",
            "const int &",
            "int[const]",
            "constant",
            "my_const",
            "Box<const int>",
            "int (*)(const int)",
            "const int (*)(int)",
            "const int (Shelf::*)(int)",
            "(lambda at /const/a.cpp:1:2)",
            "Box<int (*const)(int)>",
        ] {
            assert!(!is_constant(written.as_bytes()), "{written}");
        }
    }
}
