//! The client against a scripted server: every fault that real ones show, and the way through.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use item::Digest;
use serde_json::json;
use synth::vlm::{Ask, Client, Key, Memory, Model, NoMemory, Part, Said, Server, VlmConfig, VlmError};
use testkit::model_server::{Act, ModelServer, completion};

fn server(script: impl IntoIterator<Item = Act>) -> ModelServer {
    ModelServer::scripted(script).expect("a port")
}

fn config(servers: &[&ModelServer]) -> VlmConfig {
    VlmConfig {
        urls: servers.iter().map(|server| server.url()).collect(),
        model: "m".to_owned(),
        timeout: Duration::from_secs(20),
        tries: 3,
        backoff: Duration::from_millis(1),
        wait_max: Duration::from_secs(2),
        ..VlmConfig::default()
    }
}

fn ask() -> Ask {
    Ask {
        system: "s".to_owned(),
        parts: vec![Part::Text("q".to_owned())],
        schema: None,
        seed: 7,
        temperature: 0.5,
        tokens_max: 100,
    }
}

/// The words of an answer, or a word for what it is instead.
fn word(said: Result<Said, VlmError>) -> String {
    match said {
        Ok(Said::Answer(answer)) => answer.text,
        Ok(Said::CutOff(answer)) => format!("cut off: {}", answer.text),
        Ok(Said::Nothing(_)) => "nothing".to_owned(),
        Ok(Said::Refusal(words)) => format!("refusal: {words}"),
        Ok(Said::Broken(why)) => format!("broken: {why}"),
        Ok(Said::Declined(why)) => format!("declined: {why}"),
        Ok(Said::TooLong { .. }) => "too long".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

/// What comes of a script (how it begins), and how many requests it takes.
fn check(script: Vec<Act>, expected: &str, requests: usize) {
    let server = server(script);
    let found = word(Client::new(config(&[&server])).ask(&ask()));
    assert!(found.starts_with(expected), "{found}, expected {expected}");
    assert_eq!(server.asked().len(), requests, "{expected}");
}

#[test]
fn answers_come_without_their_wrapping() {
    check(vec![Act::say("fine")], "fine", 1);
    check(vec![Act::say("<think>hm</think><answer>fine</answer>")], "fine", 1);
    check(vec![Act::say("<|begin_of_box|>fine<|end_of_box|>")], "fine", 1);
}

#[test]
fn trouble_that_passes_is_sat_out() {
    let fine = || Act::say("fine");
    let body = |text: &str| Act::status(200, text);
    check(vec![Act::status(500, ""), Act::status(502, ""), fine()], "fine", 3);
    check(vec![Act::HangUp, fine()], "fine", 2);
    check(vec![Act::Cut(completion("fine", "stop")), fine()], "fine", 2);
    check(vec![body("no JSON"), fine()], "fine", 2);
    check(vec![body("{\"choices\": []}"), fine()], "fine", 2);
    check(vec![Act::Answer(200, "", vec![0xFF, 0xFE]), fine()], "fine", 2);
    check(vec![Act::status(500, "output does not match the expected peg-native format"), fine()], "fine", 2);
}

#[test]
fn trouble_that_stays_ends_with_its_reason() {
    let boom = || Act::status(500, "boom");
    check(vec![boom(), boom(), boom()], "error: no answer after 3 tries, the last time: 500", 3);
    check(vec![Act::status(401, "who are you")], "error: the server refuses the request with 401", 1);
    check(vec![Act::status(404, "no such model")], "error: the server refuses the request with 404", 1);
}

#[test]
fn what_a_model_says_is_no_trouble_of_the_servers() {
    let unfit = || Act::status(500, "output does not match the expected peg-native format");
    check(vec![unfit(), unfit()], "broken: output", 2);
    check(vec![Act::status(400, "exceed_context_size_error")], "too long", 1);
    check(vec![Act::status(400, "bad image")], "declined: the server refuses the request with 400", 1);
    check(vec![Act::say_cut_off("half")], "cut off: half", 1);
    check(vec![Act::say("")], "nothing", 1);
    check(vec![Act::say("<think>for ever")], "nothing", 1);
    check(vec![Act::Answer(200, "", completion("x", "content_filter"))], "refusal: content filter", 1);
    check(vec![Act::refuse("I cannot.")], "refusal: I cannot.", 1);
}

#[test]
fn requests_that_are_always_wrong_end_the_run() {
    let server = server((0..3).map(|_| Act::status(400, "bad image")));
    let client = Client::new(config(&[&server]));
    let found: Vec<String> = (0..3).map(|_| word(client.ask(&ask()))).collect();
    assert!(found[1].starts_with("declined") && found[2].starts_with("error"), "{found:?}");
}

#[test]
fn a_server_without_schemas_is_asked_without() {
    let no_schema = Act::status(400, "unknown field `response_format`");
    let server = server([no_schema, Act::say("{}"), Act::say("{}")]);
    let client = Client::new(config(&[&server]));
    let ask = Ask { schema: Some(("s", json!({ "type": "object" }))), ..ask() };
    assert_eq!(word(client.ask(&ask)), "{}");
    assert_eq!(word(client.ask(&ask)), "{}");
    let with: Vec<bool> = server.asked().iter().map(|body| body.get("response_format").is_some()).collect();
    assert_eq!(with, [true, false, false]);
}

#[test]
fn a_busy_server_says_how_long_to_wait() {
    let server = server([Act::Answer(429, "retry-after: 1\r\n", Vec::new()), Act::say("fine")]);
    let started = Instant::now();
    assert_eq!(word(Client::new(config(&[&server])).ask(&ask())), "fine");
    assert!(started.elapsed() >= Duration::from_secs(1), "it was waited for");
}

#[test]
fn a_silent_server_costs_its_time_and_no_more() {
    let server = server([Act::After(Duration::from_mins(1), Box::new(Act::HangUp)), Act::say("fine")]);
    let config = VlmConfig { timeout: Duration::from_millis(300), ..config(&[&server]) };
    assert_eq!(word(Client::new(config).ask(&ask())), "fine");
}

#[test]
fn another_server_takes_over() {
    let (sick, well) = (server((0..20).map(|_| Act::status(500, ""))), server([]));
    let client = Client::new(VlmConfig { tries: 8, ..config(&[&sick, &well]) });
    for _ in 0..4 {
        assert_eq!(word(client.ask(&ask())), "done");
    }
    assert_eq!(sick.asked().len(), 3, "three failures in a row, then it rests");
    assert_eq!(well.asked().len(), 4);
}

#[test]
fn what_cannot_fit_is_not_sent() {
    let server = server([]);
    let client = Client::new(config(&[&server]));
    let long = Ask { parts: vec![Part::Text("x".repeat(200_000))], ..ask() };
    assert_eq!(word(client.ask(&long)), "too long");
    assert_eq!(server.asked().len(), 0);
    assert_eq!(Client::new(config(&[])).ask(&ask()), Err(VlmError::NoServer));
}

#[test]
fn a_server_that_is_not_up_is_waited_for() {
    let server = server([]);
    assert_eq!(Client::new(config(&[&server])).wait_until_ready(Duration::from_secs(10), || None), Ok(()));
    let nobody = VlmConfig { urls: vec!["http://127.0.0.1:9/v1".to_owned()], ..config(&[]) };
    let error = Client::new(nobody).wait_until_ready(Duration::from_millis(300), || None).expect_err("nobody");
    assert!(error.to_string().contains("waited 0 s"), "{error}");
}

#[test]
fn the_request_is_of_the_common_form() {
    let server = server([]);
    let client = Client::new(VlmConfig { key: Some(Key::new("secret".to_owned())), ..config(&[&server]) });
    let schema = json!({ "type": "object" });
    let picture = Part::Picture(bytes::Bytes::from_static(b"png"));
    let ask =
        Ask { parts: vec![Part::Text("TARGET".to_owned()), picture], schema: Some(("plan", schema.clone())), ..ask() };
    assert_eq!(word(client.ask(&ask)), "done");
    let body = &server.asked()[0];
    assert_eq!(body["model"], "m");
    assert_eq!(body["messages"][0], json!({ "role": "system", "content": "s" }));
    let content = &body["messages"][1]["content"];
    assert_eq!(content[0], json!({ "type": "text", "text": "TARGET" }));
    assert_eq!(content[1]["image_url"]["url"], "data:image/png;base64,cG5n");
    assert_eq!(body["response_format"]["json_schema"], json!({ "name": "plan", "strict": true, "schema": schema }));
    let fields: Vec<&String> = body.as_object().expect("an object").keys().collect();
    let known = ["max_tokens", "messages", "model", "response_format", "seed", "stream", "temperature"];
    assert!(fields.iter().all(|field| known.contains(&field.as_str())), "{fields:?}");
    let spent = client.spent();
    assert_eq!((spent.requests, spent.usage.prompt_tokens, spent.retries), (1, 10, 0));
}

/// Keeps answers for as long as it lives.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<HashMap<Digest, Said>>>);

impl Memory for Notebook {
    fn recall(&self, ask: &Digest) -> Option<Said> {
        self.0.lock().expect("no panic").get(ask).cloned()
    }

    fn remember(&self, ask: &Digest, said: &Said) -> Result<(), String> {
        self.0.lock().expect("no panic").insert(*ask, said.clone());
        Ok(())
    }
}

#[test]
fn what_was_said_is_not_asked_again() {
    let server = server([Act::say("one"), Act::say_cut_off("half"), Act::say("three"), Act::say("four")]);
    let notebook = Notebook::default();
    let model = |name: &str, revision: &str| {
        let identity = Digest::of(format!("{name} {revision}").as_bytes());
        Model::new(Client::new(config(&[&server])), identity, Box::new(notebook.clone()))
    };
    let (first, other) = (ask(), Ask { seed: 8, ..ask() });
    let one = model("m", "1");
    for _ in 0..2 {
        assert_eq!(word(one.ask(&first)), "one");
        assert_eq!(word(one.ask(&other)), "cut off: half", "answers that are no good are answers");
    }
    assert_eq!((server.asked().len(), one.recalled()), (2, 2));
    // Another run, another revision, another model.
    assert_eq!(word(model("m", "1").ask(&first)), "one");
    assert_eq!(word(model("m", "2").ask(&first)), "three");
    assert_eq!(word(model("n", "1").ask(&first)), "four");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn trouble_is_not_remembered() {
    let (unknown, wrong) = (Act::status(401, "who are you"), Act::status(400, "bad image"));
    let server = server([unknown, wrong, Act::status(400, "context length"), Act::say("fine")]);
    let notebook = Notebook::default();
    let model = |context_tokens| {
        let client = Client::new(VlmConfig { context_tokens, ..config(&[&server]) });
        Model::new(client, Digest::of(b"m"), Box::new(notebook.clone()))
    };
    let patient = model(1000);
    assert!(word(patient.ask(&ask())).starts_with("error"));
    assert!(word(patient.ask(&ask())).starts_with("declined"));
    assert_eq!(word(patient.ask(&ask())), "too long");
    // A model that holds less, as a later run may say that it holds more.
    assert_eq!(word(model(10).ask(&ask())), "too long");
    assert_eq!(word(patient.ask(&ask())), "fine");
}

fn served_by(command: &str) -> String {
    let server = Server::new(command, Duration::from_secs(20)).expect("a command");
    let config = VlmConfig { urls: vec![server.url()], ..config(&[]) };
    let address = config.urls[0].trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let model = Model::new(Client::new(config), Digest::of(b"m"), Box::new(NoMemory)).served_by(server);
    let said = word(model.ask(&ask()));
    model.stop();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    said
}

#[test]
fn a_server_that_ends_at_once_says_why() {
    let said = served_by("sh -c 'echo no such weights: {port} >&2; exit 3'");
    assert!(said.contains("exit status: 3: no such weights: "), "{said}");
    let said = served_by("/no/such/engine --port {port}");
    assert!(said.contains("start `/no/such/engine`"), "{said}");
    assert!(Server::new("serve 'half", Duration::ZERO).is_err(), "a quote is not closed");
    assert!(Server::new(" ", Duration::ZERO).is_err());
}

#[test]
fn a_server_is_started_with_the_first_question_and_ended() {
    // Python's own web server is enough of one: it answers, though with nothing that we can use.
    let said = served_by(
        "python3 -c \"import http.server as h; H = h.BaseHTTPRequestHandler; \
        H.do_GET = lambda s: (s.send_response(200), s.end_headers()); h.HTTPServer(('127.0.0.1', {port}), H).serve_forever()\"",
    );
    assert!(said.starts_with("error: no answer after 3 tries, the last time: 501"), "{said}");
}

#[test]
fn a_server_is_not_started_when_the_run_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("started");
    let server = Server::new(&format!("touch '{}'", mark.display()), Duration::ZERO).expect("a command");
    let model = Model::new(Client::new(config(&[])), Digest::of(b"m"), Box::new(NoMemory)).served_by(server);
    model.stop();
    assert!(word(model.ask(&ask())).contains("the run was stopped"));
    assert!(!mark.exists());
}

#[test]
fn a_busy_server_is_left_alone_while_another_is_free() {
    let busy = server([Act::Answer(429, "retry-after: 2\r\n", Vec::new())]);
    let free = server([]);
    let client = Client::new(config(&[&busy, &free]));
    for _ in 0..4 {
        assert_eq!(word(client.ask(&ask())), "done");
    }
    assert_eq!((busy.asked().len(), free.asked().len()), (1, 4), "nobody waits for the busy one");
}

#[test]
fn a_run_that_is_stopped_asks_nothing_any_more() {
    let server = server((0..9).map(|_| Act::status(500, "")));
    let client = Arc::new(Client::new(VlmConfig {
        tries: 9,
        backoff: Duration::from_mins(1),
        wait_max: Duration::from_mins(1),
        ..config(&[&server])
    }));
    let asking = Arc::clone(&client);
    let thread = std::thread::spawn(move || asking.ask(&ask()));
    while server.asked().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    client.stop();
    assert_eq!(thread.join().expect("no panic"), Err(VlmError::Stopped));
    assert_eq!(client.ask(&ask()), Err(VlmError::Stopped));
}
