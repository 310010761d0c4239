//! Triples side by side: given, wanted, difference.

use maud::{Markup, html};

use crate::text::{count, plain};
use crate::thumbnail::Thumbnail;
use crate::triples::{TripleCard, Triples};

pub(super) fn section(triples: &[Triples]) -> Markup {
    html! {
        @if !triples.is_empty() {
            section id="triples" aria-labelledby="triples-title" {
                h2 id="triples-title" { "Triples" }
                p.note { "A fair sample. Red is what differs between the page that is given and the one that is wanted." }
                @for subset in triples {
                    h3 { (subset.task.name()) " " span.quiet { (count(subset.rows)) " rows" } }
                    ul.triples { @for shown in &subset.cards { (card(shown)) } }
                }
            }
        }
    }
}

fn card(card: &TripleCard) -> Markup {
    html! {
        li.triple {
            p.instruction { bdi { (plain(&card.instruction)) } }
            div.sides { @for (name, picture) in &card.sides { (side(name, picture.as_ref())) } }
            @if let Some(rule) = &card.rule { p.quiet { "The answer that is not wanted was refused by " code { (plain(rule)) } "." } }
            p.quiet { (plain(&card.made_by)) " · " bdi dir="ltr" { (plain(&card.url)) } " · " code { (card.id) } }
        }
    }
}

fn side(name: &str, picture: Option<&Thumbnail>) -> Markup {
    html! {
        figure {
            @if let Some(picture) = picture {
                img src=(picture.url) width=(picture.width) height=(picture.height) loading="lazy" decoding="async"
                    alt=(format!("The page {name}"));
            }
            figcaption.quiet { (name) }
        }
    }
}
