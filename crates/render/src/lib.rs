//! A page to snapshots, and a Chrome farm that stays healthy.
