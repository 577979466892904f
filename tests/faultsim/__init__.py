"""Tests of the fault simulator, and with it of everything that it drives."""

#: The seeds and steps that CI runs; the nightly run takes other seeds and more steps.
CI_SEEDS = range(1, 201)
CI_STEPS = 3000
