//! Readers of run events: several at once, and the JSON log.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::{Observer, RunEvent};

/// Hands each event to every reader.
pub(crate) struct Readers(pub(crate) Vec<Arc<dyn Observer>>);

impl Observer for Readers {
    fn event(&self, event: &RunEvent) {
        for reader in &self.0 {
            reader.event(event);
        }
    }
}

/// Writes every event to a file as JSON lines.
pub(crate) struct JsonLog {
    file: Mutex<BufWriter<File>>,
}

impl JsonLog {
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: Mutex::new(BufWriter::new(File::create(path)?)) })
    }
}

impl Observer for JsonLog {
    fn event(&self, event: &RunEvent) {
        let Ok(json) = serde_json::to_string(event) else { return };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end the run: the log is a courtesy, the books are in the store.
        let _lost_line = writeln!(file, "{json}").and_then(|()| file.flush());
    }
}

/// How often the counts of a running stage go to a log that people or supervisors follow.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Writes events to stderr as JSON lines where no bars can be drawn. Counts per batch would drown everything else, so
/// they are summed up and written now and then.
#[derive(Default)]
pub(crate) struct JsonProgress {
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    stages: std::collections::BTreeMap<String, [u64; 4]>,
    written: Option<Instant>,
}

impl Observer for JsonProgress {
    fn event(&self, event: &RunEvent) {
        match event {
            RunEvent::BatchProcessed { stage, seen, kept, rejected, failed, .. } => {
                let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
                let sum = sums.stages.entry(stage.clone()).or_default();
                for (total, more) in sum.iter_mut().zip([seen, kept, rejected, failed]) {
                    *total += more;
                }
                let due = sums.written.is_none_or(|written| written.elapsed() >= PROGRESS_EVERY);
                if due {
                    write_sums(&sums);
                    sums.written = Some(Instant::now());
                }
            }
            RunEvent::SourceRead { .. } => {}
            RunEvent::PhaseEnded { .. } => {
                let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
                write_sums(&sums);
                sums.stages.clear();
                write_line(&serde_json::json!(event));
            }
            other => write_line(&serde_json::json!(other)),
        }
    }
}

fn write_sums(sums: &Sums) {
    for (stage, [seen, kept, rejected, failed]) in &sums.stages {
        write_line(&serde_json::json!({
            "event": "progress", "stage": stage, "seen": seen, "kept": kept, "rejected": rejected, "failed": failed,
        }));
    }
}

fn write_line(json: &serde_json::Value) {
    let _closed = writeln!(std::io::stderr(), "{json}");
}
