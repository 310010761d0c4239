//! Where the elements of a rendered page stand in its code.

use item::Node;

/// Tags that browsers make where the code has none.
const IMPLIED: &[&str] = &["html", "head", "body", "tbody", "colgroup"];

/// Gives each element its byte range in the code: both lists are in document order, so they go in step as long as the
/// tags agree. An element that the parser made has no code, and the steps go on behind it. Where the parser has moved
/// elements, the steps part, and what follows gets no range rather than a wrong one.
pub fn place_in_code(nodes: &mut [Node], html: &str) {
    let mut elements = clean::element_ranges(html).into_iter().peekable();
    for node in nodes {
        let Some(element) = elements.peek() else { break };
        if node.tag.eq_ignore_ascii_case(&element.tag) {
            node.range = Some(element.range);
            elements.next();
        } else if !IMPLIED.contains(&node.tag.as_str()) {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use ::render::{Farm, FarmConfig, RenderOutcome, RenderPolicy, find_chrome};
    use clean::{CleanPolicy, NoAssets, clean, element_ranges};
    use ingest::{ArchiveReader, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
    use item::Verdict;

    use super::*;

    fn check(tags: &[&str], html: &str, expected: &[Option<&str>]) {
        let node = |tag: &&str| Node { tag: (*tag).to_owned(), ..Node::default() };
        let mut nodes: Vec<Node> = tags.iter().map(node).collect();
        place_in_code(&mut nodes, html);
        let slice = |node: &Node| node.range.map(|(start, end)| &html[start as usize..end as usize]);
        assert_eq!(nodes.iter().map(slice).collect::<Vec<_>>(), expected, "{html}");
    }

    #[test]
    fn boxes_find_their_code() {
        check(&["p", "b"], "<p>é <b>x</b></p>", &[Some("<p>é <b>x</b></p>"), Some("<b>x</b>")]);
        check(&["p", "i"], "<p><b>x</b></p>", &[Some("<p><b>x</b></p>"), None]);
        // The parser made `html`, `head`, `body` and `tbody`; it moved `b` before the table.
        check(&["html", "head", "body", "p"], "<p>a</p>", &[None, None, None, Some("<p>a</p>")]);
        check(
            &["table", "tbody", "tr"],
            "<table><tr></tr></table>",
            &[Some("<table><tr></tr></table>"), None, Some("<tr></tr>")],
        );
        check(&["b", "table"], "<table><b></b></table>", &[None, None]);
    }

    /// Real pages to look at, spread over the archives. All of them take a quarter of an hour in a debug build:
    /// `DATABUILD_CORPUS_PAGES=10000`.
    const PAGES: usize = 30;

    fn corpus() -> Option<PathBuf> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
        let folder = std::env::var_os("DATABUILD_CORPUS").map_or(beside, PathBuf::from);
        folder.is_dir().then_some(folder)
    }

    /// Pages of every archive of the corpus, cleaned.
    fn real_pages() -> Option<Vec<String>> {
        let wanted = std::env::var_os("DATABUILD_CORPUS_PAGES").and_then(|text| text.to_str()?.parse().ok());
        let wanted: usize = wanted.unwrap_or(PAGES);
        let folder = corpus()?.join("pages");
        let mut archives: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
        archives.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
        archives.sort();
        let mut pages = Vec::new();
        for archive in &archives {
            let archive = ArchiveReader::open(archive, Limits::default()).expect("opens");
            let captures = CaptureReader::new(archive, CapturePolicy::default());
            let captures = captures.filter_map(|outcome| match outcome.expect("reads") {
                CaptureOutcome::Capture(item) => Some(item),
                _ => None,
            });
            let step = if wanted > PAGES { 1 } else { 17 };
            let cleaned = captures.step_by(step).filter_map(|item| {
                match clean(&item.body, &item.head.provenance.url, &CleanPolicy::default(), &NoAssets) {
                    Verdict::Keep(kept) => Some(kept.body.html),
                    _ => None,
                }
            });
            pages.extend(cleaned.take(wanted.div_ceil(archives.len())));
        }
        Some(pages)
    }

    #[test]
    fn each_range_of_a_real_page_is_its_element() {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let (Some(pages), Ok(chrome)) = (real_pages(), find_chrome(None, &path)) else {
            println!("skipped: no corpus, or no Chrome");
            return;
        };
        let mut config = FarmConfig::new(chrome, 2);
        config.sandbox = false; // Tests run as root in containers.
        let farm = Farm::start(config).expect("starts");
        let (mut placed, mut all) = (0, 0);
        for html in &pages {
            // What counts are nodes, so little is painted.
            let policy = RenderPolicy { height_max: 720, ..RenderPolicy::accept_all() };
            let RenderOutcome::Rendered(page) = farm.render(html, &policy) else { continue };
            let mut nodes = page.nodes;
            place_in_code(&mut nodes, html);
            all += nodes.len();
            for (index, node) in nodes.iter().enumerate() {
                let Some((start, end)) = node.range else { continue };
                let slice = &html[start as usize..end as usize];
                let parsed = element_ranges(slice);
                let below = nodes[index + 1..]
                    .iter()
                    .take_while(|other| other.range.is_none_or(|(_, other_end)| other_end <= end));
                assert_eq!(parsed[0].range, (0, end - start), "{}: {slice:.99}", node.tag);
                assert!(parsed[0].tag.eq_ignore_ascii_case(&node.tag), "{}: {slice:.99}", node.tag);
                let below = below.filter(|other| other.range.is_some()).count();
                assert_eq!(parsed.len(), 1 + below, "{}: {slice:.99}", node.tag);
                placed += 1;
            }
        }
        println!("{placed} of {all} elements of {} pages have their range", pages.len());
        assert!(placed * 100 >= all * 99, "{placed} of {all}");
    }
}
