//! The stage: the one abstraction that contributors write.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use item::{Body, BodyKind, Head, Item, Rule, TypedBody, Verdict};

use crate::{Cancel, Fingerprint, Observer, Resource, Settings, StageError};

/// How much a stage wishes to get at once. A batch is closed by whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSize {
    /// Items.
    pub items: usize,
    /// Bytes of bodies.
    pub bytes: usize,
}

/// What a batch needs while it is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// The pool to take a slot from.
    pub resource: Resource,
}

/// What a stage may use while it works. No channel, no sibling, no file.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Set when the run is to stop; long work looks at it.
    pub cancel: &'a Cancel,
    /// Where to tell of things that happened (a browser was replaced).
    pub observer: &'a dyn Observer,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("cancelled", &self.cancel.is_cancelled()).finish_non_exhaustive()
    }
}

/// Turns a batch of items into one verdict per item.
///
/// `process` is an ordinary blocking function: the engine runs it on the compute pool (`Resource::Cpu`) or on a thread
/// that may wait (`Resource::Chrome`, `Resource::Gpu`). It must give the same verdict for an item whatever else is in
/// the batch. A panic costs the item that caused it: the engine then calls `process` again, item by item.
pub trait Stage: Send + Sync + 'static {
    /// The body that the stage takes.
    type In: TypedBody;
    /// The body that it gives.
    type Out: TypedBody;
    /// Its name: the table in the pipeline file, the column in the books.
    const NAME: &'static str;
    /// Bumped when the same input would give another answer.
    const VERSION: u32;
    /// Its answers cost so much that the engine remembers each by itself. They then depend on the body and on what
    /// [`Stage::depends_on`] names: an item that has the same of these and another head gets the remembered answer.
    const REMEMBERED: bool = false;

    /// What its work needs.
    fn demand(&self) -> Demand {
        Demand { resource: Resource::Cpu }
    }

    /// How much it wishes to get at once.
    fn batch(&self) -> BatchSize;

    /// The longest that a batch may take, where that is more than the run's deadline allows: the stage has deadlines of its own, and keeps
    /// them.
    fn deadline(&self) -> Option<Duration> {
        None
    }

    /// Everything beside the input that its answers depend on.
    fn settings(&self) -> Settings;

    /// What of the head a remembered answer depends on: nothing, as a rule.
    fn depends_on(&self, _: &Head) -> Vec<String> {
        Vec::new()
    }

    /// The rules by which it rejects; a remembered rejection is found in them again.
    fn rules(&self) -> &'static [Rule] {
        &[]
    }

    /// One verdict per item, in order. `Err` ends the run.
    fn process(&self, batch: &[Item<Self::In>], context: Context<'_>) -> Result<Vec<Verdict<Self::Out>>, StageError>;

    /// What the stage has used beside time, for the run record; nothing where it has worked on nothing.
    fn spent(&self) -> Option<serde_json::Value> {
        None
    }

    /// Lets go of what the stage holds outside the process (browsers), so that work in flight ends soon.
    fn stop(&self) {}
}

/// A stage whose bodies are known at run time only; made by [`erase`].
pub trait DynStage: Send + Sync {
    /// See [`Stage::NAME`].
    fn name(&self) -> &'static str;
    /// The stage's fingerprint.
    fn fingerprint(&self) -> Fingerprint;
    /// The body kind that it takes.
    fn takes(&self) -> BodyKind;
    /// The body kind that it gives.
    fn gives(&self) -> BodyKind;
    /// See [`Stage::demand`].
    fn demand(&self) -> Demand;
    /// See [`Stage::batch`].
    fn batch(&self) -> BatchSize;
    /// See [`Stage::deadline`].
    fn deadline(&self) -> Option<Duration>;
    /// See [`Stage::REMEMBERED`].
    fn remembered(&self) -> bool;
    /// See [`Stage::depends_on`].
    fn depends_on(&self, head: &Head) -> Vec<String>;
    /// See [`Stage::rules`].
    fn rules(&self) -> &'static [Rule];
    /// See [`Stage::process`]; for a part of the batch. The planner has compared the kinds, so the bodies fit.
    fn process(
        &self,
        batch: &TypedBatch,
        part: Range<usize>,
        context: Context<'_>,
    ) -> Result<Vec<Verdict<Body>>, StageError>;
    /// Takes items over for processing.
    fn accept(&self, items: Vec<Item<Body>>) -> TypedBatch;
    /// See [`Stage::spent`].
    fn spent(&self) -> Option<serde_json::Value>;
    /// See [`Stage::stop`].
    fn stop(&self);
}

impl fmt::Debug for dyn DynStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stage {}", self.name())
    }
}

/// Items that a stage has accepted, ready to be processed whole or one by one.
pub struct TypedBatch(Box<dyn AnyItems>);

impl fmt::Debug for TypedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedBatch").field("items", &self.len()).finish()
    }
}

impl TypedBatch {
    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Copies of the heads, for when the items themselves are held by work that hangs.
    pub(crate) fn heads(&self) -> Vec<Head> {
        self.0.heads()
    }

    /// The items as they came.
    pub(crate) fn into_items(self) -> Vec<Item<Body>> {
        self.0.into_items()
    }
}

/// A vector of items of some type.
trait AnyItems: Send + Sync {
    fn len(&self) -> usize;
    fn heads(&self) -> Vec<Head>;
    fn into_items(self: Box<Self>) -> Vec<Item<Body>>;
    fn as_any(&self) -> &dyn Any;
}

impl<B: TypedBody + Sync> AnyItems for Vec<Item<B>> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn heads(&self) -> Vec<Head> {
        self.iter().map(|item| item.head.clone()).collect()
    }

    fn into_items(self: Box<Self>) -> Vec<Item<Body>> {
        self.into_iter().map(|item| Item { head: item.head, body: item.body.into_body() }).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Erased<S>(S);

/// Forgets the types of a stage.
pub fn erase<S: Stage>(stage: S) -> Arc<dyn DynStage>
where
    S::In: Sync,
{
    Arc::new(Erased(stage))
}

impl<S: Stage> DynStage for Erased<S>
where
    S::In: Sync,
{
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { name: S::NAME.to_owned(), version: S::VERSION, settings: self.0.settings() }
    }

    fn takes(&self) -> BodyKind {
        S::In::KIND
    }

    fn gives(&self) -> BodyKind {
        S::Out::KIND
    }

    fn demand(&self) -> Demand {
        self.0.demand()
    }

    fn deadline(&self) -> Option<Duration> {
        self.0.deadline()
    }

    fn batch(&self) -> BatchSize {
        self.0.batch()
    }

    fn remembered(&self) -> bool {
        S::REMEMBERED
    }

    fn depends_on(&self, head: &Head) -> Vec<String> {
        self.0.depends_on(head)
    }

    fn rules(&self) -> &'static [Rule] {
        self.0.rules()
    }

    fn accept(&self, items: Vec<Item<Body>>) -> TypedBatch {
        let items: Vec<Item<S::In>> = items
            .into_iter()
            .map(|item| item.into_typed().expect("the planner compared the kinds of neighbouring stages"))
            .collect();
        TypedBatch(Box::new(items))
    }

    fn process(
        &self,
        batch: &TypedBatch,
        part: Range<usize>,
        context: Context<'_>,
    ) -> Result<Vec<Verdict<Body>>, StageError> {
        let items: &Vec<Item<S::In>> = batch.0.as_any().downcast_ref().expect("this stage accepted the batch");
        let items = &items[part];
        let verdicts = self.0.process(items, context)?;
        assert_eq!(verdicts.len(), items.len(), "stage `{}` gives one verdict per item", S::NAME);
        let annotates = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Annotate(_)));
        assert!(!annotates || S::In::KIND == S::Out::KIND, "stage `{}` owes its items another body", S::NAME);
        Ok(verdicts.into_iter().map(forget_type).collect())
    }

    fn spent(&self) -> Option<serde_json::Value> {
        self.0.spent()
    }

    fn stop(&self) {
        self.0.stop();
    }
}

fn forget_type<B: TypedBody>(verdict: Verdict<B>) -> Verdict<Body> {
    let forget = |kept: item::Kept<B>| item::Kept { body: kept.body.into_body(), attributes: kept.attributes };
    match verdict {
        Verdict::Keep(kept) => Verdict::Keep(forget(kept)),
        Verdict::Annotate(attributes) => Verdict::Annotate(attributes),
        Verdict::Fan(kept) => Verdict::Fan(kept.into_iter().map(forget).collect()),
        Verdict::Beside(kept, others) => Verdict::Beside(forget(kept), others.into_iter().map(forget).collect()),
        Verdict::Reject(rejection) => Verdict::Reject(rejection),
        Verdict::Fail(failure) => Verdict::Fail(failure),
    }
}
