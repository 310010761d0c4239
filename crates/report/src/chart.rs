//! Charts as inline SVG. Colours come from classes, so they follow light and dark; numbers also stand in text, so nothing
//! is said by colour alone.

use maud::{Markup, html};

use crate::histogram::{Bin, Histogram};
use crate::text::{count, counted, share, short};

/// Units of a histogram's drawing.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 170.0;
const TOP: f64 = 18.0;
const BASE: f64 = 146.0;
/// Labels below the bars: more would run into each other.
const LABELS_MAX: usize = 9;
/// Units of a bar's length.
const BAR_WIDTH: f64 = 1000.0;
/// Least width of a part, so that one page among millions is still seen.
const LEAST_PART: f64 = 4.0;

/// A histogram with its title in words for those who do not see it.
pub(crate) fn histogram(title: &str, histogram: &Histogram) -> Markup {
    let Histogram { bins, values, quantiles } = histogram;
    let step = WIDTH / bins.len() as f64;
    let peak = histogram.peak().max(1) as f64;
    let height = |bin: &Bin| bin.count as f64 / peak * (BASE - TOP);
    let every = (bins.len() + 1).div_ceil(LABELS_MAX);
    let edges: Vec<f64> = bins.iter().map(|bin| bin.from).chain(bins.last().map(|bin| bin.to)).collect();
    let [least, low, median, high, greatest] = quantiles.map(short);
    let summary = format!(
        "{title} of {}: median {median}, from {least} to {greatest}; eighty per cent lie between {low} and {high}.",
        counted(*values, "page", "pages"),
    );
    let coordinate = |number: f64| format!("{number:.1}");
    html! {
        svg.histogram viewBox=(format!("-4 0 {} {HEIGHT}", WIDTH + 8.0)) role="img" aria-label=(summary) {
            @for (index, bin) in bins.iter().enumerate() {
                rect.bin x=(coordinate(index as f64 * step + 1.0)) y=(coordinate(BASE - height(bin)))
                    width=(coordinate((step - 2.0).max(1.0))) height=(coordinate(height(bin))) {
                    title { (format!("{} to {}: {}", short(bin.from), short(bin.to), counted(bin.count, "page", "pages"))) }
                }
            }
            line.axis x1="0" x2=(WIDTH) y1=(BASE) y2=(BASE) {}
            text.peak x="0" y="11" { "peak " (count(histogram.peak())) }
            @if let Some(x) = position(bins, quantiles[2]) {
                line.median x1=(coordinate(x * step)) x2=(coordinate(x * step)) y1=(TOP - 4.0) y2=(BASE) {}
            }
            @for (index, edge) in edges.iter().enumerate().filter(|(index, _)| index % every == 0) {
                @let anchor = match index { 0 => "start", last if last == bins.len() => "end", _ => "middle" };
                text.edge x=(coordinate(index as f64 * step)) y=(BASE + 16.0) text-anchor=(anchor) { (short(*edge)) }
            }
        }
        p.summary {
            span { "median " b { (median) } }
            span { "10–90 % " b { (low) "–" (high) } }
            span { "range " b { (least) "–" (greatest) } }
        }
    }
}

/// Where a value stands among the bins, in bins.
fn position(bins: &[Bin], value: f64) -> Option<f64> {
    let index = bins.iter().position(|bin| value < bin.to).or_else(|| bins.len().checked_sub(1))?;
    let bin = bins[index];
    Some(index as f64 + ((value - bin.from) / (bin.to - bin.from)).clamp(0.0, 1.0))
}

/// What part of a bar stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) class: &'static str,
    pub(crate) count: u64,
}

/// A bar of parts; `whole` fills the width. What it says stands beside it as text, so readers of the screen skip it.
pub(crate) fn bar(parts: &[Part], whole: u64) -> Markup {
    let scale = BAR_WIDTH / whole.max(1) as f64;
    let mut end = 0;
    let placed = parts.iter().map(|part| {
        end += part.count;
        (part, end - part.count)
    });
    let seen: Vec<(&Part, u64)> = placed.filter(|(part, _)| part.count > 0).collect();
    html! {
        svg.bar viewBox=(format!("0 0 {BAR_WIDTH} 20")) preserveAspectRatio="none" aria-hidden="true" {
            @for (part, from) in seen {
                rect class=(part.class) x=(format!("{:.1}", from as f64 * scale)) y="0"
                    width=(format!("{:.1}", (part.count as f64 * scale).max(LEAST_PART))) height="20" {}
            }
        }
    }
}

/// A table of words and their counts, with bars.
pub(crate) fn counts(caption: &str, rows: &[(&str, u64)], others: Option<(String, u64)>) -> Markup {
    let total: u64 = rows.iter().map(|(_, count)| count).sum::<u64>() + others.as_ref().map_or(0, |(_, count)| *count);
    let longest = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    html! {
        table.counts {
            caption { (caption) }
            thead.unseen { tr { th scope="col" { "Name" } th scope="col" { "Bar" } th scope="col" { "Pages" } th scope="col" { "Share" } } }
            tbody {
                @for (word, number) in rows {
                    tr {
                        th scope="row" { bdi { (crate::text::plain(word)) } }
                        td.wide { (bar(&[Part { class: "kept", count: *number }], longest)) }
                        td.number { (count(*number)) }
                        td.number.quiet { (share(*number, total)) }
                    }
                }
                @if let Some((name, number)) = others {
                    tr.quiet {
                        th scope="row" { (name) }
                        td.wide {}
                        td.number { (count(number)) }
                        td.number { (share(number, total)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Binning;

    #[test]
    fn a_histogram_says_in_words_what_it_shows() {
        let drawn = histogram("Score", &Histogram::of(&[0.1, 0.5, 0.9], Binning::Unit).expect("values")).into_string();
        assert!(drawn.contains("Score of 3 pages: median 0.5, from 0.1 to 0.9"), "{drawn}");
        assert_eq!(drawn.matches("<rect").count(), 20);
    }

    #[test]
    fn words_are_escaped() {
        let drawn = counts("Hosts", &[("<script>alert(1)</script>", 1)], None).into_string();
        assert!(drawn.contains("&lt;script&gt;") && !drawn.contains("<script>"), "{drawn}");
    }
}
