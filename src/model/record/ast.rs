//! The AST processor's result as it is read: by the exports, by `outlast inspect`, and by users of the library.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The `result` of a record that the AST processor made, as [the page on records](crate::guide::records) describes it.
///
/// It is read from JSON, or by `AstResult::deserialize` from a reference to a [`serde_json::Value`], as a
/// [`ProcessingResult`](crate::ProcessingResult) holds one. Texts are borrowed wherever the JSON has no escapes in
/// them. Members that it does not know are passed over, so that results of later versions can be read, too. Every
/// count fits `u32`, as a document has less than 4 GiB.
///
/// ```
/// use outlast::RecordHead;
/// use outlast::process::ast::AstResult;
///
/// let line = concat!(
///     r#"{"root":"tree","path":"f.py.ast.json","status":"ok","processor":"ast/21","attempts":1,"#,
///     r#""result":{"dialect":"python-ast","confidence":1,"language":"python","values":8,"depth":3,"nodes":2,"#,
///     r#""kind_field":"_type","kinds":{"FunctionDef":1,"Pass":1},"lines":2,"symbols":[{"kind":"function","#,
///     r#""name":"f","qualified_name":"f","line":1,"end_line":2,"complexity":1}],"imports":[],"calls":[],"#,
///     r#""totals":{"symbols":1,"imports":0,"calls":0}},"committed_tick":3}"#,
/// );
/// let record = RecordHead::parse(line.as_bytes())?;
/// if let Some(result) = record.result {
///     let result = serde_json::from_str::<AstResult>(result.get())?;
///     assert_eq!(result.language, "python");
///     for symbol in result.symbols.iter().flatten() {
///         println!("{} {}, line {:?}", symbol.kind, symbol.qualified_name, symbol.line);
///     }
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct AstResult<'a> {
    /// The way in which the tree is written, such as `estree`.
    #[serde(borrow)]
    pub dialect: Cow<'a, str>,
    /// Share of the evidence that speaks for the dialect, from 0 to 1.
    pub confidence: Option<f64>,
    /// Language of the source in small letters, or `unknown`.
    #[serde(borrow)]
    pub language: Cow<'a, str>,
    /// JSON values of the document.
    pub values: u32,
    /// Deepest nesting of objects and arrays.
    pub depth: u32,
    /// Nodes of the tree.
    pub nodes: u32,
    /// The field that holds a node's kind, if one does.
    #[serde(borrow, default, deserialize_with = "optional_text")]
    pub kind_field: Option<Cow<'a, str>>,
    /// Nodes of each kind in the order of the record: the most frequent first.
    #[serde(borrow, deserialize_with = "kinds")]
    pub kinds: Vec<(Cow<'a, str>, u32)>,
    /// Nodes of the kinds that are not listed.
    #[serde(default)]
    pub kinds_omitted: u32,
    /// The greatest line of the source that the document names.
    pub lines: Option<u32>,
    /// What the source declares; `None` in a result that does not list it.
    #[serde(borrow, default)]
    pub symbols: Option<Vec<AstSymbol<'a>>>,
    /// What the source takes from elsewhere; `None` in a result that does not list it.
    #[serde(borrow, default)]
    pub imports: Option<Vec<AstImport<'a>>>,
    /// What is called from where; `None` in a result that does not list it.
    #[serde(borrow, default)]
    pub calls: Option<Vec<AstCall<'a>>>,
    /// How many of these there are, listed or not.
    pub totals: Option<AstTotals>,
    /// What is unusual in the document.
    #[serde(borrow, default)]
    pub notes: Option<AstNotes<'a>>,
}

/// A declaration in the source of an [`AstResult`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AstSymbol<'a> {
    /// What it is, such as `method`.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// Its own name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its name behind those of the symbols around it: `Item.has_tag`.
    #[serde(borrow)]
    pub qualified_name: Cow<'a, str>,
    /// First line in the source.
    pub line: Option<u32>,
    /// Last line in the source.
    pub end_line: Option<u32>,
    /// `public`, `protected`, `private` or `package`.
    #[serde(borrow, default, deserialize_with = "optional_text")]
    pub visibility: Option<Cow<'a, str>>,
    /// Whether it is declared `async`.
    #[serde(default, rename = "async")]
    pub is_async: bool,
    /// Whether it is declared `static`.
    #[serde(default, rename = "static")]
    pub is_static: bool,
    /// Of functions and methods: 1, and 1 for each branch inside.
    pub complexity: Option<u32>,
}

/// An import in the source of an [`AstResult`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AstImport<'a> {
    /// The module as its language writes it.
    #[serde(borrow)]
    pub module: Cow<'a, str>,
    /// What is taken from it; empty where the module itself is.
    #[serde(borrow, default)]
    pub names: Vec<AstImportedName<'a>>,
    /// The module's name here, where it is another one.
    #[serde(borrow, default, deserialize_with = "optional_text")]
    pub alias: Option<Cow<'a, str>>,
    /// Line in the source.
    pub line: Option<u32>,
}

/// One name of an [`AstImport`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AstImportedName<'a> {
    /// Its name in the module.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its name here, where it is another one.
    #[serde(borrow, default, deserialize_with = "optional_text")]
    pub alias: Option<Cow<'a, str>>,
}

/// The calls of one callee from one caller in the source of an [`AstResult`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AstCall<'a> {
    /// Qualified name of the nearest symbol around; `None` at the top level.
    #[serde(borrow, default, deserialize_with = "optional_text")]
    pub caller: Option<Cow<'a, str>>,
    /// What is called, as it is written there.
    #[serde(borrow)]
    pub callee: Cow<'a, str>,
    /// Number of the places.
    pub count: u32,
}

/// Totals of an [`AstResult`], beyond the limits of what is listed, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct AstTotals {
    /// Number of symbols.
    pub symbols: u32,
    /// Number of imports.
    pub imports: u32,
    /// Sum of the counts of all calls.
    pub calls: u32,
}

/// What is unusual in the document of an [`AstResult`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AstNotes<'a> {
    /// Whether the document begins with a byte order mark.
    pub bom: Option<bool>,
    /// Keys that an object holds once more.
    pub duplicate_keys: Option<u32>,
    /// Values such as `NaN`.
    pub non_finite_numbers: Option<u32>,
    /// Numbers that a 64-bit float would make infinite or zero.
    pub numbers_beyond_f64: Option<u32>,
    /// Strings and keys with half of a surrogate pair.
    pub lone_surrogates: Option<u32>,
    /// What the document is, where it is no object.
    #[serde(borrow, default, deserialize_with = "optional_text")]
    pub top_level: Option<Cow<'a, str>>,
    /// `unknown`, where the dialect does not know the document's grammar.
    #[serde(borrow, default, deserialize_with = "optional_text")]
    pub grammar: Option<Cow<'a, str>>,
}

/// A text that is borrowed if it has no escapes: by itself, an optional `Cow` is always copied.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn optional_text<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    Ok(Option::<Text<'a>>::deserialize(from)?.map(|text| text.0))
}

/// Reads an object of kinds in its order.
fn kinds<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Vec<(Cow<'a, str>, u32)>, D::Error> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<(Cow<'de, str>, u32)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of kinds and counts")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut kinds = Vec::new();
            while let Some((Text(kind), count)) = map.next_entry()? {
                kinds.push((kind, count));
            }
            Ok(kinds)
        }
    }
    from.deserialize_map(Entries)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::Error as _;
    use serde_json::Value;

    use super::*;

    #[test]
    fn texts_without_escapes_are_borrowed_and_unknown_members_are_passed_over() {
        let json = r#"{"dialect":"estree","language":"javascript","values":9,"depth":3,"nodes":2,"kind_field":"type",
            "kinds":{"Program":1,"A\n":1},"symbols":[{"kind":"class","name":"A","qualified_name":"A",
            "visibility":"private","colour":"blue"}],"of_a_later_version":{"deep":[[1],{}]}}"#;
        let result = serde_json::from_str::<AstResult<'_>>(json).unwrap();
        let symbol = &result.symbols.as_ref().unwrap()[0];
        for text in
            [&result.dialect, result.kind_field.as_ref().unwrap(), symbol.visibility.as_ref().unwrap()]
        {
            assert!(matches!(text, Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(result.kinds, [("Program".into(), 1), ("A\n".into(), 1)]);
        assert!(matches!(result.kinds[0].0, Cow::Borrowed(_)));
        assert_eq!((&result.imports, result.totals, symbol.is_async), (&None, None, false));
        let value: Value = serde_json::from_str(json).unwrap();
        let of_value = AstResult::deserialize(&value).unwrap();
        assert_eq!((of_value.symbols, of_value.kinds.len()), (result.symbols, 2));
    }

    /// Reads nothing: its error names the members that a type asks for.
    struct Probe;

    impl<'de> Deserializer<'de> for Probe {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Self::Error::custom(""))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            Err(Self::Error::custom(fields.join(" ")))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn members<T: Deserialize<'static>>() -> BTreeSet<String> {
        let names = T::deserialize(Probe).map(drop).unwrap_err().to_string();
        names.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn each_member_in_the_schema_is_read() {
        let schema: Value = serde_json::from_str(include_str!("../../../data/record.schema.json")).unwrap();
        let documented = |at: &str| {
            let properties = schema["$defs"].pointer(at).and_then(Value::as_object).unwrap();
            properties.keys().cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(members::<AstResult<'_>>(), documented("/ast/properties"));
        assert_eq!(members::<AstSymbol<'_>>(), documented("/symbol/properties"));
        assert_eq!(members::<AstImport<'_>>(), documented("/import/properties"));
        assert_eq!(members::<AstImportedName<'_>>(), documented("/import/properties/names/items/properties"));
        assert_eq!(members::<AstCall<'_>>(), documented("/call/properties"));
        assert_eq!(members::<AstTotals>(), documented("/totals/properties"));
        assert_eq!(members::<AstNotes<'_>>(), documented("/notes/properties"));
    }
}
