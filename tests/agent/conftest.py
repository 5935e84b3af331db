"""Lets the tests of the agent find ``disk_model``, ``still_clock`` and ``model_receiver`` beside this file."""
