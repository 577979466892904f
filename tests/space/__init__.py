"""Tests of the bundled game."""
