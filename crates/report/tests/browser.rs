//! The report in a real Chrome: it runs without a complaint, its filter filters, and no word from the web does anything.
//! Screenshots are left in Cargo's folder for temporary files of tests, for people.

mod fixture;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fixture::Fixture;
use report::{CLUSTER_PICTURES_MAX, LOST_PICTURES_MAX_PER_RULE};

const BROWSERS: [&str; 2] = ["/usr/lib/chromium/chromium-headless-shell", "/usr/bin/chromium-headless-shell"];
/// A busy machine needs a while for a cold browser; a healthy one needs two seconds.
const BROWSER_TIMEOUT: Duration = Duration::from_mins(2);

fn browser() -> Option<&'static Path> {
    BROWSERS.iter().map(Path::new).find(|path| path.is_file())
}

/// Opens the file and gives what the browser wrote to stdout and stderr.
fn open(browser: &Path, scratch: &Path, page: &str, arguments: &[&str]) -> (String, String) {
    let (out, err) = (scratch.join("stdout"), scratch.join("stderr"));
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", scratch.join("profile").display()))
        .args(arguments)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(File::create(&out).expect("create"))
        .stderr(File::create(&err).expect("create"))
        .spawn()
        .expect("start the browser");
    let deadline = Instant::now() + BROWSER_TIMEOUT;
    while child.try_wait().expect("ask for the browser").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("end the browser");
            child.wait().expect("wait for the browser");
            panic!("the browser did not end in {BROWSER_TIMEOUT:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let read = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).expect("read")).into_owned();
    (read(out), read(err))
}

#[test]
fn the_report_works_in_chrome() {
    let Some(browser) = browser() else {
        println!("skipped: there is no chromium-headless-shell on this machine");
        return;
    };
    let fixture = Fixture::new(60);
    let out = fixture.out("report.html");
    let summary = fixture.write(&out).expect("write report");
    let scratch = tempfile::tempdir().expect("temporary folder");
    let url = format!("file://{}", out.display());

    let (dom, log) = open(browser, scratch.path(), &format!("{url}#filter=near-duplicate"), &["--dump-dom"]);
    assert!(!log.contains("CONSOLE"), "the page complains:\n{log}");
    assert!(dom.contains("<title>demo &lt;crawl&gt; – databuild report</title>"), "a word from the web did something");
    // In the gallery of the rule, and in the sheets of three clusters beside the page that was kept.
    let near = LOST_PICTURES_MAX_PER_RULE + 3 * (CLUSTER_PICTURES_MAX - 1);
    let found = dom.split("<output id=\"shown\" for=\"filter\">").nth(1).map(|rest| rest.split('<').next());
    assert_eq!(found, Some(Some(format!("{near} of {}", summary.cards).as_str())), "the filter does not filter");
    assert_eq!(dom.matches("<li class=\"card\" hidden=\"\">").count(), summary.cards - near);

    for (name, scheme) in [("dark", 0), ("light", 1)] {
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}.png"));
        let arguments = [
            &format!("--blink-settings=preferredColorScheme={scheme}"),
            &format!("--screenshot={}", picture.display()),
            "--window-size=1360,5200",
        ];
        let (_, log) = open(browser, scratch.path(), &url, &arguments);
        assert!(!log.contains("CONSOLE"), "the page complains:\n{log}");
        assert!(fs::metadata(&picture).expect("a screenshot").len() > 10_000);
        println!("{}", picture.display());
    }
}
