//! Hostile pages: each ends in its verdict, pages rendered beside them come out as always, and nothing gets out.
#![expect(clippy::print_stdout, reason = "a skipped test says why, and verdicts are worth reading")]

#[path = "hostile/pages.rs"]
mod pages;

use std::ffi::OsString;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pages::{End, Hostile};
use render::{Farm, FarmConfig, RenderOutcome, RenderPolicy, find_chrome};

/// Time that a page may take.
const PAGE_TIMEOUT_MS: u64 = 4_000;
/// Time for everything around it: a browser that has to be ended and started anew, and a machine with other work.
const AROUND: Duration = Duration::from_mins(2);

const GOOD: &str =
    "<!doctype html><style>body{margin:0;background:#eef}h1{font-size:40px}</style><h1>good</h1><p>words<p>more";

#[test]
fn hostile_pages_end_and_hurt_nobody() {
    let path_var = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let chrome = match find_chrome(None, &path_var) {
        Ok(chrome) => chrome,
        Err(error) => return println!("skipped: {error}"),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let canary = folder.path().join("canary.html");
    std::fs::write(&canary, "<body style='background:#00ff01'>CANARY").expect("written");
    let (base, connections) = listen();
    let mut config = FarmConfig::new(chrome, 2);
    config.sandbox = false; // Tests run as root in containers.
    config.profile_root = Some(folder.path().to_owned());
    config.process_memory_max_bytes = 1 << 30;
    let farm = Farm::start(config).expect("starts");
    let good = rendered(farm.render(GOOD, &RenderPolicy::accept_all()));

    let done = AtomicBool::new(false);
    let neighbours = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let again = rendered(farm.render(GOOD, &RenderPolicy::accept_all()));
                assert!(again == good, "a neighbour came out differently");
                neighbours.fetch_add(1, Ordering::SeqCst);
            }
        });
        // Ends the neighbour even when an assertion fails here.
        let _done = SetOnDrop(&done);
        for hostile in pages::all(&base, &canary.display().to_string()) {
            attack(&farm, &hostile);
        }
    });
    thread::sleep(Duration::from_millis(500));
    println!("{} neighbours, {:?}", neighbours.into_inner(), farm.stats());
    assert_eq!(connections.load(Ordering::SeqCst), 0, "something reached out");
}

fn attack(farm: &Farm, hostile: &Hostile) {
    let policy = RenderPolicy {
        page_timeout_ms: PAGE_TIMEOUT_MS,
        scripts_ms: hostile.scripts_ms,
        blank_share_max: 1.0,
        ..RenderPolicy::default()
    };
    let start = Instant::now();
    let outcome = farm.render(&hostile.html, &policy);
    let (end, detail) = match &outcome {
        RenderOutcome::Rendered(page) => {
            assert!(page.nodes.iter().all(|node| !node.text.contains("CANARY")), "{}: canary", hostile.name);
            let picture = image::load_from_memory(&page.screenshot).expect("a PNG").to_rgb8();
            assert!(picture.pixels().all(|pixel| pixel.0 != [0, 255, 1]), "{}: canary", hostile.name);
            (End::Rendered, String::new())
        }
        RenderOutcome::Refused(rejection) => (End::Refused(rejection.rule.name), rejection.detail.clone()),
        RenderOutcome::Failed(failure) => (End::Failed(failure.class), failure.message.clone()),
    };
    println!("{:<38} {:>6.1} s  {end:?} {detail}", hostile.name, start.elapsed().as_secs_f64());
    assert!(hostile.ends.contains(&end), "{}: {end:?} is none of {:?}", hostile.name, hostile.ends);
    assert!(start.elapsed() < Duration::from_millis(2 * PAGE_TIMEOUT_MS) + AROUND, "{}", hostile.name);
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn rendered(outcome: RenderOutcome) -> render::Rendered {
    match outcome {
        RenderOutcome::Rendered(rendered) => rendered,
        other => panic!("not rendered: {other:?}"),
    }
}

/// A server that counts who comes.
fn listen() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    thread::spawn(move || {
        for _ in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (format!("http://127.0.0.1:{port}"), connections)
}
