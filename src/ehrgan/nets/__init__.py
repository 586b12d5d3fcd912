"""Networks with a leading replica axis: engine, losses, and the estimators built on them."""
