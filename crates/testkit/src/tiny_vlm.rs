//! A vision-language model of random weights, for tests that talk to a real engine.
//!
//! Its answers are noise. What is real is everything around them: an engine such as llama.cpp's server loads it,
//! counts its tokens, keeps its answers to a schema, and answers differently where the picture differs.
//! The architecture is Qwen2-VL's, as small as engines take it. Nothing is trained except the tokenizer, on lines
//! of this file, and nothing is downloaded: the two files have the same bytes on every machine.
//!
//! `cargo run -p testkit --bin make-tiny-vlm -- FOLDER` writes them to try an engine by hand:
//!
//! ```text
//! .tools/llama-server/llama-server -m FOLDER/tiny-text.gguf --mmproj FOLDER/tiny-mmproj.gguf \
//!     --host 127.0.0.1 --port 8080 -c 65536 -np 4 --no-jinja
//! ```
//!
//! Without `--no-jinja` the server parses answers before it hands them on, and fails some of this noise (status 500).

mod bpe;
mod gguf;

use crate::seed::Seed;
use bpe::Bpe;
use gguf::{Gguf, Value};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The two files of a written model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TinyVlm {
    /// The language model.
    pub text: PathBuf,
    /// The vision tower with its projector (`--mmproj` of llama.cpp's programs).
    pub projector: PathBuf,
}

/// Writes `tiny-text.gguf` and `tiny-mmproj.gguf`, 0.88 MB together, into a folder that exists.
pub fn write(folder: &Path) -> io::Result<TinyVlm> {
    let model = TinyVlm { text: folder.join("tiny-text.gguf"), projector: folder.join("tiny-mmproj.gguf") };
    fs::write(&model.text, text_model())?;
    fs::write(&model.projector, projector())?;
    Ok(model)
}

/// How many tokens are made of others: HTML takes two thirds as many tokens as it has bytes.
const MERGES: usize = 192;

/// Special tokens come after the learned ones, in this order.
const END_OF_TEXT: &str = "<|endoftext|>";
const MESSAGE_END: &str = "<|im_end|>";
const SPECIAL_TOKENS: [&str; 6] =
    [END_OF_TEXT, "<|im_start|>", MESSAGE_END, "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"];
/// Types of tokens in GGUF files.
const TOKEN_NORMAL: i32 = 1;
const TOKEN_CONTROL: i32 = 3;

/// Wraps each message; engines that do not interpret templates recognize it by its marks.
const CHAT_TEMPLATE: &str = "\
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.content is string -%}{{- message.content -}}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'text' -%}{{- part.text -}}
{%- else -%}{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
";

/// What the tokenizer is trained on: words that pages and requests to change them are full of.
const TOKENIZER_TEXT: &str = r##"<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Harbour Cafe</title>
  <style>
    body { margin: 0; font-family: sans-serif; font-size: 16px; color: #333; background-color: #fff; }
    header { display: flex; justify-content: space-between; padding: 12px 24px; border-bottom: 1px solid #ddd; }
    .container { max-width: 960px; margin: 0 auto; padding: 24px; }
    .card { display: grid; gap: 16px; margin: 16px; padding: 16px; border: 1px solid #ddd; border-radius: 8px; }
    .button { color: #fff; background-color: #06c; border: 0; border-radius: 4px; line-height: 1.5; }
    footer { font-size: 12px; text-align: center; color: #666; background-color: #eee; }
  </style>
</head>
<body>
  <header>
    <h1>Harbour Cafe</h1>
    <nav><ul><li><a href="#menu">Menu</a></li><li><a href="#hours">Opening hours</a></li></ul></nav>
  </header>
  <main>
    <section class="container" id="menu">
      <h2 class="title">Menu</h2>
      <div class="card"><span class="label">Soup</span><span class="price">4.50</span></div>
      <div class="card"><span class="label">Bread</span><span class="price">3.20</span></div>
      <p>Fresh bread and soup, made in the morning.</p>
      <img src="bread.png" alt="Bread on the counter" width="320" height="200">
      <button class="button" type="button">Order now</button>
    </section>
    <section class="container" id="hours">
      <h2 class="title">Opening hours</h2>
      <table><tr><td>Monday</td><td>closed</td></tr><tr><td>Tuesday</td><td>8 to 16</td></tr></table>
      <form><label for="name">Name</label><input id="name" type="text"><button type="submit">Send</button></form>
    </section>
  </main>
  <footer><p>Follow us on the harbour wall.</p></footer>
</body>
</html>
{"instruction": "Make the header darker.", "target": "header", "property": "background-color", "value": "#333"}
{"instruction": "Move the image to the left of the text.", "target": "img", "property": "order", "value": "1"}
Write the instruction for the change between the two pictures: what was there before, and what is there after?
"##;

/// Width of the language model.
const WIDTH: u32 = 64;
const LAYERS: u32 = 2;
const HEADS: u32 = 2;
/// Heads of keys and values, which the heads share.
const SHARED_HEADS: u32 = 1;
const HEAD_WIDTH: u32 = WIDTH / HEADS;
const FEED_FORWARD_WIDTH: u32 = 2 * WIDTH;
/// Room for a page's code and three pictures.
const CONTEXT_TOKENS: u32 = 32_768;
/// How the pairs of a head's numbers are divided among time, row, column and nothing.
const ROTARY_SECTIONS: [i32; 4] = [8, 4, 4, 0];
const _: () = assert!(2 * (ROTARY_SECTIONS[0] + ROTARY_SECTIONS[1] + ROTARY_SECTIONS[2]) == HEAD_WIDTH as i32);

/// Width of the vision tower.
const VISION_WIDTH: u32 = 32;
const VISION_LAYERS: u32 = 2;
const VISION_HEADS: u32 = 2;
const VISION_FEED_FORWARD_WIDTH: u32 = 3 * VISION_WIDTH;
const PATCH_PX: u32 = 14;
/// Four patches, two by two, become one token: 28 by 28 pixels.
const MERGED_WIDTH: u32 = 4 * VISION_WIDTH;

/// Standard deviations of the weights. Narrow where it does not matter.
const NARROW: f32 = 0.08;
/// Attention is drawn wider, so that what it looks at, the picture, shows in the answer.
const ATTENTION: f32 = 0.3;
/// Tokens differ clearly from each other, going in and coming out.
const TOKEN_IN: f32 = 0.5;
const TOKEN_OUT: f32 = 0.3;
/// A patch is the sum of 588 numbers around one.
const PATCH: f32 = 0.03;
/// Pictures reach the language model about as loud as words.
const PROJECTED: f32 = 0.2;

fn text_model() -> Vec<u8> {
    let bpe = Bpe::train(TOKENIZER_TEXT, MERGES);
    let mut tokens = bpe.token_texts();
    let mut token_types = vec![TOKEN_NORMAL; tokens.len()];
    tokens.extend(SPECIAL_TOKENS.map(str::to_owned));
    token_types.resize(tokens.len(), TOKEN_CONTROL);
    let token_count = tokens.len() as u32;
    let id_of = |text: &str| tokens.iter().position(|token| token == text).expect("it is a special token") as u32;
    let (end_of_text, message_end) = (id_of(END_OF_TEXT), id_of(MESSAGE_END));

    let mut file = Gguf::default();
    file.set("general.architecture", "qwen2vl");
    file.set("general.name", "random weights, for tests");
    file.set("general.file_type", 0);
    file.set("qwen2vl.context_length", CONTEXT_TOKENS);
    file.set("qwen2vl.embedding_length", WIDTH);
    file.set("qwen2vl.block_count", LAYERS);
    file.set("qwen2vl.feed_forward_length", FEED_FORWARD_WIDTH);
    file.set("qwen2vl.attention.head_count", HEADS);
    file.set("qwen2vl.attention.head_count_kv", SHARED_HEADS);
    file.set("qwen2vl.attention.layer_norm_rms_epsilon", 1e-6);
    file.set("qwen2vl.rope.freq_base", 1e6);
    file.set("qwen2vl.rope.dimension_sections", Value::I32s(ROTARY_SECTIONS.to_vec()));
    file.set("tokenizer.ggml.model", "gpt2");
    file.set("tokenizer.ggml.pre", "qwen2");
    file.set("tokenizer.ggml.tokens", Value::Texts(tokens));
    file.set("tokenizer.ggml.token_type", Value::I32s(token_types));
    file.set("tokenizer.ggml.merges", Value::Texts(bpe.merge_texts()));
    file.set("tokenizer.ggml.bos_token_id", end_of_text);
    file.set("tokenizer.ggml.padding_token_id", end_of_text);
    file.set("tokenizer.ggml.eos_token_id", message_end);
    file.set("tokenizer.ggml.add_bos_token", false);
    file.set("tokenizer.chat_template", CHAT_TEMPLATE);

    weights(&mut file, "token_embd", [WIDTH, token_count], TOKEN_IN);
    weights(&mut file, "output", [WIDTH, token_count], TOKEN_OUT);
    scale(&mut file, "output_norm", WIDTH);
    for layer in 0..LAYERS {
        let name = |part: &str| format!("blk.{layer}.{part}");
        scale(&mut file, &name("attn_norm"), WIDTH);
        for (part, heads) in [("attn_q", HEADS), ("attn_k", SHARED_HEADS), ("attn_v", SHARED_HEADS)] {
            linear(&mut file, &name(part), [WIDTH, heads * HEAD_WIDTH], ATTENTION);
        }
        weights(&mut file, &name("attn_output"), [HEADS * HEAD_WIDTH, WIDTH], ATTENTION);
        scale(&mut file, &name("ffn_norm"), WIDTH);
        weights(&mut file, &name("ffn_gate"), [WIDTH, FEED_FORWARD_WIDTH], NARROW);
        weights(&mut file, &name("ffn_up"), [WIDTH, FEED_FORWARD_WIDTH], NARROW);
        weights(&mut file, &name("ffn_down"), [FEED_FORWARD_WIDTH, WIDTH], NARROW);
    }
    file.into_bytes()
}

fn projector() -> Vec<u8> {
    let mut file = Gguf::default();
    file.set("general.architecture", "clip");
    file.set("general.type", "mmproj");
    file.set("general.name", "random weights, for tests");
    file.set("general.file_type", 0);
    file.set("clip.has_vision_encoder", true);
    file.set("clip.projector_type", "qwen2vl_merger");
    file.set("clip.vision.image_size", 40 * PATCH_PX);
    file.set("clip.vision.patch_size", PATCH_PX);
    file.set("clip.vision.embedding_length", VISION_WIDTH);
    file.set("clip.vision.feed_forward_length", VISION_FEED_FORWARD_WIDTH);
    file.set("clip.vision.projection_dim", WIDTH);
    file.set("clip.vision.block_count", VISION_LAYERS);
    file.set("clip.vision.attention.head_count", VISION_HEADS);
    file.set("clip.vision.attention.layer_norm_epsilon", 1e-6);
    // Maps 0..1 to -1..1.
    file.set("clip.vision.image_mean", Value::F32s(vec![0.5; 3]));
    file.set("clip.vision.image_std", Value::F32s(vec![0.5; 3]));

    // One for each of the two frames that the architecture takes; a picture is both.
    for name in ["v.patch_embd.weight", "v.patch_embd.weight.1"] {
        random(&mut file, name, &[PATCH_PX, PATCH_PX, 3, VISION_WIDTH], PATCH);
    }
    normalization(&mut file, "v.post_ln", VISION_WIDTH);
    for layer in 0..VISION_LAYERS {
        let name = |part: &str| format!("v.blk.{layer}.{part}");
        normalization(&mut file, &name("ln1"), VISION_WIDTH);
        for part in ["attn_q", "attn_k", "attn_v", "attn_out"] {
            linear(&mut file, &name(part), [VISION_WIDTH, VISION_WIDTH], NARROW);
        }
        normalization(&mut file, &name("ln2"), VISION_WIDTH);
        linear(&mut file, &name("ffn_up"), [VISION_WIDTH, VISION_FEED_FORWARD_WIDTH], NARROW);
        linear(&mut file, &name("ffn_down"), [VISION_FEED_FORWARD_WIDTH, VISION_WIDTH], NARROW);
    }
    linear(&mut file, "mm.0", [MERGED_WIDTH, MERGED_WIDTH], NARROW);
    linear(&mut file, "mm.2", [MERGED_WIDTH, WIDTH], PROJECTED);
    file.into_bytes()
}

/// Weights and a bias of zero.
fn linear(file: &mut Gguf, name: &str, [from, to]: [u32; 2], deviation: f32) {
    weights(file, name, [from, to], deviation);
    constant(file, &format!("{name}.bias"), to, 0.0);
}

fn weights(file: &mut Gguf, name: &str, shape: [u32; 2], deviation: f32) {
    random(file, &format!("{name}.weight"), &shape, deviation);
}

/// A scale of one and a bias of zero.
fn normalization(file: &mut Gguf, name: &str, width: u32) {
    scale(file, name, width);
    constant(file, &format!("{name}.bias"), width, 0.0);
}

fn scale(file: &mut Gguf, name: &str, width: u32) {
    constant(file, &format!("{name}.weight"), width, 1.0);
}

fn constant(file: &mut Gguf, name: &str, width: u32, number: f32) {
    file.tensor(name, &[width], &vec![number; width as usize]);
}

/// Numbers around zero that follow from the tensor's name.
fn random(file: &mut Gguf, name: &str, shape: &[u32], deviation: f32) {
    let mut seed = Seed::of(name);
    let data: Vec<f32> = (0..shape.iter().product()).map(|_| deviation * bell(&mut seed)).collect();
    file.tensor(name, shape, &data);
}

/// Nearly normal, of standard deviation 1: four evenly spread numbers, added up as integers.
/// Logarithms and cosines, the usual way, do not promise the same bits on every machine.
fn bell(seed: &mut Seed) -> f32 {
    const PART: i32 = 1 << 16;
    const DEVIATION: f32 = 0.577_350_26 * PART as f32; // of a sum of four: the root of 4/12
    let bits = seed.next();
    let sum: i32 = [0, 16, 32, 48].map(|shift| (bits >> shift) as i32 & (PART - 1)).iter().sum();
    (sum - 2 * (PART - 1)) as f32 / DEVIATION
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::hex;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn bytes_are_the_same_everywhere() {
        // Where they are changed on purpose, so are the answers that tests of engines see.
        let digest = |file: Vec<u8>| hex(&Sha256::digest(file)[..8]);
        assert_eq!(digest(text_model()), "7471925c50539c86");
        assert_eq!(digest(projector()), "af3d100e21916984");
    }

    #[test]
    fn files_are_small_and_written_where_asked() {
        let folder = tempfile::tempdir().unwrap();
        let model = write(folder.path()).unwrap();
        assert_eq!(fs::read(&model.text).unwrap(), text_model());
        assert_eq!(fs::read(&model.projector).unwrap(), projector());
        let bytes = text_model().len() + projector().len();
        assert!((800_000..1_000_000).contains(&bytes), "{bytes} bytes");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn text_model_is_whole() {
        let found = gguf::tests::read(&text_model());
        assert_eq!(found.tensors.len(), 3 + LAYERS as usize * 12);
        let token_count = found.keys["tokenizer.ggml.token_type"].len() / 4;
        assert_eq!(found.tensors["output.weight"].len(), WIDTH as usize * token_count);
        assert_eq!(found.keys["tokenizer.ggml.eos_token_id"], (token_count as u32 - 4).to_le_bytes());
    }

    #[test]
    fn projector_is_whole() {
        let found = gguf::tests::read(&projector());
        assert_eq!(found.tensors.len(), 2 + 2 + VISION_LAYERS as usize * 16 + 4);
        assert_eq!(found.tensors["mm.2.bias"].len(), WIDTH as usize);
    }

    #[test]
    fn weights_are_spread_as_asked() {
        let found = gguf::tests::read(&text_model());
        let weights = &found.tensors["token_embd.weight"];
        let mean_of = |numbers: &mut dyn Iterator<Item = f32>| numbers.sum::<f32>() / weights.len() as f32;
        let mean = mean_of(&mut weights.iter().copied());
        let deviation = mean_of(&mut weights.iter().map(|weight| weight * weight)).sqrt();
        assert!(mean.abs() < 0.02 && (deviation - TOKEN_IN).abs() < 0.02, "{mean} {deviation}");
    }
}
