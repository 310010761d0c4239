//! Why an item is not wanted beside the others.

use item::Rule;

/// Another item has the very same bytes.
pub const EXACT_DUPLICATE: Rule = Rule {
    name: "exact-duplicate",
    meaning: "Another page of the run has exactly the same cleaned HTML; the better ranked one, then the one with the smaller id, stays.",
};

/// The domain has enough better items.
pub const DOMAIN_CAP: Rule = Rule {
    name: "domain-cap",
    meaning: "The registrable domain already has its full number of pages that rank higher.",
};

/// Another item looks the same.
pub const NEAR_DUPLICATE: Rule = Rule {
    name: "near-duplicate",
    meaning: "The screenshot looks like that of a better scored page: their perceptual hashes lie within the configured distance, directly or through others of the cluster.",
};

/// There is nothing to see.
pub const BLANK_SCREENSHOT: Rule =
    Rule { name: "blank-screenshot", meaning: "The screenshot is one flat colour or nearly so." };

/// Every rule of this crate.
pub const RULES: &[Rule] = &[EXACT_DUPLICATE, DOMAIN_CAP, NEAR_DUPLICATE, BLANK_SCREENSHOT];
