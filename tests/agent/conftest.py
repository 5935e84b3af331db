"""Lets the tests of the agent find ``still_clock`` and ``model_receiver`` beside this file."""
