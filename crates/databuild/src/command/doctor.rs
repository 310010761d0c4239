//! `databuild doctor`: what is installed, what is missing, and how to get it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use pipeline::{Environment, S3Config, S3Place};
use render::{CardFault, Farm, FarmConfig, chrome_build, find_chrome, render_card};
use score::{Runtime, find_runtime};

use super::Outcome;
use crate::cli::DoctorArgs;
use crate::environment;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// What one look found.
enum Finding {
    Good(String),
    /// Works, but not as well as it could.
    Weak(String, String),
    /// Has to be mended, and how.
    Bad(String, String),
}

/// Scripts that sample pages are written in, and a font family of Debian's that covers each.
const SCRIPTS: &[(&str, &str)] = &[
    ("Latin", ":lang=en"),
    ("Cyrillic", ":lang=ru"),
    ("Arabic", ":lang=ar"),
    ("Hebrew", ":lang=he"),
    ("Japanese", ":lang=ja"),
    ("Chinese", ":lang=zh-cn"),
    ("Korean", ":lang=ko"),
    ("Hindi", ":lang=hi"),
    ("emoji", ":family=Noto Color Emoji"),
];

/// Where Debian has fonts for all of them.
const FONT_PACKAGES: &str = "apt-get install fonts-liberation fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji";

/// Looks at everything that a run needs.
pub(crate) fn doctor(args: &DoctorArgs, printer: Printer) -> Outcome {
    let environment = environment::read();
    let chrome = find_chrome(None, &environment.path);
    let mut findings = vec![
        ("machine", machine()),
        ("Chrome", chrome_installed(chrome.as_ref().map_err(ToString::to_string).map(PathBuf::as_path), &environment)),
        ("render", chrome.map_or_else(|_| no_chrome(), |chrome| test_card(&chrome, &environment))),
        ("fonts", fonts()),
        ("ONNX Runtime", onnx_runtime(&environment)),
        ("GPU", gpu()),
    ];
    findings.extend(args.store.iter().map(|address| ("store", store(address, &environment))));
    let mut bad = 0;
    for (what, finding) in findings {
        let (mark, text, advice) = match finding {
            Finding::Good(text) => ("ok  ", text, None),
            Finding::Weak(text, advice) => ("note", text, Some(advice)),
            Finding::Bad(text, advice) => ("bad ", text, Some(advice)),
        };
        bad += u32::from(mark == "bad ");
        printer.data(&format!("{mark} {what:<13} {text}"));
        if let Some(advice) = advice {
            printer.data(&format!("     {:<13} -> {advice}", ""));
        }
    }
    if bad == 0 {
        return Ok(());
    }
    let message = format!("find everything that a run needs: {bad} things are missing or broken");
    Err(CommandError::new(ExitStatus::CheckFailed, anyhow::Error::msg(message))
        .hint("the lines marked `bad` say what to do"))
}

/// A browser with two tabs takes some hundred megabytes, and a bad page more than one gigabyte.
const KB_PER_CORE_MIN: u64 = 1 << 20;

fn machine() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let Some(available_kb) = environment::memory_kb("MemAvailable") else {
        return Finding::Good(format!("{cores} cores"));
    };
    let text = format!("{cores} cores, {:.1} GB of memory available", available_kb as f64 / 1e6);
    if available_kb < KB_PER_CORE_MIN * cores as u64 {
        return Finding::Weak(text, "less than 1 GB a core: set `render.tabs` to fewer than the default".into());
    }
    Finding::Good(text)
}

fn chrome_installed(chrome: Result<&Path, String>, environment: &Environment) -> Finding {
    let chrome = match chrome {
        Ok(chrome) => chrome,
        Err(error) => return Finding::Bad(error, "on Debian: apt-get install chromium-headless-shell".into()),
    };
    let sandbox = if environment.is_root { ", without sandbox because you are root" } else { "" };
    match chrome_build(chrome) {
        Ok(build) => {
            let text = format!("{build} ({}){sandbox}", chrome.display());
            if chrome.to_string_lossy().contains("headless-shell") {
                return Finding::Good(text);
            }
            Finding::Weak(text, "chromium-headless-shell takes about half of the time for the same pages".into())
        }
        Err(error) => Finding::Bad(error.to_string(), format!("try `{} --version`", chrome.display())),
    }
}

fn no_chrome() -> Finding {
    Finding::Bad("nothing to try without Chrome".into(), "see above".into())
}

/// Renders a page whose pixels and boxes are known.
fn test_card(chrome: &Path, environment: &Environment) -> Finding {
    let mut config = FarmConfig::new(chrome.to_owned(), 1);
    config.sandbox = !environment.is_root;
    let farm = match Farm::start(config) {
        Ok(farm) => farm,
        Err(error) => {
            let advice = "as a user without user namespaces Chrome's sandbox does not start: look at its words above";
            return Finding::Bad(chain(&error), advice.into());
        }
    };
    let report = render_card(&farm);
    farm.shutdown();
    if !report.faults.is_empty() {
        let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
        let advice: BTreeSet<&str> = report.faults.iter().map(CardFault::advice).collect();
        return Finding::Bad(faults.join("; "), advice.into_iter().collect::<Vec<_>>().join("; "));
    }
    let missing = &report.missing_scripts;
    if !missing.is_empty() {
        let text = format!("the test card is right but for letters that came out as boxes: {}", missing.join(", "));
        return Finding::Weak(text, FONT_PACKAGES.into());
    }
    Finding::Good(format!("a test card came out as it should, with letters of {} scripts", report.scripts))
}

fn fonts() -> Finding {
    let covered = |pattern: &str| {
        let output = Command::new("fc-list").arg(pattern).output().ok()?;
        Some(!output.stdout.is_empty())
    };
    let mut missing = Vec::new();
    for (script, pattern) in SCRIPTS {
        match covered(pattern) {
            None => return Finding::Bad("`fc-list` is missing".into(), "apt-get install fontconfig".into()),
            Some(false) => missing.push(*script),
            Some(true) => {}
        }
    }
    if missing.is_empty() {
        return Finding::Good(format!("{} scripts are covered", SCRIPTS.len()));
    }
    Finding::Weak(format!("no font for {}: such text renders as boxes", missing.join(", ")), FONT_PACKAGES.into())
}

fn onnx_runtime(environment: &Environment) -> Finding {
    let advice =
        "infra/setup.sh fetches it, or: pip install onnxruntime, and set ORT_DYLIB_PATH to its libonnxruntime.so";
    let found = find_runtime(&environment.onnx_runtime).and_then(|path| Runtime::load(&path));
    match found {
        Ok(runtime) => {
            Finding::Good(format!("{} ({})", runtime.version().unwrap_or("version unknown"), runtime.path().display()))
        }
        Err(error) => Finding::Bad(chain(&error), advice.into()),
    }
}

/// Opens a store, which tries what the protocol needs of the server.
fn store(address: &str, environment: &Environment) -> Finding {
    let place = S3Place::new(address, &S3Config::default(), Path::new("."), &environment.s3_state);
    let place = match place {
        Ok(place) => place,
        Err(error) => {
            return Finding::Bad(error.to_string(), "a folder needs no look: it is made when it is used".into());
        }
    };
    match place.open() {
        Ok(_) => Finding::Good(format!("{}; of two writers one wins", place.says())),
        Err(error) => {
            let advice = error.hint().unwrap_or_else(|| "look at the address".into());
            Finding::Bad(format!("{}: {}", place.says(), chain(&error)), advice)
        }
    }
}

fn gpu() -> Finding {
    let query = ["--query-gpu=name,memory.total", "--format=csv,noheader"];
    match Command::new("nvidia-smi").args(query).output() {
        Ok(output) if output.status.success() => {
            Finding::Good(format!("{} (the scorer runs on the CPU)", String::from_utf8_lossy(&output.stdout).trim()))
        }
        _ => Finding::Good("none; none is needed".into()),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
