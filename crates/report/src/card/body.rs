//! Our parts of the card, as Markdown.

use std::fmt::Write as _;

use dataset::Subset;
use item::LossKind;

use super::{Block, Facts};
use crate::gallery::failure_meaning;
use crate::html::{StepKind, steps};
use crate::numbers::Tally;
use crate::text::{bytes, count, duration, plain, share, short};

/// Rows of a table of words.
const TABLE_ROWS_MAX: usize = 15;
/// Rules that keep benchmarks out begin so.
const BENCHMARK_RULES: &str = "benchmark-";
/// Characters of a setting's value that are shown.
const SETTINGS_CHARS_MAX: usize = 400;

pub(super) fn blocks(facts: &Facts<'_>) -> Vec<Block> {
    vec![
        Block { name: "summary", text: summary(facts) },
        Block { name: "loading", text: loading(facts) },
        Block { name: "pictures", text: pictures(facts) },
        Block { name: "funnel", text: funnel(facts) },
        Block { name: "statistics", text: statistics(facts) },
        Block { name: "making", text: making(facts) },
        Block { name: "limits", text: limits(facts) },
        Block { name: "contamination", text: contamination(facts) },
        Block { name: "contact", text: contact(facts) },
        Block { name: "citation", text: citation(facts) },
    ]
}

/// Words as they can stand in a cell of a table: nothing in them is markup.
fn cell(text: &str) -> String {
    let mut safe = String::new();
    for char in plain(text).chars() {
        match char {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' => {
                safe.push('\\');
                safe.push(char);
            }
            _ => safe.push(char),
        }
    }
    safe
}

// Writing to a string cannot fail.
macro_rules! say {
    ($text:expr) => { $text.push('\n') };
    ($text:expr, $($words:tt)*) => {{ let _infallible = writeln!($text, $($words)*); }};
}

fn summary(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    let own = facts.input.config.summary.trim();
    if own.is_empty() {
        say!(
            text,
            "Screenshots of web pages, each paired with the very code that renders it, with the layout, quality scores and provenance."
        );
    } else {
        say!(text, "{own}");
    }
    say!(text);
    say!(text, "| subset | rows | files | size | what it holds |");
    say!(text, "|---|---:|---:|---:|---|");
    for subset in Subset::ALL {
        let Some(parts) = facts.manifest.subsets.get(subset.name()).filter(|parts| parts.rows > 0) else { continue };
        let files: usize = parts.splits.values().map(Vec::len).sum();
        let (name, meaning) = (subset.name(), subset.meaning());
        say!(text, "| `{name}` | {} | {files} | {} | {meaning} |", count(parts.rows), bytes(parts.bytes));
    }
    say!(text);
    let splits: Vec<String> = {
        let (splits, _) = facts.numbers.splits.top(usize::MAX);
        splits.iter().map(|(split, rows)| format!("{} `{split}`", count(*rows))).collect()
    };
    say!(
        text,
        "Splits of `pages`: {}. A registrable domain, and a cluster of near-duplicates, stands in one split only.",
        splits.join(", ")
    );
    text
}

fn loading(facts: &Facts<'_>) -> String {
    let split = facts.manifest.subsets.get(Subset::Pages.name()).map(|parts| &parts.splits);
    let other =
        split.and_then(|splits| splits.keys().next()).filter(|_| !split.is_some_and(|all| all.contains_key("train")));
    let split = other.map_or("train", String::as_str);
    format!(
        "## Loading\n\n```python\nfrom datasets import load_dataset\n\n\
         pages = load_dataset(\"ORGANISATION/NAME\", split=\"{split}\")  # or streaming=True\n\
         row = pages[0]\n\
         row[\"image\"]   # the screenshot, a PIL image\n\
         row[\"text\"]    # the HTML document that renders it, byte for byte\n\
         row[\"nodes\"]   # every element: box, role, text, and its byte range in `text`\n\n\
         meta = load_dataset(\"ORGANISATION/NAME\", \"meta\", split=\"{split}\")  # the same rows without pictures\n```\n\n\
         `image`, `bbox`, `text`, `scale`, `lang`, `tokens`, `score` and `hash` have the names and the meaning of the eight columns of\n\
         Vision2UI (WebCode2M), so that training code written for it runs. `id` joins the subsets.\n"
    )
}

fn pictures(facts: &Facts<'_>) -> String {
    if facts.pictures.is_empty() {
        return "## Samples\n\nNo screenshots.\n".to_owned();
    }
    let mut text = String::from("## Samples\n\nChosen by id, without regard to the score.\n\n");
    for (name, domain) in &facts.pictures {
        say!(text, "![Screenshot of a page of {}]({name})", cell(domain));
    }
    text
}

fn funnel(facts: &Facts<'_>) -> String {
    let mut text = String::from("## What was kept, and what was not\n\n");
    say!(
        text,
        "Each page that a step saw was kept, rejected by a rule, or failed; the subset `rejects` names them one by one.\n"
    );
    say!(text, "| step | seen | kept | rejected | failed |");
    say!(text, "|---|---:|---:|---:|---:|");
    for step in steps(facts.input.record) {
        let kind = match step.kind {
            StepKind::Source => " (source)",
            StepKind::Barrier => " (over all pages)",
            StepKind::Stage => "",
        };
        let books = step.books;
        let (rejected, failed) = (count(books.rejected_total()), count(books.failed_total()));
        say!(
            text,
            "| {}{kind} | {} | {} | {rejected} | {failed} |",
            cell(&books.stage),
            count(books.seen),
            count(books.kept)
        );
    }
    if facts.losses.groups.is_empty() {
        return text;
    }
    say!(text);
    say!(text, "| step | rule | pages | what it means |");
    say!(text, "|---|---|---:|---|");
    for group in &facts.losses.groups {
        let (rule, meaning) = match group.kind {
            LossKind::Rejected => (group.rule.clone(), facts.input.rules.get(&group.rule).map(String::as_str)),
            LossKind::Failed => (format!("failed: {}", group.rule), failure_meaning(&group.rule)),
        };
        // Ours, and Markdown already.
        let meaning = meaning.unwrap_or_default().replace('|', "\\|");
        say!(text, "| {} | {} | {} | {} |", cell(&group.stage), cell(&rule), count(group.count), meaning);
    }
    text
}

fn statistics(facts: &Facts<'_>) -> String {
    let numbers = &facts.numbers;
    let mut text = String::from("## Statistics\n\n");
    say!(text, "| measure | rows | least | 10 % | median | 90 % | greatest | what it is |");
    say!(text, "|---|---:|---:|---:|---:|---:|---:|---|");
    for (measure, histogram) in numbers.histograms() {
        let [least, low, median, high, greatest] = histogram.quantiles.map(short);
        let rows = count(histogram.values);
        say!(
            text,
            "| {} | {rows} | {least} | {low} | {median} | {high} | {greatest} | {} |",
            measure.title,
            cell(measure.meaning)
        );
    }
    say!(text);
    add_words(&mut text, "language", &numbers.languages, numbers.rows);
    add_words(&mut text, "domain", &numbers.domains, numbers.rows);
    let clusters = numbers.clusters();
    if !clusters.is_empty() {
        say!(text, "| near-duplicates that the row stands for | rows |");
        say!(text, "|---|---:|");
        for (class, rows) in clusters {
            say!(text, "| {class} | {} |", count(rows));
        }
    }
    text
}

fn add_words(text: &mut String, what: &str, words: &Tally, rows: u64) {
    let (top, others) = words.top(TABLE_ROWS_MAX);
    say!(text, "| {what} ({} in all) | rows | share |", count(words.len() as u64));
    say!(text, "|---|---:|---:|");
    for (word, number) in top {
        say!(text, "| {} | {} | {} |", cell(word), count(number), share(number, rows));
    }
    if others > 0 {
        say!(text, "| all others | {} | {} |", count(others), share(others, rows));
    }
    say!(text);
}

fn making(facts: &Facts<'_>) -> String {
    let record = facts.input.record;
    let mut text = String::from("## How it was made\n\n");
    say!(
        text,
        "By {}, run `{}`: pages were read from web archives, cleaned to self-contained documents, rendered in headless Chrome with no \
         network, freed of duplicates, and scored. The screenshot of a row is rendered from the stored bytes; `html_sha256` and \
         `screenshot_sha256` say of which.\n",
        cell(&facts.manifest.created_by),
        cell(&record.name)
    );
    say!(text, "| | |");
    say!(text, "|---|---|");
    let crawls: Vec<&str> = record.partitions.iter().map(|part| part.name.as_str()).take(3).collect();
    let more = record.partitions.len().saturating_sub(crawls.len());
    let archives = if more > 0 { format!("{} and {more} more", crawls.join(", ")) } else { crawls.join(", ") };
    say!(text, "| archives | {} |", cell(&archives));
    for (name, words) in [("Chrome", &facts.numbers.chromes), ("fonts (digest)", &facts.numbers.fonts)] {
        let (words, _) = words.top(3);
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        say!(text, "| {name} | {} |", cell(&words.join(", ")));
    }
    say!(text, "| begun | {} |", cell(&record.started_at));
    say!(text, "| took | {} |", duration(record.elapsed_ms));
    say!(text, "| manifest | `{}` |", facts.manifest.digest());
    say!(text, "\n<details><summary>Everything that shaped the rows</summary>\n");
    say!(text, "| step | version | settings |");
    say!(text, "|---|---:|---|");
    for fingerprint in &record.fingerprints {
        let settings: String = fingerprint.settings.to_string().chars().take(SETTINGS_CHARS_MAX).collect();
        say!(text, "| {} | {} | {} |", cell(&fingerprint.name), fingerprint.version, cell(&settings));
    }
    say!(text, "\n</details>");
    text
}

fn limits(facts: &Facts<'_>) -> String {
    let mut text = String::from("## Limits and biases\n\n");
    let (languages, _) = facts.numbers.languages.top(1);
    if let Some((language, rows)) = languages.first() {
        let share = share(*rows, facts.numbers.rows);
        say!(
            text,
            "- {share} of the rows are in one language ({}). Web archives favour what is linked often.",
            cell(language)
        );
    }
    for limit in [
        "Scripts of the pages did not run: what a page builds by script is missing, and pages that are nothing without it were rejected.",
        "Linked style sheets and pictures are there only where the archives had them; `css_missing` and `image_policy` say so for each row.",
        "The quality score is a model's opinion. It finds broken pages well and small damage poorly; a threshold on it carries its taste.",
        "Texts, names and faces on the pages are those of the open web: there is personal data, advertising, error, and offence among them.",
        "Languages and sizes are detected, not said by the authors, and sometimes wrong.",
    ] {
        say!(text, "- {limit}");
    }
    text
}

fn contamination(facts: &Facts<'_>) -> String {
    let mut text = String::from("## Benchmarks kept out\n\n");
    let compared = facts.input.compared_with;
    if compared.is_empty() {
        say!(text, "The rows were **not** compared with any benchmark.");
        return text;
    }
    let names: Vec<String> = compared.iter().map(|name| format!("`{}`", cell(name))).collect();
    say!(
        text,
        "Every page was compared with {}: by its screenshot, its text, its elements and its domain.\n",
        names.join(", ")
    );
    let groups: Vec<_> = facts.losses.groups.iter().filter(|group| group.rule.starts_with(BENCHMARK_RULES)).collect();
    if groups.is_empty() {
        say!(text, "None was found.");
        return text;
    }
    say!(text, "| rule | pages kept out |");
    say!(text, "|---|---:|");
    for group in groups {
        say!(text, "| {} | {} |", cell(&group.rule), count(group.count));
    }
    text
}

fn contact(facts: &Facts<'_>) -> String {
    let mut text = String::from("## Licence and takedown\n\n");
    say!(
        text,
        "The collection is published under the licence above. The pages are their authors' and keep their own; `license` names the licence \
         that a page links to, `robots` what it asks of robots, `url` where it came from.\n"
    );
    let how = match facts.input.config.contact.trim() {
        "" => "opens a discussion in this repository".to_owned(),
        contact => format!("writes to {}", cell(contact)),
    };
    say!(text, "Whoever wants a page removed {how}, with its URL or its `id`.");
    text
}

fn citation(facts: &Facts<'_>) -> String {
    let config = facts.input.config;
    let title = config.title_or(&facts.manifest.name);
    let own = config.citation.trim();
    let entry = if own.is_empty() {
        let key: String = title.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let year = facts.input.record.started_at.get(..4).unwrap_or_default();
        let digest = facts.manifest.digest().to_string();
        let digest = digest.get(..16).unwrap_or_default();
        format!(
            "@misc{{{key},\n  title = {{{title}}},\n  year = {{{year}}},\n  note = {{Manifest {digest}, made with databuild}}\n}}"
        )
    } else {
        own.to_owned()
    };
    format!("## Citation\n\n```bibtex\n{entry}\n```\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_the_web_are_no_markup() {
        let check = |text: &str, expected: &str| assert_eq!(cell(text), expected);
        check("a|b", "a\\|b");
        check("<script>", "&lt;script>");
        check("![x](y)", "!\\[x\\](y)");
        check("`x` *y* _z_", "\\`x\\` \\*y\\* \\_z\\_");
        check("two\nlines", "two lines");
    }
}
