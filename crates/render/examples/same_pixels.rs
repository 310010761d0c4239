//! Renders every `*.html` of a folder some times and says which pages come out differently, and where.
//!
//! `cargo run --release -p render --example same_pixels -- FOLDER [TIMES]`
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;

use image::RgbaImage;
use render::{Farm, FarmConfig, RenderOutcome, RenderPolicy, find_chrome};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let times: usize = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let mut paths: Vec<_> = std::fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "html"));
    paths.sort();

    let path_var = std::env::var_os("PATH").unwrap_or_default();
    let mut config = FarmConfig::new(find_chrome(None, &path_var)?, 2);
    config.sandbox = false;
    let (farm, policy) = (Farm::start(config)?, RenderPolicy::accept_all());
    let mut different = 0;
    for path in &paths {
        let html = std::fs::read_to_string(path)?;
        let pictures = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for worker in 0..4 {
                let (farm, policy, html, pictures) = (&farm, &policy, &html, &pictures);
                scope.spawn(move || {
                    for _ in (worker..times).step_by(4) {
                        if let RenderOutcome::Rendered(page) = farm.render(html, policy) {
                            pictures.lock().expect("whole").push(page.screenshot);
                        }
                    }
                });
            }
        });
        let mut pictures = pictures.into_inner()?;
        let count = pictures.len();
        pictures.sort();
        pictures.dedup();
        if pictures.len() > 1 {
            different += 1;
            let decode = |png: &[u8]| image::load_from_memory(png).map(|picture| picture.to_rgba8());
            let place = difference(&decode(&pictures[0])?, &decode(&pictures[1])?);
            println!("{}: {} pictures of {count} renders, {place}", path.display(), pictures.len());
        }
    }
    println!("{different} of {} pages differ", paths.len());
    farm.shutdown();
    Ok(())
}

fn difference(a: &RgbaImage, b: &RgbaImage) -> String {
    if a.dimensions() != b.dimensions() {
        return format!("{:?} and {:?}", a.dimensions(), b.dimensions());
    }
    let differing =
        || a.enumerate_pixels().zip(b.pixels()).filter(|((_, _, a), b)| a != b).map(|((x, y, _), _)| (x, y));
    let (xs, ys): (Vec<u32>, Vec<u32>) = differing().unzip();
    let range = |values: &[u32]| (values.iter().min().copied(), values.iter().max().copied());
    format!("{} pixels, x {:?}, y {:?}", xs.len(), range(&xs), range(&ys))
}
