"""Tests of gamekit's widgets."""
