//! Chrome's debugging protocol over a pipe: JSON messages that end in a NUL byte, one pipe in and one out.
//!
//! A reader thread hands each message to the session that it belongs to, the moment it arrives: nothing polls. Calls and
//! events of a session share one inbox, so their order is Chrome's. A writer thread takes what is to be sent, so that a
//! browser which stopped reading costs a caller its deadline and not its life.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::types::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::process::Tallies;

/// Longest message that is read; the screenshot of the largest texture stays below. A browser that says more is dropped.
const MESSAGE_BYTES_MAX: u64 = 1 << 30;
/// Buffer between messages; larger ones are given back to the system.
const BUFFER_BYTES: usize = 1 << 20;
/// Bytes of an unexpected answer that an error message shows.
const EXCERPT_CHARS: usize = 200;

/// A call has no answer that can be used.
#[derive(Debug, Error)]
pub(crate) enum CallError {
    /// The deadline passed.
    #[error("the tab did not answer in time")]
    Timeout,
    /// The renderer process behind the tab died.
    #[error("the renderer crashed")]
    Crashed,
    /// The browser closed its pipe: it is dead.
    #[error("the browser died")]
    Gone,
    /// The browser answered with an error.
    #[error("{method} was refused: {message}")]
    Refused { method: &'static str, message: String },
    /// Frames were drawn, and none came with a picture.
    #[error("no frame came with a picture")]
    NoPicture,
    /// The browser answered something else than its protocol says.
    #[error("{method} was answered in an unknown form")]
    Malformed { method: &'static str, source: serde_json::Error },
}

/// What arrives in the inbox of a session.
#[derive(Debug)]
enum Message {
    Answer { id: u32, result: Result<Box<RawValue>, RemoteError> },
    Loaded,
    Crashed,
}

#[derive(Debug, Deserialize)]
struct RemoteError {
    message: String,
}

/// Every message of the protocol, as far as it is looked into here.
#[derive(Deserialize)]
struct Envelope<'a> {
    id: Option<u32>,
    #[serde(rename = "sessionId", borrow)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<RemoteError>,
}

#[derive(Serialize)]
struct Call<'a, P> {
    id: u32,
    method: &'a str,
    params: &'a P,
    #[serde(rename = "sessionId", skip_serializing_if = "str::is_empty")]
    session: &'a str,
}

/// Inboxes by session id (the browser's own is ""); `None` once the pipe is closed.
type Inboxes = Mutex<Option<HashMap<String, Sender<Message>>>>;

/// One browser's pipe.
#[derive(Debug)]
pub(crate) struct Transport {
    outbox: Sender<Vec<u8>>,
    inboxes: Arc<Inboxes>,
    next_id: AtomicU32,
}

impl Transport {
    /// Starts talking. The two threads end when the browser closes its ends.
    pub(crate) fn new(from_chrome: PipeReader, to_chrome: PipeWriter, tallies: Arc<Tallies>) -> io::Result<Arc<Self>> {
        let (outbox, to_send) = mpsc::channel();
        let inboxes: Arc<Inboxes> = Arc::new(Mutex::new(Some(HashMap::new())));
        thread::Builder::new().name("chrome-writer".to_owned()).spawn(move || write_all(to_chrome, &to_send))?;
        let reader = Reader { inboxes: Arc::clone(&inboxes), outbox: outbox.clone(), tallies };
        thread::Builder::new().name("chrome-reader".to_owned()).spawn(move || reader.run(from_chrome))?;
        Ok(Arc::new(Self { outbox, inboxes, next_id: AtomicU32::new(1) }))
    }

    /// A session: "" is the browser itself, others are what `Target.attachToTarget` answered.
    pub(crate) fn session(self: &Arc<Self>, id: String) -> Session {
        let (sender, inbox) = mpsc::channel();
        if let Some(inboxes) = lock(&self.inboxes).as_mut() {
            inboxes.insert(id.clone(), sender);
        }
        Session { id, transport: Arc::clone(self), inbox, loads: Cell::new(0), crashed: Cell::new(false) }
    }

    /// The browser's end is open.
    pub(crate) fn is_open(&self) -> bool {
        lock(&self.inboxes).is_some()
    }
}

/// One conversation, with a tab or with the browser; used by one thread at a time.
#[derive(Debug)]
pub(crate) struct Session {
    id: String,
    transport: Arc<Transport>,
    inbox: Receiver<Message>,
    loads: Cell<u32>,
    crashed: Cell<bool>,
}

impl Session {
    /// Calls `method` and waits for its answer.
    pub(crate) fn call<M>(&self, method: &M, deadline: Instant) -> Result<M::ReturnObject, CallError>
    where
        M: Method + Serialize,
    {
        read::<M>(&self.call_unread(method, deadline)?)
    }

    /// Calls `method` and waits for its answer, which stays as it came.
    pub(crate) fn call_unread<M>(&self, method: &M, deadline: Instant) -> Result<Box<RawValue>, CallError>
    where
        M: Method + Serialize,
    {
        let wanted = self.send(method)?;
        loop {
            if let Message::Answer { id, result } = self.next(deadline)?
                && id == wanted
            {
                return result.map_err(|error| CallError::Refused { method: M::NAME, message: error.message });
            }
            // Else a late answer to a call that was given up, or an event, which `next` has counted.
        }
    }

    /// Calls `method`, and `help` over and over, with that much time between, until the answer to `method` is there.
    pub(crate) fn call_helped<M, H>(
        &self,
        method: &M,
        help: &H,
        pause: Duration,
        deadline: Instant,
    ) -> Result<M::ReturnObject, CallError>
    where
        M: Method + Serialize,
        H: Method + Serialize,
    {
        let wanted = self.send(method)?;
        let mut helping = None;
        let answer = loop {
            let until = if helping.is_some() { deadline } else { deadline.min(Instant::now() + pause) };
            match self.next(until) {
                Ok(Message::Answer { id, result }) if id == wanted => break result,
                Ok(Message::Answer { id, .. }) if helping == Some(id) => helping = None,
                Ok(_) => {}
                Err(CallError::Timeout) if Instant::now() < deadline => helping = Some(self.send(help)?),
                Err(error) => return Err(error),
            }
        };
        // Chrome takes one frame at a time, so the last one must be over before anybody asks for another.
        while helping.is_some() {
            if matches!(self.next(deadline)?, Message::Answer { id, .. } if helping == Some(id)) {
                helping = None;
            }
        }
        read::<M>(&answer.map_err(|error| CallError::Refused { method: M::NAME, message: error.message })?)
    }

    /// Calls `method` and does not wait; its answer is passed over by later calls.
    pub(crate) fn send<M>(&self, method: &M) -> Result<u32, CallError>
    where
        M: Method + Serialize,
    {
        let id = self.transport.next_id.fetch_add(1, Ordering::Relaxed);
        let message = encode(&Call { id, method: M::NAME, params: method, session: &self.id });
        self.transport.outbox.send(message).map_err(|_| CallError::Gone)?;
        Ok(id)
    }

    /// Forgets the `load` events that came so far.
    pub(crate) fn forget_loads(&self) {
        self.loads.set(0);
    }

    /// Waits for the next `load` event after [`forget_loads`](Self::forget_loads).
    pub(crate) fn wait_load(&self, deadline: Instant) -> Result<(), CallError> {
        while self.loads.get() == 0 {
            self.next(deadline)?;
        }
        Ok(())
    }

    fn next(&self, deadline: Instant) -> Result<Message, CallError> {
        if self.crashed.get() {
            return Err(CallError::Crashed);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match self.inbox.recv_timeout(left) {
            Ok(Message::Crashed) => {
                self.crashed.set(true);
                Err(CallError::Crashed)
            }
            Ok(message) => {
                if matches!(message, Message::Loaded) {
                    self.loads.set(self.loads.get() + 1);
                }
                Ok(message)
            }
            Err(RecvTimeoutError::Timeout) => Err(CallError::Timeout),
            Err(RecvTimeoutError::Disconnected) => Err(CallError::Gone),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(inboxes) = lock(&self.transport.inboxes).as_mut() {
            inboxes.remove(&self.id);
        }
    }
}

struct Reader {
    inboxes: Arc<Inboxes>,
    outbox: Sender<Vec<u8>>,
    tallies: Arc<Tallies>,
}

impl Reader {
    fn run(self, from_chrome: PipeReader) {
        let mut pipe = BufReader::with_capacity(BUFFER_BYTES, from_chrome);
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            buffer.shrink_to(BUFFER_BYTES);
            let read = (&mut pipe).take(MESSAGE_BYTES_MAX).read_until(0, &mut buffer);
            if read.is_err() || buffer.pop() != Some(0) {
                break; // Closed, or no protocol any more.
            }
            let Ok(envelope) = serde_json::from_slice(&buffer) else { break };
            self.route(envelope);
        }
        // Dropping the senders wakes every caller with `Gone`.
        lock(&self.inboxes).take();
    }

    fn route(&self, envelope: Envelope<'_>) {
        let session = envelope.session.as_deref().unwrap_or_default();
        let message = match (envelope.id, envelope.method.as_deref()) {
            (Some(id), _) => {
                let result = match (envelope.error, envelope.result) {
                    (Some(error), _) => Err(error),
                    (None, Some(result)) => Ok(result.to_owned()),
                    (None, None) => Err(RemoteError { message: "neither result nor error".to_owned() }),
                };
                Message::Answer { id, result }
            }
            (None, Some("Page.loadEventFired")) => Message::Loaded,
            (None, Some("Inspector.targetCrashed" | "Inspector.detached")) => Message::Crashed,
            (None, Some("Fetch.requestPaused")) => return self.refuse_request(session, envelope.params),
            (None, Some("Page.javascriptDialogOpening")) => return self.dismiss_dialog(session),
            _ => return,
        };
        if let Some(inboxes) = lock(&self.inboxes).as_ref()
            && let Some(inbox) = inboxes.get(session)
        {
            // An inbox that nobody holds any more belongs to a tab that was just thrown away.
            let _ = inbox.send(message);
        }
    }

    /// Refuses a request on the spot: a tab waits for this answer before it answers anything else.
    fn refuse_request(&self, session: &str, params: Option<&RawValue>) {
        #[derive(Deserialize)]
        struct Paused {
            #[serde(rename = "requestId")]
            request_id: String,
        }
        let Some(Ok(paused)) = params.map(|raw| serde_json::from_str::<Paused>(raw.get())) else { return };
        self.tallies.requests_refused.fetch_add(1, Ordering::Relaxed);
        let params = serde_json::json!({ "requestId": paused.request_id, "errorReason": "Aborted" });
        // Nobody waits for id 0.
        let _ = self.outbox.send(encode(&Call { id: 0, method: "Fetch.failRequest", params: &params, session }));
    }

    /// Closes an alert or a question on the spot: until then the page stands still and the tab answers no other call.
    fn dismiss_dialog(&self, session: &str) {
        let params = serde_json::json!({ "accept": false });
        let method = "Page.handleJavaScriptDialog";
        let _ = self.outbox.send(encode(&Call { id: 0, method, params: &params, session }));
    }
}

/// An answer as the protocol types it.
fn read<M: Method>(raw: &RawValue) -> Result<M::ReturnObject, CallError> {
    serde_json::from_str(raw.get()).map_err(|source| CallError::Malformed { method: M::NAME, source })
}

fn write_all(mut pipe: PipeWriter, to_send: &Receiver<Vec<u8>>) {
    while let Ok(message) = to_send.recv() {
        if pipe.write_all(&message).is_err() {
            break; // The reader notices, too, and tells the callers.
        }
    }
}

fn encode(call: &Call<'_, impl Serialize>) -> Vec<u8> {
    let mut message = serde_json::to_vec(call).expect("calls are plain data");
    message.push(0);
    message
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The start of a text for an error message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}
