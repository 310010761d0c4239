//! The html5lib tree-construction suite, through our parser and our serialiser.
//!
//! Two questions per case: does our tree equal the suite's, and does writing and parsing that tree give it again? The
//! cases that cannot are those of the standard's own warning: trees that no markup describes.

use std::fmt::Write as _;
use std::path::PathBuf;

use html5ever::{LocalName, local_name, ns};

use crate::dom::{Caps, Dom, NodeData, NodeId, parse, serialize};

const CAPS: Caps = Caps { elements_max: usize::MAX, depth_max: usize::MAX };

struct Case {
    data: String,
    tree: String,
}

/// Cases for a whole document with scripting off.
fn cases(file: &str) -> Vec<Case> {
    let mut found = Vec::new();
    for block in format!("\n{file}").split("\n#data\n").skip(1) {
        let Some((data, rest)) = block.split_once("\n#errors").or_else(|| Some(("", block.strip_prefix("#errors")?)))
        else {
            continue;
        };
        let Some((flags, tree)) = rest.split_once("\n#document\n") else { continue };
        if flags.contains("#document-fragment") || flags.contains("#script-on") {
            continue;
        }
        found.push(Case { data: data.to_owned(), tree: without_doctype(tree.trim_end_matches('\n')) });
    }
    found
}

/// Of a doctype we keep the mode alone.
fn without_doctype(tree: &str) -> String {
    tree.lines().filter(|line| !line.starts_with("| <!DOCTYPE")).collect::<Vec<_>>().join("\n")
}

fn dump(dom: &Dom) -> String {
    let mut out = String::new();
    let mut stack: Vec<(NodeId, usize)> = children(dom, Dom::DOCUMENT, 0);
    while let Some((node, depth)) = stack.pop() {
        let indent = "  ".repeat(depth);
        match dom.data(node) {
            NodeData::Root => {
                let _ = writeln!(out, "| {indent}content");
            }
            NodeData::Text(text) => {
                let _ = writeln!(out, "| {indent}\"{text}\"");
            }
            NodeData::Comment(text) => {
                let _ = writeln!(out, "| {indent}<!-- {text} -->");
            }
            NodeData::Element(element) => {
                let space = match element.name.ns {
                    ns!(svg) => "svg ",
                    ns!(mathml) => "math ",
                    _ => "",
                };
                let _ = writeln!(out, "| {indent}<{space}{}>", element.name.local);
                let mut attributes: Vec<String> = element
                    .attributes
                    .iter()
                    .map(|a| {
                        let space = match a.name.ns {
                            ns!(xlink) => "xlink ",
                            ns!(xml) => "xml ",
                            ns!(xmlns) => "xmlns ",
                            _ => "",
                        };
                        format!("{space}{}=\"{}\"", a.name.local, a.value)
                    })
                    .collect();
                attributes.sort();
                for attribute in attributes {
                    let _ = writeln!(out, "| {indent}  {attribute}");
                }
                if let Some(contents) = dom.template_contents(node) {
                    stack.push((contents, depth + 1));
                    continue;
                }
            }
        }
        stack.extend(children(dom, node, depth + 1));
    }
    out.trim_end_matches('\n').to_owned()
}

fn children(dom: &Dom, node: NodeId, depth: usize) -> Vec<(NodeId, usize)> {
    let mut children: Vec<(NodeId, usize)> = dom.children(node).map(|child| (child, depth)).collect();
    children.reverse();
    children
}

#[test]
fn trees_are_the_standards_and_survive_writing() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let corpus = std::env::var_os("DATABUILD_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let Ok(folder) = std::fs::read_dir(corpus.join("suites/html5lib/tree-construction")) else {
        println!("skipped: there is no corpus at {}", corpus.display());
        return;
    };
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "dat"));
    paths.sort();
    let (mut total, mut parsed, mut written, mut regular, mut unmarked, mut settled) = (0, 0, 0, 0, 0, 0);
    for path in paths {
        let file = String::from_utf8_lossy(&std::fs::read(&path).expect("readable")).into_owned();
        for case in cases(&file) {
            total += 1;
            let dom = parse(&case.data, CAPS).expect("no caps");
            let tree = dump(&dom);
            if tree == case.tree {
                parsed += 1;
            } else {
                println!("other tree in {:?}:\n{}\n{tree}\n--- expected:\n{}", path.file_name(), case.data, case.tree);
            }
            // None of these reaches the serialiser in a real run.
            let has = |name: LocalName| dom.descendants(Dom::DOCUMENT).any(|node| dom.is(node, &name));
            if has(local_name!("template")) || has(local_name!("plaintext")) || has(local_name!("script")) {
                continue;
            }
            written += 1;
            let mut html = serialize(&dom);
            let again = parse(&html, CAPS).expect("no caps");
            if dump(&again) == tree {
                regular += 1;
                continue;
            }
            if !dom.may_not_round_trip {
                unmarked += 1;
                println!("does not survive, unmarked:\n{}\n{html}\n{}", case.data, serialize(&again));
            }
            let rounds = (0..6).find(|_| {
                let next = serialize(&parse(&html, CAPS).expect("no caps"));
                std::mem::replace(&mut html, next.clone()) == next
            });
            settled += usize::from(rounds.is_some());
        }
    }
    println!(
        "{total} cases, {parsed} trees as expected; {written} written: {regular} survive, {settled} settle, {unmarked} unmarked"
    );
    assert!(total > 1000, "only {total} cases were read");
    // html5ever leaves it to its user to copy the chosen option into `<selectedcontent>`, and we do not.
    assert_eq!(total - parsed, 4, "other trees than the suite's");
    assert_eq!(unmarked, 0, "trees that do not survive, and the parser did not say so");
    assert_eq!(regular + settled, written, "trees that never settle");
}
