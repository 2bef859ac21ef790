"""Where the time of a waited execution goes, as SVG, from what `badlambda-bench latency --json` printed."""

import json

import plots
from matplotlib import pyplot

WAITED = "submit to answer"
LARGE = f"{WAITED}, store_result: large"
# In their order.
STATIONS = {
    "submit": "#d6d9dd",
    "queue and receive": "#8a8f98",
    "start and run": "#b3261e",
    "store result": "#efc9c6",
    "store record": "#e0938d",
    "answer": "#b9bec6",
}


def draw(before, after, path):
    before, after = (json.loads(file.read_text())["figures"] for file in (before, after))
    bars = {"before": (before, WAITED), "now": (after, WAITED), "now, store_result: large": (after, LARGE)}
    path.parent.mkdir(parents=True, exist_ok=True)
    picture, axes = pyplot.subplots(figsize=(8, 2.6))
    for name, (figures, waited) in bars.items():
        left = 0
        for station, color in STATIONS.items():
            width = figures[f"{waited}, of which {station}"]["value"]
            label = station if name == "before" else None
            axes.barh(name, width, left=left, color=color, edgecolor="#333333", linewidth=0.5, height=0.6, label=label)
            if width > 4:
                axes.annotate(f"{width:.0f}", (left + width / 2, name), ha="center", va="center", fontsize=8)
            left += width
    axes.invert_yaxis()
    axes.legend(frameon=False, ncols=len(STATIONS), fontsize=7, loc="lower left", bbox_to_anchor=(-0.02, 1), columnspacing=1)
    axes.set_xlabel("ms since the submit, medians; SQS takes 8 ms and S3 25 ms a request, each ± 30 %")
    axes.spines[["top", "right"]].set_visible(False)
    plots.save(picture, path)
