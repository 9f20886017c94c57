"""Processes that die at random moments of a lesson."""
