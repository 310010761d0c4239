//! `databuild serve` in a real browser: its list, its boxes, and the code under the pointer.

mod common;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use common::{databuild, is_equipped, text};
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;

const BROWSERS: [&str; 2] = ["/usr/lib/chromium/chromium-headless-shell", "/usr/bin/chromium-headless-shell"];
/// A busy machine needs a while for a cold browser.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server that ends with its value.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(store: &Path) -> Self {
        let mut command = databuild();
        command.args(["serve", "pipelines/demo.toml", "--port", "0", "--store"]).arg(store);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut url).expect("it says where it is");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn browser() -> Option<Browser> {
    let path = BROWSERS.iter().map(PathBuf::from).find(|path| path.is_file())?;
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let options = LaunchOptions {
        path: Some(path),
        sandbox: !is_root,
        window_size: Some((1400, 900)),
        idle_browser_timeout: PATIENCE,
        args: vec![OsStr::new("--disable-gpu")],
        ..LaunchOptions::default()
    };
    Some(Browser::new(options).expect("it starts"))
}

/// What an expression is in the page.
fn value(tab: &Tab, expression: &str) -> Value {
    tab.evaluate(expression, true).expect("an expression").value.unwrap_or_default()
}

/// Waits until an expression holds.
fn wait(tab: &Tab, expression: &str) {
    for _ in 0..PATIENCE.as_millis() / 100 {
        if value(tab, expression) == Value::Bool(true) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("`{expression}` never holds");
}

#[test]
fn rows_are_paged_through_and_boxes_say_their_code() {
    let Some(browser) = browser().filter(|_| is_equipped()) else {
        println!("skipped: there is no chromium-headless-shell on this machine");
        return;
    };
    let store = tempfile::tempdir().expect("a folder");
    let mut run = databuild();
    run.args(["run", "pipelines/demo.toml", "--quiet", "--store"]).arg(store.path());
    let output = run.output().expect("the binary");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let server = Server::start(store.path());

    let tab = browser.new_tab().expect("a tab");
    tab.set_default_timeout(PATIENCE);
    tab.navigate_to(&server.url).and_then(|tab| tab.wait_until_navigated()).expect("it answers");
    let rows = tab.wait_for_elements("#rows button").expect("a list of rows");
    assert_eq!(rows.len(), 50);
    assert_eq!(value(&tab, "document.getElementById('place').textContent"), "1 to 50 of 59");
    tab.wait_for_element("#on").and_then(|on| on.click().map(drop)).expect("a button");
    wait(&tab, "document.getElementById('place').textContent === '51 to 59 of 59'");
    assert_eq!(value(&tab, "document.querySelectorAll('#rows button').length"), 9);

    // A row: its picture, a box for each element that is seen, and its code under the pointer.
    tab.wait_for_element("#rows button").and_then(|row| row.click().map(drop)).expect("a row");
    wait(&tab, "document.getElementById('image').naturalWidth > 0");
    wait(&tab, "document.querySelectorAll('#picture .box').length > 3");
    let title = value(&tab, "document.getElementById('row-title').textContent");
    let alt = value(&tab, "document.getElementById('image').alt");
    assert_eq!(alt, format!("Screenshot of {}", title.as_str().expect("a title")));
    let heading = "[...document.querySelectorAll('#picture .box')].find((box) => /^(h1|h2|p|a) /.test(box.getAttribute('aria-label')))";
    value(&tab, &format!("{heading}.id = 'chosen'"));
    tab.wait_for_element("#chosen").and_then(|chosen| chosen.move_mouse_over().map(drop)).expect("a box");
    wait(&tab, "document.getElementById('code').textContent !== ''");
    let code = value(&tab, "document.getElementById('code').textContent");
    let code = code.as_str().expect("code");
    let label = value(&tab, "document.getElementById('chosen').getAttribute('aria-label')");
    let tag = label.as_str().and_then(|label| label.split(' ').next()).expect("a tag");
    assert!(code.starts_with(&format!("<{tag}")) && code.ends_with('>'), "{label}: {code}");
    let is_of_the_row = "fetch(`/row/${location.hash.slice(1)}.html`).then((answer) => answer.text())\
        .then((html) => html.includes(document.getElementById('code').textContent))";
    assert_eq!(value(&tab, is_of_the_row), true);

    // The box lies where the element is in the picture.
    let lies = "fetch(`/row/${location.hash.slice(1)}.json`).then((answer) => answer.json()).then((row) => {\
        const picture = document.getElementById('image').getBoundingClientRect();\
        const scale = picture.width * row.device_scale_factor / row.scale[0];\
        const box = document.getElementById('chosen').getBoundingClientRect();\
        return row.nodes.some((node) => Math.abs(picture.left + node.x * scale - box.left) < 2\
            && Math.abs(picture.top + node.y * scale - box.top) < 2 && Math.abs(node.w * scale - box.width) < 3);\
    })";
    assert_eq!(value(&tab, lies), true);
    value(&tab, "document.getElementById('boxes').click()");
    assert_eq!(value(&tab, "getComputedStyle(document.getElementById('chosen')).display"), "none");

    // A row has an address, and the report is a page beside the list.
    let id = value(&tab, "location.hash.slice(1)");
    let other = browser.new_tab().expect("a tab");
    other.set_default_timeout(PATIENCE);
    let address = format!("{}#{}", server.url, id.as_str().expect("an id"));
    other.navigate_to(&address).and_then(|tab| tab.wait_until_navigated()).expect("it answers");
    wait(&other, &format!("document.getElementById('row-title').textContent === {title}"));
    other.navigate_to(&format!("{}report", server.url)).and_then(|tab| tab.wait_until_navigated()).expect("a report");
    wait(&other, "document.title.includes('databuild report')");
}
