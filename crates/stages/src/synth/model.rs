//! `model`: what a vision-language model adds: edits and drafts of its own, words for a program's edits, and verdicts.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ::synth::Made;
use ::synth::author::{self, AuthorPolicy, Parser, describe_edit, judge_edit};
use ::synth::verify::{Gates, Renderer, Shot};
use ::synth::vlm::{Client, Key, Memory, Model, Said, Server, Spent, VlmConfig as ClientConfig, VlmError};
use engine::{Answers, BatchSize, Context, Demand, Resource, RunEvent, Settings, Stage, StageError};
use item::{Attributes, ContentHasher, Digest, Item, Kept, Refusal, Rejection, Sample, Shown, Task, Triple, Verdict};
use store::Store;

use super::vlm::{Answer, Propose, VlmConfig};
use crate::render::{RenderStage, SameView};

/// How often the run is told how the model does.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// The stage. It shares the farm of the render stage.
pub struct ModelStage {
    config: VlmConfig,
    gates: Gates,
    key: Option<Key>,
    /// Digest of the weights that are named.
    weights: String,
    render: RenderStage,
    store: Arc<dyn Store>,
    /// Made with the first item, so that a run that has nothing to ask starts no server.
    model: OnceLock<Result<(Model, Arc<Answers>), String>>,
    told: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for ModelStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelStage").field("config", &self.config).finish_non_exhaustive()
    }
}

impl ModelStage {
    /// A stage that renders as that stage does, and keeps answers in that store. `key` is sent to the servers.
    pub fn new(
        config: VlmConfig,
        gates: Gates,
        key: Option<Key>,
        base: &std::path::Path,
        render: &RenderStage,
        store: Arc<dyn Store>,
    ) -> Result<Self, StageError> {
        config.check().map_err(StageError::plain)?;
        let weights = config.weights_digest(base)?;
        let (model, told) = (OnceLock::new(), Mutex::default());
        Ok(Self { config, gates, key, weights, render: render.clone(), store, model, told })
    }

    /// Items that the model works on at the same time.
    pub fn slots(&self) -> usize {
        self.config.slots()
    }

    fn model(&self) -> Result<&(Model, Arc<Answers>), StageError> {
        let made = self.model.get_or_init(|| self.make_model());
        made.as_ref().map_err(|why| StageError::plain(format!("set up the model: {why}")))
    }

    fn make_model(&self) -> Result<(Model, Arc<Answers>), String> {
        let config = &self.config;
        let mut identity = ContentHasher::new("model");
        identity.add_text(&config.model).add_text(&config.revision).add_text(&self.weights);
        let identity = identity.finish();
        let answers = Answers::open(&self.store, &identity.short()).map_err(|error| error.to_string())?;
        let answers = Arc::new(answers);
        let mut urls = config.urls.clone();
        let mut server = None;
        if !config.start.is_empty() {
            let started = Server::new(&config.start, Duration::from_secs(config.ready_s))?;
            urls.push(started.url());
            server = Some(started);
        }
        let client = Client::new(ClientConfig {
            urls,
            model: config.model.clone(),
            key: self.key.clone(),
            concurrency: config.concurrency,
            requests_a_minute: config.requests_a_minute,
            timeout: Duration::from_secs(config.timeout_s),
            tries: config.tries,
            context_tokens: config.context_tokens,
            ..ClientConfig::default()
        });
        let model = Model::new(client, identity, Box::new(StoredAnswers(Arc::clone(&answers))));
        let model = match server {
            Some(server) => model.served_by(server),
            None => model,
        };
        Ok((model, answers))
    }

    fn policy(&self) -> AuthorPolicy {
        let VlmConfig { proposals, drafts, rounds, samples, judge, temperature, .. } = self.config;
        let VlmConfig { propose, answer, answer_tokens, picture_pixels, kept_min, .. } = self.config;
        AuthorPolicy {
            proposals,
            menu: propose == Propose::Menu,
            whole_page: answer == Answer::Page,
            drafts,
            rounds,
            samples,
            judge,
            temperature,
            answer_tokens,
            picture_pixels,
            kept_min,
            gates: self.gates,
        }
    }

    fn page(&self, item: &Item<Sample>, page: &item::Snapshot) -> Result<Verdict<Sample>, StageError> {
        let view = self.render.same_view(page)?;
        let (model, _) = self.model()?;
        let bench = Bench(view);
        let made = author::author(page, &self.policy(), &bench, model, &self.config.model);
        let Made { triples, .. } = made.map_err(unreachable)?;
        Ok(Verdict::Beside(plain(item.body.clone()), triples.into_iter().map(sample).collect()))
    }

    /// An edit that a program made gets words, and is judged.
    fn edit(&self, triple: &Triple) -> Result<Verdict<Sample>, StageError> {
        let (model, _) = self.model()?;
        let policy = self.policy();
        let mut triple = triple.clone();
        let mut beside = Vec::new();
        if self.config.describe {
            let (wording, _) = describe_edit(model, &policy, &triple).map_err(unreachable)?;
            match wording {
                Ok(wording) => triple.instructions.push(wording),
                Err(why) => beside.push(sample(self.refused_words(&triple, why))),
            }
        }
        if self.config.judge {
            let (verdict, _) = judge_edit(model, &policy, &triple).map_err(unreachable)?;
            triple.refused = verdict.map(Refusal::from);
        }
        Ok(Verdict::Beside(sample(triple), beside))
    }

    /// The books count words that were refused as a try of their own.
    fn refused_words(&self, of: &Triple, why: Rejection) -> Triple {
        Triple {
            before: Shown::nothing(),
            after: Shown::nothing(),
            diff: String::new(),
            blocks: String::new(),
            operators: Vec::new(),
            origin: self.config.model.clone(),
            refused: Some(why.into()),
            ..of.clone()
        }
    }

    fn tell(&self, context: Context<'_>) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|at| now.duration_since(at) < TELL_EVERY) {
            return;
        }
        *told = Some(now);
        if let Some(Ok((model, _))) = self.model.get() {
            let Spent { requests, retries, usage, time } = model.spent();
            context.observer.event(&RunEvent::ModelSeen {
                requests,
                retries,
                recalled: model.recalled(),
                prompt_tokens: usage.prompt_tokens,
                completion_tokens: usage.completion_tokens,
                elapsed_ms: time.as_millis() as u64,
            });
        }
    }
}

fn plain(body: Sample) -> Kept<Sample> {
    Kept { body, attributes: Attributes::new() }
}

fn sample(triple: Triple) -> Kept<Sample> {
    plain(Sample::Triple(Box::new(triple)))
}

fn unreachable(error: VlmError) -> StageError {
    StageError::new("ask the model (what it has said is kept: the next run goes on from there)", error)
}

/// Answers in the store.
struct StoredAnswers(Arc<Answers>);

impl Memory for StoredAnswers {
    fn recall(&self, ask: &Digest) -> Option<Said> {
        serde_json::from_slice(&self.0.get(ask)?).ok()
    }

    fn remember(&self, ask: &Digest, said: &Said) -> Result<(), String> {
        let bytes = serde_json::to_vec(said).map_err(|error| error.to_string())?;
        self.0.put(ask, &bytes).map_err(|error| error.to_string())
    }
}

/// Renders in the view of one snapshot, parses as browsers do.
struct Bench(SameView);

impl Renderer for Bench {
    fn render(&self, html: &str) -> Result<Shot, String> {
        self.0.render(html)
    }
}

impl Parser for Bench {
    fn audit(&self, html: &str) -> author::Audit {
        let clean::Audit { parse_errors, active } = clean::audit(html);
        author::Audit { parse_errors, active }
    }
}

impl Stage for ModelStage {
    type In = Sample;
    type Out = Sample;
    const NAME: &'static str = "model";
    const VERSION: u32 = 1;

    fn demand(&self) -> Demand {
        Demand { resource: Resource::Model }
    }

    fn batch(&self) -> BatchSize {
        BatchSize { items: 1, bytes: 1 << 20 }
    }

    /// Every question has a deadline; how many there are depends on the page.
    fn deadline(&self) -> Option<Duration> {
        Some(Duration::from_hours(24))
    }

    fn settings(&self) -> Settings {
        serde_json::json!({
            "vlm": self.config.shaping(),
            "weights": self.weights,
            "prompts": author::version(),
            "gates": format!("{:?}", self.gates),
            "render": Stage::settings(&self.render),
        })
    }

    fn process(&self, batch: &[Item<Sample>], context: Context<'_>) -> Result<Vec<Verdict<Sample>>, StageError> {
        let verdict = |item: &Item<Sample>| match &item.body {
            Sample::Page(page) => self.page(item, page),
            Sample::Triple(triple) if triple.task == Task::Edit && triple.refused.is_none() => self.edit(triple),
            Sample::Triple(_) => Ok(Verdict::Annotate(Attributes::new())),
        };
        let verdicts = batch.iter().map(verdict).collect();
        self.render.tell(context);
        self.tell(context);
        verdicts
    }

    fn spent(&self) -> Option<serde_json::Value> {
        let (model, _) = self.model.get()?.as_ref().ok()?;
        let Spent { requests, retries, usage, time } = model.spent();
        Some(serde_json::json!({
            "requests": requests,
            "retries": retries,
            "recalled": model.recalled(),
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "seconds": time.as_secs_f64(),
        }))
    }

    fn stop(&self) {
        if let Some(Ok((model, answers))) = self.model.get() {
            model.stop();
            // What could not be written is asked for again.
            drop(answers.flush());
        }
        Stage::stop(&self.render);
    }
}
