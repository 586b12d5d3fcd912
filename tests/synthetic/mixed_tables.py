"""Tables that tests make: a known law, mixed columns, holes, persons."""

import numpy as np
import pandas as pd


def mixed(n, seed, persons=None):
    """Mixed columns with holes; `low` never exceeds `high`; the outcome depends on age and site.

    With `persons` so many of them own the records, which are alike within one.
    """
    rng = np.random.default_rng(seed)
    own = np.arange(n) if persons is None else rng.integers(persons, size=n)
    mood = rng.normal(size=(own.max() + 1, 6))[own]
    age = np.rint(60 + 12 * mood[:, 0])
    low = np.round(70 + 8 * mood[:, 1] + 0.5 * rng.normal(size=n), 1)
    site = np.array(["colon", "lung", "skin"])[np.digitize(mood[:, 2], [-0.3, 1.2])]
    table = pd.DataFrame(
        {
            "age": pd.array(age, dtype="Int64"),
            "low": low,
            "high": low + np.round(rng.exponential(30, n), 1),
            "site": pd.Categorical(site, ["colon", "lung", "skin", "bone"]),
            "stage": pd.Categorical(
                np.array(["I", "II", "III"])[np.digitize(mood[:, 3], [-0.4, 0.4])],
                ["I", "II", "III"],
                ordered=True,
            ),
            "smokes": mood[:, 4] < -0.5,
            "lab": np.exp(mood[:, 5]),
        }
    )
    table.loc[np.arange(n)[: max(1, n // 100)], "site"] = "bone"  # a rare category
    gone = rng.random(n) < 0.3  # a work-up that some lack: two cells together
    table.loc[gone, ["lab", "age"]] = np.nan, pd.NA
    table.loc[rng.random(n) < 0.1, "site"] = None
    ill = mood[:, 0] + (site == "lung") + 0.5 * rng.normal(size=n) > 0.5
    table["died"] = np.where(ill, "yes", "no")
    return table if persons is None else table.assign(patient=[f"p{k}" for k in own])
