//! Text to a pipeline file.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table};

use crate::schema::json_schema;
use crate::{PipelineError, PipelineFile, unknown};

/// A pipeline file, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What it says, defaults filled in.
    pub file: PipelineFile,
    /// The folder that its paths are relative to.
    pub base: PathBuf,
}

/// Reads a pipeline file from disk and applies `--set key=value` options.
pub fn load(path: &Path, sets: &[String]) -> Result<Loaded, PipelineError> {
    let text = std::fs::read_to_string(path).map_err(|source| PipelineError::Read { path: path.to_owned(), source })?;
    let mut file = parse(&text, &path.display().to_string(), sets)?;
    if file.run.name.is_empty() {
        file.run.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    }
    check_ranges(&file)?;
    let base = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Loaded { file, base: base.to_owned() })
}

/// Reads the text of a pipeline file. `name` is what errors call it.
pub fn parse(text: &str, name: &str, sets: &[String]) -> Result<PipelineFile, PipelineError> {
    let syntax = |source| PipelineError::Syntax { file: name.to_owned(), source: Box::new(source) };
    // The immutable document knows where its keys are; the mutable one takes the options.
    let parsed = toml_edit::Document::parse(text).map_err(syntax)?;
    let schema = json_schema();
    unknown::find(parsed.as_table(), &schema, &|span| place(text, name, span))?;
    let mut document: DocumentMut = parsed.into_mut();
    for set in sets {
        apply(&mut document, set)?;
        unknown::find(document.as_table(), &schema, &|_| format!("`--set {set}`"))?;
    }
    toml::from_str(&document.to_string())
        .map_err(|source| PipelineError::Value { file: name.to_owned(), source: Box::new(source) })
}

fn place(text: &str, name: &str, span: Option<std::ops::Range<usize>>) -> String {
    let Some(span) = span else { return format!("`{name}`") };
    let before = &text[..span.start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("`{name}`, line {line}, column {column}")
}

/// Applies `table.key=value`; a value that is no TOML is a string.
fn apply(document: &mut DocumentMut, set: &str) -> Result<(), PipelineError> {
    let error = || PipelineError::Set { text: set.to_owned() };
    let (path, value) = set.split_once('=').ok_or_else(error)?;
    let keys: Vec<&str> = path.trim().split('.').collect();
    let Some((last, tables)) = keys.split_last().filter(|_| keys.iter().all(|key| !key.is_empty())) else {
        return Err(error());
    };
    let value = value.trim();
    let value = value.parse::<toml_edit::Value>().unwrap_or_else(|_| value.into());
    let mut table: &mut dyn toml_edit::TableLike = document.as_table_mut();
    for key in tables {
        table = table.entry(key).or_insert(Item::Table(Table::new())).as_table_like_mut().ok_or_else(error)?;
    }
    table.insert(last, Item::Value(value));
    Ok(())
}

/// Values that parse but make no sense.
fn check_ranges(file: &PipelineFile) -> Result<(), PipelineError> {
    let name = &file.run.name;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_word) {
        let why = "a name is made of letters, digits, `.`, `_` and `-`, and does not begin with a dot";
        return Err(PipelineError::Range { key: "run.name", value: format!("{name:?}"), why });
    }
    let share = |key, value: f64| {
        if (0.0..=1.0).contains(&value) {
            return Ok(());
        }
        Err(PipelineError::Range { key, value: value.to_string(), why: "it is a share between 0 and 1" })
    };
    share("run.failed_share_max", file.run.failed_share_max)?;
    share("snapshots.validation_share", file.snapshots.validation_share)?;
    share("snapshots.test_share", file.snapshots.test_share)?;
    share("components.difference_max", file.components.difference_max)?;
    share("render.prove_share", file.render.prove_share)?;
    share("render.prove_tolerance", file.render.prove_tolerance)?;
    let at_least_one = |key, value: usize| {
        if value > 0 {
            return Ok(());
        }
        Err(PipelineError::Range { key, value: value.to_string(), why: "it has to be at least 1" })
    };
    at_least_one("run.partitions_in_flight", file.run.partitions_in_flight)?;
    at_least_one("run.partition_mb", file.run.partition_mb)?;
    at_least_one("render.viewport_width", file.render.viewport_width as usize)?;
    at_least_one("render.viewport_height", file.render.viewport_height as usize)?;
    if file.render.quality > 100 {
        let why = "it is a quality between 0 and 100";
        return Err(PipelineError::Range { key: "render.quality", value: file.render.quality.to_string(), why });
    }
    if (file.synth.is_on() || file.components.is_on()) && !file.render.is_lossless() {
        let why = "triples and components are proven pixel by pixel: use `png`, `png-small` or `webp-lossless`";
        let value = format!("{:?}", file.render.format).to_lowercase();
        return Err(PipelineError::Range { key: "render.format", value, why });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, sets: &[&str], expected: Result<fn(&PipelineFile) -> bool, &str>) {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        match (parse(text, "p.toml", &sets), expected) {
            (Ok(file), Ok(holds)) => assert!(holds(&file), "{text}: {file:?}"),
            (Err(error), Err(expected)) => {
                let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                let said = format!("{error} {source} {}", error.hints().join(" "));
                assert!(said.contains(expected), "{said}");
            }
            (answer, _) => panic!("{text}: {answer:?}"),
        }
    }

    #[test]
    fn values_and_options_are_taken() {
        check("", &[], Ok(|file| *file == PipelineFile::default()));
        check("[clean]\ntext_chars_min = 7\n", &[], Ok(|file| file.clean.text_chars_min == 7));
        check("[clean]\ntext_chars_min = 7\n", &["clean.text_chars_min=9"], Ok(|f| f.clean.text_chars_min == 9));
        check("", &["clean.images=inline", "run.name=x"], Ok(|file| file.run.name == "x"));
        check("", &["source.warcs=[\"a\", \"b\"]"], Ok(|file| file.source.warcs.len() == 2));
    }

    #[test]
    fn unknown_keys_are_errors_with_a_place_and_a_guess() {
        check("[clean]\n  text_char_min = 7\n", &[], Err("`p.toml`, line 2, column 3"));
        check("[clean]\ntext_char_min = 7\n", &[], Err("did you mean `clean.text_chars_min`?"));
        check("[rendr]\n", &[], Err("did you mean `render`?"));
        check("[clean]\nzzz = 1\n", &[], Err("known here: assets"));
        check("", &["render.tabz=8"], Err("did you mean `render.tabs`?"));
    }

    #[test]
    fn wrong_values_are_errors_with_a_place() {
        check("[clean]\ntext_chars_min = \"many\"\n", &[], Err("line 2"));
        check("[clean\n", &[], Err("line 1"));
        check("", &["clean"], Err("table.key=value"));
        check("[clean]\nimages = \"big\"\n", &[], Err("placeholder"));
        check("[render]\nformat = \"gif\"\n", &[], Err("webp-lossless"));
    }

    #[test]
    fn values_that_make_no_sense_are_errors() {
        let check = |sets: &[&str], expected: Option<&str>| {
            let sets: Vec<String> = ["run.name=x"].iter().chain(sets).map(|set| (*set).to_owned()).collect();
            let said = check_ranges(&parse("", "p.toml", &sets).expect("known keys")).err().map(|e| e.to_string());
            let fits = |said: &String| expected.is_some_and(|expected| said.contains(expected));
            assert!(said.as_ref().map_or(expected.is_none(), fits), "{sets:?}: {said:?}");
        };
        check(&[], None);
        check(&["run.name=../x"], Some("made of letters"));
        check(&["snapshots.test_share=1.5"], Some("between 0 and 1"));
        check(&["render.viewport_width=0"], Some("at least 1"));
        check(&["render.format=jpeg", "render.quality=101"], Some("between 0 and 100"));
        check(&["render.format=jpeg", "components.per_page=1"], Some("pixel by pixel"));
        check(&["render.format=jpeg", "synth.edits=1"], Some("pixel by pixel"));
        check(&["render.format=webp-lossless", "components.per_page=1"], None);
    }
}
