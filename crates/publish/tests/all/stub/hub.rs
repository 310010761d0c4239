//! A Hub on loopback that speaks the endpoints of the real one, keeps what is committed, and stumbles where a test wants it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha1::Digest as _;

use super::http::{Answer, Asked, Way, serve};

/// Who may write.
pub(crate) const TOKEN: &str = "hf_of_the_test";
/// A file of at least this size is sent in parts.
const PARTS_FROM: usize = 200_000;
const PART: usize = 90_000;
/// Files of one page of a listing.
const PAGE: usize = 7;

/// How the Hub stumbles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Answers with that status instead, and perhaps says when to come again.
    Refuse(u16, Option<u64>),
    /// As a limit of rates is told: `RateLimit: "api";r=0;t=…`.
    RateLimit(u64),
    /// Does it, and then answers 500.
    DoneBut500,
    /// Does it, and the answer is lost.
    DoneButLost,
    /// Closes the connection and does nothing.
    Lost,
    /// Does it, and the answer breaks off.
    Cut,
    /// Does it, and answers after so many milliseconds.
    Slow(u64),
    /// Somebody else commits first.
    Overtaken,
}

/// A store of chunks, as it stands behind the Hub where that offers Xet.
pub(crate) trait ChunkStore: std::fmt::Debug + Send + Sync {
    /// Answers what is asked of the store itself.
    fn answer(&self, asked: &Asked) -> Answer;
    /// SHA-256 and Xet's own hash of the files of a list that was sent.
    fn files(&self, list: &[u8]) -> Vec<(String, String)>;
    /// A file, put together from its chunks.
    fn read(&self, hash: &str) -> Vec<u8>;
}

/// A store that nobody may ask anything.
#[derive(Debug)]
pub(crate) struct Closed;

impl ChunkStore for Closed {
    fn answer(&self, asked: &Asked) -> Answer {
        Answer::error(500, &format!("{} was asked for", asked.path))
    }

    fn files(&self, _: &[u8]) -> Vec<(String, String)> {
        Vec::new()
    }

    fn read(&self, hash: &str) -> Vec<u8> {
        panic!("{hash} was asked for")
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) content: Arc<Vec<u8>>,
    is_large: bool,
    /// Its name in the store of chunks, where it came by that way.
    chunked: Option<String>,
}

impl Entry {
    fn small(content: &[u8]) -> Self {
        Self { content: Arc::new(content.to_vec()), is_large: false, chunked: None }
    }
}

type Tree = BTreeMap<String, Entry>;

#[derive(Debug, Clone)]
struct Request {
    num: u64,
    title: String,
    status: &'static str,
    base: String,
}

#[derive(Debug, Default)]
struct State {
    exists: bool,
    private: bool,
    /// Commits by id.
    trees: BTreeMap<String, Tree>,
    /// Branches and pull requests.
    refs: BTreeMap<String, String>,
    /// What `main` was, one after the other.
    main: Vec<String>,
    requests: Vec<Request>,
    large: BTreeMap<String, Arc<Vec<u8>>>,
    parts: BTreeMap<(String, u64), Vec<u8>>,
    chunks: Option<Arc<dyn ChunkStore>>,
    /// Files of the store of chunks: its name for them by SHA-256.
    chunked: BTreeMap<String, String>,
    /// Who may ask the store of chunks, with the second from which on it may not.
    passes: BTreeMap<String, u64>,
    pass_seconds: u64,
    /// Where passes lead, if not to the store.
    leads_to: Option<&'static str>,
    commits: u64,
    faults: VecDeque<(&'static str, Fault)>,
    asked: Vec<String>,
    puts: usize,
    put_bytes: u64,
    complaints: Vec<String>,
}

/// The Hub.
#[derive(Clone)]
pub(crate) struct StubHub {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl StubHub {
    /// A Hub that takes large files by Git LFS.
    pub(crate) fn start() -> Self {
        Self::with(State::default())
    }

    /// A Hub that offers Xet, too.
    pub(crate) fn over(chunks: Arc<dyn ChunkStore>, pass_seconds: u64) -> Self {
        Self::with(State { chunks: Some(chunks), pass_seconds, ..State::default() })
    }

    /// A Hub that leads those who ask for Xet somewhere else.
    pub(crate) fn astray(leads_to: &'static str) -> Self {
        let hub = Self::over(Arc::new(Closed), 3600);
        hub.state().leads_to = Some(leads_to);
        hub
    }

    fn with(state: State) -> Self {
        let state = Arc::new(Mutex::new(state));
        let (own, storages) = (Arc::clone(&state), Arc::clone(&state));
        // As in the world, large files go to another host than the Hub.
        let storage = serve(move |asked| storages.lock().expect("the state").answer(asked, ""));
        let endpoint = serve(move |asked| own.lock().expect("the state").answer(asked, &storage));
        Self { endpoint, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the state")
    }

    /// The next request whose method and path contain `what` goes wrong; several faults happen in their order.
    pub(crate) fn stumble(&self, what: &'static str, fault: Fault) -> &Self {
        self.state().faults.push_back((what, fault));
        self
    }

    pub(crate) fn faults_left(&self) -> usize {
        self.state().faults.len()
    }

    /// What stands at a revision.
    pub(crate) fn tree(&self, revision: &str) -> Tree {
        let state = self.state();
        state.refs.get(revision).and_then(|commit| state.trees.get(commit)).cloned().unwrap_or_default()
    }

    /// Everything that `main` ever showed, oldest first.
    pub(crate) fn history(&self) -> Vec<Tree> {
        let state = self.state();
        state.main.iter().map(|commit| state.trees[commit].clone()).collect()
    }

    pub(crate) fn commits(&self) -> u64 {
        self.state().commits
    }

    /// Bytes of large files, parts and packs that arrived.
    pub(crate) fn put_bytes(&self) -> u64 {
        self.state().put_bytes
    }

    /// Large files, parts and packs that arrived.
    pub(crate) fn puts(&self) -> usize {
        self.state().puts
    }

    pub(crate) fn is_private(&self) -> bool {
        self.state().private
    }

    pub(crate) fn open_requests(&self) -> usize {
        self.state().requests.iter().filter(|request| matches!(request.status, "open" | "draft")).count()
    }

    /// Requests whose method and path contain `what`.
    pub(crate) fn asked(&self, what: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.contains(what)).count()
    }

    /// What a client did that no client may do.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    /// Somebody else writes a file.
    pub(crate) fn write(&self, revision: &str, name: &str, content: &[u8]) {
        self.state().write(revision, name, content);
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |time| time.as_secs())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

fn git_id(content: &[u8]) -> String {
    let mut whole = format!("blob {}\0", content.len()).into_bytes();
    whole.extend_from_slice(content);
    hex(&sha1::Sha1::digest(&whole))
}

fn unquote(text: &str) -> String {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

impl State {
    fn write(&mut self, revision: &str, name: &str, content: &[u8]) {
        let mut tree = self.trees[&self.refs[revision]].clone();
        tree.insert(name.to_owned(), Entry::small(content));
        self.point(revision, tree);
    }

    /// A new commit for a revision.
    fn point(&mut self, revision: &str, tree: Tree) -> String {
        let number = self.trees.len();
        let id = hex(&sha1::Sha1::digest(format!("commit {number}")));
        self.trees.insert(id.clone(), tree);
        self.refs.insert(revision.to_owned(), id.clone());
        if revision == "main" {
            self.main.push(id.clone());
        }
        id
    }

    fn answer(&mut self, asked: &Asked, storage: &str) -> Answer {
        let line = format!("{} {}", asked.method, asked.path);
        self.asked.push(line.clone());
        let hit = self.faults.iter().position(|(what, _)| line.contains(what));
        let fault = hit.and_then(|index| self.faults.remove(index)).map(|(_, fault)| fault);
        match fault {
            None => self.route(asked, storage),
            Some(Fault::Refuse(status, wait)) => {
                let answer = Answer::error(status, "as the test wants it");
                wait.into_iter().fold(answer, |answer, wait| answer.with("retry-after", wait.to_string()))
            }
            Some(Fault::RateLimit(seconds)) => {
                Answer::error(429, "too many").with("ratelimit", format!("\"api\";r=0;t={seconds}"))
            }
            Some(Fault::Lost) => Answer { way: Way::Lost, ..Answer::new(200, "") },
            Some(Fault::DoneBut500) => {
                self.route(asked, storage);
                Answer::error(500, "as the test wants it")
            }
            Some(Fault::DoneButLost) => Answer { way: Way::Lost, ..self.route(asked, storage) },
            Some(Fault::Cut) => Answer { way: Way::Cut, ..self.route(asked, storage) },
            Some(Fault::Slow(time)) => {
                Answer { way: Way::Late(std::time::Duration::from_millis(time)), ..self.route(asked, storage) }
            }
            Some(Fault::Overtaken) => {
                self.write("main", "NOTES.md", b"somebody else was here\n");
                self.route(asked, storage)
            }
        }
    }

    fn route(&mut self, asked: &Asked, storage: &str) -> Answer {
        let may_write = asked.headers.get("authorization").is_some_and(|said| *said == format!("Bearer {TOKEN}"));
        let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
        if let ["storage", rest @ ..] = parts.as_slice() {
            if asked.headers.contains_key("authorization") {
                self.complaints.push(format!("the token was shown to the storage: {}", asked.path));
            }
            return self.storage(asked, rest);
        }
        if let ["v1" | "v2" | "simulation", ..] = parts.as_slice() {
            return self.chunk_store(asked);
        }
        let writes = asked.method != "GET" && asked.method != "HEAD" && !asked.path.contains("/paths-info/");
        if writes && !may_write {
            return Answer::error(401, "Invalid username or password.");
        }
        match (asked.method.as_str(), parts.as_slice()) {
            ("POST", ["api", "repos", "create"]) => self.create(&json_of(asked)),
            (_, ["api", "datasets", ..] | ["datasets", ..]) if !self.exists => {
                Answer::error(404, "Repository not found")
            }
            ("GET", ["api", "datasets", _, _]) => self.info("main"),
            ("GET", ["api", "datasets", _, _, "revision", revision]) => self.info(&unquote(revision)),
            ("GET", ["api", "datasets", _, _, "refs"]) => {
                let commit = &self.refs["main"];
                let main = json!({ "name": "main", "ref": "refs/heads/main", "targetCommit": commit });
                Answer::json(&json!({ "branches": [main], "converts": [], "tags": [], "pullRequests": [] }))
            }
            ("GET", ["api", "datasets", _, _, "tree", revision, path @ ..]) => {
                self.list(&unquote(revision), &unquote(&path.join("/")), asked)
            }
            ("POST", ["api", "datasets", _, _, "paths-info", revision]) => self.paths_info(&unquote(revision), asked),
            ("POST", ["api", "datasets", _, _, "branch", branch]) => {
                let branch = unquote(branch);
                if self.refs.contains_key(&branch) {
                    return Answer::error(409, "Reference already exists");
                }
                let main = self.refs["main"].clone();
                self.refs.insert(branch, main);
                Answer::new(201, "")
            }
            ("POST", ["api", "datasets", _, _, "preupload", revision]) => self.preupload(&unquote(revision), asked),
            ("POST", ["api", "datasets", _, _, "commit", revision]) => self.commit(&unquote(revision), asked),
            ("GET", ["api", "datasets", _, _, "discussions"]) => {
                let all: Vec<Value> = self.requests.iter().map(Request::json).collect();
                Answer::json(&json!({ "discussions": all, "count": all.len(), "start": 0 }))
            }
            ("POST", ["api", "datasets", _, _, "discussions"]) => self.open_request(&json_of(asked)),
            (method, ["api", "datasets", _, _, "discussions", number, rest @ ..]) => {
                self.request(method, number.parse().unwrap_or(0), rest)
            }
            ("GET", ["api", "datasets", _, _, "xet-write-token", _]) if !may_write => {
                Answer::error(401, "Invalid username or password.")
            }
            ("GET", ["api", "datasets", _, _, "xet-write-token" | "xet-read-token", _]) => self.pass(storage),
            ("POST", ["datasets", _, _, "info", "lfs", "objects", "batch"]) => self.batch(&json_of(asked), storage),
            ("GET" | "HEAD", ["datasets", _, _, "resolve", revision, path @ ..]) => {
                self.resolve(&unquote(revision), &unquote(&path.join("/")), asked)
            }
            _ => Answer::error(404, "no such endpoint"),
        }
    }

    fn create(&mut self, body: &Value) -> Answer {
        if self.exists {
            return Answer::error(409, "You already created this dataset repo");
        }
        self.exists = true;
        self.private = body["private"].as_bool().unwrap_or(false);
        let attributes = Entry::small(b"*.parquet filter=lfs\n");
        self.point("main", BTreeMap::from([(".gitattributes".to_owned(), attributes)]));
        Answer::json(&json!({ "url": "x", "name": body["name"], "id": "x" }))
    }

    /// The commit of a branch, of a pull request, or of its own id.
    fn commit_of(&self, revision: &str) -> Option<String> {
        self.refs.get(revision).cloned().or_else(|| self.trees.contains_key(revision).then(|| revision.to_owned()))
    }

    fn info(&self, revision: &str) -> Answer {
        let Some(commit) = self.commit_of(revision) else { return Answer::error(404, "Invalid rev id") };
        let siblings: Vec<Value> = self.trees[&commit].keys().map(|name| json!({ "rfilename": name })).collect();
        Answer::json(&json!({
            "_id": "1", "id": "org/set", "author": "org", "sha": commit, "private": self.private, "gated": false,
            "disabled": false, "tags": [], "downloads": 0, "likes": 0, "siblings": siblings,
            "lastModified": "2026-01-01T00:00:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z",
        }))
    }

    fn list(&self, revision: &str, below: &str, asked: &Asked) -> Answer {
        let Some(commit) = self.commit_of(revision) else { return Answer::error(404, "Invalid rev id") };
        let is_deep = asked.query.get("recursive").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        let mut entries = Vec::new();
        let mut folders = BTreeSet::new();
        for (name, entry) in self.trees[&commit].iter().filter(|(name, _)| name.starts_with(&prefix)) {
            let rest = &name[prefix.len()..];
            for (end, _) in rest.match_indices('/') {
                if folders.insert(format!("{prefix}{}", &rest[..end])) && (is_deep || !rest[..end].contains('/')) {
                    entries.push(json!({ "type": "directory", "path": format!("{prefix}{}", &rest[..end]), "oid": "0", "size": 0 }));
                }
            }
            if is_deep || !rest.contains('/') {
                entries.push(entry.json(name));
            }
        }
        if entries.is_empty() && !below.is_empty() {
            return Answer::error(404, "Entry not found").with("x-error-code", "EntryNotFound");
        }
        let from: usize = asked.query.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let page: Vec<Value> = entries.iter().skip(from).take(PAGE).cloned().collect();
        let answer = Answer::json(&Value::Array(page));
        if from + PAGE >= entries.len() {
            return answer;
        }
        let host = asked.headers.get("host").map_or("", String::as_str);
        let next = format!("http://{host}{}?recursive={is_deep}&cursor={}", asked.path, from + PAGE);
        answer.with("link", format!("<{next}>; rel=\"next\""))
    }

    fn paths_info(&self, revision: &str, asked: &Asked) -> Answer {
        let Some(commit) = self.commit_of(revision) else { return Answer::error(404, "Invalid rev id") };
        let wanted: Vec<String> = match serde_json::from_slice::<Value>(&asked.body) {
            Ok(body) => {
                let paths = body["paths"].as_array().cloned().unwrap_or_default();
                paths.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()
            }
            Err(_) => url::form_urlencoded::parse(&asked.body)
                .filter(|(key, _)| key == "paths")
                .map(|(_, path)| path.into_owned())
                .collect(),
        };
        let tree = &self.trees[&commit];
        let mut found = Vec::new();
        for path in &wanted {
            if let Some(entry) = tree.get(path) {
                found.push(entry.json(path));
            } else if tree.keys().any(|name| name.starts_with(&format!("{path}/"))) {
                found.push(json!({ "type": "directory", "path": path, "oid": "0", "size": 0 }));
            }
        }
        Answer::json(&Value::Array(found))
    }

    fn preupload(&self, revision: &str, asked: &Asked) -> Answer {
        let Some(commit) = self.commit_of(revision) else { return Answer::error(404, "Invalid rev id") };
        let files = json_of(asked)["files"].as_array().cloned().unwrap_or_default();
        if files.len() > 256 {
            return Answer::error(400, "too many files");
        }
        let said = files.iter().map(|file| {
            let path = file["path"].as_str().unwrap_or_default();
            let mode = if path.ends_with(".parquet") { "lfs" } else { "regular" };
            let oid = self.trees[&commit].get(path).map(Entry::oid);
            json!({ "path": path, "uploadMode": mode, "shouldIgnore": false, "oid": oid })
        });
        Answer::json(&json!({ "files": said.collect::<Vec<_>>() }))
    }

    fn commit(&mut self, revision: &str, asked: &Asked) -> Answer {
        let Some(head) = self.commit_of(revision) else { return Answer::error(404, "Invalid rev id") };
        let lines: Vec<Value> = asked
            .body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("a line of JSON"))
            .collect();
        if lines[0]["key"] != "header" {
            return Answer::error(400, "the header comes first");
        }
        if lines[0]["value"]["parentCommit"] != head.as_str() {
            return Answer::error(412, "A commit has happened since. Please refresh and try again.");
        }
        let mut tree = self.trees[&head].clone();
        for line in &lines[1..] {
            let value = &line["value"];
            let path = value["path"].as_str().unwrap_or_default().to_owned();
            match line["key"].as_str() {
                Some("file") => {
                    let content = STANDARD.decode(value["content"].as_str().unwrap_or_default()).expect("base64");
                    tree.insert(path, Entry::small(&content));
                }
                Some("lfsFile") => {
                    let Some(entry) = self.arrived(value["oid"].as_str().unwrap_or_default()) else {
                        return Answer::error(400, &format!("{path} was not sent"));
                    };
                    tree.insert(path, entry);
                }
                Some("deletedFile") => {
                    if tree.remove(&path).is_none() {
                        return Answer::error(404, &format!("{path} is not there"));
                    }
                }
                _ => return Answer::error(400, "an unknown line"),
            }
        }
        self.commits += 1;
        let id = self.point(revision, tree);
        Answer::json(
            &json!({ "success": true, "commitOid": id, "commitUrl": format!("x/commit/{id}"), "hookOutput": "" }),
        )
    }

    fn open_request(&mut self, body: &Value) -> Answer {
        let num = self.requests.len() as u64 + 1;
        let base = self.refs["main"].clone();
        self.refs.insert(format!("refs/pr/{num}"), base.clone());
        let title = body["title"].as_str().unwrap_or_default().to_owned();
        self.requests.push(Request { num, title, status: "draft", base });
        Answer::json(&self.requests[self.requests.len() - 1].json())
    }

    fn request(&mut self, method: &str, num: u64, rest: &[&str]) -> Answer {
        let Some(index) = self.requests.iter().position(|request| request.num == num) else {
            return Answer::error(404, "no such discussion");
        };
        match (method, rest) {
            ("GET", []) => {}
            ("POST", ["status"]) => self.requests[index].status = "open",
            ("POST", ["merge"]) => {
                let request = self.requests[index].clone();
                if request.status != "open" || self.refs["main"] != request.base {
                    return Answer::error(409, "this cannot be merged");
                }
                let tree = self.trees[&self.refs[&format!("refs/pr/{num}")]].clone();
                self.point("main", tree);
                self.requests[index].status = "merged";
            }
            _ => return Answer::error(404, "no such endpoint"),
        }
        Answer::json(&self.requests[index].json())
    }

    /// A large file that came by either way.
    fn arrived(&self, oid: &str) -> Option<Entry> {
        let chunked = self.chunked.get(oid).cloned();
        let content = match (&self.chunks, &chunked) {
            (Some(chunks), Some(hash)) => Arc::new(chunks.read(hash)),
            _ => Arc::clone(self.large.get(oid)?),
        };
        assert_eq!(sha256(&content), oid, "the store gives other bytes than it was given");
        Some(Entry { content, is_large: true, chunked })
    }

    /// Lets somebody into the store of chunks, in the words of either client.
    fn pass(&mut self, storage: &str) -> Answer {
        let storage = self.leads_to.unwrap_or(storage);
        let (pass, until) = (format!("pass-{}", self.passes.len()), now() + self.pass_seconds);
        self.passes.insert(pass.clone(), until);
        let answer = Answer::json(&json!({ "casUrl": storage, "accessToken": pass, "exp": until }));
        let answer = answer.with("x-xet-cas-url", storage).with("x-xet-access-token", pass);
        answer.with("x-xet-token-expiration", until.to_string())
    }

    fn chunk_store(&mut self, asked: &Asked) -> Answer {
        let Some(chunks) = self.chunks.clone() else { return Answer::error(404, "no store of chunks") };
        let said = asked.headers.get("authorization").map(String::as_str).unwrap_or_default();
        if said.contains(TOKEN) {
            self.complaints.push(format!("the token was shown to the store of chunks: {}", asked.path));
        }
        if asked.path.ends_with("/telemetry") {
            self.complaints.push("something was told about the transfers".to_owned());
        }
        // What has a signed address needs no pass.
        let is_signed = asked.path.starts_with("/simulation/") || asked.path.ends_with("/fetch_term");
        let until = said.strip_prefix("Bearer ").and_then(|pass| self.passes.get(pass));
        if !is_signed && until.is_none_or(|until| *until <= now()) {
            return Answer::error(401, "this pass is not good");
        }
        let answer = chunks.answer(asked);
        let is_list = asked.path.ends_with("/shards");
        if is_list && answer.status == 200 {
            self.chunked.extend(chunks.files(&asked.body));
        }
        let is_pack = asked.path.starts_with("/simulation/xorb-uploads/") || asked.path.starts_with("/v1/xorbs/");
        if is_pack && matches!(asked.method.as_str(), "PUT" | "POST") {
            self.puts += 1;
        }
        if is_list || is_pack {
            self.put_bytes += asked.body.len() as u64;
        }
        answer
    }

    fn batch(&self, body: &Value, storage: &str) -> Answer {
        let objects = body["objects"].as_array().cloned().unwrap_or_default();
        let takes_chunks = body["transfers"].as_array().is_some_and(|ways| ways.iter().any(|way| way == "xet"));
        if takes_chunks && self.chunks.is_some() {
            let answered = objects.iter().map(|object| {
                let (oid, size) = (&object["oid"], &object["size"]);
                json!({ "oid": oid, "size": size, "actions": { "upload": { "href": storage, "header": {} } } })
            });
            return Answer::json(&json!({ "transfer": "xet", "objects": answered.collect::<Vec<_>>() }));
        }
        let answered = objects.iter().map(|object| {
            let (oid, size) =
                (object["oid"].as_str().unwrap_or_default(), object["size"].as_u64().unwrap_or(0) as usize);
            if self.large.contains_key(oid) {
                return json!({ "oid": oid, "size": size });
            }
            let upload = if size < PARTS_FROM {
                json!({ "href": format!("{storage}/storage/{oid}"), "header": {} })
            } else {
                let mut header = BTreeMap::from([("chunk_size".to_owned(), PART.to_string())]);
                for part in 1..=size.div_ceil(PART) {
                    header.insert(format!("{part:05}"), format!("{storage}/storage/{oid}/{part}"));
                }
                json!({ "href": format!("{storage}/storage/{oid}/whole"), "header": header })
            };
            let verify = json!({ "href": format!("{storage}/storage/{oid}/verify") });
            json!({ "oid": oid, "size": size, "actions": { "upload": upload, "verify": verify } })
        });
        Answer::json(&json!({ "transfer": "multipart", "objects": answered.collect::<Vec<_>>() }))
    }

    fn storage(&mut self, asked: &Asked, rest: &[&str]) -> Answer {
        match (asked.method.as_str(), rest) {
            ("PUT", [oid]) => {
                self.puts += 1;
                self.put_bytes += asked.body.len() as u64;
                self.keep(oid, asked.body.clone())
            }
            ("PUT", [oid, part]) => {
                self.puts += 1;
                self.put_bytes += asked.body.len() as u64;
                let part = part.parse().unwrap_or(0);
                self.parts.insert(((*oid).to_owned(), part), asked.body.clone());
                Answer::new(200, "").with("etag", format!("\"{}\"", sha256(&asked.body)))
            }
            ("POST", [oid, "whole"]) => {
                let mut whole = Vec::new();
                for part in json_of(asked)["parts"].as_array().cloned().unwrap_or_default() {
                    let key = ((*oid).to_owned(), part["partNumber"].as_u64().unwrap_or(0));
                    let Some(bytes) = self.parts.get(&key) else { return Answer::error(400, "a part is missing") };
                    if part["etag"] != format!("\"{}\"", sha256(bytes)) {
                        return Answer::error(400, "a part has another ETag");
                    }
                    whole.extend_from_slice(bytes);
                }
                self.keep(oid, whole)
            }
            ("POST", [oid, "verify"]) if self.large.contains_key(*oid) => Answer::new(200, "{}"),
            _ => Answer::error(404, "no such object"),
        }
    }

    fn keep(&mut self, oid: &str, content: Vec<u8>) -> Answer {
        if sha256(&content) != oid {
            return Answer::error(400, "the content has another digest");
        }
        self.large.insert(oid.to_owned(), Arc::new(content));
        Answer::new(200, "")
    }

    fn resolve(&self, revision: &str, path: &str, asked: &Asked) -> Answer {
        let Some(commit) = self.commit_of(revision) else { return Answer::error(404, "Invalid rev id") };
        let Some(entry) = self.trees[&commit].get(path) else {
            return Answer::error(404, "Entry not found").with("x-error-code", "EntryNotFound");
        };
        // Read where it lies, not where a test looks.
        let content = match (&self.chunks, &entry.chunked) {
            (Some(chunks), Some(hash)) => Arc::new(chunks.read(hash)),
            _ => Arc::clone(&entry.content),
        };
        let total = content.len();
        let range = asked.headers.get("range").and_then(|range| range.strip_prefix("bytes="));
        let range = range.and_then(|range| range.split_once('-')).and_then(|(from, to)| {
            let from: usize = from.parse().ok()?;
            Some((from, to.parse().map_or(total, |to: usize| to + 1).min(total)))
        });
        let answer = match range {
            Some((from, to)) => Answer::new(206, &content[from.min(to)..to])
                .with("content-range", format!("bytes {from}-{}/{total}", to.saturating_sub(1))),
            None => Answer::new(200, content.as_slice()),
        };
        let tag = format!("\"{}\"", entry.oid());
        let mut answer =
            answer.with("x-repo-commit", &*commit).with("etag", tag.clone()).with("accept-ranges", "bytes");
        if let Some(hash) = &entry.chunked {
            let host = asked.headers.get("host").map_or("", String::as_str);
            let route = format!("http://{host}/api/datasets/org/set/xet-read-token/{commit}");
            answer = answer.with("x-xet-hash", hash).with("x-xet-refresh-route", route);
        }
        if entry.is_large { answer.with("x-linked-size", total.to_string()).with("x-linked-etag", tag) } else { answer }
    }
}

impl Entry {
    fn oid(&self) -> String {
        if self.is_large { sha256(&self.content) } else { git_id(&self.content) }
    }

    fn json(&self, path: &str) -> Value {
        let size = self.content.len();
        let mut json = json!({ "type": "file", "path": path, "size": size, "oid": git_id(&self.content) });
        if self.is_large {
            if let Some(hash) = &self.chunked {
                json["xetHash"] = json!(hash);
            }
            json["lfs"] = json!({ "oid": self.oid(), "size": size, "pointerSize": 130 });
        }
        json
    }
}

impl Request {
    fn json(&self) -> Value {
        json!({
            "num": self.num, "title": self.title, "status": self.status, "isPullRequest": true,
            "author": { "name": "org" }, "createdAt": "2026-01-01T00:00:00.000Z", "repo": { "name": "org/set", "type": "dataset" },
        })
    }
}

fn json_of(asked: &Asked) -> Value {
    serde_json::from_slice(&asked.body).unwrap_or(Value::Null)
}
