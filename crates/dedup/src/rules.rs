//! Why an item is not wanted beside the others.

use item::Rule;

/// Another item has the very same bytes.
pub const EXACT_DUPLICATE: Rule = Rule {
    name: "exact-duplicate",
    meaning: "Another page of the run, or a published one, has exactly the same cleaned HTML; what is published stays, then the better ranked one, then the one with the smaller id.",
};

/// Another item is made and written the same.
pub const NEAR_DUPLICATE_PAGE: Rule = Rule {
    name: "near-duplicate-page",
    meaning: "A better ranked page has nearly the same elements, style sheet and text, so it is not rendered.",
};

/// The theme has enough better items.
pub const THEME_CAP: Rule = Rule {
    name: "theme-cap",
    meaning: "Pages built of nearly the same elements and style sheet already have their full number of pages that rank higher.",
};

/// The domain has enough better items.
pub const DOMAIN_CAP: Rule = Rule {
    name: "domain-cap",
    meaning: "The registrable domain already has its full number of pages that rank higher.",
};

/// Another item looks the same.
pub const NEAR_DUPLICATE: Rule = Rule {
    name: "near-duplicate",
    meaning: "The page says and looks the same as a better scored or published one, directly or through others of the cluster.",
};

/// There is nothing to see.
pub const BLANK_SCREENSHOT: Rule =
    Rule { name: "blank-screenshot", meaning: "The screenshot is one flat colour or nearly so." };

/// A benchmark has the picture.
pub const BENCHMARK_IMAGE: Rule = Rule {
    name: "benchmark-image",
    meaning: "A hash list of a benchmark has a picture that looks like the whole screenshot.",
};

/// A benchmark has the first screen.
pub const BENCHMARK_VIEWPORT: Rule = Rule {
    name: "benchmark-viewport",
    meaning: "A hash list of a benchmark has a picture that looks like the first viewport.",
};

/// A benchmark has the text.
pub const BENCHMARK_TEXT: Rule =
    Rule { name: "benchmark-text", meaning: "A hash list of a benchmark has a page that shares half of its text." };

/// A benchmark has the page's build.
pub const BENCHMARK_DOM: Rule = Rule {
    name: "benchmark-dom",
    meaning: "A hash list of a benchmark has a page of nearly the same elements and style sheet.",
};

/// A benchmark has the domain.
pub const BENCHMARK_DOMAIN: Rule =
    Rule { name: "benchmark-domain", meaning: "A hash list of a benchmark names the registrable domain." };

/// The row belongs to two splits.
pub const SPLIT_CONFLICT: Rule = Rule {
    name: "split-conflict",
    meaning: "Near-duplicates tie the page's domain, which is new, to published rows of two different splits.",
};

/// Every rule of this crate.
pub const RULES: &[Rule] = &[
    EXACT_DUPLICATE,
    NEAR_DUPLICATE_PAGE,
    THEME_CAP,
    DOMAIN_CAP,
    NEAR_DUPLICATE,
    BLANK_SCREENSHOT,
    BENCHMARK_IMAGE,
    BENCHMARK_VIEWPORT,
    BENCHMARK_TEXT,
    BENCHMARK_DOM,
    BENCHMARK_DOMAIN,
    SPLIT_CONFLICT,
];
