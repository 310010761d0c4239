//! A browser as processes: started in a group of its own, with a folder and an environment of its own, and ended whole.
//!
//! When our process dies without a word (`kill -9`), the system closes our ends of the pipes; Chrome sees that and exits,
//! and its helpers follow. So nothing needs to be set up for that case.

use std::fs;
use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// Where Chrome reads and writes with `--remote-debugging-pipe`; Chrome's choice.
const CHROME_READS_FD: i32 = 3;
const CHROME_WRITES_FD: i32 = 4;
/// How long a killed group may take to vanish; it takes milliseconds.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause between looks at a group that is ending.
const END_POLL: Duration = Duration::from_millis(5);
/// End of the standard error that is kept for messages.
const SAID_BYTES_MAX: usize = 2_000;
/// Bytes of a memory page as `statm` counts; every Linux that Chrome supports has this.
const MEMORY_PAGE_BYTES: u64 = 4_096;
/// Clock tick of `/proc`, on every Linux that Chrome supports.
const TICK_MS: u64 = 10;
const STDERR_FILE: &str = "stderr.log";
const FONTS_FILE: &str = "fonts.conf";
/// The system's fonts, asked for without a language. Chrome keeps the font that stands in for a character by the character
/// alone, so that with languages a page's quotation marks could come from the font of whatever page asked first. Fonts for
/// Chinese, Japanese and Korean hold the forms of each language and choose by the text's own language tag. `und-zsye` asks for
/// emoji in colour.
const FONTS: &str = r#"<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <match target="pattern">
    <test name="lang" compare="not_eq"><string>und-zsye</string></test>
    <edit name="lang" mode="assign" binding="strong"><string>en</string></edit>
  </match>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
"#;

/// What the browsers of a farm have in common.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// Processor time of ended browsers, in ms.
    pub(crate) spent_ms: AtomicU64,
    /// Requests that pages made, and that were refused.
    pub(crate) requests_refused: AtomicU64,
}

/// A running browser.
#[derive(Debug)]
pub(crate) struct Process {
    child: Mutex<Child>,
    group: Pid,
    profile: Option<TempDir>,
    /// Shared with the farm; this one adds its processor time when it ends.
    tallies: Arc<Tallies>,
    counted: AtomicBool,
}

impl Process {
    /// Starts `chrome`; answers with our ends of its pipes.
    pub(crate) fn spawn(
        chrome: &Path,
        flags: &[String],
        profile: TempDir,
        tallies: Arc<Tallies>,
    ) -> io::Result<(Self, PipeReader, PipeWriter)> {
        let (chrome_reads, to_chrome) = io::pipe()?;
        let (from_chrome, chrome_writes) = io::pipe()?;
        let folder = profile.path();
        let mut command = Command::new(chrome);
        command.args(flags).arg(format!("--user-data-dir={}", folder.join("data").display()));
        // Nothing of the user's settings, fonts or language reaches the pixels; nothing is written outside the folder.
        let fonts = folder.join(FONTS_FILE);
        fs::write(&fonts, FONTS)?;
        command.env_clear().env("HOME", folder).env("TMPDIR", folder).env("LANG", "C.UTF-8").env("TZ", "UTC");
        command.env("FONTCONFIG_FILE", fonts);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(folder.join(STDERR_FILE))?);
        command.process_group(0);
        let mappings = vec![
            FdMapping { parent_fd: chrome_reads.into(), child_fd: CHROME_READS_FD },
            FdMapping { parent_fd: chrome_writes.into(), child_fd: CHROME_WRITES_FD },
        ];
        command.fd_mappings(mappings).map_err(io::Error::other)?;
        let child = command.spawn()?;
        let group = Pid::from_child(&child);
        let (child, profile, counted) = (Mutex::new(child), Some(profile), AtomicBool::new(false));
        Ok((Self { child, group, profile, tallies, counted }, from_chrome, to_chrome))
    }

    /// Kills every process of the browser and returns when they are gone. May be called again.
    pub(crate) fn kill(&self) {
        if !self.counted.swap(true, Ordering::Relaxed) {
            self.tallies.spent_ms.fetch_add(self.cpu().as_millis() as u64, Ordering::Relaxed);
        }
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(child.try_wait(), Ok(None)) {
            // Not reaped yet, so the number is still ours.
            let _ = kill_process_group(self.group, Signal::KILL);
            let _ = child.wait();
        } else {
            // The leader ended by itself: helpers that outlived it are still found under its group.
            for member in members(self.group) {
                let _ = kill_process(member.pid, Signal::KILL);
            }
        }
        let deadline = Instant::now() + END_TIMEOUT;
        while !members(self.group).is_empty() && Instant::now() < deadline {
            thread::sleep(END_POLL);
        }
    }

    /// The running processes of the browser.
    pub(crate) fn members(&self) -> Vec<Member> {
        members(self.group)
    }

    /// Processor time of the running processes and of those that they have seen end.
    pub(crate) fn cpu(&self) -> Duration {
        members(self.group).iter().map(|member| member.cpu).sum()
    }

    /// The process that leads the group: the browser itself.
    pub(crate) fn leader(&self) -> Pid {
        self.group
    }

    /// The end of what the browser wrote to its standard error.
    pub(crate) fn said(&self) -> String {
        let path = self.profile.as_ref().map(|folder| folder.path().join(STDERR_FILE));
        let bytes = path.and_then(|path| fs::read(path).ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(SAID_BYTES_MAX)..]).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(folder) = self.profile.take() {
            // The folder is in the system's temporary folder; what cannot be removed now is the system's to sweep.
            let _ = folder.close();
        }
    }
}

/// One process of a browser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) pid: Pid,
    /// Memory in use, pages that are shared with others not counted.
    pub(crate) memory_bytes: u64,
    /// Processor time, that of its ended children included.
    pub(crate) cpu: Duration,
}

impl Member {
    pub(crate) fn kill(self) {
        let _ = kill_process(self.pid, Signal::KILL);
    }
}

/// The processes of a group that still run: zombies that nobody reaps are no processes any more.
fn members(group: Pid) -> Vec<Member> {
    let mut members = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        if group_of_running(&stat) != Some(group.as_raw_nonzero().get()) {
            continue;
        }
        let cpu = cpu_of(&stat);
        let statm = fs::read_to_string(entry.path().join("statm")).unwrap_or_default();
        let pages: Vec<u64> = statm.split(' ').filter_map(|number| number.trim().parse().ok()).collect();
        let own = pages.get(1).zip(pages.get(2)).map_or(0, |(resident, shared)| resident.saturating_sub(*shared));
        members.push(Member { pid, memory_bytes: own * MEMORY_PAGE_BYTES, cpu });
    }
    members
}

/// The process group in a line of `/proc/PID/stat`, unless the process has ended. The name, in brackets, may hold anything.
fn group_of_running(stat: &str) -> Option<i32> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(1)?.parse().ok()
}

/// User and system time, own and of ended children, in a line of `/proc/PID/stat`.
fn cpu_of(stat: &str) -> Duration {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * TICK_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_whatever_the_name_is() {
        let check = |stat: &str, expected: Option<i32>| assert_eq!(group_of_running(stat), expected, "{stat}");
        check("12 (chrome) S 1 34 34 0", Some(34));
        check("12 (a) R 9 (b) S 1 34 34 0", Some(34));
        check("12 (chrome) Z 1 34 34 0", None);
        check("", None);
        let stat = "12 (a) S 1 34 34 0 -1 0 0 0 0 0 1 2 30 400 20";
        assert_eq!(cpu_of(stat), Duration::from_millis(4_330));
    }
}
