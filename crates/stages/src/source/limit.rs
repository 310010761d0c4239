//! Limits by bytes and by captures, the same ones in every run.

use engine::{Partition, Sourced, StageError};
use item::{ContentHasher, Digest};

use super::origin::{Known, Origin, Watcher};
use super::{Listed, WarcSource};

impl WarcSource {
    /// The archives that fit into `bytes_max`: by the hash of their names, up to the first that does not fit.
    pub(super) fn within_bytes(
        &self,
        mut origins: Vec<Origin>,
        watch: &Watcher,
    ) -> Result<Vec<(Partition, Known)>, StageError> {
        origins.sort_by_key(|origin| Digest::of(origin.name().as_bytes()));
        let (mut found, mut total) = (Vec::new(), 0_u64);
        for origin in &origins {
            let (partition, known) = origin.identify(&self.digests, &self.client, watch)?;
            total = total.saturating_add(self.bytes_of(origin, &partition, watch)?);
            if total > self.config.bytes_max {
                break;
            }
            found.push((partition, known));
        }
        if found.is_empty() && !origins.is_empty() {
            let name = origins[0].name();
            return Err(StageError::plain(format!(
                "use `[source]`: `bytes_max` is {}, and the first archive, `{name}`, has {total} bytes already",
                self.config.bytes_max
            )));
        }
        Ok(found)
    }

    /// Archives of a crawl are not asked for their sizes unless somebody wants to know.
    fn bytes_of(&self, origin: &Origin, partition: &Partition, watch: &Watcher) -> Result<u64, StageError> {
        let Origin::Crawl { url, .. } = origin else { return Ok(partition.bytes) };
        let file = self.client.describe(url, watch);
        let file = file.map_err(|error| StageError::new(format!("look at archive `{}`", partition.name), error))?;
        Ok(file.bytes.unwrap_or_default())
    }
}

/// Spreads `pages_max` captures over the archives; 0 sets no limit. Where there are more archives than captures, those with
/// the smallest hashes get one each.
pub(super) fn spread(mut found: Vec<(Partition, Known)>, pages_max: usize) -> Vec<(Partition, Listed)> {
    if pages_max == 0 {
        let all = |(partition, known)| (partition, Listed { known, pages_max: None });
        return found.into_iter().map(all).collect();
    }
    found.sort_by_key(|(partition, _)| (Digest::of(partition.name.as_bytes()), partition.digest));
    found.dedup_by_key(|(partition, _)| partition.digest);
    let archives = found.len().max(1);
    let (each, more) = (pages_max / archives, pages_max % archives);
    let share = |(at, (partition, known)): (usize, (Partition, Known))| {
        let pages = Some((each + usize::from(at < more)) as u64).filter(|pages| *pages > 0)?;
        Some((limited(partition, Some(pages)), Listed { known, pages_max: Some(pages) }))
    };
    found.into_iter().enumerate().filter_map(share).collect()
}

/// The partition with its limit in its key: another number of captures is another result.
pub(super) fn limited(partition: Partition, pages_max: Option<u64>) -> Partition {
    let Some(pages) = pages_max else { return partition };
    let digest = ContentHasher::new("limited").add_digest(&partition.digest).add_u64(pages).finish();
    Partition { digest, ..partition }
}

/// Counts captures down.
pub(super) struct PagesLeft(Option<u64>);

impl PagesLeft {
    pub(super) fn new(pages_max: Option<u64>) -> Self {
        Self(pages_max)
    }

    /// Hands on what was found; answers whether more is wanted. Nothing is, behind the last capture.
    pub(super) fn pass(&mut self, sourced: Sourced, emit: &mut dyn FnMut(Sourced) -> bool) -> bool {
        let is_page = matches!(sourced, Sourced::Item(_));
        match &mut self.0 {
            Some(0) => return false,
            Some(left) if is_page => *left -= 1,
            _ => {}
        }
        emit(sourced) && self.0 != Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas(archives: usize, pages_max: usize) -> Vec<(String, u64)> {
        let partition = |n: usize| {
            let name = format!("{n}.warc.gz");
            let digest = Digest::of(name.as_bytes());
            (Partition { name, digest, bytes: 0 }, Known::Local(n.to_string().into()))
        };
        let spread = spread((0..archives).map(partition).collect(), pages_max);
        let quota = |(partition, listed): (Partition, Listed)| (partition.name, listed.pages_max.unwrap_or(u64::MAX));
        let mut quotas: Vec<_> = spread.into_iter().map(quota).collect();
        quotas.sort();
        quotas
    }

    #[test]
    fn captures_are_spread_and_nested() {
        let total = |pages_max| quotas(7, pages_max).iter().map(|(_, pages)| pages).sum::<u64>();
        assert_eq!((total(3), total(7), total(100)), (3, 7, 100));
        assert_eq!(quotas(7, 3).len(), 3);
        assert!(quotas(7, 0).iter().all(|(_, pages)| *pages == u64::MAX));
        for pages_max in 1..40 {
            let (fewer, more) = (quotas(7, pages_max), quotas(7, pages_max + 1));
            let is_within = |(name, pages): &(String, u64)| more.iter().any(|(n, p)| n == name && p >= pages);
            assert!(fewer.iter().all(is_within), "{pages_max}");
        }
    }
}
