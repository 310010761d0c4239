//! A contact sheet: pictures in one order, each with a caption, in one file.

use std::path::Path;

use maud::{DOCTYPE, PreEscaped, html};

use crate::ReportError;
use crate::report::publish;
use crate::thumbnail::Thumbnail;

const STYLE: &str = "
:root { color-scheme: light dark; }
body { margin: 24px; font: 14px/1.4 system-ui, sans-serif; background: Canvas; color: CanvasText; }
ol { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 16px; }
figure { margin: 0; }
img { width: 100%; height: 240px; object-fit: cover; object-position: top; border: 1px solid GrayText; background: white; }
figcaption { overflow-wrap: anywhere; }
strong { font-variant-numeric: tabular-nums; }
";

/// A picture of the sheet: small, so that thousands can wait for their order to be known.
#[derive(Debug, Clone)]
pub struct SheetPicture {
    thumbnail: Option<Thumbnail>,
    /// What stands out: a score.
    pub title: String,
    /// What the picture shows, and more about it.
    pub caption: String,
}

impl SheetPicture {
    /// Of a PNG, WebP or JPEG. One that cannot be decoded has its words alone.
    pub fn new(picture: &[u8], title: String, caption: String) -> Self {
        Self { thumbnail: Thumbnail::of(picture), title, caption }
    }
}

/// Writes a sheet of pictures in their order.
pub fn write_sheet(path: &Path, title: &str, pictures: &[&SheetPicture]) -> Result<(), ReportError> {
    let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                ol {
                    @for SheetPicture { thumbnail, title, caption } in pictures {
                        li {
                            figure {
                                @if let Some(Thumbnail { url, width, height, .. }) = thumbnail {
                                    img src=(url) width=(width) height=(height) alt={ "Screenshot of " (caption) } loading="lazy";
                                }
                                figcaption { strong { (title) } br; (caption) }
                            }
                        }
                    }
                }
            }
        }
    };
    publish(page.into_string().as_bytes(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_their_order_and_words_are_words() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("sheet.html");
        let mut png = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(8, 8).write_to(&mut png, image::ImageFormat::Png).expect("writes to memory");
        let picture = |bytes: &[u8], title: &str, caption: &str| SheetPicture::new(bytes, title.into(), caption.into());
        let png = png.get_ref();
        let pictures =
            [picture(png, "0.9", "first <b>"), picture(png, "0.5", "second"), picture(b"none", "0.1", "third")];
        write_sheet(&path, "Scores", &pictures.iter().collect::<Vec<_>>()).expect("written");
        let html = std::fs::read_to_string(&path).expect("there");
        let places: Vec<_> =
            ["first &lt;b&gt;", "second", "third"].iter().filter_map(|word| html.rfind(word)).collect();
        assert!(places.len() == 3 && places.is_sorted(), "{places:?}");
        assert_eq!(html.matches("data:image/jpeg").count(), 2);
    }
}
