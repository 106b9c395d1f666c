"""Golden cases: the adapters against outputs of the authors' reference code."""
