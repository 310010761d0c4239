//! `databuild hashlist FOLDER`: what a benchmark holds, as hashes that can be passed on.

use std::io::Write;
use std::path::{Path, PathBuf};

use clean::{CleanPolicy, NoAssets};
use dedup::list::{Entry, HASHLIST_FORMAT, Header, Picture};
use dedup::{Hasher, PageSketch};
use item::{Capture, CharsetSource, Verdict};
use rayon::prelude::*;

use super::Outcome;
use crate::cli::HashlistArgs;
use crate::error::CommandError;
use crate::printer::Printer;

/// The width that `--viewport-height` is meant for.
const VIEWPORT_WIDTH: u32 = 1280;

/// Writes the list of a folder.
pub(crate) fn hashlist(args: &HashlistArgs, printer: Printer) -> Outcome {
    let files = files(&args.folder)?;
    let hasher = Hasher::default();
    let answers: Vec<(PathBuf, Result<Vec<Entry>, String>)> = files
        .into_par_iter()
        .map(|path| {
            let answer = entries(&path, &args.folder, &hasher, args.viewport_height);
            (path, answer)
        })
        .collect();
    let folder_name = args.folder.file_name().unwrap_or(args.folder.as_os_str()).to_string_lossy().into_owned();
    let name = args.name.clone().unwrap_or(folder_name);
    let mut lines = vec![to_line(&Header::new(HASHLIST_FORMAT, &name))?];
    for (path, answer) in answers {
        match answer {
            Ok(entries) => {
                for entry in &entries {
                    lines.push(to_line(entry)?);
                }
            }
            Err(why) => printer.note(&format!("left out {}: {why}", path.display())),
        }
    }
    if lines.len() == 1 {
        let error = format!("make a hash list of `{}`: no picture, page or domains.txt in it", args.folder.display());
        return Err(CommandError::usage(error));
    }
    printer.note(&format!("{} entries of {name}", lines.len() - 1));
    let Some(out) = &args.out else {
        printer.data(&lines.join("\n"));
        return Ok(());
    };
    lines.push(String::new());
    replace_file(out, lines.join("\n").as_bytes()).map_err(CommandError::environment)
}

/// Writes a file whole or not at all.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let absolute = std::path::absolute(path)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&absolute)?;
    Ok(())
}

pub(super) fn to_line(value: &impl serde::Serialize) -> Result<String, CommandError> {
    serde_json::to_string(value).map_err(CommandError::environment)
}

/// Every file below the folder, by name, so that the list is the same on every machine.
fn files(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| CommandError::usage(format!("read the folder `{path}`: {error}"))
    };
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let entry = entry.map_err(unreadable(&folder))?;
            // Links are not followed: they could lead in a circle.
            let kind = entry.file_type().map_err(unreadable(&folder))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn entries(path: &Path, folder: &Path, hasher: &Hasher, viewport_height: u32) -> Result<Vec<Entry>, String> {
    let relative = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
    let named = || Entry { name: relative.clone(), ..Entry::default() };
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let read = || std::fs::read(path).map_err(|error| error.to_string());
    match extension.as_str() {
        "png" | "jpg" | "jpeg" | "gif" | "webp" => {
            let picture = image::load_from_memory(&read()?).map_err(|error| error.to_string())?;
            let first = u64::from(picture.width()) * u64::from(viewport_height) / u64::from(VIEWPORT_WIDTH);
            let sight = hasher.hash_picture(&picture, first as u32).map_err(|error| error.to_string())?;
            Ok(vec![Entry { picture: Some(Picture::from(&sight)), ..named() }])
        }
        "html" | "htm" => {
            let html = String::from_utf8_lossy(&read()?).into_owned();
            Ok(vec![Entry { page: Some(sketch(html).to_text()), ..named() }])
        }
        "txt" if path.file_name().is_some_and(|name| name == "domains.txt") => {
            let text = String::from_utf8_lossy(&read()?).into_owned();
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            Ok(lines.map(|host| Entry { domain: Some(item::registrable_domain(host)), ..named() }).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// The sketch of a page as the pipeline would clean it; of the page itself where it would not keep it.
fn sketch(html: String) -> PageSketch {
    let policy = CleanPolicy { text_chars_min: 0, html_bytes_min: 0, ..CleanPolicy::default() };
    let capture = Capture {
        status: 200,
        headers: Vec::new(),
        mime: "text/html".into(),
        charset: "UTF-8".into(),
        charset_source: CharsetSource::Detected,
        html,
        truncated: false,
    };
    match clean::clean(&capture, "https://benchmark.example/", &policy, &NoAssets) {
        Verdict::Keep(kept) => PageSketch::of(&kept.body.html),
        _ => PageSketch::of(&capture.html),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dedup::leak::{Lists, Suspect};

    #[test]
    fn a_folder_becomes_a_list_that_finds_its_pages() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..80).map(|n| format!("word{}", char::from(b'a' + n % 26))).collect::<Vec<_>>().join(" ");
        let page = format!("<!doctype html><script>x</script><p class=a onclick=f()>{text}</p>");
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(folder.path().join("deep/1.html"), &page).unwrap();
        std::fs::write(folder.path().join("domains.txt"), "# ours\nwww.bench.co.uk\n").unwrap();
        std::fs::write(folder.path().join("broken.png"), "no picture").unwrap();
        let picture = image::RgbImage::from_fn(640, 700, |x, y| image::Rgb([(x / 9 * y / 7) as u8; 3]));
        picture.save(folder.path().join("1.png")).unwrap();
        let out = folder.path().join("bench.hashlist");
        let args = HashlistArgs {
            folder: folder.path().to_owned(),
            name: Some("bench".into()),
            viewport_height: 720,
            out: Some(out.clone()),
        };
        hashlist(&args, Printer::new(true)).unwrap();

        let mut lists = Lists::default();
        lists.read(std::io::BufReader::new(std::fs::File::open(out).unwrap())).unwrap();
        let (empty, sketch) = (PageSketch::of(""), sketch(page));
        let sight = Hasher::default().hash_picture(&picture.into(), 360).unwrap();
        let hits = lists.check(&[
            Suspect { domain: "bench.co.uk", sketch: None, sight: None },
            Suspect { domain: "a.org", sketch: Some(&sketch), sight: None },
            Suspect { domain: "a.org", sketch: Some(&empty), sight: Some(&sight) },
            Suspect { domain: "a.org", sketch: Some(&empty), sight: None },
        ]);
        let rules: Vec<_> = hits.iter().map(|hit| hit.as_ref().map(|hit| hit.rule.name)).collect();
        assert_eq!(rules, [Some("benchmark-domain"), Some("benchmark-text"), Some("benchmark-image"), None]);
    }
}
