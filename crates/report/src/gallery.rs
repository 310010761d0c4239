//! What pages look like: the best, the worst, the middle and a fair sample of the kept; the largest clusters; a few of
//! every rule of the lost.

use std::collections::{BTreeMap, BTreeSet};

use dataset::{DatasetError, PageRow, TAKEDOWN};
use item::{FailureClass, ItemId, Loss, LossKind};

use crate::clusters::{self, Cluster};
use crate::losses::{LossGroup, Losses};
use crate::numbers::{Numbers, Ranked};
use crate::reader::DatasetFiles;
use crate::report::Pictures;
use crate::text;
use crate::thumbnail::{PictureBudget, Thumbnail};

/// Most kept pages that are shown: four galleries of two rows on a wide screen.
pub const KEPT_PICTURES_MAX: usize = 48;
/// Most lost pages that are shown for each rule at each stage: enough to see whether the rule is right.
pub const LOST_PICTURES_MAX_PER_RULE: usize = 12;
/// Screenshots that are asked for at once: each takes a megabyte or two until it is a thumbnail.
const PICTURES_AT_ONCE: usize = 48;

const KEPT_GALLERY: usize = KEPT_PICTURES_MAX / 4;

/// Order of a fair sample.
pub(crate) type SampleKey = [u8; 16];

/// Ids are hashes, so the least of them are a fair sample. Read from the end, because splits, samples and the order of
/// shards look at their beginning.
pub(crate) fn sample_key(id: &ItemId) -> SampleKey {
    let mut key = *id.as_bytes();
    key.reverse();
    key
}

/// One page.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) id: ItemId,
    pub(crate) title: Option<String>,
    pub(crate) url: String,
    /// The one thing to know: the score, or the rule.
    pub(crate) badge: Option<String>,
    /// What was measured, for lost pages.
    pub(crate) detail: Option<String>,
    /// More to know, by name.
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) picture: Option<Thumbnail>,
}

/// Pages under one heading.
#[derive(Debug)]
pub(crate) struct Gallery {
    /// Name of the anchor, unique in the page.
    pub(crate) anchor: String,
    pub(crate) title: String,
    pub(crate) note: String,
    pub(crate) cards: Vec<Card>,
}

/// All galleries.
#[derive(Debug)]
pub(crate) struct Galleries {
    pub(crate) kept: Vec<Gallery>,
    /// One for each of the largest clusters.
    pub(crate) clusters: Vec<Gallery>,
    pub(crate) lost: Vec<Gallery>,
    /// Pictures that found no room in the page.
    pub(crate) pictures_left_out: usize,
}

impl Galleries {
    pub(crate) fn fill(
        files: &DatasetFiles,
        numbers: &Numbers,
        losses: &Losses,
        pictures: &Pictures<'_>,
        budget: &mut PictureBudget,
    ) -> Result<Self, DatasetError> {
        let kept = kept(files, &numbers.ranked, budget)?;
        let clusters = cluster_galleries(files, pictures, budget)?;
        let lost = lost(losses, pictures, budget);
        Ok(Self { kept, clusters, lost, pictures_left_out: budget.left_out })
    }

    pub(crate) fn cards(&self) -> impl Iterator<Item = &Card> {
        self.kept.iter().chain(&self.clusters).chain(&self.lost).flat_map(|gallery| &gallery.cards)
    }
}

/// Anchor of the gallery of a rule at a stage. Names are ours, but an anchor must not break whatever they are.
pub(crate) fn lost_anchor(stage: &str, kind: LossKind, rule: &str) -> String {
    let name = format!("lost-{stage}-{}-{rule}", kind.name());
    name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect()
}

#[derive(Debug, PartialEq)]
struct Choice {
    best: Vec<ItemId>,
    worst: Vec<ItemId>,
    middle: Vec<ItemId>,
    sample: Vec<ItemId>,
}

impl Choice {
    /// Chooses by score and id alone; no page is chosen twice.
    fn of(ranked: &[Ranked]) -> Self {
        let mut scored: Vec<(f64, ItemId)> = ranked.iter().filter_map(|row| Some((row.score?, row.id))).collect();
        scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let ids: Vec<ItemId> = scored.into_iter().map(|(_, id)| id).collect();
        // Of few pages each end takes its share, so that the best are never shown as the worst.
        let each = KEPT_GALLERY.min(ids.len().div_ceil(3));
        let best_from = ids.len() - each;
        let worst_to = each.min(best_from);
        let between = &ids[worst_to..best_from];
        let middle_size = each.min(between.len());
        let middle_from = (between.len() - middle_size) / 2;
        let best: Vec<ItemId> = ids[best_from..].iter().rev().copied().collect();
        let worst = ids[..worst_to].to_vec();
        let middle = between[middle_from..middle_from + middle_size].to_vec();

        let taken: BTreeSet<ItemId> = best.iter().chain(&worst).chain(&middle).copied().collect();
        let others = ranked.iter().map(|row| row.id).filter(|id| !taken.contains(id));
        let mut sample: Vec<ItemId> = others.collect();
        sample.sort_unstable_by_key(sample_key);
        sample.truncate(KEPT_GALLERY);
        Self { best, worst, middle, sample }
    }
}

fn kept(files: &DatasetFiles, ranked: &[Ranked], budget: &mut PictureBudget) -> Result<Vec<Gallery>, DatasetError> {
    let Choice { best, worst, middle, sample } = Choice::of(ranked);
    let wanted: Vec<ItemId> = [&best, &worst, &middle, &sample].into_iter().flatten().copied().collect();
    let mut cards: BTreeMap<ItemId, Card> = BTreeMap::new();
    files.each_picture(&wanted, |row| _ = cards.insert(row.id, kept_card(row)))?;
    let plan = [
        ("kept-best", "Best scored", "What the scorer likes most, the best first.", best),
        ("kept-worst", "Worst scored", "What just passed, the worst first.", worst),
        ("kept-middle", "Around the median", "What a usual row looks like.", middle),
        ("kept-sample", "Sample", "Chosen by id, without regard to the score.", sample),
    ];
    let gallery = |(anchor, title, note, ids): (&str, &str, &str, Vec<ItemId>)| {
        let cards: Vec<Card> = ids
            .iter()
            .filter_map(|id| cards.remove(id))
            .map(|card| Card { picture: card.picture.and_then(|picture| budget.admit(picture)), ..card })
            .collect();
        Gallery { anchor: anchor.to_owned(), title: title.to_owned(), note: note.to_owned(), cards }
    };
    Ok(plan.map(gallery).into_iter().filter(|gallery| !gallery.cards.is_empty()).collect())
}

fn kept_card(row: PageRow) -> Card {
    let (width, height) = row.scale;
    let mut facts = vec![
        ("Screenshot", format!("{width} × {height} px")),
        ("Split", row.split),
        ("Language", row.lang.unwrap_or_else(|| "unknown".to_owned())),
    ];
    let counts = [
        ("Page height", row.page_height, " px"),
        ("HTML tokens", row.tokens.map(|(_, html)| html), ""),
        ("CSS tokens", row.tokens.map(|(css, _)| css), ""),
        ("Elements", row.dom_elements, ""),
        ("Cluster size", row.cluster_size, ""),
    ];
    let said = |(name, value, unit): (&'static str, Option<i64>, &str)| {
        Some((name, format!("{}{unit}", text::count(u64::try_from(value?).unwrap_or(0)))))
    };
    facts.extend(counts.into_iter().filter_map(said));
    Card {
        id: row.id,
        title: row.title,
        url: row.url,
        badge: row.quality.map(|score| format!("{score:.3}")),
        detail: None,
        facts,
        picture: row.image.and_then(|png| Thumbnail::of(&png)),
    }
}

/// The largest clusters: in each the page that was kept, then those it stands for.
fn cluster_galleries(
    files: &DatasetFiles,
    pictures: &Pictures<'_>,
    budget: &mut PictureBudget,
) -> Result<Vec<Gallery>, DatasetError> {
    let clusters = clusters::largest(files)?;
    let kept: Vec<ItemId> = clusters.iter().map(|cluster| cluster.representative).collect();
    let mut cards: BTreeMap<ItemId, Card> = BTreeMap::new();
    files.each_picture(&kept, |row| _ = cards.insert(row.id, kept_card(row)))?;
    let refused: Vec<ItemId> = clusters.iter().flat_map(|cluster| &cluster.refused).map(|loss| loss.id).collect();
    let thumbnails = lost_thumbnails(&refused, pictures);
    let mut gallery = |cluster: &Cluster| {
        // Where the page that stands for the others was refused for another reason, only the others are shown.
        let kept = cards.remove(&cluster.representative).into_iter();
        let refused = cluster.refused.iter().map(|loss| lost_card(loss, &thumbnails));
        let admit = |card: Card| Card { picture: card.picture.and_then(|picture| budget.admit(picture)), ..card };
        let cards: Vec<Card> = kept.chain(refused).map(admit).collect();
        let shown =
            if (cards.len() as u64) < cluster.pages { format!(", {} shown", cards.len()) } else { String::new() };
        Gallery {
            anchor: format!("cluster-{}", cluster.representative),
            title: format!("{} pages as one", text::count(cluster.pages)),
            note: format!("{}{shown}", cluster.representative),
            cards,
        }
    };
    Ok(clusters.iter().map(&mut gallery).collect())
}

fn lost_thumbnails(ids: &[ItemId], pictures: &Pictures<'_>) -> BTreeMap<ItemId, Thumbnail> {
    let mut thumbnails = BTreeMap::new();
    for ids in ids.chunks(PICTURES_AT_ONCE) {
        let found = pictures(ids);
        thumbnails.extend(found.iter().filter_map(|(id, png)| Some((*id, Thumbnail::of(png)?))));
    }
    thumbnails
}

fn lost_card(loss: &Loss, thumbnails: &BTreeMap<ItemId, Thumbnail>) -> Card {
    Card {
        id: loss.id,
        title: None,
        url: loss.provenance.url.clone(),
        badge: Some(loss.rule.clone()),
        detail: Some(loss.detail.clone()).filter(|detail| !detail.is_empty()),
        facts: vec![
            (loss.kind.title(), format!("by {}", loss.stage)),
            ("Archive", loss.provenance.warc_filename.clone()),
            ("Offset", text::count(loss.provenance.warc_record_offset)),
        ],
        picture: thumbnails.get(&loss.id).cloned(),
    }
}

fn lost(losses: &Losses, pictures: &Pictures<'_>, budget: &mut PictureBudget) -> Vec<Gallery> {
    // What was taken down is named, and not shown.
    let shown = losses.groups.iter().filter(|group| group.rule != TAKEDOWN.name);
    let chosen: Vec<ItemId> = shown.flat_map(LossGroup::chosen).map(|loss| loss.id).collect();
    let thumbnails = lost_thumbnails(&chosen, pictures);
    // Where one page is shown twice, the picture is there twice, and paid for twice.
    let mut card = |loss: &Loss| {
        let card = lost_card(loss, &thumbnails);
        Card { picture: card.picture.and_then(|picture| budget.admit(picture)), ..card }
    };
    let gallery = |group: &LossGroup| {
        let cards: Vec<Card> = group.chosen().map(&mut card).collect();
        let shown = cards.len() as u64;
        let note = if shown == group.count {
            text::counted(group.count, "page", "pages")
        } else {
            let nearest = group.nearest().count();
            let how =
                if nearest > 0 { format!("the {nearest} nearest to the limit, others") } else { "chosen".to_owned() };
            format!("{shown} of {} pages, {how} by id", text::count(group.count))
        };
        let title = match group.kind {
            LossKind::Rejected => group.rule.clone(),
            LossKind::Failed => format!("failed: {}", group.rule),
        };
        let note = format!("{} · {note}", group.stage);
        Gallery { anchor: lost_anchor(&group.stage, group.kind, &group.rule), title, note, cards }
    };
    losses.groups.iter().map(gallery).collect()
}

trait Title {
    fn title(self) -> &'static str;
}

impl Title for LossKind {
    fn title(self) -> &'static str {
        match self {
            Self::Rejected => "Rejected",
            Self::Failed => "Failed",
        }
    }
}

/// What a class of failures means, for people.
pub(crate) fn failure_meaning(class: &str) -> Option<&'static str> {
    const CLASSES: [(FailureClass, &str); 7] = [
        (FailureClass::Timeout, "The deadline passed."),
        (FailureClass::Crash, "A helper process died of this page, twice."),
        (FailureClass::Decode, "The bytes are not what they claim to be."),
        (FailureClass::Damaged, "The archive is damaged here."),
        (FailureClass::Limit, "A cap that protects the machine."),
        (FailureClass::Upstream, "A service that was asked did not answer well."),
        (FailureClass::Panic, "A bug of databuild; please report it."),
    ];
    CLASSES.iter().find(|(known, _)| known.name() == class).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<Ranked> {
        let row = |index: usize| Ranked {
            id: ItemId::of_place("rows", index as u64),
            score: (!index.is_multiple_of(10)).then_some((index % 7) as f64 / 7.0),
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn the_choice_does_not_depend_on_the_order_of_rows() {
        let mut ranked = rows(500);
        let choice = Choice::of(&ranked);
        ranked.reverse();
        assert_eq!(Choice::of(&ranked), choice);
        ranked.rotate_left(123);
        assert_eq!(Choice::of(&ranked), choice);
    }

    #[test]
    fn no_page_is_shown_twice_and_none_beyond_the_cap() {
        for count in [0, 1, 2, 3, 4, 11, 37, 500] {
            let Choice { best, worst, middle, sample } = Choice::of(&rows(count));
            let all: Vec<ItemId> = [best, worst, middle, sample].concat();
            let different: BTreeSet<ItemId> = all.iter().copied().collect();
            assert_eq!(all.len(), different.len(), "{count} rows");
            assert_eq!(all.len(), count.min(KEPT_PICTURES_MAX), "{count} rows");
        }
    }

    #[test]
    fn the_ends_are_the_ends() {
        let ranked: Vec<Ranked> = (0..100)
            .map(|index| Ranked { id: ItemId::of_place("x", index), score: Some(index as f64 / 100.0) })
            .collect();
        let choice = Choice::of(&ranked);
        assert_eq!(choice.best[0], ranked[99].id);
        assert_eq!(choice.worst[0], ranked[0].id);
        assert!(choice.middle.contains(&ranked[50].id));
    }

    #[test]
    fn anchors_hold_letters_digits_and_hyphens() {
        assert_eq!(lost_anchor("ren\"der", LossKind::Failed, "<x>"), "lost-ren-der-failed--x-");
    }

    #[test]
    fn known_failures_have_a_meaning() {
        assert!(failure_meaning(FailureClass::Panic.name()).is_some());
        assert_eq!(failure_meaning("else"), None);
    }
}
