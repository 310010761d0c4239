//! Writes the model of random weights into a folder, to start an engine with by hand.

use anyhow::Context as _;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("usage: make-tiny-vlm FOLDER")?);
    std::fs::create_dir_all(&folder)
        .and_then(|()| testkit::tiny_vlm::write(&folder))
        .with_context(|| format!("failed to write to {}", folder.display()))?;
    Ok(())
}
