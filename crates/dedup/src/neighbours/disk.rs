//! The search with partitions in files, for more hashes than memory holds.
//!
//! The first steps of the walk are taken on disk: for each block that may be the first to agree, the hashes are
//! distributed to files by its value, as many values to a file as memory holds, and each file is searched in memory. A
//! value that is too frequent for that is distributed further by the next block.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::walk::{Entries, Node, Shared, Walk};
use super::{Pair, Policy, Report};
use crate::ImageHash;

/// Copies of a partition's entries that are in memory while it is searched: as read, sorted by a block, and those of
/// the deeper nodes, which together stay below one more.
const COPIES: usize = 3;
/// Files written at once: far below the usual limit of 1,024 open files.
const FILES_MAX: usize = 256;
/// Bytes of one read or write: large enough that a disk spends its time on data.
const BUFFER_BYTES: usize = 256 << 10;
/// Hashes that the choice of blocks looks at.
const SAMPLE: u64 = 4096;

/// A search in files could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A file could not be read.
    #[error("read hashes from `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("write a partition of hashes to `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file's size does not fit.
    #[error("read hashes from `{path}`: {bytes} bytes are not a whole number (below 2^32) of hashes")]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
}

/// Where partitions are written, and how much of them may be in memory.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// A folder for partitions; they are removed one by one, together they take as much room as the input, times the
    /// depth of the walk on disk (nearly always 1).
    pub folder: &'a Path,
    /// Bytes of hashes in memory.
    pub memory_bytes: usize,
}

impl Files<'_> {
    /// Calls `visit` once for each pair among the hashes of `input`, one call at a time, in no fixed order. The file holds
    /// nothing but hashes, most significant byte first; a hash is named by its place in it.
    pub fn for_each_pair<const WORDS: usize>(
        &self,
        input: &Path,
        policy: &Policy,
        visit: impl FnMut(Pair) + Send,
    ) -> Result<Report, DiskError> {
        let len = count::<WORDS>(input)?;
        let sample = sample::<WORDS>(input, len)?;
        let layout = Layout::choose(&sample, len as usize, policy.radius).unwrap_or_else(Layout::none);
        let shared = Shared::new(policy, visit);
        let walk = Walk { shared: &shared, layout: &layout, outer: None, size: len as usize };
        let search =
            Search { files: self, walk: &walk, capacity: self.memory_bytes / (COPIES * record_bytes::<WORDS>()) };
        search.descend(&Part { path: input.to_owned(), entries: len as usize, is_input: true }, Node::default())?;
        Ok(shared.report())
    }
}

const fn record_bytes<const WORDS: usize>() -> usize {
    WORDS * 8 + 4
}

fn reading(path: &Path) -> impl FnOnce(std::io::Error) -> DiskError {
    move |source| DiskError::Read { path: path.to_owned(), source }
}

fn writing(path: &Path) -> impl FnOnce(std::io::Error) -> DiskError {
    move |source| DiskError::Write { path: path.to_owned(), source }
}

fn count<const WORDS: usize>(input: &Path) -> Result<u64, DiskError> {
    let bytes = std::fs::metadata(input).map_err(reading(input))?.len();
    let len = bytes / (WORDS as u64 * 8);
    let is_whole = len * WORDS as u64 * 8 == bytes && u32::try_from(len).is_ok();
    is_whole.then_some(len).ok_or_else(|| DiskError::Size { path: input.to_owned(), bytes })
}

fn sample<const WORDS: usize>(input: &Path, len: u64) -> Result<Vec<ImageHash<WORDS>>, DiskError> {
    let mut file = File::open(input).map_err(reading(input))?;
    let step = len.div_ceil(SAMPLE).max(1);
    let mut read = |place: u64| {
        let mut bytes = vec![0; WORDS * 8];
        file.seek(SeekFrom::Start(place * WORDS as u64 * 8))?;
        file.read_exact(&mut bytes)?;
        Ok(ImageHash::from_bytes(&bytes).expect("as many bytes as the hash has"))
    };
    (0..len).step_by(step as usize).map(|place| read(place).map_err(reading(input))).collect()
}

/// Some of the hashes, in a file: the input itself (hashes as they came), or a partition (permuted, with their places).
struct Part {
    path: PathBuf,
    entries: usize,
    is_input: bool,
}

struct Search<'a, F, const WORDS: usize> {
    files: &'a Files<'a>,
    walk: &'a Walk<'a, F, WORDS>,
    /// Entries that may be in memory.
    capacity: usize,
}

impl<F: FnMut(Pair) + Send, const WORDS: usize> Search<'_, F, WORDS> {
    fn descend(&self, part: &Part, node: Node) -> Result<(), DiskError> {
        if part.entries <= self.capacity {
            let entries = self.load(part, 0..part.entries)?;
            self.walk.walk(entries.all(), node);
            return Ok(());
        }
        if node.depth == self.walk.layout.agreeing {
            return self.compare_tiles(part, node);
        }
        for block in node.choices(self.walk.shared.policy.radius) {
            self.step(part, block, node)?;
        }
        Ok(())
    }

    /// Searches each value of the block, a file of values at a time.
    fn step(&self, part: &Part, block: usize, node: Node) -> Result<(), DiskError> {
        let below = node.below(block);
        for group in self.distribute(part, block, node)? {
            if group.entries <= self.capacity {
                let entries = self.load(&group, 0..group.entries)?;
                let mut sorted = Entries::with_len(group.entries);
                let ends = self.walk.scatter(entries.all(), block, &mut sorted);
                drop(entries);
                self.walk.walk_values(sorted.all(), &ends, below);
            } else {
                // One value alone: `distribute` puts no other beside it.
                self.descend(&group, below)?;
            }
            std::fs::remove_file(&group.path).map_err(writing(&group.path))?;
        }
        Ok(())
    }

    fn distribute(&self, part: &Part, block: usize, node: Node) -> Result<Vec<Part>, DiskError> {
        let slot = self.walk.layout.blocks[block];
        let mut frequency = vec![0usize; slot.values()];
        self.each(part, &mut |hash, _| {
            frequency[slot.of(&hash)] += 1;
            Ok(())
        })?;
        let groups = group(&frequency, self.capacity);
        let name = |number: usize| self.files.folder.join(format!("part-{}-{block}-{number}", node.depth));
        let counts = (0..=groups.last().copied().unwrap_or(0)).map(|number| {
            let entries = groups.iter().zip(&frequency).filter(|(group, _)| **group == number).map(|(_, count)| count);
            Part { path: name(number), entries: entries.sum(), is_input: false }
        });
        let parts: Vec<Part> = counts.collect();
        // More groups than files can be open at once are written in rounds.
        for (round, parts) in parts.chunks(FILES_MAX).enumerate() {
            let first = round * FILES_MAX;
            let create = |part: &Part| Ok(BufWriter::with_capacity(BUFFER_BYTES, File::create(&part.path)?));
            let mut writers = parts
                .iter()
                .map(|part| create(part).map_err(writing(&part.path)))
                .collect::<Result<Vec<_>, DiskError>>()?;
            self.each(part, &mut |hash, place| {
                let Some(writer) = groups[slot.of(&hash)].checked_sub(first).and_then(|at| writers.get_mut(at)) else {
                    return Ok(());
                };
                hash.words().iter().try_for_each(|word| writer.write_all(&word.to_be_bytes()))?;
                writer.write_all(&place.to_le_bytes())
            })?;
            for (part, mut writer) in parts.iter().zip(writers) {
                writer.flush().map_err(writing(&part.path))?;
            }
        }
        Ok(parts)
    }

    /// Calls `visit` with each permuted hash and its place, in the order of their places.
    fn each(
        &self,
        part: &Part,
        visit: &mut dyn FnMut(ImageHash<WORDS>, u32) -> std::io::Result<()>,
    ) -> Result<(), DiskError> {
        self.each_of(part, 0..part.entries, visit)
    }

    fn each_of(
        &self,
        part: &Part,
        range: std::ops::Range<usize>,
        visit: &mut dyn FnMut(ImageHash<WORDS>, u32) -> std::io::Result<()>,
    ) -> Result<(), DiskError> {
        let mut file = File::open(&part.path).map_err(reading(&part.path))?;
        let bytes_each = if part.is_input { WORDS * 8 } else { record_bytes::<WORDS>() };
        file.seek(SeekFrom::Start((range.start * bytes_each) as u64)).map_err(reading(&part.path))?;
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut bytes = vec![0; bytes_each];
        for place in range {
            reader.read_exact(&mut bytes).map_err(reading(&part.path))?;
            let hash = ImageHash::from_bytes(&bytes[..WORDS * 8]).expect("as many bytes as the hash has");
            let (hash, place) = match bytes[WORDS * 8..].first_chunk::<4>() {
                Some(place) => (hash, u32::from_le_bytes(*place)),
                None => (self.walk.layout.permute(&hash), place as u32),
            };
            visit(hash, place).map_err(writing(self.files.folder))?;
        }
        Ok(())
    }

    fn load(&self, part: &Part, range: std::ops::Range<usize>) -> Result<Entries<WORDS>, DiskError> {
        let mut entries = Entries { hashes: Vec::with_capacity(range.len()), places: Vec::with_capacity(range.len()) };
        self.each_of(part, range, &mut |hash, place| {
            entries.hashes.push(hash);
            entries.places.push(place);
            Ok(())
        })?;
        Ok(entries)
    }

    /// A crowd that no block takes apart and memory does not hold: stretch against stretch.
    fn compare_tiles(&self, part: &Part, node: Node) -> Result<(), DiskError> {
        let tile = (self.capacity / 2).max(1);
        let ranges: Vec<_> =
            (0..part.entries).step_by(tile).map(|start| start..part.entries.min(start + tile)).collect();
        for (index, range) in ranges.iter().enumerate() {
            let ahead = self.load(part, range.clone())?;
            self.walk.compare(ahead.all(), node);
            for range in &ranges[index + 1..] {
                let behind = self.load(part, range.clone())?;
                self.walk.compare_across(ahead.all(), behind.all(), node);
            }
        }
        Ok(())
    }
}

/// The group of each value: neighbouring values together while they fit, a value that does not fit alone.
fn group(frequency: &[usize], capacity: usize) -> Vec<usize> {
    let (mut group, mut filled) = (0, 0);
    let mut groups = Vec::with_capacity(frequency.len());
    for &count in frequency {
        if filled > 0 && filled + count > capacity {
            group += 1;
            filled = 0;
        }
        filled += count;
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::pairs;
    use crate::neighbours::tests::crowd;
    use proptest::prelude::*;

    fn check<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32, memory_bytes: usize) {
        let found = search(hashes, radius, memory_bytes);
        assert_eq!(found, pairs(hashes, radius), "{radius} {memory_bytes}");
    }

    fn search<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32, memory_bytes: usize) -> Vec<Pair> {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let input = folder.path().join("hashes");
        let bytes: Vec<u8> = hashes.iter().flat_map(|h| h.words().map(u64::to_be_bytes)).flatten().collect();
        std::fs::write(&input, bytes).expect("the scratch folder is ours");
        let mut found = Vec::new();
        let files = Files { folder: folder.path(), memory_bytes };
        files.for_each_pair::<WORDS>(&input, &Policy::exact(radius), |pair| found.push(pair)).expect("the disk works");
        found.sort_unstable();
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 1, "partitions are removed");
        found
    }

    /// Whatever the partitions, the threads and the order, the pairs are those of the search in memory on one thread.
    fn check_anyhow<const WORDS: usize>(seed: u64, len: usize, radius: u32, threads: usize, memory_bytes: usize) {
        let hashes = crowd::<WORDS>(seed, len, seed % 5, u64::from(radius) + 4);
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let expected = pool(1).install(|| pairs(&hashes, radius));
        // A permutation of the input; `places` says where each hash was.
        let mut places: Vec<usize> = (0..len).collect();
        places.sort_by_key(|&place| item::Digest::of(&[seed, place as u64].map(u64::to_le_bytes).concat()));
        let shuffled: Vec<_> = places.iter().map(|&place| hashes[place]).collect();
        let restore = |pair: Pair| {
            let (a, b) = (places[pair.a], places[pair.b]);
            Pair { a: a.min(b), b: a.max(b), ..pair }
        };
        let found = pool(threads).install(|| search(&shuffled, radius, memory_bytes));
        let mut found: Vec<Pair> = found.into_iter().map(restore).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn partitions_threads_and_order_do_not_matter(
            seed in any::<u64>(), len in 0usize..400, radius in 0u32..=8, threads in 1usize..5, memory_bytes in 100usize..20_000,
        ) {
            check_anyhow::<1>(seed, len, radius, threads, memory_bytes);
            check_anyhow::<4>(seed, len / 3, radius * 3, threads, memory_bytes);
        }
    }

    #[test]
    fn any_amount_of_memory_gives_the_same_pairs() {
        for memory_bytes in [100, 3_000, 20_000, 1 << 30] {
            check(&crowd::<1>(1, 1_500, 5, 12), 8, memory_bytes);
            check(&crowd::<1>(2, 600, 1, 4), 4, memory_bytes);
            check(&crowd::<4>(3, 400, 5, 30), 16, memory_bytes);
        }
        check(&crowd::<1>(4, 0, 1, 1), 4, 100);
    }

    #[test]
    fn half_a_hash_is_an_error() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let input = folder.path().join("hashes");
        std::fs::write(&input, [0; 12]).expect("the scratch folder is ours");
        let files = Files { folder: folder.path(), memory_bytes: 100 };
        let error = files.for_each_pair::<1>(&input, &Policy::exact(1), |_| {}).expect_err("12 is not 8 times n");
        assert!(matches!(error, DiskError::Size { bytes: 12, .. }));
    }
}
