//! A model server that we start, and end.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// What a server said last, for the error where it ends before it is ready.
const SAID_BYTES: usize = 2000;
/// How long a server that has ended is listened to.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Stands for the port in the command.
const PORT: &str = "{port}";

/// A command that serves a model on loopback.
#[derive(Debug)]
pub struct Server {
    words: Vec<String>,
    port: u16,
    ready_within: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: Option<Running>,
    /// The run is over: what is started now would stay behind.
    is_over: bool,
}

#[derive(Debug)]
struct Running {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// A server of that command line: words, quoted as a shell would have them; `{port}` in it is a free port on loopback.
    pub fn new(command: &str, ready_within: Duration) -> Result<Self, String> {
        let words = words(command)?;
        if words.is_empty() {
            return Err("the command is empty".to_owned());
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| format!("find a free port: {error}"))?.port();
        Ok(Self { words, port, ready_within, state: Mutex::default() })
    }

    /// Where it will listen.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The longest that it may take until it answers.
    pub const fn ready_within(&self) -> Duration {
        self.ready_within
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it, in a process group of its own.
    pub(super) fn start(&self) -> Result<(), String> {
        let mut state = self.state();
        if state.is_over {
            return Err("the run was stopped".to_owned());
        }
        let words: Vec<String> = self.words.iter().map(|word| word.replace(PORT, &self.port.to_string())).collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| format!("start `{}`: {error}", words[0]))?;
        let said = Arc::default();
        let listener = child.stderr.take().map(|errors| {
            let said = Arc::clone(&said);
            // Ends with the server's end of the pipe.
            std::thread::spawn(move || listen(errors, &said))
        });
        state.running = Some(Running { child, said, listener });
        Ok(())
    }

    /// Says that it has ended by itself, and what it said.
    pub(super) fn ended(&self) -> Option<String> {
        let mut state = self.state();
        let Running { child, said, listener } = state.running.as_mut()?;
        let status = child.try_wait().ok()??;
        // Its last words may still be on their way; children of its own may hold the pipe for ever.
        let until = Instant::now() + LAST_WORDS;
        while listener.as_ref().is_some_and(|listener| !listener.is_finished()) && Instant::now() < until {
            std::thread::sleep(LAST_WORDS / 20);
        }
        let said = String::from_utf8_lossy(&said.lock().unwrap_or_else(PoisonError::into_inner)).trim().to_owned();
        Some(format!("the server ended with {status}: {said}"))
    }

    /// Ends it and whatever it has started, for good.
    pub fn stop(&self) {
        let mut state = self.state();
        state.is_over = true;
        let Some(mut running) = state.running.take() else { return };
        if let Some(group) = Pid::from_raw(running.child.id().cast_signed()) {
            // It may be gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = running.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Keeps the last of what is said, and reads on, so that the server never waits for us.
fn listen(mut from: impl std::io::Read, said: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.by_ref().read(&mut buffer) {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&buffer[..read]);
        let surplus = said.len().saturating_sub(SAID_BYTES);
        said.drain(..surplus);
    }
}

/// Words of a command line; single and double quotes keep blanks, a backslash keeps the next character.
fn words(command: &str) -> Result<Vec<String>, String> {
    shlex::split(command).ok_or_else(|| format!("read the command `{command}`: a quote is not closed"))
}
