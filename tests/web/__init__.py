"""Tests of the player page: its modules under Node, and the page itself in a real browser."""
