//! Large files by Xet: cut into chunks of some 64 KiB where their content says so, of which the store behind the Hub gets those
//! that it lacks. `hf-xet` does the cutting, asks the store, and packs; what is here bounds it, tells of it, and begins anew.
//!
//! It takes up a publication that broke off: packs that arrived are noted in its folder at once, and the store is asked for
//! chunks besides. So a batch can be sent again at the price of reading its files.

use std::path::Path;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use ::xet::error::XetError;
use ::xet::xet_session::{
    HeaderMap, HeaderValue, Sha256Policy, XetCommitReport, XetConfig, XetFileUpload, XetSession, XetSessionBuilder,
    XetUploadCommit, header,
};
use serde::Deserialize;
use tempfile::TempDir;

use super::super::HubOptions;
use super::super::api::Api;
use super::super::client::{Ask, USER_AGENT, quoted};
use super::Sent;
use crate::error::HubError;
use crate::event::{Event, Observer};
use crate::patience::{Attempts, Miss, Patience};
use crate::publication::{PublishedFile, Source};

/// How often a batch is begun, each time with a new token, after `hf-xet` has given up on a request.
const ROUNDS_MAX: usize = 3;
/// What the list of known chunks may take: some 50 bytes for each, so it tells of some hundred gigabytes. Without a bound it is 16 GB.
const FOLDER_BYTES_MAX: &str = "512mb";
/// Time between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(100);

/// Who may write to the store, and where that is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pass {
    cas_url: String,
    access_token: String,
    /// Seconds since 1970.
    exp: u64,
}

/// Sends the files; all of them are there afterwards.
pub(super) fn send(
    api: &Api<'_>,
    revision: &str,
    files: &[PublishedFile],
    options: &HubOptions,
) -> Result<Sent, HubError> {
    let scratch;
    let folder = if let Some(folder) = &options.chunk_folder {
        folder.as_path()
    } else {
        scratch = TempDir::new().map_err(|source| HubError::Read { path: std::env::temp_dir(), source })?;
        scratch.path()
    };
    let session = session(&api.client.patience, options.uploads_at_once, folder)?;
    let rounds = Patience { attempts_max: ROUNDS_MAX, ..api.client.patience };
    let mut attempts = Attempts::new(rounds, api.client.observer);
    loop {
        match round(api, revision, &session, files) {
            Ok(sent) => return Ok(sent),
            Err(miss) => attempts.wait(miss)?,
        }
    }
}

/// A session within our bounds. Settings come from here alone, and nothing is told to others about its transfers.
fn session(patience: &Patience, at_once: usize, folder: &Path) -> Result<XetSession, HubError> {
    static PROVIDER: Once = Once::new();
    // That of `ureq`, which the house has anyway. If somebody chose before, theirs will do.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let mut config = XetConfig::default();
    config.telemetry.enabled = false;
    // Each file that is read holds a pack in the making, each request one that is done: 64 MB at most.
    config.data.max_concurrent_file_ingestion = at_once.max(1);
    config.client.ac_max_upload_concurrency = at_once.max(1);
    config.client.ac_initial_upload_concurrency = at_once.clamp(1, config.client.ac_initial_upload_concurrency);
    // What arrived is noted as soon as it did, so that a run that is killed does not send it again.
    config.data.session_xorb_metadata_flush_max_count = 1;
    // Waits double from the first one on, with chance in them. `Retry-After` is not heard.
    config.client.retry_max_attempts = patience.attempts_max.saturating_sub(1);
    config.client.retry_base_delay = patience.wait_min * 2;
    config.client.retry_max_duration = patience.wait_max;
    config.client.connect_timeout = patience.silence_max;
    config.client.read_timeout = patience.silence_max;
    let config = config.with_config("shard.cache_size_limit", FOLDER_BYTES_MAX).map_err(unusable)?;
    XetSessionBuilder::new_with_config(config).with_cache_dir(folder).build().map_err(unusable)
}

fn unusable(error: impl std::fmt::Display) -> HubError {
    HubError::Xet(error.to_string())
}

/// Sends the files once.
fn round(api: &Api<'_>, revision: &str, session: &XetSession, files: &[PublishedFile]) -> Result<Sent, Miss> {
    let upload = begin(api, revision, session)?;
    let observer = api.client.observer;
    let mut told = 0;
    let report = thread::scope(|scope| {
        let work = scope.spawn(|| finish(&upload, files));
        while !work.is_finished() {
            thread::sleep(LOOK);
            if observer.stopped() {
                let _over_already = upload.abort();
            }
            tell(upload.progress().total_bytes_completed, &mut told, observer);
        }
        work.join().unwrap_or_else(|_| Err(Miss::Fatal(HubError::Xet("its thread panicked".to_owned()))))
    });
    let bytes = files.iter().map(|file| file.bytes).sum();
    match report {
        Ok(report) => {
            tell(bytes, &mut told, observer);
            for file in files {
                observer.event(&Event::Arrived { name: file.name.clone(), bytes: file.bytes });
            }
            Ok(Sent { files: files.len(), bytes, wire_bytes: report.dedup_metrics.total_bytes_uploaded })
        }
        Err(miss) => {
            // What of it goes on would go on behind the next round.
            let _over_already = upload.abort();
            tell(0, &mut told, observer);
            Err(miss)
        }
    }
}

/// Tells by how much it is farther than it was told.
fn tell(done: u64, told: &mut u64, observer: &dyn Observer) {
    let more = done as i64 - *told as i64;
    if more != 0 {
        observer.event(&Event::Sent(more));
        *told = done;
    }
}

/// Opens the way into the store. The pass is asked for with our patience; `hf-xet` asks for the next ones when it runs out.
fn begin(api: &Api<'_>, revision: &str, session: &XetSession) -> Result<XetUploadCommit, Miss> {
    let address = format!("/api/datasets/{}/xet-write-token/{}", api.id, quoted(revision));
    let pass: Pass = api.client.ask_json(&Ask::get(&address)).map_err(Miss::Fatal)?;
    if !may_lead(&api.client.whole("/"), &pass.cas_url) {
        return Err(Miss::Fatal(HubError::Address(pass.cas_url)));
    }
    let mut headers = HeaderMap::new();
    if let Some(secret) = api.client.authorization() {
        let mut secret = HeaderValue::from_str(&secret)
            .map_err(|_| Miss::Fatal(HubError::Xet("the token has characters that no header takes".to_owned())))?;
        secret.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, secret);
    }
    let agent = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(USER_AGENT))]);
    let builder = session.new_upload_commit().map_err(|error| judged(&error))?;
    let builder = builder
        .with_endpoint(pass.cas_url)
        .with_token_info(pass.access_token, pass.exp)
        .with_token_refresh_url(api.client.whole(&address), headers)
        .with_custom_headers(agent);
    builder.build_blocking().map_err(|error| judged(&error))
}

/// Whether the Hub may lead to that store. Other schemes of `hf-xet` name places of this machine, which no server has to choose, and a pass
/// is not shown to the whole network.
fn may_lead(hub: &str, store: &str) -> bool {
    store.starts_with("https://") || (store.starts_with("http://") && hub.starts_with("http://"))
}

/// Reads all files, then waits until everything is there.
fn finish(upload: &XetUploadCommit, files: &[PublishedFile]) -> Result<XetCommitReport, Miss> {
    let begun = files.iter().map(|file| Ok((file, read(upload, file)?))).collect::<Result<Vec<_>, _>>();
    for (file, handle) in begun.map_err(|error| judged(&error))? {
        let found = handle.finalize_ingestion_blocking().map_err(|error| judged(&error))?.xet_info;
        // Computed from the bytes that went out: what is committed is what the manifest says.
        if found.sha256.as_ref() != Some(&file.sha256) || found.file_size != Some(file.bytes) {
            return Err(Miss::Fatal(HubError::Changed(file.path().to_owned())));
        }
    }
    upload.commit_blocking().map_err(|error| judged(&error))
}

fn read(upload: &XetUploadCommit, file: &PublishedFile) -> Result<XetFileUpload, XetError> {
    match &file.source {
        Source::File(path) => upload.upload_from_path_blocking(path.clone(), Sha256Policy::Compute),
        Source::Bytes(bytes) => {
            upload.upload_bytes_blocking(bytes.clone(), Sha256Policy::Compute, Some(file.name.clone()))
        }
    }
}

/// What a failure means. A refusal comes as trouble of the network, without its status: it may be a pass that is no longer good,
/// so it is worth another round with a new one.
fn judged(error: &XetError) -> Miss {
    let reason = error.to_string();
    match error {
        XetError::Authentication(_)
        | XetError::Network(_)
        | XetError::RateLimited(_)
        | XetError::ServerError(_)
        | XetError::Timeout(_) => Miss::Later { reason, asked: None },
        XetError::KeyboardInterrupt | XetError::UserCancelled(_) | XetError::Cancelled(_) => {
            let reason = "stopped; what arrived will not be sent again".to_owned();
            Miss::Fatal(HubError::GivenUp { attempts: 0, reason })
        }
        _ => Miss::Fatal(HubError::Xet(reason)),
    }
}
