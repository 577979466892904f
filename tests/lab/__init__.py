"""Tests of gamekit's lab."""
