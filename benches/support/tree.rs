//! Trees for the benchmarks: Python-like syntax trees, 8 to a folder.

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

/// How large files are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sizes {
    /// 200 bytes to 1 KiB.
    Tiny,
    /// 2 to 8 KiB.
    Small,
    /// As those of real repositories: 20 KiB to 50 MB, half of them below 40 KiB, 150 KB on average.
    Real,
    /// 1 to 4 MiB.
    Large,
    /// From this number of bytes on, each file larger than the one before, up to so many times.
    Rising(usize, f64),
}

impl Sizes {
    /// What `OUTLAST_BENCH_SIZES` says: `real`, or small ones.
    pub(crate) fn from_env() -> Self {
        if std::env::var("OUTLAST_BENCH_SIZES").is_ok_and(|sizes| sizes == "real") {
            Self::Real
        } else {
            Self::Small
        }
    }

    fn draw(self, random: &mut u64, share: f64) -> usize {
        let between = |low: usize, high: usize, draw: u64| low + draw as usize % (high - low);
        let draw = step(random) >> 11;
        match self {
            Self::Tiny => between(200, 1024, draw),
            Self::Small => between(2048, 8192, draw),
            Self::Real => {
                let uniform = (draw + 1) as f64 / (1u64 << 53) as f64;
                ((20_480.0 / uniform) as usize).min(50_000_000)
            }
            Self::Large => between(1 << 20, 4 << 20, draw),
            Self::Rising(low, times) => (low as f64 * times.powf(share)) as usize,
        }
    }
}

/// Makes `files` files under `root`, always the same.
pub(crate) fn make(root: &Path, files: usize, sizes: Sizes) -> io::Result<()> {
    let (mut random, mut text) = (0x9E37_79B9_7F4A_7C15_u64, String::new());
    for number in 0..files {
        let path = root.join(path(number));
        if number % 8 == 0
            && let Some(folder) = path.parent()
        {
            fs::create_dir_all(folder)?;
        }
        let size = sizes.draw(&mut random, number as f64 / files as f64);
        document(&mut text, &mut random, size);
        fs::write(path, &text)?;
    }
    Ok(())
}

/// Writes one file, of another content for each seed.
pub(crate) fn write(path: &Path, size: usize, seed: u64) -> io::Result<()> {
    let (mut random, mut text) = (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1, String::new());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    document(&mut text, &mut random, size);
    fs::write(path, &text)
}

/// Where the file of this number is; ascending in the order of a walk.
pub(crate) fn path(number: usize) -> PathBuf {
    let (package, module) = (number / 512, number / 8 % 64);
    format!("package{package:05}/module{module:02}/function_{number:08}{}", SUFFIXES[number % 3]).into()
}

fn document(text: &mut String, random: &mut u64, size: usize) {
    text.clear();
    text.push_str("{\"_type\": \"Module\", \"body\": [");
    while text.len() < size {
        node(text, random, 0);
        text.push_str(", ");
    }
    text.push_str("{\"_type\": \"Pass\"}]}");
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

/// The next number of a xorshift generator.
pub(crate) fn step(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}
