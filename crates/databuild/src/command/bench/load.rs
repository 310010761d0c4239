//! Processor time and memory: Chrome's, ours, and the machine's.

use std::fs;
use std::time::{Duration, Instant};

use render::{Farm, Floor};

/// Clock tick of `/proc`, on every Linux that Chrome supports.
const TICK_MS: u64 = 10;

/// What was used up to a moment, or between two.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    at: Option<Instant>,
    pub(super) wall: Duration,
    pub(super) chrome: Duration,
    pub(super) own: Duration,
    /// Of all processes of the machine.
    machine: Duration,
}

impl Usage {
    pub(super) fn now(farm: &Farm) -> Self {
        Self::with(farm.stats().chrome_cpu)
    }

    pub(super) fn of_floor(floor: &Floor) -> Self {
        Self::with(floor.chrome_cpu())
    }

    fn with(chrome: Duration) -> Self {
        Self { at: Some(Instant::now()), wall: Duration::ZERO, chrome, own: own_cpu(), machine: machine_cpu() }
    }

    pub(super) fn since(self, before: Self) -> Self {
        Self {
            at: None,
            wall: self.at.zip(before.at).map_or(Duration::ZERO, |(now, then)| now - then),
            chrome: self.chrome.saturating_sub(before.chrome),
            own: self.own.saturating_sub(before.own),
            machine: self.machine.saturating_sub(before.machine),
        }
    }

    pub(super) fn add(&mut self, more: Self) {
        self.wall += more.wall;
        self.chrome += more.chrome;
        self.own += more.own;
        self.machine += more.machine;
    }

    pub(super) fn cpu(&self) -> Duration {
        self.chrome + self.own
    }

    /// How much of the machine's cores we and Chrome used.
    pub(super) fn share_of_cores(&self) -> f64 {
        self.cpu().as_secs_f64() / (self.wall.as_secs_f64() * cores() as f64)
    }

    /// How much of them all processes used.
    pub(super) fn machine_share(&self) -> f64 {
        self.machine.as_secs_f64() / (self.wall.as_secs_f64() * cores() as f64)
    }
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn own_cpu() -> Duration {
    // User and system time of this process alone: fields 14 and 15, counted from after the name.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_ascii_whitespace();
    Duration::from_millis(fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * TICK_MS)
}

fn machine_cpu() -> Duration {
    // user, nice, system, then idle and iowait, which are none, then irq and softirq.
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_ascii_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    let busy = [0, 1, 2, 5, 6].iter().filter_map(|index| ticks.get(*index)).sum::<u64>();
    Duration::from_millis(busy * TICK_MS)
}

/// Resident memory of this process.
pub(super) fn own_memory_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kb| kb * 1024)
}

/// Processes that this one started and that still run, with the groups that they lead.
pub(super) fn running_children() -> usize {
    let me = std::process::id().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let child = |stat: &String| {
        let mut fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_ascii_whitespace();
        let state = fields.next();
        state != Some("Z") && fields.next() == Some(&me)
    };
    entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok()).filter(child).count()
}
