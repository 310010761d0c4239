//! ARIA roles: what an element says it is, else what its tag implies (the common part of HTML-AAM).

/// The role of an element; `None` for generic ones. `attribute` looks an attribute up by name.
pub(crate) fn role_of<'a>(tag: &str, attribute: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    // The first token counts; browsers fall back to later ones only for names they do not know.
    let explicit = attribute("role").and_then(|value| value.split_ascii_whitespace().next());
    match explicit {
        Some(role) => Some(role.to_ascii_lowercase()),
        None => implied(tag, attribute).map(str::to_owned),
    }
}

fn implied<'a>(tag: &str, attribute: impl Fn(&str) -> Option<&'a str>) -> Option<&'static str> {
    Some(match tag {
        "a" | "area" => return attribute("href").map(|_| "link"),
        "article" => "article",
        "aside" => "complementary",
        "blockquote" => "blockquote",
        "button" | "summary" => "button",
        "caption" | "figcaption" => "caption",
        "code" => "code",
        "datalist" => "listbox",
        "dd" => "definition",
        "del" | "s" => "deletion",
        "details" | "fieldset" | "hgroup" | "optgroup" | "address" => "group",
        "dfn" | "dt" => "term",
        "dialog" => "dialog",
        "em" => "emphasis",
        "figure" => "figure",
        "footer" => "contentinfo",
        "form" => "form",
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => "heading",
        "header" => "banner",
        "hr" => "separator",
        "html" => "document",
        "img" if attribute("alt") == Some("") => "presentation",
        "img" | "svg" => "img",
        "input" => {
            return input(&attribute("type").unwrap_or("text").to_ascii_lowercase(), attribute("list").is_some());
        }
        "ins" => "insertion",
        "li" => "listitem",
        "main" => "main",
        "math" => "math",
        "menu" | "ol" | "ul" => "list",
        "meter" => "meter",
        "nav" => "navigation",
        "option" => "option",
        "output" => "status",
        "p" => "paragraph",
        "progress" => "progressbar",
        "search" => "search",
        "section" => {
            let named = attribute("aria-label").or_else(|| attribute("aria-labelledby"));
            return named.map(|_| "region");
        }
        "select" if attribute("multiple").is_some() => "listbox",
        "select" => "combobox",
        "strong" => "strong",
        "sub" => "subscript",
        "sup" => "superscript",
        "table" => "table",
        "tbody" | "tfoot" | "thead" => "rowgroup",
        "td" => "cell",
        "textarea" => "textbox",
        "th" if attribute("scope") == Some("row") => "rowheader",
        "th" => "columnheader",
        "time" => "time",
        "tr" => "row",
        _ => return None,
    })
}

fn input(kind: &str, has_list: bool) -> Option<&'static str> {
    Some(match kind {
        "button" | "image" | "reset" | "submit" => "button",
        "checkbox" => "checkbox",
        "radio" => "radio",
        "range" => "slider",
        "number" => "spinbutton",
        "search" => "searchbox",
        // These have no role of their own.
        "hidden" | "color" | "date" | "datetime-local" | "file" | "month" | "password" | "time" | "week" => {
            return None;
        }
        _ if has_list => "combobox",
        _ => "textbox",
    })
}

#[cfg(test)]
mod tests {
    use super::role_of;

    #[test]
    fn roles_come_from_the_attribute_else_from_the_tag() {
        let check = |tag: &str, attributes: &[(&str, &'static str)], expected: Option<&str>| {
            let look_up = |name: &str| attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
            assert_eq!(role_of(tag, look_up).as_deref(), expected, "{tag} {attributes:?}");
        };
        check("div", &[], None);
        check("div", &[("role", "Button link")], Some("button"));
        check("div", &[("role", " ")], None);
        check("a", &[], None);
        check("a", &[("href", "#")], Some("link"));
        check("img", &[("alt", "")], Some("presentation"));
        check("img", &[], Some("img"));
        check("input", &[], Some("textbox"));
        check("input", &[("type", "CHECKBOX")], Some("checkbox"));
        check("input", &[("type", "hidden")], None);
        check("section", &[("aria-label", "News")], Some("region"));
        check("section", &[], None);
    }
}
