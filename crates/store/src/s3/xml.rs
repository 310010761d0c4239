//! The little XML that S3 speaks: elements with text in them.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

/// The document ends too early, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut;

/// A document: the name of its outermost element, and every element in it, in the order of their ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) root: String,
    /// Path below the outermost element, such as `Contents/Key`, and the text; one that holds others has none.
    pub(super) fields: Vec<(String, String)>,
}

impl Document {
    /// The first field of that path.
    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found == path).map(|(_, value)| value.as_str())
    }
}

/// Reads a whole document. Without its end tag it is none: what came may be half of it.
pub(super) fn parse(text: &str) -> Result<Document, Cut> {
    let mut reader = Reader::from_str(text);
    let (mut document, mut open) = (Document::default(), Vec::<String>::new());
    let mut value = String::new();
    loop {
        match reader.read_event().map_err(|_| Cut)? {
            Event::Start(tag) => {
                open.push(String::from_utf8_lossy(tag.local_name().as_ref()).into_owned());
                value.clear();
            }
            Event::Empty(tag) => {
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                let path: Vec<&str> = open.iter().skip(1).map(String::as_str).chain([name.as_str()]).collect();
                document.fields.push((path.join("/"), String::new()));
            }
            Event::Text(text) => value.push_str(&String::from_utf8_lossy(&text)),
            Event::CData(text) => value.push_str(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(name) => value.push_str(&character(&String::from_utf8_lossy(&name))),
            Event::End(_) => {
                if let Some(path) = open.get(1..).filter(|path| !path.is_empty()) {
                    document.fields.push((path.join("/"), std::mem::take(&mut value)));
                }
                let closed = open.pop().unwrap_or_default();
                if open.is_empty() {
                    document.root = closed;
                    return Ok(document);
                }
            }
            Event::Eof => return Err(Cut),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// What a reference such as `&amp;` stands for.
fn character(name: &str) -> String {
    let reference = format!("&{name};");
    unescape(&reference).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Cut, parse};

    const LIST: &str = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n\
        <Name>b</Name><Contents><Key>x/a&amp;b</Key><Owner><ID>7</ID></Owner><Size>12</Size></Contents><StartAfter/>\
        </ListBucketResult>";

    #[test]
    fn fields_have_paths() {
        let document = parse(LIST).expect("a document");
        assert_eq!(document.root, "ListBucketResult");
        let fields: Vec<(&str, &str)> =
            document.fields.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        let expected = [
            ("Name", "b"),
            ("Contents/Key", "x/a&b"),
            ("Contents/Owner/ID", "7"),
            ("Contents/Owner", ""),
            ("Contents/Size", "12"),
            ("Contents", ""),
            ("StartAfter", ""),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn half_a_document_is_none() {
        for cut in 0..LIST.len() {
            assert_eq!(parse(&LIST[..cut]), Err(Cut), "{cut}");
        }
    }
}
