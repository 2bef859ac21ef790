"""The results as SVG: one picture of all that is compared, and one for each curve."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402

from contenders import LEVELS, OURS  # noqa: E402
from results import figure  # noqa: E402

RED, GRAY = "#b3261e", "#8a8f98"
SERIES = {"worker": ("Bad Lambda's worker", RED, "o"), "sidekiq-fork": ("Sidekiq, a fork per job", GRAY, "s")}
# The same figures make the same file.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "side by side", "font.size": 9})


def draw(results, folder):
    """Writes `executions.svg`, and `ID.svg` for each curve."""
    folder.mkdir(parents=True, exist_ok=True)
    executions(results, folder / "executions.svg")
    for id, curve in results["curves"].items():
        one_curve(curve, folder / f"{id}.svg")


def executions(results, path):
    levels = {level: {} for level in LEVELS}
    for id, one in results["contenders"].items():
        if "skipped" not in one:
            # The last are those with one per core.
            levels[one["level"]][id] = one["name"], list(one["executions_per_second"].values())[-1]
    heights = [len(members) for members in levels.values()]
    size = 8, 2 + 0.4 * sum(heights)
    picture, axes = pyplot.subplots(len(levels), figsize=size, height_ratios=heights, sharex=True)
    for one, (level, members) in zip(axes, levels.items()):
        one.set_title(LEVELS[level], loc="left", fontsize=9)
        bars(one, members)
    axes[0].set_xscale("log")
    all_rates = [rates for members in levels.values() for _, rates in members.values()]
    axes[0].set_xlim(min(rates["lowest"] for rates in all_rates) / 3, max(rates["highest"] for rates in all_rates) * 3)
    picture.supxlabel("executions per second, as many at once as there are cores: median, lowest, highest", fontsize=9)
    save(picture, path)


def bars(axes, members):
    for id, (name, rates) in members.items():
        median, color = rates["median"], RED if id in OURS else GRAY
        spread = [[median - rates["lowest"]], [rates["highest"] - median]]
        axes.barh(name, median, xerr=spread, color=color, height=0.65, ecolor="#333333")
        axes.annotate(f"  {figure(median)}", (rates["highest"], name), va="center")
    axes.invert_yaxis()
    axes.tick_params(labelbottom=True)
    axes.spines[["top", "right"]].set_visible(False)


def one_curve(curve, path):
    picture, axes = pyplot.subplots(figsize=(6, 3.6))
    for name, points in curve["series"].items():
        label, color, marker = SERIES[name]
        x, median = [point["x"] for point in points], [point["median"] for point in points]
        axes.plot(x, median, marker=marker, color=color, label=label)
        axes.fill_between(
            x, [point["lowest"] for point in points], [point["highest"] for point in points], color=color, alpha=0.2
        )
    values = [point["x"] for point in curve["series"]["worker"]]
    if max(values) >= 16:
        # Logarithmic, with a place for 0.
        axes.set_xscale("symlog", linthresh=min(value for value in values if value > 0))
    axes.set_xticks(values, [f"{value:,}" for value in values])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel(curve["label"])
    axes.set_ylabel("executions per second")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    save(picture, path)


def save(picture, path):
    picture.tight_layout()
    picture.savefig(path, metadata={"Date": None})
    pyplot.close(picture)
