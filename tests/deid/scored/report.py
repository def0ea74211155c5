"""The table of a score, and what failed."""

import json
import re
from collections import Counter

from .answers import CATEGORIES


def score(judgements):
    return 100 * sum(each.passed for each in judgements) / max(1, len(judgements))


def table(judgements):
    """Passed and asked by category and action, and in all."""
    asked = Counter(each.answer.action for each in judgements)
    passed = Counter(each.answer.action for each in judgements if each.passed)
    lines = [f"{'category':14} {'action':18} {'passed':>6} {'of':>6} {'%':>7}"]
    for action, category in CATEGORIES.items():
        if asked[action]:
            share = 100 * passed[action] / asked[action]
            lines.append(f"{category:14} {action:18} {passed[action]:6} {asked[action]:6} {share:7.2f}")
    lines.append(f"{'all':33} {sum(passed.values()):6} {sum(asked.values()):6} {score(judgements):7.2f}")
    return "\n".join(lines)


def failing(judgements):
    """One line for each check that failed, those of one element together."""
    failed = [each for each in judgements if not each.passed]
    for each in sorted(failed, key=lambda each: (each.answer.action, each.answer.path, each.answer.object)):
        wanted = " ␟ ".join(each.answer.words)
        found = each.found.replace("\n", " ⏎ ")[:120]
        yield f"{each.answer.object:4} {each.answer.action} {each.answer.path}: {each.answer.value[:80]!r} [{wanted[:80]}] became {found!r}"


def kinds(judgements):
    """How many checks failed of each action and attribute, the most first."""
    failed = Counter(
        f"{each.answer.action} {re.sub(r'[[][0-9]+[]]', '', each.answer.path)}" for each in judgements if not each.passed
    )
    return [f"{count:5} {kind}" for kind, count in failed.most_common()]


def as_json(judgements, invalid):
    failed = [vars(each.answer) | {"found": each.found} for each in judgements if not each.passed]
    told = {"score": score(judgements), "asked": len(judgements), "failed": failed, "invalid": invalid}
    told["passed"] = dict(Counter(each.answer.action for each in judgements if each.passed))
    return json.dumps(told, ensure_ascii=False, indent=1)
