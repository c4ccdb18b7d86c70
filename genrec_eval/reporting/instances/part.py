"""The instances as a part of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec_eval.reporting.instances.build import instances
from genrec_eval.reporting.instances.types import Budget, Instances

if TYPE_CHECKING:
    from genrec_eval.reporting.page.material import Material


def instances_of(material: Material) -> Instances | None:
    """The instances of a run; None where it has no records."""
    return instances(
        material.results,
        material.run,
        material.directory,
        comparison=material.comparison,
        budget=Budget(beside=material.beside),
        sidecar=material.sidecar,
    )
