//! The store of chunks that comes with `xet-client`, served on loopback. The Hub of the tests stands before it: passes on what it is
//! asked, looks at passes, counts, and stumbles.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use ureq::Agent;
use ureq::http::{Request, Uri};
use xet_client::cas_client::{DirectAccessClient, LocalServer, MemoryClient};
use xet_core_structures::merklehash::MerkleHash;
use xet_core_structures::metadata_shard::streaming_shard::MDBMinimalShard;
use xet_runtime::core::XetContext;

use crate::stub::http::{Answer, Asked};
use crate::stub::hub::ChunkStore;

/// An answer of the store takes no longer.
const SILENCE: Duration = Duration::from_secs(30);
/// Largest answer: a pack of chunks has 64 MB.
const ANSWER_BYTES_MAX: u64 = 128 << 20;

/// The store; it ends with this value.
pub(crate) struct LocalStore {
    runtime: Runtime,
    client: Arc<dyn DirectAccessClient>,
    agent: Agent,
    address: String,
    _stop: oneshot::Sender<()>,
}

impl std::fmt::Debug for LocalStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LocalStore({})", self.address)
    }
}

impl LocalStore {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        let (stop, stopped) = oneshot::channel();
        let (client, listener) = runtime.block_on(async {
            let client: Arc<dyn DirectAccessClient> = MemoryClient::new(XetContext::default().expect("a runtime"));
            (client, TcpListener::bind("127.0.0.1:0").await.expect("loopback is there"))
        });
        let address = listener.local_addr().expect("an address");
        let server = LocalServer::from_client(Arc::clone(&client), None, address.ip().to_string(), address.port());
        runtime.spawn(async move { server.serve_until_stopped(listener, stopped).await });
        let address = format!("http://{address}");
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(SILENCE));
        Self { runtime, client, agent: config.build().new_agent(), address, _stop: stop }
    }
}

impl ChunkStore for LocalStore {
    fn answer(&self, asked: &Asked) -> Answer {
        let query = query_of(asked);
        let uri: Uri = format!("{}{}{query}", self.address, asked.path).parse().expect("an address");
        let mut request = Request::builder().method(asked.method.as_str()).uri(uri);
        // With the name that the client used: addresses in answers begin with it.
        for (name, value) in asked.headers.iter().filter(|(name, _)| !is_of_the_line(name)) {
            request = request.header(name, value);
        }
        let response = if asked.method == "GET" || asked.method == "HEAD" {
            self.agent.run(request.body(()).expect("a request"))
        } else {
            self.agent.run(request.body(asked.body.as_slice()).expect("a request"))
        };
        let mut response = response.expect("the store answers");
        let mut answer = Answer::new(response.status().as_u16(), Vec::new());
        for (name, value) in response.headers() {
            if !is_of_the_line(name.as_str()) {
                answer = answer.with(name.as_str(), value.to_str().expect("a header of text"));
            }
        }
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        answer.body = body.expect("a whole answer");
        answer
    }

    fn files(&self, list: &[u8]) -> Vec<(String, String)> {
        let list = MDBMinimalShard::from_reader(&mut Cursor::new(list), true, false).expect("a list of chunks");
        let files = (0..list.num_files()).filter_map(|index| list.file(index));
        files.map(|file| (file.metadata_ext().expect("a SHA-256").sha256.hex(), file.file_hash().hex())).collect()
    }

    fn read(&self, hash: &str) -> Vec<u8> {
        let hash = MerkleHash::from_hex(hash).expect("a hash");
        self.runtime.block_on(self.client.get_file_data(&hash, None)).expect("a file of the store").to_vec()
    }
}

fn query_of(asked: &Asked) -> String {
    if asked.query.is_empty() {
        return String::new();
    }
    let mut query = url::form_urlencoded::Serializer::new("?".to_owned());
    query.extend_pairs(&asked.query);
    query.finish()
}

/// What each of the two lines says for itself.
fn is_of_the_line(name: &str) -> bool {
    matches!(name, "content-length" | "transfer-encoding" | "connection" | "expect")
}
