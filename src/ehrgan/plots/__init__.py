"""Every figure of the book, one function each, in a module for each chapter.

All return a closed :class:`matplotlib.figure.Figure`, which a notebook shows.
"""

from .adversarial import (
    adversarial_curves,
    discriminator_beside_optimum,
    generated_records,
    seed_spread,
    spread_ratios,
)
from .audit import (
    calibration_and_benefit,
    errors_by_epoch,
    frontier,
    optimism_of_looking,
    paper_arithmetic,
)
from .benchmarks import growth_of_time, imputers_beside_peers, speed_beside_peers
from .classifiers import classifier_intervals, every_number, paired_differences
from .comparison import roc_curves, tsne_maps
from .data import missing_pattern, sparsity_counts, strongest_partners, zeros_in_context
from .imputation import (
    errors_by_attribute,
    errors_over_training,
    filled_record,
    imputation_errors,
    learning_curve,
    toy_fillings,
    toy_fills,
    toy_guesses,
)
from .luck import numbers_by_seed
from .missingness import gain_map, over_rates
from .rare import costs_of_cures, losses_of_networks, marks_by_setting, promises_after_mend
from .report import calibration, holes_by_record, method_intervals, methods_on_sets, net_benefit
from .stages import planted_fills
from .stream import areas_over_days
from .synthetic import against_chance, map_of_fakes, three_axes, use_of_fakes

__all__ = [
    "adversarial_curves", "against_chance", "areas_over_days", "calibration",
    "calibration_and_benefit", "classifier_intervals", "costs_of_cures",
    "discriminator_beside_optimum", "errors_by_attribute",
    "errors_by_epoch", "errors_over_training", "every_number", "filled_record", "frontier",
    "gain_map", "generated_records", "growth_of_time", "holes_by_record", "imputation_errors",
    "imputers_beside_peers", "learning_curve", "losses_of_networks", "map_of_fakes",
    "marks_by_setting",
    "method_intervals", "methods_on_sets", "missing_pattern", "net_benefit", "numbers_by_seed",
    "optimism_of_looking", "over_rates", "paired_differences", "paper_arithmetic", "planted_fills",
    "promises_after_mend", "roc_curves", "seed_spread", "sparsity_counts", "speed_beside_peers",
    "spread_ratios", "strongest_partners", "three_axes", "toy_fillings", "toy_fills", "toy_guesses",
    "tsne_maps", "use_of_fakes", "zeros_in_context",
]  # fmt: skip
