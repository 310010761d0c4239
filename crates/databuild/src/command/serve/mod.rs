//! `databuild serve FILE`: the last run's report and rows in a browser, and a run that goes on.
//!
//! A small server for one user. It listens on loopback unless told otherwise, only reads, and answers only requests that name
//! this machine, so that no page of the web gets at it by a name of its own. The code of a row is shown as text and never
//! run.

mod live;

use std::net::TcpListener;
use std::path::Path;

use crate::http::{self, Answer, Request};
use dataset::{Columns, RowFiles, ShardReader};
use item::ItemId;
use serde_json::{Value, json};

use super::Outcome;
use super::finished::{Finished, beside_record};
use crate::cli::ServeArgs;
use crate::error::CommandError;
use crate::printer::Printer;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("script.js");
const STYLE: &str = include_str!("style.css");

/// Rows of one page of the list.
const ROWS: u64 = 50;

/// Serves until it is stopped.
pub(crate) fn serve(args: &ServeArgs, printer: Printer) -> Outcome {
    let listener = TcpListener::bind((args.address.as_str(), args.port)).map_err(CommandError::environment)?;
    let address = listener.local_addr().map_err(CommandError::environment)?;
    let is_loopback = address.ip().is_loopback();
    if !is_loopback {
        printer.note("everybody who reaches this address can read the dataset");
    }
    printer.data(&format!("http://{address}/"));
    for stream in listener.incoming().flatten() {
        let args = args.clone();
        std::thread::spawn(move || http::serve(&stream, is_loopback, |request| answer(&args, request)));
    }
    Ok(())
}

fn answer(args: &ServeArgs, request: &Request) -> Answer {
    let result = match request.path.as_str() {
        "/" => return Answer::text("text/html; charset=utf-8", PAGE),
        "/script.js" => return Answer::text("text/javascript; charset=utf-8", SCRIPT),
        "/style.css" => return Answer::text("text/css; charset=utf-8", STYLE),
        "/report" => report(args),
        "/api/run" => run(args),
        "/api/rows" => rows(args, request.number("from").unwrap_or(0)),
        path => row(args, path),
    };
    result.unwrap_or_else(|error| Answer::error(500, &error.render()))
}

fn report(args: &ServeArgs) -> Result<Answer, CommandError> {
    let finished = Finished::open(&args.file)?;
    let page = finished.store.get(&beside_record(&finished.record.name, "report.html"));
    let page = page.map_err(CommandError::environment)?;
    Ok(Answer::own_policy("text/html; charset=utf-8", page))
}

/// The last run, if there was one, and the one that goes on, if its events are written somewhere.
fn run(args: &ServeArgs) -> Result<Answer, CommandError> {
    let finished = Finished::open(&args.file).ok();
    let live = args.events.as_deref().map(live::stages).transpose().map_err(CommandError::environment)?;
    let last = finished.map(|finished| {
        let dataset = &finished.record.dataset;
        json!({ "name": finished.record.name, "started_at": finished.record.started_at, "rows": dataset.rows, "bytes": dataset.bytes })
    });
    Ok(Answer::json(&json!({ "last": last, "live": live })))
}

fn rows(args: &ServeArgs, from: u64) -> Result<Answer, CommandError> {
    let finished = Finished::open(&args.file)?;
    let (mut rows, mut before, mut total) = (Vec::new(), 0, 0);
    for shard in finished.page_shards() {
        total += shard.rows;
        let (first, last) = (before, before + shard.rows);
        before = last;
        if last <= from || rows.len() as u64 >= ROWS {
            continue;
        }
        let file = finished.file(shard)?;
        let reader = open(&file)?;
        let skipped = from.saturating_sub(first) as usize;
        let wanted = (ROWS - rows.len() as u64) as usize;
        for row in reader.pages(Columns::LIGHT).map_err(CommandError::environment)?.skip(skipped).take(wanted) {
            let row = row.map_err(CommandError::environment)?;
            rows.push(json!({
                "id": row.id.to_string(), "url": row.url, "title": row.title, "lang": row.lang, "split": row.split,
                "quality": row.quality, "scale": [row.scale.0, row.scale.1],
            }));
        }
    }
    Ok(Answer::json(&json!({ "total": total, "from": from, "rows": rows })))
}

/// `/row/<id>.picture`, `.html` or `.json`.
fn row(args: &ServeArgs, path: &str) -> Result<Answer, CommandError> {
    let named = path.strip_prefix("/row/").and_then(|name| name.split_once('.'));
    let Some((Ok(id), kind)) = named.map(|(id, kind)| (id.parse::<ItemId>(), kind)) else {
        return Ok(Answer::error(404, "there is no such page"));
    };
    let Some(files) = files(&Finished::open(&args.file)?, id)? else {
        return Ok(Answer::error(404, "there is no such row"));
    };
    Ok(match kind {
        "picture" => Answer::bytes(picture_type(&files.picture), files.picture),
        "html" => Answer::bytes("text/plain; charset=utf-8", files.html.into_bytes()),
        "json" => Answer::bytes("application/json", files.json),
        _ => Answer::error(404, "a row has a picture, an html and a json"),
    })
}

fn picture_type(picture: &[u8]) -> &'static str {
    image::guess_format(picture).map_or("application/octet-stream", |format| format.to_mime_type())
}

fn files(finished: &Finished, id: ItemId) -> Result<Option<RowFiles>, CommandError> {
    for shard in finished.page_shards().filter(|shard| (shard.min_id..=shard.max_id).contains(&id)) {
        let file = finished.file(shard)?;
        let found = open(&file)?.files(id).map_err(CommandError::environment)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn open(path: &Path) -> Result<ShardReader, CommandError> {
    ShardReader::open(path).map_err(CommandError::environment)
}

/// What a stage has done so far.
fn counts(sums: [u64; 4]) -> Value {
    let [seen, kept, rejected, failed] = sums;
    json!({ "seen": seen, "kept": kept, "rejected": rejected, "failed": failed })
}
