//! Writes `pipelines/sample/sample.warc.gz` and `assets.warc.gz` from the sources beside them.

use anyhow::Context as _;
use testkit::sample::{self, Sample};

fn main() -> anyhow::Result<()> {
    let folder = sample::folder();
    let sample = Sample::read(&folder)?;
    for (name, archive) in [(sample::PAGES_FILE, &sample.pages), (sample::ASSETS_FILE, &sample.assets)] {
        let path = folder.join(name);
        std::fs::write(&path, archive.build_gz()).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}
