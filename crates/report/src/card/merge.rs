//! Our parts and the user's in one file.

use super::Block;

const BEGIN: &str = "<!-- databuild:begin ";
const END: &str = "<!-- databuild:end -->";
const MARK_END: &str = " -->";

/// The card: header, title, blocks. Of `old`, foreign keys of the header and everything outside of our marks is kept; a block
/// that it has stays where it is, and those that it lacks follow at the end.
pub(super) fn merged(header: &[(&'static str, String)], title: &str, blocks: &[Block], old: Option<&str>) -> String {
    let (old_header, old_body) = old.map_or((None, None), |old| {
        let (header, body) = split(old);
        (header, Some(body))
    });
    let mut text = String::from("---\n");
    for (key, value) in header {
        text.push_str(key);
        text.push(':');
        text.push_str(value);
    }
    let foreign = old_header.map(entries).unwrap_or_default();
    for entry in foreign.iter().filter(|entry| !header.iter().any(|(key, _)| *key == key_of(entry))) {
        text.push_str(entry);
    }
    text.push_str("---\n");
    let (mut body, present) = match old_body {
        None => (format!("\n# {title}\n"), Vec::new()),
        Some(old) => renewed(old, blocks),
    };
    for block in blocks.iter().filter(|block| !present.contains(&block.name)) {
        if !body.ends_with("\n\n") {
            body.push('\n');
        }
        body.push_str(&marked(block));
        body.push('\n');
    }
    text.push_str(&body);
    text
}

fn marked(block: &Block) -> String {
    format!("{BEGIN}{}{MARK_END}\n{}\n{END}", block.name, block.text.trim_end())
}

/// The YAML header, if there is one, and what follows.
fn split(text: &str) -> (Option<&str>, &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(rest) = text.strip_prefix("---\n") else { return (None, text) };
    if let Some(body) = rest.strip_prefix("---\n") {
        return (None, body);
    }
    match rest.split_once("\n---\n") {
        Some((header, body)) => (Some(header), body),
        None => (None, text),
    }
}

/// The entries of a header: a line that begins one, with the lines that belong to it.
fn entries(header: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in header.lines() {
        let begins = line.starts_with(|char: char| !char.is_whitespace() && char != '-' && char != '#');
        match entries.last_mut().filter(|_| !begins) {
            Some(entry) => entry.push_str(line),
            None => entries.push(line.to_owned()),
        }
        if let Some(entry) = entries.last_mut() {
            entry.push('\n');
        }
    }
    entries
}

fn key_of(entry: &str) -> &str {
    entry.split(':').next().unwrap_or_default().trim_matches(['"', '\'', ' '])
}

/// The body with our blocks made new, and the names of those that it had. A block that exists no more is removed; a
/// mark without an end is taken for the user's words.
fn renewed(old: &str, blocks: &[Block]) -> (String, Vec<&'static str>) {
    let (mut body, mut present) = (String::new(), Vec::new());
    let mut rest = old;
    while let Some(start) = rest.find(BEGIN) {
        let marked_text = &rest[start..];
        let Some(end) = marked_text.find(END) else { break };
        let name = marked_text[BEGIN.len()..].split(MARK_END).next().unwrap_or_default();
        body.push_str(&rest[..start]);
        if let Some(block) = blocks.iter().find(|block| block.name == name && !present.contains(&block.name)) {
            body.push_str(&marked(block));
            present.push(block.name);
        }
        rest = &marked_text[end + END.len()..];
    }
    body.push_str(rest);
    (body, present)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<Block> {
        vec![Block { name: "one", text: format!("one {text}\n") }, Block { name: "two", text: format!("two {text}\n") }]
    }

    fn card(text: &str, old: Option<&str>) -> String {
        let header = [("license", " \"mit\"\n".to_owned()), ("tags", "\n- \"a\"\n".to_owned())];
        merged(&header, "Title", &blocks(text), old)
    }

    #[test]
    fn a_new_card_has_everything() {
        let expected = "---\nlicense: \"mit\"\ntags:\n- \"a\"\n---\n\n# Title\n\n\
            <!-- databuild:begin one -->\none x\n<!-- databuild:end -->\n\n\
            <!-- databuild:begin two -->\ntwo x\n<!-- databuild:end -->\n";
        assert_eq!(card("x", None), expected);
    }

    #[test]
    fn making_it_again_changes_nothing() {
        let once = card("x", None);
        assert_eq!(card("x", Some(&once)), once);
    }

    #[test]
    fn what_the_user_wrote_stays() {
        let made = card("x", None);
        let edited = made
            .replace("# Title", "# My title\n\nMy words.")
            .replace("<!-- databuild:begin two", "More of mine.\n\n<!-- databuild:begin two")
            .replace("---\n\n", "viewer: false\nextra_gated_fields:\n  Name: text\n---\n\n");
        let again = card("y", Some(&edited));
        assert_eq!(again, edited.replace("one x", "one y").replace("two x", "two y"));
    }

    #[test]
    fn a_card_of_somebody_else_is_kept_whole() {
        let check = |old: &str, begin: &str| {
            let text = card("x", Some(old));
            assert!(text.starts_with(begin), "{text}");
            assert!(text.ends_with("<!-- databuild:end -->\n"), "{text}");
        };
        let ours = "---\nlicense: \"mit\"\ntags:\n- \"a\"\n";
        check("Just words.\n", &format!("{ours}---\nJust words.\n\n<!-- databuild:begin one"));
        check(
            "---\nlicense: x\ntags:\n- b\n- c\nown:\n- d\n---\nWords",
            &format!("{ours}own:\n- d\n---\nWords\n<!-- "),
        );
        check("", &format!("{ours}---\n\n<!-- "));
        check(
            "<!-- databuild:begin one -->\nno end",
            &format!("{ours}---\n<!-- databuild:begin one -->\nno end\n<!-- "),
        );
    }

    #[test]
    fn blocks_that_exist_no_more_go() {
        let old = "a\n<!-- databuild:begin gone -->\nx\n<!-- databuild:end -->\nb\n";
        assert!(card("x", Some(old)).contains("---\na\n\nb\n\n<!-- databuild:begin one"));
    }
}
