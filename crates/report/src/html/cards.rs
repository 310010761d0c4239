//! Galleries of pages. Each card is complete by itself; the script adds a filter and a large view.

use std::collections::BTreeMap;

use item::LossKind;
use maud::{Markup, html};

use super::prose;
use crate::gallery::{Card, Galleries, Gallery, failure_meaning};
use crate::losses::Losses;
use crate::text::{count, plain};

pub(super) fn section(galleries: &Galleries, rules: &BTreeMap<String, String>, losses: &Losses) -> Markup {
    html! {
        @if !galleries.kept.is_empty() {
            section id="kept" aria-labelledby="kept-title" {
                h2 id="kept-title" { "Kept pages" }
                @for shown in &galleries.kept { (gallery(shown, None)) }
            }
        }
        @if !galleries.clusters.is_empty() {
            section id="clusters" aria-labelledby="clusters-title" {
                h2 id="clusters-title" { "Largest clusters" }
                p.note { (prose("Pages that count as one; the first is the one that was kept. `databuild dedup tune` shows pairs \
                    just inside and just outside of the limits.")) }
                @for shown in &galleries.clusters { (gallery(shown, None)) }
            }
        }
        @if !galleries.lost.is_empty() {
            section id="lost" aria-labelledby="lost-title" {
                h2 id="lost-title" { "Lost pages" }
                p.note { "By step and rule. Pages that were lost before they were rendered, or whose picture is gone, have none." }
                @for (shown, group) in galleries.lost.iter().zip(&losses.groups) {
                    @let meaning = match group.kind {
                        LossKind::Rejected => rules.get(&group.rule).map(String::as_str),
                        LossKind::Failed => failure_meaning(&group.rule),
                    };
                    (gallery(shown, meaning))
                }
            }
        }
        @if galleries.pictures_left_out > 0 {
            p.note { (count(galleries.pictures_left_out as u64)) " pictures were left out to keep this file small." }
        }
        p.note id="nothing" hidden { "No page fits the filter." }
    }
}

fn gallery(gallery: &Gallery, meaning: Option<&str>) -> Markup {
    html! {
        div.gallery id=(gallery.anchor) {
            h3 { (plain(&gallery.title)) " " span.quiet { (plain(&gallery.note)) } }
            @if let Some(meaning) = meaning { p.note { (prose(meaning)) } }
            ul.cards { @for shown in &gallery.cards { (card(shown)) } }
        }
    }
}

fn card(card: &Card) -> Markup {
    let title = card.title.as_deref().map(plain).filter(|title| !title.is_empty());
    let name = title.clone().unwrap_or_else(|| plain(&card.url));
    html! {
        li.card {
            @if let Some(picture) = &card.picture {
                button.open type="button" aria-label=(format!("Larger view of {name}")) {
                    img src=(picture.url) width=(picture.width) height=(picture.height) loading="lazy" decoding="async"
                        alt=(format!("Screenshot of {name}"));
                }
            }
            div.words {
                @if let Some(title) = title { p.title { bdi { (title) } } }
                p.url { bdi dir="ltr" { (plain(&card.url)) } }
                @if let Some(badge) = &card.badge { p.badge { (plain(badge)) } }
                @if let Some(detail) = &card.detail { p.detail { bdi { (plain(detail)) } } }
                details {
                    summary { "Details" }
                    dl {
                        @for (name, value) in &card.facts { div { dt { (name) } dd { bdi { (plain(value)) } } } }
                        @if card.picture.as_ref().is_some_and(|picture| picture.cropped) {
                            div { dt { "Picture" } dd { "top of the page" } }
                        }
                        div { dt { "Id" } dd { code { (card.id) } } }
                    }
                }
            }
        }
    }
}

/// The large view, filled by the script.
pub(super) fn viewer() -> Markup {
    html! {
        dialog id="viewer" aria-label="Larger view" {
            form method="dialog" {
                button type="button" id="previous" aria-keyshortcuts="ArrowLeft" { "← Previous" }
                button type="button" id="next" aria-keyshortcuts="ArrowRight" { "Next →" }
                button value="close" { "Close" }
            }
            div id="view" {}
        }
    }
}
