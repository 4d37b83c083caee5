"""Classifiers that score pictures, trained by the workflow itself."""
