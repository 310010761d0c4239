//! Who may work at the same time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a stage's work needs while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A core; the work runs on the compute pool.
    Cpu,
    /// A Chrome tab; the work waits on it from a thread of its own.
    Chrome,
    /// A GPU; the work waits on it from a thread of its own.
    Gpu,
    /// Servers elsewhere; the work waits on them from a thread of its own.
    Network,
    /// Servers of a model; the work waits on them, and on Chrome in between, from a thread of its own.
    Model,
}

/// Bounds of a run. Each protects something; the defaults fit a small machine.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Batches that compute at the same time: the number of cores.
    pub cpu_slots: usize,
    /// Pages that render at the same time: tabs of the whole farm.
    pub chrome_slots: usize,
    /// Batches on the GPU at the same time; more than one hides the copies behind the work.
    pub gpu_slots: usize,
    /// Batches that wait for servers at the same time: mostly they wait for their turn at one host.
    pub network_slots: usize,
    /// Items that a model works on at the same time: as many as its servers take requests.
    pub model_slots: usize,
    /// Partitions in flight: two, so that the slow end of one is covered by the beginning of the next.
    pub partitions_in_flight: usize,
    /// Bytes of items on their way inside one partition; a single larger item passes alone.
    pub partition_bytes: usize,
    /// The longest that one batch may take before its items fail as timeouts. Stages that wait on something with
    /// deadlines of its own stay well under it, or say how long they may take.
    pub batch_deadline: Duration,
    /// Largest share of a phase's items that may fail, 0 to 1, before the run refuses to make a dataset of the rest.
    pub failed_share_max: f64,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            cpu_slots: cores,
            chrome_slots: cores,
            gpu_slots: 2,
            network_slots: 16,
            model_slots: 4,
            partitions_in_flight: 2,
            partition_bytes: 96 << 20,
            batch_deadline: Duration::from_mins(5),
            failed_share_max: 0.5,
        }
    }
}

/// The slots of a run, shared by all its partitions.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    cpu: Arc<Semaphore>,
    chrome: Arc<Semaphore>,
    gpu: Arc<Semaphore>,
    network: Arc<Semaphore>,
    model: Arc<Semaphore>,
}

impl Slots {
    pub(crate) fn new(limits: &Limits) -> Self {
        let pool = |slots: usize| Arc::new(Semaphore::new(slots.max(1)));
        Self {
            cpu: pool(limits.cpu_slots),
            chrome: pool(limits.chrome_slots),
            gpu: pool(limits.gpu_slots),
            network: pool(limits.network_slots),
            model: pool(limits.model_slots),
        }
    }

    /// Waits for a slot. The permit is given back when the work ends, before its result is handed on.
    pub(crate) async fn take(&self, resource: Resource) -> OwnedSemaphorePermit {
        let pool = match resource {
            Resource::Cpu => &self.cpu,
            Resource::Chrome => &self.chrome,
            Resource::Gpu => &self.gpu,
            Resource::Network => &self.network,
            Resource::Model => &self.model,
        };
        Arc::clone(pool).acquire_owned().await.expect("slots are never closed")
    }
}
