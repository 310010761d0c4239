//! What a page is that is no content of its own: a shell that waits for its script, an error under status 200, a parked
//! domain, a robot check, a list of files, a login, a question about cookies.
//!
//! Only short pages are looked at: a long page that speaks of captchas is an article. A shell is known by what stands in
//! the page as captured, all others by the cleaned page, so that a cleaned page is judged the same again.

use html5ever::local_name;
use item::Rule;
use serde::{Deserialize, Serialize};

use super::Counts;
use crate::dom::{Dom, Element, NodeId};
use crate::rule;

/// Most characters of visible text of a page that is judged by its phrases: these pages say one thing.
const PHRASE_TEXT_CHARS_MAX: usize = 2_500;

/// Most characters of visible text of a page that is judged by its title. Error pages come in the frame of their site,
/// whose menus say a lot.
const TITLE_TEXT_CHARS_MAX: usize = 6_000;

/// Most characters that an application shell shows: a sentence on scripts, a footer, a cookie line.
const SHELL_TEXT_CHARS_MAX: usize = 400;
/// Most characters of a page that is a shell by its scripts alone: its name, and that it loads.
const SCRIPTED_TEXT_CHARS_MAX: usize = 200;
/// Fewest scripts of such a page.
const SCRIPTS_MIN: usize = 3;
/// Fewest places that a script should have filled: `{{title}}`.
const UNFILLED_MIN: usize = 5;

/// Most characters, links and fields beside the one for a password of a page that is there to log in at. A shop's menu
/// has more links, a registration more fields.
const LOGIN_TEXT_CHARS_MAX: usize = 1_200;
/// See [`LOGIN_TEXT_CHARS_MAX`].
const LOGIN_LINKS_MAX: usize = 30;
/// See [`LOGIN_TEXT_CHARS_MAX`].
const LOGIN_FIELDS_MAX: usize = 2;

/// What a page is, where it is not content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageKind {
    /// A script fills it.
    AppShell,
    /// An error under status 200.
    ErrorPage,
    /// A placeholder of a registrar.
    ParkedDomain,
    /// A test that the reader is no robot.
    RobotCheck,
    /// A server's list of files.
    DirectoryListing,
    /// A form to log in with, and little else.
    LoginWall,
    /// A question about cookies in place of the page.
    ConsentWall,
}

impl PageKind {
    /// All kinds, in the order in which they are tried.
    pub const ALL: [Self; 7] = [
        Self::AppShell,
        Self::DirectoryListing,
        Self::RobotCheck,
        Self::ParkedDomain,
        Self::ErrorPage,
        Self::ConsentWall,
        Self::LoginWall,
    ];

    /// The rule that such pages are rejected by; its name is the kind's.
    pub const fn rule(self) -> Rule {
        match self {
            Self::AppShell => rule::APP_SHELL,
            Self::ErrorPage => rule::ERROR_PAGE,
            Self::ParkedDomain => rule::PARKED_DOMAIN,
            Self::RobotCheck => rule::ROBOT_CHECK,
            Self::DirectoryListing => rule::DIRECTORY_LISTING,
            Self::LoginWall => rule::LOGIN_WALL,
            Self::ConsentWall => rule::CONSENT_WALL,
        }
    }
}

/// Ids of the elements that the usual frameworks fill.
const ROOT_IDS: &[&str] =
    &["___gatsby", "__layout", "__next", "__nuxt", "app", "app-root", "application", "main-app", "react-root", "root"];

/// What the page as captured expects of scripts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scripted {
    scripts: usize,
    /// The element that a framework fills is empty.
    has_empty_root: bool,
}

impl Scripted {
    pub(crate) fn of(dom: &Dom) -> Self {
        let mut scripted = Self::default();
        for node in dom.descendants(Dom::DOCUMENT) {
            let Some(element) = dom.element(node).filter(|element| element.is_html()) else { continue };
            scripted.scripts += usize::from(element.name.local == local_name!("script"));
            scripted.has_empty_root |= is_root(element) && shows_nothing(dom, node);
        }
        scripted
    }

    /// Whether a page that shows so much waits for its scripts.
    pub(crate) fn is_shell(self, counts: &Counts) -> bool {
        let is_empty_root = self.scripts > 0 && self.has_empty_root && counts.text_chars <= SHELL_TEXT_CHARS_MAX;
        let is_bare = counts.images == 0 && counts.others_seen == 0 && counts.text_chars <= SCRIPTED_TEXT_CHARS_MAX;
        is_empty_root || (is_bare && self.scripts >= SCRIPTS_MIN)
    }
}

fn is_root(element: &Element) -> bool {
    let by_id = element.get("id").is_some_and(|id| ROOT_IDS.binary_search(&id).is_ok());
    by_id || &*element.name.local == "app-root" || element.has("ng-app") || element.has("data-reactroot")
}

/// No text, no picture and no control below, scripts and styles aside.
fn shows_nothing(dom: &Dom, root: NodeId) -> bool {
    let mut next = dom.following(root, root, false);
    while let Some(node) = next {
        let mut is_skipped = false;
        if let Some(element) = dom.element(node) {
            let is = |names: &[&str]| names.contains(&&*element.name.local);
            is_skipped = is(&["script", "style", "noscript", "template"]);
            if is(&["img", "svg", "input", "button", "textarea", "select", "video", "iframe"]) {
                return false;
            }
        } else if dom.text(node).is_some_and(|text| !text.trim().is_empty()) {
            return false;
        }
        next = dom.following(node, root, is_skipped);
    }
    true
}

/// Titles and phrases, lower case, that no page of another kind has as its title or in its few words.
struct Words {
    kind: PageKind,
    /// Beginnings of titles, or of a part of one: `Shop | Not found`.
    titles: &'static [&'static str],
    /// Parts of titles.
    in_title: &'static [&'static str],
    /// Parts of the text.
    phrases: &'static [&'static str],
}

const WORDS: &[Words] = &[
    Words {
        kind: PageKind::RobotCheck,
        titles: &[
            "are you a robot",
            "checking your browser",
            "attention required! | cloudflare",
            "ddos gateway",
            "ddos protection",
            "just a moment...",
            "pardon our interruption",
            "robot check",
            "security check",
        ],
        in_title: &["captcha"],
        phrases: &[
            "checking your browser before accessing",
            "checking if the site connection is secure",
            "complete the security check",
            "confirm you are human",
            "anti-ddos filter",
            "confirm you're not a robot",
            "enter the characters you see below",
            "needs to review the security of your connection",
            "please enable js and disable any ad blocker",
            "pressing and holding the button",
            "prove you are human",
            "prove you're not a robot",
            "unusual traffic from your",
            "verify you are human",
            "verifying you are human",
        ],
    },
    Words {
        kind: PageKind::ParkedDomain,
        titles: &["domain parked", "parked domain"],
        in_title: &["domain for sale", "domain is for sale", "domain zu verkaufen"],
        phrases: &[
            "buy this domain",
            "domain has been registered and parked",
            "domain is for sale",
            "domain is parked",
            "domain may be for sale",
            "domain name is for sale",
            "domain steht zum verkauf",
            "domain wurde geparkt",
            "parked free, courtesy of",
            "this domain has expired",
            "this web page is parked",
        ],
    },
    Words {
        kind: PageKind::ErrorPage,
        titles: &[
            "403 forbidden",
            "500 internal",
            "502 bad gateway",
            "503 service",
            "access denied",
            "bad gateway",
            "erreur 404",
            "internal server error",
            "not found",
            "page not found",
            "service unavailable",
            "site not found",
        ],
        in_title: &[
            "404 -",
            "404 error",
            "404 not found",
            "404 page",
            "404:",
            "error 403",
            "error 404",
            "error 500",
            "error 503",
            "error 404",
            "fehler 404",
            "page does not exist",
            "błąd 404",
            "nicht gefunden",
            "nie znaleziono",
            "no encontrada",
            "não encontrada",
            "page introuvable",
            "page not found",
            "pagina non trovata",
            "pagina niet gevonden",
            "страница не найдена",
            "ページが見つかりません",
            "地址不存在",
            "页面不存在",
            "页面未找到",
        ],
        phrases: &[
            "404 not found",
            "error establishing a database connection",
            "error 404",
            "the page you are looking for could not be found",
            "the page you requested could not be found",
            "the requested url was not found on this server",
            "there has been a critical error on this website",
        ],
    },
    Words {
        kind: PageKind::ConsentWall,
        titles: &["before you continue"],
        in_title: &["cookie consent", "your privacy choices"],
        phrases: &["before you continue to", "before you can continue, we need your consent"],
    },
];

/// Parts of titles that say it all.
const ERROR_TITLES: &[&str] = &["404", "error", "errore", "erreur", "fehler", "forbidden", "oops", "oops!", "ошибка"];

/// What short pages say that can't do without scripts.
const SHELL_PHRASES: &[&str] = &[
    "enable javascript",
    "javascript is disabled",
    "javascript is required",
    "requires a browser that can handle javascript",
    "requires javascript",
];

/// What stands between the parts of a title.
const TITLE_BREAKS: &[char] =
    &['|', ':', '-', '\u{2013}', '\u{2014}', '\u{b7}', '\u{bb}', '\u{2022}', '~', ',', '\u{ff0c}'];

/// What the cleaned page is; `None` for content. `text` is what it shows, in lower case.
pub(super) fn kind(dom: &Dom, title: &str, text: &str, counts: &Counts, scripted: Scripted) -> Option<PageKind> {
    let text_chars = counts.text_chars;
    if scripted.is_shell(counts) {
        return Some(PageKind::AppShell);
    }
    if text_chars > TITLE_TEXT_CHARS_MAX {
        return None;
    }
    let title = title.to_lowercase();
    let is_short = text_chars <= PHRASE_TEXT_CHARS_MAX;
    let text = if is_short { text } else { "" };
    if is_listing(&title, text) {
        return Some(PageKind::DirectoryListing);
    }
    let is_unfilled = text.matches("{{").count() >= UNFILLED_MIN;
    let wants_scripts = text_chars <= SHELL_TEXT_CHARS_MAX && SHELL_PHRASES.iter().any(|phrase| text.contains(phrase));
    if is_unfilled || wants_scripts {
        return Some(PageKind::AppShell);
    }
    let parts = || std::iter::once(title.as_str()).chain(title.split(TITLE_BREAKS)).map(str::trim);
    let says = |words: &&Words| {
        words.titles.iter().any(|begin| parts().any(|part| begins_with_words(part, begin)))
            || words.in_title.iter().any(|part| title.contains(part))
            || words.phrases.iter().any(|phrase| text.contains(phrase))
    };
    if let Some(words) = WORDS.iter().find(says) {
        return Some(words.kind);
    }
    if is_short && parts().skip(1).any(|part| ERROR_TITLES.contains(&part)) {
        return Some(PageKind::ErrorPage);
    }
    (text_chars <= LOGIN_TEXT_CHARS_MAX && is_login(dom)).then_some(PageKind::LoginWall)
}

/// One field for a password, hardly another one, and few ways to go elsewhere.
fn is_login(dom: &Dom) -> bool {
    let (mut passwords, mut fields, mut links) = (0, 0, 0);
    for element in dom.descendants(Dom::DOCUMENT).filter_map(|node| dom.element(node)) {
        match element.html_name() {
            Some(&local_name!("a")) => links += 1,
            Some(&local_name!("textarea")) => fields += 1,
            Some(&local_name!("input")) => match element.get("type").unwrap_or("text").trim() {
                kind if kind.eq_ignore_ascii_case("password") => passwords += 1,
                kind if FIELD_TYPES.iter().any(|field| kind.eq_ignore_ascii_case(field)) => fields += 1,
                _ => {}
            },
            _ => {}
        }
    }
    passwords == 1 && fields <= LOGIN_FIELDS_MAX && links <= LOGIN_LINKS_MAX
}

/// Types of fields that are written into.
const FIELD_TYPES: &[&str] = &["text", "email", "tel", "number", "date", "url", "file"];

/// What servers write over and into a list of files.
fn is_listing(title: &str, text: &str) -> bool {
    let is_titled = title.starts_with("index of /") || title.starts_with("directory listing for /");
    is_titled || (text.starts_with("index of /") && text.contains("parent directory"))
}

/// Whether the text begins with these words, and with no longer one.
fn begins_with_words(text: &str, words: &str) -> bool {
    text.strip_prefix(words).is_some_and(|rest| {
        let is_inside = |c: char| c.is_alphanumeric();
        !(words.ends_with(is_inside) && rest.starts_with(is_inside))
    })
}

#[cfg(test)]
mod tests {
    use super::{PageKind, ROOT_IDS, Scripted, kind};
    use crate::dom::{Caps, parse};
    use crate::measure::content::visible_text;
    use crate::measure::count;

    fn check(html: &str, expected: Option<PageKind>) {
        let dom = parse(html, Caps { elements_max: 100_000, depth_max: 100 }).expect("no caps");
        let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map_or("", |(t, _)| t);
        assert_eq!(kind(&dom, title, &visible_text(&dom), &count(&dom), Scripted::of(&dom)), expected, "{html:.200}");
    }

    #[test]
    fn ids_are_sorted_and_every_kind_has_a_documented_rule() {
        assert!(ROOT_IDS.is_sorted());
        for kind in PageKind::ALL {
            assert!(crate::RULES.contains(&kind.rule()), "{kind:?}");
        }
    }

    #[test]
    fn a_shell_waits_for_its_script() {
        let shell =
            "<title>Shop</title><noscript>You need scripts.</noscript><div id=root></div><script src=a></script>";
        check(shell, Some(PageKind::AppShell));
        check("<app-root><style>a{}</style></app-root><script>1</script>", Some(PageKind::AppShell));
        check("<div id=root></div>", None);
        check("<div id=root><p>Rendered on the server.</div><script>1</script>", None);
        check("<h1>News</h1><script>1</script><script>2</script><script>3</script>", Some(PageKind::AppShell));
        check(&format!("<div id=app></div><script>1</script><p>{}", "word ".repeat(200)), None);
    }

    #[test]
    fn short_pages_are_what_they_say() {
        check("<title>404 Not Found</title><h1>Oops</h1>", Some(PageKind::ErrorPage));
        check("<title>4040 Elm Street</title><h1>House</h1>", None);
        check("<title>Forbidden fruit</title><p>A novel", None);
        check("<title>Shop - Page not found</title>", Some(PageKind::ErrorPage));
        check("<title>a.com</title><p>Buy  this\nDomain now", Some(PageKind::ParkedDomain));
        check("<title>Just a moment...</title>", Some(PageKind::RobotCheck));
        check("<p>Please confirm you\u{2019}re not a robot.", Some(PageKind::RobotCheck));
        check("<title>Index of /pub</title><pre><a href=..>Parent Directory</a>", Some(PageKind::DirectoryListing));
        check("<title>Before you continue</title><button>Accept all", Some(PageKind::ConsentWall));
        check("<title>Log in - Shop</title><input type=password>", Some(PageKind::LoginWall));
        check("<title>Log in - Shop</title><p>How to log in.", None);
        check("<title>Shop</title><input name=user><input type=password>", Some(PageKind::LoginWall));
        check("<title>Join</title><input><input><input><input type=password>", None);
        check("<title>New password</title><input type=password><input type=password>", None);
        check("<title>Archive: Error</title><p>No such item.", Some(PageKind::ErrorPage));
        check("<title>Trial and error</title><p>A novel.", None);
        check("<h1>{{title}}</h1>{{a}} {{b}} {{c}} {{d}}", Some(PageKind::AppShell));
        check("<p>This shop requires JavaScript.", Some(PageKind::AppShell));
    }

    #[test]
    fn an_article_on_captchas_is_an_article() {
        let article = format!("<title>How to verify you are human</title>{}", "<p>verify you are human. ".repeat(300));
        check(&article, None);
    }
}
