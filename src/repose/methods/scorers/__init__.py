"""Classifiers that score images, trained by the workflow itself."""
