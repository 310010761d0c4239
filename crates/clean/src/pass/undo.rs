//! A change of the tree that must not change what selectors match.
//!
//! The cascade is the same if every selector that depends on other elements matches the same elements as before. So that
//! is what is asked after a change, and the parts of it that made a difference are taken back.

use std::collections::HashSet;

use crate::css::{self, Placed};
use crate::dom::{Dom, NodeId};

/// One part of a change.
pub(super) trait Step {
    /// Elements whose subtree may be matched otherwise because of this step.
    fn scope(&self, dom: &Dom) -> NodeId;

    /// Puts the tree back to what it was before the step; steps are taken back last first.
    fn undo(&self, dom: &mut Dom);

    /// The node that the step took out.
    fn removed(&self) -> NodeId;
}

/// Takes back what made a difference; gives the steps that stand. `before` is what `selectors` matched before them.
pub(super) fn keep_harmless<S: Step>(
    dom: &mut Dom,
    mut steps: Vec<S>,
    selectors: &[Placed<'_>],
    before: &[Vec<NodeId>],
) -> Vec<S> {
    // Each round takes something back, so this ends.
    while !steps.is_empty() {
        let mut is_gone = vec![false; dom.size()];
        for step in &steps {
            mark(dom, step.removed(), &mut is_gone);
        }
        let after = css::matches(selectors, dom);
        let mut differing: HashSet<NodeId> = HashSet::new();
        for (before, after) in before.iter().zip(&after) {
            let expected = before.iter().filter(|node| !is_gone[node.index()]);
            if !expected.clone().eq(after) {
                let expected: HashSet<NodeId> = expected.copied().collect();
                let found: HashSet<NodeId> = after.iter().copied().collect();
                differing.extend(expected.symmetric_difference(&found));
            }
        }
        if differing.is_empty() {
            break;
        }
        let mut touched: HashSet<NodeId> = HashSet::new();
        for node in differing {
            touched.insert(node);
            touched.extend(dom.ancestors(node));
        }
        let mut guilty: Vec<bool> = steps.iter().map(|step| touched.contains(&step.scope(dom))).collect();
        if !guilty.contains(&true) {
            guilty.fill(true);
        }
        for (step, _) in steps.iter().zip(&guilty).rev().filter(|(_, guilty)| **guilty) {
            step.undo(dom);
        }
        let mut guilty = guilty.into_iter();
        steps.retain(|_| !guilty.next().unwrap_or(false));
    }
    steps
}

fn mark(dom: &Dom, root: NodeId, is_gone: &mut [bool]) {
    is_gone[root.index()] = true;
    for node in dom.descendants(root) {
        is_gone[node.index()] = true;
    }
}
