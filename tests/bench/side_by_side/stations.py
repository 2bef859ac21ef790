"""Where the time of a waited execution goes, as SVG, from what `badlambda-bench latency --json` printed."""

import json

import plots
from matplotlib import pyplot
from results import figure

WAITED = "submit to answer"
LARGE = f"{WAITED}, store_result: large"
# In their order, and in colors that their neighbours do not have. The last one keeps nobody waiting.
STATIONS = {
    "submit": "#c9ccd1",
    "queue and receive": "#8a8f98",
    "start and run": "#b3261e",
    "store result": "#e0a39f",
    "store record": "#c9ccd1",
    "answer": "#8a8f98",
    "delete": "#ffffff",
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
            axes.barh(name, width, left=left, color=color, edgecolor="#333333", linewidth=0.5, height=0.6)
            if width > 4:
                axes.annotate(
                    f"{station}\n{figure(width)}", (left + width / 2, name), ha="center", va="center", fontsize=6
                )
            left += width
    axes.invert_yaxis()
    axes.set_xlabel("ms since the submit, medians; SQS takes 8 ms and S3 25 ms a request, each ± 30 %")
    axes.spines[["top", "right"]].set_visible(False)
    plots.save(picture, path)
