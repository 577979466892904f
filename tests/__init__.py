"""Tests of gamekit; the tree mirrors the package."""
