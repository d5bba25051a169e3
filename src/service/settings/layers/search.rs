//! Configuration files that are found by a search, in contrast to one that is named.
//!
//! Constraints: a file that can't be seen counts as absent: a service may be started in a folder that its user can't
//! enter. A project's file is found in folders that others may write to, and a setting such as `log-file` makes a
//! process append to any file of its user. So a file only counts if it, and the link that leads to it, belongs to that
//! user or to root, and if it is not world-writable. The user's own file is found by `HOME` and `XDG_CONFIG_HOME`,
//! which are as explicit as `--config`.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::environment::ProcessEnv;
use super::file::{self, NAME};
use super::found::Found;
use crate::service::settings::problem::{Origin, Problem};

/// The kind of file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ConfigOwner {
    Project,
    User,
}

/// Finds and reads the project's file: the nearest one, from the current folder upwards.
pub(crate) fn project(process_env: &ProcessEnv, found: &mut Found) {
    let mut paths = process_env.folder.ancestors().map(|folder| folder.join(NAME));
    found.is_searched = true;
    paths.any(|path| look(&path, ConfigOwner::Project, found));
    found.is_searched = false;
}

/// Finds and reads the user's file.
pub(crate) fn users(process_env: &ProcessEnv, found: &mut Found) {
    if let Some(path) = process_env.users_file() {
        look(&path, ConfigOwner::User, found);
    }
}

/// Returns whether a run may find this file though nobody named it, as the project's.
pub(crate) fn may_be_found(path: &Path, process_env: &ProcessEnv) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let is_users = process_env.users_file().is_some_and(|users| real(&users) == real(path));
    path.file_name().is_some_and(|name| name == NAME) && !is_users
}

fn look(path: &Path, owner: ConfigOwner, found: &mut Found) -> bool {
    match open(path, owner) {
        Ok(file) => {
            file::read_open(path, file, found);
            return true;
        }
        Err(Unfit::Absent) => {}
        Err(Unfit::PassedOver(what)) => found.warnings.push(Problem { origin: Origin::file(path), what }),
        Err(Unfit::Wrong(what)) => found.wrong(Origin::file(path), what),
    }
    false
}

/// Why a file is not used.
enum Unfit {
    Absent,
    PassedOver(String),
    Wrong(String),
}

fn open(path: &Path, owner: ConfigOwner) -> Result<File, Unfit> {
    // The owner of a link chose the file.
    let named = path.symlink_metadata().map_err(|error| unseen(&error))?;
    let meant = path.metadata().map_err(|error| unseen(&error))?;
    check_owners(path, owner, &[&named, &meant])?;
    if !meant.is_file() {
        return Err(Unfit::Wrong("is no file; move it, or name one with --config".to_owned()));
    }
    // Does not block if a pipe has taken the file's place by now.
    let opened = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Unfit::Absent,
        io::ErrorKind::PermissionDenied => Unfit::PassedOver(not_obeyed(path, &error.to_string())),
        _ => Unfit::Wrong(format!("can't be read: {error}")),
    })?;
    let opened = file.metadata().map_err(|error| unseen(&error))?;
    check_owners(path, owner, &[&opened])?;
    Ok(file)
}

/// Classifies an error: a path that leads nowhere, or not for this user, has no file at its end. Other failures do
/// not prove that.
fn unseen(error: &io::Error) -> Unfit {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(
            Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::PERM | Errno::LOOP | Errno::NAMETOOLONG,
        ) => Unfit::Absent,
        _ => Unfit::PassedOver(format!("can't be looked at, and counts as not there: {error}")),
    }
}

fn check_owners(path: &Path, owner: ConfigOwner, found: &[&Metadata]) -> Result<(), Unfit> {
    if owner == ConfigOwner::User {
        return Ok(());
    }
    let user = rustix::process::geteuid().as_raw();
    if let Some(stranger) = found.iter().map(|one| one.uid()).find(|uid| ![0, user].contains(uid)) {
        let what = format!("it belongs to user {stranger}, neither to you (user {user}) nor to root");
        return Err(Unfit::PassedOver(not_obeyed(path, &what)));
    }
    // The mode of a link means nothing.
    if let Some(open) = found.iter().find(|one| one.is_file() && one.mode() & 0o002 != 0) {
        let mode = open.mode() & 0o777;
        let what = format!("everybody can change it (its mode is {mode:04o}): `chmod o-w`");
        return Err(Unfit::PassedOver(not_obeyed(path, &what)));
    }
    Ok(())
}

fn not_obeyed(path: &Path, why: &str) -> String {
    format!("is not obeyed: {why}; where you trust it, name it: --config {}", path.display())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::PathBuf;

    use super::*;

    fn searched(folder: &Path) -> (Option<PathBuf>, Found) {
        let process_env = ProcessEnv { folder: folder.to_owned(), ..ProcessEnv::default() };
        let mut found = Found::default();
        project(&process_env, &mut found);
        (found.settle(None).files().first().cloned(), found)
    }

    /// Creates a folder that contains a file, and one below.
    fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(NAME);
        fs::write(&file, "workers = 3\n").unwrap();
        let below = dir.path().join("below");
        fs::create_dir(&below).unwrap();
        (dir, file, below)
    }

    #[track_caller]
    fn is_warnings(folder: &Path, file: &Path, words: &str) {
        let (found, notes) = searched(folder);
        assert_eq!((found, notes.problems.len(), notes.warnings.len()), (None, 0, 1), "{notes:?}");
        let what = notes.warnings[0].to_string();
        let named = format!("--config {}", file.display());
        assert!(what.contains("is not obeyed") && what.contains(words) && what.contains(&named), "{what}");
    }

    #[test]
    fn a_file_that_everybody_can_change_is_warnings_and_one_of_the_group_is_not() {
        let (_dir, file, below) = place();
        assert_eq!(searched(&below).0, Some(file.clone()));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
        assert_eq!(searched(&below).0, Some(file.clone()));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
        is_warnings(&below, &file, "0646");
    }

    #[test]
    fn a_strangers_file_is_warnings_as_well_as_a_strangers_link_and_a_link_to_one() {
        let (dir, file, below) = place();
        if chown(&file, Some(54_321), None).is_err() {
            return; // Only root can give a file away.
        }
        is_warnings(&below, &file, "user 54321");
        let link = below.join(NAME);
        symlink(&file, &link).unwrap();
        let (found, notes) = searched(&below);
        assert!(found.is_none() && notes.warnings.len() == 2, "the link, and the file above: {notes:?}");
        chown(&file, Some(0), None).unwrap();
        assert_eq!(searched(&below).0, Some(link.clone()));
        std::os::unix::fs::lchown(&link, Some(54_321), None).unwrap();
        let (found, notes) = searched(&below);
        assert!(found == Some(file) && notes.warnings.len() == 1, "the search goes on above: {notes:?}");
        let elsewhere = dir.path().join("folder");
        fs::create_dir(&elsewhere).unwrap();
        fs::create_dir(elsewhere.join(NAME)).unwrap();
        assert_eq!(searched(&elsewhere).1.problems.len(), 1, "one's own folder of that name is a mistake");
        chown(elsewhere.join(NAME), Some(54_321), None).unwrap();
        assert_eq!(searched(&elsewhere).1.problems.len(), 0, "a stranger's keeps nobody from starting");
    }

    #[test]
    fn what_a_path_does_not_lead_to_is_not_there() {
        let (dir, file, below) = place();
        let link = below.join(NAME);
        for target in [Path::new(NAME), Path::new("nowhere"), &file.join("below-a-file")] {
            symlink(target, &link).unwrap();
            let (found, notes) = searched(&below);
            assert!(found.as_ref() == Some(&file) && notes.warnings.is_empty(), "{target:?}: {notes:?}");
            fs::remove_file(&link).unwrap();
        }
        for folder in
            [file.join("x"), dir.path().join("gone/further"), below.join("n".repeat(300)), PathBuf::new()]
        {
            let (_, notes) = searched(&folder);
            assert!(notes.problems.is_empty() && notes.warnings.is_empty(), "{folder:?}: {notes:?}");
        }
    }
}
