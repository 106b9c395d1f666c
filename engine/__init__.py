"""Emberscope's engine: imagery goes through a backbone and becomes embeddings; a decoder learns from them."""

import os

# Threads of a step sleep while they wait for one another, instead of turning in a loop that takes a whole core. Read once,
# when torch or scikit-learn is imported. Four epochs of the MLP on two cores beside other work (load 15): 39 s and 12.7 s of
# the processor without, 9 s and 2.5 s with it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
