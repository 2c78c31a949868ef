"""What promtool shall find: the items of `promql_expr_test`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def expect(expression: str, at: float, labels: Mapping[str, str], value: float) -> dict[str, Any]:
    """One sample and no other.

    Args:
        expression: PromQL.
        at: Seconds from the start of the test.
        labels: All labels of the sample, its name as `__name__`.
        value: Its value.
    """
    metric = labels.get("__name__", "")
    inside = ",".join(f'{key}="{text}"' for key, text in sorted(labels.items()) if key != "__name__")
    sample = {"labels": f"{metric}{{{inside}}}", "value": value}
    return {"expr": expression, "eval_time": f"{round(at)}s", "exp_samples": [sample]}


def expect_nothing(expression: str, at: float) -> dict[str, Any]:
    """No sample at all.

    Args:
        expression: PromQL.
        at: Seconds from the start of the test.
    """
    return {"expr": expression, "eval_time": f"{round(at)}s", "exp_samples": []}
