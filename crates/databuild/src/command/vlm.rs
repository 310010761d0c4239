//! `databuild vlm check`: what a model server really does, before a long run relies on it.

use std::time::Duration;

use synth::vlm::{Client, VlmConfig};

use super::Outcome;
use crate::cli::VlmCheckArgs;
use crate::environment;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// The longest that a short question may take, also on a machine without a graphics card.
const TIMEOUT: Duration = Duration::from_mins(3);

/// Asks the servers a few short questions and says what works.
pub(crate) fn check(args: &VlmCheckArgs, printer: Printer) -> Outcome {
    let config = VlmConfig {
        urls: args.urls.clone(),
        model: args.model.clone(),
        key: environment::read().model_key,
        timeout: TIMEOUT,
        tries: 2,
        ..VlmConfig::default()
    };
    let client = Client::new(config);
    let probes = synth::vlm::check(&client);
    for probe in &probes {
        let works = if probe.works { "yes" } else { "no" };
        printer.data(&format!("{:<16} {works:<4} {}", probe.name, probe.detail));
    }
    let used = client.spent().usage;
    printer.note(&format!("{} tokens asked, {} answered", used.prompt_tokens, used.completion_tokens));
    let failing = probes.iter().filter(|probe| !probe.works).count();
    if failing == 0 {
        return Ok(());
    }
    let error = anyhow::anyhow!("use the model `{}`: {failing} of {} checks fail", args.model, probes.len());
    Err(CommandError::new(ExitStatus::CheckFailed, error)
        .hint("a server that does not answer in the schema needs another start option, or another engine"))
}
