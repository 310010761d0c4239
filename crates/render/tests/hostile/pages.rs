//! Pages that attack a browser, written by code.

use std::fmt::Write as _;

use item::FailureClass;

/// How a page may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Rendered,
    Refused(&'static str),
    Failed(FailureClass),
}

/// A page and the ends that are right for it: several where it depends on the machine's speed and memory.
#[derive(Debug)]
pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    pub(crate) html: String,
    /// Its scripts run for so long.
    pub(crate) scripts_ms: Option<u64>,
    pub(crate) ends: &'static [End],
}

const TIMEOUT: End = End::Failed(FailureClass::Timeout);
const CRASH: End = End::Failed(FailureClass::Crash);
const LIMIT: End = End::Failed(FailureClass::Limit);
/// A script took the page away and left an empty one.
const EMPTY: End = End::Refused("no-visible-elements");
const ANY: &[End] = &[End::Rendered, EMPTY, TIMEOUT, CRASH, LIMIT];
const SCRIPTS_MS: u64 = 500;

/// `base` is where a server listens, `canary` the path of a file: neither may be reached.
pub(crate) fn all(base: &str, canary: &str) -> Vec<Hostile> {
    let still = |name, html: String, ends| Hostile { name, html: page(&html), scripts_ms: None, ends };
    let run = |name, script: &str, ends| {
        let html = page(&format!("<script>{script}</script>"));
        Hostile { name, html, scripts_ms: Some(SCRIPTS_MS), ends }
    };
    let reach = format!(
        "fetch('{base}/fetch').catch(() => {{}}); navigator.sendBeacon('{base}/beacon', 'x');
         try {{ new WebSocket('{}/ws') }} catch {{}} try {{ new EventSource('{base}/sse') }} catch {{}}
         const form = document.createElement('form'); form.action = '{base}/form'; form.method = 'post';
         document.body.append(form); form.submit();
         open('{base}/popup'); open('file://{canary}'); new Image().src = '{base}/image';
         fetch('file://{canary}').then(r => r.text()).then(t => document.body.append(t)).catch(() => {{}});
         try {{ navigator.serviceWorker.register('{base}/sw.js').catch(() => {{}}) }} catch {{}}
         try {{ const peer = new RTCPeerConnection({{ iceServers: [{{ urls: 'stun:127.0.0.1' }}] }});
           peer.createDataChannel('x'); peer.createOffer().then(o => peer.setLocalDescription(o)) }} catch {{}}
         try {{ new Worker(URL.createObjectURL(new Blob(['fetch(\"{base}/worker\")']))) }} catch {{}}
         const link = document.createElement('a'); link.href = 'data:text/plain,x'; link.download = 'x'; link.click();
         print();",
        base.replace("http", "ws"),
    );
    vec![
        still("million elements", "<b>x</b>".repeat(1_000_000), &[LIMIT]),
        still("30 MB of text", "word ".repeat(6_000_000), &[LIMIT]),
        still("deep nesting with filters", "<div style='filter:blur(9px)'>".repeat(30_000), &[TIMEOUT, CRASH, LIMIT]),
        still("nested inline blocks", "<div style='display:inline-block'>".repeat(500), &[CRASH, End::Rendered]),
        still(
            "million px high",
            "<div style='height:1000000px'>a</div><p>b<p>c".to_owned(),
            &[End::Refused("page-too-tall")],
        ),
        still(
            "million px wide",
            "<div style='width:1000000px'>a</div><p>b<p>c".to_owned(),
            &[End::Refused("page-too-wide")],
        ),
        still("endless layout", columns(), ANY),
        still("style sheets that import each other", imports(base), &[End::Rendered]),
        still("variable bomb", variables(), ANY),
        still("huge filter", filters(), ANY),
        still("use bomb", uses(), ANY),
        still("combining marks", format!("<p>a{}", "\u{301}".repeat(500_000)), ANY),
        still("frames", "<iframe srcdoc='<p>a<script>alert(1)</script>'></iframe>".repeat(300), ANY),
        still(
            "huge picture boxes",
            "<img width=1000000 height=1000000 style='position:absolute'><p>a<p>b<p>c".to_owned(),
            &[End::Rendered, End::Refused("page-too-tall"), End::Refused("page-too-wide"), TIMEOUT],
        ),
        still("crash addresses", crash_addresses(canary), &[End::Rendered]),
        run("alert loop", "for (;;) alert(1)", &[TIMEOUT]),
        run("endless script", "for (;;) {}", &[TIMEOUT]),
        run(
            "memory bomb",
            "const a = []; for (;;) a.push(new Array(1e6).fill(Math.random()))",
            &[TIMEOUT, CRASH, LIMIT],
        ),
        run(
            "history loop",
            "setInterval(() => { history.pushState({}, '', '#' + Math.random()); history.back() }, 0)",
            ANY,
        ),
        run("reload loop", "setInterval(() => location.reload(), 0)", ANY),
        run("everything that reaches out", &reach, ANY),
    ]
}

/// Enough words around the attack that no geometry rule refuses the page for what it lacks.
fn page(attack: &str) -> String {
    let words = "<p>some words of a page</p>".repeat(20);
    format!("<!doctype html><title>x</title><body><h1>own words</h1>{words}{attack}")
}

fn columns() -> String {
    let inner = "<div style='columns:300;column-width:1px'><p>a</p></div>".repeat(400);
    format!("<div style='columns:5000;column-width:1px'>{inner}</div>")
}

fn imports(base: &str) -> String {
    format!(
        "<style>@import url({base}/a.css);@import url('data:text/css,@import url({base}/b.css);p{{color:red}}');</style>
         <link rel=stylesheet href='data:text/css,@import url(%22data:text/css,p%257Bcolor:blue%257D%22);'>"
    )
}

/// A variable of 2^24 copies of a word, if it were expanded.
fn variables() -> String {
    let mut css = String::from("--a0:'lol';");
    for level in 1..25 {
        write!(css, "--a{level}:var(--a{0}) var(--a{0});", level - 1).expect("text");
    }
    format!("<div style=\"{css}\"><p style='font-family:var(--a24)'>a</div>")
}

/// No wider than the page: it must be paint that it attacks, and no rule of width may come before.
fn filters() -> String {
    let blur = "<feTurbulence baseFrequency='0.9' numOctaves='200'/><feGaussianBlur stdDeviation='2000'/>".repeat(20);
    format!(
        "<svg width=1200 height=4000><filter id=f>{blur}</filter><rect width=1200 height=4000 filter='url(#f)'/></svg>"
    )
}

fn uses() -> String {
    let mut svg = String::from("<svg width=100 height=100><g id=u0><rect width=1 height=1 /></g>");
    for level in 1..10 {
        let below = format!("<use href='#u{}' />", level - 1).repeat(10);
        write!(svg, "<g id=u{level}>{below}</g>").expect("text");
    }
    svg + "</svg>"
}

fn crash_addresses(canary: &str) -> String {
    let addresses =
        ["chrome://crash", "chrome://kill", "chrome://gpucrash", "about:crash", "chrome://inducebrowsercrashforrealz"];
    let mut html = String::new();
    for address in addresses {
        write!(html, "<iframe src={address}></iframe><img src={address}><a href={address}>a</a>").expect("text");
    }
    write!(html, "<iframe src=file://{canary}></iframe><meta http-equiv=refresh content='0;url=chrome://crash'>")
        .expect("text");
    html
}
