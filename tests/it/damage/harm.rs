//! What is done to a state.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Patient, copy};
use crate::support::Rng;

/// One damage. Files are named relative to the state folder.
#[derive(Debug, Clone)]
pub(super) enum Harm {
    /// A bit of a byte is another.
    Flip { file: PathBuf, at: u64, bit: u8 },
    /// Only so many bytes are left.
    Cut { file: PathBuf, keep: u64 },
    /// The file or folder is gone.
    Gone(PathBuf),
    /// The file or folder is as it was some time ago.
    Older(PathBuf),
    /// A snapshot of the database that was not written to its end.
    HalfSnapshot,
    /// Something is appended.
    Tail { file: PathBuf, bytes: &'static [u8] },
}

impl Harm {
    pub(super) fn all(patient: &Patient, rng: &mut Rng, rounds: u64) -> Vec<Self> {
        let mut all = vec![Self::HalfSnapshot, Self::Older("".into())];
        all.extend(["db", "records"].map(|folder| Self::Gone(folder.into())));
        all.extend(["db", "records", "witness", "state.json"].map(|name| Self::Older(name.into())));
        for bytes in [&b"{\"torn"[..], b"torn\n"] {
            all.push(Self::Tail { file: "records/records-000001.ndjson".into(), bytes });
            all.push(Self::Tail { file: "witness".into(), bytes });
        }
        for file in patient.files() {
            all.push(Self::Gone(file.clone()));
            let length = patient.sandbox.state.join(&file).metadata().unwrap().len();
            if length == 0 {
                continue;
            }
            all.push(Self::Cut { file: file.clone(), keep: 0 });
            all.push(Self::Cut { file: file.clone(), keep: length - 1 });
            // The small ones have less that can break.
            let flips = if length > 100 { 3 * rounds } else { rounds };
            for _ in 0..rounds {
                all.push(Self::Cut { file: file.clone(), keep: rng.within(0..length) });
            }
            for _ in 0..flips {
                let at = place(patient, &file, length, rng);
                all.push(Self::Flip { file: file.clone(), at, bit: rng.within(0..8) as u8 });
            }
        }
        all
    }

    pub(super) fn apply(&self, patient: &Patient, state: &Path) {
        match self {
            Self::Flip { file, at, bit } => {
                let mut bytes = fs::read(state.join(file)).unwrap();
                bytes[*at as usize] ^= 1 << bit;
                fs::write(state.join(file), bytes).unwrap();
            }
            Self::Cut { file, keep } => {
                let file = fs::File::options().write(true).open(state.join(file)).unwrap();
                file.set_len(*keep).unwrap();
            }
            Self::Gone(name) => remove(&state.join(name)),
            Self::Older(name) => {
                let (from, to) = (patient.older.join(name), state.join(name));
                remove(&to);
                if from.is_dir() {
                    copy(&from, &to);
                } else {
                    fs::copy(&from, &to).unwrap();
                }
            }
            Self::HalfSnapshot => {
                fs::write(state.join("db/snap.0000000000000000.generating"), b"half").unwrap();
            }
            Self::Tail { file, bytes } => {
                let path = state.join(file);
                let whole = [&fs::read(&path).unwrap()[..], bytes].concat();
                fs::write(path, whole).unwrap();
            }
        }
    }

    /// Whether a byte of a record is another.
    pub(super) fn flips_a_record(&self) -> bool {
        matches!(self, Self::Flip { file, .. } if file.starts_with("records"))
    }
}

/// A place in a file, nearly always one that holds something.
fn place(patient: &Patient, file: &Path, length: u64, rng: &mut Rng) -> u64 {
    let bytes = fs::read(patient.sandbox.state.join(file)).unwrap();
    let tries = if rng.chance(90) { 1000 } else { 1 };
    let mut at = 0;
    for _ in 0..tries {
        at = rng.within(0..length);
        if bytes[at as usize] != 0 {
            break;
        }
    }
    at
}

fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}
