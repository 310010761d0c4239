//! Pages that reach out: whatever address they name becomes that of a server on loopback, and each also asks for a file.
//! Neither may be reached, so what arrives at the server and what shows of the file is counted.
//!
//! The pages are rendered as they were captured, scripts and all: cleaned pages ask for nothing.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use render::{FarmConfig, RenderOutcome, RenderPolicy, Rendered};

use super::{Outcome, name_of, start};
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Time that the scripts of a page have.
const SCRIPTS_MS: u64 = 200;
/// What comes late, after the last page.
const GRACE: Duration = Duration::from_secs(1);
/// Words and colour that no page has by chance.
const CANARY: &str = "canary-7f1c02d9";
const CANARY_COLOUR: [u8; 3] = [0, 255, 1];
/// Ways in which each page asks for the file: see [`reaching_out`].
const FILE_REQUESTS: usize = 5;

pub(super) fn closed(pages: &[String], config: &FarmConfig, policy: &RenderPolicy, printer: Printer) -> Outcome {
    let folder = tempfile::tempdir().map_err(CommandError::environment)?;
    let canary = folder.path().join("canary.html");
    std::fs::write(&canary, format!("<body style='background:#00ff01'>{CANARY}")).map_err(CommandError::environment)?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(CommandError::environment)?;
    let base = format!("http://{}", listener.local_addr().map_err(CommandError::environment)?);
    let connections: &'static AtomicUsize = Box::leak(Box::default());
    thread::spawn(move || {
        for _ in listener.incoming() {
            connections.fetch_add(1, Ordering::SeqCst);
        }
    });
    // A farm that cannot reach the server proves nothing unless the server can be reached.
    std::net::TcpStream::connect(base.trim_start_matches("http://")).map_err(CommandError::environment)?;

    let policy = RenderPolicy { scripts_ms: Some(SCRIPTS_MS), ..policy.clone() };
    let (addresses, seen, next) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let outcomes: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let farm = start(config)?;
    thread::scope(|scope| {
        for _ in 0..config.browsers {
            scope.spawn(|| {
                while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (html, count) = reaching_out(page, &base, &canary.display().to_string());
                    addresses.fetch_add(count, Ordering::Relaxed);
                    let outcome = farm.render(&html, &policy);
                    if let RenderOutcome::Rendered(page) = &outcome {
                        seen.fetch_add(usize::from(shows_canary(page)), Ordering::Relaxed);
                    }
                    *outcomes.lock().expect("no thread panics with it").entry(name_of(&outcome)).or_default() += 1;
                }
            });
        }
    });
    thread::sleep(GRACE);
    farm.shutdown();

    for (outcome, count) in outcomes.into_inner().expect("no thread panics with it") {
        printer.data(&format!("pages          {count} {outcome}"));
    }
    printer.data(&format!(
        "addresses      {} led to the server, {} to the file",
        addresses.into_inner(),
        FILE_REQUESTS * pages.len()
    ));
    // Ours was the first.
    let (connections, seen) = (connections.load(Ordering::SeqCst) - 1, seen.into_inner());
    printer.data(&format!("reached        {connections} connections, {seen} pages that show the file"));
    if connections + seen == 0 {
        return Ok(());
    }
    let error = anyhow::anyhow!("keep pages from the world: {connections} connections, {seen} pages with the file");
    Err(CommandError::new(ExitStatus::CheckFailed, error))
}

/// The page with every address of a server led to `base`, and with requests for the file; and how many addresses it had.
fn reaching_out(page: &str, base: &str, file: &str) -> (String, usize) {
    let mut html = format!("<!doctype html><base href='{base}/'>");
    let mut count = 0;
    let mut rest = page;
    while let Some(at) = rest.find("//") {
        let (before, after) = rest.split_at(at);
        let scheme = ["https:", "http:", "wss:", "ws:"].into_iter().find(|scheme| before.ends_with(scheme));
        let relative = before.ends_with(['"', '\'', '(', '=']);
        let host = after[2..].find(|c: char| !(c.is_ascii_alphanumeric() || "-._:@%[]".contains(c)));
        let end = 2 + host.unwrap_or(after.len() - 2);
        if end > 2 && (scheme.is_some() || relative) {
            html.push_str(&before[..before.len() - scheme.map_or(0, str::len)]);
            html.push_str(base);
            count += 1;
        } else {
            html.push_str(before);
            html.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    html.push_str(rest);
    let file = format!(
        "<img src='file://{file}'><iframe src='file://{file}'></iframe><embed src='file://{file}'>
         <link rel=stylesheet href='file://{file}'><script>fetch('file://{file}').then(r => r.text())
         .then(t => document.body.append(t))</script>"
    );
    html.push_str(&file);
    (html, count)
}

fn shows_canary(page: &Rendered) -> bool {
    let told = page.nodes.iter().any(|node| node.text.contains(CANARY));
    let picture = image::load_from_memory(&page.screenshot).map(image::DynamicImage::into_rgb8);
    told || picture.is_ok_and(|picture| picture.pixels().any(|pixel| pixel.0 == CANARY_COLOUR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_a_server_is_led_away() {
        let check = |page: &str, expected: &str, count: usize| {
            let (html, found) = reaching_out(page, "http://127.0.0.1:9", "/c");
            let own = html.strip_prefix("<!doctype html><base href='http://127.0.0.1:9/'>").expect("the base");
            assert!(own.starts_with(expected), "{own}");
            assert_eq!(found, count, "{page}");
        };
        check("<a href=https://a.b/c?d>", "<a href=http://127.0.0.1:9/c?d>", 1);
        check("url(//a.b:80/c) 'http://d'", "url(http://127.0.0.1:9/c) 'http://127.0.0.1:9'", 2);
        check("a // b /* c */ x//y", "a // b /* c */ x//y", 0);
        check("é<img src='//ü", "é<img src='//ü", 0);
    }
}
