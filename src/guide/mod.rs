//! The guide: how to use, operate and extend Outlast.
//!
//! `mdbook build src/guide` makes a book of the same files.

/// Defines the pages. A page links to `[Records][records]` and defines `records` at its end, as a file beside it. Here
/// the first definition of a label counts: `rustdoc_links.txt` leads to the modules.
macro_rules! pages {
    ($($page:ident)*) => {
        $(
            #[doc = include_str!("rustdoc_links.txt")]
            #[doc = include_str!(concat!(stringify!($page), ".md"))]
            pub mod $page {}
        )*
    };
}

pages! {
    tour commands records tables filters priorities failures inspect exec python configuration state watching clusters service http backup reliability limits performance library architecture
}
