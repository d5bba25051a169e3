//! A tree of small files for the benchmark: Python-like syntax trees of 2 to 8 KiB, 8 to a folder.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const SUFFIXES: [&str; 3] = [".ast.json", ".syntax.json", "_ast.json"];
const KINDS: [&str; 12] = [
    "Name",
    "Load",
    "Call",
    "Attribute",
    "Constant",
    "Assign",
    "Expr",
    "Return",
    "If",
    "Compare",
    "BinOp",
    "Store",
];

/// Makes `files` files under `root`.
pub(crate) fn make(root: &Path, files: usize) -> io::Result<PathBuf> {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut text = String::new();
    for number in 0..files {
        let folder = root.join(format!("package{}/module{}", number / 512, number / 8 % 64));
        if number % 8 == 0 {
            fs::create_dir_all(&folder)?;
        }
        text.clear();
        let size = 2048 + usize::try_from(step(&mut random) % 6144).unwrap_or(0);
        text.push_str("{\"_type\": \"Module\", \"body\": [");
        while text.len() < size {
            node(&mut text, &mut random, 0);
            text.push_str(", ");
        }
        text.push_str("{\"_type\": \"Pass\"}]}");
        fs::write(folder.join(format!("function_{number}{}", SUFFIXES[number % 3])), &text)?;
    }
    Ok(root.to_owned())
}

fn node(text: &mut String, random: &mut u64, depth: usize) {
    let draw = step(random);
    let kind = KINDS[usize::try_from(draw % 12).unwrap_or(0)];
    let _ =
        write!(text, "{{\"_type\": \"{kind}\", \"lineno\": {}, \"col_offset\": {}", draw % 900, draw % 79);
    if depth < 5 && !draw.is_multiple_of(3) {
        text.push_str(", \"value\": ");
        node(text, random, depth + 1);
    } else {
        let _ = write!(text, ", \"id\": \"name_{}\", \"ctx\": null", draw % 1000);
    }
    text.push('}');
}

fn step(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}
