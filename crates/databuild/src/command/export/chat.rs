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
    /// Of a preference: the answer that is not wanted.
    pub(super) worse: Option<String>,
}

/// Code as models write it.
pub(super) fn fenced(html: &str) -> String {
    format!("```html\n{}\n```", html.trim_end())
}

/// One line of the list.
pub(super) fn line(format: ChatFormat, id: &str, turn: &Turn) -> Value {
    let pictures: Vec<&str> = turn.ask.iter().filter_map(picture).collect();
    let mut line = match format {
        ChatFormat::Openai => return openai_line(id, turn),
        ChatFormat::Sharegpt => json!({ "id": id, "images": pictures }),
        ChatFormat::Llava => {
            // One picture stands alone, several are a list: what LLaVA's loaders take.
            let image = if let [only] = pictures[..] { json!(only) } else { json!(pictures) };
            json!({ "id": id, "image": image })
        }
    };
    let says = |words: &str| json!({ "from": "gpt", "value": words });
    let mut conversation = vec![json!({ "from": "human", "value": question(turn) })];
    match &turn.worse {
        None => conversation.push(says(&turn.answer)),
        // As LLaMA-Factory reads pairs.
        Some(worse) => {
            line["chosen"] = says(&turn.answer);
            line["rejected"] = says(worse);
        }
    }
    line["conversations"] = json!(conversation);
    line
}

/// A fine-tuning example of OpenAI's form, or a pair of its preference form.
fn openai_line(id: &str, turn: &Turn) -> Value {
    let content: Vec<Value> = turn.ask.iter().map(openai_part).collect();
    let user = json!({ "role": "user", "content": content });
    let assistant = |words: &str| json!({ "role": "assistant", "content": words });
    match &turn.worse {
        None => json!({ "id": id, "messages": [user, assistant(&turn.answer)] }),
        Some(worse) => json!({
            "id": id,
            "input": { "messages": [user] },
            "preferred_output": [assistant(&turn.answer)],
            "non_preferred_output": [assistant(worse)],
        }),
    }
}

fn picture(part: &Part) -> Option<&str> {
    match part {
        Part::Picture(path) => Some(path),
        Part::Text(_) => None,
    }
}

/// Pictures stand in the text as `<image>`, in their order; text of a page that says so must not count as one.
fn question(turn: &Turn) -> String {
    let text = |part: &Part| match part {
        Part::Picture(_) => "<image>".to_owned(),
        Part::Text(text) => text.replace("<image>", "<image >"),
    };
    turn.ask.iter().map(text).collect::<Vec<_>>().join("\n")
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
        let turn = Turn { ask, answer: "done".to_owned(), worse: None };
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

    #[test]
    fn pairs_in_every_form() {
        let (ask, worse) = (vec![Part::Text("do it".to_owned())], Some("botched".to_owned()));
        let turn = Turn { ask, answer: "done".to_owned(), worse };
        let (chosen, rejected) =
            (json!({ "from": "gpt", "value": "done" }), json!({ "from": "gpt", "value": "botched" }));
        let talk = json!([{ "from": "human", "value": "do it" }]);
        let sharegpt =
            json!({ "id": "7", "images": [], "conversations": talk, "chosen": chosen, "rejected": rejected });
        assert_eq!(line(ChatFormat::Sharegpt, "7", &turn), sharegpt);
        let assistant = |words: &str| json!([{ "role": "assistant", "content": words }]);
        let content = json!([{ "type": "text", "text": "do it" }]);
        let openai = json!({
            "id": "7",
            "input": { "messages": [{ "role": "user", "content": content }] },
            "preferred_output": assistant("done"),
            "non_preferred_output": assistant("botched"),
        });
        assert_eq!(line(ChatFormat::Openai, "7", &turn), openai);
    }
}
