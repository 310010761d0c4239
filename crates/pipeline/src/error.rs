//! What can be wrong with a pipeline file.

use std::path::PathBuf;

/// A pipeline file that cannot be used. Nothing has been touched.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The file is not there or not text.
    #[error("read the pipeline file `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("parse `{file}` as TOML")]
    Syntax {
        /// The file.
        file: String,
        /// Where and why, with the line.
        #[source]
        source: Box<toml_edit::TomlError>,
    },
    /// A key that nobody knows.
    #[error("understand `{key}` in {place}: there is no such key; known here: {known}")]
    UnknownKey {
        /// The whole key, tables first.
        key: String,
        /// File, line and column, or the option that set it.
        place: String,
        /// What would be known.
        known: String,
        /// The nearest of those.
        nearest: Option<String>,
    },
    /// A value of the wrong kind.
    #[error("understand the values of `{file}`")]
    Value {
        /// The file.
        file: String,
        /// Which, where and why, with the line.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A `--set` that is not `key=value`.
    #[error("understand `--set {text}`: it should be `table.key=value`")]
    Set {
        /// The option's text.
        text: String,
    },
    /// A value outside of its range.
    #[error("use `{key} = {value}`: {why}")]
    Range {
        /// The whole key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        why: &'static str,
    },
    /// The store's address makes no sense.
    #[error("understand `run.store`")]
    Address(#[source] store::s3::InvalidAddress),
    /// The store could not be opened.
    #[error("open the store")]
    Store(#[source] store::StoreError),
    /// A stage could not be set up.
    #[error("set up `{table}`")]
    Setup {
        /// Its table.
        table: &'static str,
        /// Why not.
        #[source]
        source: engine::StageError,
    },
}

impl PipelineError {
    /// What a user may try, one line each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownKey { nearest: Some(nearest), .. } => vec![format!("did you mean `{nearest}`?")],
            Self::UnknownKey { .. } => vec!["`databuild schema` prints every key with its meaning".into()],
            Self::Store(error) => error.hint().into_iter().collect(),
            Self::Set { .. } => vec!["for example `--set render.tabs=8`".into()],
            Self::Read { .. } => vec!["the argument is the path of a TOML file, such as pipelines/demo.toml".into()],
            Self::Setup { table: "render" | "score", .. } => {
                vec!["`databuild doctor` says what is installed and how to get what is missing".into()]
            }
            Self::Setup { table: "source" | "clean", .. } => {
                vec!["paths and patterns are relative to the folder of the pipeline file".into()]
            }
            _ => Vec::new(),
        }
    }
}
