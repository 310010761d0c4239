//! Small pages in, what must and must not stand in them out. One table per pass.

use bytes::Bytes;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use item::{Attributes, Capture, CharsetSource, Page, Verdict, name};

use crate::{Asset, Assets, CleanPolicy, ImagePolicy, Level, Mask, NoAssets, TextPolicy, clean, dom};

const URL: &str = "https://example.com/dir/page.html";

struct Fixed(&'static [(&'static str, &'static str, &'static [u8])]);

impl Assets for Fixed {
    fn get(&self, url: &str) -> Option<Asset> {
        let (_, mime, bytes) = self.0.iter().find(|(known, _, _)| *known == url)?;
        Some(Asset { mime: (*mime).to_owned(), bytes: Bytes::from_static(bytes) })
    }
}

fn verdict(html: &str, policy: &CleanPolicy, assets: &dyn Assets) -> Verdict<Page> {
    clean(&capture(html), URL, policy, assets)
}

fn capture(html: &str) -> Capture {
    Capture {
        status: 200,
        headers: vec![("X-Robots-Tag".to_owned(), "NoArchive, nofollow".to_owned())],
        mime: "text/html".to_owned(),
        charset: "utf-8".to_owned(),
        charset_source: CharsetSource::Http,
        html: html.to_owned(),
        truncated: false,
    }
}

fn lenient() -> CleanPolicy {
    CleanPolicy { level: Level::Gentle, text_chars_min: 0, html_bytes_min: 0, ..CleanPolicy::default() }
}

fn kept(html: &str, policy: &CleanPolicy, assets: &dyn Assets) -> (String, Attributes) {
    match verdict(html, policy, assets) {
        Verdict::Keep(kept) => (kept.body.html, kept.attributes),
        other => panic!("{html}: {other:?}"),
    }
}

/// What stands in the body of the cleaned page; a letter keeps it from being blank. Cleaning again changes nothing.
fn check_body_with(html: &str, expected: &str, policy: &CleanPolicy, assets: &dyn Assets) {
    let (cleaned, _) = kept(&format!("<!DOCTYPE html><body>x{html}"), policy, assets);
    let body = cleaned.split_once("<body>x").and_then(|(_, rest)| rest.strip_suffix("</body></html>"));
    assert_eq!(body, Some(expected), "{html}");
    assert_eq!(kept(&cleaned, policy, &NoAssets).0, cleaned, "{html}: cleaning twice");
}

fn check_body(html: &str, expected: &str) {
    check_body_with(html, expected, &lenient(), &NoAssets);
}

/// What stands in the one style sheet.
fn check_css_with(html: &str, expected: &str, assets: &dyn Assets) {
    let (cleaned, _) = kept(&format!("<!DOCTYPE html><body>x{html}"), &lenient(), assets);
    let css = cleaned.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    assert_eq!(css.map_or("", |(css, _)| css), expected, "{html}");
    assert_eq!(kept(&cleaned, &lenient(), &NoAssets).0, cleaned, "{html}: cleaning twice");
}

fn check_css(css: &str, expected: &str) {
    check_css_with(&format!("<style>{css}</style>"), expected, &NoAssets);
}

#[test]
fn what_does_not_show_is_removed() {
    check_body("a<script>1</script>b<!-- c -->d", "abd");
    check_body("<template><p>x</p></template><embed src=x><base href=/>", "");
    check_body("<noscript><p>shown</p></noscript>", "<p>shown</p>");
    check_body("<object data=x.swf><param name=a><b>fallback</b></object>", "<b>fallback</b>");
    check_body("<svg><script>1</script><set attributeName=href to=x /></svg>", "<svg></svg>");
    check_body("<plaintext>a</b>", "<pre>a&lt;/b&gt;</pre>");
}

#[test]
fn attributes_that_mean_something_stay() {
    check_body(
        "<p id=a class=b onclick=x data-y=1 aria-label=z lang=de dir=rtl jsaction=q>t</p>",
        "<p id=\"a\" class=\"b\" aria-label=\"z\" lang=\"de\" dir=\"rtl\">t</p>",
    );
    check_body(
        "<form action=/send method=post><input type=text name=q value=v></form>",
        "<form><input type=\"text\" name=\"q\" value=\"v\"></form>",
    );
    check_body("<input type=hidden name=t value=secret>", "<input type=\"hidden\" name=\"t\">");
    check_body("<a href=javascript:x() target=_blank>t</a>", "<a href=\"#\">t</a>");
    check_body("<a href=other.html>t</a>", "<a href=\"other.html\">t</a>");
    check_body("<table><tr><td colspan=2>t", "<table><tbody><tr><td colspan=\"2\">t</td></tr></tbody></table>");
    check_body(
        "<svg viewBox='0 0 1 1' xmlns:xlink=a><use xlink:href='#i'/><use href=s.svg#i /><path d=M0 fill='url(#g)'/></svg>",
        "<svg viewBox=\"0 0 1 1\"><use xlink:href=\"#i\"></use><use></use><path d=\"M0\" fill=\"url(#g)\"></path></svg>",
    );
    check_body(
        "<p style='background:URL(x.png);color:red'>t</p>",
        "<p style=\"background:url(data:,);color:red\">t</p>",
    );
}

#[test]
fn a_selector_keeps_the_attribute_that_it_names() {
    let (html, _) = kept("<style>[data-kind=a]{color:red}</style><p data-kind=a data-other=b>x", &lenient(), &NoAssets);
    assert!(html.contains("<p data-kind=\"a\">"), "{html}");
}

const BOX: &str = "data:image/svg+xml,%3Csvg%20xmlns=%27http://www.w3.org/2000/svg%27%20width=%27W%27%20height=%27H%27%20style=%27background:%23d5d9de%27/%3E";

fn placeholder(width: u32, height: u32) -> String {
    BOX.replace("%27W%27", &format!("%27{width}%27")).replace("%27H%27", &format!("%27{height}%27"))
}

/// A GIF of 3 by 2 pixels: the header is all that counts.
const GIF: &[u8] = b"GIF89a\x03\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x03\x00\x02\x00\x00\x02\x02D\x5e\x00;";

#[test]
fn images_become_boxes_of_their_size() {
    let img = |width, height, rest: &str| format!("<img src=\"{}\"{rest}>", placeholder(width, height));
    check_body("<img src=a.png>", &img(300, 150, ""));
    check_body("<img src=a.png width=20 height=30>", &img(20, 30, " width=\"20\" height=\"30\""));
    check_body("<img src=a.png style='width:40px;height:10px'>", &img(40, 10, " style=\"width:40px;height:10px\""));
    check_body(
        "<img alt=x srcset='a.png 1x, b.png 2x'>",
        &format!("<img alt=\"x\" src=\"{}\">", placeholder(300, 150)),
    );
    check_body("<img src=/beacon width=1 height=1>", "");
    check_body("<picture><source srcset=a.webp><img></picture>", &format!("<picture>{}</picture>", img(300, 150, "")));
    let assets = Fixed(&[("https://example.com/dir/a.gif", "image/gif", GIF)]);
    check_body_with("<img src=a.gif>", &img(3, 2, ""), &lenient(), &assets);
    check_body_with("<img data-src=a.gif><noscript><img src=a.gif></noscript>", &img(3, 2, ""), &lenient(), &assets);
}

#[test]
fn images_are_inlined_when_the_policy_says_so() {
    let assets = Fixed(&[("https://example.com/dir/a.gif", "image/gif", GIF)]);
    let policy = CleanPolicy { images: ImagePolicy::Inline, ..lenient() };
    let data = crate::data_url::encode("image/gif", GIF);
    check_body_with("<img src=a.gif>", &format!("<img src=\"{data}\">"), &policy, &assets);
    let small = CleanPolicy { inline_image_bytes_max: 10, ..policy };
    check_body_with("<img src=a.gif>", &format!("<img src=\"{}\">", placeholder(3, 2)), &small, &assets);
}

#[test]
fn frames_and_media_stay_as_empty_boxes() {
    check_body(
        "<iframe src=//ads width=300 height=200></iframe>",
        "<iframe width=\"300\" height=\"200\" style=\"background-color:#d5d9de\"></iframe>",
    );
    check_body("<iframe src=//tracker width=0 height=0></iframe>", "");
    check_body(
        "<video src=a.mp4 autoplay><source src=b>no</video>",
        "<video style=\"background-color:#d5d9de\"></video>",
    );
    check_body("<canvas width=5>no</canvas>", "<canvas width=\"5\"></canvas>");
}

#[test]
fn nothing_in_css_is_fetched() {
    check_css("a{background:url( 'x.png' ) no-repeat}", "a{background:url(data:,) no-repeat}");
    check_css("a{b:u\\72l(x)}", "a{b:url(data:,)}");
    check_css("a{b:image-set('a.png' 1x, url(b.png) 2x)}", "a{b:image-set(url(data:,) 1x, url(data:,) 2x)}");
    check_css("a{b:-webkit-image-set(var(--x) 1x)}", "a{b:-webkit-image-set(url(data:,) 1x)}");
    check_css("a{--x:url(//h/x)}", "a{--x:url(data:,)}");
    check_css("a{filter:url(#f) url(x.svg#f)}", "a{filter:url(#f) url(data:,)}");
    check_css("a{b:url(x y)}", "a{b:!}");
    check_css("@import 'x.css';a{}", "a{}");
    check_css("a{}@import url(x.css);", "a{}");
    check_css("@font-face{font-family:F;src:url(f.woff2)}a{}", "a{}");
    check_css(
        "@font-face{font-family:F;src:url(f.woff) format('woff'),local('Arial')}",
        "@font-face{font-family:F;src:local('Arial')}",
    );
    check_css("a{b:url(data:image/gif;base64,AA==)}", "a{b:url(data:image/gif;base64,AA==)}");
}

#[test]
fn css_is_balanced_and_keeps_its_meaning() {
    check_css("a{b:c", "a{b:c}");
    check_css("a{b:\"c", "a{b:\"c\"}");
    check_css("a{b:c}}d{}", "a{b:c}]d{}");
    check_css("<!-- a{} -->", "a{}");
    check_css("/* x */a/**/b/* y */{}", "a/**/b{}");
    check_css(
        "@media (min-width:1px){.a:hover::before{content:'\\201c'}}",
        "@media (min-width:1px){.a:hover::before{content:'\\201c'}}",
    );
    check_css("@charset 'x';@namespace svg url(x);a{}", "a{}");
}

#[test]
fn sheets_join_in_document_order() {
    const ASSETS: Fixed = Fixed(&[
        ("https://example.com/one.css", "text/css", b"\xEF\xBB\xBFone{}"),
        (
            "https://example.com/css/two.css",
            "text/css",
            b"@import 'three.css' print;@import url(two.css);two{background:url(a.gif)}",
        ),
        ("https://example.com/css/three.css", "text/css", b"three{content:'</style>'}"),
        ("https://example.com/css/a.gif", "image/gif", GIF),
        ("https://example.com/missing.css", "text/html", b"<h1>404"),
        ("https://example.com/gbk.css", "text/css", b"@charset \"gbk\";.\xd6\xd0{}"),
    ]);
    let check = |html: &str, expected: &str| check_css_with(html, expected, &ASSETS);
    check(
        "<style>a{}</style><link rel=StyleSheet href=/one.css><style media=print>b{}</style>",
        "a{}\none{}\n@media print{\nb{}\n}",
    );
    check("<link rel='alternate stylesheet' href=/one.css><link rel=stylesheet href=/missing.css>", "");
    check("<base href=/css/><link rel=stylesheet href=../one.css>", "one{}");
    check("<link rel=stylesheet href=/gbk.css>", ".中{}");
    check("<link rel=stylesheet title=A href=/one.css><style title=B>b{}</style>", "one{}");
    check("<link rel=stylesheet href='data:text/css,a%7B%7D'>", "a{}");
    check(
        "<link rel=stylesheet href=/css/two.css>",
        &format!("@media print{{\nthree{{content:'<\\/style>'}}\n}}\ntwo{{background:url({})}}", placeholder(3, 2)),
    );
}

#[test]
fn the_mode_of_the_doctype_stays() {
    let check = |html: &str, expected: &str| {
        let (cleaned, _) = kept(html, &lenient(), &NoAssets);
        assert!(cleaned.starts_with(expected), "{cleaned}");
    };
    check("<!doctype HTML>x", "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">");
    check("x", "<html><head><meta charset=\"utf-8\">");
    check("<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 3.2//EN'>x", "<html>");
    check("<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN' ''>x", "<!DOCTYPE html PUBLIC ");
}

#[test]
fn pages_tell_about_themselves() {
    let html = "<!DOCTYPE html><html lang=de-AT><title> A\n b </title><meta name=robots content='NoIndex'>\
                <link rel=license href=/by><style>.a{}</style><p class='a b'>x y <p hidden>z<img src=a>";
    let (_, attributes) = kept(html, &lenient(), &NoAssets);
    assert_eq!(attributes.text(name::TITLE), Some("A b"));
    assert_eq!(attributes.text(name::LANG), Some("de"));
    assert_eq!(attributes.text(name::ROBOTS), Some("noarchive,nofollow,noindex"));
    assert_eq!(attributes.text(name::LICENSE), Some("https://example.com/by"));
    assert_eq!(attributes.float(name::CSS_COVERAGE), Some(0.5));
    assert_eq!(attributes.int(name::TEXT_CHARS), Some(3));
    assert_eq!(attributes.int(name::CSS_BYTES), Some(4));
    assert_eq!(attributes.int(name::DOM_DEPTH), Some(4));
}

#[test]
fn what_is_not_wanted_is_refused_with_a_rule() {
    let check = |html: &str, expected: &str| match verdict(html, &CleanPolicy::default(), &NoAssets) {
        Verdict::Reject(rejection) => assert_eq!(rejection.rule.name, expected),
        other => panic!("{expected}: {other:?}"),
    };
    check("", "blank");
    check("<script>document.write('x')</script><div id=root></div>", "blank");
    check("<p>short", "too-short");
    check("<frameset><frame src=a></frameset>", "frameset");
    check(&"<div>".repeat(100_000), "too-deep");
    check(&"<b><p>".repeat(100_000), "too-many-elements");
    check(&"<br>".repeat(100_000), "too-many-elements");
    check(&" ".repeat(30 << 20), "too-much-input");
    check(&"x".repeat(3 << 20), "too-large");
    check(&"<svg>".repeat(100_000), "too-deep");
    let sentence =
        "There is nothing else to be seen on this page, however long one looks at what stands here. ".repeat(2);
    check(&format!("<title>Page not found</title><p>{sentence}"), "error-page");
    check(&format!("<p>{sentence}<div id=root></div><script src=a></script>"), "app-shell");
}

#[test]
fn what_may_stay_is_marked() {
    let sentence = "Members read all of our articles, and may leave a note below each of them, too. ".repeat(4);
    let html = format!("<title>Log in</title><form><input type=password></form><p>{sentence}");
    let (cleaned, attributes) = kept(&html, &CleanPolicy::default(), &NoAssets);
    assert_eq!(attributes.text(item::name::PAGE_KIND), Some("login-wall"));
    assert_eq!(kept(&cleaned, &CleanPolicy::default(), &NoAssets).1.text(item::name::PAGE_KIND), Some("login-wall"));
    let policy = CleanPolicy { unwanted: vec![crate::PageKind::LoginWall], ..CleanPolicy::default() };
    assert!(
        matches!(verdict(&html, &policy, &NoAssets), Verdict::Reject(rejection) if rejection.rule.name == "login-wall")
    );
}

#[test]
fn deep_css_overflows_nothing() {
    let (open, close) = ("a{b:(".repeat(200_000), "x".repeat(10));
    let html = format!("<style>{open}{close}</style><p style='{}'>x", "(".repeat(300_000));
    assert!(matches!(verdict(&html, &lenient(), &NoAssets), Verdict::Keep(_)));
}

#[test]
fn a_deep_tree_is_walked_and_dropped_without_recursion() {
    let caps = dom::Caps { elements_max: usize::MAX, depth_max: usize::MAX };
    let html = "<i>".repeat(20_000);
    let tree = dom::parse(&html, caps).expect("no cap");
    assert!(dom::serialize(&tree).len() > html.len());
    assert!(dom::deepest(&tree) > 20_000);
}

/// Pieces that parsers stumble over, in any order.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "<a href=x>",
        "</a>",
        "<b>",
        "</b>",
        "<p>",
        "</p>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<form>",
        "</form>",
        "<select>",
        "<option>",
        "</select>",
        "<svg>",
        "<foreignObject>",
        "<desc>",
        "</svg>",
        "<math>",
        "<mi>",
        "<annotation-xml encoding='text/html'>",
        "<noscript>",
        "</noscript>",
        "<object>",
        "</object>",
        "<button>",
        "<style>a{b:url(",
        "</style>",
        "<!--",
        "-->",
        "<pre>\n",
        "<textarea>\n",
        "</textarea>",
        "<li>",
        "<h1>",
        "<h2>",
        "<nobr>",
        "<iframe>",
        "</iframe>",
        "<template>",
        "</template>",
        "<plaintext>",
        "<xmp>",
        "</xmp>",
        "<img src=a>",
        "<p style='a:url(\"'>",
        "text",
        " ",
        "\n",
        "&nbsp;&#13;&lt;",
        "\0",
        "<body>",
        "</body>",
        "<head>",
        "</html>",
        "<link rel=stylesheet href=a>",
        "<![CDATA[",
        "]]>",
        "<colgroup>",
        "<caption>",
        "<frameset>",
        "<ruby>",
        "<rt>",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

fn check_settles(html: &str) -> Result<(), proptest::test_runner::TestCaseError> {
    for level in Level::ALL {
        let policy = CleanPolicy { level, ..lenient() };
        if let Verdict::Keep(page) = verdict(html, &policy, &NoAssets) {
            let (again, _) = kept(&page.body.html, &policy, &NoAssets);
            prop_assert_eq!(again, page.body.html, "{}", level.name());
        }
    }
    Ok(())
}

/// Sheets that once did not.
#[test]
fn odd_sheets_settle() {
    let check = |css: &str| {
        let html = format!(
            "<!DOCTYPE html><style>{css}</style><div class=a id=i><p class='b c'>x</p> <p hidden>y</p><b>z</b></div>"
        );
        check_settles(&html).unwrap_or_else(|error| panic!("{css}: {error}"));
    };
    check("p{display:none}@layer a,b;p:last-of-type{display:none}p+b{top:0}");
    check("b,h3{top:0;h1{top:1px}");
    check("b,h3{top:0;&.x{top:1px}b,h3{top:2px;h1{top:3px}}");
}

proptest! {
    #[test]
    fn any_soup_settles(html in soup(), doctype in any::<bool>()) {
        check_settles(&format!("{}x{html}", if doctype { "<!DOCTYPE html>" } else { "" }))?;
    }

    #[test]
    fn any_text_of_css_settles(css in "[a-z{}()\\[\\];:@.'\"/* \n\\\\,<>!-]{0,60}") {
        check_settles(&format!("<!DOCTYPE html>x<style>{css}</style><p style=\"{}\">y", css.replace('"', "&quot;")))?;
    }

    #[test]
    fn any_sheet_of_rules_settles(css in sheet()) {
        check_settles(&format!(
            "<!DOCTYPE html><style>{css}</style><div class=a id=i><p class='b c'>x</p> <p hidden>y</p><b>z</b></div>"
        ))?;
    }
}

/// Rules that may or may not match.
fn sheet() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        ".a{color:red}",
        ".a,.x{color:red;color:red}",
        ".b:hover::before{content:'x'}",
        "p+b{top:0}",
        "b:first-child{top:1px}",
        "p:last-of-type{display:none}",
        "p{display:none}",
        "#i .b{--u:1px;--v:var(--u);top:var(--v)}",
        ":root{--u:2px;--w:3px}",
        "@media (min-width:1px){",
        "@media screen{",
        "@layer a,b;",
        "@layer a{",
        "@layer b{}",
        "@supports (top:0){",
        "}",
        "@keyframes k{from{top:var(--w)}50%{-moz-x:y}}",
        ".c{animation:k 1s}",
        "@font-face{font-family:F;src:local(F)}",
        "b{font:1px F}",
        ".a{.b &{top:2px}> p{top:3px}@media print{top:4px}}",
        "*{-webkit-box-sizing:border-box;box-sizing:border-box}",
        "::-moz-selection{top:0}",
        "p , p:unknown(x){top:5px}",
        "[class*=a]{top:6px}",
        "[data-x]{top:7px}",
        "p{white-space:pre}",
        "a b c{",
        "@container (width>1px){",
        ";",
        " ",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..10).prop_map(|pieces| pieces.concat())
}

/// The style sheet and the body at a level; cleaning again changes nothing.
fn parts_at(level: Level, html: &str) -> (String, String) {
    let policy = CleanPolicy { level, ..lenient() };
    let (cleaned, _) = kept(html, &policy, &NoAssets);
    assert_eq!(kept(&cleaned, &policy, &NoAssets).0, cleaned, "{html}: cleaning twice");
    let css =
        cleaned.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(css, _)| css);
    let body = cleaned.split_once("<body").and_then(|(_, rest)| rest.strip_suffix("</body></html>"));
    (css.to_owned(), body.unwrap_or_default().trim_start_matches('>').to_owned())
}

const MARKUP: &str = "<div id=i class='a unused'><p class=b>x<i>y</i></p><p title=t>z</p></div>";

/// What is left of a sheet for [`MARKUP`], a rule a line.
fn check_purge(css: &str, expected: &str) {
    let (found, _) = parts_at(Level::Compact, &format!("<!DOCTYPE html><style>{css}</style>{MARKUP}"));
    assert_eq!(found, expected, "{css}");
}

#[test]
fn rules_that_match_nothing_go() {
    check_purge(".a{top:0}.z{top:0}#i{top:1px}#z{top:0}p>i{top:2px}i>p{top:0}", ".a{top:0}\n#i{top:1px}\np>i{top:2px}");
    check_purge(".z,.b,.a .z{top:0}", ".b{top:0}");
    check_purge(".b:hover,.b:not(:focus)::after{top:0}", ".b:hover,.b:not(:focus)::after{top:0}");
    check_purge("p:first-child i{top:0}p:nth-child(3){top:0}", "p:first-child i{top:0}");
    check_purge(
        "@media print{.a{top:0}}@media (max-width:9px){.a{top:0}.z{top:0}}",
        "@media (max-width:9px){\n.a{top:0}\n}",
    );
    check_purge("@media screen{.a{top:0}}", ".a{top:0}");
    check_purge("@supports (top:0){.z{top:0}}@container (width>1px){p{top:0}}", "@container (width>1px){\np{top:0}\n}");
    check_purge("@layer x,y;@layer y{.z{top:0}}", "");
    check_purge("@layer x,y;@layer y{.a{top:0}}", "@layer x,y;\n@layer y{\n.a{top:0}\n}");
    check_purge(".a::-moz-x,.a{top:0}", "");
    check_purge(".a:unknown,.z{top:0}.z:unknown{top:0}", ".a:unknown,.z{top:0}");
    check_purge("P.B{top:0}P.b{top:0}", "P.b{top:0}");
}

#[test]
fn what_used_rules_need_stays() {
    check_purge(
        ":root{--a:var(--b);--b:1px;--c:2px}.a{top:var(--a)}.z{top:var(--c)}",
        ":root{--a:var(--b);--b:1px}\n.a{top:var(--a)}",
    );
    check_purge(
        "@keyframes k{from{top:0}}@keyframes l{from{top:0}}.a{animation:k 1s}",
        "@keyframes k{\nfrom{top:0}\n}\n.a{animation:k 1s}",
    );
    check_purge(
        "@font-face{font-family:'F G';src:local(F)}@font-face{font-family:H;src:local(H)}.a{font:1px f g}",
        "@font-face{font-family:'F G';src:local(F)}\n.a{font:1px f g}",
    );
    check_purge(
        ".a{top:0;& .b{top:1px}.z &{top:2px}&:hover{top:3px}}",
        ".a{\ntop:0;\n& .b{top:1px}\n&:hover{top:3px}\n}",
    );
    check_purge("[title]{top:0}[data-x]{top:0}", "[title]{top:0}");
}

#[test]
fn rules_without_a_word_go() {
    check_purge(".a{top:}.b{top:/* x */}p{top:0}", "p{top:0}");
    check_purge("@media (min-width:1px){.a{top: ;}}p{top:0}", "p{top:0}");
    // A pair a hundred times, and once with a rule inside that was never closed.
    let pair = ".a{top:0}.b{-webkit-opacity:0;opacity:0}";
    let open = ".b{-webkit-opacity:0;opacity:0;.z{top:0}}";
    check_purge(&format!("{open}{}", pair.repeat(100)), ".a{top:0}\n.b{opacity:0}");
}

#[test]
fn a_wrapper_that_stays_keeps_its_white_space() {
    // The second selector needs the wrapper, so taking it away is undone.
    let css = "<style>main>div>p{top:0}</style>";
    let (_, body) = parts_at(Level::Compact, &format!("<!DOCTYPE html>{css}<main>x<div>\n<p>y</p>\n</div></main>"));
    assert_eq!(body, "<main>x<div>\n<p>y</p>\n</div></main>");
}

#[test]
fn what_is_said_twice_is_said_once() {
    check_purge(".a{top:0}.b{top:1px}.a{top:0}", ".b{top:1px}\n.a{top:0}");
    check_purge(".a{top:0}.b{top:0}", ".a,.b{top:0}");
    check_purge(".a{top:0}.a{left:0}", ".a{top:0;left:0}");
    check_purge("@media (hover){.a{top:0}}@media (hover){.b{top:1px}}", "@media (hover){\n.a{top:0}\n.b{top:1px}\n}");
}

fn check_simplified(html: &str, expected: &str) {
    let (_, body) = parts_at(Level::Default, &format!("<!DOCTYPE html><body>x{html}"));
    assert_eq!(body.strip_prefix('x'), Some(expected), "{html}");
}

#[test]
fn names_that_nothing_uses_go() {
    check_simplified("<style>.a{top:0}</style><p class='b a' id=i>t", "<p class=\"a\">t</p>");
    check_simplified("<a href=#i>l</a><p id=i>t", "<a href=\"#i\">l</a><p id=\"i\">t</p>");
    check_simplified("<label for=i>l</label><input id=i>", "<label for=\"i\">l</label><input id=\"i\">");
    check_simplified(
        "<style>[class^=b]{top:0}[id]{top:1px}</style><p class='b a' id=i>t",
        "<p class=\"b a\" id=\"i\">t</p>",
    );
}

#[test]
fn what_is_never_shown_goes() {
    check_simplified("<p hidden>a</p><p style='display: none'>b</p><input type=hidden name=c>", "");
    check_simplified("<style>.m{display:none}.m.open{display:block}</style><p class=m>a</p>", "");
    let stays = |html: &str, has: &str| {
        let (_, body) = parts_at(Level::Default, &format!("<!DOCTYPE html><body>x{html}"));
        assert!(body.contains(has), "{html}: {body}");
    };
    stays("<style>.m{display:none}.m:hover{display:block}</style><p class=m>a</p>", "a");
    stays("<style>@media (max-width:9px){.m{display:none}}</style><p class=m>a</p>", "a");
    stays("<style>.m{display:none}@media (max-width:9px){.m{display:block}}</style><p class=m>a</p>", "a");
    stays("<style>p{display:block!important}</style><p style='display:none'>a</p>", "a");
    stays("<style>p:first-child + b{top:0}</style><div><p hidden>a</p><b>t</b></div>", "a");
    stays("<style>#c:checked ~ b{top:0}</style><div><input hidden id=c type=checkbox><b>t</b></div>", "checkbox");
    stays("<svg hidden><symbol id=s><path d=M0></symbol></svg><svg><use href=#s /></svg>", "symbol");
    stays("<p hidden=until-found>a</p>", "a");
}

#[test]
fn white_space_is_regular() {
    check_simplified("<div>\n\n\t<p>a   b</p>\n  </div>", "<div>\n  <p>a b</p>\n</div>");
    check_simplified("<pre>a   b</pre><textarea>a   b</textarea>", "<pre>a   b</pre><textarea>a   b</textarea>");
    check_simplified("<p style='white-space:pre-wrap'>a   b", "<p style=\"white-space:pre-wrap\">a   b</p>");
    check_simplified("<style>.w{white-space:pre}</style><p class=w>a   b", "<p class=\"w\">a   b</p>");
    check_simplified("<div>\n<meta itemprop=a>\n<meta itemprop=b>\n<p>t</p></div>", "<div>\n  <p>t</p></div>");
    check_simplified("<b>a</b>  <b>b</b><b>c</b>", "<b>a</b> <b>b</b><b>c</b>");
}

#[test]
fn css_is_readable_at_the_default_level() {
    let html =
        "<!DOCTYPE html><style>.a>p{color:RED;margin:0  auto}@media (hover){.a{top:0}}</style><div class=a><p>x</div>";
    let (css, _) = parts_at(Level::Default, html);
    assert_eq!(css, ".a > p {\n  color: RED;\n  margin: 0 auto;\n}\n@media (hover) {\n  .a {\n    top: 0;\n  }\n}");
}

fn with_text(level: Level, tokens_max: Option<usize>) -> CleanPolicy {
    CleanPolicy { level, text: TextPolicy::new(Mask::ALL, tokens_max), ..lenient() }
}

/// The body with everything masked.
fn check_masked(html: &str, expected: &str) {
    check_body_with(html, expected, &with_text(Level::Gentle, None), &NoAssets);
}

#[test]
fn personal_data_is_masked_where_it_is_shown_and_where_it_is_said_again() {
    check_masked(
        "<a href='mailto:Bob@corp.com?subject=a&cc=ann@corp.com'>bob@corp.com</a>",
        "<a href=\"mailto:name1@example.com?subject=a&amp;cc=name2@example.com\">name1@example.com</a>",
    );
    check_masked(
        "<a href='tel:+49%2030-901820;ext=12'>030 <b>90 18 20</b></a>, 901820 or 030901820",
        "<a href=\"tel:+00%2000-000000;ext=00\">000 <b>00 00 00</b></a>, 000000 or 000000000",
    );
    check_masked("<a href='mailto:%62ob@%62b.com%20'>t</a>", "<a href=\"mailto:name1@example.com%20\">t</a>");
    check_masked("<a href='/cdn-cgi/l/email-protection#7714'>t</a>", "<a href=\"/cdn-cgi/l/email-protection\">t</a>");
    check_masked("<a href=TEL:911>911</a> 911", "<a href=\"TEL:000\">000</a> 911");
    check_masked(
        "<a href=tel:4155552671>Call 415 5552671 (24 h)</a>",
        "<a href=\"tel:0000000000\">Call 000 0000000 (24 h)</a>",
    );
    check_masked("<a href=tel:0966399822>Cs1: 0966 399 822</a>", "<a href=\"tel:0000000000\">Cs1: 0000 000 000</a>");
    check_masked("<a href='sms:4155552671?body=x 12'>t</a>", "<a href=\"sms:0000000000?body=x 12\">t</a>");
    check_masked("<a href=https://wa.me/491701234567>t</a>", "<a href=\"https://wa.me/000000000000\">t</a>");
    check_masked(
        "<a href='/s/030-1234567?phone=4155552671&mail=a%40bb.com&id=415-555-2671#x'>t</a>",
        "<a href=\"/s/030-1234567?phone=0000000000&amp;mail=name1%40example.com&amp;id=415-555-2671#x\">t</a>",
    );
    check_masked(
        "<a href=http://93.184.216.34:8/93.184.216.34>t</a>",
        "<a href=\"http://192.0.2.1:8/93.184.216.34\">t</a>",
    );
    check_masked(
        "<input value=a@bb.com placeholder=c@bb.com aria-label=a@bb.com title='(030) 901820' name=d@bb.com>",
        "<input value=\"name1@example.com\" placeholder=\"name2@example.com\" aria-label=\"name1@example.com\" \
         title=\"(000) 000000\" name=\"d@bb.com\">",
    );
    check_masked(
        "<textarea>a@bb.com</textarea><select><option>c@bb.com</select><svg><text>a@bb.com</text></svg>",
        "<textarea>name1@example.com</textarea><select><option>name2@example.com</option></select>\
         <svg><text>name1@example.com</text></svg>",
    );
    check_masked(" a@<!-- x -->bb.com, <i>c@</i>bb.com", " name1@example.com, <i>c@</i>bb.com");
}

#[test]
fn the_title_is_masked_as_the_page_is() {
    let html = "<title>Ann a@bb.com</title><style>p::after{content:'c@bb.com'}</style><p>c@bb.com +49 30 901820";
    let (cleaned, attributes) = kept(html, &with_text(Level::Default, None), &NoAssets);
    assert_eq!(attributes.text(name::TITLE), Some("Ann name1@example.com"));
    assert_eq!(attributes.int(name::MASKED), Some(3));
    assert!(cleaned.contains("content: 'c@bb.com'"), "{cleaned}");
    let (_, attributes) = kept(html, &lenient(), &NoAssets);
    assert_eq!(attributes.text(name::TITLE), Some("Ann a@bb.com"));
    assert_eq!(attributes.get(name::MASKED), None);
}

#[test]
fn rules_for_what_was_masked_go_with_it() {
    let html = "<!DOCTYPE html><style>[href='mailto:a@bb.com']{top:0}a{top:1px}</style><a href=mailto:a@bb.com>t</a>";
    let (cleaned, _) = kept(html, &with_text(Level::Compact, None), &NoAssets);
    assert!(cleaned.contains("<style>a{top:1px}</style>"), "{cleaned}");
}

#[test]
fn texts_that_come_together_are_masked() {
    let html = "<!DOCTYPE html><body>x bob@<span hidden>no</span>corp.com";
    let policy = with_text(Level::Default, None);
    let (cleaned, _) = kept(html, &policy, &NoAssets);
    assert!(cleaned.contains("name1@example.com"), "{cleaned}");
    assert_eq!(kept(&cleaned, &policy, &NoAssets).0, cleaned);
}

/// The body of a page with a budget, and what was cut; cleaning again cuts nothing.
fn shortened(level: Level, tokens_max: usize, html: &str) -> (String, Attributes) {
    let policy = with_text(level, Some(tokens_max));
    let (cleaned, attributes) = kept(&format!("<!DOCTYPE html><body>{html}"), &policy, &NoAssets);
    let (again, attributes_again) = kept(&cleaned, &policy, &NoAssets);
    assert_eq!(again, cleaned, "{html}: cleaning twice");
    assert_eq!(attributes_again.int(name::TRUNCATED_ITEMS), Some(0));
    assert_eq!(attributes_again.int(name::TRUNCATED_TEXTS), Some(0));
    assert_eq!(attributes_again.get(name::OVER_BUDGET), attributes.get(name::OVER_BUDGET));
    let (_, body) = cleaned.split_once("<body>").expect("a body");
    (body.strip_suffix("</body></html>").expect("an end").to_owned(), attributes)
}

/// The shortest that a page becomes.
fn check_shortest(html: &str, expected: &str) {
    let (body, _) = shortened(Level::Gentle, 0, html);
    assert_eq!(body, expected, "{html}");
}

#[test]
fn runs_of_like_elements_lose_their_ends() {
    check_shortest("<ul><li>1<li class=a>2<li>3<li>4<li>5</ul>", "<ul><li>1</li><li class=\"a\">2</li><li>3</li></ul>");
    check_shortest(
        "<p class=a>1</p>\n<p class=a>2</p>\n<p class=a>3</p>\n<p class=a>4</p>\n<p>5</p>",
        "<p class=\"a\">1</p>\n<p class=\"a\">2</p>\n<p class=\"a\">3</p>\n<p>5</p>",
    );
    let cards = |count: usize| "<div><img alt=\"\"><p>a</p></div>".repeat(count);
    let (body, attributes) = shortened(Level::Gentle, 0, &cards(5));
    assert_eq!(attributes.int(name::TRUNCATED_ITEMS), Some(2), "{body}");
    check_shortest("<i>1</i><br><i>2</i><br><i>3</i><br><i>4</i><br>", "<i>1</i><br><i>2</i><br><i>3</i><br>");
    check_shortest(
        "<dl><dt>1<dd>a<dd>b<dt>2<dt>2<dd>c<dt>3<dd>d<dd>e<dt>4<dd>f</dl>",
        "<dl><dt>1</dt><dd>a</dd><dd>b</dd><dt>2</dt><dt>2</dt><dd>c</dd><dt>3</dt><dd>d</dd><dd>e</dd></dl>",
    );
    check_shortest(
        "<table><tr><th>h<tr><td>1<td>1<td>1<td>1<tr><td>2<tr><td>3</table>",
        "<table><tbody><tr><th>h</th></tr><tr><td>1</td><td>1</td><td>1</td><td>1</td></tr><tr><td>2</td></tr></tbody></table>",
    );
    check_shortest(
        "<select><option>1<option>2<option>3<option>4<option selected>5</select>",
        "<select><option>1</option><option>2</option><option>3</option><option selected=\"\">5</option></select>",
    );
    let stays = |html: &str| check_shortest(html, html);
    stays("<div id=\"a\">1</div><div id=\"b\">2</div><div id=\"c\">3</div><div id=\"d\">4</div>");
    let parts = "<div>1</div><div><div><ul></ul></div></div><div><p>2</p></div><div><div><p>3</p></div></div>";
    stays(&format!("{parts}<div><h1>4</h1></div>"));
    stays("<i>1</i> a <i>2</i> a <i>3</i> a <i>4</i>");
    stays("<pre>1<i>1</i><i>2</i><i>3</i><i>4</i></pre>");
    stays("<svg><path d=\"M0\"></path><path d=\"M0\"></path><path d=\"M0\"></path><path d=\"M0\"></path></svg>");
    stays("<ul><li>1</li><li>2</li><li>3</li><li><input id=\"i\"></li></ul><label for=\"i\">l</label>");
}

#[test]
fn long_texts_lose_their_ends() {
    let words = |count: usize| vec!["word"; count].join(" ");
    check_shortest(&format!("<p>{}</p>", words(15)), &format!("<p>{}</p>", words(15)));
    check_shortest(&format!("<p>{} end</p>", words(15)), &format!("<p>{} …</p>", words(15)));
    check_shortest(&format!("<p>{}. Then, {}</p>", words(8), words(20)), &format!("<p>{}.</p>", words(8)));
    check_shortest(
        &format!("<p>{}. Then, {}</p>", words(5), words(20)),
        &format!("<p>{}. Then, {} …</p>", words(5), words(9)),
    );
    check_shortest(
        &format!("<p>{} <b>{} <i>i</i></b> more <a>x</a></p>", words(10), words(10)),
        &format!("<p>{} <b>{} …</b></p>", words(10), words(5)),
    );
    check_shortest(&format!("<p>{}</p>", "字".repeat(20)), &format!("<p>{} …</p>", "字".repeat(15)));
    check_shortest(&format!("<p>{}</p>", "x".repeat(500)), &format!("<p>{} …</p>", "x".repeat(360)));
    check_shortest(&format!("<p><b>{}</b></p>", words(20)), &format!("<p><b>{} …</b></p>", words(15)));
    let stays = |html: &str| check_shortest(html, html);
    stays(&format!("<pre>{}</pre><textarea>{}</textarea>", words(20), words(20)));
    stays(&format!("<select><option>{}</option></select>", words(20)));
    stays(&format!("<p><a>{0}</a> <a>{0}</a> <a>{0}</a></p>", words(10)));
}

#[test]
fn a_page_is_cut_no_further_than_its_budget_asks() {
    let html = format!("<ul>{}</ul><p>{}</p>", "<li>item</li>".repeat(100), "word ".repeat(300));
    let check = |tokens_max: usize, items: i64, texts: i64, is_over: bool| {
        let (body, attributes) = shortened(Level::Default, tokens_max, &html);
        assert_eq!(attributes.int(name::TRUNCATED_ITEMS), Some(items), "{tokens_max}: {body}");
        assert_eq!(attributes.int(name::TRUNCATED_TEXTS), Some(texts), "{tokens_max}");
        assert_eq!(attributes.get(name::OVER_BUDGET), Some(&item::Value::Bool(is_over)), "{tokens_max}");
        assert!(is_over || attributes.int(name::HTML_TOKENS) <= Some(tokens_max as i64), "{tokens_max}");
    };
    check(10_000, 0, 0, false);
    check(900, 50, 0, false);
    check(800, 50, 0, false);
    check(400, 92, 0, false);
    check(300, 97, 1, false);
    check(10, 97, 1, true);
    let (_, attributes) = kept(&html, &lenient(), &NoAssets);
    assert_eq!(attributes.get(name::TRUNCATED_ITEMS), None);
    assert_eq!(attributes.get(name::OVER_BUDGET), None);
}

#[test]
fn rules_that_only_the_cut_used_go() {
    let items = (0..20).map(|n| format!("<li class=c{n}>x</li>")).collect::<Vec<_>>().concat();
    let (body, attributes) =
        shortened(Level::Default, 30, &format!("<style>.c0{{top:0}}.c19{{top:1px}}</style><ul>{items}</ul>"));
    assert!(body.contains("class=\"c0\""), "{body}");
    assert_eq!(attributes.int(name::CSS_BYTES), Some(".c0 {\n  top: 0;\n}".len() as i64));
}

/// Pages with what is masked and what is cut, in any order.
fn long_soup() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "<a href='mailto:bob@corp.com'>",
        "<a href=tel:+4930901820>",
        "</a>",
        "bob@corp.com ",
        "030 90",
        "1820 ",
        "93.184.216.34",
        "<ul><li>a<li>b<li class=k>c<li>d<li id=i>e</ul>",
        "<li>",
        "<p>",
        "<p hidden>",
        "<div>",
        "</div>",
        "<div class=a>x</div><div class=a>x</div><div class=b>x</div><div class=a>x</div>",
        "<table><tr><td>x<tr><td>x<tr><td>x<tr><td>x",
        "</table>",
        "<dl><dt>a<dd>b<dt>c<dt>d<dd>e<dt>f<dt>g",
        "<select><option>1<option>2<option>3<option>4<option selected>5",
        "</select>",
        "<label for=i>",
        "<b>",
        "</b>",
        "<br>",
        "<svg><text>",
        "</svg>",
        "<pre>",
        "</pre>",
        "<button>",
        " one two three four five six. Seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
        "字字字字字字字字字字。字字字字字字字字字字",
        "…",
        " ",
        "\n",
        "<style>.a{top:0}li:nth-child(4){top:1px}[class=b]{top:2px}</style>",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_page_is_masked_and_shortened_once(html in long_soup(), tokens_max in 0_usize..200) {
        for level in Level::ALL {
            let policy = with_text(level, Some(tokens_max));
            if let Verdict::Keep(page) = verdict(&format!("<!DOCTYPE html>x{html}"), &policy, &NoAssets) {
                let (again, attributes) = kept(&page.body.html, &policy, &NoAssets);
                prop_assert_eq!(again, page.body.html, "{}", level.name());
                prop_assert_eq!(attributes.int(name::MASKED), Some(0));
            }
        }
    }
}

#[test]
fn what_was_taken_is_told_with_the_reason() {
    let html = "<!doctype html><title>t</title><meta name=generator content=x><script>let a;</script>\
                <style>p { color: red } .gone, em { color: blue } @media print { p { color: black } }</style>\
                <div class='used lost' onclick=a()><div hidden><b>never</b></div><p>seen<em>!</em></div>\
                <style>.used { margin: 0 }</style>";
    let policy = CleanPolicy { text_chars_min: 0, html_bytes_min: 0, ..CleanPolicy::default() };
    let (verdict, removed) = crate::explain(&capture(html), "https://a.example/", &policy, &NoAssets);
    let told = |what: &str, why: &str| {
        let found = removed.iter().find(|removed| removed.what == what).map(|removed| removed.why);
        assert!(found.is_some_and(|found| found.contains(why)), "{what}: {found:?} in {removed:#?}");
    };
    told("<script>", "scripts do not run");
    told("<meta name=\"generator\" content=\"x\">", "metadata");
    told("<div hidden=\"\">", "never shown");
    told("class lost of <div>", "no rule");
    told("onclick=\"a()\" of <div>", "acts");
    told(".gone", "matches nothing");
    told("@media print p", "matches nothing");
    let is_told = |what: &str| removed.iter().any(|removed| removed.what == what);
    assert!(!is_told("p") && !is_told("em") && !is_told(".used") && !is_told("<b>"), "{removed:#?}");
    let plain = crate::clean(&capture(html), "https://a.example/", &policy, &NoAssets);
    assert_eq!(format!("{verdict:?}"), format!("{plain:?}"));
}

#[test]
fn images_may_name_where_they_came_from() {
    let policy = CleanPolicy { images: ImagePolicy::Original, ..lenient() };
    let check = |html: &str, expected: Option<&str>| {
        let (once, attributes) = kept(html, &policy, &NoAssets);
        let named = once.split_once("data-source=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(url, _)| url);
        assert_eq!(named, expected, "{once}");
        assert_eq!(attributes.text(item::name::IMAGE_POLICY), Some("original"));
        assert_eq!(kept(&once, &policy, &NoAssets).0, once);
        assert!(!kept(&once, &lenient(), &NoAssets).0.contains("data-source"));
    };
    check("<p>a<img src=../b.png width=9 height=9>", Some("https://example.com/b.png"));
    check("<p>a<img src=data:, data-src=c.png>", Some("https://example.com/dir/c.png"));
    check("<p>a<img src=ftp://example.com/d.png data-source=x>", None);
    check("<p data-source=https://example.com/>a", None);
}

#[test]
fn a_style_of_another_type_is_none() {
    let check = |kind: &str, counts: bool| {
        let html = format!("<style type='{kind}'>p {{ color: red }}</style><p>a");
        assert_eq!(kept(&html, &lenient(), &NoAssets).0.contains("color: red"), counts, "{kind:?}");
    };
    check("", true);
    check("Text/CSS", true);
    check("text/css ", false);
    check("text/css; charset=utf-8", false);
    check("text/less", false);
}
