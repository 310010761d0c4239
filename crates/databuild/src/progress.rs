//! Progress on a terminal: a bar per stage, with rate, and with an end where the number of items is known.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::{Observer, RunEvent};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Draws the bars.
pub(crate) struct Bars {
    all: MultiProgress,
    stages: Mutex<BTreeMap<String, Stage>>,
}

struct Stage {
    bar: ProgressBar,
    kept: u64,
    rejected: u64,
    failed: u64,
}

const TICK: Duration = Duration::from_millis(200);

impl Bars {
    pub(crate) fn new() -> Self {
        Self { all: MultiProgress::new(), stages: Mutex::default() }
    }

    fn stages(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Stage>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Items are known after a barrier only; before, what is left to do is counted in archives.
    fn begin(&self, stages: &[String], items: Option<u64>) {
        let mut all = self.stages();
        for name in stages {
            let bar = self.all.add(items.map_or_else(ProgressBar::no_length, ProgressBar::new));
            let template = if items.is_some() {
                "{prefix:>10} {wide_bar} {pos}/{len} {per_sec} eta {eta} {msg}"
            } else {
                "{prefix:>10} {spinner} {pos} {per_sec} {msg}"
            };
            bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(name.clone());
            bar.enable_steady_tick(TICK);
            all.insert(name.clone(), Stage { bar, kept: 0, rejected: 0, failed: 0 });
        }
    }

    fn say(&self, line: &str) {
        // Drawn above the bars; a closed terminal is no error.
        let _closed = self.all.println(line);
    }
}

impl Observer for Bars {
    fn event(&self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted { name, partitions, bytes } => {
                self.say(&format!("run `{name}`: {partitions} WARC files, {:.1} MB", *bytes as f64 / 1e6));
            }
            RunEvent::PhaseStarted { phase, stages, units, reused, items } => {
                self.say(&format!("phase `{phase}`: {units} units, {reused} reused"));
                if units > reused {
                    self.begin(stages, *items);
                }
            }
            RunEvent::BatchProcessed { stage, seen, kept, rejected, failed, .. } => {
                let mut stages = self.stages();
                let Some(stage) = stages.get_mut(stage) else { return };
                stage.kept += kept;
                stage.rejected += rejected;
                stage.failed += failed;
                stage.bar.inc(*seen);
                stage
                    .bar
                    .set_message(format!("kept {} rejected {} failed {}", stage.kept, stage.rejected, stage.failed));
            }
            RunEvent::PhaseEnded { .. } => {
                for (_, stage) in std::mem::take(&mut *self.stages()) {
                    stage.bar.finish_and_clear();
                }
            }
            RunEvent::ItemFailed { stage, url, class, message, .. } => {
                self.say(&format!("{stage}: {class}: {url}: {message}"));
            }
            RunEvent::BarrierDecided { barrier, seen, kept, .. } => {
                self.say(&format!("barrier `{barrier}`: {kept} of {seen} go on"));
            }
            RunEvent::BrowserReplaced { reason } => self.say(&format!("a browser was replaced: {reason}")),
            RunEvent::Noted { message } => self.say(message),
            _ => {}
        }
    }
}
