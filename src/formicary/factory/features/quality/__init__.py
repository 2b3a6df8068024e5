"""The quality of features: what their values look like, how fresh they are, whether they drift or skew."""
