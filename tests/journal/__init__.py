"""Tests of the journal: one contract over every backend, and what is special to each."""
