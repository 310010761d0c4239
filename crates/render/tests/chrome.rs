//! The farm with a real browser. Each test skips itself, with a reason, where there is none.
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use item::{FailureClass, Viewport, Visibility};
use render::{
    ColorScheme, Farm, FarmConfig, FarmEvent, ImageFormat, RenderOutcome, RenderPolicy, Rendered, RestartReason,
};

/// Two browsers with two tabs, in a folder of their own; `None`, with a printed reason, without a browser.
struct Rig {
    farm: Farm,
    profiles: tempfile::TempDir,
    events: Arc<Mutex<Vec<FarmEvent>>>,
}

fn rig(change: impl FnOnce(&mut FarmConfig)) -> Option<Rig> {
    let path_var = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let chrome = match render::find_chrome(None, &path_var) {
        Ok(chrome) => chrome,
        Err(error) => {
            println!("skipped: {error}");
            return None;
        }
    };
    let profiles = tempfile::tempdir().expect("a temporary folder");
    let mut config = FarmConfig::new(chrome, 2);
    config.sandbox = !rustix::process::geteuid().is_root();
    config.profile_root = Some(profiles.path().to_owned());
    change(&mut config);
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let farm = Farm::start_observed(config, Some(Arc::new(move |event| heard.lock().expect("whole").push(event))));
    Some(Rig { farm: farm.expect("starts"), profiles, events })
}

/// No geometry rules, so that small pages pass.
fn policy() -> RenderPolicy {
    RenderPolicy::accept_all()
}

fn rendered(outcome: RenderOutcome) -> Rendered {
    match outcome {
        RenderOutcome::Rendered(rendered) => rendered,
        other => panic!("not rendered: {other:?}"),
    }
}

fn failed(outcome: RenderOutcome) -> FailureClass {
    match outcome {
        RenderOutcome::Failed(failure) => {
            println!("failed as expected: {}", failure.message);
            failure.class
        }
        other => panic!("did not fail: {other:?}"),
    }
}

/// Running processes whose command line names the folder.
fn processes_of(folder: &std::path::Path) -> Vec<i32> {
    let needle = folder.to_str().expect("plain path");
    let entries = fs::read_dir("/proc").expect("proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
    pids.filter(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(needle)))
        .collect()
}

fn group_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// Processes of the group that are no zombies.
fn running_in_group(group: i32) -> usize {
    let entries = fs::read_dir("/proc").expect("proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    let running = |pid: &i32| {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| !s.contains(") Z ") && !s.contains(") X "))
    };
    pids.filter(|pid| group_of(*pid) == Some(group)).filter(running).count()
}

const PLAIN: &str = "<!doctype html><title>T</title><style>body{margin:0}h1{margin:0;height:50px;font-size:30px}
    p::before{content:'x'}.gone{display:none}</style><h1>Hello <b>there</b>  world</h1><p style='color:red'>text</p>
    <div class=gone><i>no</i></div><ul><li role=tab>one</ul><template><u>inert</u></template>";

#[test]
fn a_plain_page_has_its_boxes_texts_and_pixels() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let page = rendered(rig.farm.render(PLAIN, &policy()));
    assert_eq!((page.width, page.height, page.page_width, page.page_height), (1280, 720, 1280, 720));
    assert!(!page.truncated_height);
    let tags: Vec<_> = page.nodes.iter().map(|node| node.tag.as_str()).collect();
    let expected = ["html", "head", "title", "style", "body", "h1", "b", "p", "div", "i", "ul", "li", "template"];
    assert_eq!(tags, expected);
    let h1 = &page.nodes[5];
    assert_eq!((h1.rect.x, h1.rect.y, h1.rect.width, h1.rect.height), (0.0, 0.0, 1280.0, 50.0));
    assert_eq!((h1.text.as_str(), h1.role.as_deref(), h1.font_size), ("Hello world", Some("heading"), 30.0));
    let p = &page.nodes[7];
    assert_eq!((p.color.as_str(), p.style.as_deref()), ("rgb(255, 0, 0)", Some("color:red")));
    assert!(h1.visible && p.visible && !page.nodes[9].visible);
    assert_eq!(page.nodes[11].role.as_deref(), Some("tab"));
    let image = image::load_from_memory(&page.screenshot).expect("a PNG");
    assert_eq!((image.width(), image.height()), (1280, 720));

    let policy = RenderPolicy { viewport: Viewport { width: 400, height: 300, device_scale_factor: 2.0 }, ..policy() };
    let page = rendered(rig.farm.render(PLAIN, &policy));
    assert_eq!((page.width, page.height, page.page_width, page.page_height), (800, 600, 400, 300));
    assert_eq!(page.nodes[5].rect.width, 400.0, "boxes are in CSS px whatever the scale");
}

#[test]
fn a_dark_page_is_dark_and_a_long_one_is_cut() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let dark = "<!doctype html><body style='margin:0;background:#102030'><p style='color:#fff'>night";
    let page = rendered(rig.farm.render(dark, &policy()));
    let image = image::load_from_memory(&page.screenshot).expect("a PNG").to_rgb8();
    assert_eq!(image.get_pixel(1279, 719).0, [0x10, 0x20, 0x30]);
    assert_eq!(page.nodes[2].background, "rgb(16, 32, 48)");

    // A first screen of its own height and a box fixed at the bottom: painting beyond the viewport must not lay out anew.
    let long = "<!doctype html><style>body{margin:0}</style><div style='height:100vh;background:#f00'></div>
        <div style='height:9000px;background:#00f'></div>
        <div style='position:fixed;bottom:0;width:100%;height:20px;background:#0f0'></div>";
    let page = rendered(rig.farm.render(long, &policy()));
    assert_eq!((page.height, page.page_height, page.truncated_height), (4096, 9720, true));
    let image = image::load_from_memory(&page.screenshot).expect("a PNG").to_rgb8();
    assert_eq!(image.get_pixel(5, 690).0, [255, 0, 0]);
    assert_eq!(image.get_pixel(5, 710).0, [0, 255, 0], "the fixed box stays where its node says");
    assert_eq!(image.get_pixel(5, 730).0, [0, 0, 255]);
    assert_eq!(image.get_pixel(5, 4095).0, [0, 0, 255]);
}

#[test]
fn geometry_refuses_before_paint() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let check = |html: &str, expected: &str| match rig.farm.render(html, &RenderPolicy::default()) {
        RenderOutcome::Refused(rejection) => assert_eq!(rejection.rule.name, expected, "{html}"),
        other => panic!("{html}: {other:?}"),
    };
    check("<div style='height:1000000000px'>a</div><p>b<p>c", "page-too-tall");
    check("<div style='width:9000px'>a</div><p>b<p>c", "page-too-wide");
    check("", "no-visible-elements");
    check("<body style='margin:0'><i>a</i><i>b</i><i>c</i>", "no-area");
}

const MOVING: &str = "<!doctype html><style>@keyframes in{from{opacity:0}to{opacity:1}}@keyframes go{to{margin-left:500px}}
    .a{animation:in 9s both}.b{animation:go 1s infinite;width:50px;background:red}</style><h1 class=a>faded in</h1>
    <div class=b>moves</div><marquee>runs</marquee><input autofocus value=caret><textarea>t</textarea><progress></progress>
    <svg width=200 height=100><circle r=9 cx=50 cy=50><animate attributeName=r from=1 to=50 dur=2s repeatCount=indefinite
    /></circle></svg><img name=fonts><form name=activeElement></form><p style='background:linear-gradient(red,blue)'>g</p>";

/// Compares the stored bytes; says where they differ, as bytes say nothing.
fn assert_same_pixels(one: &Rendered, other: &Rendered) {
    if one.screenshot == other.screenshot {
        return;
    }
    let decode = |page: &Rendered| image::load_from_memory(&page.screenshot).expect("a PNG").to_rgb8();
    let (one, other) = (decode(one), decode(other));
    let pairs = one.enumerate_pixels().zip(other.pixels());
    let differ: Vec<_> = pairs.filter(|((_, _, a), b)| a != b).map(|((x, y, _), _)| (x, y)).collect();
    panic!("{} px differ, from {:?} to {:?}", differ.len(), differ.first(), differ.last());
}

#[test]
fn the_same_page_gives_the_same_bytes_at_any_time_and_beside_others() {
    let Some(rig) = rig(|_| {}) else { return };
    let first = rendered(rig.farm.render(MOVING, &policy()));
    assert!(first.nodes.iter().any(|node| node.text == "faded in" && node.visible), "animations end, not begin");
    let left = AtomicUsize::new(20);
    thread::scope(|scope| {
        for thread in 0..6 {
            let (rig, first, left) = (&rig, &first, &left);
            scope.spawn(move || {
                while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                    let other = format!("<body style='background:#0{thread}0'><h1 style='font-size:90px'>other</h1>");
                    rendered(rig.farm.render(&other, &policy()));
                    let again = rendered(rig.farm.render(MOVING, &policy()));
                    assert_eq!(again.nodes, first.nodes);
                    assert_same_pixels(&again, first);
                }
            });
        }
    });
    assert_eq!(rig.farm.stats().retries, 0);
}

#[test]
fn a_character_has_the_same_font_whatever_was_shown_before() {
    let page = |lang: &str, text: &str| format!("<!doctype html><html lang={lang}><body><h1>{text}</h1>");
    let check = |before: &str, shown: &str| {
        let rig = || rig(|config| config.browsers = 1);
        let (Some(fresh), Some(used)) = (rig(), rig()) else { return };
        let alone = rendered(fresh.farm.render(shown, &policy()));
        rendered(used.farm.render(before, &policy()));
        let after = rendered(used.farm.render(shown, &policy()));
        assert_eq!(after.nodes, alone.nodes, "{shown} after {before}");
        assert_same_pixels(&after, &alone);
    };
    check(&page("ja", "「骨」。、"), &page("zh-TW", "「骨」。、"));
    check(&page("zh-CN", "「骨」。、★"), &page("ko", "「骨」。、★"));
    check(&page("en", "骨★"), &page("zh-CN", "骨★"));
    check(&page("en", "\u{2764}\u{fe0f}\u{2714}\u{fe0f}"), &page("en", "\u{2764}\u{2714}"));
    check(&page("en", "\u{2764}\u{2714}"), &page("en", "\u{2764}\u{fe0f}\u{2714}\u{fe0f}"));
}

#[test]
fn a_font_has_the_size_that_the_page_says() {
    let page = |outer: &str, inner: &str| {
        let text = "Tags of many sizes ".repeat(20);
        format!("<!doctype html><body style='font-size:{outer}'><p style='font-size:{inner}'>{text}")
    };
    let rig = || rig(|config| config.browsers = 1);
    let check = |before: &str, shown: &str| {
        let (Some(fresh), Some(used)) = (rig(), rig()) else { return };
        let alone = rendered(fresh.farm.render(shown, &policy()));
        let before = rendered(used.farm.render(before, &policy()));
        assert_ne!(before.screenshot, alone.screenshot, "the sizes differ");
        assert_same_pixels(&rendered(used.farm.render(shown, &policy())), &alone);
        assert_eq!(used.farm.stats().tabs_renewed, 1);
    };
    check(&page("16px", "19.205px"), &page("16px", "19.2179px"));
    // Both read 19.8 px; the second is 19.800001.
    check(&page("16px", "19.8px"), &page("11pt", "1.35em"));
    check(&page("11pt", "1.35em"), &page("16px", "19.8px"));
}

#[test]
fn nothing_leaves_the_machine_and_nothing_is_read_from_it() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    thread::spawn(move || {
        for _ in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let canary = rig.profiles.path().join("canary.html");
    fs::write(&canary, "<body style='background:#00ff01'>CANARY").expect("written");
    let (canary, base) = (canary.display(), format!("http://127.0.0.1:{port}"));
    let tries = [
        format!("<img src={base}/a><img srcset='{base}/b 2x'><picture><source srcset={base}/c><img></picture>"),
        format!(
            "<link rel=stylesheet href={base}/a><style>@import url({base}/b);p{{background:url({base}/c)}}</style>"
        ),
        format!("<style>@font-face{{font-family:f;src:url({base}/f.woff2)}}p{{font-family:f}}</style>"),
        format!(
            "<iframe src={base}/a></iframe><iframe srcdoc='<img src={base}/b>'></iframe><object data={base}/c></object>"
        ),
        format!(
            "<link rel=prefetch href={base}/a><link rel=preload as=image href={base}/b><link rel=preconnect href={base}>"
        ),
        format!(
            "<link rel=dns-prefetch href=//localhost:{port}><link rel=prerender href={base}/a><link rel=icon href={base}/i>"
        ),
        format!("<meta http-equiv=refresh content='0;url={base}/a'>"),
        format!("<meta http-equiv=refresh content='0;url=file://{canary}'>"),
        format!("<form action={base}/a><input autofocus></form><video src={base}/v poster={base}/p autoplay></video>"),
        format!("<svg><image href={base}/a width=9 height=9 /><use href='{base}/b#c' /></svg><embed src={base}/e>"),
        format!(
            "<iframe src=file://{canary}></iframe><img src=file://{canary}><iframe src=file:///etc/hostname></iframe>"
        ),
        format!(
            "<script>fetch('{base}/s')</script><script src={base}/t></script><body onload=\"location='{base}/u'\">"
        ),
        format!("<base href={base}><img src=rel.png><a ping={base}/ping href={base}/a>a</a><track src={base}/t>"),
    ];
    for attempt in &tries {
        let html = format!("<!doctype html><body><p id=own>own words</p>{attempt}");
        for _ in 0..2 {
            let page = rendered(rig.farm.render(&html, &policy()));
            assert!(page.nodes.iter().any(|node| node.text == "own words"), "{attempt}: another document");
            assert!(page.nodes.iter().all(|node| !node.text.contains("CANARY")), "{attempt}");
            let image = image::load_from_memory(&page.screenshot).expect("a PNG").to_rgb8();
            assert!(image.pixels().all(|pixel| pixel.0 != [0, 255, 1]), "{attempt}: canary in the pixels");
        }
    }
    thread::sleep(Duration::from_millis(500));
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    assert_eq!(rig.farm.stats().retries, 0);
}

#[test]
fn a_crashing_page_fails_and_its_neighbours_do_not_notice() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let crash = format!("<!doctype html><body>{}x", "<div style='display:inline-block'>".repeat(500));
    let good = rendered(rig.farm.render(PLAIN, &policy()));
    thread::scope(|scope| {
        let crashed = scope.spawn(|| failed(rig.farm.render(&crash, &policy())));
        for _ in 0..5 {
            assert_eq!(rendered(rig.farm.render(PLAIN, &policy())), good);
        }
        assert_eq!(crashed.join().expect("no panic"), FailureClass::Crash);
    });
    assert_eq!(rendered(rig.farm.render(PLAIN, &policy())), good);
}

#[test]
fn a_hung_page_times_out_and_its_tab_is_replaced() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let hang = format!("<!doctype html><body>{}", "<div style='filter:blur(9px)'>".repeat(60_000));
    let short = RenderPolicy { page_timeout_ms: 3_000, elements_max: 100_000, ..policy() };
    let start = Instant::now();
    assert_eq!(failed(rig.farm.render(&hang, &short)), FailureClass::Timeout);
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    rendered(rig.farm.render(PLAIN, &policy()));
    assert_eq!((rig.farm.stats().tabs_replaced, rig.farm.stats().retries), (1, 0));
}

struct StopOnDrop<'a>(&'a AtomicUsize);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(1, Ordering::SeqCst);
    }
}

#[test]
fn a_killed_browser_costs_no_page() {
    let Some(rig) = rig(|config| config.browsers = 2) else { return };
    let good = rendered(rig.farm.render(PLAIN, &policy()));
    let stop = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while stop.load(Ordering::SeqCst) == 0 {
                    assert_eq!(rendered(rig.farm.render(PLAIN, &policy())), good);
                }
            });
        }
        // Ends the others even when an assertion fails here.
        let _stop = StopOnDrop(&stop);
        // A browser may die between two pages, and then nobody is retried; it does not each time.
        for _ in 0..20 {
            thread::sleep(Duration::from_secs(1));
            if rig.farm.stats().retries > 0 {
                break;
            }
            let before = lost(&rig);
            let _ = rustix::process::kill_process(leader(&rig).expect("a browser"), rustix::process::Signal::KILL);
            let deadline = Instant::now() + Duration::from_secs(30);
            while lost(&rig) == before {
                assert!(Instant::now() < deadline, "a dead browser is replaced");
                thread::sleep(Duration::from_millis(20));
            }
        }
    });
    let stats = rig.farm.stats();
    assert!(stats.retries > 0, "{stats:?}");
    assert!(rig.events.lock().expect("whole").iter().any(|e| matches!(e, FarmEvent::PageRetried { .. })));
}

/// Browsers that were replaced because they did not answer. One that dies while a tab is opened may count as hung.
fn lost(rig: &Rig) -> u64 {
    let stats = rig.farm.stats();
    stats.restarts_for(RestartReason::Died) + stats.restarts_for(RestartReason::Hung)
}

/// The browser process that leads its group.
fn leader(rig: &Rig) -> Option<rustix::process::Pid> {
    let leader = processes_of(rig.profiles.path()).into_iter().find(|pid| group_of(*pid) == Some(*pid))?;
    rustix::process::Pid::from_raw(leader)
}

#[test]
fn browsers_are_replaced_by_pages_and_nothing_is_left_at_the_end() {
    let Some(rig) = rig(|config| config.pages_per_browser_max = 4) else { return };
    let groups = Mutex::new(std::collections::BTreeSet::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    rendered(rig.farm.render(PLAIN, &policy()));
                    let mine = processes_of(rig.profiles.path()).into_iter().filter_map(group_of);
                    groups.lock().expect("whole").extend(mine);
                }
            });
        }
    });
    let stats = rig.farm.stats();
    assert!(stats.restarts_for(RestartReason::Pages) >= 2, "{stats:?}");
    assert_eq!((stats.pages, stats.tabs_busy), (20, 0));
    rig.farm.shutdown();
    let left: Vec<PathBuf> = fs::read_dir(rig.profiles.path()).expect("listed").flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    for group in groups.into_inner().expect("whole") {
        assert_eq!(running_in_group(group), 0, "group {group}");
    }
}

#[test]
fn a_page_that_eats_memory_is_stopped() {
    let Some(rig) = rig(|config| {
        (config.browsers, config.process_memory_max_bytes) = (1, 200 << 20);
    }) else {
        return;
    };
    let big = format!("<!doctype html><body>{}", "<p style='display:grid'>a<b>b</b><i>c</i>".repeat(120_000));
    // Slow machines must come to the limit of memory before that of time.
    let long = RenderPolicy { elements_max: 1_000_000, step_timeout_ms: 120_000, page_timeout_ms: 120_000, ..policy() };
    assert_eq!(failed(rig.farm.render(&big, &long)), FailureClass::Limit);
    rendered(rig.farm.render(PLAIN, &policy()));
}

#[test]
fn views_differ_as_their_policies_say() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let html = "<!doctype html><style>body{margin:0;background:#fff}
        @media (prefers-color-scheme:dark){body{background:#000}}@media (max-width:400px){body{border-top:9px solid red}}
        @media (prefers-reduced-motion:no-preference){p{color:lime}}</style><p>words";
    let corner = |policy: &RenderPolicy| {
        let page = rendered(rig.farm.render(html, policy));
        let picture = image::load_from_memory(&page.screenshot).expect("a picture").to_rgb8();
        (picture.get_pixel(picture.width() - 1, 1).0, page.nodes.last().expect("p").color.clone())
    };
    let phone = Viewport { width: 375, height: 700, device_scale_factor: 2.0 };
    let check = |policy: RenderPolicy, pixel: [u8; 3], color: &str| {
        assert_eq!(corner(&policy), (pixel, color.to_owned()), "{policy:?}");
    };
    check(policy(), [255; 3], "rgb(0, 0, 0)");
    check(RenderPolicy { color_scheme: ColorScheme::Dark, ..policy() }, [0; 3], "rgb(0, 0, 0)");
    check(RenderPolicy { viewport: phone, ..policy() }, [255, 0, 0], "rgb(0, 0, 0)");
    check(RenderPolicy { reduced_motion: false, ..policy() }, [255; 3], "rgb(0, 255, 0)");
    // A tab goes back to what the first policy says.
    check(policy(), [255; 3], "rgb(0, 0, 0)");
}

#[test]
fn every_format_is_what_it_says_and_tall_pages_are_tiled() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let html = "<!doctype html><body style='margin:0'><div style='height:9000px;background:#00f'></div>
        <div style='height:9000px;background:#f00'></div>";
    let check = |format: ImageFormat, kind: image::ImageFormat, height: u32| {
        let page = rendered(rig.farm.render(html, &RenderPolicy { format, height_max: 20_000, ..policy() }));
        assert_eq!((page.height, page.truncated_height), (height, height < 18_000), "{format:?}");
        assert_eq!(image::guess_format(&page.screenshot).expect("a picture"), kind);
        let picture = image::load_from_memory(&page.screenshot).expect("a picture").to_rgb8();
        let near = |y: u32, expected: [u8; 3]| {
            let pixel = picture.get_pixel(9, y).0;
            assert!(pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 9), "{format:?} at {y}: {pixel:?}");
        };
        near(8_990, [0, 0, 255]);
        near(9_010, [255, 0, 0]);
        near(height - 1, [255, 0, 0]);
    };
    check(ImageFormat::Png, image::ImageFormat::Png, 18_000);
    check(ImageFormat::Jpeg(90), image::ImageFormat::Jpeg, 18_000);
    check(ImageFormat::Webp(90), image::ImageFormat::WebP, 16_383);
    check(ImageFormat::WebpLossless, image::ImageFormat::WebP, 16_383);
}

#[test]
fn nodes_say_what_they_are_called_and_whether_they_can_be_seen() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let html = "<!doctype html><style>body{margin:0;font:700 20px Arial}div{position:absolute;width:100px;height:20px}
        #cut{overflow:hidden;height:30px;width:100px}</style>
        <div id=low style='top:200px'>low</div><div id=high style='top:200px;background:#fff;z-index:2'>high</div>
        <div id=away style='left:-500px'>away</div><div id=clear style='opacity:0'>clear</div>
        <div id=cut style='top:300px'><p id=inner style='margin-top:60px'>inner</p></div>
        <button id=b aria-label='Close it'>x</button><label>Mail <input id=i></label>";
    let page = rendered(rig.farm.render(html, &policy()));
    let node = |text: &str| page.nodes.iter().find(|node| node.text == text).expect(text);
    let check = |text: &str, expected: Visibility| assert_eq!(node(text).visibility, expected, "{text}");
    check("low", Visibility::Covered);
    check("high", Visibility::Visible);
    check("away", Visibility::OffScreen);
    check("clear", Visibility::Transparent);
    check("inner", Visibility::Clipped);
    assert!(node("high").paint_order > node("low").paint_order);
    assert_eq!((node("low").font_weight, node("low").font_family.as_str()), (700, "Arial"));
    assert_eq!(node("x").name, "Close it");
    assert_eq!(page.nodes.iter().find(|node| node.tag == "input").expect("input").name, "Mail");
}

#[test]
fn scripts_run_only_when_they_are_asked_for_and_with_a_pinned_clock() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let html = "<!doctype html><p id=p>still</p><script>alert('a');
        p.textContent = 'ran ' + Math.random() + ' ' + Date.now() + ' ' + new Date().getFullYear()</script>";
    let text = |scripts_ms: Option<u64>| {
        let page = rendered(rig.farm.render(html, &RenderPolicy { scripts_ms, twice: true, ..policy() }));
        assert_eq!(page.stable, Some(true));
        page.nodes.iter().find(|node| node.tag == "p").expect("p").text.clone()
    };
    assert_eq!(text(None), "still");
    let ran = text(Some(100));
    assert!(ran.starts_with("ran 0.") && ran.ends_with(" 1717243200000 2024"), "{ran}");
    assert_eq!(text(None), "still");
    assert_eq!(text(Some(100)), ran);
}

#[test]
fn requests_of_pages_are_refused_and_counted() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let page = "<img src=http://127.0.0.1:9/a.png><link rel=stylesheet href=http://127.0.0.1:9/a.css><p>text";
    rendered(rig.farm.render(page, &policy()));
    assert_eq!(rig.farm.stats().requests_refused, 2);
    rendered(rig.farm.render("<p>text<img src=data:image/png;base64,AA==>", &policy()));
    assert_eq!(rig.farm.stats().requests_refused, 2);
}

#[test]
fn a_document_is_given_as_its_scripts_left_it() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    // Names of elements hide members of the document, and what is fetched is not there.
    let html = "<!doctype html><title>t</title><form name=documentElement></form><div id=root></div>
        <script src=\"data:text/javascript,root.innerHTML='<p>from elsewhere'\"></script>
        <script>
            setTimeout(() => { root.firstChild.textContent = 'later'; }, 50);
            fetch('http://127.0.0.1:9/').catch(() => { document.title = 'alone'; });
        </script>";
    let made = rig.farm.materialise(html, &RenderPolicy { scripts_ms: Some(500), ..policy() }).expect("a document");
    assert!(made.starts_with("<!DOCTYPE html><html><head><title>alone</title>"), "{made}");
    assert!(made.contains("<div id=\"root\"><p>later</p></div>"), "{made}");
    let endless = "<script>for (;;);</script>";
    let quick = RenderPolicy { scripts_ms: Some(100), page_timeout_ms: 1_500, ..policy() };
    assert!(rig.farm.materialise(endless, &quick).is_err());
    assert!(rig.farm.materialise("<p>next", &policy()).expect("a document").contains("<p>next</p>"));
}

#[test]
fn the_test_card_comes_out_as_it_should() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let report = render::render_card(&rig.farm);
    println!("no letters for {:?}", report.missing_scripts);
    assert_eq!(report.faults, []);
}

/// The browser behind a script that leaves a flag out, adds one, or sets a variable.
fn wrapped(folder: &std::path::Path, chrome: &std::path::Path, without: &str, with: &str, set: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("chrome");
    let arguments = format!("for flag do shift; [ \"$flag\" = \"{without}\" ] || set -- \"$@\" \"$flag\"; done");
    let script = format!("#!/bin/sh\n{set}\n{arguments}\nexec '{}' \"$@\" {with}\n", chrome.display());
    fs::write(&path, script).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    path
}

#[test]
fn the_test_card_says_which_flag_or_font_is_wrong() {
    let scripts = tempfile::tempdir().expect("a temporary folder");
    let no_fonts = scripts.path().join("fonts.conf");
    fs::write(&no_fonts, "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig></fontconfig>")
        .expect("written");
    let no_fonts = format!("export FONTCONFIG_FILE={}", no_fonts.display());
    let check = |without: &str, with: &str, set: &str, expected: &str| {
        let change = |config: &mut FarmConfig| {
            (config.browsers, config.chrome) = (1, wrapped(scripts.path(), &config.chrome, without, with, set));
        };
        let Some(rig) = rig(change) else { return };
        let report = render::render_card(&rig.farm);
        let said: Vec<String> = report.faults.iter().map(|fault| format!("{fault} -> {}", fault.advice())).collect();
        println!("{said:?}, no letters for {:?}", report.missing_scripts);
        assert!(said.iter().any(|said| said.contains(expected)), "{without} {with} {set}: {said:?}");
    };
    check("", "--force-color-profile=color-spin-gamma24", "", "--force-color-profile");
    check("", "", &no_fonts, "install fonts");
}

#[test]
fn farms_fit_the_machine() {
    let config = |cores: usize, gigabytes: u64| {
        let config = FarmConfig::for_machine(PathBuf::from("chrome"), cores, gigabytes << 30);
        assert!(config.browser_memory_ceiling_bytes * config.browsers as u64 <= gigabytes << 30);
        assert!(config.process_memory_max_bytes <= config.browser_memory_ceiling_bytes);
        config.browsers
    };
    assert_eq!((config(8, 64), config(8, 4), config(2, 1)), (9, 4, 1));
}

#[test]
fn a_page_inherits_nothing_from_the_one_before() {
    let Some(rig) = rig(|config| config.browsers = 1) else { return };
    let first = rendered(rig.farm.render(PLAIN, &policy()));
    for before in [
        "<!doctype html><meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><p>y",
        "<p>quirks</p><base href=https://example.com/><meta http-equiv=content-language content=ja>",
        "<!doctype html><body style='zoom:2'><div id=x style='height:9000px'></div><input autofocus>",
    ] {
        rendered(rig.farm.render(before, &policy()));
        assert_eq!(rendered(rig.farm.render(PLAIN, &policy())), first, "after {before}");
    }
}
