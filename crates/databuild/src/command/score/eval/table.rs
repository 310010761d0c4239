//! The figures as a table for people, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::figures::{Bin, Figures, Share};

fn shown(share: &Share) -> String {
    format!("{:.3} [{:.3}, {:.3}] of {}", share.value, share.low, share.high, share.count)
}

/// The table of a model and of the baselines.
pub(super) fn text(model: &str, figures: &Figures, baselines: &[(&str, Figures)]) -> String {
    let mut text = format!("{model}\n\npage above damaged copy (95 % interval by sites)\n");
    for ((kind, severity), share) in &figures.pairs {
        let _ = writeln!(text, "  {kind:<22} {severity}  {}", shown(share));
    }
    for (severity, share) in &figures.by_severity {
        let _ = writeln!(text, "  {:<22} {severity}  {}", "all kinds", shown(share));
    }
    let _ = writeln!(text, "  {:<25}{}", "all kinds and severities", shown(&figures.all));
    let _ = writeln!(text, "less above more damage     {}", shown(&figures.chains));
    let _ = writeln!(text, "rank correlation           {:.3}", figures.rank_correlation);
    text.push_str("\narea under the curve, original against\n");
    for (kind, area) in &figures.auc {
        let _ = writeln!(text, "  {kind:<25}{area:.3}");
    }
    let _ = writeln!(text, "  {:<25}{:.3}", "all non-pages", figures.auc_all);
    if let Some(error) = figures.calibration_error {
        let _ = writeln!(text, "\ncalibration error {error:.3}; said, found, states");
        for Bin { said, found, count } in &figures.calibration {
            let _ = writeln!(text, "  {said:.3} {found:.3} {count}");
        }
    }
    let _ = writeln!(text, "\n{:<18} {:>8} {:>8} {:>8} {:>8}", "baseline", "all", "high", "chains", "AUC");
    for (name, figures) in
        [("the model", figures)].into_iter().chain(baselines.iter().map(|(name, figures)| (*name, figures)))
    {
        let high = figures.by_severity.get(&3).map_or(f64::NAN, |share| share.value);
        let _ = writeln!(
            text,
            "{name:<18} {:>8.3} {high:>8.3} {:>8.3} {:>8.3}",
            figures.all.value, figures.chains.value, figures.auc_all
        );
    }
    text.truncate(text.trim_end().len());
    text
}

fn share(share: &Share) -> Value {
    json!({ "value": share.value, "low": share.low, "high": share.high, "count": share.count })
}

fn one(figures: &Figures) -> Value {
    let pair = |((kind, severity), found): (&(String, u8), &Share)| json!({ "kind": kind, "severity": severity, "share": share(found) });
    let bin = |Bin { said, found, count }: &Bin| json!({ "said": said, "found": found, "count": count });
    json!({
        "pairs": figures.pairs.iter().map(pair).collect::<Vec<_>>(),
        "by_severity": figures.by_severity.iter().map(|(severity, found)| json!({ "severity": severity, "share": share(found) })).collect::<Vec<_>>(),
        "all": share(&figures.all),
        "chains": share(&figures.chains),
        "rank_correlation": figures.rank_correlation,
        "auc": figures.auc,
        "auc_all": figures.auc_all,
        "calibration": figures.calibration.iter().map(bin).collect::<Vec<_>>(),
        "calibration_error": figures.calibration_error,
    })
}

/// The same for programs.
pub(super) fn json(model: &str, figures: &Figures, baselines: &[(&str, Figures)]) -> Value {
    let baselines: serde_json::Map<String, Value> =
        baselines.iter().map(|(name, figures)| ((*name).to_owned(), one(figures))).collect();
    json!({ "model": model, "figures": one(figures), "baselines": baselines })
}
