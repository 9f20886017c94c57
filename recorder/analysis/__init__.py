"""Looks at pictures after class: numbers only, no files, no containers."""
