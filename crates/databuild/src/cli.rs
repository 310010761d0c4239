//! Arguments.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::exit;

/// Web archives to verified UI training data.
///
/// Reads WARC files, cleans the pages, renders them in headless Chrome, drops near-duplicates, scores what is left and
/// writes Parquet. Running a file again does only what changed.
#[derive(Debug, Parser)]
#[command(version, after_help = exit::HELP)]
pub(crate) struct Cli {
    /// Say nothing but errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a pipeline to its dataset, doing only what has no result yet.
    Run(RunArgs),
    /// Say what a run would do, and why, without doing it.
    Plan(PlanArgs),
    /// Say how far a pipeline has come, who works on it just now, and how its last run ended.
    Status(PlanArgs),
    /// Check a pipeline file without looking at the data; or a dataset's folder against the limits of the Hub and its viewer.
    Check(FileArgs),
    /// Show what is in a WARC file, a Parquet shard or a dataset.
    Inspect(InspectArgs),
    /// Render rows again from their stored code and compare the pixels with the stored screenshots.
    Verify(VerifyArgs),
    /// Write rows in the forms that trainers read: as conversations with pictures, or as WebDataset tar files.
    Export(ExportArgs),
    /// Say how alike two HTML pages are: pixels, colours, blocks of text, boxes, trees, lines of code.
    Metrics(MetricsArgs),
    /// Write the HTML report of the last run.
    Report(FileArgs),
    /// Publish the last run's dataset to the Hugging Face Hub, to S3 or to a folder; what is there already is not sent.
    Publish(PublishArgs),
    /// Show the report and the rows of the last run in a browser, and a run that goes on.
    Serve(ServeArgs),
    /// List what could not be processed in the last run.
    Failed(FailedArgs),
    /// Try failures of the last run again, and nothing else.
    Retry(RetryArgs),
    /// Tell what became of a page in the last run.
    Explain(ExplainArgs),
    /// Take rows out of the dataset because somebody asked for it, and keep them out of all later runs.
    Takedown(TakedownArgs),
    /// Say how much lies in the store, remove what is of no use any more, check that it is whole.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Score pictures, pages or rows with a model; or make what a scorer is trained and tested on, and test one.
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Score(ScoreArgs),
    /// Make a hash list of a benchmark, so that its pages stay out of training data.
    Hashlist(HashlistArgs),
    /// Set the limits of near-duplicates by eye, and keep an index of what is published.
    #[command(subcommand)]
    Dedup(DedupCommand),
    /// Find out what a model server does, before a long run relies on it.
    #[command(subcommand)]
    Vlm(VlmCommand),
    /// Measure what a part of the pipeline costs on this machine.
    Bench {
        /// Which part.
        #[command(subcommand)]
        of: BenchCommand,
    },
    /// Say what is installed, what is missing and how to get it.
    Doctor(DoctorArgs),
    /// Print the JSON Schema of the pipeline file or of the manifest, or the columns of a subset.
    Schema {
        /// `pipeline`, `manifest`, or a subset: `pages`, `meta`, `edit`, `polish`, `preference`, `rejects`.
        #[arg(default_value = "pipeline")]
        of: String,
    },
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Render pages in the Chrome farm: pages/s, processor time of Chrome and of this program, memory.
    Render(BenchRenderArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BenchRenderArgs {
    /// A folder of HTML files, or a WARC file whose captures are cleaned first.
    pub(crate) path: PathBuf,
    /// Browsers, each of which renders one page at a time; by default one more than there are cores.
    #[arg(long, value_name = "N")]
    pub(crate) browsers: Option<usize>,
    /// Tallest screenshot in CSS px: that of the viewport for the first one alone.
    #[arg(long, value_name = "PX", default_value_t = 4_096)]
    pub(crate) height_max: u32,
    /// Height of the viewport in CSS px.
    #[arg(long, value_name = "PX", default_value_t = 720)]
    pub(crate) viewport_height: u32,
    /// `png`, `png-small`, `webp-lossless`, or `webp` or `jpeg` with their quality, such as `webp-85`.
    #[arg(long, value_name = "FORMAT", default_value = "png")]
    pub(crate) format: render::ImageFormat,
    /// Pages to take, spread evenly over the input; all by default.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Times that all pages are rendered.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) rounds: usize,
    /// Pages after which a browser is replaced.
    #[arg(long, value_name = "N")]
    pub(crate) pages_per_browser: Option<u64>,
    /// In turn with the farm, replay the same protocol calls on warm tabs with no other work, and compare.
    #[arg(long)]
    pub(crate) floor: bool,
    /// Break the cost of a page down by steps, one page at a time.
    #[arg(long, conflicts_with = "floor")]
    pub(crate) steps: bool,
    /// Render each page so many times, across restarts and numbers of browsers, and count the pages that come out the same.
    #[arg(long, value_name = "TIMES", conflicts_with_all = ["floor", "steps"])]
    pub(crate) same: Option<usize>,
    /// Folder for the screenshots of pages that come out differently.
    #[arg(long, value_name = "DIR", requires = "same")]
    pub(crate) save: Option<PathBuf>,
    /// Have the pages, as they were captured, reach for a server on loopback and for a file, and count what reaches them.
    #[arg(long, conflicts_with_all = ["floor", "steps", "same"])]
    pub(crate) closed: bool,
    /// The Chrome to use, instead of the one found in PATH.
    #[arg(long, value_name = "FILE")]
    pub(crate) chrome: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Try a store in S3 as well: `s3://bucket/prefix`.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct FileArgs {
    /// The pipeline file.
    pub(crate) file: PathBuf,
    /// Set a key of the file, such as `render.tabs=8`; may be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) sets: Vec<String>,
    /// Folder of the state and of the dataset, or a prefix in S3 (`s3://bucket/prefix`), instead of what the file names.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Write every event to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Serve figures for Prometheus here while the run goes on, under `/metrics`.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Do not write the HTML report.
    #[arg(long)]
    pub(crate) no_report: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Print it as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which failures.
#[derive(Debug, Args)]
pub(crate) struct FailureArgs {
    /// Of this class: `timeout`, `crash`, `decode`, `damaged`, `limit`, `upstream` or `panic`.
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Of this stage.
    #[arg(long)]
    pub(crate) stage: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FailedArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) which: FailureArgs,
    /// Print JSON lines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) which: FailureArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// The page: its id, or its URL.
    pub(crate) page: String,
    /// Write its screenshot, if it has one in the dataset, to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TakedownArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Every row of this URL, written as in the column `url`; may be given more than once, like those below.
    #[arg(long = "url", value_name = "URL")]
    pub(crate) urls: Vec<String>,
    /// Every row of this registrable domain, such as `example.org`.
    #[arg(long = "domain", value_name = "DOMAIN")]
    pub(crate) domains: Vec<String>,
    /// The row of this id; of a page, with its components and triples.
    #[arg(long = "id", value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// The page whose HTML or screenshot has this SHA-256, with its components and triples.
    #[arg(long = "hash", value_name = "SHA256")]
    pub(crate) hashes: Vec<String>,
    /// A file with more of these, one a line: `domain example.org`, `url …`, `id …`, `hash …`.
    #[arg(long, value_name = "PATH")]
    pub(crate) list: Option<PathBuf>,
    /// Only say how many rows of which subsets would go, and which shards would change.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What can be done with a store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// How much lies where.
    Du(FileArgs),
    /// Remove what the last runs of all pipelines of the store do not need. No run may be going on.
    Prune(PruneArgs),
    /// Check that everything that runs rely on is there and whole.
    Verify(FileArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Only say what would be removed.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Where to: `organisation/name` on the Hub, `s3://bucket/prefix`, or a folder (a path that begins with `/` or `./`).
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: String,
    /// Hub: commit to this branch instead of `main`; it is made if it does not exist.
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// Hub: leave everything in a pull request.
    #[arg(long, conflicts_with = "branch")]
    pub(crate) pr: bool,
    /// Hub: a dataset that has to be created is private.
    #[arg(long)]
    pub(crate) private: bool,
    /// Hub: by which way large files go: `xet` (only new chunks of them; needs a program built with it), `lfs` (whole), or `auto`.
    #[arg(long, value_name = "WAY", default_value = "auto")]
    pub(crate) transfer: publish::Transfer,
    /// Say what would be sent, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Hub: list the dataset afterwards and compare names, sizes and digests.
    #[arg(long)]
    pub(crate) verify: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// The address to listen on. Others than loopback show the dataset to whoever reaches them.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) address: String,
    /// The port; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8400)]
    pub(crate) port: u16,
    /// The events of a run that goes on, as `databuild run --events FILE` writes them.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A WARC file, a Parquet file, or the folder of a dataset.
    pub(crate) path: PathBuf,
    /// Print JSON lines instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// WARC: print the block of the record at this offset, as it is.
    #[arg(long, value_name = "BYTES")]
    pub(crate) offset: Option<u64>,
    /// Dataset: print the row of this id, its long texts cut.
    #[arg(long, value_name = "ID")]
    pub(crate) row: Option<String>,
    /// WARC: compare the digests in record headers with the bytes.
    #[arg(long)]
    pub(crate) digests: bool,
    /// WARC: clean the page at this address and print it.
    #[arg(long, value_name = "URL")]
    pub(crate) page: Option<String>,
    /// With `--page`: say instead what cleaning takes away, and why.
    #[arg(long, requires = "page")]
    pub(crate) diff: bool,
    /// With `--page`: how much the code is simplified.
    #[arg(long, requires = "page", value_name = "LEVEL", default_value = "default", value_parser = ["gentle", "default", "compact"])]
    pub(crate) level: String,
    /// With `--page`: WARC files with style sheets and pictures.
    #[arg(long, requires = "page", value_name = "FILE", num_args = 1..)]
    pub(crate) assets: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The folder of a dataset, or its address in S3, such as `s3://bucket/prefix/dataset/demo`.
    pub(crate) dataset: PathBuf,
    /// Rows to render again, chosen by hash; all by default.
    #[arg(long, value_name = "N")]
    pub(crate) sample: Option<usize>,
    /// Pages that are rendered at once; by default what the machine can feed.
    #[arg(long, value_name = "N")]
    pub(crate) tabs: Option<usize>,
    /// The Chrome to use, instead of the one found in PATH.
    #[arg(long, value_name = "FILE")]
    pub(crate) chrome: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ScoreCommand>,
    #[command(flatten)]
    pub(crate) of: ScorePathsArgs,
}

/// What can be done with scorers.
#[derive(Debug, Subcommand)]
pub(crate) enum ScoreCommand {
    /// Render pages of a dataset with degradations and what is no page, as ranked states to train and test a scorer on.
    States(ScoreStatesArgs),
    /// Say how well a model ranks such states, beside what plain numbers of a picture can.
    Eval(ScoreEvalArgs),
}

/// Which model, and where it runs.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// The model: one that is built in, or a folder with a `model.toml`.
    #[arg(long, value_name = "NAME", default_value = stages::BUILT_IN_SCORER)]
    pub(crate) model: String,
    /// Where it runs: `cpu`, `auto`, or `cuda:0` or `tensorrt:0` with the number of the card.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: score::Device,
}

#[derive(Debug, Args)]
pub(crate) struct ScorePathsArgs {
    /// Pictures (PNG, WebP, JPEG), folders of them, WARC files, folders of HTML files, Parquet shards, or datasets. Pages of archives
    /// and HTML files are cleaned and rendered first.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Pages of each archive or dataset at most, spread evenly.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Where the contact sheet goes: every picture, best first.
    #[arg(long, value_name = "FILE", default_value = "scores.html")]
    pub(crate) sheet: PathBuf,
    /// Print a JSON object per picture.
    #[arg(long)]
    pub(crate) json: bool,
    /// The Chrome to use, instead of the one found in PATH.
    #[arg(long, value_name = "FILE")]
    pub(crate) chrome: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ScoreEvalArgs {
    /// A folder of states, as `databuild score states` writes them.
    pub(crate) states: PathBuf,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Which sites: `train`, `validation`, `test` or `all`.
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    pub(crate) split: String,
    /// Show the model the pictures alone, not the numbers of their layouts.
    #[arg(long)]
    pub(crate) pictures_only: bool,
    /// Write all figures as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ScoreStatesArgs {
    /// The folder of a dataset, as `databuild run` prints it.
    pub(crate) dataset: PathBuf,
    /// Folder for the states.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Pages to take, chosen by hash; all by default.
    #[arg(long, value_name = "N")]
    pub(crate) pages: Option<usize>,
    /// Pages to pass over first, in the same order.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) skip: usize,
    /// Pages of one site at most.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) per_site: usize,
    /// Pages with fewer bytes of style sheet are passed over: without their style they are no better than a damaged page.
    #[arg(long, value_name = "BYTES", default_value_t = 1_000)]
    pub(crate) css_min: i64,
    /// Kinds of damage to each page, in three severities each.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) damages: usize,
    /// Kinds of non-page of each page: unstyled, broken sheet, blank, error page, parked, consent wall.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) non_pages: usize,
    /// Tallest picture in CSS px; taller pages are seen from the top.
    #[arg(long, value_name = "PX", default_value_t = 4_096)]
    pub(crate) height_max: u32,
    /// Pages that are rendered at once; by default what the machine can feed.
    #[arg(long, value_name = "N")]
    pub(crate) tabs: Option<usize>,
    /// The Chrome to use, instead of the one found in PATH.
    #[arg(long, value_name = "FILE")]
    pub(crate) chrome: Option<PathBuf>,
}

/// Forms of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChatFormat {
    /// `conversations` of `human` and `gpt`, `images` beside them.
    Sharegpt,
    /// `messages` of `user` and `assistant` with parts.
    Openai,
    /// `conversations` with `image`.
    Llava,
}

/// Forms of the dataset beside Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// `conversations` of `human` and `gpt`, `images` beside them (LLaMA-Factory and others).
    Sharegpt,
    /// `messages` of `user` and `assistant` with parts.
    Openai,
    /// `conversations` with `image`.
    Llava,
    /// Tar files with `ID.png`, `ID.html` and `ID.json` for each row of `pages`.
    Webdataset,
}

impl ExportFormat {
    /// The form of a conversation, if it is one.
    pub(crate) const fn chat(self) -> Option<ChatFormat> {
        match self {
            Self::Sharegpt => Some(ChatFormat::Sharegpt),
            Self::Openai => Some(ChatFormat::Openai),
            Self::Llava => Some(ChatFormat::Llava),
            Self::Webdataset => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The folder of a dataset.
    pub(crate) dataset: PathBuf,
    /// The folder to write to: one list a subset and split, and `images`. For tar files it must not exist.
    pub(crate) out: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value = "sharegpt")]
    pub(crate) format: ExportFormat,
    /// WebDataset: megabytes of a tar file.
    #[arg(long, value_name = "MB", default_value_t = 500)]
    pub(crate) shard_mb: u64,
    /// `pages`, `edit`, `polish` or `preference`; all of them by default.
    #[arg(long)]
    pub(crate) subset: Option<String>,
    /// Style of the instructions: `detailed` (by default), `short`, `human` or `conversational`.
    #[arg(long)]
    pub(crate) style: Option<String>,
    /// Answer with search/replace blocks instead of the whole page.
    #[arg(long)]
    pub(crate) blocks: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// The page that the other one should look like.
    pub(crate) reference: PathBuf,
    /// The page to judge.
    pub(crate) candidate: PathBuf,
    /// Width of the viewport in CSS px.
    #[arg(long, value_name = "PX", default_value_t = 1_280)]
    pub(crate) viewport_width: u32,
    /// Longer pages are cut off here, in CSS px.
    #[arg(long, value_name = "PX", default_value_t = 4_096)]
    pub(crate) height_max: u32,
    /// The `model.toml` of a model that embeds pictures, such as CLIP or DINO: tells how alike the screenshots are to it.
    #[arg(long, value_name = "MODEL.toml")]
    pub(crate) embedding: Option<PathBuf>,
    /// Print a JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// The Chrome to use, instead of the one found in PATH.
    #[arg(long, value_name = "FILE")]
    pub(crate) chrome: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct HashlistArgs {
    /// A folder with pictures (PNG, JPEG, GIF, WebP), pages (.html, .htm) and lists of domains (domains.txt), searched with
    /// all its subfolders.
    pub(crate) folder: PathBuf,
    /// What the list is of; it stands in the reason of each rejection. By default the name of the folder.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Height of the benchmark's first viewport in px, for pictures that are 1280 px wide; others in proportion.
    #[arg(long, value_name = "PX", default_value_t = 720)]
    pub(crate) viewport_height: u32,
    /// Write the list to this file instead of the terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VlmCommand {
    /// Ask short questions with pictures: text, schemas, limits, seeds. Fails where something does not work.
    Check(VlmCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct VlmCheckArgs {
    /// Base URL of the server, such as http://127.0.0.1:8000/v1.
    #[arg(long = "url", value_name = "URL", required = true)]
    pub(crate) urls: Vec<String>,
    /// Name of the model, as the server knows it.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DedupCommand {
    /// Show the largest clusters of the last run, and pairs just inside and just outside of the limits, as an HTML page.
    Tune(TuneArgs),
    /// Add the rows of the last run to the standing index that `snapshots.index` names.
    Index(IndexArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// The HTML page to write; by default `tune.html` beside the report of the run.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Clusters, and pairs on each side.
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub(crate) count: usize,
}

#[derive(Debug, Args)]
pub(crate) struct IndexArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// The index: rows are added to what is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Reads the arguments; prints help or usage errors and ends where clap does.
pub(crate) fn parse() -> Cli {
    Cli::parse()
}
