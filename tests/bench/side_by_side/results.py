"""What several rounds come to: medians, spread, ratios; and all of it as a table."""

import statistics

from contenders import CONTENDERS, LEVELS


def summary(rates):
    """Executions per second over all rounds."""
    return {
        "median": statistics.median(rates),
        "lowest": min(rates),
        "highest": max(rates),
        "rounds": rates,
    }


def compared(rounds, reasons):
    """By contender: what it is, and either its rates by how many run at once, or why it did not run."""
    first = {level: next(one.id for one in CONTENDERS if one.level == level) for level in LEVELS}
    found = {}
    for one in CONTENDERS:
        entry = {"name": one.name, "level": one.level, "confined": one.confined, "kept": one.kept}
        if one.id in reasons:
            found[one.id] = entry | {"skipped": reasons[one.id]}
            continue
        by_count = {}
        for count in rounds[one.id][0]:
            by_count[str(count)] = summary([rates[count] for rates in rounds[one.id]])
            # In each round on its own, since both then met the same machine.
            ratios = [a[count] / b[count] for a, b in zip(rounds[first[one.level]], rounds[one.id])]
            by_count[str(count)]["ours_is_times"] = summary(ratios)
        found[one.id] = entry | {"executions_per_second": by_count}
    return found


def curve(label, rounds):
    """The points of each series that was measured, and what a worker's execution cost there."""

    def series(name):
        # Sidekiq's may lack a point that failed.
        in_all = [x for x in rounds[0][name] if all(x in measured[name] for measured in rounds)]
        return [{"x": x} | summary([measured[name][x] for measured in rounds]) for x in in_all]

    costs = [
        {"x": x} | {name: statistics.median(costs.get(name, 0) for costs in all_rounds) for name in all_rounds[0]}
        for x in rounds[0]["costs"]
        for all_rounds in [[measured["costs"][x] for measured in rounds]]
    ]
    all_series = {name: series(name) for name in ("worker", "sidekiq-fork")}
    found = {name: points for name, points in all_series.items() if points}
    return {"label": label, "series": found, "costs_of_worker": costs}


def table(results):
    """All of it, for a terminal."""
    machine = results["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, kernel {machine['kernel']}, "
        f"{machine['profile']} build",
        f"rounds: {results['rounds']}; executions per second: median (lowest to highest), "
        "and how many times as fast the first of each part is",
    ]
    for level, meaning in LEVELS.items():
        members = {id: one for id, one in results["contenders"].items() if one["level"] == level}
        counts = next(iter(members.values()))["executions_per_second"]
        lines += ["", meaning, f"{'':38}" + "".join(f"{f'{count} at once':>38}" for count in counts)]
        for one in members.values():
            cells = (cell(one["executions_per_second"][count]) for count in counts) if "skipped" not in one else ()
            lines.append(f"{one['name']:38}" + "".join(cells) + one.get("skipped", ""))
    for id, found in results["curves"].items():
        lines += ["", f"{id}: {found['label']}"]
        for name, points in found["series"].items():
            lines.append(f"{name:>14}  " + "  ".join(f"{point['x']}: {figure(point['median'])}" for point in points))
    lines += ["", ", ".join(f"{name} {version}" for name, version in results["versions"].items() if version)]
    return "\n".join(lines)


def cell(rates):
    spread = f"({figure(rates['lowest'])} to {figure(rates['highest'])})"
    return f"{figure(rates['median']):>9} {spread:>18} {figure(rates['ours_is_times']['median']):>7} ×"


def figure(value):
    """As many digits as one can trust."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
