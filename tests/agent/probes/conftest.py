"""Lets the tests of probes find ``target_server`` beside this file."""
