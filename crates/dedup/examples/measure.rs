//! Measures on this machine what docs/decisions/0005-perceptual-hash.md says.
//!
//!     cargo run --release -p dedup --example measure -- neighbours 1000000
//!     cargo run --release -p dedup --example measure -- search COUNT RADIUS THREADS
//!     cargo run --release -p dedup --example measure -- disk COUNT RADIUS THREADS MEMORY_MB FOLDER
//!     cargo run --release -p dedup --example measure -- hash FILE.png...
//!     cargo run --release -p dedup --example measure -- pairs PAIRS.tsv
//!
//! `pairs` reads lines of `yes|no <tab> kind <tab> a.png <tab> b.png` and writes the distances by each recipe.

#![expect(clippy::print_stdout, reason = "a measurement is read by people")]

use std::time::Instant;

use dedup::{Hash64, Hash256, Hasher, ImageHash, Recipe, neighbours};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The first viewport of the screenshots that `pairs` and `hash` read.
const VIEWPORT_HEIGHT: u32 = 800;

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["neighbours", count] => measure_neighbours(count.parse()?),
        ["search", count, radius, threads] => {
            let hashes: Vec<Hash64> = random::<1>(count.parse()?).map(Hash64::new).collect();
            pool(threads)?.install(|| measure_search(&hashes, radius.parse().unwrap_or(8), "spread"));
        }
        ["disk", count, radius, threads, memory_mb, folder] => {
            let folder = std::path::Path::new(folder);
            pool(threads)?.install(|| measure_disk(count.parse()?, radius.parse()?, memory_mb.parse()?, folder))?;
        }
        ["hash", ref files @ ..] => measure_hash(files)?,
        ["pairs", file] => measure_pairs(file)?,
        _ => return Err("give `neighbours COUNT`, `hash FILE...` or `pairs FILE`".into()),
    }
    Ok(())
}

fn pool(threads: &str) -> Result<rayon::ThreadPool, Failed> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build()?)
}

/// Writes the hashes to a file first, so that they take no memory.
fn measure_disk(count: u64, radius: u32, memory_mb: usize, folder: &std::path::Path) -> Result<(), Failed> {
    use std::io::Write;
    let input = folder.join("hashes");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&input)?);
    for [word] in random::<1>(count) {
        file.write_all(&word.to_be_bytes())?;
    }
    file.into_inner()?.sync_all()?;
    let start = Instant::now();
    let files = neighbours::Files { folder, memory_bytes: memory_mb << 20 };
    let report = files.for_each_pair::<1>(&input, &neighbours::Policy::exact(radius), |_| {})?;
    let (pairs, took) = (report.pairs, start.elapsed());
    println!("{count} hashes of 64 bits in files, radius {radius}, {memory_mb} MB: {pairs} pairs in {took:.2?}");
    std::fs::remove_file(&input)?;
    Ok(())
}

fn measure_neighbours(count: u64) {
    for radius in [0, 4, 8] {
        measure_search::<1>(&random::<1>(count).map(Hash64::new).collect::<Vec<_>>(), radius, "spread");
    }
    for radius in [8, 16, 24] {
        measure_search::<4>(&random::<4>(count).map(Hash256::new).collect::<Vec<_>>(), radius, "spread");
    }
    // Half of the bits are nearly always 0, as on pages with much white.
    let sparse = random::<4>(count).zip(random::<4>(count)).map(|(a, b)| {
        ImageHash::new(std::array::from_fn(|word| {
            a[word] & if word < 2 { b[word] & b[word].rotate_left(7) } else { !0 }
        }))
    });
    measure_search::<4>(&sparse.collect::<Vec<_>>(), 16, "skewed");
}

fn measure_search<const WORDS: usize>(hashes: &[ImageHash<WORDS>], radius: u32, kind: &str) {
    let start = Instant::now();
    let report = neighbours::for_each_pair(hashes, &neighbours::Policy::exact(radius), |_| {});
    let (pairs, compared) = (report.pairs, report.comparisons as f64 / hashes.len() as f64);
    let (len, bits) = (hashes.len(), ImageHash::<WORDS>::BITS);
    println!(
        "{len} {kind} hashes of {bits} bits, radius {radius}: {pairs} pairs in {:.2?}, {compared:.0} comparisons each",
        start.elapsed()
    );
}

/// SplitMix64: the same numbers everywhere. One in eight is a near copy of the one before.
fn random<const WORDS: usize>(count: u64) -> impl Iterator<Item = [u64; WORDS]> {
    let mut state = 7u64;
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mut last = [0; WORDS];
    (0..count).map(move |_| {
        if next() % 8 == 0 {
            let bit = next() as usize % (WORDS * 64);
            last[bit / 64] ^= 1 << (bit % 64);
        } else {
            last = std::array::from_fn(|_| next());
        }
        last
    })
}

fn measure_hash(files: &[&str]) -> Result<(), Failed> {
    let pngs = files.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let hasher = Hasher::default();
    let start = Instant::now();
    let mut pixels = 0u64;
    for png in &pngs {
        let print = hasher.hash_encoded(png, VIEWPORT_HEIGHT)?.print;
        pixels += u64::from(print.width) * u64::from(print.height);
    }
    let each = start.elapsed() / u32::try_from(pngs.len())?;
    println!("{} files, {pixels} px: {each:.2?} each from PNG to hash", pngs.len());
    let pictures = pngs.iter().map(|png| image::load_from_memory(png)).collect::<Result<Vec<_>, _>>()?;
    let start = Instant::now();
    for picture in &pictures {
        hasher.hash_picture(picture, VIEWPORT_HEIGHT)?;
    }
    println!("{:.2?} each from pixels to hash", start.elapsed() / u32::try_from(pngs.len())?);
    Ok(())
}

fn measure_pairs(file: &str) -> Result<(), Failed> {
    println!("recipe\tnear\tkind\twhole\tviewport\tflat\theights");
    for recipe in Recipe::ALL {
        let hasher = Hasher::new(recipe);
        for line in std::fs::read_to_string(file)?.lines() {
            let [near, kind, a, b] = line.split('\t').collect::<Vec<_>>()[..] else { return Err(line.into()) };
            let print = |path: &str| -> Result<_, Failed> {
                Ok(hasher.hash_encoded(&std::fs::read(path)?, VIEWPORT_HEIGHT)?.print)
            };
            let (a, b) = (print(a)?, print(b)?);
            let (whole, viewport) = (a.whole.distance(&b.whole), a.viewport.distance(&b.viewport));
            let flat = a.flat || b.flat;
            println!("{recipe}\t{near}\t{kind}\t{whole}\t{viewport}\t{flat}\t{}/{}", a.height, b.height);
        }
    }
    Ok(())
}
