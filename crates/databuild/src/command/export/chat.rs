//! The forms of a conversation with pictures.

use serde_json::{Value, json};

use crate::cli::ChatFormat;

/// A part of what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Words.
    Text(String),
    /// The path of a picture, relative to the list.
    Picture(String),
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) ask: Vec<Part>,
    pub(super) answer: String,
}

/// Code as models write it.
pub(super) fn fenced(html: &str) -> String {
    format!("```html\n{}\n```", html.trim_end())
}

/// One line of the list.
pub(super) fn line(format: ChatFormat, id: &str, turn: &Turn) -> Value {
    let pictures: Vec<&str> = turn.ask.iter().filter_map(picture).collect();
    match format {
        ChatFormat::Openai => {
            let content: Vec<Value> = turn.ask.iter().map(openai_part).collect();
            json!({ "id": id, "messages": [
                { "role": "user", "content": content },
                { "role": "assistant", "content": turn.answer },
            ] })
        }
        ChatFormat::Sharegpt => {
            json!({ "id": id, "images": pictures, "conversations": conversation(turn) })
        }
        ChatFormat::Llava => {
            // One picture stands alone, several are a list: what LLaVA's loaders take.
            let image = if let [only] = pictures[..] { json!(only) } else { json!(pictures) };
            json!({ "id": id, "image": image, "conversations": conversation(turn) })
        }
    }
}

fn picture(part: &Part) -> Option<&str> {
    match part {
        Part::Picture(path) => Some(path),
        Part::Text(_) => None,
    }
}

/// Pictures stand in the text as `<image>`, in their order; text of a page that says so must not count as one.
fn conversation(turn: &Turn) -> Value {
    let text = |part: &Part| match part {
        Part::Picture(_) => "<image>".to_owned(),
        Part::Text(text) => text.replace("<image>", "<image >"),
    };
    let ask: Vec<String> = turn.ask.iter().map(text).collect();
    json!([{ "from": "human", "value": ask.join("\n") }, { "from": "gpt", "value": turn.answer }])
}

fn openai_part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({ "type": "text", "text": text }),
        Part::Picture(path) => json!({ "type": "image_url", "image_url": { "url": path } }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: ChatFormat, pictures: usize, expected: &Value) {
        let mut ask: Vec<Part> = (0..pictures).map(|number| Part::Picture(format!("images/{number}.png"))).collect();
        ask.push(Part::Text("make it <image> blue".to_owned()));
        let turn = Turn { ask, answer: "done".to_owned() };
        assert_eq!(&line(format, "7", &turn), expected);
    }

    #[test]
    fn every_form() {
        let talk = |ask: &str| json!([{ "from": "human", "value": ask }, { "from": "gpt", "value": "done" }]);
        let one = talk("<image>\nmake it <image > blue");
        let two = talk("<image>\n<image>\nmake it <image > blue");
        check(ChatFormat::Sharegpt, 1, &json!({ "id": "7", "images": ["images/0.png"], "conversations": one }));
        check(ChatFormat::Llava, 1, &json!({ "id": "7", "image": "images/0.png", "conversations": one }));
        let list = json!({ "id": "7", "image": ["images/0.png", "images/1.png"], "conversations": two });
        check(ChatFormat::Llava, 2, &list);
        let content = json!([
            { "type": "image_url", "image_url": { "url": "images/0.png" } },
            { "type": "text", "text": "make it <image> blue" },
        ]);
        let messages = json!([{ "role": "user", "content": content }, { "role": "assistant", "content": "done" }]);
        check(ChatFormat::Openai, 1, &json!({ "id": "7", "messages": messages }));
    }
}
