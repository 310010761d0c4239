//! Triples of a model: the whole way with the real binary and a real Chrome, and a server that says what the test wants.

mod common;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{databuild, is_equipped, text};
use serde_json::{Value, json};
use testkit::model_server::{Act, ModelServer, completion, text_of};

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

/// Runs the demo with a few pages and that model; more settings are `key=value`.
fn run(store: &Path, server: &ModelServer, settings: &[&str]) -> std::process::Output {
    command(store, server, settings).output().expect("the binary")
}

fn command(store: &Path, server: &ModelServer, settings: &[&str]) -> std::process::Command {
    let urls = format!("synth.vlm.urls=[\"{}\"]", server.url());
    let fixed =
        ["source.sample_share=0.12", "synth.vlm.model=scripted", "synth.vlm.concurrency=1", "synth.vlm.tries=3"];
    let mut command = databuild();
    command.args(["run", "pipelines/demo.toml", "--quiet", "--store"]).arg(store);
    for setting in fixed.into_iter().chain([urls.as_str()]).chain(settings.iter().copied()) {
        command.args(["--set", setting]);
    }
    command
}

fn rows(store: &Path, subset: &str) -> u64 {
    json_of(&store.join("dataset/demo/manifest.json"))["subsets"][subset]["rows"].as_u64().expect("a count")
}

/// What the gate refused, by rule. Its books balance.
fn refused(store: &Path) -> serde_json::Map<String, Value> {
    let record = json_of(&store.join("runs/demo/run.json"));
    let stages = record["phases"][2]["books"]["stages"].as_array().expect("stages").clone();
    let gate = stages.iter().find(|stage| stage["stage"] == "gate").expect("the gate");
    let rejected = gate["rejected"].as_object().expect("by rule").clone();
    let sum: u64 = rejected.values().filter_map(Value::as_u64).sum();
    assert_eq!(gate["seen"].as_u64(), Some(gate["kept"].as_u64().expect("a count") + sum), "the books of the gate");
    rejected
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    let (_, rest) = text.split_once(open).unwrap_or_else(|| panic!("no {open} in {text}"));
    rest.split_once(close).map_or(rest, |(inner, _)| inner)
}

fn pictures(request: &Value) -> Vec<String> {
    let parts = request["messages"][1]["content"].as_array().expect("parts");
    parts.iter().filter_map(|part| Some(part["image_url"]["url"].as_str()?.to_owned())).collect()
}

fn decode(url: &str) -> image::RgbImage {
    let (_, base64) = url.split_once(";base64,").expect("a data URL");
    image::load_from_memory(&STANDARD.decode(base64).expect("base64")).expect("a picture").into_rgb8()
}

/// Mean difference of two pictures' pixels, where both have some.
fn distance(one: &str, two: &str) -> f64 {
    let (one, two) = (decode(one), decode(two));
    let (width, height) = (one.width().min(two.width()), one.height().min(two.height()));
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let of = |(x, y)| {
        one.get_pixel(x, y).0.iter().zip(two.get_pixel(x, y).0).map(|(a, b)| f64::from(a.abs_diff(b))).sum::<f64>()
    };
    places.map(of).sum::<f64>() / f64::from(width * height)
}

/// A model that does its work well, one page after the other. The first answer to every edit is a bad one.
#[derive(Default)]
struct Able {
    /// The code of the page that it was shown last, and its screenshot.
    page: String,
    screenshot: String,
    edits: usize,
}

impl Able {
    fn answer(&mut self, request: &Value) -> String {
        let asked = text_of(request);
        if asked.contains("Propose edits") {
            between(&asked, "```html\n", "\n```").clone_into(&mut self.page);
            self.screenshot.clone_from(&pictures(request)[0]);
            let heading = asked.lines().find(|line| line.contains(": the heading"));
            let target = heading.and_then(|line| line.split(':').next()).unwrap_or("page");
            let instruction = "Make the main heading crimson and underline it.";
            return json!({ "edits": [{ "target": target, "kind": "restyle", "instruction": instruction }] })
                .to_string();
        }
        if asked.contains("search/replace blocks only") {
            self.edits += 1;
            let search = "</style>";
            let rule = if self.edits % 2 == 1 {
                // Everything changes: not what was asked for.
                "*{background:pink!important}"
            } else {
                "h1{color:crimson!important;text-decoration:underline!important}"
            };
            return format!(
                "<think>easy</think>Here:\n<<<<<<< SEARCH\n{search}\n=======\n{rule}{search}\n>>>>>>> REPLACE\n"
            );
        }
        if asked.contains("from screenshots") {
            // Pictures are not in a screenshot: a draft has none.
            let page = self.page.replace("asset:", "data:,");
            return fenced(&page.replace("</style>", "body{padding-top:90px!important;filter:invert(1)}</style>"));
        }
        if asked.contains("You polish web pages") {
            let draft = between(&asked, "```html\n", "\n```").to_owned();
            return fenced(&draft.replace("filter:invert(1)", "").replace("padding-top:90px", "padding-top:10px"));
        }
        if asked.contains("before and after an edit") {
            self.screenshot.clone_from(&pictures(request)[0]);
            return json!({ "instruction": "Please give that part another look." }).to_string();
        }
        if asked.contains("You check edits") {
            let is_before_first = distance(&pictures(request)[0], &self.screenshot) < 1e-9;
            return json!({ "after": if is_before_first { "B" } else { "A" }, "unrelated": false }).to_string();
        }
        assert!(asked.contains("You compare web pages"), "{asked}");
        let pictures = pictures(request);
        let is_a_nearer = distance(&pictures[0], &pictures[1]) < distance(&pictures[0], &pictures[2]);
        json!({ "nearer": if is_a_nearer { "A" } else { "B" } }).to_string()
    }
}

fn fenced(html: &str) -> String {
    format!("```html\n{}\n```", html.trim_end())
}

#[test]
fn a_model_that_does_its_work() {
    if !is_equipped() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path();
    let able = Mutex::new(Able::default());
    let server = ModelServer::minded(move |request| Act::say(&able.lock().expect("no panic").answer(request)));
    let server = server.expect("a port");
    let settings = ["synth.edits=1", "synth.vlm.judge=true", "synth.vlm.describe=true", "synth.vlm.rounds=3"];
    let output = run(store, &server, &settings);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let refused = refused(store);
    let [pages, edits, polishes, pairs] = ["pages", "edit", "polish", "preference"].map(|subset| rows(store, subset));
    let found = format!("{pages} pages, {edits} edits, {polishes} drafts, {pairs} pairs, refused {refused:?}");
    assert!(pages >= 3 && edits > pages && polishes >= pages && pairs >= pages, "{found}");
    // The bad first answer of every edit, and the round that brings nothing any more.
    assert!(refused.contains_key("answer-not-nearer") && refused.contains_key("too-large-edit"), "{found}");

    let record = json_of(&store.join("runs/demo/run.json"));
    let spent = &record["spent"]["model"];
    assert_eq!(spent["requests"].as_u64(), Some(server.asked().len() as u64), "{spent}");
    assert!(spent["prompt_tokens"].as_u64() > Some(0) && spent["recalled"] == 0, "{spent}");

    // Other gates judge what was said before: nobody is asked again.
    let asked = server.asked().len();
    let output = run(store, &server, &[&settings[..], &["synth.vlm.kept_min=0.4"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(server.asked().len(), asked, "nothing is asked twice");
    let record = json_of(&store.join("runs/demo/run.json"));
    assert_eq!(record["spent"]["model"]["recalled"].as_u64(), Some(asked as u64));
    assert_eq!(
        ["pages", "edit", "polish", "preference"].map(|subset| rows(store, subset)),
        [pages, edits, polishes, pairs]
    );

    let dataset = store.join("dataset/demo");
    let verified = databuild().arg("verify").arg(&dataset).output().expect("the binary");
    assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    let proven = format!("{0} of {0} triples are proven again", edits + polishes + pairs);
    assert!(text(&verified.stdout).contains(&proven), "{}", text(&verified.stdout));

    for format in ["openai", "sharegpt", "llava"] {
        let out = store.join(format);
        let exported = databuild().arg("export").arg(&dataset).arg(&out).args(["--format", format]).output();
        assert!(exported.expect("the binary").status.success());
        let lists = ["train", "validation", "test"].map(|split| out.join(format!("preference-{split}.jsonl")));
        let lines: usize = lines_of(&lists).iter().map(|line| usize::from(line.is_object())).sum();
        assert_eq!(lines as u64, pairs, "{format}");
    }
    read_by_python(&dataset.join("data"), store);
    let report = std::fs::read_to_string(store.join("runs/demo/report.html")).expect("the report");
    assert!(report.contains("preference"), "the report shows pairs");
}

/// What trainers read: the subsets, and the exported lists with their pictures.
#[expect(clippy::print_stdout, reason = "whoever runs the tests wants to know what was not tested")]
fn read_by_python(data: &Path, exports: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".tools/python/bin/python");
    if !python.exists() {
        println!("skipped: there is no {}", python.display());
        return;
    }
    let mut command = std::process::Command::new(python);
    command.arg(root.join("tests/python/read_exports.py")).arg(data).arg(exports);
    let read = command.env("HF_HOME", exports.join("caches")).output().expect("python");
    assert!(read.status.success(), "{}\n{}", text(&read.stdout), text(&read.stderr));
}

fn lines_of(lists: &[std::path::PathBuf]) -> Vec<Value> {
    let texts = lists.iter().filter_map(|list| std::fs::read_to_string(list).ok());
    texts
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<_>>())
        .collect()
}

/// Everything that a model can say wrong, in turn, to each kind of question.
#[derive(Default)]
struct Hostile {
    plans: usize,
    patches: usize,
    drafts: usize,
}

impl Hostile {
    fn answer(&mut self, request: &Value) -> Act {
        let asked = text_of(request);
        // Sent back, it says the same again.
        if let Some((_, answer)) = asked.split_once("YOUR ANSWER WAS\n") {
            return Act::say(between(answer, "", "\n\nIt can't be used"));
        }
        if asked.contains("Propose edits") {
            self.plans += 1;
            return plan(self.plans);
        }
        if asked.contains("search/replace blocks only") {
            self.patches += 1;
            return patch(self.patches);
        }
        self.drafts += 1;
        draft(self.drafts)
    }
}

fn plan(number: usize) -> Act {
    let proposal = |target: &str, instruction: &str| {
        json!({ "edits": [{ "target": target, "kind": "restyle", "instruction": instruction }] }).to_string()
    };
    match number % 8 {
        1 => Act::say("{\"edits\": [{\"target\": "),
        2 => Act::say(&proposal("e999", "Make it blue, please.")),
        3 => Act::say(&proposal("page", "Set div.card { color: red }")),
        _ => Act::say(&proposal("page", "Make the whole page blue, please.")),
    }
}

fn patch(number: usize) -> Act {
    let block = |search: &str, replace: &str| {
        Act::say(&format!("<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE"))
    };
    match number % 8 {
        1 => Act::say("Sure! I changed it."),
        2 => block("this is nowhere in the code", "x"),
        3 => block("</style>", "</style>"),
        4 => block("</style>", "</style><script>while(true){}</script>"),
        5 => block("</style>", "*{background:url(http://127.0.0.1:1/x)}</style>"),
        6 => block("</style>", "</style><p></b></i></div>"),
        7 => Act::say_cut_off("<<<<<<< SEARCH\n<html"),
        _ => Act::refuse("I cannot help with that."),
    }
}

fn draft(number: usize) -> Act {
    let attack = "<!doctype html><html><body><script>while(true){}</script><img src=http://127.0.0.1:1/x onerror=alert(1)></body></html>";
    let bomb = format!("<!doctype html><html><body>{}</body></html>", "<div>".repeat(3000));
    let huge = "<!doctype html><html><head><title>t</title><style>body{height:90000000px;width:90000000px}*{filter:blur(900px)}</style></head><body><p>x</p></body></html>";
    match number % 8 {
        1 => Act::say(&fenced(attack)),
        2 => Act::say(&fenced(&bomb)),
        3 => Act::say(&fenced(huge)),
        4 => Act::say("```html\n<!doctype html><p>cut"),
        5 => Act::say(""),
        6 => Act::say("<think>How would that look?"),
        7 => Act::say(&fenced("<!doctype html><html><head><title>t</title></head><body></body></html>")),
        _ => Act::Answer(200, "", completion("x", "content_filter")),
    }
}

#[test]
fn a_model_that_is_wrong_in_every_way() {
    if !is_equipped() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path();
    let state = Mutex::new((0, Hostile::default()));
    let server = ModelServer::minded(move |request| {
        let (number, hostile) = &mut *state.lock().expect("no panic");
        *number += 1;
        // Trouble of the server's comes on top, each kind now and then; the next try goes well.
        match *number % 23 {
            5 => Act::status(500, "boom"),
            9 => Act::Answer(429, "retry-after: 0\r\n", Vec::new()),
            13 => Act::HangUp,
            17 => Act::Cut(completion("half", "stop")),
            21 => Act::After(Duration::from_millis(300), Box::new(hostile.answer(request))),
            _ => hostile.answer(request),
        }
    });
    let server = server.expect("a port");
    let output = run(store, &server, &["synth.vlm.drafts=3", "source.sample_share=0.3"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let refused = refused(store);
    assert_eq!((rows(store, "edit"), rows(store, "polish"), rows(store, "preference")), (0, 0, 0), "{refused:?}");
    let rules = [
        "answer-cut-off",
        "answer-empty",
        "answer-refused",
        "answer-unreadable",
        "code-in-instruction",
        "no-patch",
        "search-not-found",
        "no-change",
        "unsafe-answer",
        "parses-worse",
        "draft-too-far",
    ];
    for rule in rules {
        assert!(refused.contains_key(rule), "{rule}: {refused:?}");
    }
}

#[test]
fn a_model_that_nobody_serves_ends_the_run_and_costs_nothing() {
    if !is_equipped() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path();
    let sick = ModelServer::minded(|_| Act::status(401, "who are you?")).expect("a port");
    let output = run(store, &sick, &["synth.vlm.drafts=0"]);
    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("401") && said.contains("hint"), "{said}");

    // The next run goes on from there: pages are not rendered again.
    let well = ModelServer::minded(|_| Act::say("{\"edits\": []}")).expect("a port");
    let output = run(store, &well, &["synth.vlm.drafts=0"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let record = json_of(&store.join("runs/demo/run.json"));
    assert_eq!(record["phases"][1]["reused"], record["phases"][1]["units"]);
}

/// A model whose answers depend on the question alone, and take their time.
fn steady(request: &Value) -> Act {
    let asked = text_of(request);
    let answer = if asked.contains("Propose edits") {
        let heading = asked.lines().find(|line| line.contains(": the heading"));
        let target = heading.and_then(|line| line.split(':').next()).unwrap_or("page");
        json!({ "edits": [{ "target": target, "kind": "restyle", "instruction": "Underline the main heading, please." }] })
            .to_string()
    } else {
        "<<<<<<< SEARCH\n</style>\n=======\nh1{text-decoration:underline!important}</style>\n>>>>>>> REPLACE".to_owned()
    };
    Act::After(Duration::from_millis(400), Box::new(Act::say(&answer)))
}

fn digests(store: &Path) -> Vec<Value> {
    let manifest = json_of(&store.join("dataset/demo/manifest.json"));
    let subsets = manifest["subsets"].as_object().expect("subsets");
    subsets.values().map(|subset| subset["splits"].clone()).collect()
}

#[test]
fn a_killed_run_asks_only_what_was_not_kept() {
    if !is_equipped() {
        return;
    }
    let (quiet, killed) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let settings = ["synth.vlm.drafts=0", "source.sample_share=0.15"];
    let server = ModelServer::minded(steady).expect("a port");
    assert!(run(quiet.path(), &server, &settings).status.success());
    let all = server.asked().len();

    let server = ModelServer::minded(steady).expect("a port");
    let mut child = command(killed.path(), &server, &settings).spawn().expect("the binary");
    let answers = killed.path().join("answers");
    let is_kept = || {
        let folders = std::fs::read_dir(&answers).into_iter().flatten().flatten();
        folders.filter_map(|folder| std::fs::read_dir(folder.path()).ok()).any(|mut files| files.next().is_some())
    };
    while !is_kept() && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let before = server.asked().len();
    let output = run(killed.path(), &server, &settings);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let again = server.asked().len() - before;
    assert!(again < all, "{before} questions, then {again} of {all}");
    assert_eq!(digests(killed.path()), digests(quiet.path()));
}
