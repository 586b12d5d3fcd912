"""What one network that fills and tells costs, beside an imputer and a classifier apart."""

import time

import pandas as pd

from ehrgan import ACGANClassifier, JointACGANClassifier, StackedAutoencoderImputer, load_wdbc
from ehrgan.study.protocol import DENOISING
from ehrgan.tables.masking import apply_mask, make_mask


def costs(n_rounds=5):
    """Measure processor seconds to train on the paper's table and block, in turn.

    Compiling is done before. Processor time does not hang on what else runs.

    Returns
    -------
    DataFrame
        round, way ("imputer", "classifier" or "joint"), seconds.
    """
    records = load_wdbc()
    X, y = records.X.to_numpy(), records.y
    X = apply_mask(X, make_mask("block", X, y, fraction=0.5, random_state=0))
    filled = StackedAutoencoderImputer(**DENOISING, random_state=0).fit_transform(X)
    ways = {
        "imputer": (StackedAutoencoderImputer(**DENOISING), X),
        "classifier": (ACGANClassifier(), filled),
        "joint": (JointACGANClassifier(), X),
    }
    rows = []
    for turn in range(n_rounds + 1):
        for way, (model, table) in ways.items():
            start = time.process_time()
            model.set_params(random_state=turn).fit(table, y)
            rows.append((turn, way, time.process_time() - start))
    table = pd.DataFrame(rows, columns=["round", "way", "seconds"])
    return table[table["round"] > 0]  # the first compiles
