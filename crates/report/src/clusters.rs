//! Pages that count as one: who stands for whom, by what the losses say.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use dataset::DatasetError;
use item::{ItemId, Loss};

use crate::gallery::{SampleKey, sample_key};
use crate::reader::DatasetFiles;

/// Most clusters that are shown: where a limit is wrong, the largest show it.
pub const CLUSTERS_MAX: usize = 12;
/// Most pages of a cluster that are shown, the kept one included: a row or two of the sheet.
pub const CLUSTER_PICTURES_MAX: usize = 8;
/// Barriers that can refuse a page in favour of another one, with some to spare.
const CHAIN_MAX: usize = 8;

/// One cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// The page that stands for all.
    pub(crate) representative: ItemId,
    /// All its pages.
    pub(crate) pages: u64,
    /// Some of those that were refused.
    pub(crate) refused: Vec<Loss>,
}

/// The largest clusters, the largest first.
pub(crate) fn largest(files: &DatasetFiles) -> Result<Vec<Cluster>, DatasetError> {
    let mut representatives: HashMap<ItemId, ItemId> = HashMap::new();
    files.each_loss(|loss| {
        if let Some(representative) = loss.representative() {
            representatives.insert(loss.id, representative);
        }
    })?;
    let mut clusters = choose(&representatives);
    let mut place: HashMap<ItemId, usize> = HashMap::new();
    for (index, (_, members)) in clusters.iter().enumerate() {
        place.extend(members.sample.iter().map(|(_, id)| (*id, index)));
    }
    let mut refused: Vec<BTreeMap<SampleKey, Loss>> = clusters.iter().map(|_| BTreeMap::new()).collect();
    files.each_loss(|loss| {
        if let Some(&index) = place.get(&loss.id) {
            refused[index].insert(sample_key(&loss.id), loss);
        }
    })?;
    let cluster = |((representative, members), refused): ((ItemId, Members), BTreeMap<SampleKey, Loss>)| Cluster {
        representative,
        pages: members.refused + 1,
        refused: refused.into_values().collect(),
    };
    Ok(clusters.drain(..).zip(refused).map(cluster).collect())
}

#[derive(Debug, Default, PartialEq)]
struct Members {
    refused: u64,
    sample: BTreeSet<(SampleKey, ItemId)>,
}

/// The largest clusters and some of their members, by size and id alone.
fn choose(representatives: &HashMap<ItemId, ItemId>) -> Vec<(ItemId, Members)> {
    let mut clusters: BTreeMap<ItemId, Members> = BTreeMap::new();
    for (id, representative) in representatives {
        let members = clusters.entry(last(representatives, *representative)).or_default();
        members.refused += 1;
        members.sample.insert((sample_key(id), *id));
        if members.sample.len() >= CLUSTER_PICTURES_MAX {
            members.sample.pop_last();
        }
    }
    let mut clusters: Vec<_> = clusters.into_iter().collect();
    clusters.sort_by_key(|(_, members)| Reverse(members.refused)); // stable: ids stay in order
    clusters.truncate(CLUSTERS_MAX);
    clusters
}

/// Who stands for it in the end: a page that stood for others before it was rendered can be refused afterwards.
fn last(representatives: &HashMap<ItemId, ItemId>, id: ItemId) -> ItemId {
    let next = |id: &ItemId| representatives.get(id).copied();
    std::iter::successors(Some(id), next).take(CHAIN_MAX).last().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ItemId {
        ItemId::of_place("clusters", number)
    }

    #[test]
    fn chains_are_followed_and_the_largest_come_first() {
        // 1 and 2 stand behind 0, and 0 behind 9; 4 stands behind 3.
        let pairs = [(1, 0), (2, 0), (0, 9), (4, 3)];
        let chosen = choose(&pairs.into_iter().map(|(a, b)| (id(a), id(b))).collect());
        let sizes: Vec<_> = chosen.iter().map(|(id, members)| (*id, members.refused)).collect();
        assert_eq!(sizes, [(id(9), 3), (id(3), 1)]);
    }

    #[test]
    fn only_some_of_many_are_shown() {
        let chosen = choose(&(0..1000).map(|n| (id(n), id(2000 + n % 100))).collect());
        assert_eq!(chosen.len(), CLUSTERS_MAX);
        assert!(chosen.iter().all(|(_, members)| members.sample.len() < CLUSTER_PICTURES_MAX));
        let circle = [(id(0), id(1)), (id(1), id(0))].into_iter().collect();
        assert_eq!(choose(&circle).iter().map(|(_, members)| members.refused).sum::<u64>(), 2);
    }
}
