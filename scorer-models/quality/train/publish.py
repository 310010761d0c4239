"""The figures as tables, and the model in its place: weights, manifest, figures and the card's summary."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

START, END = "<!-- figures: written by train/evaluate.py -->", "<!-- end of figures -->"
PUBLISHED = ("scorer.onnx", "model.toml", "evaluation.json", "evaluation.md")


def write(folder: Path, report: dict) -> None:
    (folder / "evaluation.json").write_text(json.dumps(report, indent=1) + "\n")
    (folder / "evaluation.md").write_text(markdown(report))


def publish(model: Path, folder: Path) -> None:
    for name in PUBLISHED:
        shutil.copyfile(model / name, folder / name)
    card = folder / "README.md"
    report = json.loads((model / "evaluation.json").read_text())
    before, rest = card.read_text().split(START)
    card.write_text(f"{before}{START}\n\n{summary(report)}\n\n{END}{rest.split(END)[1]}")


def table(head: list[str], rows: list[list[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def value(entry: dict | None) -> str:
    """A figure with its interval, or nothing."""
    if not entry or "mean" not in entry:
        return ""
    return f"{entry['mean']:.2f} [{entry['low']:.2f}, {entry['high']:.2f}]"


def signed(entry: dict) -> str:
    """A difference with its interval."""
    return f"{entry['mean']:+.2f} [{entry['low']:+.2f}, {entry['high']:+.2f}]"


SHORT = ("all damage", "severe damage", "milder before harder", "auc")
SHORT_HEAD = ["original above all damage", "above severe damage", "milder above harder", "AUC against non-pages"]


def short(entry: dict) -> list[str]:
    return [value(entry[name]) for name in SHORT]


def summary(report: dict) -> str:
    """What the card says."""
    return "\n\n".join((data(report), against(report), negatives(report), kinds(report))).replace("## ", "### ")


def markdown(report: dict) -> str:
    sections = (
        "# Evaluation of the page-quality scorer\n\nWritten by `train/evaluate.py` from `evaluation.json`. All figures are of "
        "test pages, of sites that training and calibration never saw. Brackets are 95 % intervals from resampling sites. "
        "The commands are those of `train/run.sh`.",
        data(report), against(report), kinds(report), severities(report), negatives(report), chains(report), parts(report),
        calibration(report), left_out(report), runs(report), costs(report),
    )
    return "\n\n".join(sections) + "\n"


def data(report: dict) -> str:
    names = sorted({kind for split in report["data"].values() for kind in split["negatives"]})
    rows = [[split, n["sites"], n["originals"], n["damaged states"], *(n["negatives"].get(name, 0) for name in names)] for split, n in report["data"].items()]
    return "## Data\n\n" + table(["split", "sites", "originals", "damaged", *names], rows)


def against(report: dict) -> str:
    others = {"**net: bare picture**": report["picture"], "net: layout features alone": report["layout"]} | report["simple"]
    rows = [["**net: picture and layout features**", *short(report["both"])]] + [[name, *short(entry)] for name, entry in others.items()]
    gaps = [[name, *(signed(gap) for gap in entry["net minus it"].values())] for name, entry in others.items() if name.startswith(("**", "net", "linear"))]
    return (
        "## Against simpler scorers\n\n" + table(["scorer", *SHORT_HEAD], rows)
        + "\n\nThe net with picture and layout features minus the other, on the very same pairs:\n\n"
        + table(["scorer", "all damage", "milder above harder", "AUC against non-pages"], gaps)
    )


def kinds(report: dict) -> str:
    by = report["both"]["by kind"]
    rows = [
        [kind, by[kind]["principle"], by[kind]["all"]["n"], *(value(by[kind][level]) for level in ("1", "2", "3")), value(by[kind]["milder before harder"]),
         value(report["picture"]["by kind"][kind]["all"])]
        for kind in sorted(by, key=lambda kind: -by[kind]["all"]["mean"])
    ]
    return "## By kind of damage\n\nShare of copies that score below their original, with layout features except in the last column.\n\n" + table(["kind", "principle", "pairs", "low", "middle", "high", "milder above harder", "bare picture, all"], rows)


def severities(report: dict) -> str:
    rows = [[level, report["both"]["by severity"][level]["n"], *(value(report[mode]["by severity"][level]) for mode in ("both", "picture"))] for level in report["both"]["by severity"]]
    return "## By severity\n\n" + table(["severity", "pairs", "picture and layout", "bare picture"], rows)


def negatives(report: dict) -> str:
    rows = [[kind, entry["n"], value(entry), value(report["picture"]["auc by negative"][kind])] for kind, entry in report["both"]["auc by negative"].items()]
    rows.append(["all", report["both"]["auc"]["n"], value(report["both"]["auc"]), value(report["picture"]["auc"])])
    return "## Pages against what is no page (AUC, across sites)\n\n" + table(["kind", "states", "picture and layout", "bare picture"], rows)


def chains(report: dict) -> str:
    rows = [[name, report["both"]["chains"][name]["n"], *(value(report[mode]["chains"][name]) for mode in ("both", "picture"))] for name in ("spearman", "all in order")]
    return "## Along a chain of rising severity\n\nSpearman's correlation of severity with falling score, and share of chains wholly in order, the original included.\n\n" + table(["", "chains", "picture and layout", "bare picture"], rows)


def parts(report: dict) -> str:
    names = [name for name in next(iter(report["parts"].values())) if name != "part"]
    rows = []
    for principle, entry in report["parts"].items():
        cells = [f"**{value(entry[name])}**" if entry["part"] == name else value(entry[name]) for name in names]
        rows.append([principle, entry[names[0]]["n"], *cells])
    return "## Sub-scores\n\nHow often the part of an original is above that of a copy damaged in middle or high degree; bold where the part is meant to see it. 0.5 elsewhere would be a part that sees nothing but its own.\n\n" + table(["principle", "pairs", *names], rows)


def calibration(report: dict) -> str:
    text = []
    for mode, name in (("both", "picture and layout features"), ("picture", "bare picture")):
        entry = report["calibration"][mode]
        rows = [[f"{b['from']:.1f}", b["states"], f"{b['weight']:.2f}", f"{b['said']:.2f}", f"{b['is']:.2f}"] for b in entry["bins"]]
        kept = [[kind, k["n"], f"{k['share']:.2f}"] for kind, k in entry["kept"].items()]
        text.append(f"### {name}\n\nExpected calibration error {entry['error']:.3f}.\n\n" + table(["from", "states", "weight", "said", "is"], rows)
                    + "\n\nWhat `keep_at` lets pass; of damaged kinds only severe states.\n\n" + table(["kind", "states", "share kept"], kept))
    return "## Calibration\n\nPlatt's numbers are fitted on validation pages with layout features: originals against non-pages and severe damage, both of equal weight.\n\n" + "\n\n".join(text)


def left_out(report: dict) -> str:
    rows = []
    for run in report["compared"]:
        for kind, modes in run["left out"].items():
            for mode, entry in modes.items():
                shipped = report["both" if mode != "picture" else "picture"]["by kind"].get(kind, {}).get("all")
                rows.append([kind, mode, run["settings"]["steps"], entry["n"], value(entry), value(shipped)])
    title = "## Damage that training did not see\n\n"
    return title + (table(["kind", "asked with", "steps", "pairs", "left out", "shipped (bare picture for pictures, else both)"], sorted(rows)) if rows else "Not measured.")


def runs(report: dict) -> str:
    rows = []
    for run in report["compared"]:
        s = run["settings"]
        for mode in ("both", "picture", "layout"):
            if mode in run and not s["leave_out"]:
                rows.append([run["name"], mode, s["view"], s["share"], run["pages"], s["steps"], run["minutes"], *short(run[mode])])
    title = "## Other ways to train\n\n"
    return title + (table(["run", "asked with", "view", "share of sites", "pages", "steps", "minutes", *SHORT_HEAD], rows) if rows else "Not measured.")


def costs(report: dict) -> str:
    exported, training = report["export"], report["training"]
    rows = [[count, entry["fastest"], entry["median"]] for count, entry in report["speed"].items()]
    return (
        f"## Costs\n\n{exported['weights']:,} trained numbers, {exported['bytes']:,} bytes. Training: {training['settings']['steps']} steps in {training['minutes']} minutes on "
        f"{training['threads']} thread(s), seed {training['settings']['seed']}. ONNX Runtime on one core, milliseconds a page:\n\n" + table(["tiles", "fastest", "median"], rows)
        + "\n\nLargest differences of scores: " + "; ".join(f"{name} {number:.1e}" for name, number in exported["differences"].items()) + "."
    )
