//! By which way large files go to the Hub.

use std::fmt;

/// The way that is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transfer {
    /// Xet where this program and the server can, else Git LFS.
    #[default]
    Auto,
    /// Xet, or nothing.
    Xet,
    /// Git LFS.
    Lfs,
}

impl Transfer {
    /// Whether this program was built with Xet.
    pub const HAS_XET: bool = cfg!(feature = "xet");
}

/// A word that names no way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of `auto`, `xet`, `lfs`")]
pub struct TransferError(String);

impl std::str::FromStr for Transfer {
    type Err = TransferError;

    fn from_str(text: &str) -> Result<Self, TransferError> {
        match text {
            "auto" => Ok(Self::Auto),
            "xet" => Ok(Self::Xet),
            "lfs" => Ok(Self::Lfs),
            _ => Err(TransferError(text.to_owned())),
        }
    }
}

/// The way that they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In chunks, of which only those go that the server lacks.
    Xet,
    /// Whole.
    Lfs,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xet => "Xet",
            Self::Lfs => "Git LFS",
        })
    }
}
