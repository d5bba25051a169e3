//! Segments that a repair sets aside, as it found them.
//!
//! During a repair, `records-000001.ndjson.damaged` is that segment as it was found, whole and durable; the segment's
//! own name may already be the repair's work. Once the repair has ended it is renamed `.damaged-1`, or the first free
//! number, and means nothing any more.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::reader::listed;
use super::{SinkError, segment_number};
use crate::model::{durable, failpoint};

const ASIDE: &str = "ndjson.damaged";

/// Returns the name under which a segment is set aside.
fn aside_of(segment: &Path) -> PathBuf {
    segment.with_extension(ASIDE)
}

/// Returns a segment as the current repair found it: what is set aside, once it is.
///
/// # Errors
/// If it can't be determined whether it is.
pub fn original_of(segment: &Path) -> Result<PathBuf, SinkError> {
    let aside = aside_of(segment);
    if is_free(&aside)? { Ok(segment.to_owned()) } else { Ok(aside) }
}

/// Returns whether nothing has this name.
fn is_free(path: &Path) -> Result<bool, SinkError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(SinkError::io(path)(error)),
    }
}

/// Returns the segments that are set aside, under their original names, ascending.
///
/// # Errors
/// Where the folder can't be listed.
pub fn set_aside_segments(folder: &Path) -> Result<Vec<(u32, PathBuf)>, SinkError> {
    let mut found = listed(folder, |name| segment_number(name.strip_suffix(".damaged")?))?;
    found.iter_mut().for_each(|(_, path)| *path = path.with_extension(""));
    Ok(found)
}

/// Replaces a segment by `fresh`, which is durable; the segment is set aside if it is not yet.
///
/// At no instant is the segment's name missing, or the file set aside incomplete.
///
/// # Errors
/// Where the folder can't be written.
pub fn replace_segment(segment: &Path, fresh: &Path) -> Result<(), SinkError> {
    let folder = segment.parent().unwrap_or(Path::new("."));
    if original_of(segment)? == segment {
        let aside = aside_of(segment);
        if fs::hard_link(segment, &aside).is_err() {
            copy_whole(segment, &aside)?;
        }
    }
    // Also if an earlier attempt has set it aside: its sync may have failed.
    sync_folder(folder)?;
    fs::rename(fresh, segment).map_err(SinkError::io(segment))?;
    sync_folder(folder)
}

/// Does the same on file systems without links.
fn copy_whole(from: &Path, to: &Path) -> Result<(), SinkError> {
    let temporary = from.with_extension("ndjson.copy");
    let copied = (|| {
        let mut file = File::create(&temporary)?;
        io::copy(&mut File::open(from)?, &mut file)?;
        file.sync_all()
    })();
    copied.map_err(SinkError::io(&temporary))?;
    fs::rename(&temporary, to).map_err(SinkError::io(to))
}

/// Renames what is set aside to names that no repair takes for its own. Returns these.
///
/// # Errors
/// Where the folder can't be written.
pub fn number_asides(folder: &Path) -> Result<Vec<PathBuf>, SinkError> {
    let mut names = Vec::new();
    for (_, segment) in set_aside_segments(folder)? {
        let numbered = |number: u32| segment.with_extension(format!("{ASIDE}-{number}"));
        let mut number = 1;
        while !is_free(&numbered(number))? {
            number += 1;
        }
        let free = numbered(number);
        let aside = aside_of(&segment);
        fs::rename(&aside, &free).map_err(SinkError::io(&aside))?;
        names.push(free);
    }
    if !names.is_empty() {
        sync_folder(folder)?;
    }
    Ok(names)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), SinkError> {
    failpoint::hit("log.sync-folder").map_err(SinkError::io(folder))?;
    durable::sync_folder(folder).map_err(SinkError::io(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_aside_first_stays_and_gets_the_next_number() {
        let folder = tempfile::tempdir().unwrap();
        let segment = folder.path().join("records-000001.ndjson");
        let fresh = folder.path().join("fresh");
        for round in ["1", "2"] {
            fs::write(&segment, format!("original {round}")).unwrap();
            for attempt in ["first", "second"] {
                fs::write(&fresh, attempt).unwrap();
                replace_segment(&segment, &fresh).unwrap();
                assert_eq!(fs::read_to_string(&segment).unwrap(), attempt);
                let original = fs::read_to_string(original_of(&segment).unwrap()).unwrap();
                assert_eq!(original, format!("original {round}"));
            }
            let numbered = folder.path().join(format!("records-000001.ndjson.damaged-{round}"));
            assert_eq!(number_asides(folder.path()).unwrap(), [&*numbered]);
            assert_eq!(fs::read_to_string(numbered).unwrap(), format!("original {round}"));
            assert_eq!(original_of(&segment).unwrap(), segment);
        }
        assert!(set_aside_segments(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn a_copy_that_was_cut_short_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let segment = folder.path().join("records-000001.ndjson");
        fs::write(&segment, "original").unwrap();
        fs::write(folder.path().join("records-000001.ndjson.copy"), "a longer one of another time").unwrap();
        copy_whole(&segment, &aside_of(&segment)).unwrap();
        assert_eq!(fs::read_to_string(original_of(&segment).unwrap()).unwrap(), "original");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
