//! What can be given as the roots of a run.

use std::path::{Path, PathBuf};

/// One path, or several: the roots of a run.
///
/// ```
/// use outlast::engine::IntoRoots;
///
/// assert_eq!("asts".into_roots(), ["asts"].into_roots());
/// assert_eq!(vec!["one", "two"].into_roots().len(), 2);
/// ```
pub trait IntoRoots {
    /// Returns the paths.
    fn into_roots(self) -> Vec<PathBuf>;
}

impl IntoRoots for PathBuf {
    fn into_roots(self) -> Vec<PathBuf> {
        vec![self]
    }
}

/// Implements the trait for types that are one path.
macro_rules! one {
    ($($path:ty),*) => {
        $(impl IntoRoots for $path {
            fn into_roots(self) -> Vec<PathBuf> {
                vec![PathBuf::from(self)]
            }
        })*
    };
}

one!(&PathBuf, &Path, String, &String, &str);

impl<P: AsRef<Path>> IntoRoots for &[P] {
    fn into_roots(self) -> Vec<PathBuf> {
        self.iter().map(|path| path.as_ref().to_owned()).collect()
    }
}

impl<P: AsRef<Path>, const N: usize> IntoRoots for &[P; N] {
    fn into_roots(self) -> Vec<PathBuf> {
        self.as_slice().into_roots()
    }
}

impl<P: AsRef<Path>, const N: usize> IntoRoots for [P; N] {
    fn into_roots(self) -> Vec<PathBuf> {
        self.as_slice().into_roots()
    }
}

impl<P: AsRef<Path>> IntoRoots for &Vec<P> {
    fn into_roots(self) -> Vec<PathBuf> {
        self.as_slice().into_roots()
    }
}

impl<P: AsRef<Path>> IntoRoots for Vec<P> {
    fn into_roots(self) -> Vec<PathBuf> {
        self.as_slice().into_roots()
    }
}
