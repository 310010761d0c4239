//! A run that goes on, from the events that `databuild run --events FILE` writes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use serde_json::{Value, json};

use super::counts;

/// Failures that are kept in sight.
const FAILURES: usize = 20;

/// What every stage has done so far, in the order in which they began; the last failures.
pub(super) fn stages(events: &Path) -> io::Result<Value> {
    let (mut order, mut sums): (Vec<String>, BTreeMap<String, [u64; 4]>) = (Vec::new(), BTreeMap::new());
    let mut failures: Vec<Value> = Vec::new();
    for line in BufReader::new(File::open(events)?).lines() {
        // The last line may be half written.
        let Ok(event) = serde_json::from_str::<Value>(&line?) else { continue };
        let number = |key: &str| event[key].as_u64().unwrap_or(0);
        match (event["stage"].as_str(), event["seen"].as_u64()) {
            (Some(stage), Some(seen)) => {
                if !sums.contains_key(stage) {
                    order.push(stage.to_owned());
                }
                let sum = sums.entry(stage.to_owned()).or_default();
                for (sum, more) in sum.iter_mut().zip([seen, number("kept"), number("rejected"), number("failed")]) {
                    *sum += more;
                }
            }
            (Some(_), None) if event["class"].is_string() => {
                if failures.len() == FAILURES {
                    failures.remove(0);
                }
                failures.push(event);
            }
            _ => {}
        }
    }
    let stages: Vec<Value> =
        order.iter().filter_map(|stage| Some(json!({ "stage": stage, "counts": counts(*sums.get(stage)?) }))).collect();
    Ok(json!({ "stages": stages, "failures": failures }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_by_stage() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events.jsonl");
        let events = concat!(
            "{\"event\":\"run-started\",\"name\":\"x\"}\n",
            "{\"event\":\"batch-processed\",\"stage\":\"clean\",\"seen\":3,\"kept\":2,\"rejected\":1,\"failed\":0}\n",
            "{\"event\":\"batch-processed\",\"stage\":\"render\",\"seen\":2,\"kept\":1,\"rejected\":0,\"failed\":1}\n",
            "{\"event\":\"item-failed\",\"stage\":\"render\",\"class\":\"timeout\",\"url\":\"u\"}\n",
            "{\"event\":\"batch-processed\",\"stage\":\"clean\",\"seen\":4,\"kept\":4,\"rejected\":0,\"failed\":0}\n",
            "{\"event\":\"batch-proc"
        );
        std::fs::write(&path, events).expect("write");
        let live = stages(&path).expect("read");
        assert_eq!(live["stages"][0], json!({ "stage": "clean", "counts": counts([7, 6, 1, 0]) }));
        assert_eq!(live["stages"][1]["stage"], "render");
        assert_eq!(live["failures"][0]["class"], "timeout");
    }
}
