//! A tree that grows and changes by a seed, and remembers what it held.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::walk::{History, list, version};
use crate::support::{Content, Rng};

/// Names as they occur somewhere; each matches a default filter.
pub(crate) const ODD_NAMES: [&[u8]; 9] = [
    b"_private.ast.json",
    b"-dash.ast.json",
    b".hidden.syntax.json",
    b"new\nline.ast.json",
    b"quote\"s and 'blanks'.ast.json",
    b"back\\slash_ast.json",
    b"\xc3\xbcn\xc3\xafc\xc3\xb6de.ast.json",
    b"not-utf8-\xff\xfe.ast.json",
    b"tab\tand\x1bescape.ast.json",
];
const FOLDERS: [&[u8]; 8] =
    [b"", b"src", b"src/deep/er", b"src-2", b"_under", b".dot", b"with blank", b"bad\xff/x"];
const ENDS: [&str; 3] = [".ast.json", ".syntax.json", "_ast.json"];

pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    pub(crate) history: History,
    rng: Rng,
    serial: u64,
}

impl Tree {
    /// Grows a tree of so many files, and a few that nobody asks for.
    pub(crate) fn grow(root: &Path, seed: u64, files: u64) -> Self {
        let mut tree =
            Self { root: root.to_owned(), history: History::new(), rng: Rng::new(seed), serial: 0 };
        fs::create_dir_all(root).unwrap();
        for name in ODD_NAMES.iter().take(files as usize) {
            tree.write(name, Content::Ast(3));
        }
        while tree.serial < files.saturating_sub(ODD_NAMES.len() as u64) {
            tree.add();
        }
        for name in [&b"README.md"[..], b"src/plain.json", b"_under/x.ast.json.bak"] {
            tree.write(name, Content::Ast(1));
        }
        tree.remember();
        tree
    }

    /// Changes so many things at random.
    pub(crate) fn change(&mut self, times: u64) {
        for _ in 0..times {
            match self.rng.within(0..100) {
                0..40 => self.rewrite(),
                40..55 => self.add(),
                55..65 => self.touch(),
                65..80 => self.remove(),
                80..90 => self.rename(),
                90..94 => self.restore(),
                94..97 => self.remove_folder(),
                _ => self.rename_folder(),
            }
        }
        self.remember();
    }

    /// Adds files until there are so many: where much is changed, more goes than comes.
    pub(crate) fn refill(&mut self, files: usize) {
        for _ in self.files().len()..files {
            self.add();
        }
        self.remember();
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        list(&self.root).into_iter().map(|path| self.root.join(OsStr::from_bytes(&path))).collect()
    }

    fn remember(&mut self) {
        for path in list(&self.root) {
            let version = version(&self.root.join(OsStr::from_bytes(&path)));
            self.history.entry(path).or_default().insert(version);
        }
    }

    fn write(&mut self, path: &[u8], content: Content) {
        let path = self.root.join(OsStr::from_bytes(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.bytes(&mut self.rng)).unwrap();
    }

    fn new_name(&mut self) -> Vec<u8> {
        self.serial += 1;
        let mut path = self.rng.pick(&FOLDERS).to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend(format!("f{}{}", self.serial, self.rng.pick(&ENDS)).bytes());
        path
    }

    fn add(&mut self) {
        let (path, content) = (self.new_name(), Content::any(&mut self.rng));
        self.write(&path, content);
    }

    fn pick(&mut self) -> Option<PathBuf> {
        let files = self.files();
        (!files.is_empty()).then(|| self.rng.pick(&files).clone())
    }

    /// In place, or by another file that takes its name.
    fn rewrite(&mut self) {
        let Some(path) = self.pick() else { return };
        let bytes = Content::any(&mut self.rng).bytes(&mut self.rng);
        if self.rng.chance(50) {
            fs::write(path, bytes).unwrap();
        } else {
            let temporary = path.with_extension("tmp");
            fs::write(&temporary, bytes).unwrap();
            fs::rename(temporary, path).unwrap();
        }
    }

    /// A new time on the old content.
    fn touch(&mut self) {
        let Some(path) = self.pick() else { return };
        let ago = Duration::from_nanos(self.rng.within(1..3_000_000_000_000_000));
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - ago).unwrap();
    }

    fn remove(&mut self) {
        if let Some(path) = self.pick() {
            fs::remove_file(path).unwrap();
        }
    }

    fn rename(&mut self) {
        let (Some(path), to) = (self.pick(), self.new_name()) else { return };
        let to = self.root.join(OsStr::from_bytes(&to));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(path, to).unwrap();
    }

    /// Removes a file and puts it back as it was, under a new inode.
    fn restore(&mut self) {
        let Some(path) = self.pick() else { return };
        let (bytes, modified) = (fs::read(&path).unwrap(), path.metadata().unwrap().modified().unwrap());
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }

    fn folder(&mut self) -> PathBuf {
        let name: &[u8] = self.rng.pick::<&[u8]>(&FOLDERS[1..]);
        self.root.join(OsStr::from_bytes(name))
    }

    fn remove_folder(&mut self) {
        let folder = self.folder();
        if self.rng.chance(30) && folder.exists() {
            fs::remove_dir_all(folder).unwrap();
        }
    }

    /// Moves a folder to a new name, or one that was moved away back.
    fn rename_folder(&mut self) {
        let folder = self.folder();
        let away = folder.with_extension("moved");
        match (folder.exists(), away.exists()) {
            (true, false) => fs::rename(folder, away).unwrap(),
            (false, true) => fs::rename(away, folder).unwrap(),
            _ => {}
        }
    }
}
