//! Progress on a terminal: a bar per stage and one for the units of work, with rate and, where the end is known, the time to it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::{Observer, RunEvent};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Draws the bars.
pub(crate) struct Bars {
    all: MultiProgress,
    stages: Mutex<BTreeMap<String, Stage>>,
    /// Done before the items of a first phase are known, so it is what tells how long that will take.
    units: Mutex<Option<ProgressBar>>,
}

struct Stage {
    bar: ProgressBar,
    kept: u64,
    rejected: u64,
    failed: u64,
}

const TICK: Duration = Duration::from_millis(200);
const WITH_END: &str = "{prefix:>10} {wide_bar} {pos}/{len} {per_sec} eta {eta} {msg}";
const WITHOUT_END: &str = "{prefix:>10} {spinner} {pos} {per_sec} {msg}";

impl Bars {
    pub(crate) fn new() -> Self {
        Self { all: MultiProgress::new(), stages: Mutex::default(), units: Mutex::default() }
    }

    fn stages(&self) -> MutexGuard<'_, BTreeMap<String, Stage>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn units(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bar(&self, name: &str, length: Option<u64>) -> ProgressBar {
        let bar = self.all.add(length.map_or_else(ProgressBar::no_length, ProgressBar::new));
        let template = if length.is_some() { WITH_END } else { WITHOUT_END };
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(TICK);
        bar
    }

    /// Items are known after a barrier only.
    fn begin(&self, stages: &[String], units: usize, items: Option<u64>) {
        *self.units() = Some(self.bar("units", Some(units as u64)));
        let mut all = self.stages();
        for name in stages {
            all.insert(name.clone(), Stage { bar: self.bar(name, items), kept: 0, rejected: 0, failed: 0 });
        }
    }

    fn end(&self) {
        for (_, stage) in std::mem::take(&mut *self.stages()) {
            stage.bar.finish_and_clear();
        }
        if let Some(units) = self.units().take() {
            units.finish_and_clear();
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
                    self.begin(stages, units - reused, *items);
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
            RunEvent::PartitionCommitted { .. } => {
                if let Some(units) = self.units().as_ref() {
                    units.inc(1);
                }
            }
            RunEvent::PhaseEnded { .. } => self.end(),
            RunEvent::ItemFailed { stage, url, class, message, .. } => {
                self.say(&format!("{stage}: {class}: {url}: {message}"));
            }
            RunEvent::BarrierDecided { barrier, seen, kept, .. } => {
                self.say(&format!("barrier `{barrier}`: {kept} of {seen} go on"));
            }
            RunEvent::BrowserReplaced { reason } => self.say(&format!("a browser was replaced: {reason}")),
            RunEvent::ProcessKilled { memory_bytes } => {
                self.say(&format!("a browser's process was ended: it used {:.0} MB", *memory_bytes as f64 / 1e6));
            }
            RunEvent::Noted { message } => self.say(message),
            _ => {}
        }
    }
}
