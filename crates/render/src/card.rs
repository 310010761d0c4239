//! A test card: a page whose pixels and boxes are known, rendered through the farm like any other.
//!
//! It shows what a wrong flag or a missing font does to a screenshot, in words that name the cause.

use std::fmt::Write as _;

use image::RgbImage;
use item::Viewport;
use thiserror::Error;

use crate::farm::Farm;
use crate::policy::{RenderOutcome, RenderPolicy, Rendered};

/// Two letters of each script that sample pages are written in. A font that lacks the script draws both as the same box.
const SCRIPTS: &[(&str, char, char)] = &[
    ("Latin", 'a', 'g'),
    ("Greek", 'λ', 'ω'),
    ("Cyrillic", 'ж', 'ф'),
    ("Arabic", 'ع', 'ق'),
    ("Hebrew", 'ש', 'מ'),
    ("Hindi", 'क', 'म'),
    ("Thai", 'ก', 'ท'),
    ("Japanese", 'あ', 'ね'),
    ("Chinese", '中', '国'),
    ("Korean", '한', '글'),
    ("emoji", '😀', '🚗'),
];

const WIDTH: u32 = 400;
/// Top of the first letter, and the side of the square that each has for itself.
const LETTERS_TOP: u32 = 200;
const LETTER_PX: u32 = 40;
/// Taller than the viewport, so that a scroll bar would show.
const HEIGHT: u32 = 1_000;

const HEAD: &str = "<!doctype html><html><head><style>
    @keyframes end { from { background: #f00 } to { background: #00f } }
    body { margin: 0; height: 1000px; background: #f4f4f4; font: 20px sans-serif }
    div, p, i, b, code { position: absolute; margin: 0; font-style: normal; font-weight: normal; background: #fff }
    #green { width: 200px; height: 100px; background: #0a7d34 }
    #late { left: 200px; width: 100px; height: 100px; animation: end 60s forwards }
    #dark { left: 300px; width: 100px; height: 100px; background: #fff }
    @media (prefers-color-scheme: dark) { #dark { background: #000 } }
    #words { top: 110px; width: 400px; height: 30px; color: #000 }
    code { top: 150px; font: 20px monospace }
    b { width: 40px; height: 40px; line-height: 40px; font-size: 24px; overflow: hidden; text-align: center }
    </style></head><body><div id=green></div><div id=late></div><div id=dark></div><p id=words>Hamburgefonstiv</p>
    <code>iiiiii</code><code style='top: 175px'>WWWWWW</code>
    <script>document.body.style.background = '#f00'</script>";

/// Something on the card is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CardFault {
    /// It was not rendered at all.
    #[error("the test card was not rendered: {0}")]
    NotRendered(String),
    /// Colours are not those of the style sheet.
    #[error("a green of #0a7d34 came out as {0}: colours are converted")]
    Colour(String),
    /// Edges of letters have colours.
    #[error("letters have coloured edges: subpixel text is on")]
    SubpixelText,
    /// A scroll bar takes room.
    #[error("a scroll bar takes room at the right edge")]
    ScrollBar,
    /// Scripts of the page ran.
    #[error("the page's script ran")]
    ScriptRan,
    /// An animation was not at its end.
    #[error("an animation was not brought to its end")]
    Animation,
    /// Media queries see another colour scheme than the light one.
    #[error("media queries see a dark colour scheme")]
    DarkScheme,
    /// No text at all.
    #[error("no letter was drawn: there is no usable font")]
    NoText,
    /// The monospace family is none.
    #[error("`monospace` is no font of one width: i and W are {0} and {1} px wide")]
    Monospace(u32, u32),
}

impl CardFault {
    /// What makes it so, and what to do.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NotRendered(_) => {
                "look at what the browser said; `chrome --version` and a browser from your packages tell more"
            }
            Self::Colour(_) => {
                "`--force-color-profile=srgb` has no effect: a wrapper script or policy sets another colour profile"
            }
            Self::SubpixelText => {
                "`--disable-lcd-text` has no effect: take the browser's binary itself, not a wrapper script that adds flags"
            }
            Self::ScrollBar => "`--hide-scrollbars` has no effect: take chromium-headless-shell",
            Self::ScriptRan => {
                "the browser runs scripts against `Emulation.setScriptExecutionDisabled`: take another build"
            }
            Self::Animation => "the browser does not let animations end: it is older than what was tried, version 156",
            Self::DarkScheme => {
                "`--force-dark-mode` or a policy is set: take the browser's binary itself, not a wrapper script"
            }
            Self::NoText => "install fonts, on Debian: apt-get install fontconfig fonts-liberation",
            Self::Monospace(..) => "install a font of one width, on Debian: apt-get install fonts-liberation",
        }
    }
}

/// What the card showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardReport {
    /// Faults; none on a good machine.
    pub faults: Vec<CardFault>,
    /// Scripts whose letters are drawn as empty boxes, or not at all.
    pub missing_scripts: Vec<&'static str>,
    /// Scripts that the card tries.
    pub scripts: usize,
}

/// Renders the card and looks at it.
pub fn render_card(farm: &Farm) -> CardReport {
    let viewport = Viewport { width: WIDTH, height: 300, device_scale_factor: 1.0 };
    let policy = RenderPolicy { viewport, ..RenderPolicy::accept_all() };
    let failed = |reason: String| CardReport { faults: vec![CardFault::NotRendered(reason)], ..CardReport::default() };
    let rendered = match farm.render(&card(), &policy) {
        RenderOutcome::Rendered(rendered) => rendered,
        RenderOutcome::Refused(rejection) => return failed(rejection.detail),
        RenderOutcome::Failed(failure) => return failed(failure.message),
    };
    match image::load_from_memory_with_format(&rendered.screenshot, image::ImageFormat::Png) {
        Ok(picture) => examine(&picture.into_rgb8(), &rendered),
        Err(error) => failed(error.to_string()),
    }
}

fn card() -> String {
    let mut html = HEAD.to_owned();
    for (index, (_, one, other)) in SCRIPTS.iter().enumerate() {
        let top = LETTERS_TOP + LETTER_PX * index as u32;
        for (letter, left) in [(one, 0), (other, LETTER_PX)] {
            write!(html, "<b style='top:{top}px;left:{left}px'>{letter}</b>").expect("writing to a string");
        }
    }
    html
}

fn examine(picture: &RgbImage, rendered: &Rendered) -> CardReport {
    let mut report = CardReport { scripts: SCRIPTS.len(), ..CardReport::default() };
    if picture.dimensions() != (WIDTH, HEIGHT) {
        let size = format!("it is {:?} px large", picture.dimensions());
        report.faults.push(CardFault::NotRendered(size));
        return report;
    }
    let at = |x: u32, y: u32| picture.get_pixel(x, y).0;
    let mut fault = |bad: bool, fault: CardFault| {
        if bad {
            report.faults.push(fault);
        }
    };
    let [red, green, blue] = at(190, 90);
    fault([red, green, blue] != [0x0a, 0x7d, 0x34], CardFault::Colour(format!("#{red:02x}{green:02x}{blue:02x}")));
    fault(at(250, 50) != [0, 0, 0xff], CardFault::Animation);
    fault(at(350, 50) != [0xff; 3], CardFault::DarkScheme);
    let ground = at(WIDTH / 2, HEIGHT - 10);
    fault(ground == [0xff, 0, 0], CardFault::ScriptRan);
    let body = rendered.nodes.iter().find(|node| node.tag == "body").map(|node| node.rect.width.round() as u32);
    fault(body.is_some_and(|width| width != WIDTH), CardFault::ScrollBar);
    let words: Vec<[u8; 3]> = square(picture, 0, 110, WIDTH, 30);
    fault(words.iter().all(|pixel| *pixel == [0xff; 3]), CardFault::NoText);
    fault(words.iter().any(|[r, g, b]| r != g || g != b), CardFault::SubpixelText);
    let widths: Vec<u32> =
        rendered.nodes.iter().filter(|node| node.tag == "code").map(|node| node.rect.width.round() as u32).collect();
    if let &[narrow, wide] = widths.as_slice() {
        fault(narrow != wide, CardFault::Monospace(narrow, wide));
    }
    for (index, (script, ..)) in SCRIPTS.iter().enumerate() {
        let top = LETTERS_TOP + LETTER_PX * index as u32;
        if square(picture, 0, top, LETTER_PX, LETTER_PX) == square(picture, LETTER_PX, top, LETTER_PX, LETTER_PX) {
            report.missing_scripts.push(script);
        }
    }
    report
}

fn square(picture: &RgbImage, left: u32, top: u32, width: u32, height: u32) -> Vec<[u8; 3]> {
    let row = |y: u32| (left..left + width).map(move |x| picture.get_pixel(x, y).0);
    (top..top + height).flat_map(row).collect()
}
