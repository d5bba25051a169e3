//! Names out of clang's types.

/// Words of a type that are no part of its name.
const WORDS: [&[u8]; 5] = [b"const", b"volatile", b"struct", b"class", b"union"];

/// Writes the dotted path of a type into `out`: without what stands in angle or square brackets. Nothing, where
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
    let (from, len) = (out.len() - out.trim_ascii_start().len(), trimmed.len());
    out.drain(..from);
    out.truncate(len);
    if out.contains(&b'(') {
        out.clear();
    }
}

/// Words in front of a type that say nothing about it.
const KINDS_OF_TYPES: [&[u8]; 5] = [b"struct", b"class", b"union", b"enum", b"typename"];

/// Writes the name of a conversion to the type that a function of this type returns into `out`: `operator`, and
/// the type's words without the scopes that they are in, with a space only where two words meet. So it is the same
/// whether or not a scope is written.
pub(super) fn conversion(written: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"operator");
    let mut rest = written;
    while let Some((&byte, behind)) = rest.split_first() {
        if is_word(byte) {
            let end = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            if !KINDS_OF_TYPES.contains(&word) {
                let meets = out.last().is_some_and(|&byte| is_word(byte));
                out.extend_from_slice(if meets { b" " } else { b"" });
                out.extend_from_slice(word);
            }
            rest = behind;
            continue;
        }
        match byte {
            b' ' => {}
            b':' if behind.first() == Some(&b':') => {
                let before = written.len() - rest.len();
                let ends = before.checked_sub(1).and_then(|place| written.get(place));
                if ends.is_some_and(|&byte| is_word(byte) || byte == b'>') {
                    drop_scope(out);
                }
            }
            b':' => {}
            // The parameters, of which a conversion has none.
            b'(' if behind.first() == Some(&b')') && !is_open(out) => break,
            _ => out.push(byte),
        }
        rest = behind;
    }
}

/// Drops the scope that a type's words end in: a name, with the arguments of a template.
fn drop_scope(out: &mut Vec<u8>) {
    if out.last() == Some(&b'>') {
        let mut depth = 0_usize;
        while let Some(byte) = out.pop() {
            match byte {
                b'>' => depth += 1,
                b'<' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    while out.pop_if(|byte| is_word(*byte)).is_some() {}
    out.pop_if(|byte| *byte == b' ');
}

/// Whether a bracket is still open.
fn is_open(written: &[u8]) -> bool {
    let count = |of: &[u8]| written.iter().filter(|&byte| of.contains(byte)).count();
    count(b"<([{") > count(b">)]}")
}

/// Drops what stands since the bracket that this one closes.
fn close(open: u8, close: u8, out: &mut Vec<u8>) {
    match out.iter().rposition(|&byte| byte == open || byte == close) {
        Some(at) if out.get(at) == Some(&open) => out.truncate(at),
        _ => out.push(close),
    }
}

/// Whether a type's value is constant: `const` stands behind its last `*` or `&`.
pub(super) fn is_constant(written: &[u8]) -> bool {
    let mut word_end = None;
    let mut brackets = 0_usize;
    // From the end: what stands in square brackets is no part of it.
    for at in (0..written.len()).rev() {
        let byte = written.get(at).copied().unwrap_or_default();
        if is_word(byte) && brackets == 0 {
            let end = *word_end.get_or_insert(at + 1);
            let begins = at == 0 || !written.get(at - 1).is_some_and(|&byte| is_word(byte));
            if begins && written.get(at..end) == Some(b"const") {
                return true;
            }
            continue;
        }
        word_end = None;
        match byte {
            b']' => brackets += 1,
            b'[' => brackets = brackets.saturating_sub(1),
            b'*' | b'&' if brackets == 0 => return false,
            _ => {}
        }
    }
    false
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
            ("std::function<void ()> () const", "operator function<void()>"),
            ("const std::vector<ns::Item *> &()", "operator const vector<Item*>&"),
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
        for written in ["const int", "int *const", "const char[4]", "char *const[8]", "const ns::T"] {
            assert!(is_constant(written.as_bytes()), "{written}");
        }
        for written in ["int", "const char *", "const int &", "int[const]", "constant", "my_const"] {
            assert!(!is_constant(written.as_bytes()), "{written}");
        }
    }
}
