//! Selector matching: the `selectors` crate on our tree.
//!
//! What the reader does, state and language count as "could be true", also under `:not()`: a rule is only unused if
//! nothing can make it match.

use std::cell::{Cell, RefCell};
use std::fmt;

use cssparser::{CowRcStr, ParseError, Parser as CssParser, ParserInput, SourceLocation, ToCss};
use precomputed_hash::PrecomputedHash;
use selectors::OpaqueElement;
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::context::{
    MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, QuirksMode, SelectorCaches,
};
use selectors::matching::{ElementSelectorFlags, matches_selector};
use selectors::parser::{
    NonTSPseudoClass, ParseRelative, PseudoElement, SelectorImpl, SelectorList, SelectorParseErrorKind,
};

use super::index::Index;
use super::sketch::{self, Sketch};
use crate::dom::{Dom, Element, Mode, NodeId};

/// Most tests of one element against one selector in a page. Real pages take some ten thousand; beyond, what is left
/// counts as used.
const TESTS_MAX: usize = 4_000_000;

/// A complex selector and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Complex<'a> {
    pub(super) text: &'a str,
    pub(super) sketch: Sketch,
    /// `None` if it is so simple that its sketch says all, or if it could not be parsed.
    parsed: Option<SelectorList<Selectors>>,
}

/// Matches selectors against one tree that does not change meanwhile.
pub(super) struct Matcher<'d> {
    dom: &'d Dom,
    pub(super) index: Index<'d>,
    caches: RefCell<SelectorCaches>,
    tests: Cell<usize>,
}

impl<'d> Matcher<'d> {
    pub(super) fn new(dom: &'d Dom) -> Self {
        Self { dom, index: Index::new(dom), caches: RefCell::default(), tests: Cell::new(0) }
    }

    /// Looks at a selector for the first time.
    pub(super) fn read<'a>(&self, text: &'a str) -> Complex<'a> {
        let mut sketch = sketch::sketch(text, &self.index);
        let mut parsed = None;
        if sketch.is_possible && !sketch.is_foreign && !sketch.is_single {
            let mut input = ParserInput::new(text);
            parsed = SelectorList::parse(&Reader, &mut CssParser::new(&mut input), ParseRelative::No).ok();
            sketch.is_plain &= parsed.is_some();
        }
        Complex { text, sketch, parsed }
    }

    /// Whether a selector that was read with this matcher could match some element.
    pub(super) fn matches(&self, selector: &Complex<'_>) -> bool {
        self.any(selector, &selector.sketch)
    }

    /// Whether a selector that was read with another matcher could match some element.
    pub(super) fn still_matches(&self, selector: &Complex<'_>) -> bool {
        self.any(selector, &sketch::sketch(selector.text, &self.index))
    }

    /// Whether everything that the selector names still stands in the page.
    pub(super) fn is_possible(&self, selector: &Complex<'_>) -> bool {
        sketch::sketch(selector.text, &self.index).is_possible
    }

    fn any(&self, selector: &Complex<'_>, sketch: &Sketch) -> bool {
        if !sketch.is_possible || selector.sketch.is_single || selector.parsed.is_none() {
            return sketch.is_possible;
        }
        sketch::candidates(selector.text, sketch, &self.index).iter().any(|&node| self.test(selector, node))
    }

    /// Every element that the selector could match, in document order.
    pub(super) fn find(&self, selector: &Complex<'_>) -> Vec<NodeId> {
        let sketch = sketch::sketch(selector.text, &self.index);
        if !sketch.is_possible {
            return Vec::new();
        }
        let candidates = sketch::candidates(selector.text, &sketch, &self.index).iter().copied();
        candidates.filter(|&node| self.test(selector, node)).collect()
    }

    fn test(&self, selector: &Complex<'_>, node: NodeId) -> bool {
        let (Some(list), Some(element)) = (&selector.parsed, self.dom.element(node)) else { return true };
        self.tests.set(self.tests.get() + 1);
        if self.tests.get() > TESTS_MAX {
            return true;
        }
        let quirks = match self.dom.mode {
            Mode::Quirks => QuirksMode::Quirks,
            Mode::AlmostStandards => QuirksMode::LimitedQuirks,
            Mode::Standards => QuirksMode::NoQuirks,
        };
        let handle = Handle { dom: self.dom, id: node, element };
        list.slice().iter().any(|complex| {
            let mode = if complex.has_pseudo_element() {
                MatchingMode::ForStatelessPseudoElement
            } else {
                MatchingMode::Normal
            };
            let mut caches = self.caches.borrow_mut();
            let mut context = MatchingContext::new(
                mode,
                None,
                &mut caches,
                quirks,
                NeedsSelectorFlags::No,
                MatchingForInvalidation::No,
            );
            matches_selector(complex, 0, None, &handle, &mut context)
        })
    }
}

impl fmt::Debug for Matcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher").field("tests", &self.tests).finish_non_exhaustive()
    }
}

/// The types that selectors are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selectors;

/// A name or a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name(Box<str>);

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl ToCss for Name {
    fn to_css<W: fmt::Write>(&self, dest: &mut W) -> fmt::Result {
        dest.write_str(&self.0)
    }
}

impl PrecomputedHash for Name {
    /// FNV-1a. Only used to look up in filters, which we have none of.
    fn precomputed_hash(&self) -> u32 {
        self.0.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }
}

impl SelectorImpl for Selectors {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Name;
    type Identifier = Name;
    type LocalName = Name;
    type NamespaceUrl = Name;
    type NamespacePrefix = Name;
    type BorrowedNamespaceUrl = Name;
    type BorrowedLocalName = Name;
    type NonTSPseudoClass = State;
    type PseudoElement = Part;
}

/// A pseudo-class that could be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State(Name);

impl ToCss for State {
    fn to_css<W: fmt::Write>(&self, dest: &mut W) -> fmt::Result {
        write!(dest, ":{}", self.0.0)
    }
}

impl NonTSPseudoClass for State {
    type Impl = Selectors;

    fn is_active_or_hover(&self) -> bool {
        matches!(&*self.0.0, "active" | "hover")
    }

    fn is_user_action_state(&self) -> bool {
        matches!(&*self.0.0, "active" | "hover" | "focus" | "focus-within" | "focus-visible")
    }
}

/// A pseudo-element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part(Name);

impl ToCss for Part {
    fn to_css<W: fmt::Write>(&self, dest: &mut W) -> fmt::Result {
        write!(dest, "::{}", self.0.0)
    }
}

impl PseudoElement for Part {
    type Impl = Selectors;

    fn accepts_state_pseudo_classes(&self) -> bool {
        true
    }

    fn valid_after_before_or_after(&self) -> bool {
        &*self.0.0 == "marker"
    }
}

struct Reader;

impl<'i> selectors::Parser<'i> for Reader {
    type Impl = Selectors;
    type Error = SelectorParseErrorKind<'i>;

    fn parse_nth_child_of(&self) -> bool {
        true
    }

    fn parse_is_and_where(&self) -> bool {
        true
    }

    fn parse_has(&self) -> bool {
        true
    }

    fn is_is_alias(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case("-webkit-any")
    }

    fn parse_non_ts_pseudo_class(
        &self,
        _: SourceLocation,
        name: CowRcStr<'i>,
    ) -> Result<State, ParseError<'i, Self::Error>> {
        Ok(State(Name(name.to_ascii_lowercase().into())))
    }

    fn parse_non_ts_functional_pseudo_class<'t>(
        &self,
        name: CowRcStr<'i>,
        parser: &mut CssParser<'i, 't>,
        _after_part: bool,
    ) -> Result<State, ParseError<'i, Self::Error>> {
        while parser.next().is_ok() {}
        Ok(State(Name(name.to_ascii_lowercase().into())))
    }

    fn parse_pseudo_element(&self, _: SourceLocation, name: CowRcStr<'i>) -> Result<Part, ParseError<'i, Self::Error>> {
        Ok(Part(Name(name.to_ascii_lowercase().into())))
    }
}

/// An element as the `selectors` crate wants it.
#[derive(Clone, Copy)]
struct Handle<'d> {
    dom: &'d Dom,
    id: NodeId,
    element: &'d Element,
}

impl Handle<'_> {
    fn at(self, id: NodeId) -> Option<Self> {
        self.dom.element(id).map(|element| Self { dom: self.dom, id, element })
    }

    fn has_in_list(self, name: &str, word: &Name, case: CaseSensitivity) -> bool {
        let mut words = self.element.get(name).unwrap_or_default().split_ascii_whitespace();
        words.any(|w| case.eq(w.as_bytes(), word.0.as_bytes()))
    }
}

impl fmt::Debug for Handle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.element.name.local)
    }
}

impl selectors::Element for Handle<'_> {
    type Impl = Selectors;

    fn opaque(&self) -> OpaqueElement {
        OpaqueElement::new(self.element)
    }

    fn parent_element(&self) -> Option<Self> {
        self.at(self.dom.parent(self.id)?)
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        std::iter::successors(self.dom.previous_sibling(self.id), |&node| self.dom.previous_sibling(node))
            .find_map(|node| self.at(node))
    }

    fn next_sibling_element(&self) -> Option<Self> {
        std::iter::successors(self.dom.next_sibling(self.id), |&node| self.dom.next_sibling(node))
            .find_map(|node| self.at(node))
    }

    fn first_element_child(&self) -> Option<Self> {
        self.dom.children(self.id).find_map(|node| self.at(node))
    }

    fn is_html_element_in_html_document(&self) -> bool {
        self.element.is_html()
    }

    fn has_local_name(&self, name: &Name) -> bool {
        *self.element.name.local == *name.0
    }

    fn has_namespace(&self, namespace: &Name) -> bool {
        *self.element.name.ns == *namespace.0
    }

    fn is_same_type(&self, other: &Self) -> bool {
        self.element.name.local == other.element.name.local && self.element.name.ns == other.element.name.ns
    }

    fn attr_matches(
        &self,
        namespace: &NamespaceConstraint<&Name>,
        name: &Name,
        operation: &AttrSelectorOperation<&Name>,
    ) -> bool {
        self.element.attributes.iter().any(|attribute| {
            let is_in = match namespace {
                NamespaceConstraint::Any => true,
                NamespaceConstraint::Specific(wanted) => *attribute.name.ns == *wanted.0,
            };
            is_in && *attribute.name.local == *name.0 && operation.eval_str(&attribute.value)
        })
    }

    fn match_non_ts_pseudo_class(&self, _: &State, context: &mut MatchingContext<'_, Selectors>) -> bool {
        // "Could be true": so it is, and under `:not()` it is not.
        !context.in_negation()
    }

    fn match_pseudo_element(&self, _: &Part, _: &mut MatchingContext<'_, Selectors>) -> bool {
        true
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        matches!(&*self.element.name.local, "a" | "area") && self.element.has("href")
    }

    fn is_html_slot_element(&self) -> bool {
        false
    }

    fn has_id(&self, id: &Name, case: CaseSensitivity) -> bool {
        self.element.get("id").is_some_and(|own| case.eq(own.as_bytes(), id.0.as_bytes()))
    }

    fn has_class(&self, name: &Name, case: CaseSensitivity) -> bool {
        self.has_in_list("class", name, case)
    }

    fn has_custom_state(&self, _: &Name) -> bool {
        true
    }

    fn imported_part(&self, _: &Name) -> Option<Name> {
        None
    }

    fn is_part(&self, _: &Name) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        self.dom
            .children(self.id)
            .all(|node| self.dom.element(node).is_none() && self.dom.text(node).is_none_or(str::is_empty))
    }

    fn is_root(&self) -> bool {
        self.dom.parent(self.id) == Some(Dom::DOCUMENT)
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::Matcher;
    use crate::dom::{Caps, parse};

    #[test]
    fn selectors_match_as_they_could() {
        let caps = Caps { elements_max: 100, depth_max: 100 };
        let html = "<!DOCTYPE html><body><ul id=u><li class=a>1<li class=b>2<li>3</ul><p lang=de></p><input type=TEXT>";
        let dom = parse(html, caps).expect("no caps");
        let matcher = Matcher::new(&dom);
        let check = |selector: &str, expected: usize| {
            let complex = matcher.read(selector);
            assert_eq!(matcher.find(&complex).len(), expected, "{selector}");
            assert_eq!(matcher.matches(&complex), expected > 0, "{selector}");
            assert_eq!(matcher.still_matches(&complex), expected > 0, "{selector}");
        };
        check("li", 3);
        check("ul > li.a", 1);
        check("ul > body", 0);
        check("li + li", 2);
        check(".a ~ li:last-child", 1);
        check("li:nth-child(2n+1)", 2);
        check("li:nth-child(1 of .b)", 1);
        check("li:not(.a)", 2);
        check("li:not(:hover)", 3);
        check("li:hover::before", 3);
        check("li:not(:not(:hover))", 3);
        check(":is(ul, p):has(> li)", 1);
        check("p:empty", 1);
        check("li:empty", 0);
        check("input[type=text]", 1);
        check(":root", 1);
        check("*", 9);
        check("body .c", 0);
    }
}
