//! Figures of a run in the text form that Prometheus reads.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use engine::{Observer, RunEvent};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::http::{self, Answer};

/// What the exposition format calls itself.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStage {
    phase: String,
    stage: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOutcome {
    phase: String,
    stage: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPhase {
    phase: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReason {
    reason: String,
}

type Seconds = Counter<f64, AtomicU64>;

/// The figures, fed by the events of a run.
pub(crate) struct Metrics {
    registry: Registry,
    items: Family<OfOutcome, Counter>,
    recalled: Family<OfStage, Counter>,
    batches: Family<OfStage, Counter>,
    seconds: Family<OfStage, Seconds>,
    units: Family<OfPhase, Gauge>,
    units_done: Family<OfPhase, Gauge>,
    browsers_replaced: Family<OfReason, Counter>,
    processes_killed: Counter,
    pages_rendered: Gauge,
    tabs: Gauge,
    tabs_busy: Gauge,
    browser_memory: Gauge,
    model_requests: Gauge,
    model_retries: Gauge,
    model_recalled: Gauge,
    model_prompt_tokens: Gauge,
    model_completion_tokens: Gauge,
    rows: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("databuild");
        let r = &mut registry;
        Self {
            items: of_family(r, "items", "Items that a stage answered, by what became of them"),
            recalled: of_family(r, "items_recalled", "Items whose answer was remembered"),
            batches: of_family(r, "batches", "Batches that a stage answered"),
            seconds: of_family(r, "batch_seconds", "Time from handing a batch over to its answer, added up"),
            units: of_family(r, "units", "Units of work of a phase"),
            units_done: of_family(r, "units_done", "Units of a phase that are committed, earlier runs included"),
            browsers_replaced: of_family(r, "browsers_replaced", "Browsers that were replaced"),
            processes_killed: counter(r, "browser_processes_killed", "Processes of browsers ended for their memory"),
            pages_rendered: gauge(r, "farm_pages", "Pages that got their answer since the browsers were started"),
            tabs: gauge(r, "farm_tabs", "Tabs of the farm"),
            tabs_busy: gauge(r, "farm_tabs_busy", "Tabs that render now"),
            browser_memory: gauge(r, "farm_memory_bytes", "Memory of all browsers, shared pages not counted"),
            model_requests: gauge(r, "model_requests", "Requests that a model answered"),
            model_retries: gauge(r, "model_retries", "Requests that had to be sent again"),
            model_recalled: gauge(r, "model_recalled", "Answers that were remembered"),
            model_prompt_tokens: gauge(r, "model_prompt_tokens", "Tokens that a model was asked"),
            model_completion_tokens: gauge(r, "model_completion_tokens", "Tokens that a model answered"),
            rows: gauge(r, "dataset_rows", "Rows of the dataset's main subset, once it is there"),
            registry,
        }
    }

    /// The figures as text.
    fn text(&self) -> String {
        let mut text = String::new();
        // Memory takes every letter.
        let _infallible = encode(&mut text, &self.registry);
        text
    }

    fn count(&self, phase: &str, stage: &str, outcome: &'static str, items: u64) {
        if items > 0 {
            let of = OfOutcome { phase: phase.to_owned(), stage: stage.to_owned(), outcome };
            self.items.get_or_create(&of).inc_by(items);
        }
    }
}

fn of_family<L, M>(registry: &mut Registry, name: &str, help: &str) -> Family<L, M>
where
    Family<L, M>: Clone + Default + prometheus_client::registry::Metric,
{
    let family = Family::<L, M>::default();
    registry.register(name, help, family.clone());
    family
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

impl Observer for Metrics {
    fn event(&self, event: &RunEvent) {
        let set = |gauge: &Gauge, value: u64| {
            gauge.set(value.try_into().unwrap_or(i64::MAX));
        };
        let of_phase = |phase: &String| OfPhase { phase: phase.clone() };
        match event {
            RunEvent::PhaseStarted { phase, units, reused, .. } => {
                set(&self.units.get_or_create(&of_phase(phase)), *units as u64);
                set(&self.units_done.get_or_create(&of_phase(phase)), *reused as u64);
            }
            RunEvent::PartitionCommitted { phase, .. } => {
                self.units_done.get_or_create(&of_phase(phase)).inc();
            }
            RunEvent::BatchProcessed { phase, stage, kept, rejected, failed, recalled, elapsed_ms, .. } => {
                for (outcome, items) in [("kept", kept), ("rejected", rejected), ("failed", failed)] {
                    self.count(phase, stage, outcome, *items);
                }
                let of = OfStage { phase: phase.clone(), stage: stage.clone() };
                self.recalled.get_or_create(&of).inc_by(*recalled);
                self.batches.get_or_create(&of).inc();
                self.seconds.get_or_create(&of).inc_by(*elapsed_ms as f64 / 1e3);
            }
            RunEvent::BrowserReplaced { reason } => {
                self.browsers_replaced.get_or_create(&OfReason { reason: reason.clone() }).inc();
            }
            RunEvent::ProcessKilled { .. } => {
                self.processes_killed.inc();
            }
            RunEvent::FarmSeen { pages, tabs_busy, tabs, memory_bytes, .. } => {
                set(&self.pages_rendered, *pages);
                set(&self.tabs, *tabs as u64);
                set(&self.tabs_busy, *tabs_busy as u64);
                set(&self.browser_memory, memory_bytes.iter().sum());
            }
            RunEvent::ModelSeen { requests, retries, recalled, prompt_tokens, completion_tokens, .. } => {
                set(&self.model_requests, *requests);
                set(&self.model_retries, *retries);
                set(&self.model_recalled, *recalled);
                set(&self.model_prompt_tokens, *prompt_tokens);
                set(&self.model_completion_tokens, *completion_tokens);
            }
            RunEvent::DatasetCommitted { rows, .. } => set(&self.rows, *rows),
            _ => {}
        }
    }
}

/// Serves the figures until the process ends, and says where.
pub(crate) fn serve(metrics: &Arc<Metrics>, address: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let metrics = Arc::clone(metrics);
    std::thread::Builder::new().name("metrics".into()).spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            http::serve(&stream, bound.ip().is_loopback(), |request| match request.path.as_str() {
                "/metrics" => Answer::text(KIND, &metrics.text()),
                _ => Answer::error(404, "the figures are under /metrics"),
            });
        }
    })?;
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_figures() {
        let metrics = Metrics::new();
        let batch = |kept, rejected| RunEvent::BatchProcessed {
            phase: "render".into(),
            stage: "score".into(),
            seen: kept + rejected,
            kept,
            rejected,
            failed: 0,
            recalled: 1,
            elapsed_ms: 250,
        };
        metrics.event(&RunEvent::PhaseStarted {
            phase: "render".into(),
            stages: Vec::new(),
            units: 9,
            reused: 2,
            items: None,
        });
        metrics.event(&batch(5, 1));
        metrics.event(&batch(2, 0));
        metrics.event(&RunEvent::PartitionCommitted {
            phase: "render".into(),
            partition: "p".into(),
            items: 7,
            elapsed_ms: 1,
        });
        let text = metrics.text();
        for line in [
            "databuild_items_total{phase=\"render\",stage=\"score\",outcome=\"kept\"} 7",
            "databuild_items_total{phase=\"render\",stage=\"score\",outcome=\"rejected\"} 1",
            "databuild_items_recalled_total{phase=\"render\",stage=\"score\"} 2",
            "databuild_batch_seconds_total{phase=\"render\",stage=\"score\"} 0.5",
            "databuild_units{phase=\"render\"} 9",
            "databuild_units_done{phase=\"render\"} 3",
            "# EOF",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
    }
}
