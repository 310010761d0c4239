//! `databuild metrics A.html B.html`: how alike two pages are, in code and as the browser shows them.

use std::path::Path;

use bytes::Bytes;
use item::{Failure, Node, Viewport};
use render::{Farm, RenderOutcome, RenderPolicy, Rendered};
use score::{Embedder, EmbedderModel, Runtime, ScoreError, cosine, find_runtime};
use serde_json::json;
use synth::metric;

use super::Outcome;
use super::verify::start_farm;
use crate::cli::MetricsArgs;
use crate::environment;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Height of the viewport; the screenshot is as high as the page.
const VIEWPORT_HEIGHT: u32 = 720;

/// Renders both pages and prints every metric.
pub(crate) fn metrics(args: &MetricsArgs, printer: Printer) -> Outcome {
    let (code_a, code_b) = (read(&args.reference)?, read(&args.candidate)?);
    // A model that does not work should cost no browser.
    let embedder = args.embedding.as_deref().map(embedder).transpose()?;
    let farm = start_farm(args.chrome.as_deref(), Some(1))?;
    let a = View::of(&farm, &args.reference, &code_a, args);
    let b = a.and_then(|a| Ok((a, View::of(&farm, &args.candidate, &code_b, args)?)));
    farm.shutdown();
    let (a, b) = b?;
    let mut values = measure(&a, &b, (&code_a, &code_b));
    if let Some(embedder) = embedder {
        values.push(("embedding", Some(likeness(&embedder, &a, &b)?), "cosine of the model's embeddings"));
    }
    if args.json {
        let object: serde_json::Map<String, serde_json::Value> =
            values.iter().map(|(name, value, _)| ((*name).to_owned(), json!(value))).collect();
        printer.data(&serde_json::Value::Object(object).to_string());
        return Ok(());
    }
    for (name, value, meaning) in values {
        let value = value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        printer.data(&format!("{name:<18} {value:>9}  {meaning}"));
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, CommandError> {
    let bytes =
        std::fs::read(path).map_err(|error| CommandError::usage(format!("read `{}`: {error}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The model of a manifest, on all cores: nothing else runs while it works.
fn embedder(manifest: &Path) -> Result<Embedder, CommandError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let load = || -> Result<Embedder, ScoreError> {
        let model = EmbedderModel::from_file(manifest)?;
        let runtime = Runtime::load(&find_runtime(&environment::read().onnx_runtime)?)?;
        Embedder::new(&runtime, &model, threads)
    };
    load().map_err(|error| {
        let is_runtime = matches!(
            error,
            ScoreError::RuntimeMissing { .. } | ScoreError::RuntimeLoad { .. } | ScoreError::RuntimeStart { .. }
        );
        let hint = if is_runtime {
            "`databuild doctor` says how to get ONNX Runtime"
        } else {
            "docs/synth.md has a `model.toml` to go by"
        };
        CommandError::environment(error).hint(hint)
    })
}

/// How alike both screenshots are to the model; each is fitted to its input as the manifest says.
fn likeness(embedder: &Embedder, a: &View, b: &View) -> Result<f64, CommandError> {
    let embed = |view: &View| {
        embedder.embed_encoded(&view.screenshot).map_err(|Failure { message, .. }| {
            let error = anyhow::anyhow!("embed a screenshot: {message}");
            CommandError::new(ExitStatus::CheckFailed, error)
        })
    };
    Ok(cosine(&embed(a)?, &embed(b)?))
}

struct View {
    screenshot: Bytes,
    picture: metric::Picture,
    nodes: Vec<Node>,
    size: (f64, f64),
}

impl View {
    fn of(farm: &Farm, path: &Path, code: &str, args: &MetricsArgs) -> Result<Self, CommandError> {
        let viewport = Viewport { width: args.viewport_width, height: VIEWPORT_HEIGHT, device_scale_factor: 1.0 };
        let policy = RenderPolicy { viewport, height_max: args.height_max, ..RenderPolicy::accept_all() };
        let trouble = |message: String| {
            let error = anyhow::anyhow!("render `{}`: {message}", path.display());
            CommandError::new(ExitStatus::CheckFailed, error)
        };
        let Rendered { screenshot, nodes, width, height, .. } = match farm.render(code, &policy) {
            RenderOutcome::Rendered(rendered) => rendered,
            RenderOutcome::Refused(rejection) => return Err(trouble(rejection.detail)),
            RenderOutcome::Failed(failure) => return Err(trouble(failure.message)),
        };
        let picture = metric::Picture::from_encoded(&screenshot).map_err(|error| trouble(error.to_string()))?;
        Ok(Self { screenshot, picture, nodes, size: (f64::from(width), f64::from(height)) })
    }

    fn elements(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.nodes.iter().map(|node| (node.tag.as_str(), node.parent.map(|parent| parent as usize)))
    }
}

type Row = (&'static str, Option<f64>, &'static str);

/// Every metric of `synth::metric`: name, value where the pages allow one, meaning.
fn measure(a: &View, b: &View, code: (&str, &str)) -> Vec<Row> {
    let (one, two) = metric::Picture::on_one_canvas(&a.picture, &b.picture);
    let change = metric::change(&one, &two);
    let blocks = |view: &View| metric::blocks(&view.nodes, view.size.0, view.size.1);
    let block = metric::block_match(&blocks(a), &blocks(b));
    let tree = metric::tree_score(a.elements(), b.elements());
    let palette = metric::palette_similarity(&metric::palette(&one), &metric::palette(&two));
    vec![
        ("ssim", metric::ssim(&one, &two), "structural similarity, mean of three channels"),
        ("ssim_gated", metric::gated_ssim(&one, &two), "that of the luma, times the ratio of content coverage"),
        ("ms_ssim", metric::ms_ssim(&one, &two), "structural similarity over five scales"),
        ("changed", Some(change.share), "share of pixels that differ visibly"),
        ("palette", Some(palette), "likeness of the main colours (CIEDE2000)"),
        ("block", Some(block.block), "area of matched blocks of text (Design2Code)"),
        ("block_text", Some(block.text), "likeness of their texts"),
        ("block_position", Some(block.position), "likeness of their places"),
        ("block_color", Some(block.color), "likeness of their colours"),
        ("block_mean", Some(block.mean()), "mean of the four"),
        ("tree_bleu", Some(tree.recall), "share of the reference's subtrees (TreeBLEU)"),
        ("tree_precision", Some(tree.precision), "share of the candidate's subtrees"),
        ("tree_f1", Some(tree.multiset_f1), "F1 of the multisets of subtrees"),
        ("box_iou", Some(metric::layout_iou(&a.nodes, &b.nodes)), "mean overlap of visible boxes"),
        ("line_jaccard", Some(metric::line_jaccard(code.0, code.1)), "share of lines of code in common"),
    ]
}
