"""What each rule beside this file says of the templates that are named: TEMPLATE RULE pass, or TEMPLATE RULE fail."""

import json
import pathlib
import sys

import yaml
# Not its `run_checks`, which fails where a rule with `or` is broken.
from cfn_guard_rs.cfn_guard_rs import run_checks_rs


class Template(yaml.SafeLoader):
    """Reads short forms, such as `!Sub`, as the `Fn::Sub` they stand for."""

    def short_form(self, name, node):
        value = {
            yaml.ScalarNode: self.construct_scalar,
            yaml.SequenceNode: lambda node: self.construct_sequence(node, deep=True),
            yaml.MappingNode: lambda node: self.construct_mapping(node, deep=True),
        }[type(node)](node)
        return {name if name == "Ref" else f"Fn::{name}": value}


Template.add_multi_constructor("!", Template.short_form)

for path in map(pathlib.Path, sys.argv[1:]):
    # Dates, which JSON has not, are read as text.
    template = json.dumps(yaml.load(path.read_text(), Template), default=str)
    for rules in sorted(pathlib.Path(__file__).parent.glob("*.guard")):
        report = json.loads(run_checks_rs(template, rules.read_text(), False))
        for rule in report["compliant"]:
            print(path.stem, rule, "pass")
        for broken in report["not_compliant"]:
            print(path.stem, broken["Rule"]["name"], "fail")
