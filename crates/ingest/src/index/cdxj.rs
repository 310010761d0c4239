//! CDXJ: a sort key, a date, and a JSON object, line by line.

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::IndexRow;

/// Longest line. 1 MiB: URLs make lines of some KiB, and a line without end must not take the machine.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// An index could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Reading failed.
    #[error("read the index behind line {line}")]
    Read {
        /// Lines that were read.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// A line is no row.
    #[error("line {line} of the index is no row: {reason}")]
    Row {
        /// Which one, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// An iterator over the rows. Goes on behind a line that is none; ends after the first failed read.
#[derive(Debug)]
pub struct CdxjReader<R> {
    source: R,
    line: u64,
    done: bool,
}

impl<R: BufRead> CdxjReader<R> {
    /// Reads rows from `source`.
    pub fn new(source: R) -> Self {
        Self { source, line: 0, done: false }
    }

    fn read_line(&mut self) -> Result<Option<String>, io::Error> {
        let mut bytes = Vec::new();
        let count = io::Read::take(&mut self.source, LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
        if count as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
            // The rest of it is no line of its own.
            self.source.skip_until(b'\n')?;
            bytes.clear();
        }
        self.line += 1;
        Ok((count > 0).then(|| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

impl<R: BufRead> Iterator for CdxjReader<R> {
    type Item = Result<IndexRow, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let line = match self.read_line() {
                Ok(Some(line)) => line,
                Ok(None) => {
                    self.done = true;
                    break;
                }
                Err(source) => {
                    self.done = true;
                    return Some(Err(IndexError::Read { line: self.line, source }));
                }
            };
            let line = line.trim();
            // The head of a CDX file, `!meta` of a CDXJ one, and empty lines say nothing of captures.
            if line.is_empty() || line.starts_with("CDX ") || line.starts_with('!') {
                continue;
            }
            return Some(row(line).map_err(|reason| IndexError::Row { line: self.line, reason: reason.to_owned() }));
        }
        None
    }
}

fn row(line: &str) -> Result<IndexRow, &'static str> {
    let json = line.find('{').map(|at| &line[at..]).ok_or("it has no JSON object")?;
    let fields: Map<String, Value> = serde_json::from_str(json).map_err(|_| "its JSON object is broken")?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && *text != "-");
    // Numbers are written as text by most makers.
    let number = |name: &str| match fields.get(name)? {
        Value::String(text) => text.parse::<u64>().ok(),
        value => value.as_u64(),
    };
    let lower = |name: &str| text(name).map(str::to_ascii_lowercase);
    Ok(IndexRow {
        filename: text("filename").ok_or("it names no archive (`filename`)")?.to_owned(),
        offset: number("offset").ok_or("its `offset` is no number")?,
        length: number("length").ok_or("its `length` is no number")?,
        url: text("url").ok_or("it names no `url`")?.to_owned(),
        status: number("status").and_then(|status| u16::try_from(status).ok()),
        mime: lower("mime"),
        mime_detected: lower("mime-detected"),
        languages: text("languages").map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_common_crawl_and_of_others() {
        let check = |line: &str, expected: Result<(&str, u64, u64, Option<u16>), &str>| {
            let rows: Vec<_> = CdxjReader::new(line.as_bytes()).collect();
            let [row] = &rows[..] else { panic!("{rows:?}") };
            let found = row.as_ref().map(|row| (row.filename.as_str(), row.offset, row.length, row.status));
            match (found, expected) {
                (Err(IndexError::Row { reason, .. }), Err(part)) => assert!(reason.contains(part), "{reason}"),
                (found, expected) => assert_eq!(found.ok(), expected.ok(), "{line}"),
            }
        };
        let crawl = r#"org,example)/ 20241204000000 {"url": "https://example.org/", "mime": "text/html", "mime-detected": "text/html", "status": "200", "digest": "X", "length": "1234", "offset": "56", "filename": "crawl-data/a.warc.gz", "languages": "eng,deu", "encoding": "UTF-8"}"#;
        check(crawl, Ok(("crawl-data/a.warc.gz", 56, 1234, Some(200))));
        check(r#"k 2024 {"url":"u","length":7,"offset":0,"filename":"f"}"#, Ok(("f", 0, 7, None)));
        check(r#"k 2024 {"url":"u","status":"-","length":"7","offset":"0","filename":"f"}"#, Ok(("f", 0, 7, None)));
        check(r#"k 2024 {"url":"u","length":"x","offset":"0","filename":"f"}"#, Err("`length`"));
        check("org,example)/ 2024 https://example.org/ text/html 200", Err("JSON"));
        check(r#"k 2024 {"url":"u""#, Err("broken"));
    }

    #[test]
    fn what_is_no_row_is_passed_over() {
        let text = " CDX N b a m s k r M S V g\n!meta {}\n\nk 1 {\"url\":\"u\",\"length\":\"1\",\"offset\":\"0\",\"filename\":\"f\"}\n";
        assert_eq!(CdxjReader::new(text.as_bytes()).flatten().count(), 1);
        let endless = [
            &b"x".repeat(3 << 20)[..],
            b"\nk 1 {\"url\":\"u\",\"length\":\"1\",\"offset\":\"0\",\"filename\":\"f\"}\n",
        ]
        .concat();
        assert_eq!(CdxjReader::new(&endless[..]).flatten().count(), 1);
    }
}
